import type { Context } from '@cairn/kit/context/context';
import { forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { fitsQuota } from '@cairn/kit/quota/quota';
import type { Tx } from '@cairn/kit/store/store';
import { storedLimits } from '../store/quota.ts';
import { countServerGroups } from '../store/quota-manage.ts';
import { findServerGroup, type ServerGroupRow } from '../store/server-group.ts';
import { deleteServerGroup, insertServerGroup, listServerGroups, membersOfGroups } from '../store/server-group-manage.ts';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { effectiveLimit } from './quota.ts';

/** A group with the servers in it. */
export interface ServerGroupFacts {
  readonly row: ServerGroupRow;
  readonly rules: ServerGroupRules;
  readonly members: readonly string[];
}

/** What bends a policy: how many servers of an `anti-affinity` group may share a host. */
export interface ServerGroupRules {
  readonly max_server_per_host?: number;
}

/** The rules of server groups. */
export class ServerGroups {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** A page of the project's groups; of all projects' without one. */
  async list(projectId: string | undefined, page: { readonly limit: number; readonly offset: number }): Promise<readonly ServerGroupFacts[]> {
    return this.#facts(await listServerGroups(this.#deps.env.store.read, projectId, page));
  }

  /** Throws NotFound, and Forbidden where the caller may not see the group. */
  async get(caller: Caller, id: string): Promise<ServerGroupFacts> {
    const row = await findServerGroup(this.#deps.env.store.read, id);
    if (!row) throw notFound(`Instance group ${id} could not be found.`, { type: 'InstanceGroupNotFound' });
    caller.authorize('os_compute_api:os-server-groups:show', { project_id: row.project_id });
    return (await this.#facts([row]))[0] as ServerGroupFacts;
  }

  async create(ctx: Context, wish: { readonly name: string; readonly policy: string; readonly rules: ServerGroupRules }): Promise<ServerGroupFacts> {
    if (wish.policy !== 'anti-affinity' && Object.keys(wish.rules).length > 0)
      throw invalidInput('Only anti-affinity policy supports rules.', { field: 'rules' });
    const { env } = this.#deps;
    const row = await env.store.write(async (tx) => {
      await this.#checkQuota(tx, ctx);
      const created = await insertServerGroup(tx, {
        id: env.ids.uuid(),
        project_id: ctx.projectId ?? '',
        user_id: ctx.userId,
        name: wish.name,
        policy: wish.policy,
        rules_json: JSON.stringify(wish.rules),
        created_at_ms: env.clock.nowMs(),
      });
      await this.#emit(tx, 'server_group.create', ctx, created);
      return created;
    });
    return { row, rules: wish.rules, members: [] };
  }

  /** Forgets a group; its servers stay where they are. */
  async delete(caller: Caller, id: string): Promise<void> {
    await this.#deps.env.store.write(async (tx) => {
      const row = await findServerGroup(tx, id);
      if (!row) throw notFound(`Instance group ${id} could not be found.`, { type: 'InstanceGroupNotFound' });
      caller.authorize('os_compute_api:os-server-groups:delete', { project_id: row.project_id });
      await deleteServerGroup(tx, id);
      await this.#emit(tx, 'server_group.delete', caller.ctx, row);
    });
  }

  async #facts(rows: readonly ServerGroupRow[]): Promise<readonly ServerGroupFacts[]> {
    const ids = rows.map(({ id }) => id);
    const members = await membersOfGroups(this.#deps.env.store.read, ids);
    return rows.map((row) => ({ row, rules: JSON.parse(row.rules_json) as ServerGroupRules, members: members.get(row.id) ?? [] }));
  }

  async #checkQuota(tx: Tx, ctx: Context): Promise<void> {
    const projectId = ctx.projectId ?? '';
    const stored = await storedLimits(tx, projectId, ctx.userId);
    for (const level of ['project', 'user'] as const) {
      const limit = effectiveLimit(stored, this.#deps.options.quotaDefaults, 'server_groups', level);
      const used = await countServerGroups(tx, projectId, level === 'user' ? ctx.userId : undefined);
      if (!fitsQuota({ resource: 'server_groups', used, asked: 1, limit }))
        throw forbidden('Quota exceeded, too many server groups.', { type: 'ServerGroupLimitExceeded' });
    }
  }

  async #emit(tx: Tx, type: string, ctx: Context, row: ServerGroupRow): Promise<void> {
    const payload = { uuid: row.id, name: row.name, policy: row.policy, project_id: row.project_id, user_id: row.user_id };
    await this.#deps.env.events.emit(tx, {
      type,
      projectId: row.project_id,
      userId: ctx.userId,
      requestId: ctx.requestId,
      resource: 'server_group',
      resourceId: row.id,
      payload,
    });
  }
}
