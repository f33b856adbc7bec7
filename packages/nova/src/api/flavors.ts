import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import type { Sort } from '@cairn/kit/store/list';
import Type from 'typebox';
import type { NovaApp } from '../app/app.ts';
import { specsOf } from '../app/flavors.ts';
import type { FlavorRow } from '../store/flavor.ts';
import { op } from './op.ts';
import { linksOf, nextLinks } from './views/links.ts';

const closed = { additionalProperties: false };
const number = (minimum: number) => Type.Unsafe<number>({ type: ['integer', 'string'], pattern: '^[0-9]*$', minimum, maximum: 2_147_483_647 });
const description = Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 65_535 });
const base = {
  // nova/api/openstack/compute/schemas/flavors.py
  name: Type.String({ minLength: 1, maxLength: 255, format: 'name' }),
  id: Type.Optional(Type.Unsafe<string | number | null>({ type: ['string', 'number', 'null'], minLength: 1, maxLength: 255, pattern: '^(?! )[a-zA-Z0-9. _-]*(?<! )$' })),
  ram: number(1),
  vcpus: number(1),
  disk: number(0),
  'OS-FLV-EXT-DATA:ephemeral': Type.Optional(number(0)),
  swap: Type.Optional(number(0)),
  rxtx_factor: Type.Optional(Type.Unsafe<number | string>({ type: ['number', 'string'], pattern: '^[0-9]+(\\.[0-9]+)?$', minimum: 0, exclusiveMinimum: 0, maximum: 3.4028235e38 })),
  'os-flavor-access:is_public': Type.Optional(Type.Unsafe<boolean | string>({ enum: [true, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', 'y', 't', false, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no', 'n', 'f'] })),
};
const CREATE = [
  { from: '2.1', schema: Type.Object({ flavor: Type.Object(base, closed) }, closed) },
  { from: '2.55', schema: Type.Object({ flavor: Type.Object({ ...base, description: Type.Optional(description) }, closed) }, closed) },
] as const;
const UPDATE = Type.Object({ flavor: Type.Object({ description }, closed) }, closed);
const specKey = '^[a-zA-Z0-9-_:. ]{1,255}$';
const specs = Type.Unsafe<Record<string, string | number>>({ type: 'object', patternProperties: { [specKey]: { type: ['string', 'number'], maxLength: 255 } }, additionalProperties: false });
const SPECS = Type.Object({ extra_specs: specs }, closed);
const ONE_SPEC = Type.Unsafe<Record<string, string | number>>({ type: 'object', patternProperties: { [specKey]: { type: ['string', 'number'], maxLength: 255 } }, minProperties: 1, maxProperties: 1, additionalProperties: false });
const ADD_ACCESS = Type.Object({ addTenantAccess: Type.Object({ tenant: Type.String({ minLength: 1, maxLength: 255 }) }, closed) }, closed);
const REMOVE_ACCESS = Type.Object({ removeTenantAccess: Type.Object({ tenant: Type.String({ minLength: 1, maxLength: 255 }) }, closed) }, closed);

const idOf = (req: Request<AnyBody>): string => req.params.flavor_id as string;
const truthy = (value: unknown): boolean => value === undefined || /^(true|1|on|yes|y|t)$/i.test(String(value));

function basic(req: Request<AnyBody>, row: FlavorRow): object {
  return { id: row.flavor_id, name: row.name, links: linksOf(req, 'flavors', row.flavor_id), ...(req.version.atLeast('2.55') && { description: row.description }) };
}

function full(req: Request<AnyBody>, row: FlavorRow): object {
  return {
    id: row.flavor_id,
    name: row.name,
    ram: row.memory_mb,
    disk: row.root_gb,
    swap: row.swap_mb || (req.version.atLeast('2.75') ? 0 : ''),
    'OS-FLV-EXT-DATA:ephemeral': row.ephemeral_gb,
    'OS-FLV-DISABLED:disabled': row.disabled !== 0,
    vcpus: row.vcpus,
    'os-flavor-access:is_public': row.is_public !== 0,
    rxtx_factor: row.rxtx_factor,
    links: linksOf(req, 'flavors', row.flavor_id),
    ...(req.version.atLeast('2.55') && { description: row.description }),
    ...(req.version.atLeast('2.61') && req.allowed('os_compute_api:os-flavor-extra-specs:index') && { extra_specs: specsOf(row) }),
  };
}

const SORT_KEYS = new Set(['created_at', 'description', 'disabled', 'ephemeral_gb', 'flavorid', 'id', 'is_public', 'memory_mb', 'name', 'root_gb', 'rxtx_factor', 'swap', 'updated_at', 'vcpus', 'vcpu_weight']);

function number_(req: Request<AnyBody>, name: string, message: string): number {
  const text = req.query.get(name);
  if (text === null) return 0;
  if (!/^\d+$/.test(text)) throw invalidInput(message, { field: name });
  return Number(text);
}

/** The page that a list asks for. Non-admins see public flavors and those given to them, whatever `is_public` says. */
async function page(app: NovaApp, req: Request<AnyBody>) {
  const { query } = req;
  const keys = query.getAll('sort_key');
  const directions = query.getAll('sort_dir');
  const sort: Sort[] = (keys.length > 0 ? keys : ['flavorid']).map((field, i) => {
    if (!SORT_KEYS.has(field)) throw invalidInput(`Invalid input for query parameters sort_key. Value: ${field}. '${field}' is not one of the allowed sort keys`, { field: 'sort_key' });
    const direction = directions[i] ?? directions.at(-1) ?? 'asc';
    if (direction !== 'asc' && direction !== 'desc') throw invalidInput(`Invalid input for query parameters sort_dir. Value: ${direction}. It must be asc or desc`, { field: 'sort_dir' });
    return { field, direction };
  });
  const wanted = query.get('is_public');
  const admin = req.allowed('context_is_admin');
  let isPublic: boolean | null = true;
  if (admin && wanted !== null) {
    if (/^none$/i.test(wanted)) isPublic = null;
    else if (/^(true|1|on|yes|y|t)$/i.test(wanted)) isPublic = true;
    else if (/^(false|0|off|no|n|f)$/i.test(wanted)) isPublic = false;
    else throw invalidInput(`Invalid is_public filter [${wanted}]`, { field: 'is_public' });
  } else if (!admin) isPublic = null;
  const limitText = query.get('limit');
  if (limitText !== null && !/^\d+$/.test(limitText)) throw invalidInput(`Invalid input for query parameters limit. Value: ${limitText}. '${limitText}' does not match '^[0-9]*$'`, { field: 'limit' });
  const marker = query.get('marker');
  const max = app.deps.options.maxLimit;
  const found = await app.flavors.list(req.ctx, {
    isPublic,
    minRamMb: number_(req, 'minRam', `Invalid minRam filter [${query.get('minRam')}]`),
    minDiskGb: number_(req, 'minDisk', `Invalid minDisk filter [${query.get('minDisk')}]`),
    sort,
    limit: Math.min(limitText === null ? max : Number(limitText), max),
    ...(marker !== null && { marker }),
  });
  return found.rows;
}

const links = (app: NovaApp, req: Request<AnyBody>, collection: string, rows: readonly FlavorRow[]): object => {
  const next = nextLinks(req, collection, rows.map((r) => r.flavor_id), app.deps.options.maxLimit);
  return next.length > 0 ? { flavors_links: next } : {};
};

/** upstream: extra spec values are kept as text. */
const texts = (values: Readonly<Record<string, string | number>>): Record<string, string> => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));

const access = (flavorId: string, projects: readonly string[]): object => ({ flavor_access: projects.map((project) => ({ flavor_id: flavorId, tenant_id: project })) });

export const flavorOperations = [
  op({
    id: 'nova.flavor.list',
    method: 'GET',
    path: '/v2.1/flavors',
    summary: 'List flavors',
    policy: AUTHENTICATED,
    async handle(app, req) {
      const rows = await page(app, req);
      return { flavors: rows.map((row) => basic(req, row)), ...links(app, req, 'flavors', rows) };
    },
  }),
  op({
    id: 'nova.flavor.detail',
    method: 'GET',
    path: '/v2.1/flavors/detail',
    summary: 'List flavors with details',
    policy: AUTHENTICATED,
    async handle(app, req) {
      const rows = await page(app, req);
      return { flavors: rows.map((row) => full(req, row)), ...links(app, req, 'flavors/detail', rows) };
    },
  }),
  op({
    id: 'nova.flavor.create',
    method: 'POST',
    path: '/v2.1/flavors',
    summary: 'Create a flavor',
    policy: 'os_compute_api:os-flavor-manage:create',
    body: CREATE,
    async handle(app, req) {
      const f = req.body.flavor;
      if (typeof f.id === 'string' && (f.id.startsWith(' ') || f.id.endsWith(' '))) throw invalidInput('Invalid input for field/attribute id: leading or trailing blanks.', { field: 'id' });
      const row = await app.flavors.create(req.ctx, {
        id: f.id === undefined || f.id === null ? null : String(f.id),
        name: f.name.trim(),
        ram: Number(f.ram),
        vcpus: Number(f.vcpus),
        disk: Number(f.disk),
        ephemeral: Number(f['OS-FLV-EXT-DATA:ephemeral'] ?? 0),
        swap: Number(f.swap ?? 0),
        rxtxFactor: Number(f.rxtx_factor ?? 1),
        isPublic: truthy(f['os-flavor-access:is_public']),
        description: f.description ?? null,
      });
      return { flavor: full(req, row) };
    },
  }),
  op({ id: 'nova.flavor.show', method: 'GET', path: '/v2.1/flavors/{flavor_id}', summary: 'Show a flavor', policy: AUTHENTICATED, handle: async (app, req) => ({ flavor: full(req, await app.flavors.get(app.deps.env.store.read, req.ctx, idOf(req))) }) }),
  op({ id: 'nova.flavor.update', method: 'PUT', path: '/v2.1/flavors/{flavor_id}', summary: "Change a flavor's description", since: '2.55', policy: 'os_compute_api:os-flavor-manage:update', body: UPDATE, handle: async (app, req) => ({ flavor: full(req, await app.flavors.describe(req.ctx, idOf(req), req.body.flavor.description)) }) }),
  op({ id: 'nova.flavor.delete', method: 'DELETE', path: '/v2.1/flavors/{flavor_id}', summary: 'Delete a flavor', policy: 'os_compute_api:os-flavor-manage:delete', success: 202, async handle(app, req) { await app.flavors.delete(req.ctx, idOf(req)); return new Reply(undefined, { status: 202 }); } }),
  op({ id: 'nova.flavor-access.list', method: 'GET', path: '/v2.1/flavors/{flavor_id}/os-flavor-access', summary: 'List the projects that may use a flavor', policy: 'os_compute_api:os-flavor-access', handle: async (app, req) => access(idOf(req), await app.flavors.projects(req.ctx, idOf(req))) }),
  op({ id: 'nova.flavor-access.add', method: 'POST', path: '/v2.1/flavors/{flavor_id}/action', action: 'addTenantAccess', summary: 'Let a project use a flavor', policy: 'os_compute_api:os-flavor-access:add_tenant_access', body: ADD_ACCESS, handle: async (app, req) => access(idOf(req), await app.flavors.addProject(req.ctx, idOf(req), req.body.addTenantAccess.tenant)) }),
  op({ id: 'nova.flavor-access.remove', method: 'POST', path: '/v2.1/flavors/{flavor_id}/action', action: 'removeTenantAccess', summary: 'No longer let a project use a flavor', policy: 'os_compute_api:os-flavor-access:remove_tenant_access', body: REMOVE_ACCESS, handle: async (app, req) => access(idOf(req), await app.flavors.removeProject(req.ctx, idOf(req), req.body.removeTenantAccess.tenant)) }),
  op({ id: 'nova.flavor-spec.list', method: 'GET', path: '/v2.1/flavors/{flavor_id}/os-extra_specs', summary: "List a flavor's extra specs", policy: 'os_compute_api:os-flavor-extra-specs:index', handle: async (app, req) => ({ extra_specs: specsOf(await app.flavors.get(app.deps.env.store.read, req.ctx, idOf(req))) }) }),
  op({ id: 'nova.flavor-spec.create', method: 'POST', path: '/v2.1/flavors/{flavor_id}/os-extra_specs', summary: 'Set extra specs', policy: 'os_compute_api:os-flavor-extra-specs:create', body: SPECS, async handle(app, req) { await app.flavors.setSpecs(req.ctx, idOf(req), texts(req.body.extra_specs)); return { extra_specs: texts(req.body.extra_specs) }; } }),
  op({
    id: 'nova.flavor-spec.show',
    method: 'GET',
    path: '/v2.1/flavors/{flavor_id}/os-extra_specs/{key}',
    summary: 'Show an extra spec',
    policy: 'os_compute_api:os-flavor-extra-specs:show',
    async handle(app, req) {
      const key = req.params.key as string;
      const all = specsOf(await app.flavors.get(app.deps.env.store.read, req.ctx, idOf(req)));
      if (!Object.hasOwn(all, key)) throw notFound(`Flavor ${idOf(req)} has no extra specs with key ${key}.`);
      return { [key]: all[key] };
    },
  }),
  op({
    id: 'nova.flavor-spec.update',
    method: 'PUT',
    path: '/v2.1/flavors/{flavor_id}/os-extra_specs/{key}',
    summary: 'Change an extra spec',
    policy: 'os_compute_api:os-flavor-extra-specs:update',
    body: ONE_SPEC,
    async handle(app, req) {
      const key = req.params.key as string;
      if (!Object.hasOwn(req.body, key)) throw invalidInput('Request body and URI mismatch');
      await app.flavors.setSpecs(req.ctx, idOf(req), texts(req.body));
      return texts(req.body);
    },
  }),
  op({ id: 'nova.flavor-spec.delete', method: 'DELETE', path: '/v2.1/flavors/{flavor_id}/os-extra_specs/{key}', summary: 'Delete an extra spec', policy: 'os_compute_api:os-flavor-extra-specs:delete', async handle(app, req) { await app.flavors.setSpecs(req.ctx, idOf(req), { [req.params.key as string]: null }); return new Reply(undefined); } }),
];
