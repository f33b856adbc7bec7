import type { HostAgent } from '@cairn/host/interface/agent';
import type { DiskSource, NewDisk } from '@cairn/host/interface/disks';
import { notFound } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { isSwap } from '../app/block-devices.ts';
import type { NovaDeps } from '../app/deps.ts';
import { configDriveFiles } from '../metadata-service/config-drive.ts';
import { signatureWish } from '../app/trusted-certificates.ts';
import { guestFacts } from '../metadata-service/facts.ts';
import { type BlockDeviceRow, blockDevicesOf } from '../store/block-device.ts';
import type { Leftover } from '../store/leftover.ts';
import { findServer, flavorOf } from '../store/server.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** A disk that lives and dies with the server. */
export interface LocalDisk {
  readonly diskId: string;
  readonly disk: NewDisk;
}

export interface DiskWishes {
  /** The root disk comes from this image and not from the mapping's. */
  readonly rootImageId?: string;
  /** Only these mappings, with the ids that their new disks get. */
  readonly only?: Readonly<Record<string, string>>;
  /** Ends the reading of an image whose signature is checked. */
  readonly signal?: AbortSignal;
}

/** The local disks that a server needs, ready to be made: root from its image, ephemeral and swap blank, the config drive. */
export async function localDisks(deps: NovaDeps, db: Db, serverId: string, adminPass: string | null, wishes: DiskWishes = {}): Promise<readonly LocalDisk[]> {
  const [row, devices] = await Promise.all([findServer(db, serverId), blockDevicesOf(db, serverId)]);
  if (row === undefined) throw notFound(`Instance ${serverId} could not be found.`);
  const flavor = flavorOf(row);
  const disks: LocalDisk[] = [];
  for (const device of devices) {
    if (device.destination_type !== 'local' || device.disk_id === null) continue;
    if (wishes.only !== undefined && wishes.only[device.id] === undefined) continue;
    const diskId = wishes.only?.[device.id] ?? device.disk_id;
    const put = (sizeBytes: number, source: DiskSource): void => {
      disks.push({ diskId, disk: { diskId, sizeBytes, source, pool: 'ephemeral' } });
    };
    const image = async (imageId: string): Promise<DiskSource> => {
      // what a shelved server left was made by the cloud itself, and nobody signed it
      const wish = imageId !== wishes.rootImageId && signatureWish(deps.options.imageSignatures, row);
      if (wish) await deps.faces.glance.verifySignature(imageId, wish.trusted, wishes.signal);
      return { kind: 'image', image: await deps.faces.glance.source(db, imageId) };
    };
    if (device.source_type === 'rescue' && device.image_id !== null) {
      put(0, await image(device.image_id));
    } else if (device.source_type === 'image' && device.image_id !== null) {
      const imageId = device.boot_index === 0 ? (wishes.rootImageId ?? device.image_id) : device.image_id;
      put(flavor.rootGb * GIB, await image(imageId));
    } else if (device.source_type === 'files') {
      const facts = await guestFacts(deps, db, serverId, true);
      if (facts === undefined) throw notFound(`Instance ${serverId} could not be found.`);
      const files = (JSON.parse(row.files_json) as readonly { readonly path: string; readonly contents: string }[]).map(({ path, contents }) => ({
        path,
        contents: Buffer.from(contents, 'base64'),
      }));
      put(0, { kind: 'files', label: 'config-2', files: configDriveFiles({ ...facts, files, ...(adminPass === null ? {} : { adminPass }) }, deps.env.ids) });
    } else if (isSwapRow(device)) {
      put((device.volume_size_gb ?? flavor.swapMb) * MIB, { kind: 'blank' });
    } else {
      put((device.volume_size_gb ?? flavor.ephemeralGb) * GIB, { kind: 'blank' });
    }
  }
  return disks;
}

/** The size of a swap mapping is in MiB. */
const isSwapRow = (device: BlockDeviceRow): boolean =>
  isSwap({
    sourceType: device.source_type as 'blank',
    destinationType: device.destination_type as 'local',
    ...(device.guest_format === null ? {} : { guestFormat: device.guest_format }),
  });

/** Makes disks on a host, side by side. */
export async function makeDisks(deps: NovaDeps, host: string, disks: readonly LocalDisk[], signal: AbortSignal): Promise<void> {
  if (disks.length === 0) return;
  const { disks: agent } = deps.hosts.get(host);
  await Promise.all(
    disks.map(async ({ disk }) => {
      if (disk.source.kind === 'image') await agent.cacheImage(disk.source.image);
      signal.throwIfAborted();
      await agent.create(disk);
    }),
  );
}

/** Removes a server's local disks from its host. */
export async function removeDisks(agent: HostAgent, devices: readonly BlockDeviceRow[]): Promise<void> {
  const local = devices.filter((device) => device.destination_type === 'local' && device.disk_id !== null);
  await Promise.all(local.map((device) => agent.disks.remove(device.disk_id as string)));
}

export const diskLeftovers = (devices: readonly BlockDeviceRow[]): readonly Leftover[] =>
  devices.flatMap((device) => (device.destination_type === 'local' && device.disk_id !== null ? [{ kind: 'disk' as const, id: device.disk_id }] : []));
