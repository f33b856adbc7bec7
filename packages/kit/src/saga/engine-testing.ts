import { type Clock, systemClock } from '../clock/clock.ts';
import { type Ids, systemIds } from '../ids/ids.ts';
import type { Logger } from '../log/log.ts';
import type { EngineName, Store } from '../store/store.ts';
import { testStore } from '../store/testing.ts';
import { SagaEngine } from './engine.ts';
import { sagaMigrations } from './migrations.ts';
import type { SagaEngineOptions } from './options.ts';
import type { SagaDefinition, StartSaga } from './saga.ts';

/** Keeps what is logged. */
export class LogBook implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: object }[] = [];
  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', message, fields });
  }
  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', message, fields });
  }
  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', message, fields });
  }
  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', message, fields });
  }
  child(): Logger {
    return this;
  }
  messages(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message);
  }
}

/** A migrated store, and engines over it that are quick to retry; for this folder's tests. */
export class Bench {
  readonly store: Store;
  readonly log = new LogBook();
  readonly #engines: SagaEngine[] = [];

  private constructor(store: Store) {
    this.store = store;
  }

  static async open(engine: EngineName = 'sqlite'): Promise<Bench> {
    const store = await testStore(engine);
    await store.migrate([sagaMigrations]);
    return new Bench(store);
  }

  /** An engine that knows the sagas, opened. Exclusive unless told otherwise. */
  async engine(definitions: readonly SagaDefinition[], options: Partial<SagaEngineOptions> = {}, services: unknown = {}): Promise<SagaEngine> {
    const engine = new SagaEngine({
      store: this.store,
      clock: systemClock as Clock,
      ids: systemIds as Ids,
      log: this.log,
      exclusive: true,
      retryMs: 1,
      retryMaxMs: 5,
      undoRetryMaxMs: 5,
      graceMs: 50,
      ...options,
    });
    engine.register(definitions, services);
    await engine.open();
    this.#engines.push(engine);
    return engine;
  }

  start<P>(engine: SagaEngine, definition: SagaDefinition<P>, params: P, options: Partial<StartSaga> = {}): Promise<string> {
    return this.store.write((tx) => engine.start(tx, definition, params, { subject: `thing:${Math.random()}`, requestId: 'req-1', ...options }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.close()));
    await this.store.close();
  }
}

/** A promise to be settled from outside. */
export const gate = <T = void>(): PromiseWithResolvers<T> => Promise.withResolvers<T>();

/** Waits until it holds, in real time. */
export async function until(holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`still does not hold after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
