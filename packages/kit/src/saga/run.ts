import { Backward } from './backward.ts';
import { Crash, LetGo } from './failure.ts';
import { Forward } from './forward.ts';
import { RunContext, type Unwind } from './run-context.ts';
import type { RunEnd, RunHost } from './run-host.ts';
import type { Json, SagaDefinition, SagaFailure } from './saga.ts';
import type { SagaRow, StepRow } from './store.ts';

/** What a run must know of a step that has begun or is done. */
export type KnownStep = Pick<StepRow, 'idx' | 'name' | 'output'> & Partial<Pick<StepRow, 'attempt' | 'undo_attempt'>>;

/** One saga in the hands of this engine, from where its rows stand to its end. */
export class SagaRun {
  readonly row: SagaRow;
  readonly #context: RunContext;
  #forward: Forward | undefined;
  #backward: Backward | undefined;

  /** `steps` are those of a saga that is taken over, and of a new one those that are done. */
  constructor(host: RunHost, row: SagaRow, definition: SagaDefinition, services: unknown, steps: readonly KnownStep[] = []) {
    this.row = row;
    this.#context = new RunContext(host, row, definition, services);
    this.#context.outputs = Object.fromEntries(steps.flatMap(({ name, output }) => (output === null ? [] : [[name, JSON.parse(output) as Json]])));
    const at = steps.find((step) => step.idx === row.step);
    if (row.state === 'running') this.#forward = new Forward(this.#context, at?.attempt ?? 1);
    else this.#backward = new Backward(this.#context, { step: row.step, failure: failureOf(row) }, Math.max(1, at?.undo_attempt ?? 1));
  }

  get leaseUntilMs(): number {
    return this.#context.leaseUntilMs;
  }

  set leaseUntilMs(ms: number) {
    this.#context.leaseUntilMs = ms;
  }

  /** Somebody asked (and recorded) that the saga unwind: stops a running `do`. */
  cancel(): void {
    this.#forward?.cancel();
  }

  /** Stops whatever runs and leaves the saga as it is recorded. */
  letGo(why: string): void {
    const reason = new LetGo(why);
    this.#context.letGo(reason);
    this.#forward?.letGo(reason);
    this.#backward?.letGo(reason);
  }

  /** Rejects with Crash alone. */
  async execute(): Promise<RunEnd> {
    try {
      const end = await this.#forward?.go();
      if (end === 'done') return 'done';
      if (end) this.#turn(end);
      await this.#backward?.go();
      return 'failed';
    } catch (error) {
      if (error instanceof Crash) throw error;
      if (!(error instanceof LetGo)) this.#context.log.error({ err: error }, 'a saga was left, by a fault of the engine; the next sweep resumes it');
      return 'left';
    }
  }

  #turn(end: Unwind): void {
    this.#forward = undefined;
    this.#backward = new Backward(this.#context, end, 1);
  }
}

function failureOf(row: SagaRow): SagaFailure {
  return row.failure === null ? { step: '', kind: 'Internal', message: 'The operation failed.' } : (JSON.parse(row.failure) as SagaFailure);
}
