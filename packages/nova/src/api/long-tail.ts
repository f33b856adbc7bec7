import { gone, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyOperation, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import { targetOf } from '../app/caller.ts';
import type { PlacedTopology } from '../topology/fit.ts';
import { AssistedSnapshot } from './answers/hosts.ts';
import { BaremetalNodes } from './answers/others.ts';
import { Shares, Topology } from './answers/servers.ts';
import { op } from './op.ts';
import { actionBody, anyQuery, json, multi, object, uuid } from './schemas/types.ts';

const ACTION = '/v2.1/servers/{server_id}/action';
const serverId = (request: Request): string => request.params['server_id'] as string;
const ironic = (command: string) => (): never => {
  throw invalidInput(`Command not supported. Please use Ironic command ${command} to perform this action.`);
};
const address = { type: 'string', oneOf: [{ format: 'ipv4' }, { format: 'ipv6' }] };
const BAREMETAL = '/v2.1/os-baremetal-nodes';
const SHARES = '/v2.1/servers/{server_id}/shares';
const noShare = (request: Request): never => {
  throw notFound(`Share ${request.params['share_id'] ?? ''} could not be found.`);
};

/** Bare metal nodes: this cloud has no Ironic, and what nova once did of its commands it refuses as upstream does. */
const baremetal = [
  op({
    id: 'nova.baremetal.list',
    method: 'GET',
    path: BAREMETAL,
    until: '2.35',
    summary: 'List bare metal nodes',
    policy: 'os_compute_api:os-baremetal-nodes:list',
    answer: BaremetalNodes,
    query: anyQuery,
    handle: () => ({ nodes: [] }),
  }),
  op({
    id: 'nova.baremetal.create',
    method: 'POST',
    path: BAREMETAL,
    until: '2.35',
    summary: 'Refused: a matter of Ironic',
    policy: AUTHENTICATED,
    answer: 'none',
    input: 'none',
    handle: ironic('node-create'),
  }),
  op({
    id: 'nova.baremetal.show',
    method: 'GET',
    path: `${BAREMETAL}/{node_id}`,
    until: '2.35',
    summary: 'Show a bare metal node',
    policy: 'os_compute_api:os-baremetal-nodes:show',
    answer: 'none',
    query: anyQuery,
    handle: (_app, request) => {
      throw notFound(`Node ${request.params['node_id']} could not be found.`);
    },
  }),
  op({
    id: 'nova.baremetal.delete',
    method: 'DELETE',
    path: `${BAREMETAL}/{node_id}`,
    until: '2.35',
    summary: 'Refused: a matter of Ironic',
    policy: AUTHENTICATED,
    answer: 'none',
    handle: ironic('node-delete'),
  }),
  ...(['add_interface', 'remove_interface'] as const).map((action) =>
    op({
      id: `nova.baremetal.${action}`,
      method: 'POST',
      path: `${BAREMETAL}/{node_id}/action`,
      action,
      until: '2.35',
      summary: 'Refused: a matter of Ironic',
      policy: AUTHENTICATED,
      answer: 'none',
      body: json({ type: 'object' }),
      handle: ironic(action === 'add_interface' ? 'port-create' : 'port-delete'),
    }),
  ),
];

/** Shares of servers: there is no service for shared file systems, so there is none to attach. */
const shares = [
  op({
    id: 'nova.server_share.list',
    method: 'GET',
    path: SHARES,
    since: '2.97',
    summary: "List a server's shares",
    policy: 'os_compute_api:os-server-shares:index',
    answer: Shares,
    query: object({}),
    async handle(app, request) {
      request.authorize('os_compute_api:os-server-shares:index', targetOf(await app.servers.get(request, serverId(request))));
      return { shares: [] };
    },
  }),
  op({
    id: 'nova.server_share.create',
    method: 'POST',
    path: SHARES,
    since: '2.97',
    summary: 'Attach a share to a server',
    policy: 'os_compute_api:os-server-shares:create',
    answer: 'none',
    success: 201,
    body: object({ share: object({ share_id: uuid, tag: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9-]*$' } }, ['share_id']) }, [
      'share',
    ]),
    async handle(app, request) {
      request.authorize('os_compute_api:os-server-shares:create', targetOf(await app.servers.get(request, serverId(request))));
      throw notFound(`Share ${(request.body as { readonly share: { readonly share_id: string } }).share.share_id} could not be found.`);
    },
  }),
  ...(['GET', 'DELETE'] as const).map((method) =>
    op({
      id: `nova.server_share.${method === 'GET' ? 'show' : 'delete'}`,
      method,
      path: `${SHARES}/{share_id}`,
      since: '2.97',
      summary: method === 'GET' ? "Show a server's share" : 'Detach a share from a server',
      policy: `os_compute_api:os-server-shares:${method === 'GET' ? 'show' : 'delete'}`,
      answer: 'none',
      ...(method === 'GET' && { query: object({}) }),
      async handle(app, request) {
        await app.servers.get(request, serverId(request));
        return noShare(request);
      },
    }),
  ),
];

/** A guest's NUMA nodes; where they are on the host is for those who may know. */
function topologyView(placed: PlacedTopology | undefined, showsHost: boolean): object {
  return {
    nodes: (placed?.cells ?? []).map((cell) => ({
      vcpu_set: [...cell.shared, ...Object.keys(cell.pins).map(Number)].sort((a, b) => a - b),
      siblings: cell.siblings,
      memory_mb: cell.memoryMb,
      ...(showsHost ? { host_node: cell.hostNode, cpu_pinning: cell.pins } : {}),
    })),
    pagesize_kb: placed?.cells.find((cell) => cell.pageSizeKb !== null)?.pageSizeKb ?? null,
  };
}

export const longTailOperations = [
  ...baremetal,
  ...shares,
  op({
    id: 'nova.server.topology',
    method: 'GET',
    path: '/v2.1/servers/{server_id}/topology',
    since: '2.78',
    summary: "Show a server's NUMA topology",
    policy: 'compute:server:topology:index',
    answer: Topology,
    query: [
      { from: '2.78', schema: anyQuery },
      { from: '2.102', schema: object({}) },
    ],
    async handle(app, request) {
      const row = await app.servers.get(request, serverId(request));
      const target = targetOf(row);
      request.authorize('compute:server:topology:index', target);
      return topologyView(await app.serverGuest.topology(row), request.allowed('compute:server:topology:host:index', target));
    },
  }),
  op({
    id: 'nova.server.reset_network',
    method: 'POST',
    path: ACTION,
    action: 'resetNetwork',
    summary: 'Removed: answers 410',
    policy: AUTHENTICATED,
    answer: 'none',
    handle: (): never => {
      throw gone('This resource is no longer available. No forwarding address is given.');
    },
  }),
  op({
    id: 'nova.server.inject_network_info',
    method: 'POST',
    path: ACTION,
    action: 'injectNetworkInfo',
    summary: "Bring a server's network in line",
    policy: 'os_compute_api:os-admin-actions:inject_network_info',
    answer: 'none',
    success: 202,
    body: actionBody('injectNetworkInfo', {}),
    handle: (app, request) => app.serverActions.refreshNetwork(request, serverId(request)),
  }),
  op({
    id: 'nova.server.add_floating_ip',
    method: 'POST',
    path: ACTION,
    action: 'addFloatingIp',
    until: '2.43',
    summary: 'Give a server a floating IP',
    policy: 'os_compute_api:os-floating-ips:add',
    answer: 'none',
    body: actionBody('addFloatingIp', object({ address, fixed_address: address }, ['address'])),
    async handle(app, request) {
      const asked = (request.body as { readonly addFloatingIp: { readonly address: string; readonly fixed_address?: string } }).addFloatingIp;
      await app.floatingIpActions.add(request, serverId(request), asked.address, asked.fixed_address);
      return new Reply(undefined, { status: 202 });
    },
  }),
  op({
    id: 'nova.server.remove_floating_ip',
    method: 'POST',
    path: ACTION,
    action: 'removeFloatingIp',
    until: '2.43',
    summary: 'Take a floating IP from a server',
    policy: 'os_compute_api:os-floating-ips:remove',
    answer: 'none',
    body: actionBody('removeFloatingIp', object({ address }, ['address'])),
    async handle(app, request) {
      const asked = (request.body as { readonly removeFloatingIp: { readonly address: string } }).removeFloatingIp;
      await app.floatingIpActions.remove(request, serverId(request), asked.address);
      return new Reply(undefined, { status: 202 });
    },
  }),
  op({
    id: 'nova.assisted_snapshot.create',
    method: 'POST',
    path: '/v2.1/os-assisted-volume-snapshots',
    summary: "Make a snapshot of an attached volume by its guest's host",
    policy: 'os_compute_api:os-assisted-volume-snapshots:create',
    answer: AssistedSnapshot,
    body: object(
      {
        snapshot: object(
          {
            volume_id: { type: 'string', minLength: 1 },
            create_info: object(
              {
                snapshot_id: { type: 'string', minLength: 1 },
                type: { type: 'string', enum: ['qcow2'] },
                new_file: { type: 'string', minLength: 1 },
                id: { type: 'string', minLength: 1 },
              },
              ['snapshot_id', 'type', 'new_file'],
            ),
          },
          ['volume_id', 'create_info'],
        ),
      },
      ['snapshot'],
    ),
    async handle(app, request) {
      const { snapshot } = request.body as {
        readonly snapshot: { readonly volume_id: string; readonly create_info: { readonly snapshot_id: string; readonly id?: string } };
      };
      await app.assistedSnapshots.create(snapshot.volume_id, snapshot.create_info.snapshot_id);
      return { snapshot: { id: snapshot.create_info.id ?? null, volumeId: snapshot.volume_id } };
    },
  }),
  op({
    id: 'nova.assisted_snapshot.delete',
    method: 'DELETE',
    path: '/v2.1/os-assisted-volume-snapshots/{snapshot_id}',
    summary: "Remove a snapshot of an attached volume by its guest's host",
    policy: 'os_compute_api:os-assisted-volume-snapshots:delete',
    answer: 'none',
    success: 204,
    query: [
      { from: '2.1', schema: json({ type: 'object', properties: { delete_info: multi({ type: 'string' }) }, additionalProperties: true }) },
      { from: '2.75', schema: object({ delete_info: multi({ type: 'string' }) }) },
    ],
    async handle(app, request) {
      const text = request.query.get('delete_info');
      let volumeId: unknown;
      try {
        volumeId = (JSON.parse(text ?? '') as { readonly volume_id?: unknown } | null)?.volume_id;
      } catch {
        throw invalidInput(text === null ? "'delete_info'" : 'delete_info is no JSON', { field: 'delete_info' });
      }
      if (typeof volumeId !== 'string') throw invalidInput("'volume_id'", { field: 'delete_info' });
      await app.assistedSnapshots.remove(volumeId, request.params['snapshot_id'] as string);
    },
  }),
  op({
    id: 'nova.aggregate.cache_images',
    method: 'POST',
    path: '/v2.1/os-aggregates/{aggregate_id}/images',
    since: '2.81',
    summary: "Cache images on an aggregate's hosts",
    policy: 'compute:aggregates:images',
    answer: 'none',
    success: 202,
    body: object({ cache: { type: 'array', minItems: 1, items: object({ id: uuid }, ['id']) } }, ['cache']),
    async handle(app, request) {
      const ids = (request.body as { readonly cache: readonly { readonly id: string }[] }).cache.map((image) => image.id);
      if (new Set(ids).size < ids.length) throw invalidInput('Duplicate images in request');
      const seq = request.params['aggregate_id'] as string;
      if (!/^[+-]?\d{1,15}$/.test(seq)) throw invalidInput('Invalid input received: id must be an integer', { field: 'aggregate_id' });
      await app.aggregates.cacheImages(request.ctx, Number(seq), ids);
    },
  }),
];

/** What upstream's controller of servers does by its older name `os-volumes_boot`. */
const BY_OLD_NAME = new Set(['createImage', 'rebuild', 'confirmResize', 'reboot', 'resize', 'revertResize', 'os-start', 'os-stop', 'trigger_crash_dump']);
const OLD_NAME = /^\/v2\.1\/servers(\/detail|\/\{server_id\}|\/\{server_id\}\/action)?$/;

/** The same operations below `os-volumes_boot`. */
export const volumesBootOperations = (operations: readonly AnyOperation[]): readonly AnyOperation[] =>
  operations
    .filter((operation) => OLD_NAME.test(operation.path) && (operation.action === undefined || BY_OLD_NAME.has(operation.action)))
    .map((operation) => ({
      ...operation,
      id: `${operation.id}.volumes_boot`,
      // gone with 2.103
      until: operation.until ?? '2.102',
      path: operation.path.replace('/servers', '/os-volumes_boot') as AnyOperation['path'],
    }));
