import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conflict } from '../errors/errors.ts';
import type { Store } from '../store/store.ts';
import { crashCases, type CrashCase, type Strike } from './crash-cases.ts';
import type { SagaEngine } from './engine.ts';
import { Again, Crash } from './failure.ts';
import { historyOf, running } from './history.ts';
import type { SagaEngineOptions } from './options.ts';
import type { Probe } from './run-host.ts';
import type { SagaDefinition } from './saga.ts';
import { sagaById } from './store.ts';

/** Spread into the engine's options by `boot`: fault injection, and short delays. */
export type CrashHooks = Pick<SagaEngineOptions, 'probe' | 'retryMs' | 'retryMaxMs' | 'undoRetryMaxMs' | 'graceMs' | 'exclusive'>;

/** One process: an engine, opened, and what else dies with it. */
export interface CrashProcess {
  readonly engine: SagaEngine;
  /** Starts the saga under test, the way users do (through the app) or directly. Returns its id. */
  start(): Promise<string>;
  /** What must be there before the saga can start (a server to delete, an image). Runs without injected faults. */
  prepare?(): Promise<void>;
  /** After a crash: drop the rest of the process without letting it write (an outbox: `outbox.drop()`). The engine is dropped already. */
  drop?(): void;
}

/** What outlives a process: the database, and the simulated host with its guests, taps and disks. */
export interface CrashWorld {
  readonly store: Store;
  /** Builds services anew over the store and the host, registers their sagas, opens the engine. Called once more after every crash. */
  boot(hooks: CrashHooks): Promise<CrashProcess>;
  /**
   * What there is, physically (each guest, tap, disk, rule of the simulated host) and logically (rows with their states, allocations, quota
   * use), one line for each thing. Uuids are masked and lines sorted by the suite; times and other chance are the caller's to leave out.
   */
  inspect(): Promise<readonly string[]>;
  /** On a virtual clock: lets time pass until it holds (`(done) => clock.runUntil(done)`). Default: waits in real time. */
  runUntil?(done: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export interface CrashSuiteOptions {
  readonly saga: SagaDefinition;
  /** A fresh world for each case. */
  world(): Promise<CrashWorld>;
  /** What `inspect` must give after the saga failed (at the step named): as a rule what was there before, and the resource in ERROR. */
  readonly afterFailure: readonly string[] | ((failedStep: string) => readonly string[]);
  /** Steps that may rightly fail when they are run again after a crash. Every other saga must go through to the end. */
  readonly mayFailAfterCrash?: readonly string[];
  /** How many of the first steps `start` does itself (`StartSaga.done`): they are undone as others are, and never run. Default 0. */
  readonly doneAtStart?: number;
  /** False for sagas that nobody may cancel. Default true. */
  readonly cancellable?: boolean;
  /** False when `inspect` already leaves chance out and uuids matter. Default true. */
  readonly maskIds?: boolean;
  /** Real time for one case. Default 20 000. */
  readonly limitMs?: number;
}

const QUICK = { retryMs: 1, retryMaxMs: 5, undoRetryMaxMs: 5, graceMs: 100, exclusive: true } as const;

/**
 * Registers one node:test test per case: success; failure at each step, before and after its `do`; a crash around every `do`, every
 * record and every undo; each `do` and each undo twice; cancellation at each step. After each the saga must have ended done, with
 * everything there that a success leaves, or failed, with exactly `afterFailure` there; and nothing else may be running.
 */
export function crashSuite(options: CrashSuiteOptions): void {
  const suite = new Suite(options);
  describe(`crash suite of ${options.saga.name}`, () => {
    for (const item of suite.cases) test(item.title, () => suite.run(item));
  });
}

/** Runs every case and returns the ones that went wrong; what `crashSuite` does, without node:test. */
export async function crashReport(options: CrashSuiteOptions): Promise<{ readonly title: string; readonly problem: string }[]> {
  const suite = new Suite(options);
  const problems: { title: string; problem: string }[] = [];
  for (const item of suite.cases) {
    try {
      await suite.run(item);
    } catch (error) {
      problems.push({ title: item.title, problem: error instanceof Error ? error.message : String(error) });
    }
  }
  return problems;
}

interface Outcome {
  readonly end: 'done' | 'failed';
  readonly failedStep: string;
  readonly lines: readonly string[];
}

class Suite {
  readonly cases: readonly CrashCase[];
  readonly #options: CrashSuiteOptions;
  #success: Promise<Outcome> | undefined;

  constructor(options: CrashSuiteOptions) {
    this.#options = options;
    const { cancellable = true, mayFailAfterCrash = [], doneAtStart = 0 } = options;
    this.cases = crashCases(options.saga, { cancellable, mayFail: mayFailAfterCrash, doneAtStart });
  }

  async run(item: CrashCase): Promise<void> {
    this.#success ??= this.#play([]);
    const success = await this.#success;
    assert.equal(success.end, 'done', 'without any fault the saga must end done');
    const outcome = await this.#play(item.strikes);
    if (item.expect !== 'either') assert.equal(outcome.end, item.expect, `the saga ended ${outcome.end} (step '${outcome.failedStep}')`);
    if (outcome.end === 'done') {
      same(outcome.lines, success.lines, 'after success');
      return;
    }
    const { afterFailure } = this.#options;
    const expected = this.#lines(typeof afterFailure === 'function' ? afterFailure(outcome.failedStep) : afterFailure);
    assert.notDeepEqual(expected, success.lines, '`inspect` must tell a success from a failure, or the suite proves nothing');
    same(outcome.lines, expected, `after a failure at step '${outcome.failedStep}'`);
  }

  /** One saga in one fresh world, struck at the given points. */
  async #play(strikes: readonly Strike[]): Promise<Outcome> {
    const world = await this.#options.world();
    const play = new Play(world, this.#options, strikes);
    try {
      const { end, failedStep } = await play.run();
      return { end, failedStep, lines: this.#lines(await world.inspect()) };
    } finally {
      play.stop();
      await world.close();
    }
  }

  #lines(lines: readonly string[]): string[] {
    const mask = this.#options.maskIds ?? true;
    return lines.map((line) => (mask ? line.replace(UUID, '<id>') : line)).sort();
  }
}

const UUID = /\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b/gi;

class Play {
  readonly #world: CrashWorld;
  readonly #options: CrashSuiteOptions;
  readonly #strikes: Strike[];
  #process: CrashProcess | undefined;
  #armed = false;
  #sagaId: string | undefined;
  #crash = Promise.withResolvers<void>();

  constructor(world: CrashWorld, options: CrashSuiteOptions, strikes: readonly Strike[]) {
    this.#world = world;
    this.#options = options;
    this.#strikes = [...strikes];
  }

  async run(): Promise<{ end: 'done' | 'failed'; failedStep: string }> {
    this.#process = await this.#boot();
    if (this.#process.prepare) {
      await this.#wait(this.#process.prepare());
      await this.#wait(this.#process.engine.idle());
    }
    this.#armed = true;
    const id = await this.#wait(this.#process.start());
    for (;;) {
      const crashed = this.#crash.promise.then(() => 'crashed' as const);
      const end = await this.#wait(Promise.race([this.#process.engine.settled(id), crashed]));
      if (end !== 'crashed') return { end, failedStep: await this.#ended(id) };
      this.stop();
      this.#crash = Promise.withResolvers();
      this.#process = await this.#boot();
    }
  }

  /** Ends the last process, whatever state it is in. */
  stop(): void {
    this.#process?.engine.drop();
    this.#process?.drop?.();
  }

  #boot(): Promise<CrashProcess> {
    return this.#world.boot({ ...QUICK, probe: this.#probe });
  }

  /** After the end: every fault was met, nothing else runs. Returns the step that failed, if one did. */
  async #ended(id: string): Promise<string> {
    const { store } = this.#world;
    await this.#wait((this.#process as CrashProcess).engine.idle());
    const left = this.#strikes[0];
    if (left) throw new Error(`the point was never reached: ${left.action} ${left.point} of step ${left.step}\n${await this.#story()}`);
    const unfinished = await running(store.read);
    if (unfinished.length > 0) throw new Error(`still unfinished: ${unfinished.map((saga) => `${saga.name} (${saga.state})`).join(', ')}`);
    const row = await sagaById(store.read, id);
    return row?.failure ? (JSON.parse(row.failure) as { step: string }).step : '';
  }

  readonly #probe: Probe = async (point, sagaId, step, name) => {
    if (!this.#armed || name !== this.#options.saga.name) return;
    this.#sagaId ??= sagaId;
    const strike = this.#strikes[0];
    if (sagaId !== this.#sagaId || strike?.point !== point || strike.step !== step) return;
    this.#strikes.shift();
    switch (strike.action) {
      case 'crash':
        this.#crash.resolve();
        throw new Crash();
      case 'again':
        throw new Again();
      case 'fail':
        throw conflict(`An injected failure ${point} of step ${step}.`);
      case 'cancel':
        await this.#cancel(sagaId);
    }
  };

  async #cancel(sagaId: string): Promise<void> {
    const { store } = this.#world;
    const row = await sagaById(store.read, sagaId);
    await store.write((tx) => (this.#process as CrashProcess).engine.cancel(tx, row?.subject ?? ''));
  }

  /** Waits for a promise while the world's time passes; not longer than the limit. */
  async #wait<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const mark = (): void => {
      over = true;
    };
    promise.then(mark, mark);
    const limitMs = this.#options.limitMs ?? 20_000;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      void this.#story().then((story) => late.reject(new Error(`no end after ${limitMs} ms\n${story}`)), late.reject);
    }, limitMs);
    try {
      const time = this.#world.runUntil?.(() => over) ?? promise;
      return await Promise.race([late.promise, time.then(() => promise)]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What became of the saga under test, for people. */
  async #story(): Promise<string> {
    const { store } = this.#world;
    const row = this.#sagaId === undefined ? undefined : await sagaById(store.read, this.#sagaId);
    if (!row) return 'the saga never ran';
    const [record] = await historyOf(store.read, { subject: row.subject }, { names: [row.name], limit: 1 });
    return JSON.stringify({ state: record?.state, failure: record?.failure, steps: record?.steps }, undefined, 1);
  }
}

function same(got: readonly string[], expected: readonly string[], when: string): void {
  const extra = without(got, expected);
  const missing = without(expected, got);
  if (extra.length === 0 && missing.length === 0) return;
  throw new Error(`${when}, there is\n${[...extra.map((line) => `  too much: ${line}`), ...missing.map((line) => `  missing:  ${line}`)].join('\n')}`);
}

/** Lines of the first list that the second has not, counting repeats. */
function without(lines: readonly string[], other: readonly string[]): string[] {
  const rest = [...other];
  return lines.filter((line) => {
    const at = rest.indexOf(line);
    if (at < 0) return true;
    rest.splice(at, 1);
    return false;
  });
}
