import { invalidInput } from '@cairn/kit/errors/errors';
import type { Request } from '@cairn/kit/http/operation';
import { Metadata, MetadataItem } from './answers/servers.ts';
import { op } from './op.ts';
import { anyQuery, metadata, object } from './schemas/types.ts';

const PATH = '/v2.1/servers/{server_id}/metadata';
const ONE = `${PATH}/{key}` as const;
const serverId = (request: Request): string => request.params['server_id'] as string;
const key = (request: Request): string => request.params['key'] as string;
const all = object({ metadata }, ['metadata']);
type All = { readonly metadata: Readonly<Record<string, string>> };

export const serverMetadataOperations = [
  op({
    id: 'nova.server_metadata.list',
    method: 'GET',
    path: PATH,
    summary: "List a server's metadata",
    policy: 'os_compute_api:server-metadata:index',
    answer: Metadata,
    query: anyQuery,
    handle: async (app, request) => ({ metadata: await app.serverMetadata.all(request, serverId(request)) }),
  }),
  op({
    id: 'nova.server_metadata.create',
    method: 'POST',
    path: PATH,
    summary: "Add to a server's metadata",
    policy: 'os_compute_api:server-metadata:create',
    answer: Metadata,
    body: all,
    handle: async (app, request) => ({ metadata: await app.serverMetadata.change(request, serverId(request), (request.body as All).metadata, 'create') }),
  }),
  op({
    id: 'nova.server_metadata.replace',
    method: 'PUT',
    path: PATH,
    summary: "Replace a server's metadata",
    policy: 'os_compute_api:server-metadata:update_all',
    answer: Metadata,
    body: all,
    handle: async (app, request) => ({ metadata: await app.serverMetadata.change(request, serverId(request), (request.body as All).metadata, 'update_all') }),
  }),
  op({
    id: 'nova.server_metadata.show',
    method: 'GET',
    path: ONE,
    summary: "Show an item of a server's metadata",
    policy: 'os_compute_api:server-metadata:show',
    answer: MetadataItem,
    query: anyQuery,
    handle: async (app, request) => ({ meta: { [key(request)]: await app.serverMetadata.item(request, serverId(request), key(request)) } }),
  }),
  op({
    id: 'nova.server_metadata.update',
    method: 'PUT',
    path: ONE,
    summary: "Change an item of a server's metadata",
    policy: 'os_compute_api:server-metadata:update',
    answer: MetadataItem,
    body: object({ meta: { ...metadata, minProperties: 1, maxProperties: 1 } }, ['meta']),
    async handle(app, request) {
      const { meta } = request.body as { readonly meta: Readonly<Record<string, string>> };
      if (!Object.hasOwn(meta, key(request))) throw invalidInput('Request body and URI mismatch');
      await app.serverMetadata.change(request, serverId(request), meta, 'update');
      return { meta };
    },
  }),
  op({
    id: 'nova.server_metadata.delete',
    method: 'DELETE',
    path: ONE,
    summary: "Delete an item of a server's metadata",
    policy: 'os_compute_api:server-metadata:delete',
    answer: 'none',
    success: 204,
    handle: (app, request) => app.serverMetadata.remove(request, serverId(request), key(request)),
  }),
];
