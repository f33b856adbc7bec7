import { notFound } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { invalid } from '../errors.ts';
import { serviceOf, services, updateService } from '../store/services.ts';
import type { ServiceRow } from '../store/tables.ts';
import type { CinderApp } from './app.ts';
import { findStorage, serviceHost, storageOfPlace } from './backend.ts';

/** What each project has on a host. */
export { useOfHost } from '../store/volumes.ts';

export interface ServiceFacts {
  readonly row: ServiceRow;
  readonly up: boolean;
  /** When it was last known to be there. */
  readonly updatedAtMs: number | null;
}

/** Services with their state: a volume service is up while a host that has its storage is connected; the scheduler is this process. */
export async function listServices(app: CinderApp, db: Db): Promise<ServiceFacts[]> {
  const { env } = app.deps;
  return (await services(db)).map((row) => {
    const up = row.binary !== 'cinder-volume' || findStorage(app.deps, storageOfPlace(row.host) ?? '') !== undefined;
    return { row, up, updatedAtMs: up ? env.clock.nowMs() : row.updated_at_ms };
  });
}

/** Enables or disables a service; a disabled host gets no new volumes. */
export async function enableService(app: CinderApp, host: string, binary: string, enabled: boolean, reason: string | null): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await serviceOf(tx, host, binary);
    if (!row) throw notFound(`Service ${binary} could not be found on host ${host}.`, { type: 'ServiceNotFound' });
    await updateService(tx, row.id, { disabled: enabled ? 0 : 1, disabled_reason: enabled ? null : reason, updated_at_ms: env.clock.nowMs() });
  });
}

/** Stops (and allows again) deletions and snapshots on a host's storage. */
export async function freezeService(app: CinderApp, host: string, frozen: boolean): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await serviceOf(tx, host, 'cinder-volume');
    if (!row) throw invalid(`No service found with host=${host}`, { field: 'host' });
    if (row.frozen === (frozen ? 1 : 0)) throw invalid(`frozen in ['${host}'] must be ${frozen ? 'False' : 'True'} to failover.`, { field: 'host' });
    await updateService(tx, row.id, { frozen: frozen ? 1 : 0, updated_at_ms: env.clock.nowMs() });
  });
}

/** Refuses a change on a storage that an administrator has frozen. */
export async function refuseFrozen(db: Db, key: string | null): Promise<void> {
  if (key === null) return;
  const row = await serviceOf(db, serviceHost(key), 'cinder-volume');
  if (row?.frozen === 1) throw invalid('Modification operations are not allowed on frozen storage backends.');
}

/** Checks as upstream does: no storage here replicates, so none can be failed over. */
export async function failOver(app: CinderApp, host: string): Promise<void> {
  const row = await serviceOf(app.deps.env.store.read, host, 'cinder-volume');
  if (!row) throw invalid(`No service found with host=${host}`, { field: 'host' });
  throw invalid(`replication_status in ['${host}'] must be enabled or failed-over to failover.`, { field: 'host' });
}
