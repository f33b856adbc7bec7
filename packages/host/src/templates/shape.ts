import { createHash } from 'node:crypto';
import type { Inventory } from '../hypervisor/inventory.ts';
import type { TemplateSpec } from '../interface/templates.ts';

/** Raised when templates of before do not fit any longer: other fixed devices, another protocol with guests. */
const REVISION = 1;

/** What of a machine a template keeps. A guest with anything else boots: what is not known here has not been tried. */
const KEPT: ReadonlySet<string> = new Set(['vcpus', 'memoryMb', 'firmware', 'machine', 'cpuModel', 'rng', 'vnc']);

/** Why no template of this machine can be, for users; undefined when one can. */
export function whyNoTemplate({ root, machine }: TemplateSpec): string | undefined {
  const other = Object.entries(machine).find(([key, value]) => !KEPT.has(key) && value !== undefined && value !== false);
  if (other) return other[0] === 'kernel' ? 'the image boots a kernel that is given to it' : `a server with ${other[0]} is not started from a template`;
  if (machine.firmware !== 'bios') return 'a server that boots by UEFI is not started from a template';
  if (root.kind !== 'disk') return 'its root is no disk';
  return undefined;
}

/**
 * The id of the template that fits a machine of this image: the same for the same, another when anything is another on which memory and
 * devices depend.
 */
export function templateIdOf(spec: TemplateSpec, inventory: Inventory): string {
  const { limits: _, ...root } = spec.root;
  const { image, sizeBytes, machine } = spec;
  const facts = {
    revision: REVISION,
    image: [image.imageId, image.sha512 ?? '', image.format, image.sizeBytes],
    sizeBytes,
    root: Object.entries(root).toSorted(byKey),
    machine: Object.entries(machine)
      .filter(([, value]) => value !== undefined)
      .toSorted(byKey),
    qemu: inventory.version,
    accelerator: inventory.accelerator,
    cpu: inventory.guestCpuFeatures,
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);
