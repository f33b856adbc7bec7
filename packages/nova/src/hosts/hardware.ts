import type { GuestHardware } from '@cairn/host/interface/hardware';
import { invalidInput } from '@cairn/kit/errors/errors';
import { agreed, both, type FlavorSpecs, type ImageProperties, oneOf } from '../topology/flavor-or-image.ts';

const TRUE = /^(1|t|true|on|y|yes)$/i;
const flag = (text: string | undefined): boolean | undefined => (text === undefined ? undefined : TRUE.test(text.trim()));

/** A setting of yes or no that flavor and image may both name, if they mean the same. */
function agreedFlag(name: string, flavor: FlavorSpecs, image: ImageProperties): boolean | undefined {
  const [ofFlavor, ofImage] = both(name, flavor, image);
  if (ofFlavor !== undefined && ofImage !== undefined && flag(ofFlavor) !== flag(ofImage))
    throw invalidInput(
      `Flavor ${name} has hw:${name} extra spec explicitly set to ${ofFlavor}, conflicting with image which has hw_${name} explicitly set to ${ofImage}.`,
    );
  return flag(ofFlavor ?? ofImage);
}

/** What a flavor and an image ask of a TPM; throws InvalidInput for what cannot be. */
export function tpmWish(flavor: FlavorSpecs, image: ImageProperties): { readonly version: '1.2' | '2.0'; readonly model: 'tpm-tis' | 'tpm-crb' } | undefined {
  const version = oneOf(agreed('tpm_version', flavor, image), ['1.2', '2.0'], (given) => `Invalid TPM version '${given}'. Allowed values: 1.2, 2.0.`);
  if (version === undefined) return undefined;
  const model =
    oneOf(agreed('tpm_model', flavor, image), ['tpm-tis', 'tpm-crb'], (given) => `Invalid TPM model '${given}'. Allowed values: tpm-tis, tpm-crb.`) ??
    'tpm-tis';
  if (model === 'tpm-crb' && version !== '2.0') throw invalidInput('TPM model CRB is only valid with TPM version 2.0.');
  return { version, model };
}

export const wantsSecureBoot = (flavor: FlavorSpecs, image: ImageProperties): boolean =>
  oneOf(
    agreed('secure_boot', flavor, image, 'os'),
    ['required', 'disabled'],
    (given) => `Invalid secure boot policy '${given}'. Allowed values: required, disabled.`,
  ) === 'required';

const WATCHDOGS = ['none', 'pause', 'poweroff', 'reset', 'disabled'] as const;
const VIDEOS = ['vga', 'cirrus', 'qxl', 'virtio', 'bochs', 'none'] as const;
const SOUNDS = ['sb16', 'es1370', 'ac97', 'ich6', 'ich9'] as const;
const SCSI = ['virtio-scsi', 'lsilogic', 'lsisas1068', 'lsisas1078'] as const;

/**
 * The machine that flavor and image ask for (nova/virt/hardware.py and the libvirt driver's guest configuration), without TPM and place on the
 * host. Throws InvalidInput for what contradicts itself. What no host here has (docs/image-properties.md) is left out.
 */
export function hardwareOf(flavor: FlavorSpecs, image: ImageProperties): GuestHardware {
  const cpuTopology = cpuTopologyOf(flavor, image);
  const [watchdogOfFlavor, watchdogOfImage] = both('watchdog_action', flavor, image);
  // the image's word counts, as upstream
  const watchdog = oneOf(watchdogOfImage ?? watchdogOfFlavor, WATCHDOGS, (given) => `Invalid watchdog action '${given}'.`);
  const video = known(VIDEOS, image['hw_video_model']);
  const videoMemoryMb = videoMemory(flavor, image);
  const sound = known(SOUNDS, agreed('sound_model', flavor, image));
  const scsi = known(SCSI, image['hw_scsi_model']?.toLowerCase());
  const iommu = agreed('viommu_model', flavor, image);
  const usb = agreed('usb_model', flavor, image);
  const tablet = tabletOf(image);
  const rngLimit = rngLimitOf(flavor);
  const pmu = agreedFlag('pmu', flavor, image);
  const hidden = flag(flavor.extraSpecs['hide_hypervisor_id'] ?? flavor.extraSpecs['hw:hide_hypervisor_id']) ?? flag(image['img_hide_hypervisor_id']);
  const packedRings = agreedFlag('virtio_packed_ring', flavor, image);
  const hpet = flag(image['hw_time_hpet']);
  const bootMenu = flag(flavor.extraSpecs['hw:boot_menu'] ?? image['hw_boot_menu']);
  const serialPorts = serialPortsOf(flavor, image);
  const uefi = isUefi(flavor, image);
  return {
    ...(cpuTopology && { cpuTopology }),
    ...(pmu !== undefined && { pmu }),
    ...(hidden && { hidesHypervisor: true }),
    ...(hpet !== undefined && { hpet }),
    ...(bootMenu && { bootMenu }),
    ...(watchdog !== undefined && watchdog !== 'disabled' && { watchdog }),
    ...(rngLimit && { rngLimit }),
    ...((video !== undefined || videoMemoryMb !== undefined) && {
      video: { model: video ?? ('vga' as const), ...(videoMemoryMb === undefined ? {} : { memoryMb: videoMemoryMb }) },
    }),
    ...(tablet && { tablet }),
    ...(usb === 'none' || usb === 'qemu-xhci' || usb === 'nec-xhci' ? { usb } : {}),
    ...(scsi && { scsi }),
    ...(sound && { sound }),
    ...(iommu === 'intel' || iommu === 'virtio' ? { iommu } : iommu === 'auto' ? { iommu: 'virtio' as const } : {}),
    ...(packedRings && { packedRings }),
    ...(serialPorts > 1 && { serialPorts }),
    ...(wantsSecureBoot(flavor, image) && { secureBoot: true }),
    ...(uefi && flag(image['hw_firmware_stateless']) ? { statelessFirmware: true } : {}),
  };
}

/** Secure boot is UEFI's, so who wants it wants UEFI. */
export const isUefi = (flavor: FlavorSpecs, image: ImageProperties): boolean => image['hw_firmware_type'] === 'uefi' || wantsSecureBoot(flavor, image);

const known = <T extends string>(values: readonly T[], text: string | undefined): T | undefined => values.find((value) => value === text);

const whole = (text: string | undefined, name: string): number => {
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text.trim())) throw invalidInput(`Invalid flavor extra spec. Error: ${name} is '${text}', and no whole number`);
  return Number(text);
};

function videoMemory(flavor: FlavorSpecs, image: ImageProperties): number | undefined {
  const wanted = whole(image['hw_video_ram'], 'hw_video_ram');
  if (wanted === 0) return undefined;
  const most = whole(flavor.extraSpecs['hw_video:ram_max_mb'], 'hw_video:ram_max_mb');
  if (wanted > most) throw invalidInput(`The requested amount of video memory ${wanted} is higher than the maximum allowed by flavor ${most}.`);
  return wanted;
}

function tabletOf(image: ImageProperties): 'usb' | 'virtio' | undefined {
  if (image['hw_input_bus'] === 'virtio') return 'virtio';
  return image['hw_pointer_model'] === 'usbtablet' || image['hw_input_bus'] === 'usb' ? 'usb' : undefined;
}

function rngLimitOf({ extraSpecs }: FlavorSpecs): GuestHardware['rngLimit'] {
  const bytes = whole(extraSpecs['hw_rng:rate_bytes'], 'hw_rng:rate_bytes');
  return bytes === 0 ? undefined : { bytes, periodMs: whole(extraSpecs['hw_rng:rate_period'], 'hw_rng:rate_period') || 1_000 };
}

/** A guest has randomness unless its flavor forbids it. */
export const hasRng = ({ extraSpecs }: FlavorSpecs): boolean => flag(extraSpecs['hw_rng:allowed']) ?? true;

const MOST_SERIAL_PORTS = 4;
function serialPortsOf(flavor: FlavorSpecs, image: ImageProperties): number {
  const [ofFlavor, ofImage] = both('serial_port_count', flavor, image);
  if (ofFlavor !== undefined && !/^\d+$/.test(ofFlavor))
    throw invalidInput(`Number of serial ports specified in flavor is invalid: expected an integer, got '${ofFlavor}'`);
  const [most, wanted] = [Number(ofFlavor ?? 0), Number(ofImage ?? 0)];
  if (most > 0 && wanted > most) throw invalidInput('Forbidden to exceed flavor value of number of serial ports passed in image meta.');
  return Math.min(MOST_SERIAL_PORTS, (most > 0 && wanted > 0 ? wanted : most || wanted) || 1);
}

interface Parts {
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}
const ANY = 65_536;

/**
 * Sockets, cores and threads of a guest: the wish of flavor or image that its number of processors allows; undefined where nobody wishes any, and
 * each processor is a socket then (nova/virt/hardware.py, get_best_cpu_topology).
 */
function cpuTopologyOf(flavor: FlavorSpecs, image: ImageProperties): Parts | undefined {
  const read = (prefix: string): readonly [Parts, Parts] => {
    const [sockets, cores, threads] = ['sockets', 'cores', 'threads'].map((part) => {
      const [ofFlavor, ofImage] = both(`cpu_${prefix}${part}`, flavor, image);
      return [whole(ofFlavor, `hw:cpu_${prefix}${part}`), whole(ofImage, `hw_cpu_${prefix}${part}`)] as const;
    }) as [readonly [number, number], readonly [number, number], readonly [number, number]];
    return [
      { sockets: sockets[0], cores: cores[0], threads: threads[0] },
      { sockets: sockets[1], cores: cores[1], threads: threads[1] },
    ];
  };
  const [flavorMost, imageMost] = read('max_');
  let [flavorWish, imageWish] = read('');
  const words = ({ sockets, cores, threads }: Parts): string => `sockets=${sockets}, cores=${cores}, threads=${threads}`;
  const all = ['sockets', 'cores', 'threads'] as const;
  if (all.some((part) => flavorMost[part] > 0 && imageMost[part] > flavorMost[part]))
    throw invalidInput(`Image vCPU topology limits (${words(imageMost)}) exceeds the limits of the flavor (${words(flavorMost)})`);
  const most = Object.fromEntries(all.map((part) => [part, imageMost[part] || flavorMost[part] || ANY])) as unknown as Parts;
  if (all.some((part) => flavorWish[part] > most[part])) flavorWish = { sockets: 0, cores: 0, threads: 0 };
  if (all.some((part) => imageWish[part] > most[part]))
    throw invalidInput(`Image vCPU topology (${words(imageWish)}) exceeds the limits of the flavor or image (${words(most)})`);
  const wish = all.some((part) => imageWish[part] > 0) ? imageWish : flavorWish;
  if (all.every((part) => wish[part] === 0 && most[part] === ANY)) return undefined;
  const { vcpus } = flavor;
  const possible: Parts[] = [];
  for (let sockets = 1; sockets <= Math.min(vcpus, most.sockets); sockets += 1) {
    if (vcpus % sockets !== 0) continue;
    for (let cores = 1; cores <= Math.min(vcpus / sockets, most.cores); cores += 1) {
      const threads = vcpus / sockets / cores;
      if (Number.isInteger(threads) && threads <= most.threads) possible.push({ sockets, cores, threads });
    }
  }
  if (possible.length === 0)
    throw invalidInput(
      `Requested vCPU limits ${Math.min(vcpus, most.sockets)}:${Math.min(vcpus, most.cores)}:${Math.min(vcpus, most.threads)} are impossible to satisfy for vcpus count ${vcpus}`,
    );
  // few threads, and sockets rather than cores, where the wish does not decide
  possible.sort((a, b) => b.sockets * b.cores - a.sockets * a.cores || b.sockets - a.sockets || b.threads - a.threads);
  const score = (parts: Parts): number => all.filter((part) => wish[part] > 0 && wish[part] === parts[part]).length;
  return possible.reduce((best, parts) => (score(parts) > score(best) ? parts : best));
}
