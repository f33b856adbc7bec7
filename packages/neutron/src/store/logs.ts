import { rowsAmong } from '@cairn/kit/store/among';
import { findRow } from '@cairn/kit/store/rows';
import type { Db, Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { logNotFound } from '../errors-data-plane.ts';
import type { ListMaker } from './select.ts';
import type { LogRow } from './tables-data-plane.ts';

export const logLists: ListMaker<LogRow> = {
  spec: {
    table: 'neutron_log',
    id: 'id',
    unknownMarker: (marker) => logNotFound(String(marker)),
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      resource_type: 'resource_type',
      resource_id: { column: 'resource_id', nullable: true },
      event: 'event',
      target_id: { column: 'target_id', nullable: true },
      enabled: { column: 'enabled', type: 'boolean' },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [sql<boolean>`neutron_log.project_id = ${projectId}`],
};

/** What ports are logged by: by their own ids, by their groups, and by their projects. */
export interface LoggedBy {
  readonly portIds: readonly string[];
  readonly groupIds: readonly string[];
  readonly projectIds: readonly string[];
}

/** The enabled logs that may be about such ports. */
export async function logsAbout(db: Db, { portIds, groupIds, projectIds }: LoggedBy): Promise<LogRow[]> {
  // most clouds log nothing
  if ((await findRow(db, 'neutron_log', { enabled: 1 }, { columns: ['id'] })) === undefined) return [];
  const among = (column: string, ids: readonly string[]): Promise<LogRow[]> => rowsAmong<LogRow>(db, 'neutron_log', column, ids, ['id']);
  const [byPort, byGroup, byProject] = await Promise.all([among('target_id', portIds), among('resource_id', groupIds), among('project_id', projectIds)]);
  const found = [...byPort, ...byGroup, ...byProject.filter((log) => log.target_id === null && log.resource_id === null)];
  return [...new Map(found.filter((log) => log.enabled === 1).map((log) => [log.id, log])).values()];
}

/** Enabled logs go with what they are about. */
export const dropLogsOf = (tx: Tx, column: 'resource_id' | 'target_id', id: string) =>
  sql`delete from neutron_log where ${sql.ref(column)} = ${id} and enabled = 1`.execute(tx.kysely);

/** The ports of a project that have security groups. */
export async function portIdsWithGroups(db: Db, projectId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from neutron_port p where project_id = ${projectId}
      and exists (select 1 from neutron_port_security_group g where g.port_id = p.id)`.execute(db.kysely);
  return rows.map((row) => row.id);
}

export async function portIdsOfGroup(db: Db, groupId: string): Promise<string[]> {
  const { rows } = await sql<{ port_id: string }>`select port_id from neutron_port_security_group where security_group_id = ${groupId}`.execute(db.kysely);
  return rows.map((row) => row.port_id);
}
