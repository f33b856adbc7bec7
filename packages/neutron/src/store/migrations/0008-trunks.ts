import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeIndex, makeTable, makeUniqueIndex, STANDARD } from './make-table.ts';

/** Trunks: ports whose VLANs lead to other ports. */
export async function trunks(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_trunk', { ...STANDARD, name: 'text', port_id: 'text', admin_state_up: 'integer', status: 'text', tags_json: 'text' });
  await makeIndex(db, 'neutron_trunk_project', 'neutron_trunk', ['project_id', 'id']);
  await makeUniqueIndex(db, 'neutron_trunk_port', 'neutron_trunk', ['port_id']);
  await makeTable(db, 'neutron_subport', { port_id: 'text', trunk_id: 'text', parent_port_id: 'text', segmentation_type: 'text', segmentation_id: 'integer' }, [
    'port_id',
  ]);
  await makeUniqueIndex(db, 'neutron_subport_segment', 'neutron_subport', ['trunk_id', 'segmentation_type', 'segmentation_id']);
  await db.schema.alterTable('neutron_port').addColumn('trunk_id', 'text').execute();
}
