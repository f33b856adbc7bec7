import type { Context } from '@cairn/kit/context/context';
import { isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { authorizeChange } from '../attributes/authorize.ts';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { standardView } from '../attributes/times.ts';
import { listOf, subnet } from '../attributes/validators.ts';
import { addressesAlreadyExist, addressesNotFound, addressGroupInUse, addressGroupNotFound, invalidInput } from '../errors.ts';
import { groupKey } from '../fabric/keys.ts';
import type { ListInput } from '../listing/query.ts';
import { mustCidr, networkText } from '../net/cidr.ts';
import { ADDRESS_GROUP } from '../resources/address-group.ts';
import { addressGroupLists, deleteAddressGroup, groupsNamingAddresses, insertAddressGroup, updateAddressGroup } from '../store/address-groups.ts';
import { removeRbacOf, sharedAmong } from '../store/rbac.ts';
import { selectOne, selectPage } from '../store/select.ts';
import type { AddressGroupRow } from '../store/tables.ts';
import { authorizeDelete, authorizeUpdate, changed, checkRevision, type Loaded, newRow, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';

function loadedOf(row: AddressGroupRow, shared: boolean): Loaded {
  const view = standardView(row);
  view.name = row.name;
  view.addresses = fromJson(row.addresses_json);
  view.shared = shared;
  return { view };
}

export async function createAddressGroups(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) authorizeChange(app.policy, ctx, ADDRESS_GROUP, 'create', values, values);
  return app.env.store.write(async (tx) => {
    const made: Loaded[] = [];
    for (const values of items) {
      const addresses = values.addresses === NOT_SPECIFIED ? [] : canonical(values.addresses as string[]);
      const row: AddressGroupRow = { ...newRow(app, values), name: String(values.name), addresses_json: JSON.stringify(addresses) };
      await insertAddressGroup(tx, row);
      const loaded = loadedOf(row, false);
      await notify(app, tx, ctx, 'address_group', 'create', loaded);
      made.push(loaded);
    }
    return made;
  });
}

/** Networks once each, without host bits. */
const canonical = (addresses: readonly string[]): string[] => [...new Set(addresses.map((address) => networkText(mustCidr(address))))].sort();

export async function listAddressGroups(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  const rows = await selectPage(db, addressGroupLists, input, scopeOf(ctx));
  const shared = await sharedAmong(
    db,
    rows.map((row) => row.id),
    ctx.projectId,
  );
  return rows.map((row) => loadedOf(row, shared.has(row.id)));
}

export const getAddressGroup = async (app: NeutronApp, ctx: Context, id: string): Promise<Loaded> => (await load(app.env.store.read, ctx, id)).loaded;

async function load(db: Db, ctx: Context, id: string): Promise<{ row: AddressGroupRow; loaded: Loaded }> {
  const row = await selectOne<AddressGroupRow>(db, addressGroupLists, id, scopeOf(ctx));
  if (!row) throw addressGroupNotFound(id);
  return { row, loaded: loadedOf(row, (await sharedAmong(db, [id], ctx.projectId)).has(id)) };
}

/** The group must be one that the rule's project may use. */
export async function requireAddressGroup(db: Db, ctx: Context, id: string, projectId: string): Promise<void> {
  const scope = isAdmin(ctx) ? scopeOf(ctx) : { projectId };
  if (!(await selectOne<AddressGroupRow>(db, addressGroupLists, id, scope))) throw addressGroupNotFound(id);
}

export function updateAddressGroupById(app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await load(tx, ctx, id);
    authorizeUpdate(app, ctx, ADDRESS_GROUP, loaded, values);
    checkRevision(row, ifMatch);
    const columns: Partial<AddressGroupRow> = {
      ...('name' in values && { name: String(values.name) }),
      ...('description' in values && { description: String(values.description) }),
    };
    return change(app, tx, ctx, row, columns);
  });
}

async function change(app: NeutronApp, tx: Tx, ctx: Context, row: AddressGroupRow, columns: Partial<AddressGroupRow>): Promise<Loaded> {
  await updateAddressGroup(tx, row.id, { ...columns, ...changed(app, row) });
  const after = (await load(tx, ctx, row.id)).loaded;
  await notify(app, tx, ctx, 'address_group', 'update', after);
  return after;
}

/** Adds addresses, or takes some away. All of them must be new, or there. Rules that name the group follow on every host. */
export function changeAddresses(app: NeutronApp, ctx: Context, id: string, body: unknown, verb: 'add' | 'remove'): Promise<Loaded> {
  const given = addressesOf(body);
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await load(tx, ctx, id);
    authorizeDelete(app, ctx, ADDRESS_GROUP, loaded, `${verb}_addresses`);
    const now = fromJson<string[]>(row.addresses_json);
    const wrong = given.filter((address) => now.includes(address) === (verb === 'add'));
    if (wrong.length > 0) throw verb === 'add' ? addressesAlreadyExist(wrong, id) : addressesNotFound(wrong, id);
    const after = verb === 'add' ? [...now, ...given].sort() : now.filter((address) => !given.includes(address));
    const made = await change(app, tx, ctx, row, { addresses_json: JSON.stringify(after) });
    app.pusher.touch(tx, (await groupsNamingAddresses(tx, id)).map(groupKey));
    return made;
  });
}

/** `{"addresses": [...]}`, or the same below `address_group`. */
function addressesOf(body: unknown): string[] {
  const object = (body as { address_group?: unknown } | undefined)?.address_group ?? body;
  const addresses = (object as { addresses?: unknown } | undefined)?.addresses;
  if (!Array.isArray(addresses)) throw invalidInput("'addresses' is missing: a list of networks in CIDR form is expected");
  const refusal = listOf(subnet)(addresses);
  if (refusal !== undefined) throw invalidInput(refusal);
  return canonical(addresses as string[]);
}

export function deleteAddressGroupById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await load(tx, ctx, id);
    authorizeDelete(app, ctx, ADDRESS_GROUP, loaded);
    checkRevision(row, ifMatch);
    if ((await groupsNamingAddresses(tx, id)).length > 0) throw addressGroupInUse(id);
    await deleteAddressGroup(tx, id);
    await removeRbacOf(tx, id);
    await notify(app, tx, ctx, 'address_group', 'delete', loaded);
  });
}
