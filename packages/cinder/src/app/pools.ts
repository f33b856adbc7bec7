import { isCairnError, noCapacity, unavailable } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { services } from '../store/services.ts';
import { pools as storedPools } from '../store/usage.ts';
import { findStorage, poolName, serviceHost, type Storage, storages } from './backend.ts';
import { capabilitiesOf, unsatisfied } from './capabilities.ts';
import type { CinderDeps } from './deps.ts';
import type { ExtraSpecs } from './types.ts';

/** One storage, as the scheduler and get_pools see it. */
export interface PoolFacts extends Storage {
  readonly totalGb: number;
  readonly freeGb: number;
  readonly volumes: number;
  /** Promised to volumes; where they are thin it may be more than there is. */
  readonly provisionedGb: number;
  readonly disabled: boolean;
  readonly availabilityZone: string | undefined;
}

/** What a new volume asks of its storage. */
export interface Wish {
  /** Of its type. */
  readonly specs: ExtraSpecs;
  /** Absent or null: any. */
  readonly zone?: string | null;
  /** A host that has to reach it. */
  readonly reachedFrom?: string;
}

interface Known {
  readonly totalGb: number;
  readonly freeGb: number;
  readonly atMs: number;
}

/** A storage's free space is asked anew after so long. */
const FRESH_MS = 5_000;

/** All storage, and the choice among it: upstream's AvailabilityZone, Capacity and Capabilities filters, and its capacity weigher. */
export class Pools {
  readonly #deps: CinderDeps;
  readonly #known = new Map<string, Known>();

  constructor(deps: CinderDeps) {
    this.#deps = deps;
  }

  /** What the connected hosts have. What does not answer is left out. */
  async list(db: Db): Promise<PoolFacts[]> {
    const { env } = this.#deps;
    const there = storages(this.#deps);
    const [stored, known, all] = await Promise.all([storedPools(db), services(db), Promise.all(there.map((storage) => this.#capacity(storage)))]);
    const byHost = new Map(known.filter((service) => service.binary === 'cinder-volume').map((service) => [service.host, service]));
    return there.flatMap((storage, at) => {
      const capacity = all[at];
      if (!capacity) {
        env.log.warn({ storage: storage.key }, 'a storage does not tell how much room it has');
        return [];
      }
      const use = stored.get(storage.key);
      const service = byHost.get(serviceHost(storage.key));
      return [
        {
          ...storage,
          totalGb: capacity.totalGb,
          freeGb: capacity.freeGb,
          volumes: use?.volumes ?? 0,
          provisionedGb: use?.provisionedGb ?? 0,
          disabled: service?.disabled === 1,
          availabilityZone: service?.availability_zone,
        },
      ];
    });
  }

  /** The key of the best storage for `sizeGb` more; NoCapacity says what each lacks. */
  async choose(db: Db, sizeGb: number, wish: Wish): Promise<string> {
    const { options, env } = this.#deps;
    const all = await this.list(db);
    const lack = (pool: PoolFacts): string | undefined =>
      lackOfPlace(pool, wish) ?? this.#lack(pool, sizeGb) ?? unsatisfied(wish.specs, capabilitiesOf(options, pool, env.clock.nowMs()));
    const fitting = all.filter((pool) => lack(pool) === undefined);
    // most free first, as upstream's capacity weigher
    const best = fitting.toSorted((a, b) => this.#virtualFree(b) - this.#virtualFree(a) || a.volumes - b.volumes)[0];
    if (best) return best.key;
    const why = all.length === 0 ? 'no host is connected' : all.map((pool) => `${poolName(pool.key)}: ${lack(pool)}`).join('; ');
    throw noCapacity(`No valid backend was found for a volume of ${sizeGb} GB: ${why}.`, { type: 'NoValidBackend' });
  }

  /** Can the storage that a volume must be on take `sizeGb` more? Throws NoCapacity, or Unavailable when no host that has it is connected. */
  async check(db: Db, key: string, sizeGb: number): Promise<void> {
    if (!findStorage(this.#deps, key)) throw unavailable(`Storage ${poolName(key)} is not connected.`);
    const pool = (await this.list(db)).find((one) => one.key === key);
    const lack = pool ? this.#lack({ ...pool, disabled: false }, sizeGb) : 'it does not answer';
    if (lack !== undefined) throw noCapacity(`No valid backend was found for a volume of ${sizeGb} GB: ${poolName(key)}: ${lack}.`, { type: 'NoValidBackend' });
  }

  #virtualFree(pool: PoolFacts): number {
    return pool.totalGb * this.#ratio(pool) - pool.provisionedGb;
  }

  /** How much may be promised for each GB that is there. */
  #ratio({ backend }: PoolFacts): number {
    return backend.isThin ? this.#deps.options.overSubscriptionRatio : 1;
  }

  /** Upstream's CapacityFilter. */
  #lack(pool: PoolFacts, sizeGb: number): string | undefined {
    const { reservedPercentage } = this.#deps.options;
    const overSubscriptionRatio = this.#ratio(pool);
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

  async #capacity({ key, host, backend }: Storage): Promise<Known | undefined> {
    const { env, hosts } = this.#deps;
    const nowMs = env.clock.nowMs();
    const known = this.#known.get(key);
    if (known && nowMs - known.atMs < FRESH_MS) return known;
    try {
      const fresh = { ...(await hosts.get(host ?? hosts.names()[0] ?? '').disks.capacity(backend.name)), atMs: nowMs };
      this.#known.set(key, fresh);
      return fresh;
    } catch (error) {
      this.#known.delete(key);
      if (!isCairnError(error)) env.log.warn({ storage: key, err: error }, 'asking for the room of a storage failed');
      return undefined;
    }
  }
}

/** Upstream's AvailabilityZoneFilter, and whether a host reaches the storage. */
function lackOfPlace(pool: PoolFacts, wish: Wish): string | undefined {
  if (wish.reachedFrom !== undefined && pool.host !== undefined && pool.host !== wish.reachedFrom) return `host ${wish.reachedFrom} does not reach it`;
  if (wish.zone != null && pool.availabilityZone !== undefined && pool.availabilityZone !== wish.zone) return `it is in zone ${pool.availabilityZone}`;
  return undefined;
}
