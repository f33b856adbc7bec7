import type { FabricObject } from '@cairn/host/interface/fabric';
import type { Env } from '@cairn/kit/env';
import type { Tx } from '@cairn/kit/store/store';
import { activateFloatingIps } from '../store/floatingips.ts';
import type { Settings } from '../options.ts';
import { loadDistributions } from './distribution.ts';
import { activatePorts, deactivatePort } from '../store/ports.ts';
import { activateTrunks } from '../store/trunks.ts';

interface Batch {
  readonly portIds: Map<string, Set<string>>;
  readonly routerIds: Map<string, Set<string>>;
  readonly done: Promise<void>;
}

/**
 * Writes what hosts say came up: ports and floating IPs become ACTIVE. What many hosts say at once goes into one transaction. A port
 * counts as live only on the host that it is bound to, a router's floating IPs where the router is to work, or its part that answers for them, and nova hears of it (`port.bound`).
 */
export class StatusWriter {
  readonly #env: Env;
  readonly #settings: Settings;
  #next: Batch | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(env: Env, settings: Settings) {
    this.#env = env;
    this.#settings = settings;
  }

  live(host: string, objects: readonly FabricObject[]): Promise<void> {
    const ports = objects.filter((object) => object.kind === 'port' && object.adminUp).map((object) => object.id);
    const routers = objects
      .filter((object) => object.kind === 'router' && object.floatingIps.length + (object.portForwardings?.length ?? 0) > 0)
      .map((object) => object.id);
    if (ports.length + routers.length === 0) return Promise.resolve();
    const batch = (this.#next ??= this.#open());
    for (const [known, ids] of [
      [batch.portIds, ports],
      [batch.routerIds, routers],
    ] as const)
      known.set(host, (known.get(host) ?? new Set()).union(new Set(ids)));
    return batch.done;
  }

  async idle(): Promise<void> {
    while (this.#next) await this.#next.done.catch(() => undefined);
    await this.#last;
  }

  #open(): Batch {
    const portIds = new Map<string, Set<string>>();
    const routerIds = new Map<string, Set<string>>();
    const done = this.#last.then(async () => {
      this.#next = undefined;
      await this.#env.store.write((tx) => this.#write(tx, portIds, routerIds));
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
