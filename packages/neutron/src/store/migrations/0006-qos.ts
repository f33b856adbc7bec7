import type { EngineName } from '@cairn/kit/store/store';
import { type Kysely, sql } from 'kysely';
import { makeIndex, makeTable, STANDARD } from './make-table.ts';

/** QoS policies, their rules, and what they are laid on. */
export async function qos(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_qos_policy', { ...STANDARD, name: 'text', is_default: 'integer', tags_json: 'text' });
  await makeIndex(db, 'neutron_qos_policy_project', 'neutron_qos_policy', ['project_id', 'id']);
  await sql`create unique index neutron_qos_policy_default on neutron_qos_policy (project_id) where is_default = 1`.execute(db);
  await makeTable(db, 'neutron_qos_rule', {
    id: 'text',
    policy_id: 'text',
    type: 'text',
    direction: 'text?',
    max_kbps: 'bigint?',
    max_burst_kbps: 'bigint?',
    dscp_mark: 'integer?',
    min_kbps: 'bigint?',
    min_kpps: 'bigint?',
    max_kpps: 'bigint?',
    max_burst_kpps: 'bigint?',
  });
  await makeIndex(db, 'neutron_qos_rule_policy', 'neutron_qos_rule', ['policy_id', 'id']);
  for (const table of ['neutron_network', 'neutron_port', 'neutron_floatingip', 'neutron_router']) {
    await db.schema.alterTable(table).addColumn('qos_policy_id', 'text').execute();
    await sql`create index ${sql.ref(`${table}_qos`)} on ${sql.table(table)} (qos_policy_id, id) where qos_policy_id is not null`.execute(db);
  }
  // the network's own, written with it, so that no list has to look for it
  for (const table of ['neutron_port', 'neutron_floatingip']) {
    await db.schema.alterTable(table).addColumn('network_qos_policy_id', 'text').execute();
    await sql`create index ${sql.ref(`${table}_network_qos`)} on ${sql.table(table)} (network_qos_policy_id, id) where network_qos_policy_id is not null`.execute(
      db,
    );
  }
}
