import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit, toJson } from '@cairn/kit/store/values';
import type { CairnError } from '@cairn/kit/errors/errors';
import { applicationCredentialKey, domainKey, projectKey, trustKey } from '../cache/changes.ts';
import { conflicting, domainNotFound, immutableDelete, immutableUpdate, invalid, projectNotFound, projectTagNotFound, refused } from '../errors.ts';
import { deleteApplicationCredentials } from '../store/application-credentials.ts';
import { deleteAssignments } from '../store/assignments.ts';
import { deleteCredentialsOf } from '../store/credentials.ts';
import { deleteEndpointFilters } from '../store/endpoint-filters.ts';
import { deleteLimitsOf } from '../store/limits.ts';
import type { ListFilter, Paging } from '../store/lists.ts';
import * as store from '../store/projects.ts';
import { type ProjectTable, ROOT_DOMAIN } from '../store/tables.ts';
import { deleteTrust, listTrusts } from '../store/trusts.ts';
import { clearDefaultProject } from '../store/users.ts';
import { type Core, type Extra, type Initiator, isImmutable, liftsImmutable, mergeOptions, notify, type ResourceOptions, touch, writeUnique } from './core.ts';
import { LIMIT_MODELS } from './limit-models.ts';

/** A project, or a project that acts as domain. */
export interface Project {
  readonly id: string;
  readonly name: string;
  /** null for a domain. */
  readonly domainId: string | null;
  readonly parentId: string | null;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly isDomain: boolean;
  readonly tags: readonly string[];
  readonly options: ResourceOptions;
  readonly extra: Extra;
}

export interface NewProject {
  readonly id?: string;
  readonly name: string;
  readonly domainId: string | null;
  readonly parentId: string | null;
  readonly description?: string | null;
  readonly enabled?: boolean;
  readonly isDomain?: boolean;
  readonly tags?: readonly string[];
  readonly options?: ResourceOptions;
  readonly extra?: Extra;
}

/** What may be asked to change; what may not change must be the same as it is. */
export interface ProjectChange {
  readonly name?: string;
  readonly domainId?: string | null;
  readonly parentId?: string | null;
  readonly isDomain?: boolean;
  readonly description?: string | null;
  readonly enabled?: boolean;
  readonly tags?: readonly string[];
  readonly options?: ResourceOptions;
  readonly extra?: Extra;
}

export type Projects = ReturnType<typeof createProjects>;

/** upstream's name of the domain that federated users fall into; no other may have it. */
const FEDERATED = 'federated';

const modelOf = (row: ProjectTable, tags: readonly string[]): Project => ({
  id: row.id,
  name: row.name,
  domainId: store.shownDomain(row.domain_id),
  parentId: row.parent_id,
  description: row.description,
  enabled: row.enabled !== 0,
  isDomain: row.is_domain !== 0,
  tags,
  options: fromJson<ResourceOptions>(row.options),
  extra: fromJson<Extra>(row.extra),
});

/** Models of rows, with their tags in one query. */
export async function projectModels(db: Db, rows: readonly ProjectTable[]): Promise<Project[]> {
  const tags = await store.tagsOf(
    db,
    rows.map((row) => row.id),
  );
  return rows.map((row) => modelOf(row, tags.get(row.id) ?? []));
}

export function createProjects(core: Core) {
  const { env, options } = core;
  const { read } = env.store;
  const maxDepth = Math.min(options.maxProjectTreeDepth, LIMIT_MODELS[options.limitModel].maxProjectTreeDepth);

  async function get(id: string, db: Db = read): Promise<Project> {
    const row = await rowOf(db, id);
    return (await projectModels(db, [row]))[0] as Project;
  }

  async function getDomain(id: string, db: Db = read): Promise<Project> {
    const row = await store.findProject(db, id);
    if (!row?.is_domain) throw domainNotFound(id);
    return (await projectModels(db, [row]))[0] as Project;
  }

  /** The rules on a project's place in the tree (keystone/resource/core.py). */
  async function checkPlace(tx: Tx, project: NewProject): Promise<void> {
    if (project.isDomain) {
      if (project.name.toLowerCase() === FEDERATED) throw invalid(`Domain cannot be named ${project.name}`, 'name');
      if (project.parentId) throw invalid('only root projects are allowed to act as domains.', 'parent_id');
      return;
    }
    const domainId = project.domainId ?? '';
    const domain = await store.findProject(tx, domainId);
    if (!domain?.is_domain) throw invalid(domainNotFound(domainId).message, 'domain_id');
    const parentId = project.parentId ?? domainId;
    const parent = await store.findProject(tx, parentId);
    if (!parent) throw invalid(projectNotFound(parentId).message, 'parent_id');
    if (parent.is_domain) {
      if (parent.id !== domainId) {
        throw invalid(
          `Cannot create project, the parent (${parent.id}) is acting as a domain, but this project's domain id (${domainId}) does not match the parent's id.`,
          'parent_id',
        );
      }
    } else if (parent.domain_id !== domainId) {
      throw invalid(
        `Cannot create project, since it specifies its domain_id ${domainId}, but specifies a parent in a different domain (${parent.domain_id}).`,
        'parent_id',
      );
    }
    const above = [...(await store.ancestors(tx, parent)), parent];
    for (const ancestor of above) {
      if (!ancestor.enabled) throw invalid(`cannot create a project in a branch containing a disabled project: ${ancestor.id}`, 'parent_id');
    }
    if (above.length > maxDepth) throw refused(`Max hierarchy depth reached for ${parent.id} branch.`);
  }

  async function create(project: NewProject, who: Initiator): Promise<Project> {
    const id = project.id ?? env.ids.hex();
    const name = project.name.trim();
    const isDomain = project.isDomain ?? false;
    const row: ProjectTable = {
      id,
      name,
      domain_id: isDomain ? ROOT_DOMAIN : (project.domainId ?? ''),
      parent_id: isDomain ? null : (project.parentId ?? project.domainId),
      description: project.description === undefined ? '' : project.description,
      enabled: toBit(project.enabled ?? true),
      is_domain: toBit(isDomain),
      options: toJson(mergeOptions({}, project.options)),
      extra: toJson(project.extra ?? {}),
    };
    const conflict = (): CairnError => nameTaken(name, id, isDomain);
    await writeUnique(core, conflict, async (tx) => {
      await checkPlace(tx, project);
      if ((await store.findProjectByName(tx, name, row.domain_id)) || (await store.findProject(tx, id))) throw conflict();
      await store.insertProject(tx, row);
      await store.replaceTags(tx, id, tidyTags(project.tags ?? []));
      await notify(core, tx, who, 'created', isDomain ? 'domain' : 'project', id);
    });
    return modelOf(row, tidyTags(project.tags ?? []));
  }

  async function list(filters: readonly ListFilter[], paging: Paging, tags: store.TagQuery = {}): Promise<{ projects: Project[]; hasMore: boolean }> {
    const page = await store.listProjects(read, filters, { ...paging, maxLimit: options.maxListLimit }, tags);
    return { projects: await projectModels(read, page.rows), hasMore: page.hasMore };
  }

  async function update(id: string, change: ProjectChange, who: Initiator): Promise<Project> {
    let result: Project | undefined;
    let wanted = { name: change.name?.trim() ?? '', isDomain: false };
    await writeUnique(
      core,
      () => nameTaken(wanted.name, id, wanted.isDomain),
      async (tx) => {
        const row = await rowOf(tx, id);
        const before = (await projectModels(tx, [row]))[0] as Project;
        const kind = before.isDomain ? 'domain' : 'project';
        wanted = { name: change.name?.trim() ?? before.name, isDomain: before.isDomain };
        if (isImmutable(before.options) && !liftsImmutable(change as Record<string, unknown>, change.options)) throw immutableUpdate(kind, id);
        if (change.domainId !== undefined && change.domainId !== before.domainId) throw invalid('Cannot change Domain ID', 'domain_id');
        if (change.parentId !== undefined && change.parentId !== before.parentId) throw refused('Update of `parent_id` is not allowed.');
        if (change.isDomain !== undefined && change.isDomain !== before.isDomain) throw invalid('Update of `is_domain` is not allowed.', 'is_domain');
        if (before.isDomain && wanted.name !== before.name && wanted.name.toLowerCase() === FEDERATED)
          throw invalid(`Domain cannot be named ${wanted.name}`, 'name');
        if (change.enabled !== undefined && change.enabled !== before.enabled) await checkEnabled(tx, row, change.enabled);
        if (wanted.name !== before.name && (await store.findProjectByName(tx, wanted.name, row.domain_id))) throw nameTaken(wanted.name, id, before.isDomain);
        const tags = change.tags ? tidyTags(change.tags) : before.tags;
        const changed: Partial<ProjectTable> = {
          name: wanted.name,
          options: toJson(mergeOptions(before.options, change.options)),
          extra: toJson({ ...before.extra, ...change.extra }),
          ...(change.description !== undefined && { description: change.description }),
          ...(change.enabled !== undefined && { enabled: toBit(change.enabled) }),
        };
        await store.updateProject(tx, id, changed);
        if (change.tags) await store.replaceTags(tx, id, tags);
        await touch(core, tx, [projectKey(id), ...(before.isDomain ? [domainKey(id)] : [])]);
        await notify(core, tx, who, 'updated', 'project', id);
        if (before.isDomain) await notify(core, tx, who, 'updated', 'domain', id);
        result = modelOf({ ...row, ...changed }, tags);
      },
    );
    return result as unknown as Project;
  }

  /** Removes a project that is a leaf, and all that belongs to it. */
  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      const row = await rowOf(tx, id);
      if (isImmutable(fromJson<ResourceOptions>(row.options))) throw immutableDelete('project', id);
      if (await store.hasChildren(tx, id)) {
        throw refused(`Cannot delete the project ${id} since it is not a leaf in the hierarchy. Use the cascade option if you want to delete a whole subtree.`);
      }
      await removeRow(tx, id, who);
    });
  }

  async function removeRow(tx: Tx, id: string, who: Initiator): Promise<void> {
    await store.deleteProject(tx, id);
    await deleteAssignments(tx, { targetId: id });
    await deleteCredentialsOf(tx, { projectId: id });
    await deleteLimitsOf(tx, { projectId: id });
    await deleteEndpointFilters(tx, { projectId: id });
    await clearDefaultProject(tx, id);
    const trusts = await listTrusts(tx, { projectId: id });
    for (const trust of trusts) await deleteTrust(tx, trust.id, env.clock.nowMs());
    const credentials = await deleteApplicationCredentials(tx, { projectId: id });
    await touch(core, tx, [projectKey(id), ...trusts.map((trust) => trustKey(trust.id)), ...credentials.map(applicationCredentialKey)]);
    await notify(core, tx, who, 'deleted', 'project', id);
  }

  /** Parents up to the domain, nearest first. */
  const parents = async (id: string): Promise<Project[]> => projectModels(read, await store.ancestors(read, await rowOf(read, id)));
  const below = async (id: string): Promise<Project[]> => {
    await rowOf(read, id);
    return await projectModels(read, await store.subtree(read, id));
  };

  /** `verb` and `tag` are for the words and the event of a change of one tag. */
  async function changeTags(
    id: string,
    who: Initiator,
    change: (before: readonly string[]) => readonly string[],
    one?: { readonly verb: 'created' | 'deleted'; readonly tag: string },
  ): Promise<void> {
    await env.store.write(async (tx) => {
      const row = await rowOf(tx, id);
      const before = (await projectModels(tx, [row]))[0] as Project;
      if (isImmutable(before.options)) {
        const verb = one === undefined ? 'update' : { created: 'create', deleted: 'delete' }[one.verb];
        throw refused(`Cannot ${verb} project tags for ${id}, project is immutable. Set "immutable" option to false before creating project tags.`);
      }
      await store.replaceTags(tx, id, tidyTags(change(before.tags)));
      await notify(core, tx, who, 'updated', 'project', id);
      if (one) await notify(core, tx, who, one.verb, 'project tag', one.tag);
    });
  }

  return {
    create,
    get,
    getDomain,
    list,
    update,
    remove,
    removeRow,
    parents,
    subtree: below,
    /** undefined where `get` throws. */
    find: async (id: string, db: Db = read): Promise<Project | undefined> => {
      const row = await store.findProject(db, id);
      return row && (await projectModels(db, [row]))[0];
    },
    /** The tags as they were given, each without white space around it. */
    async setTags(id: string, tags: readonly string[], who: Initiator): Promise<string[]> {
      await changeTags(id, who, () => tags);
      return tags.map((tag) => tag.trim());
    },
    addTag: (id: string, tag: string, who: Initiator): Promise<void> => changeTags(id, who, (before) => [...before, tag], { verb: 'created', tag: tag.trim() }),
    removeTag: (id: string, tag: string, who: Initiator): Promise<void> =>
      changeTags(
        id,
        who,
        (before) => {
          if (!before.includes(tag)) throw projectTagNotFound(tag);
          return before.filter((known) => known !== tag);
        },
        { verb: 'deleted', tag },
      ),
  };
}

const tidyTags = (tags: readonly string[]): string[] => [...new Set(tags.map((tag) => tag.trim()))].toSorted();

const nameTaken = (name: string, id: string, isDomain: boolean): CairnError =>
  conflicting(
    'project',
    isDomain
      ? `it is not permitted to have two projects acting as domains with the same name: ${name}`
      : `it is not permitted to have two projects with either the same name or same id in the same domain: name is ${name}, project id ${id}`,
  );

async function checkEnabled(tx: Tx, row: ProjectTable, enabled: boolean): Promise<void> {
  if (enabled) {
    for (const parent of await store.ancestors(tx, row)) {
      if (!parent.enabled) throw refused(`Cannot enable project ${row.id} since it has disabled parents`);
    }
  } else if (!row.is_domain && (await store.subtree(tx, row.id)).some((child) => child.enabled)) {
    throw refused(`Cannot disable project ${row.id} since its subtree contains enabled projects.`);
  }
}

async function rowOf(db: Db, id: string): Promise<ProjectTable> {
  const row = await store.findProject(db, id);
  if (!row) throw projectNotFound(id);
  return row;
}
