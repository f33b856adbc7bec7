import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type SagaFailure } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { findServerBrief } from '../store/server.ts';
import { actionDone, actionFailed } from './outcome.ts';

export interface PasswordParams {
  readonly serverId: string;
  readonly ctx: Context;
  /** Where the new password waits: it is never written down. */
  readonly ticket: string;
  readonly userName: string;
}

/**
 * Changes the administrator's password in a guest by its agent. The password itself is only in this process's memory (`take`): after a crash
 * the change fails, and the caller asks again. `tell` hears of a failure, for the request that waits.
 */
export function serverPasswordSaga(
  deps: NovaDeps,
  take: (ticket: string) => string | undefined,
  tell: (sagaId: string, failure: SagaFailure) => void,
): SagaDefinition<PasswordParams> {
  return defineSaga<PasswordParams, unknown>({
    name: 'nova.server.change_password',
    steps: [
      {
        name: 'change_password',
        deadlineMs: 60_000,
        attempts: 1,
        async do(step) {
          const { serverId, ticket, userName } = step.params;
          const password = take(ticket);
          const server = await findServerBrief(step.db, serverId);
          if (server?.host == null || password === undefined) throw notFound('The request was interrupted; ask again.');
          await deps.hosts.get(server.host).guests.setPassword(serverId, userName, password);
        },
      },
    ],
    async onDone(tx, step) {
      await actionDone(deps, tx, { serverId: step.params.serverId, requestId: step.params.ctx.requestId });
    },
    async onFailed(tx, step, failure) {
      await actionFailed(deps, tx, {
        serverId: step.params.serverId,
        requestId: step.params.ctx.requestId,
        failure,
        patch: (row) => ({ fault_json: row.fault_json }),
      });
      tx.afterCommit(() => tell(step.sagaId, failure));
    },
  });
}
