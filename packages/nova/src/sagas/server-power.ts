import type { HostAgent } from '@cairn/host/interface/agent';
import type { GuestInfo, GuestSpec } from '@cairn/host/interface/guests';
import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type StepContext } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { POWER, type VmState } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { powerOf } from '../hosts/power.ts';
import { findServerBrief, patchServer, type ServerPatch, type ServerRow } from '../store/server.ts';
import { actionDone, actionFailed } from './outcome.ts';

export interface PowerParams {
  readonly serverId: string;
  readonly ctx: Context;
}

/** What makes one of these actions differ from the others. */
interface PowerAction {
  /** `nova.server.<name>`, and the one step's name. */
  readonly name: string;
  /** The notification at its end. */
  readonly event: string;
  readonly deadlineMs: number;
  /** The server's state when it went well. */
  readonly after: { readonly vmState: VmState; readonly power: number };
  /** The guest is started from its specification, on taps that must be there. */
  readonly starts: boolean;
  run(agent: HostAgent, guest: { readonly id: string; readonly spec: GuestSpec | undefined }, deps: NovaDeps): Promise<GuestInfo>;
}

const SPECLESS = 'the guest is started from a specification';
const needSpec = (spec: GuestSpec | undefined): GuestSpec => {
  if (spec === undefined) throw new Error(SPECLESS);
  return spec;
};
const ACTIVE = { vmState: 'active', power: POWER.running } as const;

const ACTIONS: readonly PowerAction[] = [
  {
    name: 'stop',
    event: 'power_off.end',
    deadlineMs: 300_000,
    after: { vmState: 'stopped', power: POWER.shutdown },
    starts: false,
    run: (agent, { id }, deps) => agent.guests.shutDown(id, deps.options.shutdownGraceMs),
  },
  { name: 'start', event: 'power_on.end', deadlineMs: 300_000, after: ACTIVE, starts: true, run: (agent, { spec }) => agent.guests.start(needSpec(spec)) },
  {
    name: 'soft_reboot',
    event: 'reboot.end',
    deadlineMs: 300_000,
    after: ACTIVE,
    starts: false,
    run: (agent, { id }, deps) => agent.guests.rebootSoft(id, deps.options.shutdownGraceMs),
  },
  {
    name: 'hard_reboot',
    event: 'reboot.end',
    deadlineMs: 300_000,
    after: ACTIVE,
    starts: true,
    run: (agent, { spec }) => agent.guests.rebootHard(needSpec(spec)),
  },
  {
    name: 'pause',
    event: 'pause.end',
    deadlineMs: 60_000,
    after: { vmState: 'paused', power: POWER.paused },
    starts: false,
    run: (agent, { id }) => agent.guests.pause(id),
  },
  { name: 'unpause', event: 'unpause.end', deadlineMs: 60_000, after: ACTIVE, starts: false, run: (agent, { id }) => agent.guests.unpause(id) },
  {
    name: 'suspend',
    event: 'suspend.end',
    deadlineMs: 300_000,
    after: { vmState: 'suspended', power: POWER.shutdown },
    starts: false,
    run: (agent, { id }) => agent.guests.suspend(id),
  },
  { name: 'resume', event: 'resume.end', deadlineMs: 300_000, after: ACTIVE, starts: true, run: (agent, { spec }) => agent.guests.resume(needSpec(spec)) },
];

export type PowerSagas = Readonly<
  Record<'stop' | 'start' | 'soft_reboot' | 'hard_reboot' | 'pause' | 'unpause' | 'suspend' | 'resume', SagaDefinition<PowerParams>>
>;

/** The sagas that change a server's power: one step on its host each. */
export function serverPowerSagas(deps: NovaDeps): PowerSagas {
  return Object.fromEntries(ACTIONS.map((action) => [action.name, powerSaga(deps, action)])) as PowerSagas;
}

function powerSaga(deps: NovaDeps, action: PowerAction): SagaDefinition<PowerParams> {
  const seen = new WeakMap<StepContext<PowerParams, unknown>, number>();
  return defineSaga<PowerParams, unknown>({
    name: `nova.server.${action.name}`,
    steps: [
      {
        name: action.name,
        deadlineMs: action.deadlineMs,
        async do(step) {
          const { serverId } = step.params;
          if (!action.starts) {
            const server = await findServerBrief(step.db, serverId);
            if (server?.host == null) throw notFound(`Instance ${serverId} could not be found.`);
            await action.run(deps.hosts.get(server.host), { id: serverId, spec: undefined }, deps);
            return;
          }
          const guest = await specOf(deps, step.db, serverId);
          if (guest?.row.host == null) throw notFound(`Instance ${serverId} could not be found.`);
          if (guest.portIds.length > 0) await deps.faces.neutron.makeLive(guest.portIds, step.signal);
          await action.run(deps.hosts.get(guest.row.host), { id: serverId, spec: guest.spec }, deps);
        },
        async commit(tx, step) {
          const { serverId, ctx } = step.params;
          await actionDone(deps, tx, {
            serverId,
            requestId: ctx.requestId,
            event: action.event,
            patch: { vm_state: action.after.vmState, power_state: action.after.power, fault_json: null },
          });
        },
        // nothing is taken back: what the guest is in fact decides where the server stands
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          try {
            seen.set(step, powerOf((await deps.hosts.get(server.host).guests.info(server.id)).state));
          } catch (error) {
            step.log.warn(
              { serverId: server.id, err: error },
              'a failed action left a guest that cannot be asked for its state; the next comparison settles it',
            );
          }
        },
        async undoCommit(tx, step) {
          const power = seen.get(step);
          if (power !== undefined) await patchServer(tx, step.params.serverId, { power_state: power, updated_at_ms: deps.env.clock.nowMs() });
        },
      },
    ],
    async onFailed(tx, step, failure) {
      await actionFailed(deps, tx, {
        serverId: step.params.serverId,
        requestId: step.params.ctx.requestId,
        failure,
        event: `${action.event.replace(/\.end$/, '')}.error`,
        patch: stateAfterFailure,
      });
    },
  });
}

/** Tasks that start no guest: when there is none any more, the server is stopped, and nothing is wrong with it. */
const ENDS_WELL_DOWN: ReadonlySet<string> = new Set(['powering-off', 'pausing', 'unpausing', 'suspending']);

/** Where a server stands after an action failed, by what its guest is. The fault is kept only where the server is in error. */
function stateAfterFailure(row: ServerRow): ServerPatch {
  switch (row.power_state) {
    case POWER.running:
      return { vm_state: 'active', fault_json: row.fault_json };
    case POWER.paused:
      return { vm_state: 'paused', fault_json: row.fault_json };
    case POWER.suspended:
      return { vm_state: 'suspended', power_state: POWER.shutdown, fault_json: row.fault_json };
    case POWER.shutdown:
    case POWER.crashed:
      // a server that should have come up and did not is in error, as upstream's reboot leaves it; one that was down, that should go down, or
      // whose guest ended by itself before the action came to it, is stopped
      if (row.vm_state === 'suspended') return row.power_state === POWER.crashed ? { vm_state: 'error' } : { fault_json: row.fault_json };
      return row.vm_state === 'stopped' || ENDS_WELL_DOWN.has(row.task_state ?? '')
        ? { vm_state: 'stopped', power_state: POWER.shutdown, fault_json: row.fault_json }
        : { vm_state: 'error' };
    default:
      return { vm_state: 'error' };
  }
}
