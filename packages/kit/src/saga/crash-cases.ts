import type { ProbePoint } from './run-host.ts';
import type { SagaDefinition } from './saga.ts';

/** A fault at a point of a step. Strikes of one case happen in their order, each once. */
export interface Strike {
  readonly point: ProbePoint;
  /** Index of the step. */
  readonly step: number;
  /** `again`: what ran is run a second time, as if its outcome had got lost. */
  readonly action: 'crash' | 'fail' | 'again' | 'cancel';
}

export interface CrashCase {
  readonly title: string;
  readonly strikes: readonly Strike[];
  readonly expect: 'done' | 'failed' | 'either';
}

interface Rules {
  readonly cancellable: boolean;
  /** Names of steps that may rightly fail when run again. */
  readonly mayFail: readonly string[];
  /** How many of the first steps are done when the saga starts. */
  readonly doneAtStart: number;
}

/** Every case for a saga. */
export function crashCases(saga: SagaDefinition, rules: Rules): CrashCase[] {
  const cases: CrashCase[] = [{ title: 'it succeeds', strikes: [], expect: 'done' }];
  for (let step = rules.doneAtStart; step < saga.steps.length; step += 1) cases.push(...forward(saga, step, rules));
  const last = saga.steps.length - 1;
  for (let step = last; step >= 0; step -= 1) {
    if (saga.steps[step]?.undo || saga.steps[step]?.undoCommit) cases.push(...backward(saga, step, last));
  }
  return cases;
}

function forward(saga: SagaDefinition, step: number, rules: Rules): CrashCase[] {
  const name = saga.steps[step]?.name ?? '';
  const resumed = rules.mayFail.includes(name) ? 'either' : 'done';
  const at = (point: ProbePoint, action: Strike['action']): Strike => ({ point, step, action });
  const cases: CrashCase[] = [
    { title: `${name}: fails before it has done anything`, strikes: [at('before-do', 'fail')], expect: 'failed' },
    { title: `${name}: fails after it has done its work`, strikes: [at('after-do', 'fail')], expect: 'failed' },
    { title: `${name}: the process dies before it`, strikes: [at('before-do', 'crash')], expect: resumed },
    { title: `${name}: the process dies after its work, before the record`, strikes: [at('after-do', 'crash')], expect: resumed },
    { title: `${name}: the process dies after the record`, strikes: [at('after-record', 'crash')], expect: 'done' },
    { title: `${name}: runs twice`, strikes: [at('after-do', 'again')], expect: resumed },
    {
      // the effect is there, and nobody knows of it
      title: `${name}: the process dies after its work, and then it fails`,
      strikes: [at('after-do', 'crash'), at('before-do', 'fail')],
      expect: 'failed',
    },
  ];
  if (!rules.cancellable) return cases;
  return [
    ...cases,
    { title: `${name}: is cancelled before it`, strikes: [at('before-do', 'cancel')], expect: 'failed' },
    { title: `${name}: is cancelled after its work`, strikes: [at('after-do', 'cancel')], expect: 'failed' },
  ];
}

/** The saga fails at its last step, after that has done its work; then the undo of `step` is struck. */
function backward(saga: SagaDefinition, step: number, last: number): CrashCase[] {
  const name = saga.steps[step]?.name ?? '';
  const fail: Strike = { point: 'after-do', step: last, action: 'fail' };
  const strike = (title: string, point: ProbePoint, action: Strike['action']): CrashCase => ({
    title: `undo ${name}: ${title}`,
    strikes: [fail, { point, step, action }],
    expect: 'failed',
  });
  return [
    strike('the process dies before it', 'before-undo', 'crash'),
    strike('the process dies after its work, before the record', 'after-undo', 'crash'),
    strike('the process dies after the record', 'after-undo-record', 'crash'),
    strike('runs twice', 'after-undo', 'again'),
    strike('fails once', 'before-undo', 'fail'),
  ];
}
