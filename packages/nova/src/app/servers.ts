import { isAdmin } from '@cairn/kit/context/context';
import { conflict, notFound } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { NovaSagas } from '../sagas/index.ts';
import { insertActions } from '../store/action.ts';
import { findServer, patchServer, type ServerPatch, type ServerRow } from '../store/server.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { type AcceptedServers, acceptServers } from './server-create.ts';
import type { CreateServerBody } from './server-plan.ts';
import { detailsOf, type ServerDetails } from './server-details.ts';
import { serverEvent } from './server-events.ts';
import { listServers, planList } from './server-list.ts';
import { type ActionRule, checkAction, TASK_DEADLINE_MS, type TaskState } from './server-states.ts';

/** "Instance X could not be found." */
export const serverNotFound = (serverId: string) => notFound(`Instance ${serverId} could not be found.`);

/** The server as a caller sees it: another project's is not there. Deleted ones only where `deleted` says so. */
export async function visibleServer(db: Db, caller: Caller, serverId: string, options: { readonly deleted?: boolean } = {}): Promise<ServerRow> {
  const row = isUuidLike(serverId) ? await findServer(db, serverId) : undefined;
  if (row === undefined || (row.deleted === 1 && options.deleted !== true)) throw serverNotFound(serverId);
  if (!isAdmin(caller.ctx) && row.project_id !== caller.ctx.projectId) throw serverNotFound(serverId);
  return row;
}

/** The caller as a saga keeps it: without the token. */
export function storedContext(caller: Caller): Caller['ctx'] {
  const { token: _token, ...ctx } = caller.ctx;
  return ctx;
}

/** The begin of an action that a saga carries out. */
export interface Begin<Params> {
  readonly serverId: string;
  readonly policy: string;
  readonly rule: ActionRule;
  /** The action's name in os-instance-actions. */
  readonly action: string;
  readonly taskState?: TaskState;
  readonly patch?: ServerPatch;
  /** The notification at its begin. */
  readonly event?: string;
  readonly saga: SagaDefinition<Params>;
  params(row: ServerRow, tx: Tx): Promise<Params> | Params;
}

/**
 * Accepts an action in one transaction: checks policy, lock and state, sets the task state, records the action, starts the saga.
 * Returns the saga's id and the server as it was.
 */
export async function beginAction<Params>(deps: NovaDeps, caller: Caller, begin: Begin<Params>): Promise<{ readonly sagaId: string; readonly row: ServerRow }> {
  const { env } = deps;
  return await env.store.write(async (tx) => {
    const row = await visibleServer(tx, caller, begin.serverId);
    caller.authorize(begin.policy, targetOf(row));
    checkAction(row, begin.rule, isAdmin(caller.ctx));
    const nowMs = env.clock.nowMs();
    const params = await begin.params(row, tx);
    const task = begin.taskState === undefined ? {} : { task_state: begin.taskState, task_deadline_at_ms: nowMs + TASK_DEADLINE_MS[begin.taskState] };
    if (begin.taskState !== undefined || begin.patch !== undefined) await patchServer(tx, row.id, { ...task, ...begin.patch, updated_at_ms: nowMs });
    await insertActions(tx, [
      {
        serverId: row.id,
        requestId: caller.requestId,
        action: begin.action,
        userId: caller.ctx.userId,
        projectId: caller.ctx.projectId ?? row.project_id,
        atMs: nowMs,
      },
    ]);
    if (begin.event !== undefined) await env.events.emit(tx, serverEvent(begin.event, { ...row, ...task }, caller.requestId));
    const sagaId = await env.sagas.start(tx, begin.saga, params, {
      subject: `server:${row.id}`,
      requestId: caller.requestId,
      userId: caller.ctx.userId,
      projectId: row.project_id,
    });
    return { sagaId, row };
  });
}

/** The zone that a server may be pinned to: none, or the one that it is in; from one to another leads over none. Throws upstream's 409s. */
function pinnedZone(row: ServerRow, pin: string | null): string | null {
  if (pin === null) return null;
  if (row.pinned_az !== null && pin !== row.pinned_az)
    throw conflict('Cannot change pinned availability zone directly. Unpin first by setting pinned_availability_zone to null.');
  if (row.pinned_az === null && pin !== row.availability_zone)
    throw conflict(`Server can only be pinned to its current availability zone '${row.availability_zone ?? ''}', but '${pin}' was requested.`);
  return pin;
}

/** Rules of servers themselves. */
export interface ServersApp {
  create(caller: Caller, body: CreateServerBody, version: Version): Promise<AcceptedServers>;
  list(caller: Caller, query: URLSearchParams, version: Version, detail: boolean): Promise<readonly ServerRow[]>;
  get(caller: Caller, serverId: string): Promise<ServerRow>;
  details(rows: readonly ServerRow[], want: { readonly hostStatus: boolean; readonly groups: boolean }): Promise<readonly ServerDetails[]>;
  /** Changes what the patch names; `pin` is the zone that the server is to be pinned to, or null to unpin it. */
  update(caller: Caller, serverId: string, patch: ServerPatch, pin?: string | null): Promise<ServerRow>;
}

export function createServersApp(deps: NovaDeps, sagas: NovaSagas): ServersApp {
  const { env } = deps;
  return {
    create: (caller, body, version) => acceptServers(deps, sagas.create, caller, body, version),
    async list(caller, query, version, detail) {
      const plan = planList(caller, query, version, { detail, maxLimit: deps.options.maxLimit });
      return plan === undefined ? [] : await listServers(deps, env.store.read, plan);
    },
    get: (caller, serverId) => visibleServer(env.store.read, caller, serverId),
    details: (rows, want) => detailsOf(deps, env.store.read, rows, want),
    async update(caller, serverId, patch, pin) {
      return await env.store.write(async (tx) => {
        const row = await visibleServer(tx, caller, serverId);
        caller.authorize('os_compute_api:servers:update', targetOf(row));
        const changed = { ...patch, ...(pin === undefined ? {} : { pinned_az: pinnedZone(row, pin) }), updated_at_ms: env.clock.nowMs() };
        await patchServer(tx, row.id, changed);
        const after = { ...row, ...changed } as ServerRow;
        await env.events.emit(tx, serverEvent('update', after, caller.requestId));
        return after;
      });
    },
  };
}
