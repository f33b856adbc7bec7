import { invalidInput } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { invalid } from '../errors.ts';
import { classLimits, deleteProjectLimits, projectLimits, setClassLimit, setProjectLimit, type StoredLimit } from '../store/quotas.ts';
import { typeNames } from '../store/types.ts';
import { usageOf } from '../store/usage.ts';
import type { CinderApp } from './app.ts';
import { Limits, otherUse, PER_TYPE, used } from './quota.ts';

export interface QuotaResource {
  /** As the API names it: `volumes`, `volumes_lvm`. */
  readonly name: string;
  readonly resource: string;
  readonly typeId: string;
}

/** All that is limited, in upstream's order: the whole, then each type's part. */
export async function quotaResources(app: CinderApp, db: Db): Promise<QuotaResource[]> {
  const whole = Object.keys(app.deps.options.quotaDefaults).map((name) => ({ name, resource: name, typeId: '' }));
  const perType = (await typeNames(db)).flatMap((type) => PER_TYPE.map((resource) => ({ name: `${resource}_${type.name}`, resource, typeId: type.id })));
  return [...whole, ...perType];
}

export interface QuotaLine {
  readonly name: string;
  readonly limit: number;
  readonly inUse: number;
  readonly reserved: number;
}

/** What a project may use and what it does use. */
export async function quotaSet(app: CinderApp, db: Db, projectId: string): Promise<QuotaLine[]> {
  const limits = new Limits(await projectLimits(db, projectId), await classLimits(db, 'default'), app.deps.options.quotaDefaults);
  const usage = await usageOf(db, projectId);
  const others = await otherUse(db, projectId);
  return (await quotaResources(app, db)).map(({ name, resource, typeId }) => {
    const all = others[resource] ?? used(usage, resource, typeId);
    const reserved =
      resource === 'gigabytes' ? usage.filter((row) => typeId === '' || row.type_id === typeId).reduce((sum, row) => sum + row.growing_gb, 0) : 0;
    return { name, limit: limits.of(resource, typeId), inUse: all - reserved, reserved };
  });
}

/** The limits that projects without their own have. */
export async function defaultLimits(app: CinderApp, db: Db, className = 'default'): Promise<Record<string, number>> {
  const ofClass = className === 'default' ? [] : await classLimits(db, className);
  const limits = new Limits(ofClass, await classLimits(db, 'default'), app.deps.options.quotaDefaults);
  return Object.fromEntries((await quotaResources(app, db)).map(({ name, resource, typeId }) => [name, limits.of(resource, typeId)]));
}

/** Names that a quota set may have beside resources; they are ignored. */
const NO_RESOURCES = ['tenant_id', 'id'];

async function parse(app: CinderApp, db: Db, set: Readonly<Record<string, unknown>>, what: string): Promise<StoredLimit[]> {
  const known = new Map((await quotaResources(app, db)).map((one) => [one.name, one]));
  const bad = Object.keys(set).filter((name) => !known.has(name) && !NO_RESOURCES.includes(name));
  if (bad.length > 0) throw invalid(`Bad key(s) in ${what}: ${bad.join(', ')}`);
  return Object.entries(set).flatMap(([name, value]) => {
    const one = known.get(name);
    if (!one) return [];
    const limit = typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value)) ? Number(value) : Number.NaN;
    if (!Number.isInteger(limit)) throw invalidInput(`${name} must be an integer`, { field: name });
    if (limit < -1) throw invalidInput(`${name} must be >= -1`, { field: name });
    if (limit > 2_147_483_647) throw invalidInput(`${name} must be <= 2147483647`, { field: name });
    return [{ resource: one.resource, typeId: one.typeId, limit }];
  });
}

/** Sets limits of a project. One that has its own limit already may not get one below what it uses. */
export async function changeQuotaSet(app: CinderApp, projectId: string, set: Readonly<Record<string, unknown>>): Promise<Record<string, number>> {
  return app.deps.env.store.write(async (tx) => {
    const limits = await parse(app, tx, set, 'quota set');
    const own = await projectLimits(tx, projectId);
    const usage = await usageOf(tx, projectId);
    const others = await otherUse(tx, projectId);
    for (const { resource, typeId, limit } of limits) {
      if (limit === -1 || resource === 'per_volume_gigabytes' || !own.some((one) => one.resource === resource && one.typeId === typeId)) continue;
      const use = others[resource] ?? used(usage, resource, typeId);
      if (limit < use)
        throw invalidInput(
          `Quota ${resource} limit must be equal or greater than existing resources. Current usage is ${use} and the requested limit is ${limit}.`,
          { field: resource },
        );
    }
    for (const limit of limits) await setProjectLimit(tx, projectId, limit);
    return Object.fromEntries((await quotaSet(app, tx, projectId)).map((line) => [line.name, line.limit]));
  });
}

/** Gives a project the default limits again. */
export async function resetQuotaSet(app: CinderApp, projectId: string): Promise<void> {
  await app.deps.env.store.write((tx) => deleteProjectLimits(tx, projectId));
}

export async function changeQuotaClass(app: CinderApp, className: string, set: Readonly<Record<string, unknown>>): Promise<Record<string, number>> {
  return app.deps.env.store.write(async (tx) => {
    for (const limit of await parse(app, tx, set, 'quota class set')) await setClassLimit(tx, className, limit);
    return defaultLimits(app, tx, className);
  });
}
