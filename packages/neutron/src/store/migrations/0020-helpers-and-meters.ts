import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeIndex, makeTable, makeUniqueIndex } from './make-table.ts';

/** Conntrack helpers of routers; metering labels, their rules, and what they have counted. */
export async function helpersAndMeters(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_conntrack_helper', { id: 'text', router_id: 'text', protocol: 'text', port: 'integer', helper: 'text' });
  await makeUniqueIndex(db, 'neutron_conntrack_helper_router', 'neutron_conntrack_helper', ['router_id', 'protocol', 'port', 'helper']);
  await makeTable(db, 'neutron_metering_label', { id: 'text', project_id: 'text', name: 'text', description: 'text', shared: 'integer' });
  await makeIndex(db, 'neutron_metering_label_project', 'neutron_metering_label', ['project_id', 'id']);
  await makeIndex(db, 'neutron_metering_label_shared', 'neutron_metering_label', ['shared', 'id']);
  await makeTable(db, 'neutron_metering_rule', {
    id: 'text',
    metering_label_id: 'text',
    direction: 'text',
    excluded: 'integer',
    remote_ip_prefix: 'text?',
    source_ip_prefix: 'text?',
    destination_ip_prefix: 'text?',
  });
  await makeIndex(db, 'neutron_metering_rule_label', 'neutron_metering_rule', ['metering_label_id', 'id']);
  await makeTable(db, 'neutron_meter_reading', { id: 'text', host: 'text', router_id: 'text', label_id: 'text', packets: 'bigint', bytes: 'bigint' });
  await makeIndex(db, 'neutron_meter_reading_host', 'neutron_meter_reading', ['host', 'id']);
  await makeIndex(db, 'neutron_meter_reading_router', 'neutron_meter_reading', ['router_id']);
  await makeTable(db, 'neutron_meter_sum', {
    id: 'text',
    host: 'text',
    label_id: 'text',
    packets: 'bigint',
    bytes: 'bigint',
    measured_ms: 'bigint',
    first_at_ms: 'bigint',
    last_at_ms: 'bigint',
  });
  await makeIndex(db, 'neutron_meter_sum_host', 'neutron_meter_sum', ['host', 'id']);
}
