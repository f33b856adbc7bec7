import { gone } from '@cairn/kit/errors/errors';
import { AUTHENTICATED, type Method } from '@cairn/kit/http/operation';
import { op } from './op.ts';

/** Calls that upstream once had: its removed controllers answer 410 at every microversion. */
const REMOVED: readonly (readonly [path: string, ...methods: Method[]])[] = [
  ['os-agents', 'GET', 'POST'],
  ['os-agents/{id}', 'PUT', 'DELETE'],
  ['os-cells', 'GET', 'POST'],
  ['os-cells/capacities', 'GET'],
  ['os-cells/detail', 'GET'],
  ['os-cells/info', 'GET'],
  ['os-cells/sync_instances', 'POST'],
  ['os-cells/{id}', 'GET', 'PUT', 'DELETE'],
  ['os-cells/{id}/capacities', 'GET'],
  ['os-certificates', 'POST'],
  ['os-certificates/{id}', 'GET'],
  ['os-cloudpipe', 'GET', 'POST'],
  ['os-cloudpipe/{id}', 'PUT'],
  ['os-fixed-ips/{id}', 'GET'],
  ['os-fixed-ips/{id}/action', 'POST'],
  ['os-floating-ip-dns', 'GET'],
  ['os-floating-ip-dns/{id}', 'PUT', 'DELETE'],
  ['os-floating-ip-dns/{domain_id}/entries/{id}', 'GET', 'PUT', 'DELETE'],
  ['os-floating-ips-bulk', 'GET', 'POST'],
  ['os-floating-ips-bulk/{id}', 'GET', 'PUT'],
  ['os-fping', 'GET'],
  ['os-fping/{id}', 'GET'],
  ['os-networks', 'POST'],
  ['os-networks/add', 'POST'],
  ['os-networks/{id}', 'DELETE'],
  ['os-networks/{id}/action', 'POST'],
  ['os-security-group-default-rules', 'GET', 'POST'],
  ['os-security-group-default-rules/{id}', 'GET', 'DELETE'],
  ['os-tenant-networks', 'POST'],
  ['os-tenant-networks/{id}', 'DELETE'],
  ['servers/{server_id}/os-virtual-interfaces', 'GET'],
  ['servers/{server_id}/consoles', 'GET', 'POST'],
  ['servers/{server_id}/consoles/{id}', 'GET', 'DELETE'],
];

const refuse = (): never => {
  throw gone('This resource is no longer available. No forwarding address is given.');
};

export const removedOperations = REMOVED.flatMap(([path, ...methods]) =>
  methods.map((method) =>
    op({
      id: `nova.removed.${path.replaceAll(/[/{}]+/g, '.').replace(/\.$/, '')}.${method.toLowerCase()}`,
      method,
      path: `/v2.1/${path}`,
      summary: 'Removed: answers 410',
      policy: AUTHENTICATED,
      answer: 'none',
      input: 'none',
      handle: refuse,
    }),
  ),
);
