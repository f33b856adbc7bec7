import type { HostNumaCell } from '@cairn/host/interface/agent';
import type { MachineSize } from '@cairn/host/simulated/machine';
import { type CpuSets, cpuSetsOf, type HypervisorConfig } from '../config-compute.ts';

const SMALL_PAGE_KB = 4;

/**
 * What the simulated hosts of a cloud are made of. One with a single node whose processors are all shared and that has small pages alone has nothing
 * to choose from, and tells of no nodes, as a real one. Throws an Error that names the option.
 */
export function simulatedSize(config: HypervisorConfig): MachineSize {
  const { cpus, memoryMb, diskGb, numaNodes, threadsPerCore, pages } = config.simulated;
  const sets = cpuSetsOf(config);
  const unknown = [...sets.dedicated, ...(sets.shared ?? [])].filter((cpu) => cpu >= cpus);
  if (unknown.length > 0)
    throw new Error(`hypervisor.dedicatedCpus and sharedCpus: a simulated host has the processors 0 to ${cpus - 1}, and no ${unknown.join(', ')}`);
  const nodeCpus = cpus / numaNodes;
  if (!Number.isInteger(nodeCpus / threadsPerCore))
    throw new Error(`hypervisor.simulated: ${cpus} processors with ${threadsPerCore} threads a core are not shared evenly by ${numaNodes} NUMA nodes`);
  const isPlain = numaNodes === 1 && sets.dedicated.length === 0 && sets.shared === undefined && pages.length === 0;
  if (isPlain) return { vcpus: cpus, memoryMb, diskGb };
  const nodeMb = Math.floor(memoryMb / numaNodes);
  const largeKb = pages.reduce((sum, page) => sum + page.sizeKb * page.count, 0);
  if (largeKb > nodeMb * 1_024) throw new Error(`hypervisor.simulated.pages: they are ${Math.ceil(largeKb / 1_024)} MB, and a NUMA node has ${nodeMb}`);
  const small = { sizeKb: SMALL_PAGE_KB, total: Math.floor((nodeMb * 1_024 - largeKb) / SMALL_PAGE_KB) };
  const numa = Array.from({ length: numaNodes }, (_, id): HostNumaCell => {
    const mine = Array.from({ length: nodeCpus }, (_one, at) => id * nodeCpus + at);
    return {
      id,
      ...ofNode(mine, sets),
      siblings:
        threadsPerCore === 1
          ? []
          : Array.from({ length: nodeCpus / threadsPerCore }, (_core, at) => mine.slice(at * threadsPerCore, (at + 1) * threadsPerCore)),
      memoryMb: nodeMb,
      pages: [small, ...pages.map(({ sizeKb, count }) => ({ sizeKb, total: count }))],
    };
  });
  return { vcpus: cpus, memoryMb, diskGb, numa };
}

const ofNode = (cpus: readonly number[], { dedicated, shared }: CpuSets): Pick<HostNumaCell, 'sharedCpus' | 'dedicatedCpus'> => ({
  sharedCpus: cpus.filter((cpu) => shared?.includes(cpu) ?? !dedicated.includes(cpu)),
  dedicatedCpus: cpus.filter((cpu) => dedicated.includes(cpu)),
});
