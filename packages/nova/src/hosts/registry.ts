import type { HostAgent, HostFacts } from '@cairn/host/interface/agent';
import type { Timer } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import type { NovaDeps } from '../app/deps.ts';
import { aggregatesOfHosts } from '../store/aggregate-manage.ts';
import { saveComputeNode } from '../store/compute-node.ts';
import { findService } from '../store/service-manage.ts';
import { beatServices, ensureService } from '../store/service.ts';
import { cpusOf } from '../topology/host.ts';
import { DISABLED_TRAIT } from '../app/services.ts';

/** Services that the control process is, for `os-services`. */
const CONTROL_BINARIES = ['nova-conductor', 'nova-scheduler'];
/** How long a host may take to describe itself before it counts as away. */
const DESCRIBE_MS = 10_000;

/**
 * Keeps what the cloud knows of its hosts: compute nodes and services as rows, providers with their inventories in placement, and signs of
 * life. `arrived` is called for each host once its rows are there, at every start and each time it comes back.
 */
export class HostRegistry {
  readonly #deps: NovaDeps;
  readonly #arrived: (host: string) => Promise<void>;
  readonly #log: Logger;
  /** What was written of each host last, in its own row and in placement; they are written again only when this changes. */
  readonly #written = new Map<string, { readonly row: string; readonly provider: string }>();
  #timer: Timer | undefined;
  #unlisten: (() => void) | undefined;
  #stopped = false;
  readonly #coming = new Set<Promise<void>>();
  #beating: Promise<void> | undefined;

  constructor(deps: NovaDeps, arrived: (host: string) => Promise<void>) {
    this.#deps = deps;
    this.#arrived = arrived;
    this.#log = deps.env.log.child({ part: 'nova.hosts' });
  }

  /** Registers the hosts that are there, and every one that comes. */
  async start(): Promise<void> {
    this.#unlisten = this.#deps.hosts.onHost((agent) => {
      const registered = this.register(agent)
        .catch((error: unknown) => this.#log.error({ host: agent.host, err: error }, 'a host could not be registered'))
        .finally(() => this.#coming.delete(registered));
      this.#coming.add(registered);
    });
    const { env, options } = this.#deps;
    await env.store.write(async (tx) => {
      for (const binary of CONTROL_BINARIES) await ensureService(tx, { id: env.ids.uuid(), host: options.controlHost, binary }, env.clock.nowMs());
    });
    await this.registered();
    this.#schedule();
  }

  /** Resolves once every host that has come so far is registered, so that servers can be placed on it, or has failed to be. */
  async registered(): Promise<void> {
    await Promise.all(this.#coming);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unlisten?.();
    this.#timer?.cancel();
    await this.#beating;
  }

  /** Takes a host in: rows, provider, then `arrived`. */
  async register(agent: HostAgent): Promise<void> {
    await this.#save([await agent.describe()]);
    await this.#arrived(agent.host);
  }

  /** One round of signs of life: every host that answers is alive, and what changed of it is written. */
  async beat(): Promise<void> {
    const { hosts } = this.#deps;
    const facts = await Promise.all(
      hosts.names().map(async (host) => {
        try {
          return await this.#within(hosts.get(host).describe());
        } catch (error) {
          this.#log.warn({ host, err: error }, 'a host does not answer');
          return undefined;
        }
      }),
    );
    await this.#save(facts.filter((one) => one !== undefined));
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    const abort = new AbortController();
    try {
      return await Promise.race([
        work,
        this.#deps.env.clock.sleep(DESCRIBE_MS, abort.signal).then((): never => {
          throw new Error(`it did not describe itself within ${DESCRIBE_MS} ms`);
        }),
      ]);
    } finally {
      abort.abort(new Error('answered'));
    }
  }

  async #save(all: readonly HostFacts[]): Promise<void> {
    const { env, options, faces } = this.#deps;
    const nowMs = env.clock.nowMs();
    const keysOf = (facts: HostFacts) => ({
      row: JSON.stringify({ ...facts, uptimeSeconds: 0 }),
      provider: JSON.stringify([facts.vcpus, facts.memoryMb, facts.diskGb, facts.traits, cpusOf(facts)]),
    });
    const changed = all.filter((facts) => this.#written.get(facts.host)?.row !== keysOf(facts).row);
    await env.store.write(async (tx) => {
      for (const facts of changed) {
        const node = await saveComputeNode(tx, facts, env.ids.uuid(), nowMs);
        if (this.#written.get(facts.host)?.provider === keysOf(facts).provider) continue;
        await ensureService(tx, { id: env.ids.uuid(), host: facts.host, binary: 'nova-compute' }, nowMs);
        const [service, aggregates] = await Promise.all([findService(tx, { host: facts.host, binary: 'nova-compute' }), aggregatesOfHosts(tx, [facts.host])]);
        await faces.placement.ensureProvider(tx, {
          id: node.id,
          name: facts.host,
          inventories: inventoriesOf(facts, options),
          traits: [...facts.traits, ...(service?.disabled ? [DISABLED_TRAIT] : [])],
          // what operators add by placement's API stays
          ownsTrait: (name) => name.startsWith('COMPUTE_') || name.startsWith('HW_CPU_'),
          aggregates: aggregates.map(({ id }) => id),
        });
        for (const { parentId, ...provider } of faces.neutron.networkProviders(facts.host)) {
          // what operators add by placement's API stays
          await faces.placement.ensureProvider(tx, { ...provider, parentId: parentId ?? node.id, ownsTrait: (name) => NETWORK_TRAITS.test(name) });
        }
      }
      await beatServices(
        tx,
        [...all.map((facts) => ({ host: facts.host, binary: 'nova-compute' })), ...CONTROL_BINARIES.map((binary) => ({ host: options.controlHost, binary }))],
        nowMs,
      );
    });
    for (const facts of changed) this.#written.set(facts.host, keysOf(facts));
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#deps.env.clock.after(this.#deps.options.heartbeatMs, () => {
      this.#beating = this.beat()
        .catch((error: unknown) => this.#log.error({ err: error }, 'signs of life could not be written'))
        .finally(() => this.#schedule());
    });
  }
}

const NETWORK_TRAITS = /^CUSTOM_(PHYSNET_|VNIC_TYPE_|NETWORK_TUNNEL_PROVIDER$)/;

/** What a host offers in placement. */
export function inventoriesOf(
  facts: Pick<HostFacts, 'vcpus' | 'memoryMb' | 'diskGb' | 'numa'>,
  options: NovaDeps['options'],
): Readonly<Record<string, { total: number; reserved: number; maxUnit: number; allocationRatio: number }>> {
  const cpus = cpusOf(facts);
  const all = {
    VCPU: { total: cpus.shared, reserved: 0, maxUnit: cpus.shared, allocationRatio: options.cpuAllocationRatio },
    PCPU: { total: cpus.dedicated, reserved: 0, maxUnit: cpus.dedicated, allocationRatio: 1 },
    // a machine smaller than the reserve still has to offer something that placement can keep
    MEMORY_MB: {
      total: facts.memoryMb,
      reserved: Math.min(options.reservedHostMemoryMb, facts.memoryMb - 1),
      maxUnit: facts.memoryMb,
      allocationRatio: options.ramAllocationRatio,
    },
    DISK_GB: {
      total: facts.diskGb,
      reserved: Math.min(Math.ceil(options.reservedHostDiskMb / 1024), facts.diskGb - 1),
      maxUnit: facts.diskGb,
      allocationRatio: options.diskAllocationRatio,
    },
  };
  return Object.fromEntries(Object.entries(all).filter(([, inventory]) => inventory.total > 0));
}
