import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostAgent, HostCallbacks } from '@cairn/host/interface/agent';
import { type Clock, systemClock } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import { createLog } from '@cairn/kit/log/pino';
import type { CloudConfig } from '../config.ts';
import type { Paths } from '../daemon/paths.ts';

/** The cloud's hosts, not yet started. */
export async function makeAgents(config: CloudConfig, paths: Paths, callbacks: HostCallbacks, clock: Clock, log: Logger): Promise<HostAgent[]> {
  if (config.hypervisor.type === 'simulated') return simulated(config, paths, callbacks, clock);
  const { RealAgent } = await import('@cairn/host/real/agent');
  const prefix = config.network.publicCidr.split('/')[1];
  return [
    await RealAgent.create({
      ...(config.hypervisor.host !== '' && { host: config.hypervisor.host }),
      instance: paths.instance,
      dataDir: paths.host,
      runDir: `/run/cairn-${paths.instance}`,
      physicalNetworks: { public: { linkName: `cairn-${paths.instance}`, hostCidr: `${config.network.publicGateway}/${prefix}` } },
      callbacks,
      clock,
      log,
    }),
  ];
}

async function simulated(config: CloudConfig, paths: Paths, callbacks: HostCallbacks, clock: Clock): Promise<HostAgent[]> {
  const { SimulatedAgent } = await import('@cairn/host/simulated/agent');
  const { SimulatedMachine } = await import('@cairn/host/simulated/machine');
  const saved = existsSync(paths.simulated) ? (JSON.parse(readFileSync(paths.simulated, 'utf8')) as Record<string, unknown>) : {};
  const base = config.hypervisor.host || hostname();
  return Array.from({ length: config.hypervisor.hosts }, (_, i) => {
    const name = config.hypervisor.hosts === 1 ? base : `${base}-${i + 1}`;
    const machine = new SimulatedMachine(name);
    if (saved[name]) machine.load(saved[name]);
    return new SimulatedAgent(name, { clock, machine, callbacks });
  });
}

/** Keeps what simulated hosts hold, so that they survive a restart as real ones do. */
export function saveSimulated(paths: Paths, agents: readonly HostAgent[]): void {
  const machines = agents.flatMap((agent) => ('machine' in agent ? [[agent.host, agent.machine]] : []));
  if (machines.length === 0) return;
  mkdirSync(paths.data, { recursive: true });
  writeFileSync(paths.simulated, JSON.stringify(Object.fromEntries(machines)), { mode: 0o600 });
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
