import { readFile } from 'node:fs/promises';
import { arch, totalmem, uptime } from 'node:os';
import type { HostFacts } from '../interface/agent.ts';
import { featureName, type Inventory } from './inventory.ts';

/** The part of a host's facts that the hypervisor knows; disks, address and name come from others. */
export type HypervisorFacts = Pick<
  HostFacts,
  'architecture' | 'vcpus' | 'memoryMb' | 'memoryUsedMb' | 'hypervisorType' | 'hypervisorVersion' | 'accelerator' | 'cpu' | 'traits' | 'uptimeSeconds' | 'numa'
> & {
  /** For `cairn doctor`. */
  readonly notes: {
    readonly kvm: string;
    readonly seccomp: boolean;
    readonly controlGroups: string;
    readonly guestUser: string;
    readonly uefi: string;
  };
};

/** Placement traits by CPU feature, in QEMU's names of the features. */
const CPU_TRAITS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries({
    '3dnow': '3DNOW',
    abm: 'ABM',
    aes: 'AESNI',
    'amx-bf16': 'AMXBF16',
    'amx-int8': 'AMXINT8',
    'amx-tile': 'AMXTILE',
    avx: 'AVX',
    avx2: 'AVX2',
    avx512bw: 'AVX512BW',
    avx512cd: 'AVX512CD',
    avx512dq: 'AVX512DQ',
    avx512er: 'AVX512ER',
    avx512f: 'AVX512F',
    avx512pf: 'AVX512PF',
    avx512vl: 'AVX512VL',
    avx512vnni: 'AVX512VNNI',
    avx512vbmi: 'AVX512VBMI',
    avx512ifma: 'AVX512IFMA',
    avx512vbmi2: 'AVX512VBMI2',
    avx512bitalg: 'AVX512BITALG',
    vaes: 'AVX512VAES',
    gfni: 'AVX512GFNI',
    vpclmulqdq: 'AVX512VPCLMULQDQ',
    'avx512-vpopcntdq': 'AVX512VPOPCNTDQ',
    bmi1: 'BMI',
    bmi2: 'BMI2',
    pclmulqdq: 'CLMUL',
    f16c: 'F16C',
    fma: 'FMA3',
    fma4: 'FMA4',
    mmx: 'MMX',
    mpx: 'MPX',
    'sha-ni': 'SHA',
    sse: 'SSE',
    sse2: 'SSE2',
    sse3: 'SSE3',
    'sse4.1': 'SSE41',
    'sse4.2': 'SSE42',
    sse4a: 'SSE4A',
    ssse3: 'SSSE3',
    svm: 'SVM AMD_SVM',
    tbm: 'TBM',
    vmx: 'VMX INTEL_VMX',
    xop: 'XOP',
  }).map(([feature, names]) => [feature, names.split(' ').map((name) => `HW_CPU_X86_${name}`)]),
);

/** What this hypervisor does, in placement's words. */
const COMPUTE_TRAITS: readonly string[] = [
  'COMPUTE_NODE',
  'COMPUTE_NET_ATTACH_INTERFACE',
  'COMPUTE_VOLUME_EXTEND',
  'COMPUTE_VOLUME_MULTI_ATTACH',
  ...['BOCHS', 'CIRRUS', 'NONE', 'VGA', 'VIRTIO'].map((model) => `COMPUTE_GRAPHICS_MODEL_${model}`),
  ...['VIRTIO', 'SCSI', 'SATA', 'IDE', 'USB'].map((bus) => `COMPUTE_STORAGE_BUS_${bus}`),
  ...['VIRTIO', 'E1000', 'E1000E', 'RTL8139'].map((model) => `COMPUTE_NET_VIF_MODEL_${model}`),
];

export const cpuTraits = (features: readonly string[]): readonly string[] => features.flatMap((feature) => CPU_TRAITS[feature] ?? []);

/** Measures the host as it is now. */
export async function describeHypervisor(inventory: Inventory, notes: Omit<HypervisorFacts['notes'], 'kvm' | 'seccomp'>): Promise<HypervisorFacts> {
  const [cpuinfo, meminfo] = await Promise.all([readFile('/proc/cpuinfo', 'utf8'), readFile('/proc/meminfo', 'utf8')]);
  const cpu = parseCpuinfo(cpuinfo);
  const availableKb = Number(/^MemAvailable:\s+(\d+)/m.exec(meminfo)?.[1] ?? 0);
  const memoryMb = Math.floor(totalmem() / 2 ** 20);
  return {
    architecture: arch() === 'x64' ? 'x86_64' : arch() === 'arm64' ? 'aarch64' : arch(),
    vcpus: cpu.vcpus,
    memoryMb,
    memoryUsedMb: Math.max(0, memoryMb - Math.floor(availableKb / 1024)),
    hypervisorType: 'QEMU',
    hypervisorVersion: inventory.versionNumber,
    accelerator: inventory.accelerator,
    cpu: { vendor: cpu.vendor, model: cpu.model, features: cpu.features, sockets: cpu.sockets, cores: cpu.cores, threads: cpu.threads },
    traits: [...COMPUTE_TRAITS, ...cpuTraits(inventory.guestCpuFeatures)].toSorted(),
    uptimeSeconds: Math.floor(uptime()),
    notes: { ...notes, kvm: inventory.kvm.why, seccomp: inventory.seccomp },
  };
}

/** Vendor, model and layout of the host's CPUs from /proc/cpuinfo. Cores are per socket, threads per core. */
export function parseCpuinfo(text: string): HostFacts['cpu'] & { readonly vcpus: number } {
  const field = (block: string, name: string): string | undefined => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(block)?.[1]?.trim();
  const blocks = text.split(/\n\s*\n/).filter((block) => field(block, 'processor') !== undefined);
  const [first = ''] = blocks;
  const sockets = new Set(blocks.map((block) => field(block, 'physical id') ?? '0')).size;
  const cores = new Set(blocks.map((block) => `${field(block, 'physical id') ?? '0'}/${field(block, 'core id') ?? field(block, 'processor')}`)).size;
  return {
    vcpus: blocks.length,
    vendor: field(first, 'vendor_id') ?? 'unknown',
    model: field(first, 'model name') ?? 'unknown',
    features: (field(first, 'flags') ?? '').split(' ').filter(Boolean).map(featureName).toSorted(),
    sockets: Math.max(1, sockets),
    cores: Math.max(1, Math.round(cores / Math.max(1, sockets))),
    threads: Math.max(1, Math.round(blocks.length / Math.max(1, cores))),
  };
}
