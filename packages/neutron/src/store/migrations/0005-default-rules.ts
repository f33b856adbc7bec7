import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** The rules that new security groups begin with; at first those that upstream has. Their ids are of Cairn's own making and the same in every cloud. */
export async function defaultRules(db: Kysely<any>, _engine: EngineName): Promise<void> {
  let table = db.schema.createTable('neutron_default_rule').addColumn('id', 'text', (column) => column.primaryKey());
  for (const name of ['direction', 'ethertype', 'rule_key'] as const) table = table.addColumn(name, 'text', (column) => column.notNull());
  for (const name of ['description', 'protocol', 'remote_group_id', 'remote_address_group_id', 'remote_ip_prefix'] as const)
    table = table.addColumn(name, 'text');
  for (const name of ['port_range_min', 'port_range_max'] as const) table = table.addColumn(name, 'integer');
  for (const name of ['used_in_default_sg', 'used_in_non_default_sg'] as const) table = table.addColumn(name, 'integer', (column) => column.notNull());
  await table.execute();
  const first = (number: number, direction: string, ethertype: string, others: boolean) => ({
    id: `3b0a6c52-6d0e-4c7e-9d0b-00000000000${number}`,
    direction,
    ethertype,
    rule_key: `${direction}_${ethertype}_+_+_+_${others ? '+' : 'PARENT'}_+`,
    description: null,
    protocol: null,
    remote_group_id: others ? null : 'PARENT',
    remote_address_group_id: null,
    remote_ip_prefix: null,
    port_range_min: null,
    port_range_max: null,
    used_in_default_sg: 1,
    used_in_non_default_sg: others ? 1 : 0,
  });
  await db
    .insertInto('neutron_default_rule')
    .values([first(1, 'egress', 'IPv4', true), first(2, 'egress', 'IPv6', true), first(3, 'ingress', 'IPv4', false), first(4, 'ingress', 'IPv6', false)])
    .execute();
}
