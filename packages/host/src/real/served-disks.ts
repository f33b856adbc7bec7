import { notFound } from '@cairn/kit/errors/errors';
import type { Exporters } from '../hypervisor/exporters.ts';
import { type Disks, type KeptDisks, LUKS_HEADER_BYTES, type NbdLocation, type ServeRequest } from '../interface/disks.ts';

/** Adds to a host's disks what serves them to other hosts. */
export function withServing(disks: KeptDisks, exporters: Pick<Exporters, 'serve' | 'unserve' | 'served'>): Disks {
  return {
    cacheImage: (image) => disks.cacheImage(image),
    dropImage: (imageId) => disks.dropImage(imageId),
    create: (disk) => disks.create(disk),
    receive: (disk, data) => disks.receive(disk, data),
    remove: (diskId) => disks.remove(diskId),
    info: (diskId) => disks.info(diskId),
    list: () => disks.list(),
    resize: (diskId, sizeBytes) => disks.resize(diskId, sizeBytes),
    snapshot: (diskId, snapshotId) => disks.snapshot(diskId, snapshotId),
    removeSnapshot: (diskId, snapshotId) => disks.removeSnapshot(diskId, snapshotId),
    revert: (diskId, snapshotId) => disks.revert(diskId, snapshotId),
    share: (diskId) => disks.share(diskId),
    export: (diskId, options) => disks.export(diskId, options),
    capacity: (backend) => disks.capacity(backend),
    async serve(diskId: string, request: ServeRequest): Promise<NbdLocation> {
      const info = await disks.info(diskId);
      if (!info) throw notFound(`Disk ${diskId} is not on this host.`);
      const { keyId } = info;
      const header = keyId === undefined ? 0 : LUKS_HEADER_BYTES;
      return exporters.serve(diskId, request, { sizeBytes: info.sizeBytes + header, ...(keyId !== undefined && { keyId }) });
    },
    unserve: (diskId, exportId) => exporters.unserve(diskId, exportId),
    served: async () => exporters.served(),
  };
}
