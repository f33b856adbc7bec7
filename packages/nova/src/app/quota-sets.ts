import { invalidInput } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { storedLimits } from '../store/quota.ts';
import { classLimits, clearLimits, countServerGroups, setClassLimits, setLimits } from '../store/quota-manage.ts';
import { usageOf } from '../store/usage.ts';
import type { NovaDeps } from './deps.ts';
import { effectiveLimit } from './quota.ts';

/** One resource's limit and use. */
export interface QuotaLine {
  readonly limit: number;
  readonly in_use: number;
}

/** Resources by name, in upstream's order. */
export const RESOURCES = [
  'instances',
  'cores',
  'ram',
  'metadata_items',
  'injected_files',
  'injected_file_content_bytes',
  'injected_file_path_bytes',
  'key_pairs',
  'server_groups',
  'server_group_members',
  'fixed_ips',
  'floating_ips',
  'security_groups',
  'security_group_rules',
] as const;
export type ResourceName = (typeof RESOURCES)[number];

/** Limits of projects and users. */
export class QuotaSets {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** Limits and use of a project, or of a user in it. */
  async lines(db: Db, projectId: string, userId: string | undefined): Promise<Readonly<Record<ResourceName, QuotaLine>>> {
    const [stored, usage, groups] = await Promise.all([
      storedLimits(db, projectId, userId ?? ''),
      usageOf(db, projectId, userId ?? ''),
      countServerGroups(db, projectId, userId),
    ]);
    const used = userId === undefined ? usage.project : usage.user;
    const inUse: Partial<Record<ResourceName, number>> = { instances: used.instances, cores: used.cores, ram: used.ramMb, server_groups: groups };
    const level = userId === undefined ? 'project' : 'user';
    return Object.fromEntries(
      RESOURCES.map((name) => [name, { limit: effectiveLimit(stored, this.#deps.options.quotaDefaults, name, level), in_use: inUse[name] ?? 0 }]),
    ) as Record<ResourceName, QuotaLine>;
  }

  /** What a project without limits of its own gets. */
  async defaults(db: Db): Promise<Readonly<Record<ResourceName, number>>> {
    const set = await classLimits(db, 'default');
    return Object.fromEntries(RESOURCES.map((name) => [name, set[name] ?? this.#deps.options.quotaDefaults[name] ?? -1])) as Record<ResourceName, number>;
  }

  /** Sets limits. Below what is in use, or a user's above the project's, only with `force`. Throws InvalidInput otherwise, naming the resource. */
  async set(projectId: string, userId: string | undefined, limits: Readonly<Partial<Record<ResourceName, number>>>, force: boolean): Promise<void> {
    await this.#deps.env.store.write(async (tx) => {
      const now = await this.lines(tx, projectId, userId);
      const project = userId === undefined ? undefined : await this.lines(tx, projectId, undefined);
      const size = (limit: number): number => (limit === -1 ? Number.POSITIVE_INFINITY : limit);
      for (const [name, limit] of Object.entries(limits) as [ResourceName, number][]) {
        if (force) continue;
        if (size(limit) < now[name].in_use)
          throw invalidInput(`Quota limit ${limit} for ${name} must be greater than or equal to already used and reserved ${now[name].in_use}.`, {
            field: name,
          });
        if (project && size(limit) > size(project[name].limit))
          throw invalidInput(`Quota limit ${limit} for ${name} must be less than or equal to ${project[name].limit}.`, { field: name });
      }
      await setLimits(tx, projectId, userId ?? '', limits as Record<string, number>);
    });
  }

  async clear(projectId: string, userId: string | undefined): Promise<void> {
    await this.#deps.env.store.write((tx) => clearLimits(tx, projectId, userId));
  }

  async classLimits(className: string): Promise<Readonly<Record<ResourceName, number>>> {
    const { store } = this.#deps.env;
    const set = await classLimits(store.read, className);
    return Object.fromEntries(RESOURCES.map((name) => [name, set[name] ?? this.#deps.options.quotaDefaults[name] ?? -1])) as Record<ResourceName, number>;
  }

  async setClass(className: string, limits: Readonly<Record<string, number>>): Promise<void> {
    await this.#deps.env.store.write((tx) => setClassLimits(tx, className, limits));
  }

  /** Throws upstream's 400 for a project that keystone does not know. */
  async verifyProject(projectId: string): Promise<void> {
    const { faces, env } = this.#deps;
    if (!(await faces.keystone.project(env.store.read, projectId)))
      throw invalidInput(`Project ID ${projectId} is not a valid project.`, { field: 'project_id' });
  }
}
