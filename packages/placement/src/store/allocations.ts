import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { partsOf } from './parts.ts';
import type { AllocationRow, ConsumerRow, PlacementTables } from './tables.ts';

const q = (db: Db) => on<PlacementTables>(db);

export const allocationsOfConsumer = (db: Db, consumerId: string): Promise<AllocationRow[]> =>
  q(db).selectFrom('placement_allocation').selectAll().where('consumer_id', '=', consumerId).orderBy('provider_id').orderBy('resource_class').execute();

export const consumerById = (db: Db, id: string): Promise<ConsumerRow | undefined> =>
  q(db).selectFrom('placement_consumer').selectAll().where('id', '=', id).executeTakeFirst();

export async function insertAllocations(tx: Tx, rows: readonly AllocationRow[]): Promise<void> {
  for (const part of partsOf(rows)) await q(tx).insertInto('placement_allocation').values(part).execute();
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
      c.column('id').doUpdateSet((e) => ({
        project_id: consumer.project_id,
        user_id: consumer.user_id,
        consumer_type: consumer.consumer_type,
        generation: e('placement_consumer.generation', '+', 1),
        updated_at_ms: nowMs,
      })),
    )
    .execute();
}

export async function deleteConsumer(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('placement_consumer').where('id', '=', id).execute();
}

export interface AllocationOnProvider {
  readonly consumer_id: string;
  readonly resource_class: string;
  readonly used: number;
  readonly updated_at_ms: number;
  readonly consumer_generation: number;
}

export const allocationsOnProvider = (db: Db, providerId: string): Promise<AllocationOnProvider[]> =>
  q(db)
    .selectFrom('placement_allocation as a')
    .innerJoin('placement_consumer as c', 'c.id', 'a.consumer_id')
    .select(['a.consumer_id', 'a.resource_class', 'a.used', 'a.updated_at_ms', 'c.generation as consumer_generation'])
    .where('a.provider_id', '=', providerId)
    .orderBy('a.resource_class')
    .orderBy('a.consumer_id')
    .execute();

export async function hasAllocations(db: Db, providerId: string): Promise<boolean> {
  return (await q(db).selectFrom('placement_allocation').select('consumer_id').where('provider_id', '=', providerId).limit(1).executeTakeFirst()) !== undefined;
}

export interface UsageRow {
  readonly resource_class: string;
  /** null: consumers whose type is not known. */
  readonly consumer_type: string | null;
  readonly used: number;
}

/** What the consumers of a project (and user) use, by class and consumer type. */
export async function usageOfProject(db: Db, projectId: string, userId: string | undefined): Promise<UsageRow[]> {
  let query = q(db)
    .selectFrom('placement_consumer as c')
    .innerJoin('placement_allocation as a', 'a.consumer_id', 'c.id')
    .select((e) => ['a.resource_class', 'c.consumer_type', e.fn.sum<number>('a.used').as('used')])
    .where('c.project_id', '=', projectId);
  if (userId !== undefined) query = query.where('c.user_id', '=', userId);
  const rows = await query.groupBy(['a.resource_class', 'c.consumer_type']).orderBy('a.resource_class').execute();
  return rows.map((row) => ({ ...row, used: Number(row.used) }));
}

/** How many consumers of a project (and user) have allocations, by consumer type. */
export async function consumersOfProject(db: Db, projectId: string, userId: string | undefined): Promise<Map<string | null, number>> {
  let query = q(db)
    .selectFrom('placement_consumer as c')
    .select((e) => ['c.consumer_type', e.fn.countAll<number>().as('n')])
    .where('c.project_id', '=', projectId)
    .where((e) => e.exists(e.selectFrom('placement_allocation as a').select('a.consumer_id').whereRef('a.consumer_id', '=', 'c.id')));
  if (userId !== undefined) query = query.where('c.user_id', '=', userId);
  return new Map((await query.groupBy('c.consumer_type').execute()).map((row) => [row.consumer_type, Number(row.n)]));
}
