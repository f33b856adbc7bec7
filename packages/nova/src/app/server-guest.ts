import { CairnError, conflict, isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { GuestDiagnostics } from '@cairn/host/interface/guests';
import type { SecurityGroupFacts } from '@cairn/neutron/face';
import { findComputeNodeFacts } from '../store/compute-node.ts';
import { clearPassword, patchServer, type ServerRow } from '../store/server.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { visibleServer } from './servers.ts';
import type { PlacedTopology } from '../topology/fit.ts';
import { topologyOfServer } from '../topology/host.ts';

/** What a running guest tells, and what belongs to it elsewhere. */
export interface ServerGuestApp {
  /** Where a server's guest sits on its host's NUMA nodes; undefined where it does not care. */
  topology(row: ServerRow): Promise<PlacedTopology | undefined>;
  consoleOutput(caller: Caller, serverId: string, lines: number | undefined): Promise<string>;
  diagnostics(caller: Caller, serverId: string): Promise<{ readonly row: ServerRow; readonly facts: GuestDiagnostics; readonly hypervisor: string }>;
  password(caller: Caller, serverId: string): Promise<string>;
  clearPassword(caller: Caller, serverId: string): Promise<void>;
  securityGroups(caller: Caller, serverId: string): Promise<readonly SecurityGroupFacts[]>;
  changeSecurityGroup(caller: Caller, serverId: string, group: string, change: 'add' | 'remove'): Promise<void>;
}

export function createServerGuestApp(deps: NovaDeps): ServerGuestApp {
  const { env, faces, hosts } = deps;
  const seen = async (caller: Caller, serverId: string, policy: string): Promise<ServerRow> => {
    const row = await visibleServer(env.store.read, caller, serverId);
    caller.authorize(`os_compute_api:${policy}`, targetOf(row));
    return row;
  };
  const hostOf = (row: ServerRow): string => {
    if (row.host === null) throw conflict(`Instance ${row.id} is not ready`);
    return row.host;
  };

  return {
    topology: (row) => topologyOfServer(deps.env.store.read, row),
    async consoleOutput(caller, serverId, lines) {
      const row = await seen(caller, serverId, 'os-console-output');
      const host = hostOf(row);
      try {
        return await hosts.get(host).guests.consoleLog(row.id, lines);
      } catch (error) {
        if (isCairnError(error, 'NotFound')) throw notFound('Guest does not have a console available.');
        throw error;
      }
    },

    async diagnostics(caller, serverId) {
      const row = await seen(caller, serverId, 'os-server-diagnostics');
      const host = hostOf(row);
      // a server without a running guest has nothing to tell (upstream's compute manager asks the power state first)
      if (row.power_state !== 1)
        throw conflict(`Cannot 'get_diagnostics' instance ${row.id} while it is in power state ${POWER_NAMES[row.power_state] ?? 'unknown'}`);
      const [facts, node] = await Promise.all([
        hosts
          .get(host)
          .guests.diagnostics(row.id)
          .catch((error: unknown) => {
            if (isCairnError(error, 'NotFound')) throw conflict(`Instance ${row.id} is not ready`);
            throw error;
          }),
        findComputeNodeFacts(env.store.read, host),
      ]);
      return { row, facts, hypervisor: node?.accelerator === 'kvm' ? 'kvm' : 'qemu' };
    },

    password: async (caller, serverId) => (await seen(caller, serverId, 'os-server-password:show')).password,

    async clearPassword(caller, serverId) {
      const row = await seen(caller, serverId, 'os-server-password:clear');
      await env.store.write((tx) => clearPassword(tx, row.id));
    },

    async securityGroups(caller, serverId) {
      const row = await seen(caller, serverId, 'os-security-groups:list');
      return await faces.neutron.securityGroupsOfDevice(env.store.read, row.id);
    },

    async changeSecurityGroup(caller, serverId, group, change) {
      const row = await seen(caller, serverId, `os-security-groups:${change}`);
      const portIds = await env.store.write(async (tx) => {
        const changed = await faces.neutron.changeDeviceSecurityGroup(tx, caller.ctx, row.id, group, change).catch((error: unknown) => {
          // an unknown group is 404 here, though 400 at a server's creation
          if (isCairnError(error, 'InvalidInput') && error.type === 'SecurityGroupNotFound') throw new CairnError('NotFound', error.message, { cause: error });
          throw error;
        });
        await patchServer(tx, row.id, { updated_at_ms: env.clock.nowMs() });
        return changed;
      });
      if (portIds.length > 0 && row.host !== null) await faces.neutron.makeLive(portIds);
    },
  };
}

const POWER_NAMES: Readonly<Record<number, string>> = { 0: 'pending', 3: 'paused', 4: 'shutdown', 6: 'crashed', 7: 'suspended' };
