import type { SqliteConnection } from './connection.ts';

interface LogState {
  readonly log: number;
  readonly checkpointed: number;
}

/** Copies the log's pages into the main file, with the sync done by us so that it does not block the event loop. */
export class Checkpointer {
  running = false;
  failure: Error | undefined;
  readonly #writer: SqliteConnection;
  readonly #syncMain: () => Promise<void>;
  readonly #frames: number;
  #countdown = 0;

  constructor(writer: SqliteConnection, syncMain: () => Promise<void>, frames: number) {
    this.#writer = writer;
    this.#syncMain = syncMain;
    this.#frames = frames;
  }

  /** True when the log holds enough that is not in the main file yet. Looks at every sixteenth call: asking costs as much as a lookup. */
  due(): boolean {
    if (this.running || this.failure) return false;
    this.#countdown -= 1;
    if (this.#countdown > 0) return false;
    this.#countdown = 16;
    const state = this.#writer.run<LogState>('PRAGMA wal_checkpoint(NOOP)').rows[0];
    return state !== undefined && state.log - state.checkpointed >= this.#frames;
  }

  /**
   * Call with the writer's mutex held and the log synced. While the mutex is held nobody can start the log over, so until the main
   * file is synced every page is still in the log.
   */
  async run(): Promise<void> {
    const writer = this.#writer;
    writer.run('PRAGMA synchronous = OFF');
    try {
      writer.run('PRAGMA wal_checkpoint(PASSIVE)');
    } finally {
      writer.run('PRAGMA synchronous = NORMAL');
    }
    try {
      await this.#syncMain();
    } catch (cause) {
      this.failure = new Error('The database file could not be written to stable storage; the store stops taking writes.', { cause });
      throw this.failure;
    }
  }
}
