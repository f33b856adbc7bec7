import { Reply, type Request } from '@cairn/kit/http/operation';
import { shortIpv6 } from '../app/ipv6.ts';
import { isTrue } from '../app/block-devices.ts';
import type { CreateServerBody } from '../app/server-plan.ts';
import type { NovaApp } from '../app/app.ts';
import type { ServerPatch, ServerRow } from '../store/server.ts';
import { CreatedServer, OneServer, ServerDetailList, ServerList } from './answers/servers.ts';
import { op } from './op.ts';
import { createServer, listServersQuery, updateServer } from './schemas/servers.ts';
import { anyQuery } from './schemas/types.ts';
import { linksOf, nextLinks, selfHref } from './views/links.ts';
import { serverBasic, serverView } from './views/server.ts';

async function list(app: NovaApp, request: Request, detail: boolean): Promise<object> {
  const rows = await app.servers.list(request, request.query, request.version, detail);
  const servers = detail
    ? (await app.servers.details(rows, { hostStatus: request.version.atLeast('2.16'), groups: false })).map((one) =>
        serverView(request, one, { all: true, groups: false }),
      )
    : rows.map((row) => serverBasic(request, row));
  const links = nextLinks(
    request,
    detail ? 'servers/detail' : 'servers',
    rows.map((row) => row.id),
    app.deps.options.maxLimit,
  );
  return { servers, ...(links.length === 0 ? {} : { servers_links: links }) };
}

async function one(app: NovaApp, request: Request, row: ServerRow, all: boolean): Promise<object> {
  const [details] = await app.servers.details([row], { hostStatus: all && request.version.atLeast('2.16'), groups: request.version.atLeast('2.71') });
  return { server: serverView(request, details as NonNullable<typeof details>, { all, groups: true }) };
}

export const serverOperations = [
  op({
    id: 'nova.server.list',
    method: 'GET',
    path: '/v2.1/servers',
    summary: 'List servers',
    policy: 'os_compute_api:servers:index',
    answer: ServerList,
    query: listServersQuery,
    handle: (app, request) => list(app, request, false),
  }),
  op({
    id: 'nova.server.detail',
    method: 'GET',
    path: '/v2.1/servers/detail',
    summary: 'List servers with details',
    policy: 'os_compute_api:servers:detail',
    answer: ServerDetailList,
    query: listServersQuery,
    handle: (app, request) => list(app, request, true),
  }),
  op({
    id: 'nova.server.create',
    method: 'POST',
    path: '/v2.1/servers',
    summary: 'Create servers',
    policy: 'os_compute_api:servers:create',
    answer: CreatedServer,
    success: 202,
    body: createServer,
    async handle(app, request) {
      const body = request.body as CreateServerBody;
      const accepted = await app.servers.create(request, body, request.version);
      if (isTrue(body.server.return_reservation_id)) return { reservation_id: accepted.reservationId };
      const id = accepted.ids[0] as string;
      const server = {
        id,
        links: linksOf(request, 'servers', id),
        'OS-DCF:diskConfig': accepted.autoDiskConfig ? 'AUTO' : 'MANUAL',
        security_groups: body.server.security_groups ?? [{ name: 'default' }],
        adminPass: accepted.adminPass,
      };
      return new Reply({ server }, { headers: { location: selfHref(request, 'servers', id) } });
    },
  }),
  op({
    id: 'nova.server.show',
    method: 'GET',
    path: '/v2.1/servers/{server_id}',
    summary: 'Show a server',
    policy: 'os_compute_api:servers:show',
    answer: OneServer,
    query: anyQuery,
    handle: async (app, request) => one(app, request, await app.servers.get(request, request.params['server_id'] as string), true),
  }),
  op({
    id: 'nova.server.update',
    method: 'PUT',
    path: '/v2.1/servers/{server_id}',
    summary: 'Change a server',
    policy: 'os_compute_api:servers:update',
    answer: OneServer,
    body: updateServer,
    async handle(app, request) {
      const { server } = request.body as { readonly server: UpdateBody };
      const patch: ServerPatch = {
        ...(server.name === undefined ? {} : { name: server.name.trim() }),
        ...(server.description === undefined ? {} : { description: server.description }),
        ...(server.hostname === undefined ? {} : { hostname: server.hostname }),
        ...(server.accessIPv4 === undefined ? {} : { access_ip_v4: server.accessIPv4 }),
        ...(server.accessIPv6 === undefined ? {} : { access_ip_v6: shortIpv6(server.accessIPv6) }),
        ...(server['OS-DCF:diskConfig'] === undefined ? {} : { auto_disk_config: server['OS-DCF:diskConfig'] === 'AUTO' ? 1 : 0 }),
      };
      const updated = await app.servers.update(request, request.params['server_id'] as string, patch, server.pinned_availability_zone);
      // from 2.75 on the answer is as GET's
      return await one(app, request, updated, request.version.atLeast('2.75'));
    },
  }),
  op({
    id: 'nova.server.delete',
    method: 'DELETE',
    path: '/v2.1/servers/{server_id}',
    summary: 'Delete a server',
    policy: 'os_compute_api:servers:delete',
    answer: 'none',
    success: 204,
    handle: (app, request) => app.serverActions.remove(request, request.params['server_id'] as string, false),
  }),
];

interface UpdateBody {
  readonly name?: string;
  readonly description?: string | null;
  readonly hostname?: string;
  readonly accessIPv4?: string;
  readonly accessIPv6?: string;
  readonly 'OS-DCF:diskConfig'?: 'AUTO' | 'MANUAL';
  readonly pinned_availability_zone?: string | null;
}
