import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { DomainOptionTable, KeystoneTables } from './tables.ts';

/** A domain's own options; of one group, or one option of it. */
export async function domainOptions(db: Db, domainId: string, group?: string, option?: string): Promise<DomainOptionTable[]> {
  let select = on<KeystoneTables>(db).selectFrom('keystone_domain_option').selectAll().where('domain_id', '=', domainId);
  if (group !== undefined) select = select.where('option_group', '=', group);
  if (option !== undefined) select = select.where('option_name', '=', option);
  return await select.orderBy('option_group').orderBy('option_name').execute();
}

export async function putDomainOptions(tx: Tx, rows: readonly DomainOptionTable[]): Promise<void> {
  if (rows.length === 0) return;
  await on<KeystoneTables>(tx)
    .insertInto('keystone_domain_option')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['domain_id', 'option_group', 'option_name'])
        .doUpdateSet((eb) => ({ value: eb.ref('excluded.value'), sensitive: eb.ref('excluded.sensitive') })),
    )
    .execute();
}

/** All of a domain's, of one group, or one option of it. */
export async function deleteDomainOptions(tx: Tx, domainId: string, group?: string, option?: string): Promise<void> {
  let remove = on<KeystoneTables>(tx).deleteFrom('keystone_domain_option').where('domain_id', '=', domainId);
  if (group !== undefined) remove = remove.where('option_group', '=', group);
  if (option !== undefined) remove = remove.where('option_name', '=', option);
  await remove.execute();
}
