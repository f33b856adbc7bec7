import { type Db, on } from '@cairn/kit/store/store';
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
