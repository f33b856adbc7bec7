import { insertRow } from '@cairn/kit/store/insert';
import { rowsAmong } from '@cairn/kit/store/among';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { meteringLabelNotFound, meteringRuleNotFound } from '../errors-data-plane.ts';
import { updateRow } from './rows.ts';
import type { ListMaker } from './select.ts';
import type { NeutronTables } from './tables.ts';
import type { MeteringLabelRow, MeteringRuleRow, MeterReadingRow, MeterSumRow } from './tables-data-plane.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const meteringLabelLists: ListMaker<MeteringLabelRow> = {
  spec: {
    table: 'neutron_metering_label',
    id: 'id',
    unknownMarker: (marker) => meteringLabelNotFound(String(marker)),
    columns: {
      id: 'id',
      name: 'name',
      description: 'description',
      tenant_id: 'project_id',
      project_id: 'project_id',
      shared: { column: 'shared', type: 'boolean' },
    },
  },
  visible: (_db, projectId) => [
    sql<boolean>`neutron_metering_label.project_id = ${projectId}`,
    sql<boolean>`(neutron_metering_label.shared = 1 and neutron_metering_label.project_id <> ${projectId})`,
  ],
};

export const meteringRuleLists: ListMaker<MeteringRuleRow> = {
  spec: {
    table: 'neutron_metering_rule',
    id: 'id',
    unknownMarker: (marker) => meteringRuleNotFound(String(marker)),
    columns: {
      id: 'id',
      metering_label_id: 'metering_label_id',
      direction: 'direction',
      excluded: { column: 'excluded', type: 'boolean' },
      remote_ip_prefix: { column: 'remote_ip_prefix', nullable: true },
      source_ip_prefix: { column: 'source_ip_prefix', nullable: true },
      destination_ip_prefix: { column: 'destination_ip_prefix', nullable: true },
    },
  },
  visible: () => [],
};

/** The labels that meter the routers of these projects: their own, and those shared with everybody. */
export async function labelsOfProjects(db: Db, projectIds: readonly string[]): Promise<MeteringLabelRow[]> {
  const own = await rowsAmong<MeteringLabelRow>(db, 'neutron_metering_label', 'project_id', projectIds, ['id']);
  const shared = await tables(db).selectFrom('neutron_metering_label').selectAll().where('shared', '=', 1).orderBy('id').execute();
  return [...own.filter((label) => label.shared === 0), ...shared];
}

export const rulesOfLabels = (db: Db, labelIds: readonly string[]): Promise<MeteringRuleRow[]> =>
  rowsAmong<MeteringRuleRow>(db, 'neutron_metering_rule', 'metering_label_id', labelIds, ['id']);
export const labelsByIds = (db: Db, ids: readonly string[]): Promise<MeteringLabelRow[]> =>
  rowsAmong<MeteringLabelRow>(db, 'neutron_metering_label', 'id', ids, ['id']);

/** The routers that a label meters. */
export async function routerIdsOfLabel(db: Db, label: MeteringLabelRow): Promise<string[]> {
  const query = tables(db).selectFrom('neutron_router').select('id');
  return (await (label.shared === 1 ? query : query.where('project_id', '=', label.project_id)).execute()).map((row) => row.id);
}

export const readingsOfHost = (db: Db, host: string): Promise<MeterReadingRow[]> =>
  rowsAmong<MeterReadingRow>(db, 'neutron_meter_reading', 'host', [host], ['id']);

/** Writes a reading, in place of the last one. */
export async function keepReading(tx: Tx, row: MeterReadingRow, isNew: boolean): Promise<void> {
  if (isNew) await insertRow(tx, 'neutron_meter_reading', row);
  else await updateRow(tx, 'neutron_meter_reading', row.id, { packets: row.packets, bytes: row.bytes });
}

export const sumsOfHost = (db: Db, host: string): Promise<MeterSumRow[]> => rowsAmong<MeterSumRow>(db, 'neutron_meter_sum', 'host', [host], ['id']);

export async function keepSum(tx: Tx, row: MeterSumRow, isNew: boolean): Promise<void> {
  if (isNew) await insertRow(tx, 'neutron_meter_sum', row);
  else await updateRow(tx, 'neutron_meter_sum', row.id, { ...row });
}
