import type { Db } from '@cairn/kit/store/store';
import { invalidLimit } from '../errors.ts';
import * as store from '../store/limits.ts';
import { findProject } from '../store/projects.ts';

/** A limit as it is about to be. A project that acts as domain counts as domain. */
export interface WantedLimit {
  readonly projectId: string | null;
  readonly domainId: string | null;
  readonly serviceId: string;
  readonly regionId: string | null;
  readonly resourceName: string;
  readonly resourceLimit: number;
}

/** How limits of parents and children bind each other (keystone/limit/models). */
export interface LimitModel {
  readonly name: string;
  readonly description: string;
  /** The deepest tree of projects, without the domain on top. */
  readonly maxProjectTreeDepth: number;
  /** Refuses limits that do not fit those of parents and children, in `db` and among themselves. */
  check(db: Db, limits: readonly WantedLimit[]): Promise<void>;
}

const flat: LimitModel = {
  name: 'flat',
  description: 'Limit enforcement and validation does not take project hierarchy into consideration.',
  maxProjectTreeDepth: Number.POSITIVE_INFINITY,
  check: async () => {},
};

const strictTwoLevel: LimitModel = {
  name: 'strict_two_level',
  description: 'This model requires project hierarchy never exceeds a depth of two',
  maxProjectTreeDepth: 2,
  async check(db, limits) {
    for (const limit of limits) if (!(await fits(db, limit, limits))) throw refusal(limit);
  },
};

export const LIMIT_MODELS: Readonly<Record<'flat' | 'strict_two_level', LimitModel>> = { flat, strict_two_level: strictTwoLevel };

const sameResource = (a: WantedLimit, b: WantedLimit): boolean => a.serviceId === b.serviceId && a.regionId === b.regionId && a.resourceName === b.resourceName;

async function fits(db: Db, limit: WantedLimit, all: readonly WantedLimit[]): Promise<boolean> {
  const registered = await store.findRegisteredLimitFor(db, limit.serviceId, limit.resourceName, limit.regionId ?? '');
  if (limit.projectId === null) {
    return !registered || !(await store.hasProjectLimitAbove(db, registered.id, limit.domainId ?? '', limit.resourceLimit));
  }
  const parentId = (await findProject(db, limit.projectId))?.parent_id ?? '';
  const together = all.find((other) => other.domainId === parentId && sameResource(other, limit));
  if (together) return limit.resourceLimit <= together.resourceLimit;
  const own = registered && (await store.findLimitOf(db, registered.id, { domainId: parentId }));
  // a parent that may have nothing binds nobody, as upstream has it
  const above = own?.resource_limit ?? registered?.default_limit ?? 0;
  return above === 0 || limit.resourceLimit <= above;
}

const refusal = (limit: WantedLimit) =>
  invalidLimit(
    `The resource limit (${limit.projectId === null ? 'domain_id' : 'project_id'}: ${limit.projectId ?? limit.domainId}, ` +
      `resource_name: ${limit.resourceName}, resource_limit: ${limit.resourceLimit}, service_id: ${limit.serviceId}, ` +
      `region_id: ${limit.regionId ?? 'None'}) doesn't satisfy current hierarchy model.`,
  );
