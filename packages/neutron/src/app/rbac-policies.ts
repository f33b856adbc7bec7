import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { authorizeChange } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import {
  addressGroupNotFound,
  addressScopeNotFound,
  duplicateRbac,
  groupNotFound,
  invalidInput,
  networkNotFound,
  poolError,
  qosPolicyNotFound,
  rbacInUse,
  rbacNotFound,
  subnetPoolNotFound,
} from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { pyRepr } from '../net/python-text.ts';
import { RBAC_POLICY, SHAREABLE } from '../resources/rbac-policy.ts';
import { findNetwork, updateNetwork } from '../store/networks.ts';
import {
  boundProjects,
  deleteRbac,
  EXTERNAL,
  findShareable,
  gatewayProjects,
  insertRbac,
  rbacLists,
  rbacPolicyOf,
  SHARED,
  targetsOf,
  updateRbacTarget,
} from '../store/rbac.ts';
import { selectOne, selectPage } from '../store/select.ts';
import type { RbacRow } from '../store/tables.ts';
import { authorizeDelete, authorizeUpdate, changed, type Loaded, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { checkQuotas } from './quota.ts';

const loadedOf = (row: RbacRow): Loaded => ({
  view: {
    id: row.id,
    tenant_id: row.project_id,
    project_id: row.project_id,
    object_type: row.object_type,
    object_id: row.object_id,
    action: row.action,
    target_tenant: row.target_project,
    target_project: row.target_project,
  },
});

const NOT_FOUND: Readonly<Record<string, (id: string) => Error>> = {
  network: networkNotFound,
  subnetpool: subnetPoolNotFound,
  address_scope: addressScopeNotFound,
  address_group: addressGroupNotFound,
  security_group: groupNotFound,
  qos_policy: qosPolicyNotFound,
};

export async function createRbacPolicies(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) authorizeChange(app.policy, ctx, RBAC_POLICY, 'create', values, { ...values, target_project: values.target_tenant });
  return app.env.store.write(async (tx) => {
    await checkQuotas(
      app,
      tx,
      'rbac_policy',
      items.map((values) => String(values.project_id)),
    );
    const made: Loaded[] = [];
    for (const values of items) made.push(await createRbacPolicy(app, tx, ctx, values));
    return made;
  });
}

async function createRbacPolicy(app: NeutronApp, tx: Tx, ctx: Context, values: Values): Promise<Loaded> {
  const row: RbacRow = {
    id: app.env.ids.uuid(),
    project_id: String(values.project_id),
    object_type: String(values.object_type),
    object_id: String(values.object_id),
    action: String(values.action),
    target_project: String(values.target_tenant),
  };
  const actions = SHAREABLE[row.object_type] ?? [];
  if (!actions.includes(row.action)) {
    throw invalidInput(`Invalid action '${row.action}' for object type '${row.object_type}'. Valid actions: ${pyRepr(actions)}`, 'InvalidActionForType');
  }
  const object = await requireOwn(tx, ctx, row);
  if (row.object_type === 'subnetpool' && object.address_scope_id && !(await sharedWith(tx, object.address_scope_id, row.target_project))) {
    throw poolError(
      'RbacPolicyInitError',
      `Failed to create RBAC policy on object ${row.object_id} because target project doesn't have access to associated address scope..`,
    );
  }
  if (await rbacPolicyOf(tx, row)) throw duplicateRbac();
  await insertRbac(tx, row);
  if (row.action === EXTERNAL) await setExternal(app, tx, row.object_id, true);
  const loaded = loadedOf(row);
  await notify(app, tx, ctx, 'rbac_policy', 'create', loaded);
  return loaded;
}

async function requireOwn(tx: Tx, ctx: Context, row: RbacRow): Promise<{ project_id: string; address_scope_id?: string | null }> {
  const object = await findShareable(tx, row.object_type, row.object_id);
  if (!object) throw (NOT_FOUND[row.object_type] as (id: string) => Error)(row.object_id);
  if (!isAdmin(ctx) && object.project_id !== ctx.projectId) {
    throw invalidInput(`Only admins can manipulate policies on ${row.object_type === 'network' ? 'networks' : 'objects'} they do not own`);
  }
  return object;
}

async function sharedWith(db: Db, objectId: string, projectId: string): Promise<boolean> {
  const targets = await targetsOf(db, objectId, SHARED);
  return targets.includes('*') || targets.includes(projectId);
}

async function setExternal(app: NeutronApp, tx: Tx, networkId: string, external: boolean): Promise<void> {
  const network = await findNetwork(tx, networkId);
  const now = external ? 1 : 0;
  if (network && network.external !== now) await updateNetwork(tx, networkId, { external: now, ...(!external && { is_default: 0 }), ...changed(app, network) });
}

export async function listRbacPolicies(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  return (await selectPage(app.env.store.read, rbacLists, input, scopeOf(ctx))).map(loadedOf);
}

export const getRbacPolicy = async (app: NeutronApp, ctx: Context, id: string): Promise<Loaded> => loadedOf(await load(app.env.store.read, ctx, id));

async function load(db: Db, ctx: Context, id: string): Promise<RbacRow> {
  const row = await selectOne<RbacRow>(db, rbacLists, id, scopeOf(ctx));
  if (!row) throw rbacNotFound(id);
  return row;
}

export function updateRbacPolicyById(app: NeutronApp, ctx: Context, id: string, values: Values): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const row = await load(tx, ctx, id);
    authorizeUpdate(app, ctx, RBAC_POLICY, loadedOf(row), 'target_tenant' in values ? { ...values, target_project: values.target_tenant } : values);
    const target = String(values.target_tenant ?? row.target_project);
    if (target === row.target_project) return loadedOf(row);
    const object = await requireOwn(tx, ctx, row);
    if (await rbacPolicyOf(tx, { ...row, target_project: target })) throw duplicateRbac();
    // everybody includes whoever had it before
    if (target !== '*') await requireUnneeded(tx, row, object.project_id, target);
    await updateRbacTarget(tx, id, target);
    const after = loadedOf({ ...row, target_project: target });
    await notify(app, tx, ctx, 'rbac_policy', 'update', after);
    return after;
  });
}

export function deleteRbacPolicyById(app: NeutronApp, ctx: Context, id: string): Promise<void> {
  return app.env.store.write(async (tx) => {
    const row = await load(tx, ctx, id);
    authorizeDelete(app, ctx, RBAC_POLICY, loadedOf(row));
    const object = await findShareable(tx, row.object_type, row.object_id);
    if (object) await requireUnneeded(tx, row, object.project_id);
    await deleteRbac(tx, id);
    if (row.action === EXTERNAL && (await targetsOf(tx, row.object_id, EXTERNAL)).length === 0) await setExternal(app, tx, row.object_id, false);
    await notify(app, tx, ctx, 'rbac_policy', 'delete', loadedOf(row));
  });
}

/** Nobody may lose what they use: the projects that live on an object must be able to see it without this policy. */
async function requireUnneeded(tx: Tx, row: RbacRow, owner: string, next?: string): Promise<void> {
  const others = (await targetsOf(tx, row.object_id, row.action)).filter((target) => target !== row.target_project);
  if (next !== undefined) others.push(next);
  if (row.action === EXTERNAL && row.target_project === '*' && (await findNetwork(tx, row.object_id))?.is_default === 1) {
    throw rbacInUse(row.object_id, 'Default external networks must be shared to everyone.');
  }
  if (others.includes('*') || row.target_project === owner) return;
  const users = row.action === EXTERNAL ? await gatewayProjects(tx, row.object_id) : await boundProjects(tx, row.object_type, row.object_id);
  const losing = users.filter((projectId) => projectId !== '' && !others.includes(projectId) && (row.action === EXTERNAL || projectId !== owner));
  const lost = row.target_project === '*' ? losing[0] : losing.find((projectId) => projectId === row.target_project);
  if (lost === undefined) return;
  throw rbacInUse(
    row.object_id,
    row.action === EXTERNAL ? 'There are routers attached to this network that depend on this policy for access.' : `project_id=${row.target_project}`,
  );
}
