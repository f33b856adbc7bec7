import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { NovaTables, ServiceTable } from './tables.ts';

export type ServiceRow = Selectable<ServiceTable>;

/** The services of one binary (`nova-compute`), by host. */
export async function servicesOf(db: Db, binary: string): Promise<ReadonlyMap<string, ServiceRow>> {
  const rows = await on<NovaTables>(db).selectFrom('nova_service').selectAll().where('binary', '=', binary).execute();
  return new Map(rows.map((row) => [row.host, row]));
}

/** Alive: not forced down, and heard of within `downMs`. */
export const isUp = (service: ServiceRow, nowMs: number, downMs: number): boolean =>
  service.forced_down === 0 && service.last_seen_at_ms !== null && nowMs - service.last_seen_at_ms <= downMs;

/** All services, in the order in which they came. */
export const allServices = (db: Db): Promise<ServiceRow[]> => on<NovaTables>(db).selectFrom('nova_service').selectAll().orderBy('seq').execute();

/** Makes a service known; one that is there stays as it is. */
export async function ensureService(tx: Tx, service: { readonly id: string; readonly host: string; readonly binary: string }, nowMs: number): Promise<void> {
  await on<NovaTables>(tx)
    .insertInto('nova_service')
    .values({ ...service, disabled: 0, disabled_reason: null, forced_down: 0, last_seen_at_ms: nowMs, created_at_ms: nowMs, updated_at_ms: null })
    .onConflict((conflict) => conflict.columns(['host', 'binary']).doNothing())
    .execute();
}

/** Notes a sign of life of services, by binary in one statement each. */
export async function beatServices(tx: Tx, services: readonly { readonly host: string; readonly binary: string }[], nowMs: number): Promise<void> {
  for (const [binary, group] of Map.groupBy(services, (service) => service.binary)) {
    for (let at = 0; at < group.length; at += 500) {
      const hosts = group.slice(at, at + 500).map((service) => service.host);
      await on<NovaTables>(tx)
        .updateTable('nova_service')
        .set({ last_seen_at_ms: nowMs, updated_at_ms: nowMs })
        .where('binary', '=', binary)
        .where('host', 'in', hosts)
        .execute();
    }
  }
}
