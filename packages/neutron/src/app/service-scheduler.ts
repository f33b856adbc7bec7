import type { Hosts } from '@cairn/host/interface/hosts';
import type { Clock } from '@cairn/kit/clock/clock';
import type { Db } from '@cairn/kit/store/store';
import { reaches } from '../fabric/segment-of-host.ts';
import type { Settings } from '../options.ts';
import { hostsSwitchedOff, loadsOf, type ServiceKind } from '../store/service-hosts.ts';
import { zoneOf } from './zones.ts';

/** Upstream's names of the agents that have routers and networks' DHCP. */
export const AGENT_TYPES: Readonly<Record<ServiceKind, string>> = { l3: 'L3 agent', dhcp: 'DHCP agent' };

export interface Wanted {
  /** Zones that the host is to be in one of; none says that any will do. */
  readonly zones: readonly string[];
  /** Physical networks that the host has to reach. */
  readonly physicalNetworks?: readonly string[];
  /** Hosts that are not asked. */
  readonly except?: ReadonlySet<string>;
}

interface Known {
  readonly loads: Map<string, number>;
  readonly off: ReadonlySet<string>;
  readonly readAtMs: number;
}

/** What is known of loads is read anew after this time; in between each choice is added to it, so that a choice costs the same however much there is. */
const FRESH_MS = 1000;

/**
 * Chooses hosts for routers and DHCP servers as upstream's default schedulers do (LeastRoutersScheduler, WeightScheduler): of the hosts
 * that are there, whose agent is switched on, in a zone that is asked for and with the physical networks that are needed, the one that has
 * the least of its kind; of several, the first by name.
 */
export class ServiceScheduler {
  readonly #hosts: Hosts;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #known = new Map<ServiceKind, Known>();

  constructor(hosts: Hosts, settings: Settings, clock: Clock) {
    this.#hosts = hosts;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The hosts that may be chosen, however much they have. */
  async #fit(db: Db, kind: ServiceKind, wanted: Wanted): Promise<readonly string[]> {
    const { off } = await this.#knowledge(db, kind);
    return this.#hosts
      .names()
      .filter(
        (host) =>
          !off.has(host) &&
          wanted.except?.has(host) !== true &&
          (wanted.zones.length === 0 || wanted.zones.includes(zoneOf(this.#settings, host))) &&
          (wanted.physicalNetworks ?? []).every((name) => reaches(this.#settings, name, host)),
      );
  }

  /** The hosts for one more of a kind, at most `count`; empty where none fits. */
  async choose(db: Db, kind: ServiceKind, wanted: Wanted, count = 1): Promise<readonly string[]> {
    const fitting = await this.#fit(db, kind, wanted);
    if (fitting.length === 0) return [];
    const { loads } = await this.#knowledge(db, kind);
    const load = (host: string): number => loads.get(host) ?? 0;
    const chosen = fitting.toSorted((a, b) => load(a) - load(b) || (a < b ? -1 : 1)).slice(0, count);
    for (const host of chosen) loads.set(host, load(host) + 1);
    return chosen;
  }

  /** What is known may be wrong: an agent was switched, or something was moved by hand. */
  forget(): void {
    this.#known.clear();
  }

  async #knowledge(db: Db, kind: ServiceKind): Promise<Known> {
    const nowMs = this.#clock.nowMs();
    const known = this.#known.get(kind);
    if (known && nowMs - known.readAtMs < FRESH_MS) return known;
    // with one host there is nothing to weigh
    const loads = this.#hosts.names().length > 1 ? await loadsOf(db, kind) : new Map<string, number>();
    const fresh: Known = { loads, off: await hostsSwitchedOff(db, AGENT_TYPES[kind]), readAtMs: nowMs };
    this.#known.set(kind, fresh);
    return fresh;
  }
}
