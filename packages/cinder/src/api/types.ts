import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { ListQuery, ListRequest } from '@cairn/kit/store/list';
import type { CinderApp } from '../app/app.ts';
import { defaultTypeFor, defaultTypes, setDefaultType, unsetDefaultType } from '../app/default-types.ts';
import { addAccess, addExtraSpecs, changeType, createType, deleteType, listAccess, removeAccess, removeExtraSpec } from '../app/type-manage.ts';
import { defaultType, type ExtraSpecs, getType, havingSpec, listTypes, specsOf, TYPE_LIST as spec, typeScope } from '../app/types.ts';
import { extraSpecNotFound } from '../errors.ts';
import type { DefaultTypeRow, TypeRow } from '../store/tables.ts';
import { DefaultType, DefaultTypes, GivenExtraSpecs, GivenSpec, OneSpec, OneType, TypeAccess, TypeExtraSpecs, TypeList } from './answers/types.ts';
import { nextLink } from './links.ts';
import { conditionsOf, pageWithOffset, readList, restrictFilters, sortFor } from './list.ts';
import { parseLiteral } from './literal.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, parseBoolean } from './values.ts';
import { seenSpecs, VISIBLE_SPECS } from './views/types.ts';

const idOf = (request: Request): string => request.params['type_id'] ?? '';

function view(request: Request, type: TypeRow, withAccess: boolean): object {
  return {
    id: type.id,
    name: type.name,
    is_public: type.is_public === 1,
    description: type.description,
    ...(request.allowed('volume_extension:access_types_extra_specs') && { extra_specs: seenSpecs(request, type) }),
    ...(request.allowed('volume_extension:access_types_qos_specs_id') && { qos_specs_id: type.qos_specs_id }),
    ...(withAccess && request.allowed('volume_extension:volume_type_access') && { 'os-volume-type-access:is_public': type.is_public === 1 }),
  };
}

/** A type as its creation and change answer: all specs, for administrators alone get there. */
const managedView = (type: TypeRow): object => ({
  id: type.id,
  name: type.name,
  is_public: type.is_public === 1,
  extra_specs: specsOf(type),
  description: type.description,
});

/** true: public ones and those open to the project; false: private ones; undefined: all. */
function publicFilter(request: Request): boolean | undefined {
  if (!isAdmin(request.ctx)) return true;
  const text = request.query.get('is_public');
  if (text === null) return true;
  if (text.toLowerCase() === 'none') return undefined;
  const value = parseBoolean(text);
  if (value === undefined) throw invalidInput(`Invalid is_public filter [${text}]`, { field: 'is_public' });
  return value;
}

async function list(app: CinderApp, request: Request): Promise<object> {
  const { ctx, version } = request;
  const ask = readList(request, app.deps.options.maxLimit);
  const { filters } = ask;
  if (version.before('3.52')) {
    if (!isAdmin(ctx)) filters.clear();
  } else restrictFilters(request, filters, 'volume_type', []);
  filters.delete('is_public');
  filters.delete('all_tenants');
  const wheres: ((query: ListQuery) => ListQuery)[] = [typeScope(ctx, publicFilter(request))];
  const specsText = filters.get('extra_specs');
  filters.delete('extra_specs');
  if (specsText !== undefined) {
    const wanted = parseLiteral(specsText);
    if (wanted === undefined || wanted === null || typeof wanted !== 'object' || Array.isArray(wanted)) return { volume_types: [] };
    for (const [key, value] of Object.entries(wanted)) {
      // whoever may not see a spec cannot find out by asking for it
      if (!VISIBLE_SPECS.includes(key) && !request.allowed('volume_extension:types_extra_specs:read_sensitive')) return { volume_types: [] };
      wheres.push(havingSpec(key, String(value)));
    }
  }
  const conditions = conditionsOf({ spec, verbatim: ['name', 'description'] }, filters);
  if (!conditions) return { volume_types: [] };
  const listed: ListRequest = {
    filters: conditions.filters,
    where: (query) => wheres.reduce((narrowed, where) => where(narrowed), query),
    sort: sortFor(spec, ask.sort),
  };
  const rows = await pageWithOffset((page) => listTypes(app.deps.env.store.read, page), listed, ask);
  const last = rows.at(-1);
  return {
    volume_types: rows.map((row) => view(request, row, true)),
    ...(last && ask.limit <= rows.length && { volume_type_links: nextLink(request, 'types', last.id) }),
  };
}

const withoutNull = (specs: Record<string, string | null> | undefined): ExtraSpecs =>
  Object.fromEntries(Object.entries(specs ?? {}).filter((entry): entry is [string, string] => entry[1] !== null));

const typeResource = [
  op({
    id: 'cinder.type.list',
    method: 'GET',
    path: '/v3/types',
    summary: 'List volume types',
    policy: 'volume_extension:type_get_all',
    answer: TypeList,
    handle: list,
  }),
  op({
    id: 'cinder.type.show',
    method: 'GET',
    path: '/v3/types/{type_id}',
    summary: 'Show a volume type, or the default one',
    policy: 'volume_extension:type_get',
    answer: OneType,
    async handle(app, request) {
      const db = app.deps.env.store.read;
      const type =
        idOf(request) === 'default'
          ? await defaultType(db, request.ctx.projectId, app.deps.options.defaultVolumeType)
          : await getType(db, request.ctx, idOf(request));
      return { volume_type: view(request, type, idOf(request) !== 'default') };
    },
  }),
  op({
    id: 'cinder.type.create',
    method: 'POST',
    path: '/v3/types',
    summary: 'Create a volume type',
    policy: 'volume_extension:type_create',
    answer: OneType,
    body: schema(
      part.wrapped(
        'volume_type',
        { name: part.name, description: part.description, extra_specs: part.extraSpecsWithSpaces, 'os-volume-type-access:is_public': part.boolean },
        ['name'],
      ),
    ),
    async handle(app, request) {
      const body = (request.body as AnyBody).volume_type as Record<string, AnyBody>;
      const isPublic = body['os-volume-type-access:is_public'];
      const type = await createType(app, request, {
        name: body['name'],
        description: body['description'] ?? null,
        isPublic: isPublic === undefined || asBoolean(isPublic),
        extraSpecs: withoutNull(body['extra_specs']),
      });
      return { volume_type: { ...managedView(type), 'os-volume-type-access:is_public': type.is_public === 1 } };
    },
  }),
  op({
    id: 'cinder.type.update',
    method: 'PUT',
    path: '/v3/types/{type_id}',
    summary: 'Change a volume type',
    policy: 'volume_extension:type_update',
    answer: OneType,
    body: schema(part.wrapped('volume_type', { name: part.updateName, description: part.description, is_public: part.boolean })),
    async handle(app, request) {
      const body = (request.body as AnyBody).volume_type as Record<string, AnyBody>;
      const { name, description, is_public: isPublic } = body;
      if (typeof name === 'string' && name.trim() === '') throw invalidInput('Volume type name can not be empty.', { field: 'name' });
      if (name == null && description == null && isPublic == null)
        throw invalidInput('Specify volume type name, description, is_public or a combination thereof.');
      const type = await changeType(app, request, idOf(request), {
        ...(name != null && { name }),
        ...(description != null && { description }),
        ...(isPublic != null && { isPublic: asBoolean(isPublic) }),
      });
      return { volume_type: managedView(type) };
    },
  }),
  op({
    id: 'cinder.type.delete',
    method: 'DELETE',
    path: '/v3/types/{type_id}',
    summary: 'Delete a volume type',
    policy: 'volume_extension:type_delete',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await deleteType(app, request, idOf(request));
      return new Reply();
    },
  }),
];

const extraSpecs = [
  op({
    id: 'cinder.type.extra-spec.list',
    method: 'GET',
    path: '/v3/types/{type_id}/extra_specs',
    summary: "List a type's extra specs",
    policy: 'volume_extension:types_extra_specs:index',
    answer: TypeExtraSpecs,
    handle: async (app, request) => ({ extra_specs: seenSpecs(request, await getType(app.deps.env.store.read, request.ctx, idOf(request))) }),
  }),
  op({
    id: 'cinder.type.extra-spec.create',
    method: 'POST',
    path: '/v3/types/{type_id}/extra_specs',
    summary: 'Add extra specs to a type',
    policy: 'volume_extension:types_extra_specs:create',
    answer: GivenExtraSpecs,
    body: schema({ type: 'object', properties: { extra_specs: part.extraSpecs }, required: ['extra_specs'], additionalProperties: false }),
    async handle(app, request) {
      await addExtraSpecs(app, request, idOf(request), withoutNull((request.body as AnyBody).extra_specs));
      return request.body;
    },
  }),
  op({
    id: 'cinder.type.extra-spec.show',
    method: 'GET',
    path: '/v3/types/{type_id}/extra_specs/{key}',
    summary: 'Show one extra spec of a type',
    policy: 'volume_extension:types_extra_specs:show',
    answer: OneSpec,
    async handle(app, request) {
      const key = request.params['key'] ?? '';
      const value = seenSpecs(request, await getType(app.deps.env.store.read, request.ctx, idOf(request)))[key];
      if (value === undefined) throw extraSpecNotFound(idOf(request), key);
      return { [key]: value };
    },
  }),
  op({
    id: 'cinder.type.extra-spec.update',
    method: 'PUT',
    path: '/v3/types/{type_id}/extra_specs/{key}',
    summary: 'Set one extra spec of a type',
    policy: 'volume_extension:types_extra_specs:update',
    answer: GivenSpec,
    body: schema({ ...part.extraSpecs, minProperties: 1, maxProperties: 1 }),
    async handle(app, request) {
      const body = request.body as Record<string, string | null>;
      await getType(app.deps.env.store.read, request.ctx, idOf(request));
      if (!Object.hasOwn(body, request.params['key'] ?? '')) throw invalidInput('Request body and URI mismatch');
      await addExtraSpecs(app, request, idOf(request), withoutNull(body));
      return body;
    },
  }),
  op({
    id: 'cinder.type.extra-spec.delete',
    method: 'DELETE',
    path: '/v3/types/{type_id}/extra_specs/{key}',
    summary: 'Delete one extra spec of a type',
    policy: 'volume_extension:types_extra_specs:delete',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await removeExtraSpec(app, request, idOf(request), request.params['key'] ?? '');
      return new Reply();
    },
  }),
];

const accessAction = (name: string, summary: string, run: (app: CinderApp, request: Request, id: string, projectId: string) => Promise<void>) =>
  op({
    id: `cinder.type.${name}`,
    method: 'POST',
    path: '/v3/types/{type_id}/action',
    action: name,
    summary,
    policy: `volume_extension:volume_type_access:${name}`,
    answer: 'none',
    success: 202,
    body: schema(part.wrapped(name, { project: { type: 'string', minLength: 1, maxLength: 255 } }, ['project'])),
    async handle(app, request) {
      await run(app, request, idOf(request), (request.body as AnyBody)[name].project);
      return new Reply();
    },
  });

const access = [
  op({
    id: 'cinder.type.access.list',
    method: 'GET',
    path: '/v3/types/{type_id}/os-volume-type-access',
    summary: 'List who may use a private type',
    policy: 'volume_extension:volume_type_access:get_all_for_type',
    answer: TypeAccess,
    handle: async (app, request) => ({
      volume_type_access: (await listAccess(app, request, idOf(request))).map((projectId) => ({ volume_type_id: idOf(request), project_id: projectId })),
    }),
  }),
  accessAction('addProjectAccess', 'Let a project use a private type', addAccess),
  accessAction('removeProjectAccess', 'Stop a project from using a private type', removeAccess),
];

const forProject = (request: Request): string => request.params['for_project_id'] ?? '';
const defaultView = (row: DefaultTypeRow): object => ({ project_id: row.project_id, volume_type_id: row.type_id });

const defaults = [
  op({
    id: 'cinder.default-type.set',
    method: 'PUT',
    path: '/v3/default-types/{for_project_id}',
    since: '3.62',
    summary: "Set a project's default type",
    policy: 'volume_extension:default_set_or_update',
    answer: DefaultType,
    body: schema({
      type: 'object',
      properties: { default_type: { type: 'object', properties: { volume_type: part.name }, required: ['volume_type'], additionalProperties: false } },
      required: ['default_type'],
    }),
    async handle(app, request) {
      return { default_type: defaultView(await setDefaultType(app, request, forProject(request), (request.body as AnyBody).default_type.volume_type)) };
    },
  }),
  op({
    id: 'cinder.default-type.show',
    method: 'GET',
    path: '/v3/default-types/{for_project_id}',
    since: '3.62',
    summary: "Show a project's default type",
    policy: 'volume_extension:default_get',
    answer: DefaultType,
    async handle(app, request) {
      return { default_type: defaultView(await defaultTypeFor(app, forProject(request))) };
    },
  }),
  op({
    id: 'cinder.default-type.list',
    method: 'GET',
    path: '/v3/default-types',
    since: '3.62',
    summary: 'List default types',
    policy: 'volume_extension:default_get_all',
    answer: DefaultTypes,
    handle: async (app) => ({
      default_types: (await defaultTypes(app.deps.env.store.read)).map(defaultView),
    }),
  }),
  op({
    id: 'cinder.default-type.unset',
    method: 'DELETE',
    path: '/v3/default-types/{for_project_id}',
    since: '3.62',
    summary: "Unset a project's default type",
    policy: 'volume_extension:default_unset',
    answer: 'none',
    success: 204,
    async handle(app, request) {
      await unsetDefaultType(app, forProject(request));
      return new Reply();
    },
  }),
];

export const typeOperations = [...typeResource, ...extraSpecs, ...access, ...defaults];
