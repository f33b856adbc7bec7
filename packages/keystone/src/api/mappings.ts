import type { AnyOperation } from '@cairn/kit/http/operation';
import type { Mapping } from '../federation/mapping.ts';
import { many, one } from './answers/envelope.ts';
import { mapping } from './answers/federation.ts';
import { type AnyRequest, collection, member, noTarget, op, pagingOf, param, unchecked } from './common.ts';
import { pathId } from './identity-providers.ts';

const PATH = 'OS-FEDERATION/mappings';

const mappingView = (mapping: Mapping) => ({ id: mapping.id, rules: mapping.rules, schema_version: mapping.schemaVersion });

/** The mapping of a body; key signs as upstream normalises them. Its structure is checked with upstream's own words. */
const given = (req: AnyRequest): Record<string, unknown> =>
  Object.fromEntries(Object.entries(unchecked(req, 'mapping')).map(([key, value]) => [key.replace(/[:-]/g, '_'), value]));

/** /v3/OS-FEDERATION/mappings (keystone/api/os_federation.py). */
export const mappingOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.mapping.list',
    method: 'GET',
    path: `/v3/${PATH}`,
    answer: many('mappings', mapping),
    summary: 'List mappings',
    policy: 'identity:list_mappings',
    target: noTarget,
    handle: async (app, req) => {
      const page = pagingOf(req);
      const { mappings, hasMore } = await app.mappings.list(page);
      return collection(req, 'mappings', mappings.map(mappingView), { path: PATH, hasMore, ...page });
    },
  }),
  op({
    id: 'keystone.mapping.show',
    method: 'GET',
    path: `/v3/${PATH}/{mapping_id}`,
    answer: one('mapping', mapping),
    summary: 'Show a mapping',
    policy: 'identity:get_mapping',
    target: noTarget,
    handle: async (app, req) => member(req, 'mapping', PATH, mappingView(await app.mappings.get(param(req, 'mapping_id')))),
  }),
  op({
    id: 'keystone.mapping.create',
    method: 'PUT',
    path: `/v3/${PATH}/{mapping_id}`,
    answer: one('mapping', mapping),
    summary: 'Create a mapping',
    policy: 'identity:create_mapping',
    target: noTarget,
    success: 201,
    handle: async (app, req) => member(req, 'mapping', PATH, mappingView(await app.mappings.create(pathId(req, 'mapping_id'), given(req)))),
  }),
  op({
    id: 'keystone.mapping.update',
    method: 'PATCH',
    path: `/v3/${PATH}/{mapping_id}`,
    answer: one('mapping', mapping),
    summary: 'Replace the rules of a mapping',
    policy: 'identity:update_mapping',
    target: noTarget,
    handle: async (app, req) => member(req, 'mapping', PATH, mappingView(await app.mappings.update(param(req, 'mapping_id'), given(req)))),
  }),
  op({
    id: 'keystone.mapping.delete',
    method: 'DELETE',
    path: `/v3/${PATH}/{mapping_id}`,
    summary: 'Delete a mapping',
    policy: 'identity:delete_mapping',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.mappings.remove(param(req, 'mapping_id')),
  }),
];
