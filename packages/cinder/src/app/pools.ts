import { isCairnError, noCapacity } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { services } from '../store/services.ts';
import { pools as storedPools } from '../store/usage.ts';
import { serviceHost } from './backend.ts';
import { capabilitiesOf, unsatisfied } from './capabilities.ts';
import type { CinderDeps } from './deps.ts';
import type { ExtraSpecs } from './types.ts';

/** One host's storage, as the scheduler and get_pools see it. */
export interface PoolFacts {
  readonly host: string;
  readonly totalGb: number;
  readonly freeGb: number;
  readonly volumes: number;
  /** Promised to volumes; they are thin, so it may be more than there is. */
  readonly provisionedGb: number;
  readonly disabled: boolean;
}

interface Known {
  readonly totalGb: number;
  readonly freeGb: number;
  readonly atMs: number;
}

/** A host's free space is asked anew after so long. */
const FRESH_MS = 5_000;

/** The storage of all hosts, and the choice among them. */
export class Pools {
  readonly #deps: CinderDeps;
  readonly #known = new Map<string, Known>();

  constructor(deps: CinderDeps) {
    this.#deps = deps;
  }

  /** The connected hosts' storage. A host that does not answer is left out. */
  async list(db: Db): Promise<PoolFacts[]> {
    const { hosts, env } = this.#deps;
    const names = hosts.names().toSorted();
    const [stored, known, all] = await Promise.all([storedPools(db), services(db), Promise.all(names.map((name) => this.#capacity(name)))]);
    const disabled = new Set(known.filter((service) => service.binary === 'cinder-volume' && service.disabled === 1).map((service) => service.host));
    return names.flatMap((host, at) => {
      const capacity = all[at];
      if (!capacity) {
        env.log.warn({ host }, 'a host does not tell how much storage it has');
        return [];
      }
      const use = stored.get(host);
      return [
        {
          host,
          totalGb: capacity.totalGb,
          freeGb: capacity.freeGb,
          volumes: use?.volumes ?? 0,
          provisionedGb: use?.provisionedGb ?? 0,
          disabled: disabled.has(serviceHost(host)),
        },
      ];
    });
  }

  /** The best host for `sizeGb` more with what a type's extra specs ask for; NoCapacity says what each lacks. */
  async choose(db: Db, sizeGb: number, specs: ExtraSpecs): Promise<string> {
    const { options, env } = this.#deps;
    const all = await this.list(db);
    const lack = (pool: PoolFacts): string | undefined => this.#lack(pool, sizeGb) ?? unsatisfied(specs, capabilitiesOf(options, pool, env.clock.nowMs()));
    const fitting = all.filter((pool) => lack(pool) === undefined);
    // most free first, as upstream's capacity weigher
    const best = fitting.toSorted((a, b) => this.#virtualFree(b) - this.#virtualFree(a) || a.volumes - b.volumes)[0];
    if (best) return best.host;
    const why = all.length === 0 ? 'no host is connected' : all.map((pool) => `${pool.host}: ${lack(pool)}`).join('; ');
    throw noCapacity(`No valid backend was found for a volume of ${sizeGb} GB: ${why}.`, { type: 'NoValidBackend' });
  }

  /** Can a host that a volume must be on take `sizeGb` more? Throws NoCapacity, or Unavailable when it is not connected. */
  async check(db: Db, host: string, sizeGb: number): Promise<void> {
    this.#deps.hosts.get(host);
    const pool = (await this.list(db)).find((one) => one.host === host);
    const lack = pool ? this.#lack({ ...pool, disabled: false }, sizeGb) : 'it does not answer';
    if (lack !== undefined) throw noCapacity(`No valid backend was found for a volume of ${sizeGb} GB: ${host}: ${lack}.`, { type: 'NoValidBackend' });
  }

  #virtualFree(pool: PoolFacts): number {
    return pool.totalGb * this.#deps.options.overSubscriptionRatio - pool.provisionedGb;
  }

  /** Upstream's CapacityFilter for thin storage. */
  #lack(pool: PoolFacts, sizeGb: number): string | undefined {
    const { overSubscriptionRatio, reservedPercentage } = this.#deps.options;
    if (pool.disabled) return 'its volume service is disabled';
    const reservedGb = (pool.totalGb * reservedPercentage) / 100;
    const freeGb = pool.freeGb - reservedGb;
    if (freeGb <= 0) return 'it has no free space';
    if (pool.provisionedGb + sizeGb > pool.totalGb * overSubscriptionRatio) {
      return `${pool.provisionedGb} GB of at most ${Math.floor(pool.totalGb * overSubscriptionRatio)} GB are promised already`;
    }
    if (sizeGb > freeGb * overSubscriptionRatio)
      return `it has ${Math.floor(freeGb)} GB free, of which volumes may be promised ${overSubscriptionRatio} times as much`;
    return undefined;
  }

  async #capacity(host: string): Promise<Known | undefined> {
    const { env, hosts } = this.#deps;
    const nowMs = env.clock.nowMs();
    const known = this.#known.get(host);
    if (known && nowMs - known.atMs < FRESH_MS) return known;
    try {
      const fresh = { ...(await hosts.get(host).disks.capacity()), atMs: nowMs };
      this.#known.set(host, fresh);
      return fresh;
    } catch (error) {
      this.#known.delete(host);
      if (!isCairnError(error)) env.log.warn({ host, err: error }, 'asking a host for its storage failed');
      return undefined;
    }
  }
}
