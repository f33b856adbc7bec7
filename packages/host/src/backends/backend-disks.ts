import type { Readable } from 'node:stream';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { DiskResolver } from '../hypervisor/open-disks.ts';
import { backendOfDisk, HOME_BACKEND } from '../interface/backends.ts';
import type { DiskInfo, ExportFormat, ImageSource, KeptDisks, NewDisk, ReceivedDisk } from '../interface/disks.ts';
import type { DiskRoom } from './room.ts';

/** All disks that a host reaches, each in the room of the back end that its id names. */
export class BackendDisks implements KeptDisks {
  readonly #home: DiskRoom;
  readonly #rooms: ReadonlyMap<string, DiskRoom>;

  constructor(home: DiskRoom, rooms: ReadonlyMap<string, DiskRoom>) {
    this.#home = home;
    this.#rooms = rooms;
  }

  async start(): Promise<void> {
    await this.#home.start();
    for (const room of this.#rooms.values()) await room.start();
  }

  async stop(): Promise<void> {
    for (const room of this.#rooms.values()) await room.stop();
    await this.#home.stop();
  }

  readonly resolve: DiskResolver = (diskId) => this.#room(diskId).resolve(diskId);

  cacheImage(image: ImageSource): Promise<{ readonly virtualSizeBytes: number }> {
    return this.#home.disks.cacheImage(image);
  }

  async dropImage(imageId: string): Promise<void> {
    for (const { disks } of [this.#home, ...this.#rooms.values()]) await disks.dropImage(imageId);
  }

  async create(disk: NewDisk): Promise<DiskInfo> {
    const disks = this.#of(disk.diskId);
    const { source } = disk;
    if ((source.kind !== 'disk' && source.kind !== 'snapshot') || this.#of(source.diskId) === disks) return disks.create(disk);
    return (await disks.info(disk.diskId)) ?? this.#copy(disk, source);
  }

  receive(disk: ReceivedDisk, data: Readable): Promise<DiskInfo> {
    return this.#of(disk.diskId).receive(disk, data);
  }

  remove(diskId: string): Promise<void> {
    return this.#of(diskId).remove(diskId);
  }

  info(diskId: string): Promise<DiskInfo | undefined> {
    return this.#of(diskId).info(diskId);
  }

  async list(): Promise<readonly DiskInfo[]> {
    return (await Promise.all([this.#home, ...this.#rooms.values()].map(({ disks }) => disks.list()))).flat();
  }

  resize(diskId: string, sizeBytes: number): Promise<DiskInfo> {
    return this.#of(diskId).resize(diskId, sizeBytes);
  }

  snapshot(diskId: string, snapshotId: string): Promise<void> {
    return this.#of(diskId).snapshot(diskId, snapshotId);
  }

  removeSnapshot(diskId: string, snapshotId: string): Promise<void> {
    return this.#of(diskId).removeSnapshot(diskId, snapshotId);
  }

  revert(diskId: string, snapshotId: string): Promise<void> {
    return this.#of(diskId).revert(diskId, snapshotId);
  }

  share(diskId: string): Promise<void> {
    return this.#of(diskId).share(diskId);
  }

  export(diskId: string, options: { readonly format: ExportFormat; readonly snapshotId?: string }): ReturnType<KeptDisks['export']> {
    return this.#of(diskId).export(diskId, options);
  }

  async capacity(backend = HOME_BACKEND): Promise<{ readonly totalGb: number; readonly freeGb: number }> {
    const room = backend === HOME_BACKEND ? this.#home : this.#rooms.get(backend);
    if (!room) throw notFound(`This host has no storage back end ${backend}.`);
    return room.disks.capacity();
  }

  /** From another back end there is no shorter way than to copy the whole. */
  async #copy(disk: NewDisk, source: Extract<NewDisk['source'], { kind: 'disk' | 'snapshot' }>): Promise<DiskInfo> {
    const from = this.#of(source.diskId);
    const origin = await from.info(source.diskId);
    if (!origin) throw notFound(`Disk ${source.diskId} is not on this host.`);
    const { stream } = await from.export(source.diskId, { format: 'qcow2', ...(source.kind === 'snapshot' && { snapshotId: source.snapshotId }) });
    const { diskId, pool } = disk;
    try {
      await this.#of(diskId).receive({ diskId, sizeBytes: origin.sizeBytes, pool, ...(disk.encryption && { encryption: disk.encryption }) }, stream);
    } finally {
      stream.destroy();
    }
    return this.#of(diskId).resize(diskId, Math.max(disk.sizeBytes, origin.sizeBytes));
  }

  #of(diskId: string): KeptDisks {
    return this.#room(diskId).disks;
  }

  #room(diskId: string): DiskRoom {
    const name = backendOfDisk(diskId);
    if (name === HOME_BACKEND) return this.#home;
    const room = this.#rooms.get(name);
    if (!room) throw invalidInput(`Disk ${diskId} is on storage back end ${name}, which is not configured on this host.`, { field: 'diskId' });
    return room;
  }
}
