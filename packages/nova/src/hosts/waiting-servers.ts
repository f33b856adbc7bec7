import type { Context } from '@cairn/kit/context/context';
import type { NovaDeps } from '../app/deps.ts';
import { TASK_DEADLINE_MS } from '../app/server-states.ts';
import type { NovaSagas } from '../sagas/index.ts';
import { insertActions } from '../store/action.ts';
import { findServer, patchServer, type ServerRow } from '../store/server.ts';
import { longShelved, longSoftDeleted } from '../store/waiting.ts';

/** How many servers one round takes on. */
const ROUND = 100;

/** Goes on with servers that only waited: soft-deleted ones end, shelved ones leave their host, each when its time is over. */
export async function takeUpWaiting(deps: NovaDeps, sagas: NovaSagas): Promise<void> {
  const { env, options } = deps;
  const nowMs = env.clock.nowMs();
  if (options.reclaimServerMs > 0) {
    for (const id of await longSoftDeleted(env.store.read, nowMs - options.reclaimServerMs, ROUND)) {
      await begin(deps, id, { task: 'deleting', action: 'delete', vmState: 'soft-delete', saga: sagas.remove });
    }
  }
  if (options.shelvedOffloadMs > 0) {
    for (const id of await longShelved(env.store.read, nowMs - options.shelvedOffloadMs, ROUND)) {
      await begin(deps, id, { task: 'shelving_offloading', action: 'shelveOffload', vmState: 'shelved', saga: sagas.offload });
    }
  }
}

async function begin(
  deps: NovaDeps,
  serverId: string,
  what: {
    readonly task: 'deleting' | 'shelving_offloading';
    readonly action: string;
    readonly vmState: string;
    readonly saga: NovaSagas['remove'] | NovaSagas['offload'];
  },
): Promise<void> {
  const { env } = deps;
  await env.store.write(async (tx) => {
    const row = await findServer(tx, serverId);
    if (row === undefined || row.deleted === 1 || row.task_state !== null || row.vm_state !== what.vmState) return;
    const nowMs = env.clock.nowMs();
    const requestId = `req-${env.ids.uuid()}`;
    await patchServer(tx, serverId, { task_state: what.task, task_deadline_at_ms: nowMs + TASK_DEADLINE_MS[what.task], updated_at_ms: nowMs });
    await insertActions(tx, [{ serverId, requestId, action: what.action, userId: row.user_id, projectId: row.project_id, atMs: nowMs }]);
    await env.sagas.start(
      tx,
      what.saga,
      { serverId, ctx: ownContext(row, requestId) },
      { subject: `server:${serverId}`, requestId, projectId: row.project_id },
    );
  });
}

/** The owner's context for what the cloud does with a server by itself. */
export const ownContext = (row: Pick<ServerRow, 'user_id' | 'project_id'>, requestId: string): Context => ({
  requestId,
  userId: row.user_id,
  userName: '',
  userDomainId: '',
  userDomainName: '',
  projectId: row.project_id,
  roles: ['member', 'reader'],
  methods: [],
  isAdminProject: false,
  expiresAtMs: Number.MAX_SAFE_INTEGER,
});
