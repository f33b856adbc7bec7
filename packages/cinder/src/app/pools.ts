import { isCairnError, noCapacity, unavailable } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
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
  /** Its cinder-volume service, if that has registered. */
  readonly serviceId: string | undefined;
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
    const there = storages(this.#deps);
    return this.#factsOf(db, there, await Promise.all(there.map((storage) => this.#capacity(storage))));
  }

  async #factsOf(db: Db, there: readonly Storage[], all: readonly (Known | undefined)[]): Promise<PoolFacts[]> {
    const { env } = this.#deps;
    const [stored, known] = [await storedPools(db), await services(db)];
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
          serviceId: service?.id,
          disabled: service?.disabled === 1,
          availabilityZone: service?.availability_zone,
        },
      ];
    });
  }

  /** The key of the best storage for `sizeGb` more; NoCapacity says what each lacks. */
  async choose(db: Db, sizeGb: number, wish: Wish): Promise<string> {
    const all = await this.list(db);
    const best = this.#best(all, sizeGb, wish);
    if (best) return best.key;
    const why = all.length === 0 ? 'no host is connected' : all.map((pool) => `${poolName(pool.key)}: ${this.#lackFor(pool, sizeGb, wish)}`).join('; ');
    throw noCapacity(`No valid backend was found for a volume of ${sizeGb} GB: ${why}.`, { type: 'NoValidBackend' });
  }

  /**
   * The best storage, for a choice within the transaction that accepts a volume: undefined where a host would have to be asked for its room first, and
   * where none fits. On PostgreSQL always: whoever reads what all storage has promised would fail every other such transaction.
   */
  async chooseAtOnce(tx: Tx, sizeGb: number, wish: Wish): Promise<PoolFacts | undefined> {
    if (tx.engine !== 'sqlite') return undefined;
    const there = storages(this.#deps);
    const known = there.map(({ key }) => this.#fresh(key));
    return known.includes(undefined) ? undefined : this.#best(await this.#factsOf(tx, there, known), sizeGb, wish);
  }

  /** Most free first, as upstream's capacity weigher. */
  #best(all: readonly PoolFacts[], sizeGb: number, wish: Wish): PoolFacts | undefined {
    const fitting = all.filter((pool) => this.#lackFor(pool, sizeGb, wish) === undefined);
    return fitting.toSorted((a, b) => this.#virtualFree(b) - this.#virtualFree(a) || a.volumes - b.volumes)[0];
  }

  #lackFor(pool: PoolFacts, sizeGb: number, wish: Wish): string | undefined {
    const { options, env } = this.#deps;
    return lackOfPlace(pool, wish) ?? this.#lack(pool, sizeGb) ?? unsatisfied(wish.specs, capabilitiesOf(options, pool, env.clock.nowMs()));
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

  /** The room of a storage, if it was asked for lately. */
  #fresh(key: string): Known | undefined {
    const known = this.#known.get(key);
    return known && this.#deps.env.clock.nowMs() - known.atMs < FRESH_MS ? known : undefined;
  }

  async #capacity({ key, host, backend }: Storage): Promise<Known | undefined> {
    const { env, hosts } = this.#deps;
    const known = this.#fresh(key);
    if (known) return known;
    const atMs = env.clock.nowMs();
    try {
      const fresh = { ...(await hosts.get(host ?? hosts.names()[0] ?? '').disks.capacity(backend.name)), atMs };
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
