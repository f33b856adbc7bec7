import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostAgent, HostCallbacks } from '@cairn/host/interface/agent';
import type { SwitchableHost } from '@cairn/host/real/switchable';
import type { Underlay } from '@cairn/host/real/underlay';
import type { HostRegistry } from '@cairn/host/registry';
import type { SimulatedAgent } from '@cairn/host/simulated/agent';
import { type Clock, systemClock } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import { createLog } from '@cairn/kit/log/pino';
import type { CloudConfig } from '../config.ts';
import { cpuSetsOf } from '../config-compute.ts';
import { hasPublicWire, physicalLinks } from '../config-network.ts';
import { storageOf } from '../config-storage.ts';
import type { Paths } from '../daemon/paths.ts';
import { simulatedSize } from './simulated-size.ts';

/** The cloud's hosts, not yet started. */
export async function makeAgents(config: CloudConfig, paths: Paths, callbacks: HostCallbacks, clock: Clock, log: Logger): Promise<HostAgent[]> {
  const sets = cpuSetsOf(config.hypervisor);
  if (config.hypervisor.type === 'simulated') return simulated(config, callbacks, clock);
  const { RealAgent } = await import('@cairn/host/real/agent');
  const count = config.hypervisor.hosts;
  const backends = storageOf(config.storage).specs;
  const publicLink = publicLinkOf(config, paths);
  if (count === 1) {
    const { host } = config.hypervisor;
    const physicalNetworks = { public: publicLink, ...physicalLinks(config.network, hostName(config, 0), paths.instance) };
    const cpus = sets.dedicated.length > 0 || sets.shared !== undefined ? { cpus: sets } : {};
    const place = { instance: paths.instance, dataDir: paths.host, runDir: `/run/cairn-${paths.instance}` };
    return [await RealAgent.create({ ...(host !== '' && { host }), ...place, ...cpus, physicalNetworks, backends, callbacks, clock, log })];
  }
  if (count > MOST_REAL_HOSTS) throw new Error(`one machine is at most ${MOST_REAL_HOSTS} real hosts; more of them can be simulated (--hypervisor simulated)`);
  const { SwitchableHost } = await import('@cairn/host/real/switchable');
  const { SharedDirectories } = await import('@cairn/host/backends/shared-directory');
  const shared = new SharedDirectories(count);
  const underlay = await underlayOf(config, paths);
  await underlay.ensure();
  return await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const index = i + 1;
      const agent = await RealAgent.create({
        host: hostName(config, i),
        instance: `${paths.instance}h${index}`,
        cloud: paths.instance,
        dataDir: join(paths.hosts, String(index)),
        runDir: `/run/cairn-${paths.instance}/h${index}`,
        physicalNetworks: { public: underlay.publicPort(index), ...physicalLinks(config.network, hostName(config, i), `${paths.instance}h${index}`) },
        backends,
        shared,
        among: { index, count, tunnels: underlay.endpoint(index), outerNetns: underlay.netns },
        callbacks,
        clock,
        log,
      });
      return new SwitchableHost(agent, { cut: () => underlay.cut(index), join: () => underlay.join(index) });
    }),
  );
}

const MOST_REAL_HOSTS = 64;

const hostName = (config: CloudConfig, i: number): string => {
  const base = config.hypervisor.host || hostname();
  return config.hypervisor.hosts === 1 ? base : `${base}-${i + 1}`;
};

/** The names of this machine's hosts, where they are real. */
export const realHostsOf = (config: CloudConfig): readonly string[] =>
  config.hypervisor.type === 'simulated' ? [] : Array.from({ length: config.hypervisor.hosts }, (_, i) => hostName(config, i));

const publicLinkOf = (config: CloudConfig, paths: Paths): { readonly linkName: string; readonly hostCidr: string } => ({
  linkName: `cairn-${paths.instance}`,
  hostCidr: `${config.network.publicGateway}/${config.network.publicCidr.split('/')[1]}`,
});

/** What joins several real hosts on this machine. */
async function underlayOf(config: CloudConfig, paths: Paths): Promise<Underlay> {
  const { Underlay } = await import('@cairn/host/real/underlay');
  const runDir = `/run/cairn-${paths.instance}`;
  mkdirSync(runDir, { recursive: true, mode: 0o711 });
  const publicLink = hasPublicWire(config.network) ? {} : { publicLink: publicLinkOf(config, paths) };
  return new Underlay({ instance: paths.instance, hosts: config.hypervisor.hosts, ...publicLink, scratchDir: join(runDir, 'u') });
}

async function simulated(config: CloudConfig, callbacks: HostCallbacks, clock: Clock): Promise<HostAgent[]> {
  const { SimulatedAgent } = await import('@cairn/host/simulated/agent');
  const { SimulatedMachine } = await import('@cairn/host/simulated/machine');
  const { SwitchableHost } = await import('@cairn/host/real/switchable');
  const names = storageOf(config.storage)
    .backends.filter((backend) => backend.isShared)
    .map((backend) => backend.name);
  const size = simulatedSize(config.hypervisor);
  const shared = names.length > 0 ? { backends: new Set(names), machine: new SimulatedMachine('shared storage') } : undefined;
  return Array.from({ length: config.hypervisor.hosts }, (_, i) => {
    const name = hostName(config, i);
    const machine = new SimulatedMachine(name, size, shared);
    const agent = new SimulatedAgent(name, { clock, machine, callbacks });
    return config.hypervisor.hosts === 1 ? agent : new SwitchableHost(agent, NO_CABLES);
  });
}

const NO_CABLES = { cut: () => Promise.resolve(), join: () => Promise.resolve() };

/** Switches a host off, or on again: it leaves the cloud's hosts, or comes back to them. */
export async function switchHost(hosts: HostRegistry, agents: readonly HostAgent[], name: string, power: 'off' | 'on'): Promise<void> {
  const agent = agents.find((one) => one.host === name);
  if (!agent) throw new Error(`there is no host ${name}; the hosts are ${agents.map((one) => one.host).join(', ')}`);
  if (!('powerOff' in agent)) throw new Error('the only host of a cloud is not switched off; "cairn down" stops it all');
  const host = agent as SwitchableHost;
  if (power === 'off') {
    hosts.remove(name);
    await host.powerOff();
  } else if (host.isOff) {
    await host.powerOn();
    hosts.add(host);
  }
}

/** Simulated hosts hold what they held before, and from now on keep what changes: they survive any end of the process, as real ones do. */
export async function keepSimulated(config: CloudConfig, paths: Paths, agents: readonly HostAgent[]): Promise<{ close(): void } | undefined> {
  if (config.hypervisor.type !== 'simulated') return undefined;
  const { MachineJournal } = await import('@cairn/host/simulated/journal');
  mkdirSync(paths.data, { recursive: true });
  const machines = agents.map((agent) => (('inner' in agent ? (agent as SwitchableHost).inner : agent) as SimulatedAgent).machine);
  const storage = machines[0]?.shared?.machine;
  return MachineJournal.open(paths.simulated, storage ? [...machines, storage] : machines);
}

/** Removes every trace of the hosts of a cloud that is down. */
export async function destroyHosts(config: CloudConfig, paths: Paths): Promise<void> {
  const nobody: HostCallbacks = {
    openImage: () => Promise.reject(new Error('the cloud is down')),
    metadata: () => Promise.reject(new Error('the cloud is down')),
  };
  // to the terminal: the log's file goes with the cloud, and one that is still being opened would end the process
  for (const agent of await makeAgents(config, paths, nobody, systemClock, createLog({ level: 'warn' }))) {
    // finds guests and disks again where it can; what stops a start must not stop the removal
    await agent.start().catch(() => {});
    await agent.destroy();
  }
  if (config.hypervisor.type === 'qemu' && config.hypervisor.hosts > 1) await (await underlayOf(config, paths)).destroy();
  if (config.hypervisor.type === 'qemu') rmSync(`/run/cairn-${paths.instance}`, { recursive: true, force: true });
}

/** Tries whether guests run under KVM here. */
export async function kvmWorks(): Promise<{ works: boolean; reason: string }> {
  const { probeKvm } = await import('@cairn/host/hypervisor/kvm-probe');
  const scratch = mkdtempSync(join(tmpdir(), 'cairn-kvm-'));
  try {
    const verdict = await probeKvm('qemu-system-x86_64', scratch, undefined);
    return { works: verdict.usable, reason: verdict.why };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
