import { notFound } from '@cairn/kit/errors/errors';
import { computeNodeOfHost } from '../store/compute-node.ts';
import { type HostUse, useOfHost } from '../store/host-use.ts';
import type { NovaDeps } from './deps.ts';

/** Sizes in the words of os-hosts; `project` also names sums: `(total)`, `(used_now)`, `(used_max)`. */
export interface HostResource {
  readonly project: string;
  readonly cpu: number;
  readonly memoryMb: number;
  readonly diskGb: number;
}

/** Hosts as they were shown until 2.42. */
export class OldHosts {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** Size, present use, the servers' sum, and each project's. Throws NotFound. */
  async resources(host: string): Promise<readonly HostResource[]> {
    const db = this.#deps.env.store.read;
    const node = await computeNodeOfHost(db, host);
    if (!node) throw notFound(`Compute host ${host} could not be found.`, { type: 'ComputeHostNotFound' });
    const [claimed, projects] = await Promise.all([this.#deps.faces.placement.usageOf(db, node.id), useOfHost(db, host)]);
    const sum = (of: (use: HostUse) => number): number => projects.reduce((total, use) => total + of(use), 0);
    return [
      { project: '(total)', cpu: node.vcpus, memoryMb: node.memory_mb, diskGb: node.disk_gb },
      { project: '(used_now)', cpu: claimed.VCPU ?? 0, memoryMb: claimed.MEMORY_MB ?? 0, diskGb: claimed.DISK_GB ?? 0 },
      { project: '(used_max)', cpu: sum((use) => use.vcpus), memoryMb: sum((use) => use.memoryMb), diskGb: sum((use) => use.diskGb) },
      ...projects.map((use) => ({ project: use.projectId, cpu: use.vcpus, memoryMb: use.memoryMb, diskGb: use.diskGb })),
    ];
  }
}
