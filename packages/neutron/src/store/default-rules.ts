import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { defaultRuleNotFound } from '../errors.ts';
import type { ListMaker } from './select.ts';
import type { DefaultRuleRow, NeutronTables } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);
type Use = 'used_in_default_sg' | 'used_in_non_default_sg';

export const defaultRuleLists: ListMaker<DefaultRuleRow> = {
  spec: {
    table: 'neutron_default_rule',
    id: 'id',
    unknownMarker: (marker) => defaultRuleNotFound(String(marker)),
    columns: {
      id: 'id',
      description: { column: 'description', nullable: true },
      remote_group_id: { column: 'remote_group_id', nullable: true },
      remote_address_group_id: { column: 'remote_address_group_id', nullable: true },
      direction: 'direction',
      protocol: { column: 'protocol', nullable: true },
      port_range_min: { column: 'port_range_min', nullable: true, type: 'integer' },
      port_range_max: { column: 'port_range_max', nullable: true, type: 'integer' },
      ethertype: 'ethertype',
      remote_ip_prefix: { column: 'remote_ip_prefix', nullable: true },
      used_in_default_sg: { column: 'used_in_default_sg', type: 'boolean' },
      used_in_non_default_sg: { column: 'used_in_non_default_sg', type: 'boolean' },
    },
  },
  // they are the operator's, and everybody may know them
  visible: () => [],
};

/** What a new group begins with. */
export const defaultRulesFor = (db: Db, use: Use): Promise<DefaultRuleRow[]> =>
  tables(db).selectFrom('neutron_default_rule').selectAll().where(use, '=', 1).orderBy('id').execute();

export async function sameDefaultRule(db: Db, use: Use, ruleKey: string): Promise<string | undefined> {
  const row = await tables(db).selectFrom('neutron_default_rule').select('id').where(use, '=', 1).where('rule_key', '=', ruleKey).executeTakeFirst();
  return row?.id;
}

export const insertDefaultRule = (tx: Tx, row: DefaultRuleRow) => tables(tx).insertInto('neutron_default_rule').values(row).execute();
export const deleteDefaultRule = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_default_rule').where('id', '=', id).execute();
