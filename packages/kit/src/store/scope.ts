import { AsyncLocalStorage } from 'node:async_hooks';
import { type DatabaseConnection, type Dialect, type Driver, type Kysely, Transaction } from 'kysely';
import type { Logger } from '../log/log.ts';
import { ConnectionExecutor } from './executor.ts';
import type { EngineName, Tx } from './store.ts';

/** Past this a transaction is reported, with the beginning of its work. */
export const SLOW_TRANSACTION_MS = 5000;

const current = new AsyncLocalStorage<TxScope>();

/**
 * Tells a transaction apart from all others, by the text of its work. Where it was opened would be known by a stack, which costs every transaction
 * as much as three statements.
 */
export const workText = (work: object): string => String(work).slice(0, 400);

/**
 * Throws when the caller is inside a transaction that `owner` runs: the inner one would wait for the outer one, which waits for it.
 * Two different stores may nest.
 */
export function refuseNested(owner: object): void {
  const scope = current.getStore();
  if (scope && scope.owner === owner && scope.open) {
    throw new Error('Store.write was called inside of a Store.write: pass the running transaction (tx) down instead.');
  }
}

/** One attempt at a transaction: the handle that `work` gets, usable only until the transaction ends. */
export class TxScope {
  readonly owner: object;
  readonly startedMs = performance.now();
  readonly tx: Tx;
  open = true;
  readonly #callbacks: (() => void)[] = [];

  constructor(owner: object, engine: EngineName, connection: DatabaseConnection, parts: ScopeParts) {
    this.owner = owner;
    const executor = new ConnectionExecutor(parts, connection, () =>
      this.open ? undefined : new Error('This transaction has ended: a query was started in it without being awaited, or its tx was kept.'),
    );
    const { dialect, driver } = parts;
    const kysely: Kysely<unknown> = new Transaction<unknown>({ config: { dialect }, dialect, driver, executor });
    this.tx = { engine, kysely, writable: true, afterCommit: (callback) => void this.#callbacks.push(callback) };
  }

  /** Runs the work as the async flow's current transaction. */
  run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return current.run(this, work, this.tx);
  }

  /** Calls what was registered with `afterCommit`; one that throws is logged and does not stop the rest. */
  committed(log: Logger): void {
    for (const callback of this.#callbacks) {
      try {
        callback();
      } catch (err) {
        log.error({ err }, 'an afterCommit callback failed');
      }
    }
  }
}

/** What every scope of a store shares. */
export interface ScopeParts {
  readonly dialect: Dialect;
  readonly driver: Driver;
  readonly compiler: ReturnType<Dialect['createQueryCompiler']>;
  readonly adapter: ReturnType<Dialect['createAdapter']>;
}

export function scopeParts(dialect: Dialect): ScopeParts {
  return { dialect, driver: dialect.createDriver(), compiler: dialect.createQueryCompiler(), adapter: dialect.createAdapter() };
}
