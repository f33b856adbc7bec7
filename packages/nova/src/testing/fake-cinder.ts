import type { CinderFace, VolumeFacts } from '@cairn/cinder/face';
import type { Hosts } from '@cairn/host/interface/hosts';
import { conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Db, Store, Tx } from '@cairn/kit/store/store';
import { FakeTable } from './fake-table.ts';

interface FakeVolume {
  /** Of one that has moved. */
  readonly diskId?: string;
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly sizeGb: number;
  readonly projectId: string;
  readonly bootable: boolean;
  readonly multiattach: boolean;
  readonly imageId: string | null;
  readonly host: string | null;
  readonly migrationStatus?: string;
}

interface FakeAttachment {
  readonly id: string;
  readonly volumeId: string;
  readonly serverId: string;
  readonly status: string;
  readonly device: string | null;
  /** Where it is used. */
  readonly host?: string;
}

interface FakeSnapshot {
  readonly id: string;
  readonly volumeId: string;
  readonly sizeGb: number;
}

const GIB = 2 ** 30;

/** A volume service of a few lines. A volume's disk appears on a host when it is connected there. */
export class FakeCinder implements CinderFace {
  async endMove(...[tx, move, outcome]: Parameters<CinderFace['endMove']>): Promise<void> {
    const volume = await this.volumes.find(tx, move.volumeId);
    if (volume === undefined || volume.diskId === move.newDiskId) return;
    if (outcome === 'done') await this.volumes.put(tx, { ...volume, diskId: move.newDiskId });
    tx.afterCommit(() => void this.#removeDisk(outcome === 'done' ? move.oldDiskId : move.newDiskId));
  }

  async diskKey(keyId: string): Promise<string> {
    return `secret of ${keyId}`;
  }

  readonly volumes = new FakeTable<FakeVolume>('volume');
  readonly attachments = new FakeTable<FakeAttachment>('attachment');
  readonly snapshots = new FakeTable<FakeSnapshot>('snapshot');
  readonly #store: Store;
  readonly #hosts: Hosts;

  constructor(store: Store, hosts: Hosts) {
    this.#store = store;
    this.#hosts = hosts;
  }

  async addVolume(volume: Partial<FakeVolume> & { readonly id: string }): Promise<void> {
    await this.#store.write((tx) =>
      this.volumes.put(tx, {
        name: '',
        status: 'available',
        sizeGb: 1,
        projectId: 'p1',
        bootable: false,
        multiattach: false,
        imageId: null,
        host: null,
        ...volume,
      }),
    );
  }

  async volume(db: Db, ctx: { readonly projectId?: string; readonly roles: readonly string[] }, volumeId: string): Promise<VolumeFacts> {
    const volume = await this.volumes.find(db, volumeId);
    if (volume === undefined || (volume.projectId !== ctx.projectId && !ctx.roles.includes('admin'))) throw notFound(`Volume ${volumeId} could not be found.`);
    return {
      ...volume,
      availabilityZone: 'nova',
      encrypted: false,
      volumeType: null,
      imageMetadata: volume.imageId === null ? {} : { image_id: volume.imageId, min_ram: '0' },
      migrationStatus: volume.migrationStatus ?? null,
      attachments: (await this.attachments.all(db))
        .filter((one) => one.volumeId === volumeId)
        .map((one) => ({ ...one, host: one.host ?? null, mode: 'rw' as const })),
    };
  }

  async snapshot(db: Db, _ctx: unknown, snapshotId: string) {
    const snapshot = await this.snapshots.find(db, snapshotId);
    if (snapshot === undefined) throw notFound(`Snapshot ${snapshotId} could not be found.`);
    return { ...snapshot, status: 'available' };
  }

  async volumeTypeName(_db: Db, _ctx: unknown, idOrName: string): Promise<string | undefined> {
    return idOrName === 'fast' ? 'fast' : undefined;
  }

  async createVolume(...[tx, ctx, volume]: Parameters<CinderFace['createVolume']>): Promise<void> {
    if ((await this.volumes.find(tx, volume.id)) !== undefined) return;
    await this.volumes.put(tx, {
      id: volume.id,
      name: volume.name,
      status: 'available',
      sizeGb: volume.sizeGb,
      projectId: ctx.projectId ?? '',
      bootable: volume.imageId !== undefined || volume.snapshotId !== undefined,
      multiattach: false,
      imageId: volume.imageId ?? null,
      host: volume.host ?? null,
    });
  }

  async untilAvailable(volumeId: string): Promise<void> {
    if ((await this.volumes.find(this.#store.read, volumeId)) === undefined) throw notFound(`Volume ${volumeId} could not be found.`);
  }

  async reserve(...[tx, , attachment]: Parameters<CinderFace['reserve']>): Promise<void> {
    if ((await this.attachments.find(tx, attachment.id)) !== undefined) return;
    const volume = await this.volumes.find(tx, attachment.volumeId);
    if (volume === undefined) throw notFound(`Volume ${attachment.volumeId} could not be found.`);
    if (volume.status !== 'available' && !(volume.multiattach && volume.status === 'in-use'))
      throw invalidInput(`volume ${volume.id} status must be 'available'. Currently in '${volume.status}'`);
    await this.volumes.put(tx, { ...volume, status: 'reserved' });
    await this.attachments.put(tx, { id: attachment.id, volumeId: attachment.volumeId, serverId: attachment.serverId, status: 'reserved', device: null });
  }

  async connect(attachmentId: string, host: string, { comes = false }: { readonly comes?: boolean } = {}) {
    const attachment = await this.attachments.find(this.#store.read, attachmentId);
    const volume = attachment === undefined ? undefined : await this.volumes.find(this.#store.read, attachment.volumeId);
    if (attachment === undefined || volume === undefined) throw notFound(`Attachment ${attachmentId} could not be found.`);
    // the first host that it is used on keeps it
    const keeper = volume.host ?? host;
    if (volume.host === null) await this.#store.write((tx) => this.volumes.put(tx, { ...volume, host }));
    const { disks } = this.#hosts.get(keeper);
    const diskId = volume.diskId ?? volume.id;
    await disks.create({ diskId, sizeBytes: volume.sizeGb * GIB, source: { kind: 'blank' }, pool: 'volume' });
    const waits = comes && attachment.host === keeper;
    const location = keeper === host ? undefined : await disks.serve(diskId, { exportId: `${attachmentId}.${host}`, waits });
    if (!comes)
      await this.#store.write(async (tx) => {
        if (attachment.status === 'reserved' || attachment.host === undefined) await this.#put(tx, attachmentId, { status: 'attaching' });
        await this.moved(tx, attachmentId, host);
      });
    return { diskId, sizeGb: volume.sizeGb, multiattach: volume.multiattach, readOnly: false, ...(location && { location }) };
  }

  async handOver(attachmentId: string, host: string): Promise<void> {
    const volume = await this.#volumeOf(attachmentId);
    if (volume?.host == null) return;
    const { disks } = this.#hosts.get(volume.host);
    if (volume.host !== host) await disks.serve(volume.id, { exportId: `${attachmentId}.${host}` });
    else
      for (const { diskId, exportIds } of await disks.served())
        if (diskId === volume.id) await disks.serve(diskId, { exportId: exportIds[0] as string, waits: true });
  }

  async disconnect(attachmentId: string, host: string): Promise<void> {
    const volume = await this.#volumeOf(attachmentId);
    if (volume?.host != null && volume.host !== host) await this.#hosts.get(volume.host).disks.unserve(volume.id, `${attachmentId}.${host}`);
  }

  async moved(...[tx, attachmentId, host]: Parameters<CinderFace['moved']>): Promise<void> {
    const attachment = await this.attachments.find(tx, attachmentId);
    if (attachment !== undefined) await this.attachments.put(tx, { ...attachment, host });
  }

  async #volumeOf(attachmentId: string): Promise<FakeVolume | undefined> {
    const attachment = await this.attachments.find(this.#store.read, attachmentId);
    return attachment && (await this.volumes.find(this.#store.read, attachment.volumeId));
  }

  async complete(...[tx, attachmentId, device]: Parameters<CinderFace['complete']>): Promise<void> {
    if ((await this.attachments.find(tx, attachmentId)) === undefined) throw notFound(`Attachment ${attachmentId} could not be found.`);
    await this.#put(tx, attachmentId, { status: 'attached', device: device ?? null });
  }

  async release(...[tx, attachmentId]: Parameters<CinderFace['release']>): Promise<void> {
    await this.#put(tx, attachmentId, { status: 'reserved', device: null }, ['host']);
  }

  /** Changes an attachment, and its volume's status with it. */
  async #put(tx: Tx, attachmentId: string, patch: Partial<FakeAttachment> & { readonly status: string }, without: readonly string[] = []): Promise<void> {
    const found = await this.attachments.find(tx, attachmentId);
    if (found === undefined) return;
    const attachment = Object.fromEntries(Object.entries({ ...found, ...patch }).filter(([key]) => !without.includes(key))) as unknown as FakeAttachment;
    await this.attachments.put(tx, attachment);
    const volume = await this.volumes.find(tx, attachment.volumeId);
    if (volume !== undefined) await this.volumes.put(tx, { ...volume, status: attachment.status === 'attached' ? 'in-use' : attachment.status });
  }

  async beginDetaching(...[tx, , volumeId]: Parameters<CinderFace['beginDetaching']>): Promise<void> {
    const volume = await this.volumes.find(tx, volumeId);
    if (volume === undefined) throw notFound(`Volume ${volumeId} could not be found.`);
    if (volume.status !== 'in-use') throw conflict(`Invalid volume: volume ${volumeId} status must be 'in-use'.`);
    await this.volumes.put(tx, { ...volume, status: 'detaching' });
  }

  async rollDetaching(...[tx, volumeId]: Parameters<CinderFace['rollDetaching']>): Promise<void> {
    const volume = await this.volumes.find(tx, volumeId);
    if (volume?.status === 'detaching') await this.volumes.put(tx, { ...volume, status: 'in-use' });
  }

  async detach(...[tx, attachmentId]: Parameters<CinderFace['detach']>): Promise<void> {
    const attachment = await this.attachments.find(tx, attachmentId);
    if (attachment === undefined) return;
    await this.attachments.remove(tx, attachmentId);
    const volume = await this.volumes.find(tx, attachment.volumeId);
    if (volume !== undefined) await this.volumes.put(tx, { ...volume, status: 'available' });
    // a volume's disk is where its guest is
    const { volumeId } = attachment;
    tx.afterCommit(() => void this.#removeDisk(volumeId));
  }

  async reimage(...[tx, , { volumeId, imageId }]: Parameters<CinderFace['reimage']>): Promise<void> {
    const volume = await this.volumes.find(tx, volumeId);
    if (volume === undefined) throw notFound(`Volume ${volumeId} could not be found.`);
    await this.volumes.put(tx, { ...volume, imageId });
  }

  async untilReimaged(volumeId: string): Promise<void> {
    if ((await this.volumes.find(this.#store.read, volumeId)) === undefined) throw notFound(`Volume ${volumeId} could not be found.`);
  }

  async attachmentsOfServer(db: Db, serverId: string) {
    return (await this.attachments.all(db)).filter((one) => one.serverId === serverId).map((one) => ({ ...one, host: null, mode: 'rw' as const }));
  }

  async deleteVolume(...[tx, , volumeId]: Parameters<CinderFace['deleteVolume']>): Promise<void> {
    await this.volumes.remove(tx, volumeId);
    tx.afterCommit(() => void this.#removeDisk(volumeId));
  }

  async createSnapshot(...[tx, , snapshot]: Parameters<CinderFace['createSnapshot']>): Promise<void> {
    const volume = await this.volumes.find(tx, snapshot.volumeId);
    if (volume === undefined) throw notFound(`Volume ${snapshot.volumeId} could not be found.`);
    await this.snapshots.put(tx, { id: snapshot.id, volumeId: snapshot.volumeId, sizeGb: volume.sizeGb });
  }

  async untilSnapshotAvailable(snapshotId: string): Promise<void> {
    if ((await this.snapshots.find(this.#store.read, snapshotId)) === undefined) throw notFound(`Snapshot ${snapshotId} could not be found.`);
  }

  async deleteSnapshot(...[tx, , snapshotId]: Parameters<CinderFace['deleteSnapshot']>): Promise<void> {
    await this.snapshots.remove(tx, snapshotId);
  }

  async #removeDisk(volumeId: string): Promise<void> {
    for (const host of this.#hosts.names()) {
      const { disks } = this.#hosts.get(host);
      await disks
        .unserve(volumeId)
        .then(() => disks.remove(volumeId))
        .catch(() => undefined);
    }
  }
}
