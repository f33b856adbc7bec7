import type { GuestHardware } from '../interface/hardware.ts';
import type { MachineKind } from './devices.ts';

type Json = Readonly<Record<string, unknown>>;
const device = (json: Json): readonly string[] => ['-device', JSON.stringify(json)];
const object = (json: Json): readonly string[] => ['-object', JSON.stringify(json)];

/**
 * Places of the root bus for what only some guests have: on q35 addresses that nothing else takes, on pc functions of the balloon's, since every
 * address there may be a disk's or a card's one day.
 */
export class ExtraPlaces {
  readonly #machine: MachineKind;
  #next = 0;

  constructor(machine: MachineKind) {
    this.#machine = machine;
  }

  take(): { readonly bus: string; readonly addr: string } {
    this.#next += 1;
    return this.#machine === 'pc' ? { bus: 'pci.0', addr: `0x1f.0x${this.#next}` } : { bus: 'pcie.0', addr: `0x${(0xa + this.#next).toString(16)}` };
  }
}

/** Whether any device of `extras` sits beside the balloon, which must say so. */
export const sharesBalloon = (hardware: GuestHardware | undefined, machine: MachineKind): boolean =>
  machine === 'pc' && hardware !== undefined && extras(hardware, machine, new ExtraPlaces(machine)).some((argument) => argument.includes('"0x1f.'));

const VIDEO_DRIVERS = { vga: 'VGA', cirrus: 'cirrus-vga', qxl: 'qxl-vga', virtio: 'virtio-vga', bochs: 'bochs-display' } as const;

/** The display's card; nothing for a guest without one. */
export function videoCard(hardware: GuestHardware | undefined, bus: string, addr: string): readonly string[] {
  const { model = 'vga', memoryMb } = hardware?.video ?? {};
  if (model === 'none') return [];
  const memory =
    memoryMb === undefined || model === 'virtio' ? {} : model === 'qxl' ? { vgamem_mb: memoryMb } : model === 'bochs' ? {} : { vgamem_mb: memoryMb };
  return device({ driver: VIDEO_DRIVERS[model], id: 'video', bus, addr, ...memory });
}

/** Devices that a guest has on request. */
export function extras(hardware: GuestHardware, machine: MachineKind, places: ExtraPlaces): readonly string[] {
  const out: (readonly string[])[] = [];
  if (hardware.watchdog !== undefined) out.push(device({ driver: 'i6300esb', id: 'watchdog', ...places.take() }), ['-action', `watchdog=${hardware.watchdog}`]);
  if (hardware.tablet === 'usb' && hardware.usb !== 'none') out.push(device({ driver: 'usb-tablet', id: 'tablet', bus: 'usb0.0' }));
  if (hardware.tablet === 'virtio') out.push(device({ driver: 'virtio-tablet-pci', id: 'tablet', ...places.take() }));
  if (hardware.iommu === 'virtio' && machine === 'q35') out.push(device({ driver: 'virtio-iommu-pci', id: 'iommu', ...places.take() }));
  if (hardware.sound !== undefined) out.push(sound(hardware.sound, places));
  for (let port = 1; port < (hardware.serialPorts ?? 1); port += 1) out.push(['-chardev', `null,id=serial${port}`, '-serial', `chardev:serial${port}`]);
  return out.flat();
}

function sound(model: NonNullable<GuestHardware['sound']>, places: ExtraPlaces): readonly string[] {
  // nobody listens: what the guest plays goes nowhere
  const audio = ['-audiodev', 'none,id=audio'];
  switch (model) {
    case 'sb16':
      return [...audio, ...device({ driver: 'sb16', id: 'sound', audiodev: 'audio' })];
    case 'es1370':
    case 'ac97':
      return [...audio, ...device({ driver: model === 'ac97' ? 'AC97' : 'ES1370', id: 'sound', audiodev: 'audio', ...places.take() })];
    case 'ich6':
    case 'ich9':
      return [
        ...audio,
        ...device({ driver: model === 'ich6' ? 'intel-hda' : 'ich9-intel-hda', id: 'sound', ...places.take() }),
        ...device({ driver: 'hda-duplex', id: 'sound-codec', bus: 'sound.0', audiodev: 'audio' }),
      ];
  }
}

/** Whether a guest needs a USB controller for more than its disks. */
export const wantsUsb = (hardware: GuestHardware | undefined): boolean =>
  hardware?.usb !== 'none' && (hardware?.tablet === 'usb' || hardware?.usb !== undefined);

/** Flags behind the CPU model. */
export function cpuOption(model: string, hardware: GuestHardware | undefined): string {
  const flags = [
    ...(hardware?.pmu === undefined ? [] : [`pmu=${hardware.pmu ? 'on' : 'off'}`]),
    ...(hardware?.hidesHypervisor ? ['kvm=off', 'hypervisor=off'] : []),
  ];
  return [model, ...flags].join(',');
}

/** A guest's memory and processors by NUMA nodes, on the host's. Nothing for one that does not care. */
export function numaOptions(hardware: GuestHardware | undefined, hostNodes: number): readonly string[] {
  const cells = hardware?.numa?.cells ?? [];
  return cells.flatMap((cell) => {
    const huge = cell.pageSizeKb !== null && cell.pageSizeKb > 4;
    const cpus = [...cell.shared, ...Object.keys(cell.pins).map(Number)].sort((a, b) => a - b);
    return [
      ...object({
        'qom-type': huge ? 'memory-backend-memfd' : 'memory-backend-ram',
        id: `ram-node${cell.id}`,
        size: cell.memoryMb * 2 ** 20,
        ...(huge ? { hugetlb: true, hugetlbsize: (cell.pageSizeKb as number) * 1_024, prealloc: true } : {}),
        // a host of one node has no other to keep away from
        ...(hostNodes > 1 ? { 'host-nodes': [cell.hostNode], policy: 'bind' } : {}),
      }),
      '-numa',
      `node,nodeid=${cell.id},memdev=ram-node${cell.id}${cpus.map((cpu) => `,cpus=${cpu}`).join('')}`,
    ];
  });
}

/** A virtual TPM whose process listens on `socket`. */
export const tpmOptions = (hardware: GuestHardware | undefined, chardevSocket: string): readonly string[] =>
  hardware?.tpm === undefined
    ? []
    : [
        '-chardev',
        `socket,id=tpm,path=${chardevSocket}`,
        '-tpmdev',
        'emulator,id=tpm0,chardev=tpm',
        ...device({ driver: hardware.tpm.model, id: 'tpm', tpmdev: 'tpm0' }),
      ];
