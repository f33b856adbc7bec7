import { rowsAmong } from '@cairn/kit/store/among';
import { insertRow } from '@cairn/kit/store/insert';
import type { Db, Tx } from '@cairn/kit/store/store';
import { deleteRow, updateRow } from './rows.ts';
import type { DelegatedPrefixRow } from './tables-data-plane.ts';

const TABLE = 'neutron_delegated_prefix';

export const delegationsOfSubnets = (db: Db, subnetIds: readonly string[]): Promise<DelegatedPrefixRow[]> =>
  rowsAmong<DelegatedPrefixRow>(db, TABLE, 'id', subnetIds, ['id']);

/** Puts down what a subnet has been given. */
export async function keepDelegation(tx: Tx, row: DelegatedPrefixRow): Promise<void> {
  const { id, ...columns } = row;
  const [known] = await delegationsOfSubnets(tx, [id]);
  if (known) await updateRow(tx, TABLE, id, columns);
  else await insertRow<DelegatedPrefixRow>(tx, TABLE, row);
}

export const dropDelegation = (tx: Tx, subnetId: string): Promise<unknown> => deleteRow(tx, TABLE, subnetId);
