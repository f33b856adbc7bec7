import type { InstanceAction, InstanceActionEvent } from './queries.ts';

/** What is drawn of an event. */
type StepEvent = Pick<InstanceActionEvent, 'event' | 'start_time' | 'finish_time' | 'result' | 'details' | 'host'>;

/** The columns of the picture: who has a part in a server's life, from the user to the host. */
export const LANES = ['api', 'scheduler', 'neutron', 'storage', 'compute'] as const;
type Lane = (typeof LANES)[number];

export interface FlowStep {
  /** `compute_spawn`, as the instance action's event is called; `request` for what was asked. */
  readonly name: string;
  readonly lane: Lane;
  /** Lanes that have a part in it besides. */
  readonly with: readonly Lane[];
  readonly startMs: number;
  /** null while it runs. */
  readonly finishMs: number | null;
  readonly state: 'running' | 'done' | 'failed';
  readonly details: string | null;
}

export interface Flow {
  readonly steps: readonly FlowStep[];
  readonly startMs: number;
  /** The end of the last step; null while one runs. */
  readonly finishMs: number | null;
  readonly failed: boolean;
}

/** Whose work each step is. A step that is not listed is the compute host's own. */
const PLACES: Readonly<Record<string, { readonly lane: Lane; readonly with?: readonly Lane[] }>> = {
  compute_schedule: { lane: 'scheduler' },
  compute_ports: { lane: 'neutron' },
  compute_disks_and_network: { lane: 'storage', with: ['neutron', 'compute'] },
  compute_fast_start: { lane: 'storage', with: ['compute'] },
  compute_spawn: { lane: 'compute' },
  compute_copy_disks: { lane: 'storage', with: ['compute'] },
  compute_disks: { lane: 'storage' },
  compute_disk: { lane: 'storage' },
  compute_upload: { lane: 'storage' },
  compute_snapshots: { lane: 'storage' },
  compute_image: { lane: 'storage' },
  compute_rotate: { lane: 'storage' },
  compute_plug: { lane: 'neutron', with: ['compute'] },
  compute_switch: { lane: 'neutron', with: ['storage'] },
};
const VOLUME = /volume/;
const PORT = /port|interface|network/;

const placeOf = (event: string): { readonly lane: Lane; readonly with?: readonly Lane[] } =>
  PLACES[event] ?? { lane: event.startsWith('api_') ? 'api' : VOLUME.test(event) ? 'storage' : PORT.test(event) ? 'neutron' : 'compute' };

/** Times of the API have no zone: they are UTC. */
const timeOf = (text: string): number => Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);

/** Whether one step has the other within it. */
const encloses = (outer: FlowStep, inner: FlowStep): boolean =>
  outer.startMs <= inner.startMs && (outer.finishMs ?? Infinity) >= (inner.finishMs ?? (outer.finishMs === null ? 0 : Infinity));

/** The event that stands for the whole of an action (nova has one with the name of upstream's method) and has all its steps within it. */
const wholeOf = (steps: readonly FlowStep[]): FlowStep | undefined =>
  steps.length < 2 ? undefined : steps.find((step) => PLACES[step.name] === undefined && steps.every((other) => other === step || encloses(step, other)));

/** The picture of an action: what was asked, then each step in the order in which they began. */
export function flowOf(action: Pick<InstanceAction, 'action' | 'start_time'> & { readonly events: readonly StepEvent[] }): Flow {
  const askedMs = timeOf(action.start_time);
  const events = action.events
    .map((event): FlowStep => {
      const { lane, with: others = [] } = placeOf(event.event);
      const finishMs = event.finish_time === null ? null : timeOf(event.finish_time);
      const state = event.result === 'Error' ? 'failed' : finishMs === null ? 'running' : 'done';
      return { name: event.event, lane, with: others, startMs: timeOf(event.start_time), finishMs, state, details: event.details ?? null };
    })
    .sort((a, b) => a.startMs - b.startMs || (a.finishMs ?? Infinity) - (b.finishMs ?? Infinity));
  const whole = wholeOf(events);
  const steps = events.filter((step) => step !== whole);
  const first = steps[0]?.startMs ?? askedMs;
  const request: FlowStep = { name: 'request', lane: 'api', with: [], startMs: Math.min(askedMs, first), finishMs: first, state: 'done', details: null };
  const all = [request, ...steps];
  const running = events.some((step) => step.state === 'running');
  return {
    steps: all,
    startMs: request.startMs,
    finishMs: running ? null : Math.max(...[...all, ...events].map((step) => step.finishMs ?? step.startMs)),
    failed: events.some((step) => step.state === 'failed' && step.name !== 'compute_fast_start'),
  };
}
