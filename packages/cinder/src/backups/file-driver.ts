import { isUuidLike } from '@cairn/kit/ids/ids';
import type { BackupDriver } from './driver.ts';
import { getManifest } from './format.ts';
import { backupAsQcow2 } from './read.ts';
import { DirectoryStore } from './store.ts';
import { writeBackup } from './write.ts';

/** Backups as files below a directory, in the format of format.ts. They have no containers: what a request says of one is kept with the row. */
export function fileBackups(root: string): BackupDriver {
  const store = new DirectoryStore(root);
  return {
    service: store.service,
    hasContainers: false,
    placeFor: ({ id, container }) => ({ container, place: id }),
    importedPlace: ({ id, container, place }) => ({ container, place: place !== null && isUuidLike(place) ? place : id }),
    async write({ place }, raw, { volumeId, sizeBytes, parent, signal, onProgress }) {
      const before = parent && (await getManifest(store, parent.place));
      return writeBackup(store, raw, { id: place, volumeId, sizeBytes, ...(before && { parent: before }), signal, ...(onProgress && { onProgress }) });
    },
    async read(chain, sizeBytes) {
      const last = chain.at(-1);
      if (!last) throw new Error('no backup to read');
      return backupAsQcow2(store, last.place, sizeBytes);
    },
    async inspect({ place }) {
      // a record tells of the project's own backup only if the store has one by that id
      const manifest = await getManifest(store, place);
      for (const id of manifest.chain) await getManifest(store, id);
      return { objects: (await store.list(place)).length, sizeBytes: manifest.sizeBytes };
    },
    remove: ({ place }) => store.remove(place),
  };
}
