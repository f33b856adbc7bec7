import { tapName } from '@cairn/host/interface/fabric';
import type { DiskLocation } from '@cairn/host/interface/disks';
import type { DiskLimits, GuestDisk, GuestNic, GuestSpec } from '@cairn/host/interface/guests';
import type { GuestHardware } from '@cairn/host/interface/hardware';
import type { PortFacts } from '@cairn/neutron/face';
import { nextDeviceName } from '../app/block-devices.ts';
import type { TpmParts } from '../app/tpm-secrets.ts';
import type { BlockDeviceRow } from '../store/block-device.ts';
import { flavorOf, imageOf, type ServerRow, type StoredFlavor } from '../store/server.ts';
import type { PlacedTopology } from '../topology/fit.ts';
import { diskLimits } from './disk-limits.ts';
import { hardwareOf, hasRng, isUefi, tpmWish } from './hardware.ts';

const NIC_MODELS = new Set(['virtio', 'e1000', 'e1000e', 'rtl8139']);

/** A mapping as the guest sees it; undefined while no host has the disk. */
export function guestDisk(
  device: BlockDeviceRow,
  facts: {
    readonly multiattach: boolean;
    readonly readOnly: boolean;
    readonly sizeGb?: number;
    readonly qosSpecs?: Readonly<Record<string, string>>;
    readonly limits?: DiskLimits;
    readonly location?: DiskLocation;
  } = { multiattach: false, readOnly: false },
): GuestDisk | undefined {
  if (device.disk_id === null || device.device_name === null) return undefined;
  const readOnly = facts.readOnly || device.source_type === 'files';
  const limits = facts.limits ?? diskLimits(facts.qosSpecs, facts.sizeGb ?? 0);
  return {
    diskId: device.disk_id,
    ...(facts.location && { location: facts.location }),
    device: device.device_name.replace(/^\/dev\//, ''),
    bus: device.disk_bus as GuestDisk['bus'],
    kind: device.device_type as GuestDisk['kind'],
    ...(device.boot_index !== null && device.boot_index >= 0 ? { bootIndex: device.boot_index } : {}),
    ...(device.volume_id === null ? {} : { serial: device.volume_id }),
    ...(readOnly ? { readOnly } : {}),
    ...(facts.multiattach ? { shared: true } : {}),
    ...(limits === undefined ? {} : { limits }),
  };
}

/** A port as the guest's network card. */
export function guestNic(port: PortFacts, imageProperties: Readonly<Record<string, string>>): GuestNic {
  const wanted = imageProperties['hw_vif_model'] ?? 'virtio';
  return {
    portId: port.id,
    mac: port.mac,
    tap: tapName(port.id),
    mtu: port.networkMtu,
    model: (NIC_MODELS.has(wanted) ? wanted : 'virtio') as GuestNic['model'],
  };
}

export interface GuestParts {
  readonly row: Pick<ServerRow, 'id' | 'name' | 'flavor_json' | 'image_json'>;
  readonly devices: readonly BlockDeviceRow[];
  /** In the order of the server's interfaces. */
  readonly ports: readonly PortFacts[];
  /** Volumes that several servers may write to, by attachment. */
  readonly shared: ReadonlySet<string>;
  readonly readOnly: ReadonlySet<string>;
  /** What volumes' QoS specs allow, by attachment. */
  readonly limits?: ReadonlyMap<string, DiskLimits>;
  /** Where volumes are that another host keeps, by attachment. */
  readonly locations?: ReadonlyMap<string, DiskLocation>;
  /** Where it sits on its host; absent for a server that does not care. */
  readonly topology?: PlacedTopology;
  /** Of a server with a virtual TPM. */
  readonly tpm?: TpmParts;
}

/** What a rescued server's guest is started from; undefined while it is not rescued, or not yet. */
export const rescueDiskOf = (devices: readonly BlockDeviceRow[]): BlockDeviceRow | undefined =>
  devices.find((device) => device.source_type === 'rescue' && device.device_name !== null);

/** How a rescue disk's row says that the server keeps its disks as they are ("stable device rescue"). */
export const STABLE_RESCUE = 'stable';

const isMappingOrDrive = (device: BlockDeviceRow): boolean => device.source_type !== 'rescue';

function disksOf(parts: GuestParts, devices: readonly BlockDeviceRow[]): readonly GuestDisk[] {
  return devices.flatMap((device) => {
    const key = device.attachment_id ?? '';
    const limits = parts.limits?.get(key);
    const location = parts.locations?.get(key);
    const disk = guestDisk(device, {
      multiattach: parts.shared.has(key),
      readOnly: parts.readOnly.has(key),
      ...(limits && { limits }),
      ...(location && { location }),
    });
    return disk === undefined ? [] : [disk];
  });
}

const withoutBootIndex = ({ bootIndex: _boot, ...disk }: GuestDisk): GuestDisk => disk;

/**
 * The disks of a rescued server. Stable: all of its own in their places, and the rescue disk behind them, which boots. Otherwise the rescue
 * disk takes the first place, the server's root disk the second, and the rest are left out but for the config drive (upstream's libvirt driver).
 */
function rescueDisks(parts: GuestParts, rescue: BlockDeviceRow): readonly GuestDisk[] {
  const [first] = disksOf(parts, [rescue]);
  if (first === undefined) return [];
  const boots = { ...first, bootIndex: 0 };
  const own = parts.devices.filter(isMappingOrDrive);
  if (rescue.guest_format === STABLE_RESCUE) return [...disksOf(parts, own).map(withoutBootIndex), boots];
  const kept = [...own.filter((device) => device.boot_index === 0), ...own.filter((device) => device.source_type === 'files')];
  const taken: string[] = [first.device];
  return [
    boots,
    ...disksOf(parts, kept).map((disk) => {
      const device = (nextDeviceName(taken, disk.bus) ?? disk.device).replace(/^\/dev\//, '');
      taken.push(device);
      return { ...withoutBootIndex(disk), device };
    }),
  ];
}

/** Everything that a host must know to start a server. The same rows give the same guest, so every start after the first finds its slots again. */
export function guestSpec(parts: GuestParts): GuestSpec {
  const flavor = flavorOf(parts.row);
  const { properties } = imageOf(parts.row);
  const kernelId = properties['kernel_id'];
  const machine = properties['hw_machine_type'];
  const rescueDisk = rescueDiskOf(parts.devices);
  const hardware = guestHardware(parts, flavor, properties);
  return {
    guestId: parts.row.id,
    name: parts.row.name,
    vcpus: flavor.vcpus,
    memoryMb: flavor.memoryMb,
    firmware: isUefi(flavor, properties) ? 'uefi' : 'bios',
    ...(machine === undefined ? {} : { machine: machine === 'pc' || machine.startsWith('pc-i440fx') ? ('pc' as const) : ('q35' as const) }),
    ...(properties['hw_cpu_model'] === undefined ? {} : { cpuModel: properties['hw_cpu_model'] }),
    disks: rescueDisk === undefined ? disksOf(parts, parts.devices.filter(isMappingOrDrive)) : rescueDisks(parts, rescueDisk),
    nics: parts.ports.map((port) => guestNic(port, properties)),
    // a rescue disk boots by itself
    ...(rescueDisk !== undefined || kernelId === undefined || kernelId === '' || kernelId === 'nokernel'
      ? {}
      : {
          kernel: {
            imageId: kernelId,
            ...(properties['ramdisk_id'] ? { ramdiskImageId: properties['ramdisk_id'] } : {}),
            commandLine: properties['os_command_line'] ?? 'root=/dev/vda console=tty0 console=ttyS0',
          },
        }),
    rng: hasRng(flavor),
    vnc: true,
    ...(Object.keys(hardware).length === 0 ? {} : { hardware }),
  };
}

function guestHardware(parts: GuestParts, flavor: StoredFlavor, properties: Readonly<Record<string, string>>): GuestHardware {
  const tpm = tpmWish(flavor, properties);
  const { topology } = parts;
  return {
    ...hardwareOf(flavor, properties),
    ...(tpm && parts.tpm && { tpm: { ...tpm, ...parts.tpm } }),
    ...(topology && {
      numa: {
        cells: topology.cells.map(({ id, hostNode, shared, pins, memoryMb, pageSizeKb }) => ({ id, hostNode, shared, pins, memoryMb, pageSizeKb })),
        emulatorCpus: topology.emulatorCpus,
      },
    }),
  };
}
