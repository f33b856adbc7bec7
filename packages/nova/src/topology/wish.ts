import { invalidInput } from '@cairn/kit/errors/errors';
import { parseCpuSet, parseMask } from './cpu-set.ts';
import { both, type FlavorSpecs, type ImageProperties, oneOf } from './flavor-or-image.ts';

/** Pages that memory is to be of: a size in KiB, the host's small ones, any of its larger ones, or whichever are free. */
export type PageWish = number | 'small' | 'large' | 'any';
export type ThreadPolicy = 'prefer' | 'isolate' | 'require';

/** One NUMA node of a guest. */
export interface CellWish {
  readonly id: number;
  /** The guest's processors that float over the host's shared ones. */
  readonly shared: readonly number[];
  /** Those that get one of the host's each. */
  readonly dedicated: readonly number[];
  readonly memoryMb: number;
}

/** What a server asks of a host's NUMA nodes, processors and pages. */
export interface TopologyWish {
  readonly cells: readonly CellWish[];
  readonly pageSize: PageWish | undefined;
  readonly policy: 'shared' | 'dedicated' | 'mixed' | undefined;
  readonly threads: ThreadPolicy | undefined;
  readonly emulatorThreads: 'share' | 'isolate' | undefined;
  /** How many of its processors are dedicated. */
  readonly dedicatedCpus: number;
}

const POLICIES = ['dedicated', 'mixed', 'shared'] as const;
const THREADS = ['isolate', 'prefer', 'require'] as const;
const MAX_NODES = 128;

/**
 * What flavor and image ask together (nova/virt/hardware.py, numa_get_constraints); undefined where they care for none of it. Throws InvalidInput for
 * what contradicts itself.
 */
export function topologyWish(flavor: FlavorSpecs, image: ImageProperties): TopologyWish | undefined {
  let policy = cpuPolicy(flavor, image);
  let threads = threadPolicy(flavor, image);
  const realtime = realtimeCpus(flavor, image);
  let dedicated = dedicatedMask(flavor);
  const emulatorThreads = oneOf(
    flavor.extraSpecs['hw:emulator_threads_policy'] || undefined,
    ['isolate', 'share'],
    (given) => `CPU emulator threads option requested is invalid, given: '${given}', available: '('share', 'isolate')'.`,
  );

  const [asksVcpus, asksPcpus] = ['resources:VCPU', 'resources:PCPU'].map((name) => Number(flavor.extraSpecs[name] ?? 0)) as [number, number];
  if (policy !== undefined && (asksVcpus > 0 || asksPcpus > 0))
    throw invalidInput(
      "It is not possible to use the 'resources:VCPU' or 'resources:PCPU' extra specs in combination with the 'hw:cpu_policy' extra spec or 'hw_cpu_policy' image metadata property; use one or the other",
    );
  if (asksVcpus > 0 && asksPcpus > 0)
    throw invalidInput("It is not possible to specify both 'resources:VCPU' and 'resources:PCPU' extra specs; use one or the other");
  if (asksPcpus > 0) {
    if (emulatorThreads === 'isolate' && asksPcpus !== flavor.vcpus + 1)
      throw invalidInput(
        "You have requested 'hw:emulator_threads_policy=isolate' but have not requested sufficient PCPUs to handle this policy; you must allocate exactly flavor.vcpus + 1 PCPUs.",
      );
    if (emulatorThreads !== 'isolate' && asksPcpus !== flavor.vcpus)
      throw invalidInput(
        "There is a mismatch between the number of PCPUs requested via 'resourcesNN:PCPU' and the flavor); you must allocate exactly flavor.vcpus PCPUs",
      );
    policy = 'dedicated';
  } else if (asksVcpus > 0) policy = 'shared';

  const hyperthreading = flavor.extraSpecs['trait:HW_CPU_HYPERTHREADING'] ?? image['trait:HW_CPU_HYPERTHREADING'];
  if (threads !== undefined && hyperthreading !== undefined)
    throw invalidInput(
      "It is not possible to use the 'trait:HW_CPU_HYPERTHREADING' extra spec in combination with the 'hw:cpu_thread_policy' extra spec or 'hw_cpu_thread_policy' image metadata property; use one or the other",
    );
  if (policy === 'dedicated' || policy === 'mixed') {
    if (hyperthreading === 'forbidden') threads = 'isolate';
    else if (hyperthreading === 'required') threads = 'require';
  }

  if (policy === 'shared' || policy === undefined) {
    if (threads !== undefined) throw invalidInput('Cannot set cpu thread pinning policy in a non dedicated cpu pinning policy');
    if (emulatorThreads === 'isolate') throw invalidInput('An isolated CPU emulator threads option requires a dedicated CPU policy option.');
    if (dedicated !== undefined) throw invalidInput("Cannot specify 'hw:cpu_dedicated_mask' without the 'mixed' policy.");
    if (realtime !== undefined) throw invalidInput('Cannot set realtime policy in a non dedicated cpu pinning policy');
  } else if (policy === 'dedicated') {
    if (dedicated !== undefined) throw invalidInput("Cannot specify 'hw:cpu_dedicated_mask' without the 'mixed' policy.");
    dedicated = range(0, flavor.vcpus);
  } else {
    if ((realtime === undefined) === (dedicated === undefined))
      throw invalidInput(
        "Dedicated CPU set can be specified from either 'hw:cpu_dedicated_mask' or 'hw:cpu_realtime_mask' when using 'mixed' CPU policy. 'hw:cpu_dedicated_mask' and 'hw:cpu_realtime_mask' can not be specified at the same time, or be specified with none of them.",
      );
    dedicated ??= realtime;
  }

  const nodes = nodeCount(flavor, image);
  const pageSize = pageWish(flavor, image);
  checkLockedMemory(flavor, image, pageSize);
  if (nodes === undefined && pageSize === undefined && policy !== 'dedicated' && policy !== 'mixed') return undefined;
  const pinned = new Set(dedicated ?? []);
  const cells = cellsOf(flavor, image, nodes ?? 1).map(
    ({ cpus, memoryMb }, id): CellWish => ({
      id,
      shared: cpus.filter((cpu) => !pinned.has(cpu)),
      dedicated: cpus.filter((cpu) => pinned.has(cpu)),
      memoryMb,
    }),
  );
  return { cells, pageSize, policy, threads, emulatorThreads, dedicatedCpus: pinned.size };
}

const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, at) => from + at);

function cpuPolicy(flavor: FlavorSpecs, image: ImageProperties): TopologyWish['policy'] {
  const [ofFlavor, ofImage] = both('cpu_policy', flavor, image);
  const refuse = (source: string) => (given: string) =>
    `CPU policy requested from '${source}' is invalid, given: '${given}', available: '('dedicated', 'shared', 'mixed')'.`;
  const byFlavor = oneOf(ofFlavor, POLICIES, refuse('flavor extra specs'));
  const byImage = oneOf(ofImage, POLICIES, refuse('image properties'));
  const overrides = (byFlavor === 'mixed' && byImage === 'dedicated') || (byFlavor === 'shared' && (byImage === 'mixed' || byImage === 'dedicated'));
  if (overrides) throw invalidInput("Image property 'hw_cpu_policy' is not permitted to override CPU pinning policy set against the flavor");
  return byFlavor ?? byImage;
}

function threadPolicy(flavor: FlavorSpecs, image: ImageProperties): ThreadPolicy | undefined {
  const [ofFlavor, ofImage] = both('cpu_thread_policy', flavor, image);
  const refuse = (source: string) => (given: string) =>
    `CPU thread policy requested from '${source}' is invalid, given: '${given}', available: '('prefer', 'isolate', 'require')'.`;
  const byFlavor = oneOf(ofFlavor, THREADS, refuse('flavor extra specs'));
  const byImage = oneOf(ofImage, THREADS, refuse('image properties'));
  if (byFlavor === undefined || byFlavor === 'prefer') return byImage ?? byFlavor;
  if (byImage !== undefined && byImage !== byFlavor)
    throw invalidInput("Image property 'hw_cpu_thread_policy' is not permitted to override CPU thread pinning policy set against the flavor");
  return byFlavor;
}

function dedicatedMask(flavor: FlavorSpecs): readonly number[] | undefined {
  const mask = flavor.extraSpecs['hw:cpu_dedicated_mask'];
  if (!mask) return undefined;
  const cpus = parseMask(mask, flavor.vcpus);
  const inside = cpus.filter((cpu) => cpu < flavor.vcpus);
  if (cpus.length === 0 || inside.length === flavor.vcpus)
    throw invalidInput("Mixed instance must have at least 1 pinned vCPU and 1 unpinned vCPU. See 'hw:cpu_dedicated_mask'.");
  if (inside.length < cpus.length)
    throw invalidInput('Mixed instance dedicated vCPU(s) mask is not a subset of vCPUs in the flavor. See "hw:cpu_dedicated_mask"');
  return cpus;
}

function realtimeCpus(flavor: FlavorSpecs, image: ImageProperties): readonly number[] | undefined {
  if (!/^(1|t|true|on|y|yes)$/i.test(flavor.extraSpecs['hw:cpu_realtime'] ?? '')) return undefined;
  const [ofFlavor, ofImage] = both('cpu_realtime_mask', flavor, image);
  const mask = ofImage ?? ofFlavor;
  const cpus = mask === undefined ? range(0, flavor.vcpus) : parseMask(mask, flavor.vcpus);
  const inside = cpus.filter((cpu) => cpu < flavor.vcpus).length;
  if (cpus.length === 0 || (inside === flavor.vcpus && !flavor.extraSpecs['hw:emulator_threads_policy']))
    throw invalidInput('Use of realtime CPUs requires either one or more non-realtime CPU(s) or offloaded emulator threads.');
  if (inside < cpus.length)
    throw invalidInput(
      'Realtime policy vCPU(s) mask is configured with RT vCPUs that are not a subset of the vCPUs in the flavor. See hw:cpu_realtime_mask or hw_cpu_realtime_mask',
    );
  return cpus;
}

function nodeCount(flavor: FlavorSpecs, image: ImageProperties): number | undefined {
  const [ofFlavor, ofImage] = both('numa_nodes', flavor, image);
  if (ofFlavor !== undefined && ofImage !== undefined) throw overridden('hw_numa_nodes');
  const nodes = ofFlavor ?? ofImage;
  if (nodes === undefined) return undefined;
  if (!/^\d+$/.test(nodes) || Number(nodes) < 1 || Number(nodes) > MAX_NODES)
    throw invalidInput(`The property 'numa_nodes' cannot be '${nodes}'. It must be a number greater than 0`);
  return Number(nodes);
}

const overridden = (name: string): Error => invalidInput(`Image property '${name}' is not permitted to override NUMA configuration set against the flavor`);

/** `hw:numa_cpus.0`, `hw:numa_cpus.1` ... up to the first that is not there. */
function perNode<T>(values: Readonly<Record<string, string>>, prefix: string, read: (text: string) => T): readonly T[] | undefined {
  const found: T[] = [];
  for (let node = 0; node < MAX_NODES; node += 1) {
    const text = values[`${prefix}.${node}`];
    if (text === undefined) break;
    found.push(read(text));
  }
  return found.length === 0 ? undefined : found;
}

function perNodeOf<T>(name: string, flavor: FlavorSpecs, image: ImageProperties, read: (text: string) => T): readonly T[] | undefined {
  const byFlavor = perNode(flavor.extraSpecs, `hw:${name}`, read);
  const byImage = perNode(image, `hw_${name}`, read);
  if (byFlavor !== undefined && byImage !== undefined) throw overridden(`hw_${name}`);
  return byFlavor ?? byImage;
}

function cellsOf(flavor: FlavorSpecs, image: ImageProperties, nodes: number): readonly { readonly cpus: readonly number[]; readonly memoryMb: number }[] {
  const cpus = perNodeOf('numa_cpus', flavor, image, parseCpuSet);
  const memory = perNodeOf('numa_mem', flavor, image, (text) => {
    if (!/^\d+$/.test(text)) throw invalidInput(`'${text}' is no number of MB of memory for a NUMA node`);
    return Number(text);
  });
  if (cpus === undefined && memory === undefined) {
    if (flavor.vcpus % nodes !== 0 || flavor.memoryMb % nodes !== 0)
      throw invalidInput(
        'Instance CPUs and/or memory cannot be evenly distributed across instance NUMA nodes. Explicit assignment of CPUs and memory to nodes is required',
      );
    const each = flavor.vcpus / nodes;
    return range(0, nodes).map((node) => ({ cpus: range(node * each, (node + 1) * each), memoryMb: flavor.memoryMb / nodes }));
  }
  if (cpus?.length !== nodes || memory?.length !== nodes) throw invalidInput('CPU and memory allocation must be provided for all NUMA nodes');
  const left = new Set(range(0, flavor.vcpus));
  for (const cpu of cpus.flat()) {
    if (cpu >= flavor.vcpus) throw invalidInput(`CPU number ${cpu} is larger than max ${flavor.vcpus - 1}`);
    if (!left.delete(cpu)) throw invalidInput(`CPU number ${cpu} is assigned to two nodes`);
  }
  if (left.size > 0) throw invalidInput(`CPU number {${[...left].join(', ')}} is not assigned to any node`);
  const total = memory.reduce((sum, each) => sum + each, 0);
  if (total !== flavor.memoryMb) throw invalidInput(`${total} MB of memory assigned, but expected ${flavor.memoryMb} MB`);
  return range(0, nodes).map((node) => ({ cpus: cpus[node] as readonly number[], memoryMb: memory[node] as number }));
}

const UNITS: Readonly<Record<string, number>> = { k: 1, m: 1_024, g: 1_024 ** 2, t: 1_024 ** 3 };

function readPages(text: string): PageWish {
  if (text === 'small' || text === 'large' || text === 'any') return text;
  if (/^\d+$/.test(text)) return Number(text);
  // sizes in bits count as well, as oslo's string_to_bytes has it
  const match = /^(\d+)([kKMGT])i?(b|bit|B)$/.exec(text);
  if (!match) throw invalidInput(`Invalid memory page size '${text}'`);
  const kib = Number(match[1]) * (UNITS[(match[2] as string).toLowerCase()] as number);
  return match[3] === 'B' ? kib : Math.ceil(kib / 8);
}

function pageWish(flavor: FlavorSpecs, image: ImageProperties): PageWish | undefined {
  const [ofFlavor, ofImage] = both('mem_page_size', flavor, image);
  const forbidden = (against: string): Error => invalidInput(`Page size ${ofImage} forbidden against '${against}'`);
  if (ofFlavor === undefined) {
    if (ofImage !== undefined) throw forbidden('<empty>');
    return undefined;
  }
  const pages = readPages(ofFlavor);
  if (ofImage === undefined) return pages;
  if (pages === 'any' || pages === 'large') return readPages(ofImage);
  throw forbidden(ofFlavor);
}

function checkLockedMemory(flavor: FlavorSpecs, image: ImageProperties, pageSize: PageWish | undefined): void {
  const [ofFlavor, ofImage] = both('locked_memory', flavor, image);
  const flag = (text: string | undefined): boolean | undefined => (text === undefined ? undefined : /^(1|t|true|on|y|yes)$/i.test(text));
  if (ofFlavor !== undefined && ofImage !== undefined && flag(ofFlavor) !== flag(ofImage))
    throw invalidInput(`locked_memory value in image (${ofImage}) and flavor (${ofFlavor}) conflict. A consistent value is expected if both specified.`);
  if ((flag(ofFlavor) ?? flag(ofImage)) === true && pageSize === undefined)
    throw invalidInput('locked_memory value in image or flavor is forbidden when mem_page_size is not set.');
}
