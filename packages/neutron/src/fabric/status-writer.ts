import type { FabricObject } from '@cairn/host/interface/fabric';
import type { Timer } from '@cairn/kit/clock/clock';
import type { Env } from '@cairn/kit/env';
import type { Tx } from '@cairn/kit/store/store';
import { activateFloatingIps } from '../store/floatingips.ts';
import type { Settings } from '../options.ts';
import { loadDistributions } from './distribution.ts';
import { activatePorts, deactivatePort } from '../store/ports.ts';
import { activateTrunks } from '../store/trunks.ts';

/** How long the statuses of ports wait for each other that nobody waits for. */
const LATER_MS = 25;
/** Before those are tried again that could not be written. */
const RETRY_MS = 1_000;

interface Batch {
  readonly portIds: Map<string, Set<string>>;
  readonly routerIds: Map<string, Set<string>>;
  readonly done: Promise<void>;
}

/**
 * Writes what hosts say came up: ports and floating IPs become ACTIVE. What many hosts say at once goes into one transaction. A port
 * counts as live only on the host that it is bound to, a router's floating IPs where the router is to work, or its part that answers for them, and nova hears of it (`port.bound`).
 * Nobody waits for the ports of DHCP and routers: those that come up within a moment are written together, as a new network with its subnet would cost a
 * third transaction otherwise. What was not written when the process ends is when the host is given the whole.
 */
export class StatusWriter {
  readonly #env: Env;
  readonly #settings: Settings;
  #next: Batch | undefined;
  #last: Promise<void> = Promise.resolve();
  /** By host, ports that nobody waits for. */
  #later = new Map<string, Set<string>>();
  #timer: Timer | undefined;

  constructor(env: Env, settings: Settings) {
    this.#env = env;
    this.#settings = settings;
  }

  live(host: string, objects: readonly FabricObject[]): Promise<void> {
    const ports = objects.filter((object) => object.kind === 'port' && object.adminUp && !object.isUnbound);
    const awaited = ports.filter(isPlugged).map((port) => port.id);
    const others = ports.filter((port) => !isPlugged(port)).map((port) => port.id);
    const routers = objects
      .filter((object) => object.kind === 'router' && object.floatingIps.length + (object.portForwardings?.length ?? 0) > 0)
      .map((object) => object.id);
    if (others.length > 0) {
      note(this.#later, host, others);
      this.#wait(LATER_MS);
    }
    if (awaited.length + routers.length === 0) return Promise.resolve();
    const batch = (this.#next ??= this.#open());
    note(batch.portIds, host, awaited);
    note(batch.routerIds, host, routers);
    return batch.done;
  }

  /** Resolves when all is written, and waits for nothing more to come. */
  async idle(): Promise<void> {
    if (this.#later.size > 0) this.#next ??= this.#open();
    while (this.#next) await this.#next.done.catch(() => undefined);
    await this.#last;
  }

  /** Writes what waits, and no more after it. */
  async stop(): Promise<void> {
    await this.idle();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(forMs: number): void {
    this.#timer ??= this.#env.clock.after(forMs, () => {
      this.#timer = undefined;
      this.#next ??= this.#open();
      this.#next.done.catch((err: unknown) => this.#env.log.warn({ err }, 'the statuses of ports that came up could not be written; trying again'));
    });
  }

  #open(): Batch {
    const portIds = new Map<string, Set<string>>();
    const routerIds = new Map<string, Set<string>>();
    const done = this.#last.then(async () => {
      this.#next = undefined;
      this.#timer?.cancel();
      this.#timer = undefined;
      const later = this.#later;
      this.#later = new Map();
      for (const [host, ids] of later) note(portIds, host, ids);
      try {
        await this.#env.store.write((tx) => this.#write(tx, portIds, routerIds));
      } catch (error) {
        for (const [host, ids] of later) note(this.#later, host, ids);
        if (later.size > 0) this.#wait(RETRY_MS);
        throw error;
      }
    });
    this.#last = done.catch(() => undefined);
    return { portIds, routerIds, done };
  }

  async #write(tx: Tx, portIds: ReadonlyMap<string, ReadonlySet<string>>, routerIds: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    const nowMs = this.#env.clock.nowMs();
    for (const [host, ids] of portIds) {
      const up = await activatePorts(tx, host, [...ids], nowMs);
      await activateTrunks(tx, up);
      for (const port of up) {
        await this.#env.events.emit(tx, {
          type: 'port.bound',
          projectId: port.project_id === '' ? undefined : port.project_id,
          resource: 'port',
          resourceId: port.id,
          payload: { port_id: port.id, host, device_id: port.device_id, device_owner: port.device_owner },
        });
      }
    }
    for (const [host, ids] of routerIds) {
      if (ids.size === 0) continue;
      const distributions = await loadDistributions(tx, this.#settings, [...ids]);
      const homes = new Map([...distributions.values()].flatMap(({ homeOf }) => [...homeOf]));
      await activateFloatingIps(tx, [...ids], host, homes, nowMs);
    }
  }

  /** A guest's port went down by itself. */
  async down(host: string, portId: string): Promise<void> {
    await this.#env.store
      .write((tx) => deactivatePort(tx, host, portId, this.#env.clock.nowMs()))
      .catch((err: unknown) => this.#env.log.warn({ err, portId }, 'the status of a port that went down could not be written'));
  }
}

/** A guest is plugged here, or to be. The ports of DHCP and routers are not. */
const isPlugged = (object: FabricObject): boolean => object.kind === 'port' && object.attachment.kind !== 'none';

function note(known: Map<string, Set<string>>, host: string, ids: Iterable<string>): void {
  known.set(host, (known.get(host) ?? new Set()).union(new Set(ids)));
}
