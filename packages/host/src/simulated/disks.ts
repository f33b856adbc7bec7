import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { conflict, invalidInput, notFound, unavailable } from '@cairn/kit/errors/errors';
import { backendOfDisk, HOME_BACKEND } from '../interface/backends.ts';
import {
  type DiskInfo,
  type ExportFormat,
  type Disks,
  type ImageSource,
  LUKS_HEADER_BYTES,
  type NbdLocation,
  type NewDisk,
  type ReceivedDisk,
  type ServedDisk,
  type ServeRequest,
} from '../interface/disks.ts';
import { contentIn, stamp } from './contents.ts';
import type { Injector, SimulatedDelays } from './faults.ts';
import type { SimulatedDisk, SimulatedMachine } from './machine.ts';

const GIB = 2 ** 30;

/** Disks in memory, with the rules of real ones: grow only, no removal while a guest has it open, snapshots by name. */
export class SimulatedDisks implements Disks {
  readonly #machine: SimulatedMachine;
  readonly #inject: Injector;
  readonly #delays: SimulatedDelays;
  readonly #diskKey: ((keyId: string) => Promise<string>) | undefined;

  constructor(machine: SimulatedMachine, inject: Injector, delays: SimulatedDelays, diskKey?: (keyId: string) => Promise<string>) {
    this.#diskKey = diskKey;
    this.#machine = machine;
    this.#inject = inject;
    this.#delays = delays;
  }

  cacheImage(image: ImageSource): Promise<{ readonly virtualSizeBytes: number }> {
    return this.#inject.run('disks.cacheImage', [image], this.#delays.diskMs, () => {
      const virtualSizeBytes = this.#machine.images.get(image.imageId) ?? image.sizeBytes;
      this.#machine.images.set(image.imageId, virtualSizeBytes);
      return { virtualSizeBytes };
    });
  }

  dropImage(imageId: string): Promise<void> {
    return this.#inject.run('disks.dropImage', [imageId], undefined, () => {
      this.#machine.images.delete(imageId);
    });
  }

  async create(disk: NewDisk): Promise<DiskInfo> {
    // real hosts need the key for a header; nothing here would miss it
    if (disk.encryption && !this.#machine.keeperOf(disk.diskId).disks.has(disk.diskId)) await this.#needKey(disk.encryption.keyId);
    return this.#inject.run('disks.create', [disk], this.#delays.diskMs, () => {
      const { disks } = this.#machine.keeperOf(disk.diskId);
      const found = disks.get(disk.diskId);
      if (found) return infoOf(found);
      let sizeBytes = disk.sizeBytes;
      const { source } = disk;
      let content: string | undefined;
      if (source.kind === 'image') {
        const imageBytes = this.#machine.images.get(source.image.imageId) ?? source.image.sizeBytes;
        if (sizeBytes !== 0 && sizeBytes < imageBytes) throw invalidInput('A disk cannot be smaller than its image.', { field: 'sizeBytes' });
        sizeBytes ||= imageBytes;
      }
      if (source.kind === 'disk' || source.kind === 'snapshot') {
        const origin = this.#need(source.diskId);
        if (!(source.kind === 'disk' && source.recrypt) && (origin.keyId === undefined) !== (disk.encryption === undefined))
          throw conflict(`Disk ${origin.diskId} is ${origin.keyId === undefined ? 'not ' : ''}encrypted, and so is a copy of it.`);
        if (source.kind === 'snapshot' && !origin.snapshots.includes(source.snapshotId))
          throw notFound(`Disk ${source.diskId} has no snapshot ${source.snapshotId}.`);
        const from = source.kind === 'snapshot' ? (origin.snapshotSizes?.[source.snapshotId] ?? origin.sizeBytes) : origin.sizeBytes;
        if (sizeBytes !== 0 && sizeBytes < from) throw invalidInput('A copy cannot be smaller than its source.');
        sizeBytes ||= from;
        content = source.kind === 'snapshot' ? origin.snapshotContents?.[source.snapshotId] : origin.content;
      }
      if (this.#used(backendOfDisk(disk.diskId)) + sizeBytes > this.#machine.size.diskGb * GIB)
        throw unavailable(`Host ${this.#machine.host} has no room for a disk of ${Math.ceil(sizeBytes / GIB)} GiB.`);
      const made: SimulatedDisk = {
        diskId: disk.diskId,
        format: source.kind === 'blank' || source.kind === 'files' ? 'raw' : 'qcow2',
        sizeBytes,
        snapshots: [],
        pool: disk.pool,
        ...(content !== undefined && { content }),
        ...(disk.encryption && { keyId: disk.encryption.keyId }),
      };
      disks.set(disk.diskId, made);
      return infoOf(made);
    });
  }

  async receive(disk: ReceivedDisk, data: Readable): Promise<DiskInfo> {
    const content = this.#machine.keeperOf(disk.diskId).disks.has(disk.diskId) ? undefined : await contentIn(data);
    return this.#inject.run('disks.receive', [disk], this.#delays.diskMs, () => {
      data.destroy();
      const { disks } = this.#machine.keeperOf(disk.diskId);
      const found = disks.get(disk.diskId);
      if (found) return infoOf(found);
      const made: SimulatedDisk = {
        diskId: disk.diskId,
        format: 'qcow2',
        sizeBytes: disk.sizeBytes,
        snapshots: [],
        pool: disk.pool,
        ...(content !== undefined && { content }),
        ...(disk.encryption && { keyId: disk.encryption.keyId }),
      };
      disks.set(disk.diskId, made);
      return infoOf(made);
    });
  }

  remove(diskId: string): Promise<void> {
    return this.#inject.run('disks.remove', [diskId], this.#delays.diskMs, () => {
      if (this.#isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest.`);
      this.#machine.keeperOf(diskId).disks.delete(diskId);
    });
  }

  async info(diskId: string): Promise<DiskInfo | undefined> {
    const disk = this.#machine.keeperOf(diskId).disks.get(diskId);
    return disk && infoOf(disk);
  }

  async list(): Promise<readonly DiskInfo[]> {
    return [this.#machine, this.#machine.shared?.machine].flatMap((machine) => [...(machine?.disks.values() ?? [])]).map(infoOf);
  }

  resize(diskId: string, sizeBytes: number): Promise<DiskInfo> {
    return this.#inject.run('disks.resize', [diskId, sizeBytes], this.#delays.diskMs, () => {
      const disk = this.#need(diskId);
      if (sizeBytes < disk.sizeBytes) throw invalidInput('A disk cannot shrink.');
      disk.sizeBytes = sizeBytes;
      return infoOf(disk);
    });
  }

  snapshot(diskId: string, snapshotId: string): Promise<void> {
    return this.#inject.run('disks.snapshot', [diskId, snapshotId], this.#delays.diskMs, () => {
      const disk = this.#need(diskId);
      if (disk.snapshots.includes(snapshotId)) return;
      disk.snapshots.push(snapshotId);
      // what guests write from now on is an overlay
      if (!disk.shared) disk.format = 'qcow2';
      disk.snapshotSizes = { ...disk.snapshotSizes, [snapshotId]: disk.sizeBytes };
      if (disk.content !== undefined) disk.snapshotContents = { ...disk.snapshotContents, [snapshotId]: disk.content };
    });
  }

  removeSnapshot(diskId: string, snapshotId: string): Promise<void> {
    return this.#inject.run('disks.removeSnapshot', [diskId, snapshotId], this.#delays.diskMs, () => {
      const disk = this.#machine.keeperOf(diskId).disks.get(diskId);
      if (disk) disk.snapshots = disk.snapshots.filter((s) => s !== snapshotId);
    });
  }

  revert(diskId: string, snapshotId: string): Promise<void> {
    return this.#inject.run('disks.revert', [diskId, snapshotId], this.#delays.diskMs, () => {
      const disk = this.#need(diskId);
      if (disk.snapshots.at(-1) !== snapshotId) throw conflict('A disk goes back only to its newest snapshot.');
      const content = disk.snapshotContents?.[snapshotId];
      if (content === undefined) delete disk.content;
      else disk.content = content;
    });
  }

  share(diskId: string): Promise<void> {
    return this.#inject.run('disks.share', [diskId], this.#delays.diskMs, () => {
      const disk = this.#need(diskId);
      if (disk.shared) return;
      if (disk.format !== 'raw' && this.#isOpen(diskId)) throw conflict(`Disk ${diskId} is open in a guest that has to end before several can have it.`);
      disk.format = 'raw';
      disk.shared = true;
    });
  }

  export(
    diskId: string,
    options: { readonly format: ExportFormat; readonly snapshotId?: string },
  ): Promise<{ readonly stream: Readable; readonly sizeBytes: number }> {
    return this.#inject.run('disks.export', [diskId, options], this.#delays.diskMs, () => {
      const disk = this.#need(diskId);
      if (options.format !== 'raw' && options.format !== 'qcow2') throw conflict('Simulated disks hold no data: they are copied as raw and qcow2 alone.');
      const data = options.format === 'qcow2' ? emptyQcow2(disk.sizeBytes + (disk.keyId === undefined ? 0 : LUKS_HEADER_BYTES)) : Buffer.alloc(65_536);
      stamp(data, options.snapshotId === undefined ? disk.content : disk.snapshotContents?.[options.snapshotId]);
      return { stream: Readable.from([data]), sizeBytes: data.length };
    });
  }

  serve(diskId: string, request: ServeRequest): Promise<NbdLocation> {
    return this.#inject.run('disks.serve', [diskId, request], this.#delays.diskMs, () => {
      const { exportId, shared = false, waits = false } = request;
      const { keyId } = this.#need(diskId);
      const served = this.#machine.served.get(diskId) ?? { waits, shared, names: {} };
      served.shared ||= shared;
      const holds = [...this.#machine.guests.values()].some(
        (guest) => guest.state !== 'shutdown' && guest.live !== 'sent' && guest.spec.disks.some((d) => d.diskId === diskId && !d.location),
      );
      if (holds && !waits && !served.shared) throw conflict(`Disk ${diskId} is open in a server of this host and cannot be used on another.`);
      served.waits = waits;
      const name = (served.names[exportId] ??= randomUUID());
      this.#machine.served.set(diskId, served);
      return { kind: 'nbd', address: this.#machine.host, port: 10_809, exportName: name, user: 'simulated', key: name, ...(keyId !== undefined && { keyId }) };
    });
  }

  unserve(diskId: string, exportId?: string): Promise<void> {
    return this.#inject.run('disks.unserve', [diskId, exportId], undefined, () => {
      const served = this.#machine.served.get(diskId);
      if (!served) return;
      if (exportId !== undefined) delete served.names[exportId];
      if (exportId === undefined || Object.keys(served.names).length === 0) this.#machine.served.delete(diskId);
    });
  }

  async served(): Promise<readonly ServedDisk[]> {
    return [...this.#machine.served].map(([diskId, { names, waits }]) => ({ diskId, exportIds: Object.keys(names), waits }));
  }

  async capacity(backend = HOME_BACKEND): Promise<{ readonly totalGb: number; readonly freeGb: number }> {
    return { totalGb: this.#machine.size.diskGb, freeGb: Math.floor(this.#machine.size.diskGb - this.#used(backend) / GIB) };
  }

  /** Bytes of the disks on a back end. */
  #used(backend: string): number {
    const { disks } = this.#machine.shared?.backends.has(backend) ? this.#machine.shared.machine : this.#machine;
    let bytes = 0;
    for (const disk of disks.values()) if (backendOfDisk(disk.diskId) === backend) bytes += disk.sizeBytes;
    return bytes;
  }

  #isOpen(diskId: string): boolean {
    const guests = [...this.#machine.guests.values()];
    return this.#machine.served.has(diskId) || guests.some(({ state, spec }) => state !== 'shutdown' && spec.disks.some((disk) => disk.diskId === diskId));
  }

  async #needKey(keyId: string): Promise<void> {
    if (!this.#diskKey) throw unavailable('This host has nobody to ask for the keys of encrypted disks.');
    await this.#diskKey(keyId);
  }

  #need(diskId: string): SimulatedDisk {
    const disk = this.#machine.keeperOf(diskId).disks.get(diskId);
    if (!disk) throw notFound(`Disk ${diskId} is not on host ${this.#machine.host}.`);
    return disk;
  }
}

const infoOf = (disk: SimulatedDisk): DiskInfo => ({
  diskId: disk.diskId,
  pool: disk.pool,
  format: disk.format,
  sizeBytes: disk.sizeBytes,
  usedBytes: 0,
  snapshots: [...disk.snapshots],
  ...(disk.keyId !== undefined && { keyId: disk.keyId }),
});

/** A valid qcow2 image of the given size that holds nothing (format: qemu's docs/interop/qcow2.rst; version 3, 64 KiB clusters). */
export function emptyQcow2(sizeBytes: number): Buffer {
  const cluster = 65_536;
  const l1Entries = Math.max(1, Math.ceil(sizeBytes / (cluster * (cluster / 8))));
  const l1Clusters = Math.ceil((l1Entries * 8) / cluster);
  const clusters = 3 + l1Clusters;
  const image = Buffer.alloc(clusters * cluster);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(BigInt(sizeBytes), 24);
  image.writeUInt32BE(l1Entries, 36);
  image.writeBigUInt64BE(BigInt(3 * cluster), 40);
  image.writeBigUInt64BE(BigInt(cluster), 48);
  image.writeUInt32BE(1, 56);
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(104, 100);
  image.writeBigUInt64BE(BigInt(2 * cluster), cluster);
  for (let i = 0; i < clusters; i++) image.writeUInt16BE(1, 2 * cluster + i * 2);
  return image;
}
