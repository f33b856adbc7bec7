import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { AllocationRow, ConsumerRow, PlacementTables } from './tables.ts';

const q = (db: Db) => on<PlacementTables>(db);

export const allocationsOfConsumer = (db: Db, consumerId: string): Promise<AllocationRow[]> =>
  q(db).selectFrom('placement_allocation').selectAll().where('consumer_id', '=', consumerId).orderBy('provider_id').orderBy('resource_class').execute();

export const consumerById = (db: Db, id: string): Promise<ConsumerRow | undefined> => q(db).selectFrom('placement_consumer').selectAll().where('id', '=', id).executeTakeFirst();

export async function insertAllocations(tx: Tx, rows: readonly AllocationRow[]): Promise<void> {
  if (rows.length > 0) await q(tx).insertInto('placement_allocation').values([...rows]).execute();
}

export async function deleteAllocationsOfConsumer(tx: Tx, consumerId: string): Promise<void> {
  await q(tx).deleteFrom('placement_allocation').where('consumer_id', '=', consumerId).execute();
}

/** Writes the consumer; an existing one gets a new generation. */
export async function putConsumer(tx: Tx, consumer: Pick<ConsumerRow, 'id' | 'project_id' | 'user_id' | 'consumer_type'>, nowMs: number): Promise<void> {
  await q(tx)
    .insertInto('placement_consumer')
    .values({ ...consumer, generation: 1, created_at_ms: nowMs, updated_at_ms: nowMs })
    .onConflict((c) =>
      c.column('id').doUpdateSet((e) => ({ project_id: consumer.project_id, user_id: consumer.user_id, consumer_type: consumer.consumer_type, generation: e('placement_consumer.generation', '+', 1), updated_at_ms: nowMs })),
    )
    .execute();
}

export async function deleteConsumer(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('placement_consumer').where('id', '=', id).execute();
}
