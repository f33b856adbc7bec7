import { Worker } from 'node:worker_threads';
import type { HashOrder } from './hash-worker.ts';

interface Waiter {
  resolve(hex: string | undefined): void;
  reject(error: Error): void;
}

/** Threads go away when they have had nothing to do for so long. */
const IDLE_MS = 30_000;

/** A thread that hashes blocks of shared memory, for any number of uploads at once. It keeps the process alive only while it works. */
class HashThread {
  #worker: Worker | undefined;
  #streams = 0;
  #next = 0;
  #idle: NodeJS.Timeout | undefined;
  readonly #waiters = new Map<number, Waiter>();

  begin(algorithm: string): ThreadHash {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#streams += 1;
    const stream = this.#next++;
    this.#tell({ begin: stream, algorithm });
    let open = true;
    const close = (): void => {
      if (!open) return;
      open = false;
      this.#streams -= 1;
      if (this.#streams === 0) this.#rest();
    };
    return {
      update: async (block) => void (await this.#ask((ticket) => ({ update: stream, ticket, block }))),
      digest: async () => {
        try {
          return (await this.#ask((ticket) => ({ digest: stream, ticket }))) ?? '';
        } finally {
          close();
        }
      },
      drop: () => {
        if (open) this.#tell({ drop: stream });
        close();
      },
    };
  }

  #start(): Worker {
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 8 } });
    worker.on('message', ({ ticket, hex }: { ticket: number; hex?: string }) => {
      this.#waiters.get(ticket)?.resolve(hex);
      this.#waiters.delete(ticket);
    });
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('the hashing thread ended')));
    return worker;
  }

  #lost(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const waiter of this.#waiters.values()) waiter.reject(error);
    this.#waiters.clear();
  }

  #rest(): void {
    this.#worker?.unref();
    this.#idle = setTimeout(() => {
      const worker = this.#worker;
      this.#worker = undefined;
      void worker?.terminate();
    }, IDLE_MS);
    this.#idle.unref();
  }

  #tell(order: HashOrder): void {
    this.#worker?.postMessage(order);
  }

  #ask(make: (ticket: number) => HashOrder): Promise<string | undefined> {
    const ticket = this.#next++;
    return new Promise((resolve, reject) => {
      if (!this.#worker) {
        reject(new Error('the hashing thread ended'));
        return;
      }
      this.#waiters.set(ticket, { resolve, reject });
      this.#tell(make(ticket));
    });
  }
}

/** One hash that is made in a thread. */
export interface ThreadHash {
  /** Resolves when the block has been read. Its memory is shared, not copied. */
  update(block: Buffer): Promise<void>;
  digest(): Promise<string>;
  drop(): void;
}

// MD5 and SHA-512 cost a core about 1.4 ms a megabyte each: in two threads beside the one that reads the network
const threads = [new HashThread(), new HashThread()];

/** Begins a hash; the algorithms of one upload run in different threads (`lane`). */
export const threadHash = (algorithm: string, lane: number): ThreadHash => (threads[lane % threads.length] as HashThread).begin(algorithm);
