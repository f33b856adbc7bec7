import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';
import { specsOf } from '../app/flavors.ts';
import type { FlavorRow } from '../store/flavor.ts';
import { FlavorDetailList, FlavorList, OneFlavor } from './answers/flavors.ts';
import { op } from './op.ts';
import { booleanOf, bounded, closedQuery, last, pageOf, pagination, queryClosedFrom275, text } from './query.ts';
import { boolean, json, multi, name, nonNegativeInteger, object, positiveInteger } from './schemas/types.ts';
import { linksOf, nextLinks } from './views/links.ts';

const SORT_KEYS = [
  ...['created_at', 'description', 'disabled', 'ephemeral_gb', 'flavorid', 'id', 'is_public', 'memory_mb', 'name', 'root_gb', 'rxtx_factor', 'swap'],
  ...['updated_at', 'vcpu_weight', 'vcpus'],
];
const FILTERS = {
  ...pagination,
  is_public: text,
  minRam: text,
  minDisk: text,
  sort_key: multi({ type: 'string', enum: SORT_KEYS }),
  sort_dir: multi({ type: 'string', enum: ['asc', 'desc'] }),
};
const LIST = [
  ...queryClosedFrom275(FILTERS),
  {
    from: '2.102',
    schema: closedQuery({ ...FILTERS, name: text, sort_key: multi({ type: 'string', enum: SORT_KEYS.filter((key) => key !== 'rxtx_factor') }) }),
  },
];

const positive = { ...positiveInteger, maximum: 0x7fffffff };
const notNegative = { ...nonNegativeInteger, maximum: 0x7fffffff };
const description = { type: ['string', 'null'], maxLength: 65_535, pattern: '^[^\\p{C}\\p{Zl}\\p{Zp}]*$' };
const created = {
  name,
  id: { type: ['string', 'number', 'null'], minLength: 1, maxLength: 255, pattern: '^(?! )[a-zA-Z0-9. _-]+(?<! )$' },
  ram: positive,
  vcpus: positive,
  disk: notNegative,
  'OS-FLV-EXT-DATA:ephemeral': notNegative,
  swap: notNegative,
  rxtx_factor: { type: ['number', 'string'], pattern: '^[0-9]+(\\.[0-9]+)?$', exclusiveMinimum: 0, maximum: 3.40282e38 },
  'os-flavor-access:is_public': boolean,
};
const { rxtx_factor: _factor, ...withoutFactor } = created;
const create = (properties: Readonly<Record<string, object>>) => object({ flavor: object(properties, ['name', 'ram', 'vcpus', 'disk']) }, ['flavor']);
const CREATE = [
  { from: '2.1', schema: create(created) },
  { from: '2.55', schema: create({ ...created, description }) },
  { from: '2.102', schema: create({ ...withoutFactor, description }) },
] as const;
const UPDATE = json(object({ flavor: object({ description }, ['description']) }, ['flavor']));

/** The flavor that a path names. */
export const flavorId = (req: Request<AnyBody>): string => req.params.flavor_id as string;

const basic = (req: Request<AnyBody>, row: FlavorRow): object => ({
  id: row.flavor_id,
  name: row.name,
  links: linksOf(req, 'flavors', row.flavor_id),
  ...(req.version.atLeast('2.55') && { description: row.description }),
});

const full = (req: Request<AnyBody>, row: FlavorRow): object => ({
  id: row.flavor_id,
  name: row.name,
  ram: row.memory_mb,
  disk: row.root_gb,
  swap: row.swap_mb || (req.version.atLeast('2.75') ? 0 : ''),
  'OS-FLV-EXT-DATA:ephemeral': row.ephemeral_gb,
  ...(req.version.before('2.102') && { 'OS-FLV-DISABLED:disabled': row.disabled !== 0 }),
  vcpus: row.vcpus,
  'os-flavor-access:is_public': row.is_public !== 0,
  ...(req.version.before('2.102') && { rxtx_factor: row.rxtx_factor || '' }),
  links: linksOf(req, 'flavors', row.flavor_id),
  ...(req.version.atLeast('2.55') && { description: row.description }),
  ...(req.version.atLeast('2.61') && req.allowed('os_compute_api:os-flavor-extra-specs:index') && { extra_specs: specsOf(row) }),
});

/** `is_public` counts for administrators alone; nothing said means public ones, `none` means all. */
function publicity(req: Request<AnyBody>): boolean | null {
  const wanted = last(req, 'is_public');
  if (wanted === undefined || !req.allowed('context_is_admin')) return true;
  if (wanted.toLowerCase() === 'none') return null;
  const flag = booleanOf(wanted);
  if (flag === undefined) throw invalidInput(`Invalid is_public filter [${wanted}]`, { field: 'is_public' });
  return flag;
}

function atLeast(req: Request<AnyBody>, parameter: 'minRam' | 'minDisk'): number | undefined {
  const value = last(req, parameter);
  if (value === undefined) return undefined;
  if (!/^\s*[+-]?\d{1,15}\s*$/.test(value)) throw invalidInput(`Invalid ${parameter} filter [${value}]`, { field: parameter });
  return Number(value);
}

async function listed(app: NovaApp, req: Request<AnyBody>, path: string, view: (req: Request<AnyBody>, row: FlavorRow) => object): Promise<object> {
  const page = await app.flavors.list(req.ctx, {
    isPublic: publicity(req),
    minRamMb: atLeast(req, 'minRam'),
    minDiskGb: atLeast(req, 'minDisk'),
    namePattern: req.version.atLeast('2.102') ? last(req, 'name') : undefined,
    sortKey: last(req, 'sort_key') ?? 'flavorid',
    sortDir: last(req, 'sort_dir') === 'desc' ? 'desc' : 'asc',
    ...pageOf(app, req),
  });
  const links = nextLinks(
    req,
    path,
    page.rows.map((row) => row.flavor_id),
    app.deps.options.maxLimit,
  );
  return { flavors: page.rows.map((row) => view(req, row)), ...(links.length > 0 && { flavors_links: links }) };
}

export const flavorOperations = [
  op({
    id: 'nova.flavor.list',
    method: 'GET',
    path: '/v2.1/flavors',
    summary: 'List flavors',
    policy: AUTHENTICATED,
    answer: FlavorList,
    query: LIST,
    handle: (app, req) => listed(app, req, 'flavors', basic),
  }),
  op({
    id: 'nova.flavor.detail',
    method: 'GET',
    path: '/v2.1/flavors/detail',
    summary: 'List flavors with details',
    policy: AUTHENTICATED,
    answer: FlavorDetailList,
    query: LIST,
    handle: (app, req) => listed(app, req, 'flavors/detail', full),
  }),
  op({
    id: 'nova.flavor.create',
    method: 'POST',
    path: '/v2.1/flavors',
    summary: 'Create a flavor',
    policy: 'os_compute_api:os-flavor-manage:create',
    answer: OneFlavor,
    body: CREATE,
    async handle(app, req) {
      const asked = req.body.flavor;
      const rxtxFactor = Number(asked.rxtx_factor ?? 1);
      if (!(rxtxFactor > 0 && rxtxFactor <= 3.40282e38))
        throw invalidInput("'rxtx_factor' argument must be a float between 0 and 3.40282e+38", { field: 'rxtx_factor' });
      const row = await app.flavors.create(req.ctx, {
        id: asked.id === undefined || asked.id === null || asked.id === 0 ? null : String(asked.id),
        name: asked.name.trim(),
        ram: bounded('ram', asked.ram, 1),
        vcpus: bounded('vcpus', asked.vcpus, 1),
        disk: bounded('disk', asked.disk, 0),
        ephemeral: bounded('OS-FLV-EXT-DATA:ephemeral', asked['OS-FLV-EXT-DATA:ephemeral'] ?? 0, 0),
        swap: bounded('swap', asked.swap ?? 0, 0),
        rxtxFactor,
        isPublic: booleanOf(asked['os-flavor-access:is_public'] ?? true) ?? true,
        description: asked.description ?? null,
      });
      return { flavor: full(req, row) };
    },
  }),
  op({
    id: 'nova.flavor.show',
    method: 'GET',
    path: '/v2.1/flavors/{flavor_id}',
    summary: 'Show a flavor',
    policy: AUTHENTICATED,
    answer: OneFlavor,
    handle: async (app, req) => ({ flavor: full(req, await app.flavors.get(app.deps.env.store.read, req.ctx, flavorId(req))) }),
  }),
  op({
    id: 'nova.flavor.update',
    method: 'PUT',
    path: '/v2.1/flavors/{flavor_id}',
    summary: "Change a flavor's description",
    since: '2.55',
    policy: 'os_compute_api:os-flavor-manage:update',
    answer: OneFlavor,
    body: UPDATE,
    handle: async (app, req) => ({
      flavor: full(req, await app.flavors.describe(req.ctx, flavorId(req), (req.body as { flavor: { description: string | null } }).flavor.description)),
    }),
  }),
  op({
    id: 'nova.flavor.delete',
    method: 'DELETE',
    path: '/v2.1/flavors/{flavor_id}',
    summary: 'Delete a flavor',
    policy: 'os_compute_api:os-flavor-manage:delete',
    answer: 'none',
    success: 202,
    async handle(app, req) {
      await app.flavors.delete(req.ctx, flavorId(req));
      return new Reply(undefined);
    },
  }),
];
