import { Reply, type Request } from '@cairn/kit/http/operation';
import { Tags } from './answers/servers.ts';
import { op } from './op.ts';
import { anyQuery, json, object, tag } from './schemas/types.ts';
import { selfHref } from './views/links.ts';

const PATH = '/v2.1/servers/{server_id}/tags';
const ONE = `${PATH}/{tag}` as const;
const serverId = (request: Request): string => request.params['server_id'] as string;
const tagOf = (request: Request): string => request.params['tag'] as string;

export const serverTagOperations = [
  op({
    id: 'nova.server_tag.list',
    method: 'GET',
    path: PATH,
    since: '2.26',
    summary: "List a server's tags",
    policy: 'os_compute_api:os-server-tags:index',
    answer: Tags,
    query: anyQuery,
    handle: async (app, request) => ({ tags: await app.serverTags.all(request, serverId(request)) }),
  }),
  op({
    id: 'nova.server_tag.replace',
    method: 'PUT',
    path: PATH,
    since: '2.26',
    summary: "Replace a server's tags",
    policy: 'os_compute_api:os-server-tags:update_all',
    answer: Tags,
    body: object({ tags: { type: 'array', items: tag, maxItems: 50 } }, ['tags']),
    handle: async (app, request) => ({
      tags: await app.serverTags.replace(request, serverId(request), (request.body as { readonly tags: readonly string[] }).tags),
    }),
  }),
  op({
    id: 'nova.server_tag.delete_all',
    method: 'DELETE',
    path: PATH,
    since: '2.26',
    summary: 'Delete all tags of a server',
    policy: 'os_compute_api:os-server-tags:delete_all',
    answer: 'none',
    success: 204,
    handle: (app, request) => app.serverTags.removeAll(request, serverId(request)),
  }),
  op({
    id: 'nova.server_tag.show',
    method: 'GET',
    path: ONE,
    since: '2.26',
    summary: 'Check whether a server has a tag',
    policy: 'os_compute_api:os-server-tags:show',
    answer: 'none',
    success: 204,
    query: anyQuery,
    handle: (app, request) => app.serverTags.check(request, serverId(request), tagOf(request)),
  }),
  op({
    id: 'nova.server_tag.add',
    method: 'PUT',
    path: ONE,
    since: '2.26',
    summary: 'Add a tag to a server',
    policy: 'os_compute_api:os-server-tags:update',
    answer: 'none',
    bodyOptional: true,
    body: json({ type: 'null' }),
    async handle(app, request) {
      const added = await app.serverTags.add(request, serverId(request), tagOf(request));
      if (!added) return new Reply(undefined, { status: 204 });
      return new Reply(undefined, {
        status: 201,
        headers: { location: `${selfHref(request, 'servers', serverId(request))}/tags/${encodeURIComponent(tagOf(request))}` },
      });
    },
  }),
  op({
    id: 'nova.server_tag.delete',
    method: 'DELETE',
    path: ONE,
    since: '2.26',
    summary: 'Delete a tag of a server',
    policy: 'os_compute_api:os-server-tags:delete',
    answer: 'none',
    success: 204,
    handle: (app, request) => app.serverTags.remove(request, serverId(request), tagOf(request)),
  }),
];
