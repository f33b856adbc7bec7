import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { authorizeChange } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import { addressScopeInUse, addressScopeNotFound, addressScopeUpdateFailed, illegalPoolUpdate } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { ADDRESS_SCOPE } from '../resources/subnet.ts';
import { insertRbac, removeRbacOf, SHARED, sharedAmong } from '../store/rbac.ts';
import { EVERYTHING, selectOne, selectPage } from '../store/select.ts';
import { addressScopeLists, deleteAddressScope, insertAddressScope, poolsOfScope, updateAddressScope } from '../store/subnetpools.ts';
import type { AddressScopeRow } from '../store/tables.ts';
import { authorizeDelete, authorizeUpdate, type Loaded, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';

const view = (row: AddressScopeRow, shared: boolean): Loaded => ({
  view: { id: row.id, name: row.name, tenant_id: row.project_id, project_id: row.project_id, ip_version: row.ip_version, shared },
});

async function views(db: Db, rows: readonly AddressScopeRow[], viewer: string | undefined): Promise<Loaded[]> {
  const shared = await sharedAmong(
    db,
    rows.map((row) => row.id),
    viewer,
  );
  return rows.map((row) => view(row, shared.has(row.id)));
}

const sharedWithAll = (app: NeutronApp, row: AddressScopeRow) => ({
  id: app.env.ids.uuid(),
  project_id: row.project_id,
  object_type: 'address_scope',
  object_id: row.id,
  action: SHARED,
  target_project: '*',
});

export async function createAddressScopes(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) authorizeChange(app.policy, ctx, ADDRESS_SCOPE, 'create', values, values);
  return app.env.store.write(async (tx) => {
    const made: Loaded[] = [];
    for (const values of items) {
      const row: AddressScopeRow = {
        id: app.env.ids.uuid(),
        project_id: String(values.project_id),
        name: String(values.name),
        ip_version: Number(values.ip_version),
      };
      await insertAddressScope(tx, row);
      const shared = values.shared === true;
      if (shared) await insertRbac(tx, sharedWithAll(app, row));
      const loaded = view(row, shared);
      await notify(app, tx, ctx, 'address_scope', 'create', loaded);
      made.push(loaded);
    }
    return made;
  });
}

export async function listAddressScopes(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  return views(db, await selectPage(db, addressScopeLists, input, scopeOf(ctx)), ctx.projectId);
}

export const getAddressScope = async (app: NeutronApp, ctx: Context, id: string): Promise<Loaded> => (await loadScope(app.env.store.read, ctx, id)).loaded;

async function loadScope(db: Db, ctx: Context, id: string): Promise<{ row: AddressScopeRow; loaded: Loaded }> {
  const row = await selectOne<AddressScopeRow>(db, addressScopeLists, id, scopeOf(ctx));
  if (!row) throw addressScopeNotFound(id);
  const [loaded] = await views(db, [row], ctx.projectId);
  return { row, loaded: loaded as Loaded };
}

export function updateAddressScopeById(app: NeutronApp, ctx: Context, id: string, values: Values): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadScope(tx, ctx, id);
    authorizeUpdate(app, ctx, ADDRESS_SCOPE, loaded, values);
    if (loaded.view.shared === true && values.shared === false) throw addressScopeUpdateFailed(id, "Shared address scope can't be unshared");
    if ('name' in values) await updateAddressScope(tx, id, { name: String(values.name) });
    if (values.shared === true && loaded.view.shared !== true) await insertRbac(tx, sharedWithAll(app, row));
    const after = await loadScope(tx, ctx, id);
    await notify(app, tx, ctx, 'address_scope', 'update', after.loaded);
    return after.loaded;
  });
}

export function deleteAddressScopeById(app: NeutronApp, ctx: Context, id: string): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { loaded } = await loadScope(tx, ctx, id);
    authorizeDelete(app, ctx, ADDRESS_SCOPE, loaded);
    if ((await poolsOfScope(tx, id)).length > 0) throw addressScopeInUse(id);
    await deleteAddressScope(tx, id);
    await removeRbacOf(tx, id);
    await notify(app, tx, ctx, 'address_scope', 'delete', loaded);
  });
}

/** A pool in another project's scope is that scope's business. */
export async function requireOwnScope(db: Db, ctx: Context, poolId: string, scopeId: string): Promise<void> {
  const row = await selectOne<AddressScopeRow>(db, addressScopeLists, scopeId, EVERYTHING);
  if (isAdmin(ctx) || row?.project_id === ctx.projectId) return;
  throw illegalPoolUpdate(`subnetpool ${poolId} cannot be updated when associated with shared address scope ${scopeId}`);
}
