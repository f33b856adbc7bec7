import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import {
  addGroupSpecs,
  changeGroupType,
  createGroupType,
  deleteGroupType,
  getGroupType,
  GROUP_TYPE_LIST as spec,
  groupSpecsOf,
  listGroupTypes,
  removeGroupSpec,
} from '../app/group-types.ts';
import type { ExtraSpecs } from '../app/types.ts';
import type { GroupTypeRow } from '../store/tables.ts';
import { GivenGroupSpecs, GivenSpec, GroupSpecs, GroupTypeList, OneGroupType, OneSpec } from './answers/types.ts';
import { nextLink } from './links.ts';
import { pageWithOffset, readList, sortFor } from './list.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, parseBoolean } from './values.ts';

const since = '3.11';
const idOf = (request: Request): string => request.params['group_type_id'] ?? '';

const view = (request: Request, row: GroupTypeRow): object => ({
  id: row.id,
  name: row.name,
  description: row.description,
  is_public: row.is_public === 1,
  ...(request.allowed('group:access_group_types_specs') && { group_specs: groupSpecsOf(row) }),
});

/** true, false, or undefined for all; only administrators choose. */
function publicFilter(request: Request): boolean | undefined {
  const text = request.query.get('is_public');
  if (!isAdmin(request.ctx) || text === null) return true;
  if (text.toLowerCase() === 'none') return undefined;
  const value = parseBoolean(text);
  if (value === undefined) throw invalidInput(`Invalid is_public filter [${text}]`, { field: 'is_public' });
  return value;
}

const withoutNull = (specs: Record<string, string | null> | null | undefined): ExtraSpecs =>
  Object.fromEntries(Object.entries(specs ?? {}).filter((entry): entry is [string, string] => entry[1] !== null));

const specsSchema = {
  type: 'object',
  patternProperties: { '^[a-zA-Z0-9-_:.]{1,255}$': { type: ['string', 'null'], maxLength: 255 } },
  additionalProperties: false,
};

export const groupTypeOperations = [
  op({
    id: 'cinder.group-type.list',
    method: 'GET',
    path: '/v3/group_types',
    since,
    summary: 'List group types',
    policy: AUTHENTICATED,
    answer: GroupTypeList,
    async handle(app, request) {
      const ask = readList(request, app.deps.options.maxLimit);
      const isPublic = publicFilter(request);
      const rows = await pageWithOffset(
        (page) => listGroupTypes(app.deps.env.store.read, page),
        { filters: isPublic === undefined ? [] : [{ field: 'is_public', op: 'eq', value: isPublic }], sort: sortFor(spec, ask.sort) },
        ask,
      );
      const last = rows.at(-1);
      return {
        group_types: rows.map((row) => view(request, row)),
        ...(last && ask.limit <= rows.length && { group_type_links: nextLink(request, 'group_types', last.id) }),
      };
    },
  }),
  op({
    id: 'cinder.group-type.show',
    method: 'GET',
    path: '/v3/group_types/{group_type_id}',
    since,
    summary: 'Show a group type',
    policy: AUTHENTICATED,
    answer: OneGroupType,
    async handle(app, request) {
      if (idOf(request) === 'default') throw notFound('Default group type can not be found.');
      return { group_type: view(request, await getGroupType(app.deps.env.store.read, idOf(request))) };
    },
  }),
  op({
    id: 'cinder.group-type.create',
    method: 'POST',
    path: '/v3/group_types',
    since,
    summary: 'Create a group type',
    policy: 'group:group_types:create',
    answer: OneGroupType,
    success: 202,
    body: schema(
      part.wrapped('group_type', { name: part.name, description: part.description, is_public: part.boolean, group_specs: part.metadataOrNull }, ['name']),
    ),
    async handle(app, request) {
      const body = (request.body as AnyBody).group_type;
      const row = await createGroupType(app, {
        name: body.name,
        description: body.description ?? null,
        isPublic: asBoolean(body.is_public ?? true),
        specs: withoutNull(body.group_specs),
      });
      return { group_type: view(request, row) };
    },
  }),
  op({
    id: 'cinder.group-type.update',
    method: 'PUT',
    path: '/v3/group_types/{group_type_id}',
    since,
    summary: 'Change a group type',
    policy: 'group:group_types:update',
    answer: OneGroupType,
    body: schema(part.wrapped('group_type', { name: part.shortText, description: part.description, is_public: part.boolean })),
    async handle(app, request) {
      const { name, description, is_public: isPublic } = (request.body as AnyBody).group_type;
      if (name && name.trim() === '') throw invalidInput('Group type name can not be empty.', { field: 'name' });
      if (name == null && description == null && isPublic == null) throw invalidInput('Specify group type name, description or a combination thereof.');
      const row = await changeGroupType(app, idOf(request), {
        ...(name != null && name !== '' && { name }),
        ...(description != null && { description }),
        ...(isPublic != null && { isPublic: asBoolean(isPublic) }),
      });
      return { group_type: view(request, row) };
    },
  }),
  op({
    id: 'cinder.group-type.delete',
    method: 'DELETE',
    path: '/v3/group_types/{group_type_id}',
    since,
    summary: 'Delete a group type',
    policy: 'group:group_types:delete',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await deleteGroupType(app, idOf(request));
      return new Reply();
    },
  }),
  op({
    id: 'cinder.group-type.spec.list',
    method: 'GET',
    path: '/v3/group_types/{group_type_id}/group_specs',
    since,
    summary: "List a group type's specs",
    policy: 'group:group_types_specs:get_all',
    answer: GroupSpecs,
    handle: async (app, request) => ({ group_specs: groupSpecsOf(await getGroupType(app.deps.env.store.read, idOf(request))) }),
  }),
  op({
    id: 'cinder.group-type.spec.create',
    method: 'POST',
    path: '/v3/group_types/{group_type_id}/group_specs',
    since,
    summary: 'Add specs to a group type',
    policy: 'group:group_types_specs:create',
    answer: GivenGroupSpecs,
    success: 202,
    body: schema({ type: 'object', properties: { group_specs: specsSchema }, required: ['group_specs'], additionalProperties: false }),
    async handle(app, request) {
      await addGroupSpecs(app, idOf(request), withoutNull((request.body as AnyBody).group_specs));
      return request.body;
    },
  }),
  op({
    id: 'cinder.group-type.spec.show',
    method: 'GET',
    path: '/v3/group_types/{group_type_id}/group_specs/{key}',
    since,
    summary: 'Show one spec of a group type',
    policy: 'group:group_types_specs:get',
    answer: OneSpec,
    async handle(app, request) {
      const key = request.params['key'] ?? '';
      const value = groupSpecsOf(await getGroupType(app.deps.env.store.read, idOf(request)))[key];
      if (value === undefined) throw notFound(`Group Type ${idOf(request)} has no extra spec with key ${key}.`);
      return { [key]: value };
    },
  }),
  op({
    id: 'cinder.group-type.spec.update',
    method: 'PUT',
    path: '/v3/group_types/{group_type_id}/group_specs/{key}',
    since,
    summary: 'Set one spec of a group type',
    policy: 'group:group_types_specs:update',
    answer: GivenSpec,
    body: schema({ ...specsSchema, minProperties: 1, maxProperties: 1 }),
    async handle(app, request) {
      const body = request.body as Record<string, string | null>;
      await getGroupType(app.deps.env.store.read, idOf(request));
      if (!Object.hasOwn(body, request.params['key'] ?? '')) throw invalidInput('Request body and URI mismatch');
      await addGroupSpecs(app, idOf(request), withoutNull(body));
      return body;
    },
  }),
  op({
    id: 'cinder.group-type.spec.delete',
    method: 'DELETE',
    path: '/v3/group_types/{group_type_id}/group_specs/{key}',
    since,
    summary: 'Delete one spec of a group type',
    policy: 'group:group_types_specs:delete',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await removeGroupSpec(app, idOf(request), request.params['key'] ?? '');
      return new Reply();
    },
  }),
];
