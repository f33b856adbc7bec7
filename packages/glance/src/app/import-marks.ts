import { conflict } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { changeProperties, detailsOf } from '../store/images.ts';
import { taskById } from '../store/tasks.ts';

/** The task that works on an image's data; nothing else may begin meanwhile. */
export const LOCK = 'os_glance_import_task';
/** Stores that are being written, comma-separated. */
export const IMPORTING = 'os_glance_importing_to_stores';
/** Stores that the last import failed for. */
export const FAILED = 'os_glance_failed_import';

const propertiesOf = async (db: Db, imageId: string): Promise<Readonly<Record<string, string>>> =>
  (await detailsOf(db, [imageId])).properties.get(imageId) ?? {};

/** Takes the lock of an image for a task. Throws Conflict while another task that has not ended holds it. */
export async function lockImage(tx: Tx, imageId: string, taskId: string): Promise<void> {
  const holder = (await propertiesOf(tx, imageId))[LOCK];
  if (holder !== undefined && holder !== taskId) {
    const task = await taskById(tx, holder);
    // a task lets go with its end, so this is for records that are gone
    if (task && (task.status === 'pending' || task.status === 'processing')) throw conflict('Image has active task');
  }
  await changeProperties(tx, imageId, { [LOCK]: taskId });
}

/** True while the task holds the image. */
export const holds = async (db: Db, imageId: string, taskId: string): Promise<boolean> => (await propertiesOf(db, imageId))[LOCK] === taskId;

export async function unlockImage(tx: Tx, imageId: string, taskId: string): Promise<void> {
  if (await holds(tx, imageId, taskId)) await changeProperties(tx, imageId, { [LOCK]: null });
}

/** Adds stores to the lists of an image and takes others away; lists that become empty stay, as clients look for them. */
export async function markStores(
  tx: Tx,
  imageId: string,
  change: {
    readonly importing?: readonly string[];
    readonly arrived?: readonly string[];
    readonly failed?: readonly string[];
    readonly mended?: readonly string[];
  },
): Promise<void> {
  const properties = await propertiesOf(tx, imageId);
  const merge = (name: string, add: readonly string[], remove: readonly string[]): string => {
    const all = new Set([...(properties[name] ?? '').split(','), ...add]);
    for (const gone of ['', ...remove]) all.delete(gone);
    return [...all].toSorted().join(',');
  };
  const { importing = [], arrived = [], failed = [], mended = [] } = change;
  await changeProperties(tx, imageId, { [IMPORTING]: merge(IMPORTING, importing, [...arrived, ...failed]), [FAILED]: merge(FAILED, failed, mended) });
}
