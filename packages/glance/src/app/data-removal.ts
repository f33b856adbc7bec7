import type { Tx } from '@cairn/kit/store/store';
import { dropCacheRows } from '../store/cache.ts';
import type { LocationRow } from '../store/data-tables.ts';
import * as rows from '../store/locations.ts';
import { type DataDeps, subjectOf } from './deps.ts';

const refOf = (location: LocationRow) => ({ key: location.data_key, url: location.url });

/** Takes data out of its store. A lost removal is swept at the next start: no row names the data any more. */
export async function removeData(deps: DataDeps, location: LocationRow): Promise<void> {
  try {
    await deps.stores.get(location.store)?.remove(refOf(location));
  } catch (error) {
    deps.env.log.warn({ imageId: location.image_id, store: location.store, err: String(error) }, 'image data was not removed');
  }
}

/** Forgets all data of an image that goes, and ends the work on it; the bytes go after the commit. */
export async function forgetData(deps: DataDeps, tx: Tx, imageId: string): Promise<void> {
  await deps.env.sagas.cancel(tx, subjectOf(imageId));
  const locations = await rows.locationsOf(tx, imageId);
  const staged = await rows.stagedOf(tx, imageId);
  await rows.deleteLocationsOf(tx, imageId);
  await rows.deleteStaged(tx, imageId);
  const cached = (await dropCacheRows(tx, { imageId })) > 0;
  tx.afterCommit(() => {
    for (const location of locations) void removeData(deps, location);
    const quietly = (error: unknown): void => deps.env.log.warn({ imageId, err: String(error) }, 'staged or cached image data was not removed');
    if (staged) deps.staging.remove(staged.file).catch(quietly);
    if (cached) deps.cached.remove(imageId).catch(quietly);
  });
}
