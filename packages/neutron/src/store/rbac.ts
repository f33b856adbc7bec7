import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { prepared } from '@cairn/kit/store/prepared';
import { findRows } from '@cairn/kit/store/rows';
import { type RawBuilder, sql } from 'kysely';
import type { ListMaker } from './select.ts';
import { rbacNotFound } from '../errors.ts';
import type { NeutronTables, RbacRow } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const SHARED = 'access_as_shared';
export const EXTERNAL = 'access_as_external';

/** The ids of objects that a project may use because they are shared with it or with everybody, as a subquery. */
export const sharedIds = (objectType: string, projectId: string, actions: readonly string[] = [SHARED]): RawBuilder<unknown> =>
  sql`(select object_id from neutron_rbac where object_type = ${objectType} and target_project in ('*', ${projectId}) and action in (${sql.join([...actions])}))`;

/** Which of these objects are shared with a project (with everybody, for nobody's eyes)? */
export async function sharedAmong(db: Db, objectIds: readonly string[], projectId: string | undefined): Promise<ReadonlySet<string>> {
  if (objectIds.length === 0) return new Set();
  const rows = await findRows<{ object_id: string }>(
    db,
    'neutron_rbac',
    { object_id: objectIds, action: SHARED, target_project: ['*', projectId ?? '*'] },
    { columns: ['object_id'] },
  );
  return new Set(rows.map((row) => row.object_id));
}

/** As many shared networks as are read at once rather than looked up one by one. */
const FEW = 100;

const sharedNetworks = prepared<NeutronTables, { project: string }, { object_id: string }>((db, place) =>
  db
    .selectFrom('neutron_rbac')
    .select('object_id')
    .where('object_type', '=', 'network')
    .where('target_project', 'in', ['*', place('project')])
    .where('action', '=', SHARED)
    .limit(FEW + 1),
);

/** Which networks of a page are shared with a project? Where few are at all, they cost one look. */
export async function sharedNetworksAmong(db: Db, networkIds: readonly string[], projectId: string | undefined): Promise<ReadonlySet<string>> {
  if (networkIds.length < 2) return sharedAmong(db, networkIds, projectId);
  const { rows } = await sharedNetworks(db, { project: projectId ?? '*' });
  return rows.length > FEW ? sharedAmong(db, networkIds, projectId) : new Set(rows.map((row) => row.object_id));
}

export const insertRbac = (tx: Tx, row: RbacRow) => tables(tx).insertInto('neutron_rbac').values(row).execute();

export async function removeRbac(tx: Tx, objectId: string, action: string, targetProject?: string): Promise<void> {
  let query = tables(tx).deleteFrom('neutron_rbac').where('object_id', '=', objectId).where('action', '=', action);
  if (targetProject !== undefined) query = query.where('target_project', '=', targetProject);
  await query.execute();
}

export const removeRbacOf = (tx: Tx, objectId: string) => tables(tx).deleteFrom('neutron_rbac').where('object_id', '=', objectId).execute();

/** The projects that an object is shared with. */
export async function targetsOf(db: Db, objectId: string, action: string): Promise<string[]> {
  const rows = await tables(db).selectFrom('neutron_rbac').select('target_project').where('object_id', '=', objectId).where('action', '=', action).execute();
  return rows.map((row) => row.target_project);
}

export const rbacLists: ListMaker<RbacRow> = {
  spec: {
    table: 'neutron_rbac',
    id: 'id',
    unknownMarker: (marker) => rbacNotFound(String(marker)),
    columns: {
      id: 'id',
      tenant_id: 'project_id',
      project_id: 'project_id',
      object_type: 'object_type',
      object_id: 'object_id',
      action: 'action',
      target_tenant: 'target_project',
    },
  },
  visible: (_db, projectId) => [sql<boolean>`neutron_rbac.project_id = ${projectId}`],
};

export const updateRbacTarget = (tx: Tx, id: string, target: string) =>
  tables(tx).updateTable('neutron_rbac').set({ target_project: target }).where('id', '=', id).execute();
export const deleteRbac = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_rbac').where('id', '=', id).execute();

/** The policy that says the same. */
export const rbacPolicyOf = (db: Db, row: RbacRow): Promise<{ id: string } | undefined> =>
  tables(db)
    .selectFrom('neutron_rbac')
    .select('id')
    .where('object_id', '=', row.object_id)
    .where('action', '=', row.action)
    .where('target_project', '=', row.target_project)
    .where('object_type', '=', row.object_type)
    .executeTakeFirst();

const TABLES: Readonly<Record<string, string>> = {
  network: 'neutron_network',
  subnetpool: 'neutron_subnetpool',
  address_scope: 'neutron_address_scope',
  address_group: 'neutron_address_group',
  security_group: 'neutron_security_group',
  qos_policy: 'neutron_qos_policy',
};

/** Something that may be shared. */
export async function findShareable(db: Db, type: string, id: string): Promise<{ project_id: string; address_scope_id?: string | null } | undefined> {
  const { rows } = await sql<{ project_id: string; address_scope_id?: string | null }>`select * from ${sql.table(TABLES[type] ?? '')} where id = ${id}`.execute(
    db.kysely,
  );
  return rows[0];
}

/** The projects that live on something that may be shared. */
export async function boundProjects(db: Db, type: string, id: string): Promise<string[]> {
  const query: Readonly<Record<string, RawBuilder<{ project_id: string }>>> = {
    network: sql`select distinct project_id from neutron_port where network_id = ${id}`,
    subnetpool: sql`select distinct project_id from neutron_subnet where subnetpool_id = ${id}`,
    address_scope: sql`select distinct project_id from neutron_subnetpool where address_scope_id = ${id}`,
    address_group: sql`select distinct g.project_id from neutron_security_group_rule r join neutron_security_group g on g.id = r.security_group_id where r.remote_address_group_id = ${id}`,
    security_group: sql`select distinct p.project_id from neutron_port_security_group g join neutron_port p on p.id = g.port_id where g.security_group_id = ${id}`,
    qos_policy: sql`select project_id from neutron_network where qos_policy_id = ${id} union select project_id from neutron_port where qos_policy_id = ${id} union select project_id from neutron_floatingip where qos_policy_id = ${id} union select project_id from neutron_router where qos_policy_id = ${id}`,
  };
  const { rows } = await (query[type] as RawBuilder<{ project_id: string }>).execute(db.kysely);
  return rows.map((row) => row.project_id);
}

/** The projects whose routers leave by a network. */
export async function gatewayProjects(db: Db, networkId: string): Promise<string[]> {
  const { rows } = await sql<{ project_id: string }>`select distinct r.project_id from neutron_port p
    join neutron_router r on r.id = p.device_id where p.network_id = ${networkId} and p.device_owner = 'network:router_gateway'`.execute(db.kysely);
  return rows.map((row) => row.project_id);
}
