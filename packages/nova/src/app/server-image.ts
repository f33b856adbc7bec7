import { type CairnError, forbidden, invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import type { ImageFacts } from '@cairn/glance/face';
import type { StoredFlavor, StoredImage } from '../store/server.ts';
import { type BlockDevice, rootOf } from './block-devices.ts';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';

const GIB = 2 ** 30;

/** What a server boots from, as far as checks and placement care. */
export interface BootSource {
  readonly image: StoredImage;
  /** Of the image's data; 0 when it does not matter. */
  readonly sizeBytes: number;
}

export const NO_IMAGE: BootSource = { image: { diskFormat: null, containerFormat: null, minDiskGb: 0, minRamMb: 0, properties: {} }, sizeBytes: 0 };

export const storedImage = (facts: ImageFacts): StoredImage => ({
  diskFormat: facts.diskFormat,
  containerFormat: facts.containerFormat,
  minDiskGb: facts.minDiskGb,
  minRamMb: facts.minRamMb,
  properties: facts.properties,
});

/** The image of `imageRef`. Throws 400s with upstream's words. */
export async function bootImage(deps: NovaDeps, db: Db, caller: Caller, imageId: string): Promise<BootSource> {
  const facts = await imageOrThrow(deps, db, caller, imageId, () => invalidInput('Can not find requested image'));
  if (facts.status !== 'active') throw invalidInput(`Image ${imageId} is not active.`);
  if (facts.properties['cinder_encryption_key_id'] !== undefined) {
    throw invalidInput(`Image ${imageId} is unacceptable: Direct booting of an image uploaded from an encrypted volume is unsupported.`);
  }
  for (const key of ['kernel_id', 'ramdisk_id']) {
    const id = facts.properties[key];
    if (id !== undefined && id !== '' && id !== 'nokernel') await imageOrThrow(deps, db, caller, id, () => invalidInput('Can not find requested image'));
  }
  return { image: storedImage(facts), sizeBytes: facts.sizeBytes ?? 0 };
}

async function imageOrThrow(deps: NovaDeps, db: Db, caller: Caller, imageId: string, error: () => CairnError): Promise<ImageFacts> {
  try {
    return await deps.faces.glance.image(db, caller.ctx, imageId);
  } catch (cause) {
    if (isCairnError(cause, 'NotFound') || isCairnError(cause, 'Forbidden')) throw error();
    throw cause;
  }
}

/** What is known of the image behind a boot volume, snapshot or image-to-volume mapping, for a request without `imageRef`. */
export async function bootSourceOf(deps: NovaDeps, db: Db, caller: Caller, devices: readonly BlockDevice[]): Promise<BootSource> {
  const root = rootOf(devices);
  if (root === undefined) return NO_IMAGE;
  if (root.imageId !== undefined) {
    const id = root.imageId;
    const facts = await imageOrThrow(deps, db, caller, id, () => invalidInput(`Block Device Mapping is Invalid: failed to get image ${id}.`));
    if (facts.status !== 'active') throw invalidInput(`Image ${id} is not active.`);
    return { image: storedImage(facts), sizeBytes: facts.sizeBytes ?? 0 };
  }
  let volumeId = root.volumeId;
  if (root.snapshotId !== undefined) volumeId = (await snapshotOrThrow(deps, db, caller, root.snapshotId)).volumeId;
  if (volumeId === undefined) return NO_IMAGE;
  const id = volumeId;
  const volume = await lookUp(deps.faces.cinder.volume(db, caller.ctx, id), () => invalidInput(`Block Device Mapping is Invalid: failed to get volume ${id}.`));
  if (!volume.bootable) throw invalidInput(`Block Device ${id} is not bootable.`);
  const meta = volume.imageMetadata;
  return {
    image: {
      diskFormat: meta['disk_format'] ?? null,
      containerFormat: meta['container_format'] ?? null,
      minDiskGb: 0,
      minRamMb: Number(meta['min_ram'] ?? 0) || 0,
      properties: Object.fromEntries(Object.entries(meta).filter(([key]) => !VOLUME_IMAGE_FIELDS.has(key))),
    },
    sizeBytes: 0,
  };
}

/** Image attributes that cinder keeps among the properties. */
const VOLUME_IMAGE_FIELDS = new Set(['image_id', 'image_name', 'size', 'checksum', 'container_format', 'disk_format', 'min_ram', 'min_disk']);

/** Resolves a lookup in another service, with the server request's own error for what is not there. */
export async function lookUp<T>(lookup: Promise<T>, error: () => CairnError): Promise<T> {
  try {
    return await lookup;
  } catch (cause) {
    if (isCairnError(cause, 'NotFound') || isCairnError(cause, 'Forbidden')) throw error();
    throw cause;
  }
}

export const snapshotOrThrow = (deps: NovaDeps, db: Db, caller: Caller, snapshotId: string) =>
  lookUp(deps.faces.cinder.snapshot(db, caller.ctx, snapshotId), () => invalidInput(`Block Device Mapping is Invalid: failed to get snapshot ${snapshotId}.`));

/** Flavor and image must fit (nova/compute/api.py, _validate_flavor_image). */
export function checkFlavorFits(caller: Caller, flavor: StoredFlavor, boot: BootSource, devices: readonly BlockDevice[]): void {
  const { image } = boot;
  const configDrive = image.properties['img_config_drive'] ?? 'optional';
  if (configDrive !== 'optional' && configDrive !== 'mandatory') throw invalidInput(`Image's config drive option '${configDrive}' is invalid`);
  if (flavor.memoryMb < image.minRamMb) throw invalidInput("Flavor's memory is too small for requested image.");
  const root = rootOf(devices);
  const minDiskBytes = image.minDiskGb * GIB;
  if (root?.destinationType === 'volume') {
    if (root.volumeSize !== undefined && minDiskBytes > root.volumeSize * GIB) {
      throw invalidInput(
        `Volume is smaller than the minimum size specified in image metadata. Volume size is ${root.volumeSize * GIB} bytes, minimum size is ${minDiskBytes} bytes.`,
      );
    }
    return;
  }
  const diskBytes = flavor.rootGb * GIB;
  if (diskBytes === 0) {
    // a flavor without a disk takes as much of the host's as the image likes
    if (!caller.allowed('os_compute_api:servers:create:zero_disk_flavor'))
      throw forbidden('Only volume-backed servers are allowed for flavors with zero disk.');
    return;
  }
  if (boot.sizeBytes > diskBytes) {
    throw invalidInput(`Flavor's disk is too small for requested image. Flavor disk is ${diskBytes} bytes, image is ${boot.sizeBytes} bytes.`);
  }
  if (minDiskBytes > diskBytes) {
    throw invalidInput(
      `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${diskBytes} bytes, minimum size is ${minDiskBytes} bytes.`,
    );
  }
}
