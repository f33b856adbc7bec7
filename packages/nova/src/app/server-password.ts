import { isAdmin } from '@cairn/kit/context/context';
import { type CairnError, conflict } from '@cairn/kit/errors/errors';
import type { NovaSagas } from '../sagas/index.ts';
import { imageOf } from '../store/server.ts';
import { isTrue } from './block-devices.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { ACTION_RULES, checkAction, POWER } from './server-states.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';

export interface ServerPasswordApp {
  /** Sets the administrator's password by the guest's agent; resolves when it is set. */
  change(caller: Caller, serverId: string, password: string): Promise<void>;
}

export function createServerPasswordApp(deps: NovaDeps, sagas: NovaSagas): ServerPasswordApp {
  const { env } = deps;
  return {
    async change(caller, serverId, password) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:os-admin-password', targetOf(server));
      checkAction(server, ACTION_RULES.changePassword, isAdmin(caller.ctx));
      const failed = (why: string): CairnError => conflict(`Failed to set admin password on ${server.id} because ${why}`);
      if (server.power_state !== POWER.running) throw failed(`instance ${server.id} is not running`);
      const { properties } = imageOf(server);
      if (!isTrue(properties['hw_qemu_guest_agent'])) throw conflict('QEMU guest agent is not enabled');
      const ticket = env.ids.uuid();
      sagas.passwords.keep(ticket, password);
      const userName = properties['os_admin_user'] ?? (properties['os_type'] === 'windows' ? 'Administrator' : 'root');
      const { sagaId } = await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:os-admin-password',
        rule: ACTION_RULES.changePassword,
        action: 'changePassword',
        taskState: 'updating_password',
        saga: sagas.password,
        params: (row) => ({ serverId: row.id, ctx: storedContext(caller), ticket, userName }),
      });
      if ((await env.sagas.settled(sagaId)) === 'failed') {
        const failure = sagas.failureOf(sagaId);
        throw failed(failure?.kind === 'Conflict' ? failure.message : 'error setting admin password');
      }
    },
  };
}
