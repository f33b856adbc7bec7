import { chmodSync, closeSync, existsSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { type DatabaseConnection, Kysely } from 'kysely';
import { unavailable } from '../../errors/errors.ts';
import { type Logger, silentLog } from '../../log/log.ts';
import { migrateStore } from '../migrate.ts';
import { ConnectionExecutor } from '../executor.ts';
import { type ScopeParts, SLOW_TRANSACTION_MS, TxScope, refuseNested, scopeParts, workText } from '../scope.ts';
import type { Db, MigrationSet, Store, Tx } from '../store.ts';
import { Checkpointer } from './checkpoint.ts';
import { SqliteConnection } from './connection.ts';
import { NodeSqliteDialect } from './dialect.ts';
import { GroupSync } from './group-sync.ts';
import { Mutex } from './mutex.ts';
import { ReadConnection } from './read-connection.ts';

const syncFile = promisify(fdatasync);

export interface SqliteOptions {
  /** The database file; `-wal` and `-shm` appear beside it. Its directory must exist, on a local file system. */
  readonly path: string;
  /** `full` (default): acknowledged means on stable storage. `none`: survives a crash of the process, not of the machine; for tests. */
  readonly durability?: 'full' | 'none';
  readonly log?: Logger;
  readonly nowMs?: () => number;
  /** Replaces fdatasync; for tests that simulate a loss of power. */
  readonly sync?: (fd: number, file: 'wal' | 'main') => Promise<void>;
  /** Log frames (4 KiB each) that start a checkpoint. Default 1000. */
  readonly checkpointFrames?: number;
  /** Past this an open transaction is logged, with the beginning of its work. Default 5000. */
  readonly slowTransactionMs?: number;
}

/** Opens (and creates) the embedded database. Why it is durable is told in docs/design/0003-sqlite-durability.md. */
export function openSqliteStore(options: SqliteOptions): Store {
  return new SqliteStore(options);
}

/**
 * Nobody but its owner reads the database. SQLite gives the files beside it the same mode. The file is opened only where it is new: closing
 * a descriptor of it would drop the locks of a connection in this process.
 */
function keepPrivate(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
}

/** Kysely on what reads. */
function readerOf(parts: ScopeParts, connection: DatabaseConnection): Kysely<unknown> {
  const { dialect, driver } = parts;
  return new Kysely<unknown>({ config: { dialect }, dialect, driver, executor: new ConnectionExecutor(parts, connection) });
}

class SqliteStore implements Store {
  readonly engine = 'sqlite';
  readonly read: Db;
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection;
  readonly #parts: ScopeParts;
  readonly #mutex = new Mutex();
  readonly #sync: GroupSync;
  readonly #checkpointer: Checkpointer | undefined;
  readonly #fds: number[] = [];
  readonly #slowMs: number;
  readonly #watch: NodeJS.Timeout;
  readonly #known: MigrationSet[] = [];
  #running: { readonly scope: TxScope; readonly work: object; warned: boolean } | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteOptions) {
    this.#log = options.log ?? silentLog;
    this.#nowMs = options.nowMs ?? Date.now;
    const full = options.durability !== 'none';
    keepPrivate(options.path);
    this.#writer = new SqliteConnection(new DatabaseSync(options.path, { timeout: 5000 }));
    const { database } = this.#writer;
    database.exec('PRAGMA journal_mode = WAL');
    database.exec(`PRAGMA synchronous = ${full ? 'NORMAL' : 'OFF'}`);
    database.exec('PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 67108864');
    database.exec('BEGIN IMMEDIATE; PRAGMA user_version = 1; COMMIT'); // makes sure that the log file exists
    this.#reader = new SqliteConnection(new DatabaseSync(options.path, { readOnly: true, timeout: 5000 }));
    this.#reader.database.exec('PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192');
    if (full) {
      const sync = options.sync ?? ((fd: number) => syncFile(fd));
      const [wal, main] = this.#openFiles(options.path);
      this.#sync = new GroupSync(() => sync(wal, 'wal'));
      database.exec('PRAGMA wal_autocheckpoint = 0');
      this.#checkpointer = new Checkpointer(this.#writer, () => sync(main, 'main'), options.checkpointFrames ?? 1000);
    } else {
      this.#sync = new GroupSync(() => Promise.resolve());
    }
    this.#parts = scopeParts(new NodeSqliteDialect(this.#writer));
    const reading = new ReadConnection(this.#writer, this.#reader, () => this.#writer.database.isTransaction);
    this.read = { engine: 'sqlite', kysely: readerOf(this.#parts, reading) };
    this.#slowMs = options.slowTransactionMs ?? SLOW_TRANSACTION_MS;
    this.#watch = setInterval(() => this.#warnOfSlow(), Math.min(1000, this.#slowMs));
    this.#watch.unref();
  }

  async write<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    refuseNested(this);
    if (this.#closing) throw unavailable('The database is closing.');
    await this.#mutex.acquire();
    let scope: TxScope;
    let result: T;
    try {
      this.#refuseWhenFailed();
      scope = new TxScope(this, 'sqlite', this.#writer, this.#parts);
      this.#running = { scope, work, warned: false };
      result = await this.#attempt(scope, work);
    } finally {
      this.#running = undefined;
      this.#mutex.release();
    }
    await this.#sync.durable();
    scope.committed(this.#log);
    this.#checkpointWhenDue();
    return result;
  }

  async migrate(sets: readonly MigrationSet[]): Promise<void> {
    this.#known.push(...sets);
    await migrateStore(this, sets, this.#known, this.#nowMs);
  }

  close(): Promise<void> {
    refuseNested(this);
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #attempt<T>(scope: TxScope, work: (tx: Tx) => Promise<T>): Promise<T> {
    const writer = this.#writer;
    writer.run('BEGIN IMMEDIATE');
    const writesBefore = writer.writes;
    try {
      const result = await scope.run(work);
      scope.open = false;
      const wrote = writer.writes > writesBefore;
      writer.run('COMMIT');
      if (wrote) this.#sync.committed();
      return result;
    } catch (error) {
      scope.open = false;
      if (writer.database.isTransaction) writer.run('ROLLBACK');
      throw error;
    }
  }

  /** Opened once and kept: closing any descriptor of the main file would drop SQLite's own locks on it. */
  #openFiles(path: string): [wal: number, main: number] {
    const wal = openSync(`${path}-wal`, 'r');
    const main = openSync(path, 'r');
    this.#fds.push(wal, main);
    // what an earlier process committed and did not live to sync is visible now, so it has to be durable now
    fsyncSync(wal);
    fsyncSync(main);
    const directory = openSync(dirname(path), 'r');
    fsyncSync(directory);
    closeSync(directory);
    return [wal, main];
  }

  #refuseWhenFailed(): void {
    const failure = this.#sync.failure ?? this.#checkpointer?.failure;
    if (failure) throw unavailable('The database cannot be written.', { cause: failure });
  }

  /** Starts a checkpoint when the log has grown; it takes the mutex like a writer and leaves the event loop free while disks work. */
  #checkpointWhenDue(): void {
    const checkpointer = this.#checkpointer;
    if (!checkpointer?.due()) return;
    checkpointer.running = true;
    void this.#checkpoint(checkpointer).catch((err: unknown) => this.#log.error({ err }, 'checkpoint failed'));
  }

  async #checkpoint(checkpointer: Checkpointer): Promise<void> {
    await this.#mutex.acquire();
    try {
      if (this.#closing) return;
      await this.#sync.durable();
      await checkpointer.run();
    } finally {
      checkpointer.running = false;
      this.#mutex.release();
    }
  }

  #warnOfSlow(): void {
    const running = this.#running;
    if (!running || running.warned) return;
    const openMs = performance.now() - running.scope.startedMs;
    if (openMs < this.#slowMs) return;
    running.warned = true;
    this.#log.warn(
      { openMs: Math.round(openMs), waiting: this.#mutex.waiting, work: workText(running.work) },
      'a transaction is open for long; all other writers wait',
    );
  }

  async #close(): Promise<void> {
    await this.#mutex.acquire();
    try {
      clearInterval(this.#watch);
      const failed = this.#sync.failure ?? this.#checkpointer?.failure;
      await this.#sync.durable().catch(() => undefined);
      // closing would checkpoint and delete the log; after a failed sync the log is the only copy that can be trusted
      if (failed) return;
      this.#reader.close();
      this.#writer.close();
      for (const fd of this.#fds) closeSync(fd);
    } finally {
      this.#mutex.release();
    }
  }
}
