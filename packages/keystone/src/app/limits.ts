import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { conflicting, expecting, limitNotFound, refused, registeredLimitNotFound } from '../errors.ts';
import { findRegion, findService } from '../store/catalog.ts';
import * as store from '../store/limits.ts';
import { findProject } from '../store/projects.ts';
import type { LimitTable, RegisteredLimitTable } from '../store/tables.ts';
import { type Core, writeUnique } from './core.ts';
import { LIMIT_MODELS } from './limit-models.ts';

/** The default limit of one resource of a service. */
export interface RegisteredLimit {
  readonly id: string;
  readonly serviceId: string;
  readonly regionId: string | null;
  readonly resourceName: string;
  readonly defaultLimit: number;
  readonly description: string | null;
}

/** A project's or a domain's own limit in place of the default. */
export interface Limit {
  readonly id: string;
  readonly projectId: string | null;
  readonly domainId: string | null;
  readonly serviceId: string;
  readonly regionId: string | null;
  readonly resourceName: string;
  readonly resourceLimit: number;
  readonly description: string | null;
}

export type Limits = ReturnType<typeof createLimits>;

const registeredModel = (row: RegisteredLimitTable): RegisteredLimit => ({
  id: row.id,
  serviceId: row.service_id,
  regionId: row.region_id || null,
  resourceName: row.resource_name,
  defaultLimit: row.default_limit,
  description: row.description,
});
const limitModel = (row: store.LimitWithResource): Limit => ({
  id: row.id,
  projectId: row.project_id,
  domainId: row.domain_id,
  serviceId: row.service_id,
  regionId: row.region_id || null,
  resourceName: row.resource_name,
  resourceLimit: row.resource_limit,
  description: row.description,
});

/** Unified limits (keystone/limit). */
export function createLimits(core: Core) {
  const { env } = core;
  const { read } = env.store;
  const model = LIMIT_MODELS[core.options.limitModel];

  async function register(limits: readonly Omit<RegisteredLimit, 'id'>[]): Promise<RegisteredLimit[]> {
    return await writeUnique(
      core,
      () => duplicate('registered_limit'),
      async (tx) => {
        const rows: RegisteredLimitTable[] = [];
        for (const limit of limits) {
          await checkPlace(tx, limit, 'registered_limit');
          const row = {
            id: env.ids.hex(),
            service_id: limit.serviceId,
            region_id: limit.regionId ?? '',
            resource_name: limit.resourceName,
            default_limit: limit.defaultLimit,
            description: limit.description,
          };
          if (await store.findRegisteredLimitFor(tx, row.service_id, row.resource_name, row.region_id)) throw duplicate('registered_limit');
          await store.insertRegisteredLimit(tx, row);
          rows.push(row);
        }
        return rows.map(registeredModel);
      },
    );
  }

  async function updateRegistered(id: string, change: Partial<Omit<RegisteredLimit, 'id'>>): Promise<RegisteredLimit> {
    return await writeUnique(
      core,
      () => duplicate('registered_limit'),
      async (tx) => {
        await checkPlace(tx, change, 'registered_limit');
        const row = await registeredRow(tx, id);
        if (await store.hasLimits(tx, id)) throw inUse(id);
        const next = {
          service_id: change.serviceId ?? row.service_id,
          region_id: change.regionId === undefined ? row.region_id : (change.regionId ?? ''),
          resource_name: change.resourceName ?? row.resource_name,
          default_limit: change.defaultLimit ?? row.default_limit,
          description: change.description === undefined ? row.description : change.description,
        };
        const twin = await store.findRegisteredLimitFor(tx, next.service_id, next.resource_name, next.region_id);
        if (twin && twin.id !== id) throw duplicate('registered_limit');
        await store.updateRegisteredLimit(tx, id, next);
        return registeredModel({ ...row, ...next });
      },
    );
  }

  async function removeRegistered(id: string): Promise<void> {
    await env.store.write(async (tx) => {
      await registeredRow(tx, id);
      if (await store.hasLimits(tx, id)) throw inUse(id);
      await store.deleteRegisteredLimit(tx, id);
    });
  }

  async function create(limits: readonly Omit<Limit, 'id'>[]): Promise<Limit[]> {
    return await writeUnique(
      core,
      () => duplicate('limit'),
      async (tx) => {
        const owners: { projectId?: string; domainId?: string }[] = [];
        for (const limit of limits) {
          await checkPlace(tx, limit, 'limit');
          owners.push(await ownerOf(tx, limit));
        }
        await model.check(
          tx,
          limits.map((limit, index) => ({ ...limit, projectId: owners[index]?.projectId ?? null, domainId: owners[index]?.domainId ?? null })),
        );
        const made: Limit[] = [];
        for (const [index, limit] of limits.entries()) {
          const owner = owners[index] ?? {};
          const registered = await store.findRegisteredLimitFor(tx, limit.serviceId, limit.resourceName, limit.regionId ?? '');
          if (!registered) throw refused('Unable to create a limit that has no corresponding registered limit.');
          if (await store.findLimitOf(tx, registered.id, owner)) throw duplicate('limit');
          const row: LimitTable = {
            id: env.ids.hex(),
            registered_limit_id: registered.id,
            project_id: owner.projectId ?? null,
            domain_id: owner.domainId ?? null,
            resource_limit: limit.resourceLimit,
            description: limit.description,
          };
          await store.insertLimit(tx, row);
          made.push(limitModel({ ...row, service_id: registered.service_id, region_id: registered.region_id, resource_name: registered.resource_name }));
        }
        return made;
      },
    );
  }

  async function update(id: string, change: { readonly resourceLimit?: number; readonly description?: string | null }): Promise<Limit> {
    return await env.store.write(async (tx) => {
      const row = await limitRow(tx, id);
      const next = {
        resource_limit: change.resourceLimit ?? row.resource_limit,
        description: change.description === undefined ? row.description : change.description,
      };
      await model.check(tx, [{ ...limitModel(row), resourceLimit: next.resource_limit }]);
      await store.updateLimit(tx, id, next);
      return limitModel({ ...row, ...next });
    });
  }

  async function remove(id: string): Promise<void> {
    await env.store.write(async (tx) => {
      await limitRow(tx, id);
      await store.deleteLimit(tx, id);
    });
  }

  return {
    /** How limits bind each other here. */
    model: { name: model.name, description: model.description },
    register,
    updateRegistered,
    removeRegistered,
    getRegistered: async (id: string): Promise<RegisteredLimit> => registeredModel(await registeredRow(read, id)),
    listRegistered: async (query: store.LimitQuery): Promise<RegisteredLimit[]> => (await store.listRegisteredLimits(read, query)).map(registeredModel),
    create,
    update,
    remove,
    get: async (id: string): Promise<Limit> => limitModel(await limitRow(read, id)),
    list: async (query: store.LimitQuery): Promise<Limit[]> => (await store.listLimits(read, query)).map(limitModel),
  };
}

const inUse = (id: string): CairnError => refused(`Unable to update or delete registered limit ${id} because there are project limits associated with it.`);

/** A limit on a project that acts as domain is the domain's. */
async function ownerOf(db: Db, limit: Pick<Limit, 'projectId' | 'domainId'>): Promise<{ projectId?: string; domainId?: string }> {
  if (limit.projectId) {
    const project = await findProject(db, limit.projectId);
    if (!project) throw expecting('project_id', 'limit');
    return project.is_domain ? { domainId: project.id } : { projectId: project.id };
  }
  const domain = await findProject(db, limit.domainId ?? '');
  if (!domain?.is_domain) throw expecting('domain_id', 'limit');
  return { domainId: domain.id };
}

const duplicate = (type: string): CairnError => conflicting(type, 'Duplicate entry');

async function registeredRow(db: Db, id: string): Promise<RegisteredLimitTable> {
  const row = await store.findRegisteredLimit(db, id);
  if (!row) throw registeredLimitNotFound(id);
  return row;
}

async function limitRow(db: Db, id: string): Promise<store.LimitWithResource> {
  const row = await store.findLimit(db, id);
  if (!row) throw limitNotFound(id);
  return row;
}

async function checkPlace(db: Db, place: { readonly serviceId?: string; readonly regionId?: string | null }, target: string): Promise<void> {
  if (place.serviceId !== undefined && !(await findService(db, place.serviceId))) throw expecting('service_id', target);
  if (place.regionId && !(await findRegion(db, place.regionId))) throw expecting('region_id', target);
}
