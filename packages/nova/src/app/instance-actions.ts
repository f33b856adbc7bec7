import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import { historyOf, type SagaRecord } from '@cairn/kit/saga/history';
import type { Db } from '@cairn/kit/store/store';
import { type ActionQuery, type ActionRow, findAction, listActions } from '../store/action.ts';
import type { FastStartOutcome } from '../sagas/server-fast-start.ts';
import type { ServerRow } from '../store/server.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { visibleServer } from './servers.ts';

/** A timed part of an action: one step of its saga. */
export interface ActionEvent {
  readonly event: string;
  readonly startMs: number;
  readonly finishMs: number | null;
  readonly result: 'Success' | 'Error' | null;
  /** For the owner. */
  readonly details: string | null;
  /** For administrators. */
  readonly traceback: string | null;
}

export interface InstanceActionsApp {
  list(caller: Caller, serverId: string, query: ActionQuery, version: Version): Promise<readonly ActionRow[]>;
  get(
    caller: Caller,
    serverId: string,
    requestId: string,
    version: Version,
  ): Promise<{ readonly server: ServerRow; readonly action: ActionRow; readonly events: readonly ActionEvent[] }>;
}

const POLICY = 'os_compute_api:os-instance-actions';

export function createInstanceActionsApp(deps: NovaDeps): InstanceActionsApp {
  const { env } = deps;
  // from 2.21 on the actions of deleted servers are told as well
  const seen = (caller: Caller, serverId: string, version: Version) => visibleServer(env.store.read, caller, serverId, { deleted: version.atLeast('2.21') });
  return {
    async list(caller, serverId, query, version) {
      const server = await seen(caller, serverId, version);
      caller.authorize(`${POLICY}:list`, targetOf(server));
      const rows = await listActions(env.store.read, server.id, query);
      if (rows === undefined) throw invalidInput(`Marker ${query.marker} could not be found.`);
      return rows;
    },
    async get(caller, serverId, requestId, version) {
      const server = await seen(caller, serverId, version);
      caller.authorize(`${POLICY}:show`, targetOf(server));
      const action = await findAction(env.store.read, server.id, requestId);
      if (action === undefined) throw notFound(`Action ${requestId} not found`);
      return { server, action, events: await eventsOf(env.store.read, action) };
    },
  };
}

/** Actions without a saga: they are one event. */
const AT_ONCE = new Map([
  ...['lock', 'unlock', 'resetState', 'trigger_crash_dump', 'live_migration_cancel', 'live_migration_force_complete'].map(
    (action) => [action, `api_${action}`] as const,
  ),
  // the guest has been told by cinder's host when nova hears of it
  ['extend_volume', 'compute_extend_volume'],
]);

async function eventsOf(db: Db, action: ActionRow): Promise<readonly ActionEvent[]> {
  const atOnce = AT_ONCE.get(action.action);
  if (atOnce !== undefined) {
    return [{ event: atOnce, startMs: action.start_at_ms, finishMs: action.updated_at_ms, result: 'Success', details: null, traceback: null }];
  }
  const events: ActionEvent[] = [];
  for (let beforeSeq: number | undefined; ; ) {
    const page = await historyOf(db, { subject: `server:${action.server_id}` }, { limit: 100, ...(beforeSeq === undefined ? {} : { beforeSeq }) });
    const last = page.at(-1);
    for (const saga of page) if (saga.requestId === action.request_id) events.push(...[...wholeOf(saga), ...stepsOf(saga), ...fastStartsOf(saga)].toReversed());
    // sagas come newest first: one from before the action ends the search
    if (last === undefined || page.length < 100 || last.createdAtMs < action.start_at_ms) break;
    beforeSeq = last.seq;
  }
  return events.sort((a, b) => b.startMs - a.startMs);
}

/**
 * Upstream's event of each saga: the method of nova/compute/manager.py that does the work. Clients wait for these by name (tempest for
 * `compute_detach_interface`), so they tell of the whole saga: `Success` when all of it is done.
 */
const WHOLE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'interface.attach': 'attach_interface',
    'interface.detach': 'detach_interface',
    'server.change_password': 'set_admin_password',
    'server.confirm_resize': 'confirm_resize',
    'server.create': '_do_build_and_run_instance',
    'server.create_backup': 'backup_instance',
    'server.create_image': 'snapshot_instance',
    'server.delete': 'terminate_instance',
    'server.evacuate': 'rebuild_instance',
    'server.hard_reboot': 'reboot_instance',
    'server.live_migrate': 'live_migration',
    'server.pause': 'pause_instance',
    'server.rebuild': 'rebuild_instance',
    'server.rescue': 'rescue_instance',
    'server.resize': 'resize_instance',
    'server.restore': 'restore_instance',
    'server.resume': 'resume_instance',
    'server.revert_resize': 'revert_resize',
    'server.shelve': 'shelve_instance',
    'server.shelve_offload': 'shelve_offload_instance',
    'server.soft_delete': 'soft_delete_instance',
    'server.soft_reboot': 'reboot_instance',
    'server.start': 'start_instance',
    'server.stop': 'stop_instance',
    'server.suspend': 'suspend_instance',
    'server.unpause': 'unpause_instance',
    'server.unrescue': 'unrescue_instance',
    'server.unshelve': 'unshelve_instance',
    'server.unshelve_here': 'unshelve_instance',
    'volume.attach': 'attach_volume',
    'volume.detach': 'detach_volume',
    'volume.swap': 'swap_volume',
  }).map(([saga, method]) => [`nova.${saga}`, `compute_${method}`] as const),
);

function wholeOf(saga: SagaRecord): readonly ActionEvent[] {
  const event = WHOLE.get(saga.name);
  if (event === undefined) return [];
  const { failure, createdAtMs: startMs, finishedAtMs: finishMs } = saga;
  const result = finishMs === null ? null : failure === null ? 'Success' : 'Error';
  const told = result === 'Error';
  return [{ event, startMs, finishMs, result, details: told ? (failure?.message ?? null) : null, traceback: told ? (failure?.detail ?? null) : null }];
}

/** What steps tell of a start from a template: whether there was one to start from, and whether the guest started from it. */
const fastStartsOf = (saga: SagaRecord): ActionEvent[] =>
  saga.steps.flatMap(({ output }) => {
    const { fastStart } = (output ?? {}) as { readonly fastStart?: FastStartOutcome };
    if (fastStart === undefined) return [];
    const { reason = null, startedAtMs: startMs, finishedAtMs: finishMs } = fastStart;
    // a server that boots instead is none the worse: the event alone says so
    return [
      { event: 'compute_fast_start', startMs, finishMs, result: reason === null ? ('Success' as const) : ('Error' as const), details: reason, traceback: null },
    ];
  });

const stepsOf = (saga: SagaRecord): ActionEvent[] =>
  saga.steps.map((step) => {
    const failed = step.state === 'failed' || (saga.failure !== null && saga.failure.step === step.name);
    const error = step.error ?? (failed ? saga.failure : null);
    return {
      event: `compute_${step.name}`,
      startMs: step.startedAtMs,
      finishMs: step.finishedAtMs,
      result: failed ? 'Error' : step.finishedAtMs === null ? null : 'Success',
      details: failed ? (error?.message ?? null) : null,
      traceback: failed ? (error?.detail ?? null) : null,
    };
  });
