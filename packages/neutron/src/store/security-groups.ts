import { findRow, findRows, updateRows } from '@cairn/kit/store/rows';
import { insertRow } from '@cairn/kit/store/insert';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { groupNotFound, ruleNotFound } from '../errors.ts';
import { sharedIds } from './rbac.ts';
import type { ListMaker } from './select.ts';
import type { NeutronTables, SecurityGroupRow, SecurityGroupRuleRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const groupLists: ListMaker<SecurityGroupRow> = {
  spec: {
    table: 'neutron_security_group',
    id: 'id',
    unknownMarker: (marker) => groupNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      stateful: { column: 'stateful', type: 'boolean' },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [
    sql<boolean>`neutron_security_group.project_id = ${projectId}`,
    sql<boolean>`(neutron_security_group.id in ${sharedIds('security_group', projectId)} and neutron_security_group.project_id <> ${projectId})`,
  ],
  special(_db, field, values, scope) {
    if (field !== 'shared') return undefined;
    const shared = sql<boolean>`neutron_security_group.id in ${sharedIds('security_group', scope.projectId ?? '*')}`;
    return values[0] ? shared : sql<boolean>`not ${shared}`;
  },
};

export const ruleLists: ListMaker<SecurityGroupRuleRow> = {
  spec: {
    table: 'neutron_security_group_rule',
    id: 'id',
    unknownMarker: (marker) => ruleNotFound(String(marker)),
    columns: {
      id: 'id',
      tenant_id: 'project_id',
      project_id: 'project_id',
      security_group_id: 'security_group_id',
      remote_group_id: { column: 'remote_group_id', nullable: true },
      remote_address_group_id: { column: 'remote_address_group_id', nullable: true },
      direction: 'direction',
      protocol: { column: 'protocol', nullable: true },
      port_range_min: { column: 'port_range_min', nullable: true, type: 'integer' },
      port_range_max: { column: 'port_range_max', nullable: true, type: 'integer' },
      ethertype: 'ethertype',
      remote_ip_prefix: { column: 'remote_ip_prefix', nullable: true },
      normalized_cidr: { column: 'remote_ip_prefix', nullable: true },
      belongs_to_default_sg: { column: 'belongs_to_default_sg', type: 'boolean' },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  // whoever owns the group sees its rules, and nobody else
  visible: (_db, projectId) => [sql<boolean>`neutron_security_group_rule.group_project_id = ${projectId}`],
};

export const insertGroup = (tx: Tx, row: SecurityGroupRow) => insertRow(tx, 'neutron_security_group', row);
export const findGroup = (db: Db, id: string): Promise<SecurityGroupRow | undefined> => findRow<SecurityGroupRow>(db, 'neutron_security_group', { id });
export const groupsByIds = (db: Db, ids: readonly string[]): Promise<SecurityGroupRow[]> =>
  rowsAmong<SecurityGroupRow>(db, 'neutron_security_group', 'id', ids, ['id']);
export const groupsByName = (db: Db, projectId: string, name: string, limit: number): Promise<SecurityGroupRow[]> =>
  tables(db).selectFrom('neutron_security_group').selectAll().where('project_id', '=', projectId).where('name', '=', name).orderBy('id').limit(limit).execute();
export const updateGroup = (tx: Tx, id: string, columns: Partial<SecurityGroupRow>) =>
  updateRows<SecurityGroupRow>(tx, 'neutron_security_group', columns, { id });
export async function deleteGroup(tx: Tx, id: string): Promise<void> {
  await tables(tx).deleteFrom('neutron_security_group_rule').where('security_group_id', '=', id).execute();
  await tables(tx).deleteFrom('neutron_security_group').where('id', '=', id).execute();
}

/** The id of a project's default group. */
export async function defaultGroupId(db: Db, projectId: string): Promise<string | undefined> {
  return (await findRow<{ id: string }>(db, 'neutron_security_group', { project_id: projectId, is_default: 1 }, { columns: ['id'] }))?.id;
}

export const rulesOfGroups = (db: Db, groupIds: readonly string[]): Promise<SecurityGroupRuleRow[]> =>
  rowsAmong<SecurityGroupRuleRow>(db, 'neutron_security_group_rule', 'security_group_id', groupIds, ['id']);
export async function insertRules(tx: Tx, rows: readonly SecurityGroupRuleRow[]): Promise<void> {
  for (const row of rows) await insertRow(tx, 'neutron_security_group_rule', row);
}
export const findRule = (db: Db, id: string): Promise<SecurityGroupRuleRow | undefined> =>
  findRow<SecurityGroupRuleRow>(db, 'neutron_security_group_rule', { id });
export const deleteRule = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_security_group_rule').where('id', '=', id).execute();

/** The rule of a group that is the same as another. */
export async function sameRule(db: Db, groupId: string, key: string): Promise<string | undefined> {
  const same = { security_group_id: groupId, rule_key: key };
  return (await findRow<{ id: string }>(db, 'neutron_security_group_rule', same, { columns: ['id'] }))?.id;
}

/** Rules elsewhere that name this group as the other side; they go with it. */
export async function dropRulesNaming(tx: Tx, groupId: string): Promise<string[]> {
  const rows = await tables(tx).selectFrom('neutron_security_group_rule').select(['id', 'security_group_id']).where('remote_group_id', '=', groupId).execute();
  for (const row of rows) await deleteRule(tx, row.id);
  return [...new Set(rows.map((row) => row.security_group_id))];
}

/** Is any port in this group? */
export const groupIsUsed = async (db: Db, groupId: string): Promise<boolean> =>
  (await tables(db).selectFrom('neutron_port_security_group').select('port_id').where('security_group_id', '=', groupId).limit(1).executeTakeFirst()) !==
  undefined;

export interface GroupOfPort {
  readonly port_id: string;
  readonly security_group_id: string;
}

export async function groupsOfPorts(db: Db, portIds: readonly string[]): Promise<GroupOfPort[]> {
  if (portIds.length === 0) return [];
  const columns = ['port_id', 'security_group_id'];
  return findRows<GroupOfPort>(db, 'neutron_port_security_group', { port_id: portIds }, { columns, orderBy: columns });
}

/** Sets the groups of a port. */
export async function setGroupsOfPort(tx: Tx, portId: string, groupIds: readonly string[], isNew: boolean): Promise<void> {
  if (!isNew) await tables(tx).deleteFrom('neutron_port_security_group').where('port_id', '=', portId).execute();
  for (const security_group_id of new Set(groupIds)) await insertRow(tx, 'neutron_port_security_group', { port_id: portId, security_group_id });
}

/** Whether a port that lists the group has this address as its own. */
export const groupHasAddress = async (db: Db, groupId: string, ip: string): Promise<boolean> =>
  (await tables(db)
    .selectFrom('neutron_port_security_group')
    .innerJoin('neutron_ip_allocation', 'neutron_ip_allocation.port_id', 'neutron_port_security_group.port_id')
    .select('neutron_ip_allocation.port_id')
    .where('security_group_id', '=', groupId)
    .where('ip_address', '=', ip)
    .limit(1)
    .executeTakeFirst()) !== undefined;

/** The allowed address pairs, as JSON, of the ports that list the group and have some. */
export async function addressPairsOfGroup(db: Db, groupId: string): Promise<string[]> {
  const rows = await tables(db)
    .selectFrom('neutron_port_security_group')
    .innerJoin('neutron_port', 'neutron_port.id', 'neutron_port_security_group.port_id')
    .select('allowed_address_pairs_json')
    .distinct()
    .where('security_group_id', '=', groupId)
    .where('allowed_address_pairs_json', '<>', '[]')
    .execute();
  return rows.map((row) => row.allowed_address_pairs_json);
}
