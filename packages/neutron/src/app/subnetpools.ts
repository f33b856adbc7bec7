import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit } from '@cairn/kit/store/values';
import { isSet } from '../attributes/attribute.ts';
import { authorizeChange } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import { standardView } from '../attributes/times.ts';
import { httpBadRequest, illegalPoolUpdate, invalidInput, networkNotFound, poolError, subnetPoolNotFound } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { type Cidr, compactCidrs, covers, mustCidr, networkText, overlaps, parseCidr, rangeToCidrs, subtractRanges } from '../net/cidr.ts';
import { SUBNETPOOL } from '../resources/subnet.ts';
import { findNetwork } from '../store/networks.ts';
import { insertRbac, removeRbacOf, SHARED, sharedAmong } from '../store/rbac.ts';
import { selectOne, selectPage } from '../store/select.ts';
import { cidrsOfPool, deleteSubnetPool, insertSubnetPool, poolIsUsed, subnetPoolLists, updateSubnetPool } from '../store/subnetpools.ts';
import { subnetsOfNetwork, updateSubnet } from '../store/subnets.ts';
import type { SubnetPoolRow } from '../store/tables.ts';
import { dropTags } from '../store/tags.ts';
import { requireOwnScope } from './address-scopes.ts';
import { authorizeDelete, authorizeUpdate, changed, checkRevision, type Loaded, newRow, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { checkQuotas } from './quota.ts';
import { checkScope, prefixesJson, prefixesOf, quotaOf, requireNoDefault, shapeOf } from './subnetpool-rules.ts';

function view(row: SubnetPoolRow, shared: boolean): Loaded {
  const view = standardView(row);
  view.name = row.name;
  view.prefixes = fromJson(row.prefixes_json);
  view.ip_version = row.ip_version;
  // upstream shows lengths as text
  view.min_prefixlen = String(row.min_prefixlen);
  view.max_prefixlen = String(row.max_prefixlen);
  view.default_prefixlen = String(row.default_prefixlen);
  view.default_quota = row.default_quota;
  view.is_default = row.is_default === 1;
  view.shared = shared;
  view.address_scope_id = row.address_scope_id;
  view.tags = fromJson(row.tags_json);
  return { view };
}

async function views(db: Db, rows: readonly SubnetPoolRow[], viewer: string | undefined): Promise<Loaded[]> {
  const shared = await sharedAmong(
    db,
    rows.map((row) => row.id),
    viewer,
  );
  return rows.map((row) => view(row, shared.has(row.id)));
}

export async function createSubnetPools(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) authorizeChange(app.policy, ctx, SUBNETPOOL, 'create', values, values);
  return app.env.store.write(async (tx) => {
    await checkQuotas(
      app,
      tx,
      'subnetpool',
      items.map((values) => String(values.project_id)),
    );
    const made: Loaded[] = [];
    for (const values of items) made.push(await createSubnetPool(app, tx, ctx, values));
    return made;
  });
}

async function createSubnetPool(app: NeutronApp, tx: Tx, ctx: Context, values: Values): Promise<Loaded> {
  const shape = shapeOf(values.prefixes as string[], values);
  const standard = newRow(app, values);
  if (values.is_default === true) await requireNoDefault(tx, shape.version);
  const scopeId = isSet(values.address_scope_id) ? String(values.address_scope_id) : null;
  await checkScope(tx, scopeOf(ctx), scopeId, standard.id, shape);
  const row: SubnetPoolRow = {
    ...standard,
    name: String(values.name),
    ip_version: shape.version,
    prefixes_json: prefixesJson(shape.prefixes),
    min_prefixlen: shape.min,
    max_prefixlen: shape.max,
    default_prefixlen: shape.byDefault,
    default_quota: quotaOf(values.default_quota),
    is_default: toBit(values.is_default === true),
    address_scope_id: scopeId,
    tags_json: '[]',
  };
  await insertSubnetPool(tx, row);
  const shared = values.shared === true;
  if (shared) {
    await insertRbac(tx, {
      id: app.env.ids.uuid(),
      project_id: row.project_id,
      object_type: 'subnetpool',
      object_id: row.id,
      action: SHARED,
      target_project: '*',
    });
  }
  const loaded = view(row, shared);
  await notify(app, tx, ctx, 'subnetpool', 'create', loaded);
  return loaded;
}

export async function listSubnetPools(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  return views(db, await selectPage(db, subnetPoolLists, input, scopeOf(ctx)), ctx.projectId);
}

export const getSubnetPool = async (app: NeutronApp, ctx: Context, id: string): Promise<Loaded> => (await loadPool(app.env.store.read, ctx, id)).loaded;

async function loadPool(db: Db, ctx: Context, id: string): Promise<{ row: SubnetPoolRow; loaded: Loaded }> {
  const row = await selectOne<SubnetPoolRow>(db, subnetPoolLists, id, scopeOf(ctx));
  if (!row) throw subnetPoolNotFound(id);
  const [loaded] = await views(db, [row], ctx.projectId);
  return { row, loaded: loaded as Loaded };
}

export function updateSubnetPoolById(app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadPool(tx, ctx, id);
    authorizeUpdate(app, ctx, SUBNETPOOL, loaded, values);
    checkRevision(row, ifMatch);
    await changePool(app, tx, ctx, row, values);
    const after = await loadPool(tx, ctx, id);
    await notify(app, tx, ctx, 'subnetpool', 'update', after.loaded);
    return after.loaded;
  });
}

async function changePool(app: NeutronApp, tx: Tx, ctx: Context, row: SubnetPoolRow, values: Values, mayShrink = false): Promise<void> {
  const before = prefixesOf(row);
  const prefixTexts = (values.prefixes as readonly string[] | undefined) ?? before.map(networkText);
  const lengths = { min_prefixlen: row.min_prefixlen, max_prefixlen: row.max_prefixlen, default_prefixlen: row.default_prefixlen, ...values };
  if (!mayShrink && subtractRanges(before, prefixTexts.map(mustCidr)).length > 0) {
    throw poolError('IllegalSubnetPoolPrefixUpdate', 'Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes.');
  }
  const shape = shapeOf(prefixTexts, lengths);
  if (values.is_default === true && row.is_default === 0) await requireNoDefault(tx, shape.version);
  if (row.address_scope_id !== null) await requireOwnScope(tx, ctx, row.id, row.address_scope_id);
  const scopeId = 'address_scope_id' in values ? (isSet(values.address_scope_id) ? String(values.address_scope_id) : null) : row.address_scope_id;
  await checkScope(tx, scopeOf(ctx), scopeId, row.id, shape);
  await updateSubnetPool(tx, row.id, {
    ...changed(app, row),
    ...('name' in values && { name: String(values.name) }),
    ...('description' in values && { description: String(values.description) }),
    ...('default_quota' in values && { default_quota: quotaOf(values.default_quota) }),
    ...('is_default' in values && { is_default: toBit(values.is_default === true) }),
    prefixes_json: prefixesJson(shape.prefixes),
    min_prefixlen: shape.min,
    max_prefixlen: shape.max,
    default_prefixlen: shape.byDefault,
    address_scope_id: scopeId,
  });
}

export function deleteSubnetPoolById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadPool(tx, ctx, id);
    authorizeDelete(app, ctx, SUBNETPOOL, loaded);
    checkRevision(row, ifMatch);
    if (await poolIsUsed(tx, id)) throw poolError('SubnetPoolDeleteError', 'Unable to delete subnet pool: Subnet pool has existing allocations.');
    await deleteSubnetPool(tx, id);
    await removeRbacOf(tx, id);
    if (row.tags_json !== '[]') await dropTags(tx, id);
    await notify(app, tx, ctx, 'subnetpool', 'delete', loaded);
  });
}

/** `{"prefixes": [...]}` of add_prefixes and remove_prefixes. */
function prefixesOfBody(body: unknown): Cidr[] {
  const prefixes = (body as { prefixes?: unknown } | undefined)?.prefixes;
  if (!Array.isArray(prefixes)) throw httpBadRequest('prefixes must be specified as a list');
  return prefixes.map((prefix) => {
    const cidr = typeof prefix === 'string' ? parseCidr(prefix) : undefined;
    if (!cidr) throw invalidInput(`'${String(prefix)}' is not a valid IP subnet`);
    return cidr;
  });
}

/** Adds prefixes to a pool, or takes some out that no subnet is of. Gives those that it has then. */
export function changePrefixes(app: NeutronApp, ctx: Context, id: string, body: unknown, change: 'add' | 'remove'): Promise<{ prefixes: string[] }> {
  const given = prefixesOfBody(body);
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadPool(tx, ctx, id);
    authorizeDelete(app, ctx, SUBNETPOOL, loaded, `${change}_prefixes`);
    const now = prefixesOf(row);
    const after = change === 'add' ? compactCidrs([...now, ...given]) : subtractRanges(now, given).flatMap(rangeToCidrs);
    if (change === 'remove') {
      const used = (await cidrsOfPool(tx, id)).map((subnet) => mustCidr(subnet.cidr));
      if (used.some((cidr) => given.some((prefix) => overlaps(cidr, prefix)))) {
        throw poolError('IllegalSubnetPoolPrefixUpdate', 'Illegal update to prefixes: One or more of the prefixes to be removed is in use by a subnet.');
      }
    }
    if (prefixesJson(after) !== row.prefixes_json) await changePool(app, tx, ctx, row, { prefixes: after.map(networkText) }, change === 'remove');
    return { prefixes: after.map(networkText) };
  });
}

/** Makes a network's subnets part of a pool. */
export function onboardSubnets(app: NeutronApp, ctx: Context, id: string, body: unknown): Promise<{ id: string; cidr: string }[]> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadPool(tx, ctx, id);
    authorizeDelete(app, ctx, SUBNETPOOL, loaded, 'onboard_network_subnets');
    const networkId = (body as { network_id?: unknown } | undefined)?.network_id;
    if (typeof networkId !== 'string') throw invalidInput('network_id must be specified.');
    const network = await findNetwork(tx, networkId);
    if (!network || (!isAdmin(ctx) && network.project_id !== ctx.projectId)) throw networkNotFound(networkId);
    const subnets = (await subnetsOfNetwork(tx, networkId)).filter((subnet) => subnet.ip_version === row.ip_version);
    const taken = (await cidrsOfPool(tx, id)).map((subnet) => mustCidr(subnet.cidr));
    for (const subnet of subnets) {
      if (!taken.some((cidr) => overlaps(cidr, mustCidr(subnet.cidr)))) continue;
      throw illegalPoolUpdate(`Onboarding subnet ${subnet.id}: ${subnet.cidr} conflicts with allocated prefixes in subnet pool ${id}`);
    }
    const prefixes = prefixesOf(row);
    const missing = subnets.map((subnet) => mustCidr(subnet.cidr)).filter((cidr) => !prefixes.some((prefix) => covers(prefix, cidr)));
    await changePool(app, tx, ctx, row, { prefixes: compactCidrs([...prefixes, ...missing]).map(networkText) });
    for (const subnet of subnets) await updateSubnet(tx, subnet.id, { subnetpool_id: id, ...changed(app, subnet) });
    return subnets.map((subnet) => ({ id: subnet.id, cidr: subnet.cidr }));
  });
}
