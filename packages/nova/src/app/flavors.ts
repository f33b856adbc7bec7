import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Env } from '@cairn/kit/env';
import { alreadyExists, conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { ListPage } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import { findFlavor, type FlavorRow } from '../store/flavor.ts';
import { SafeRegex } from './safe-regex.ts';
import * as store from '../store/flavor-manage.ts';

/** A new flavor as the API takes it. */
export interface NewFlavor {
  /** Absent, null or empty: minted. */
  readonly id?: string | null;
  readonly name: string;
  readonly ram: number;
  readonly vcpus: number;
  readonly disk: number;
  readonly ephemeral?: number;
  readonly swap?: number;
  readonly rxtxFactor?: number;
  readonly isPublic?: boolean;
  readonly description?: string | null;
}

const flavorNotFound = (id: string): Error => notFound(`Flavor ${id} could not be found.`, { type: 'FlavorNotFound' });

/** Which flavors a list asks for. */
export interface FlavorListWish {
  /** null: public and others. */
  readonly isPublic: boolean | null;
  readonly minRamMb: number | undefined;
  readonly minDiskGb: number | undefined;
  /** A regular expression. */
  readonly namePattern: string | undefined;
  readonly sortKey: string;
  readonly sortDir: 'asc' | 'desc';
  readonly limit: number;
  readonly marker: string | undefined;
}

/** The rules of flavors. */
export class Flavors {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /** The flavor as `ctx` may use it. */
  async get(db: Db, ctx: Context, id: string): Promise<FlavorRow> {
    const row = await findFlavor(db, id, { projectId: ctx.projectId, everything: isAdmin(ctx) });
    if (!row) throw flavorNotFound(id);
    return row;
  }

  /** A page of flavors: of the public ones those too that are given to the caller's project. Ties of the sort key follow the order of creation. */
  async list(ctx: Context, wish: FlavorListWish): Promise<ListPage<FlavorRow>> {
    const scope = {
      isPublic: wish.isPublic,
      projectId: ctx.projectId,
      enabledOnly: !isAdmin(ctx),
      minRamMb: wish.minRamMb,
      minDiskGb: wish.minDiskGb,
      names: wish.namePattern === undefined ? undefined : await this.#namesLike(wish.namePattern),
    };
    return store.listFlavors(this.#env.store.read, scope, {
      sort: [
        { field: wish.sortKey, direction: wish.sortDir },
        { field: 'id', direction: wish.sortDir },
      ],
      limit: wish.limit,
      marker: wish.marker,
      unknownMarker: (marker) => invalidInput(`marker [${marker}] not found`, { field: 'marker' }),
    });
  }

  /** A cloud has few flavors; their names go through an automaton that no pattern can hold up. */
  async #namesLike(pattern: string): Promise<readonly string[]> {
    let expression: SafeRegex;
    try {
      expression = new SafeRegex(pattern);
    } catch {
      throw invalidInput(`Invalid name filter [${pattern}]`, { field: 'name' });
    }
    return (await store.flavorNames(this.#env.store.read)).filter((name) => expression.test(name));
  }

  /** Creates a flavor. Throws Conflict for a name or id in use. */
  async create(ctx: Context, flavor: NewFlavor): Promise<FlavorRow> {
    const { clock, ids, store: database } = this.#env;
    const nowMs = clock.nowMs();
    const flavorId = flavor.id || ids.uuid();
    try {
      return await database.write(async (tx) => {
        const row = await store.insertFlavor(tx, {
          flavor_id: flavorId,
          name: flavor.name,
          memory_mb: flavor.ram,
          vcpus: flavor.vcpus,
          root_gb: flavor.disk,
          ephemeral_gb: flavor.ephemeral ?? 0,
          swap_mb: flavor.swap ?? 0,
          rxtx_factor: flavor.rxtxFactor ?? 1,
          is_public: flavor.isPublic === false ? 0 : 1,
          disabled: 0,
          description: flavor.description ?? null,
          extra_specs_json: '{}',
          created_at_ms: nowMs,
          updated_at_ms: null,
        });
        await this.#emit(tx, ctx, 'flavor.create', row);
        return row;
      });
    } catch (error) {
      if (isUniqueViolation(error, { table: 'nova_flavor', columns: ['name'] }))
        throw alreadyExists(`Flavor with name ${flavor.name} already exists.`, { field: 'name' });
      if (isUniqueViolation(error, 'nova_flavor')) throw alreadyExists(`Flavor with ID ${flavorId} already exists.`, { field: 'id' });
      throw error;
    }
  }

  async describe(ctx: Context, id: string, description: string | null): Promise<FlavorRow> {
    return this.#env.store.write(async (tx) => {
      const row = await this.get(tx, ctx, id);
      await store.updateFlavor(tx, id, { description, updated_at_ms: this.#env.clock.nowMs() });
      await this.#emit(tx, ctx, 'flavor.update', row);
      return { ...row, description };
    });
  }

  async delete(ctx: Context, id: string): Promise<void> {
    await this.#env.store.write(async (tx) => {
      const row = await this.get(tx, ctx, id);
      await store.deleteFlavor(tx, id);
      await this.#emit(tx, ctx, 'flavor.delete', row);
    });
  }

  /** Changes extra specs; null removes one. Returns all of them. */
  async setSpecs(ctx: Context, id: string, changes: Readonly<Record<string, string | null>>): Promise<Readonly<Record<string, string>>> {
    return this.#env.store.write(async (tx) => {
      const row = await this.get(tx, ctx, id);
      const specs = specsOf(row);
      for (const [key, value] of Object.entries(changes)) {
        if (value !== null) specs[key] = value;
        else if (!Object.hasOwn(specs, key)) throw notFound(`Flavor ${id} has no extra specs with key ${key}.`);
        else delete specs[key];
      }
      await store.updateFlavor(tx, id, { extra_specs_json: JSON.stringify(specs), updated_at_ms: this.#env.clock.nowMs() });
      await this.#emit(tx, ctx, 'flavor.update', row);
      return specs;
    });
  }

  async projects(ctx: Context, id: string): Promise<string[]> {
    const row = await this.get(this.#env.store.read, ctx, id);
    if (row.is_public === 1) throw notFound('Access list not available for public flavors.');
    return store.flavorProjects(this.#env.store.read, id);
  }

  /** Lets a project use a flavor. Throws Conflict for a public one unless `publicToo`. */
  async addProject(ctx: Context, id: string, projectId: string, { publicToo }: { readonly publicToo: boolean }): Promise<string[]> {
    return this.#env.store.write(async (tx) => {
      const row = await this.get(tx, ctx, id);
      if (row.is_public === 1 && !publicToo) throw conflict('Can not add access to a public flavor.');
      const there = await store.flavorProjects(tx, id);
      if (there.includes(projectId)) throw alreadyExists(`Flavor access already exists for flavor ${id} and project ${projectId} combination.`);
      await store.addFlavorProject(tx, id, projectId);
      await this.#emit(tx, ctx, 'flavor.update', row);
      return store.flavorProjects(tx, id);
    });
  }

  async removeProject(ctx: Context, id: string, projectId: string): Promise<string[]> {
    return this.#env.store.write(async (tx) => {
      const row = await this.get(tx, ctx, id);
      if (!(await store.removeFlavorProject(tx, id, projectId))) throw notFound(`Flavor access not found for ${id} / ${projectId} combination.`);
      await this.#emit(tx, ctx, 'flavor.update', row);
      return store.flavorProjects(tx, id);
    });
  }

  async #emit(tx: Tx, ctx: Context, type: string, row: FlavorRow): Promise<void> {
    await this.#env.events.emit(tx, {
      type,
      projectId: ctx.projectId,
      userId: ctx.userId,
      requestId: ctx.requestId,
      resource: 'flavor',
      resourceId: row.flavor_id,
      payload: { flavorid: row.flavor_id, name: row.name, memory_mb: row.memory_mb, vcpus: row.vcpus, root_gb: row.root_gb },
    });
  }
}

/** A flavor's extra specs, as an object of its own. */
export const specsOf = (row: FlavorRow): Record<string, string> => JSON.parse(row.extra_specs_json) as Record<string, string>;
