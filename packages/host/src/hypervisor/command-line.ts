import type { GuestSpec } from '../interface/guests.ts';
import type { GuestHardware } from '../interface/hardware.ts';
import type { BlockNode } from './blockdev.ts';
import { controllers, type Device, diskDevice, type MachineKind, netdevId, nicDevice } from './devices.ts';
import { escapeOption } from '../process/command.ts';
import { SANDBOX } from './inventory.ts';
import { cpuOption, ExtraPlaces, extras, numaOptions, sharesBalloon, tpmOptions, videoCard } from './machine-parts.ts';
import { diskKey, portId, type Slots } from './slots.ts';

/** Where a guest's sockets and files are. */
export interface GuestPaths {
  readonly qmpSocket: string;
  readonly serialSocket: string;
  readonly vncSocket: string;
  readonly agentSocket: string;
  readonly fastStartSocket: string;
  readonly tpmSocket: string;
  readonly consoleLog: string;
}

/** All that decides how QEMU is started. */
export interface MachinePlan {
  readonly spec: GuestSpec;
  readonly paths: GuestPaths;
  readonly machine: MachineKind;
  /** The versioned type (`pc-q35-7.2`), so that a suspended guest finds the same machine after an upgrade of QEMU. */
  readonly machineType: string;
  readonly accelerator: 'kvm' | 'tcg';
  readonly cpuModel: string;
  readonly seccomp: boolean;
  readonly slots: Slots;
  readonly ports: number;
  /** By `diskKey`, for the buses that have places of their own. */
  readonly places: Readonly<Record<string, number>>;
  /** The opened chain of each disk, by disk id. */
  readonly nodes: ReadonlyMap<string, BlockNode & { readonly 'node-name': string }>;
  /** Where the secrets of encrypted disks are read from. */
  readonly secrets?: readonly object[];
  readonly firmware?: { readonly codePath: string; readonly variablesPath?: string };
  /** How many NUMA nodes the host has. */
  readonly hostNodes?: number;
  readonly kernel?: { readonly kernelPath: string; readonly ramdiskPath?: string; readonly commandLine: string };
  /** A template, or what is started from one. */
  readonly fastStart?: FastStartDevices;
  /** The machine waits for a saved memory and does not run by itself. */
  readonly incoming: boolean;
}

/** What a machine has in addition when it is a template or comes from one. */
export interface FastStartDevices {
  /** The file that is its memory: written (a template), or mapped privately, so that the machine's own writes stay its own. */
  readonly memory?: { readonly path: string; readonly isShared: boolean };
}

/** As QEMU itself names the memory of both machine types, so that a machine with any other memory can take this one over. */
const MEMORY_ID = 'pc.ram';
/** The name by which guests find the channel. */
export const FAST_START_PORT = 'io.cairn.fast-start.0';

/** MiB of translated code kept under TCG: more costs memory per guest, less costs speed (8: twice the boot time). */
const TCG_BUFFER_MB = 32;
const PORTS_AT = 0x2;

/** A name fit for a list of processes: control characters (which no name of a server has) and excess length go. */
const processName = (name: string): string => name.replace(/[\x00-\x1f\x7f]/g, ' ').slice(0, 128);

/**
 * QEMU's argv. Disks and devices go as JSON; what comes from users is in JSON strings, in arguments of its own (`-append`) or in a
 * key=value option with its commas doubled (`-name`), never bare.
 */
export function commandLine(plan: MachinePlan): readonly string[] {
  const { spec, paths, machine } = plan;
  const { hardware } = spec;
  const topology = hardware?.cpuTopology ?? { sockets: spec.vcpus, cores: 1, threads: 1 };
  const rootBus = machine === 'pc' ? 'pci.0' : 'pcie.0';
  const groups: readonly (readonly string[])[] = [
    ['-name', `guest=${escapeOption(processName(spec.name))},debug-threads=on`],
    ['-no-user-config', '-nodefaults', '-display', 'none'],
    plan.seccomp ? ['-sandbox', SANDBOX] : [],
    plan.fastStart?.memory ? ['-object', JSON.stringify(memoryObject(plan.fastStart.memory, spec.memoryMb))] : [],
    ['-machine', machineOption(plan)],
    ['-accel', plan.accelerator === 'kvm' ? 'kvm' : `tcg,tb-size=${TCG_BUFFER_MB}`],
    ['-cpu', cpuOption(plan.cpuModel, hardware)],
    ['-smp', `cpus=${spec.vcpus},sockets=${topology.sockets},cores=${topology.cores},threads=${topology.threads}`],
    ['-m', `size=${spec.memoryMb}M`],
    numaOptions(hardware, plan.hostNodes ?? 1),
    ['-uuid', spec.guestId],
    ['-smbios', `type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,serial=${spec.guestId},uuid=${spec.guestId},family=Virtual Machine`],
    ['-rtc', 'base=utc,driftfix=slew'],
    plan.accelerator === 'kvm' ? ['-global', 'kvm-pit.lost_tick_policy=delay'] : [],
    // Sleep states would stop a guest in a way that no verb of the API ends.
    ['s3', 's4'].flatMap((state) => ['-global', `${machine === 'pc' ? 'PIIX4_PM' : 'ICH9-LPC'}.disable_${state}=1`]),
    ['-boot', hardware?.bootMenu ? 'strict=on,menu=on,splash-time=3000' : 'strict=on,menu=off'],
    // A guest that powers off or panics stays until the controller has seen it and decides.
    ['-action', 'reboot=reset,shutdown=pause,panic=pause'],
    ['-chardev', `socket,id=qmp,${listening(paths.qmpSocket)}`, '-mon', 'chardev=qmp,mode=control'],
    ['-chardev', `socket,id=serial,${listening(paths.serialSocket)},logfile=${escapeOption(paths.consoleLog)},logappend=on`, '-serial', 'chardev:serial'],
    plan.firmware ? firmwareFlash(plan.firmware) : [],
    hardware?.secureBoot ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : [],
    hardware?.iommu === 'intel' && machine === 'q35' ? device({ driver: 'intel-iommu', intremap: 'on' }) : [],
    machine === 'pc' ? [] : Array.from({ length: plan.ports }, (_, slot) => device(rootPort(slot))).flat(),
    controllers(spec.disks, machine, hardware)
      .map((one) => packed(one, hardware))
      .flatMap(device),
    (plan.secrets ?? []).flatMap((secret) => ['-object', JSON.stringify(secret)]),
    spec.disks.flatMap((disk) => {
      const node = plan.nodes.get(disk.diskId);
      if (!node) throw new Error(`disk ${disk.diskId} was not opened`);
      return [...blockdev(node), ...device(packed(diskDevice(disk, node['node-name'], plan.slots, plan.places[diskKey(disk)] ?? 0, machine), hardware))];
    }),
    spec.nics.flatMap((nic) => {
      const card = device(packed(nicDevice(nic, plan.slots, machine), hardware));
      return ['-netdev', `tap,id=${escapeOption(netdevId(nic))},ifname=${escapeOption(nic.tap)},script=no,downscript=no,vhost=off`, ...card];
    }),
    spec.vnc === false ? [] : [...videoCard(hardware, rootBus, machine === 'pc' ? '0x2' : '0x1'), '-vnc', `unix:${escapeOption(paths.vncSocket)}`],
    spec.rng === false ? [] : randomness(rootBus, hardware),
    hardware === undefined ? [] : extras(hardware, machine, new ExtraPlaces(machine)),
    tpmOptions(hardware, escapeOption(paths.tpmSocket)),
    device({ driver: 'virtio-serial-pci', id: 'channels', bus: rootBus, addr: '0x1d' }),
    ['-chardev', `socket,id=agent,${listening(paths.agentSocket)}`],
    device({ driver: 'virtserialport', id: 'agent-port', bus: 'channels.0', chardev: 'agent', name: 'org.qemu.guest_agent.0' }),
    // Memory that the guest has freed goes back to the host.
    device({
      driver: 'virtio-balloon-pci',
      id: 'balloon',
      bus: rootBus,
      addr: machine === 'pc' ? '0x1f' : '0x19',
      // Memory that is mapped from a template cannot be given back: QEMU would punch a hole into the file that is under it.
      'free-page-reporting': plan.fastStart === undefined,
      'deflate-on-oom': true,
      ...(sharesBalloon(hardware, machine) ? { multifunction: true } : {}),
    }),
    device({ driver: 'pvpanic', id: 'panic' }),
    plan.fastStart ? fastStartDevices(spec.guestId, paths.fastStartSocket) : [],
    plan.kernel ? kernelOptions(plan.kernel) : [],
    plan.incoming ? ['-incoming', 'defer', '-S'] : [],
  ];
  return groups.flat();
}

const device = (json: object): readonly string[] => ['-device', JSON.stringify(json)];
const blockdev = (json: object): readonly string[] => ['-blockdev', JSON.stringify(json)];

/** A unix socket on which QEMU waits for clients without holding up the guest. */
const listening = (path: string): string => `path=${escapeOption(path)},server=on,wait=off`;

const randomness = (bus: string, hardware: GuestHardware | undefined): readonly string[] => [
  '-object',
  JSON.stringify({ 'qom-type': 'rng-random', id: 'rng0', filename: '/dev/urandom' }),
  ...device({
    driver: 'virtio-rng-pci',
    id: 'rng',
    rng: 'rng0',
    bus,
    addr: '0x1a',
    ...(hardware?.rngLimit && { 'max-bytes': hardware.rngLimit.bytes, period: hardware.rngLimit.periodMs }),
  }),
];

/** Virtio devices with packed rings where the guest is to have them. */
const packed = (device: Device, hardware: GuestHardware | undefined): Device =>
  hardware?.packedRings && device.driver.startsWith('virtio-') ? { ...device, packed: true } : device;

/** The guest's variables are its own, but with stateless firmware, which keeps none. */
const firmwareFlash = ({ codePath, variablesPath }: NonNullable<MachinePlan['firmware']>): readonly string[] => [
  ...blockdev(flash('flash0', codePath, true)),
  ...(variablesPath === undefined ? [] : blockdev(flash('flash1', variablesPath, false))),
];

const memoryObject = (memory: NonNullable<FastStartDevices['memory']>, sizeMb: number): object => ({
  'qom-type': 'memory-backend-file',
  id: MEMORY_ID,
  'mem-path': memory.path,
  size: sizeMb * 2 ** 20,
  share: memory.isShared,
});

/** The channel of fast starts, and a number by which guests see that they are another machine than before (VM Generation ID). */
const fastStartDevices = (guestId: string, socket: string): readonly string[] => [
  ...device({ driver: 'vmgenid', id: 'generation', guid: guestId }),
  '-chardev',
  `socket,id=fast-start,${listening(socket)}`,
  ...device({ driver: 'virtserialport', id: 'fast-start-port', bus: 'channels.0', nr: 2, chardev: 'fast-start', name: FAST_START_PORT }),
];

function machineOption(plan: MachinePlan): string {
  const options = [plan.machineType, 'usb=off', 'dump-guest-core=off'];
  if (plan.fastStart?.memory) options.push(`memory-backend=${MEMORY_ID}`);
  if (plan.firmware) options.push('pflash0=flash0');
  if (plan.firmware?.variablesPath !== undefined) options.push('pflash1=flash1');
  const { hardware } = plan.spec;
  if (hardware?.secureBoot) options.push('smm=on');
  if (hardware?.hpet !== undefined) options.push(`hpet=${hardware.hpet ? 'on' : 'off'}`);
  if (hardware?.iommu === 'intel' && plan.machine === 'q35') options.push('kernel-irqchip=split');
  return options.join(',');
}

const flash = (name: string, path: string, readOnly: boolean): BlockNode => ({
  driver: 'raw',
  'node-name': name,
  'read-only': readOnly,
  file: { driver: 'file', filename: path, 'node-name': `${name}-file` },
});

/** A PCIe port that takes one device, also while the guest runs. Eight share an address of the root bus. */
const rootPort = (slot: number): Device => ({
  driver: 'pcie-root-port',
  id: portId(slot),
  bus: 'pcie.0',
  addr: `0x${(PORTS_AT + (slot >> 3)).toString(16)}.0x${(slot & 7).toString(16)}`,
  ...((slot & 7) === 0 ? { multifunction: true } : {}),
  chassis: slot + 1,
  slot: slot + 1,
});

function kernelOptions(kernel: NonNullable<MachinePlan['kernel']>): readonly string[] {
  return ['-kernel', kernel.kernelPath, ...(kernel.ramdiskPath === undefined ? [] : ['-initrd', kernel.ramdiskPath]), '-append', kernel.commandLine];
}
