import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely } from 'kysely';
import { Pool, type PoolConfig, types } from 'pg';
import { unavailable } from '../../errors/errors.ts';
import { type Logger, silentLog } from '../../log/log.ts';
import { isRetryable } from '../errors.ts';
import { migrateStore } from '../migrate.ts';
import { type ScopeParts, SLOW_TRANSACTION_MS, TxScope, refuseNested, scopeParts, workText } from '../scope.ts';
import type { Db, MigrationSet, Store, Tx } from '../store.ts';
import { PostgresConnection, StatementNames, isStalePlan } from './connection.ts';
import { PoolDialect } from './dialect.ts';
import { Turns } from './turns.ts';

export interface PostgresOptions {
  /** `postgresql://user:password@host:5432/database`. The parts below win over it. */
  readonly url?: string;
  /** A host name, or the absolute path of the directory that holds the server's unix socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly tls?: PoolConfig['ssl'];
  /** Connections of this process at most, for reads and for writes each, so that a read never waits for writes that wait for it. Default 10. */
  readonly poolSize?: number;
  /** How long to wait for a connection to the server or from the pool. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** False behind a pooler that hands connections from client to client (pgbouncer's transaction mode). Default true. */
  readonly prepare?: boolean;
  /** Tries of one write before its serialisation failure is the caller's. Default 20. */
  readonly attempts?: number;
  readonly log?: Logger;
  readonly nowMs?: () => number;
  /** Between 0 and 1; for the jitter between tries. */
  readonly random?: () => number;
  /** Past this an open transaction is logged, with the beginning of its work. Default 5000. */
  readonly slowTransactionMs?: number;
}

/** Connects, and checks that the database can hold Cairn. */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const store = new PostgresStore(options);
  try {
    await store.check();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** Integers come as numbers, as on SQLite; one that a number cannot hold is an error rather than another value. */
function toNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) throw new RangeError(`The database holds ${text}, which is too large for a number.`);
  return value;
}

const { INT8, NUMERIC } = types.builtins;
// a bigint sum comes as numeric, hence both
const typeParsers: PoolConfig['types'] = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    (oid === INT8 || oid === NUMERIC) && format !== 'binary' ? toNumber : types.getTypeParser(oid, format as 'text'),
};

function poolConfig(options: PostgresOptions): PoolConfig {
  const { url, host, port, user, password, database, tls, poolSize = 10, connectTimeoutMs = 10_000 } = options;
  return {
    ...(url !== undefined && { connectionString: url }),
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(tls !== undefined && { ssl: tls }),
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs,
    idle_in_transaction_session_timeout: 60_000,
    application_name: 'cairn',
    types: typeParsers,
  };
}

class PostgresStore implements Store {
  readonly engine = 'postgres';
  readonly read: Db;
  readonly #options: PostgresOptions;
  readonly #log: Logger;
  readonly #readers: Pool;
  readonly #writers: Pool;
  readonly #names: StatementNames | undefined;
  readonly #parts: ScopeParts;
  readonly #known: MigrationSet[] = [];
  readonly #running = new Set<Promise<unknown>>();
  readonly #turns = new Turns();
  #closing: Promise<void> | undefined;

  constructor(options: PostgresOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#readers = new Pool(poolConfig(options));
    this.#writers = new Pool(poolConfig(options));
    for (const pool of [this.#readers, this.#writers]) {
      // an idle connection that breaks is replaced by the pool; without a listener it would end the process
      pool.on('error', (err) => this.#log.warn({ err }, 'an idle database connection broke'));
    }
    this.#names = options.prepare === false ? undefined : new StatementNames();
    const dialect = new PoolDialect(this.#readers, this.#names);
    this.#parts = scopeParts(dialect);
    this.read = { engine: 'postgres', kysely: new Kysely<unknown>({ dialect }) };
  }

  /** Refuses servers that are too old and databases that cannot hold every text; says when texts sort unlike on SQLite. */
  async check(): Promise<void> {
    const { rows } = await this.#readers.query<{ version: number; encoding: string; collation: string }>(
      `select current_setting('server_version_num')::int as version, pg_encoding_to_char(encoding) as encoding, datcollate as collation
       from pg_database where datname = current_database()`,
    );
    const found = rows[0];
    if (!found || found.version < 130_000) throw new Error('Cairn needs PostgreSQL 13 or newer.');
    if (found.encoding !== 'UTF8') throw new Error(`The database has encoding ${found.encoding}; create it with ENCODING 'UTF8'.`);
    if (found.collation !== 'C' && found.collation !== 'C.UTF-8' && found.collation !== 'POSIX') {
      this.#log.warn({ collation: found.collation }, "texts sort by language and prefixes find no index; create the database with LC_COLLATE 'C'");
    }
  }

  async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    refuseNested(this);
    if (this.#closing) throw unavailable('The database is closing.');
    const running = this.#write(work);
    this.#running.add(running);
    return running.finally(() => this.#running.delete(running));
  }

  async #write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const { attempts = 20, random = Math.random } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { scope, result } = await this.#turns.take(attempt > 1, () => this.#attempt(work));
        scope.committed(this.#log);
        return result;
      } catch (error) {
        if (!(isRetryable(error) || isStalePlan(error)) || attempt >= attempts) throw error;
        await sleep(random() * Math.min(5 * 2 ** attempt, 250));
      }
    }
  }

  async migrate(sets: readonly MigrationSet[]): Promise<void> {
    this.#known.push(...sets);
    await migrateStore(this, sets, this.#known, this.#options.nowMs ?? Date.now);
    this.#names?.renew();
  }

  close(): Promise<void> {
    refuseNested(this);
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await Promise.all([this.#readers.end(), this.#writers.end()]);
  }

  async #attempt<T>(work: (tx: Tx) => Promise<T>): Promise<{ scope: TxScope; result: T }> {
    const connection = new PostgresConnection(await this.#writers.connect(), this.#names);
    const scope = new TxScope(this, 'postgres', connection, this.#parts);
    const watch = setTimeout(
      () => this.#log.warn({ openMs: Math.round(performance.now() - scope.startedMs), work: workText(work) }, 'a transaction is open for long'),
      this.#options.slowTransactionMs ?? SLOW_TRANSACTION_MS,
    );
    watch.unref();
    let broken: Error | undefined;
    try {
      await connection.run('begin isolation level serializable');
      const result = await scope.run(work);
      scope.open = false;
      const { command } = await connection.run('commit');
      // a statement failed and the work went on regardless: the server has rolled back, and says so only here
      if (command === 'ROLLBACK') throw connection.lastError ?? new Error('The transaction was rolled back by the server.');
      return { scope, result };
    } catch (error) {
      scope.open = false;
      await connection.run('rollback').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      clearTimeout(watch);
      connection.client.release(broken);
    }
  }
}
