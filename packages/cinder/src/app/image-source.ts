import type { ImageFacts } from '@cairn/glance/face';
import { LUKS_HEADER_BYTES } from '@cairn/host/interface/disks';
import { conflict, invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { Context } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { invalid } from '../errors.ts';
import type { Pairs } from '../store/metadata.ts';
import type { CinderDeps } from './deps.ts';

const GIB = 2 ** 30;

/** The image that a request names by id, by a link that ends with it, or else by its name. */
export async function findImage(deps: CinderDeps, db: Db, ctx: Context, reference: string): Promise<ImageFacts> {
  const { glance } = deps.faces;
  const id = reference.split('/').at(-1) ?? '';
  if (isUuidLike(id)) {
    try {
      return await glance.image(db, ctx, id);
    } catch (error) {
      if (!isCairnError(error, 'NotFound') && !isCairnError(error, 'Forbidden')) throw error;
    }
  }
  const [named, another] = await glance.named(db, ctx, reference);
  if (another) throw conflict(`Multiple matches found for '${reference}', use an ID to be more specific.`);
  if (!named) throw invalidInput('Invalid image identifier or unable to access requested image.', { field: 'imageRef' });
  return named;
}

/** The snapshot that an image made of a volume-backed server stands for; undefined for other images. */
export function snapshotOfImage(image: ImageFacts): string | undefined {
  const text = image.properties['block_device_mapping'];
  if (text === undefined) return undefined;
  let devices: unknown;
  try {
    devices = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(devices)) return undefined;
  const boot = (devices as Record<string, unknown>[]).find(
    (device) => device !== null && typeof device === 'object' && device['source_type'] === 'snapshot' && device['boot_index'] === 0,
  );
  return typeof boot?.['snapshot_id'] === 'string' ? boot['snapshot_id'] : undefined;
}

/** The property of an image that holds an encrypted volume as it is stored: the key that opens it. */
export const IMAGE_KEY = 'cinder_encryption_key_id';
export const IMAGE_KEY_DELETION = 'cinder_encryption_key_deletion_policy';

/** Refuses an image that is not there yet or does not fit. */
export function checkImage(image: ImageFacts, sizeGb: number): void {
  if (image.status !== 'active') throw invalid(`Image ${image.id} is not active.`);
  // what is stored of an encrypted volume has a header besides its data
  const header = image.properties[IMAGE_KEY] === undefined ? 0 : LUKS_HEADER_BYTES;
  const imageGb = Math.ceil(((image.sizeBytes ?? 0) - header) / GIB);
  if (imageGb > sizeGb) throw invalid(`Size of specified image ${imageGb}GB is larger than volume size ${sizeGb}GB.`);
  if (sizeGb < image.minDiskGb) throw invalid(`Volume size ${sizeGb}GB cannot be smaller than the image minDisk size ${image.minDiskGb}GB.`);
  const virtualGb = Math.ceil(((image.virtualSizeBytes ?? 0) - header) / GIB);
  if (virtualGb > sizeGb)
    throw invalidInput(`Image ${image.id} is unacceptable: Image virtual size is ${virtualGb}GB and doesn't fit in a volume of size ${sizeGb}GB.`, {
      type: 'ImageUnacceptable',
    });
}

/** What a volume keeps of the image it was made from. */
export function imageMetadataOf(image: ImageFacts): Pairs {
  const { name, checksum, containerFormat, diskFormat, sizeBytes } = image;
  return {
    ...image.properties,
    image_id: image.id,
    ...(name !== null && name !== '' && { image_name: name }),
    ...(checksum !== null && { checksum }),
    ...(containerFormat !== null && { container_format: containerFormat }),
    ...(diskFormat !== null && { disk_format: diskFormat }),
    min_disk: String(image.minDiskGb),
    min_ram: String(image.minRamMb),
    ...(sizeBytes !== null && { size: String(sizeBytes) }),
  };
}
