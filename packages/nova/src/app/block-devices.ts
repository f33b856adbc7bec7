import { invalidInput } from '@cairn/kit/errors/errors';

/** What a server's disk is to be: one entry of a request's mapping, of an image's, or of a flavor's, in one form. */
export interface BlockDevice {
  readonly sourceType: 'image' | 'volume' | 'snapshot' | 'blank';
  readonly destinationType: 'local' | 'volume';
  readonly imageId?: string;
  readonly volumeId?: string;
  readonly snapshotId?: string;
  /** With `/dev/`. */
  readonly deviceName?: string;
  readonly deviceType: string;
  readonly diskBus?: string;
  readonly guestFormat?: string;
  /** Null or negative: not for booting. */
  readonly bootIndex: number | null;
  /** GiB; MiB for swap, as upstream. */
  readonly volumeSize?: number;
  readonly volumeType?: string;
  readonly deleteOnTermination: boolean;
  readonly tag?: string;
}

/** One entry of `block_device_mapping_v2` after its schema. */
export interface MappingV2 {
  readonly source_type?: string;
  readonly destination_type?: string;
  readonly uuid?: string;
  readonly boot_index?: number | string | null;
  readonly device_name?: string;
  readonly device_type?: string;
  readonly disk_bus?: string;
  readonly guest_format?: string;
  readonly volume_size?: number | string;
  readonly volume_type?: string | null;
  readonly delete_on_termination?: boolean | string;
  readonly tag?: string;
  readonly no_device?: unknown;
  readonly virtual_name?: string;
  readonly volume_id?: string;
  readonly snapshot_id?: string;
  readonly image_id?: string;
}

/** One entry of the old `block_device_mapping`. */
export interface MappingV1 {
  readonly virtual_name?: string;
  readonly volume_id?: string;
  readonly snapshot_id?: string;
  readonly volume_size?: number | string;
  readonly device_name?: string;
  readonly delete_on_termination?: boolean | string;
  readonly no_device?: unknown;
}

const badFormat = (details: string) => invalidInput(`Block Device Mapping is Invalid: ${details}`);
const TRUE = new Set(['true', '1', 'on', 'yes', 't', 'y']);
/** oslo's bool_from_string, not strict. */
export const isTrue = (value: unknown): boolean => value === true || (typeof value === 'string' && TRUE.has(value.trim().toLowerCase()));
const given = (value: unknown): boolean => value !== undefined && value !== null && value !== '' && value !== false;
const withDev = (name: string): string => `/dev/${name.replace(/^\/dev\//, '')}`;
const shortName = (name: string | undefined): string | undefined => name?.replace(/^\/dev\//, '');

function size(value: number | string | undefined): { readonly volumeSize?: number } {
  return value === undefined || value === '' || Number(value) === 0 ? {} : { volumeSize: Number(value) };
}

/** Reads `block_device_mapping_v2`; entries with `no_device` are left out, since nothing of theirs is ever made. */
export function fromV2(entries: readonly MappingV2[], imageGiven: boolean): readonly BlockDevice[] {
  return entries.filter((entry) => !given(entry.no_device)).map((entry) => oneV2(entry, imageGiven));
}

function oneV2(entry: MappingV2, imageGiven: boolean): BlockDevice {
  if (entry.virtual_name !== undefined) throw badFormat('Following fields are invalid: virtual_name');
  const { source_type: sourceType, uuid, volume_type: volumeType } = entry;
  if (sourceType === 'blank') {
    if (uuid) throw badFormat('Invalid device UUID.');
  } else if (!uuid) {
    throw badFormat('Missing device UUID.');
  }
  if (sourceType === undefined) throw badFormat('Some required fields are missing');
  const bootIndex = entry.boot_index === undefined || entry.boot_index === null ? null : Number(entry.boot_index);
  if (sourceType === 'image' && entry.destination_type === 'local' && !(imageGiven && bootIndex === 0))
    throw badFormat('Mapping image to local is not supported.');
  if (entry.destination_type === 'local' && volumeType) throw badFormat('Specifying a volume_type with destination_type=local is not supported.');
  if (sourceType === 'volume' && volumeType) throw badFormat('Specifying volume type to existing volume is not supported.');
  return {
    sourceType: sourceType as BlockDevice['sourceType'],
    destinationType: (entry.destination_type ??
      (sourceType === 'blank' || (sourceType === 'image' && bootIndex === 0) ? 'local' : 'volume')) as BlockDevice['destinationType'],
    ...(sourceType === 'image' ? { imageId: uuid as string } : {}),
    ...(sourceType === 'volume' ? { volumeId: uuid as string } : {}),
    ...(sourceType === 'snapshot' ? { snapshotId: uuid as string } : {}),
    ...(entry.device_name === undefined ? {} : { deviceName: withDev(entry.device_name) }),
    deviceType: entry.device_type ?? 'disk',
    ...(entry.disk_bus === undefined ? {} : { diskBus: entry.disk_bus }),
    ...(entry.guest_format === undefined ? {} : { guestFormat: entry.guest_format }),
    bootIndex,
    ...size(entry.volume_size),
    ...(volumeType ? { volumeType } : {}),
    deleteOnTermination: isTrue(entry.delete_on_termination),
    ...(entry.tag === undefined ? {} : { tag: entry.tag }),
  };
}

/**
 * Reads the old `block_device_mapping`. The device named like the root boots; where none is and there is an image, the image does
 * (nova/block_device.py, from_legacy_mapping).
 */
export function fromV1(entries: readonly MappingV1[], imageId: string, rootDevice: string, rootInImage: boolean): readonly BlockDevice[] {
  const devices = entries.filter((entry) => !given(entry.no_device)).map(oneV1);
  if (rootInImage) return devices.map((device) => ({ ...device, bootIndex: -1 }));
  let booted = false;
  const placed = devices.map((device) => {
    const isRoot = device.sourceType !== 'blank' && shortName(device.deviceName) === shortName(rootDevice);
    booted ||= isRoot;
    return { ...device, bootIndex: isRoot ? 0 : -1 };
  });
  return !booted && imageId !== '' ? [imageRoot(imageId), ...placed] : placed;
}

function oneV1(entry: MappingV1): BlockDevice {
  const virtual = entry.virtual_name ?? '';
  const common = {
    deviceType: 'disk',
    bootIndex: null,
    ...(entry.device_name === undefined ? {} : { deviceName: withDev(entry.device_name) }),
    ...size(entry.volume_size),
  };
  if (virtual === 'swap' || /^ephemeral(\d|[1-9]\d+)$/.test(virtual)) {
    return { ...common, sourceType: 'blank', destinationType: 'local', deleteOnTermination: true, ...(virtual === 'swap' ? { guestFormat: 'swap' } : {}) };
  }
  const deleteOnTermination = isTrue(entry.delete_on_termination);
  if (entry.snapshot_id) return { ...common, sourceType: 'snapshot', destinationType: 'volume', snapshotId: entry.snapshot_id, deleteOnTermination };
  if (entry.volume_id) return { ...common, sourceType: 'volume', destinationType: 'volume', volumeId: entry.volume_id, deleteOnTermination };
  throw badFormat('Unrecognized legacy format.');
}

/** The local disk that a server boots from when its image is all that was asked. */
export const imageRoot = (imageId: string): BlockDevice => ({
  sourceType: 'image',
  destinationType: 'local',
  imageId,
  deviceType: 'disk',
  bootIndex: 0,
  deleteOnTermination: true,
});

/** Mappings that an image itself carries: a snapshot of a volume-backed server does, as JSON text in its properties. */
export function fromImage(properties: Readonly<Record<string, string>>, rootDevice: string): readonly BlockDevice[] {
  const text = properties['block_device_mapping'];
  if (text === undefined) return [];
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch {
    throw badFormat('the image property block_device_mapping is no JSON.');
  }
  if (!Array.isArray(entries)) throw badFormat('the image property block_device_mapping is no list.');
  if (!isTrue(properties['bdm_v2'])) return fromV1(entries as MappingV1[], '', rootDevice, false);
  return (entries as MappingV2[]).filter((entry) => !given(entry.no_device)).map((entry) => oneV2({ ...stripNulls(entry), ...sourceUuid(entry) }, true));
}

const stripNulls = (entry: MappingV2): MappingV2 => Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null)) as MappingV2;
/** Image mappings name their source by `snapshot_id` and the like. */
function sourceUuid(entry: MappingV2): { readonly uuid?: string } {
  const uuid = entry.uuid ?? entry.snapshot_id ?? entry.volume_id ?? entry.image_id;
  return uuid && entry.source_type !== 'blank' ? { uuid } : {};
}

/** Disks that the flavor brings unless the request says otherwise. */
export function fromFlavor(flavor: { readonly ephemeralGb: number; readonly swapMb: number }, devices: readonly BlockDevice[]): readonly BlockDevice[] {
  const blank = (volumeSize: number, guestFormat?: string): BlockDevice => ({
    sourceType: 'blank',
    destinationType: 'local',
    deviceType: 'disk',
    bootIndex: -1,
    volumeSize,
    deleteOnTermination: true,
    ...(guestFormat === undefined ? {} : { guestFormat }),
  });
  const added: BlockDevice[] = [];
  if (flavor.ephemeralGb > 0 && !devices.some(isEphemeral)) added.push(blank(flavor.ephemeralGb));
  if (flavor.swapMb > 0 && !devices.some(isSwap)) added.push(blank(flavor.swapMb, 'swap'));
  return added;
}

export const isSwap = (device: Pick<BlockDevice, 'sourceType' | 'destinationType' | 'guestFormat'>): boolean =>
  device.sourceType === 'blank' && device.destinationType === 'local' && device.guestFormat === 'swap';
export const isEphemeral = (device: Pick<BlockDevice, 'sourceType' | 'destinationType' | 'guestFormat'>): boolean =>
  device.sourceType === 'blank' && device.destinationType === 'local' && device.guestFormat !== 'swap';
export const rootOf = <D extends { readonly bootIndex: number | null }>(devices: readonly D[]): D | undefined =>
  devices.find((device) => device.bootIndex === 0);

const DISK_BUSES = new Set(['fdc', 'ide', 'sata', 'scsi', 'usb', 'virtio', 'xen', 'lxc', 'uml']);

export interface MappingRequest {
  readonly imageId: string;
  readonly imageProperties: Readonly<Record<string, string>>;
  readonly v1?: readonly MappingV1[];
  readonly v2?: readonly MappingV2[];
  readonly flavor: { readonly ephemeralGb: number; readonly swapMb: number };
  readonly maxCount: number;
}

/** All disks of a server to be: the request's, the image's and the flavor's, checked against each other (not yet against other services). */
export function planBlockDevices(request: MappingRequest): readonly BlockDevice[] {
  const { imageId } = request;
  const rootDevice = request.imageProperties['root_device_name'] ?? '/dev/vda';
  const fromRequest = request.v2 === undefined || request.v2.length === 0 ? [] : fromV2(request.v2, imageId !== '');
  if (imageId !== '') {
    const clash = [
      ...fromRequest.filter((device) => device.destinationType === 'volume'),
      ...(request.v1 ?? []).map((entry) => ({ deviceName: entry.device_name })),
    ];
    if (clash.some((device) => device.deviceName !== undefined && shortName(device.deviceName) === shortName(rootDevice))) {
      throw invalidInput(`The volume cannot be assigned the same device name as the root device ${shortName(rootDevice)}`);
    }
  }
  const imageDefined = fromImage(request.imageProperties, rootDevice);
  const rootInImage = rootOf(imageDefined) !== undefined;
  let devices: readonly BlockDevice[];
  if (fromRequest.length > 0) devices = rootInImage ? fromRequest.filter((device) => !(device.bootIndex === 0 && device.sourceType === 'image')) : fromRequest;
  else devices = fromV1(request.v1 ?? [], imageId, rootDevice, rootInImage);
  const named = new Set(devices.map((device) => device.deviceName).filter((name) => name !== undefined));
  devices = [...devices, ...imageDefined.filter((device) => device.deviceName === undefined || !named.has(device.deviceName))];
  if (request.maxCount > 1 && devices.some((device) => device.sourceType === 'volume'))
    throw invalidInput('Cannot attach one or more volumes to multiple instances');
  devices = [...devices, ...fromFlavor(request.flavor, devices)];
  checkBootOrder(devices);
  checkSizes(devices, request.flavor);
  return devices;
}

function checkBootOrder(devices: readonly BlockDevice[]): void {
  const order = devices.flatMap((device) => (device.bootIndex === null || device.bootIndex < 0 ? [] : [device.bootIndex])).sort((a, b) => a - b);
  if (order.length === 0 || order.some((index, at) => index !== at)) {
    throw badFormat('Boot sequence for the instance and image/block device mapping combination is not valid.');
  }
}

function checkSizes(devices: readonly BlockDevice[], flavor: { readonly ephemeralGb: number; readonly swapMb: number }): void {
  for (const device of devices) {
    if (device.destinationType === 'volume' && device.volumeSize === undefined) {
      if (device.sourceType === 'image') throw invalidInput("Images with destination_type 'volume' need to have a non-zero size specified");
      if (device.sourceType === 'blank') throw invalidInput("Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size");
    }
    if (device.diskBus !== undefined && !DISK_BUSES.has(device.diskBus)) {
      throw badFormat(`Disk bus ${device.diskBus} is not valid.`);
    }
  }
  const ephemeralGb = devices.filter(isEphemeral).reduce((sum, device) => sum + (device.volumeSize ?? flavor.ephemeralGb), 0);
  if (ephemeralGb > flavor.ephemeralGb) {
    throw invalidInput(
      'Ephemeral disks requested are larger than the instance type allows. If no size is given in one block device mapping, flavor ephemeral size will be used.',
    );
  }
  const swaps = devices.filter(isSwap);
  if (swaps.length > 1) throw badFormat('More than one swap drive requested.');
  if ((swaps[0]?.volumeSize ?? 0) > flavor.swapMb) throw invalidInput('Swap drive requested is larger than instance type allows.');
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const PREFIX: Readonly<Record<string, string>> = { virtio: 'vd', scsi: 'sd', sata: 'sd', usb: 'sd', ide: 'hd' };

/** The next free name for a disk on a bus: `/dev/vdb`. Undefined when all are taken. */
export function nextDeviceName(taken: Iterable<string | null>, bus: string): string | undefined {
  const names = new Set([...taken].map((name) => shortName(name ?? undefined)));
  const prefix = PREFIX[bus] ?? 'vd';
  for (const letter of LETTERS) if (!names.has(`${prefix}${letter}`)) return `/dev/${prefix}${letter}`;
  return undefined;
}

/** Names for volumes that have none yet, by mapping: each the next that is free. One is missing where all are taken. */
export function missingDeviceNames(
  devices: readonly { readonly id: string; readonly device_name: string | null; readonly disk_bus: string | null; readonly attachment_id: string | null }[],
): ReadonlyMap<string, string> {
  const taken = devices.map((device) => device.device_name);
  const names = new Map<string, string>();
  for (const device of devices) {
    if (device.device_name !== null || device.attachment_id === null) continue;
    const name = nextDeviceName(taken, device.disk_bus ?? 'virtio');
    if (name === undefined) break;
    names.set(device.id, name);
    taken.push(name);
  }
  return names;
}

/** The message of MySQL and libvirt drivers for a name that no disk can have. */
export const isDeviceName = (name: string): boolean => /^\/dev\/x?[a-z]?d?[a-z]+[0-9]*$/.test(name);
