import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { partsOf } from './parts.ts';
import type { InventoryRow, PlacementTables } from './tables.ts';

const q = (db: Db) => on<PlacementTables>(db);

export const inventoriesOf = (db: Db, providerId: string): Promise<InventoryRow[]> =>
  q(db).selectFrom('placement_inventory').selectAll().where('provider_id', '=', providerId).orderBy('resource_class').execute();

/** What an inventory is said to be; use and free space follow. */
export type InventoryFacts = Pick<InventoryRow, 'total' | 'reserved' | 'min_unit' | 'max_unit' | 'step_size' | 'allocation_ratio'>;

/** upstream's capacity of an inventory (placement/objects/inventory.py), as far as an integer column holds it: ratios may be absurd. */
export const capacityOf = (facts: InventoryFacts): number =>
  Math.max(-LARGEST, Math.min(LARGEST, Math.trunc((facts.total - facts.reserved) * facts.allocation_ratio)));
const LARGEST = 2 ** 52;

/** Writes one inventory, keeping its use. */
export async function putInventory(tx: Tx, providerId: string, resourceClass: string, facts: InventoryFacts, nowMs: number): Promise<void> {
  const capacity = capacityOf(facts);
  await q(tx)
    .insertInto('placement_inventory')
    .values({ provider_id: providerId, resource_class: resourceClass, ...facts, capacity, used: 0, free: capacity, created_at_ms: nowMs, updated_at_ms: nowMs })
    .onConflict((c) =>
      c
        .columns(['provider_id', 'resource_class'])
        .doUpdateSet((e) => ({ ...facts, capacity, free: e(e.val(capacity), '-', e.ref('placement_inventory.used')), updated_at_ms: nowMs })),
    )
    .execute();
}

export async function deleteInventories(tx: Tx, providerId: string, classes: readonly string[]): Promise<void> {
  for (const part of partsOf(classes))
    await q(tx).deleteFrom('placement_inventory').where('provider_id', '=', providerId).where('resource_class', 'in', part).execute();
}

/**
 * Takes `amount` (negative gives back) of a class. With `limit` only when capacity, units and step allow it, as upstream's check of
 * allocations does. Returns whether it was done.
 */
export async function take(tx: Tx, providerId: string, resourceClass: string, amount: number, limit: boolean, nowMs: number): Promise<boolean> {
  let update = q(tx)
    .updateTable('placement_inventory')
    .set((e) => ({ used: e('used', '+', amount), free: e('free', '-', amount), updated_at_ms: nowMs }))
    .where('provider_id', '=', providerId)
    .where('resource_class', '=', resourceClass);
  if (limit)
    update = update
      .where('free', '>=', amount)
      .where('min_unit', '<=', amount)
      .where('max_unit', '>=', amount)
      .where((e) => e(e(e.val(amount), '%', e.ref('step_size')), '=', 0));
  const result = await update.executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}

export const inventoryOf = (db: Db, providerId: string, resourceClass: string): Promise<InventoryRow | undefined> =>
  q(db).selectFrom('placement_inventory').selectAll().where('provider_id', '=', providerId).where('resource_class', '=', resourceClass).executeTakeFirst();

/** Whether any provider has an inventory of this class. */
export async function classHasInventory(db: Db, resourceClass: string): Promise<boolean> {
  return (
    (await q(db).selectFrom('placement_inventory').select('provider_id').where('resource_class', '=', resourceClass).limit(1).executeTakeFirst()) !== undefined
  );
}

/** Gives a class another name in every inventory and allocation: copies the inventories first, since allocations refer to them. */
export async function renameClass(tx: Tx, from: string, to: string): Promise<void> {
  const rest = sql.raw('total, reserved, min_unit, max_unit, step_size, allocation_ratio, capacity, used, free, created_at_ms, updated_at_ms');
  await sql`insert into placement_inventory (provider_id, resource_class, ${rest}) select provider_id, ${to}, ${rest} from placement_inventory where resource_class = ${from}`.execute(
    tx.kysely,
  );
  await q(tx).updateTable('placement_allocation').set({ resource_class: to }).where('resource_class', '=', from).execute();
  await q(tx).deleteFrom('placement_inventory').where('resource_class', '=', from).execute();
}
