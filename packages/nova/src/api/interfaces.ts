import type { Request } from '@cairn/kit/http/operation';
import type { AttachInterface, ServerInterface } from '../app/interfaces.ts';
import { InterfaceList, OneInterface } from './answers/server-parts.ts';
import { op } from './op.ts';
import { anyQuery, ipAddress, object, tag, uuid } from './schemas/types.ts';

const PATH = '/v2.1/servers/{server_id}/os-interface';
const ONE = `${PATH}/{port_id}` as const;
const serverId = (request: Request): string => request.params['server_id'] as string;
const portId = (request: Request): string => request.params['port_id'] as string;
const fixedIps = {
  type: 'array',
  minItems: 1,
  maxItems: 1,
  items: { type: 'object', properties: { ip_address: ipAddress }, required: ['ip_address'], additionalProperties: false },
};
const attach = (more: Readonly<Record<string, object>>) =>
  object({ interfaceAttachment: object({ net_id: uuid, port_id: uuid, fixed_ips: fixedIps, ...more }) });

const view = ({ version }: Request, { port, tag: label }: ServerInterface): object => ({
  net_id: port.networkId,
  port_id: port.id,
  mac_addr: port.mac,
  port_state: port.status,
  fixed_ips: port.fixedIps.map((fixed) => ({ subnet_id: fixed.subnetId, ip_address: fixed.ip })),
  ...(version.atLeast('2.70') ? { tag: label } : {}),
});

export const interfaceOperations = [
  op({
    id: 'nova.interface.list',
    method: 'GET',
    path: PATH,
    summary: "List a server's ports",
    policy: 'os_compute_api:os-attach-interfaces:list',
    answer: InterfaceList,
    query: anyQuery,
    handle: async (app, request) => ({ interfaceAttachments: (await app.interfaces.list(request, serverId(request))).map((one) => view(request, one)) }),
  }),
  op({
    id: 'nova.interface.show',
    method: 'GET',
    path: ONE,
    summary: "Show a server's port",
    policy: 'os_compute_api:os-attach-interfaces:show',
    answer: OneInterface,
    query: anyQuery,
    handle: async (app, request) => ({ interfaceAttachment: view(request, await app.interfaces.get(request, serverId(request), portId(request))) }),
  }),
  op({
    id: 'nova.interface.create',
    method: 'POST',
    path: PATH,
    summary: 'Attach a port to a server',
    policy: 'os_compute_api:os-attach-interfaces:create',
    answer: OneInterface,
    bodyOptional: true,
    body: [
      { from: '2.1', schema: attach({}) },
      { from: '2.49', schema: attach({ tag }) },
    ],
    async handle(app, request) {
      const asked = (request.body as { readonly interfaceAttachment?: AttachInterface } | undefined)?.interfaceAttachment ?? {};
      return { interfaceAttachment: view(request, await app.interfaces.attach(request, serverId(request), asked)) };
    },
  }),
  op({
    id: 'nova.interface.delete',
    method: 'DELETE',
    path: ONE,
    summary: 'Detach a port from a server',
    policy: 'os_compute_api:os-attach-interfaces:delete',
    answer: 'none',
    success: 202,
    handle: (app, request) => app.interfaces.detach(request, serverId(request), portId(request)),
  }),
];
