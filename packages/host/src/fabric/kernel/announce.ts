import type { Logger } from '@cairn/kit/log/log';
import { run } from '../../process/run.ts';
import { Gate } from './kernel.ts';

/** Tells the neighbours of new addresses by gratuitous ARP, in the background: it takes a second each and nobody waits for it. */
export class Announcer {
  readonly #log: Logger;
  readonly #abort = new AbortController();
  readonly #gate = new Gate(8);
  readonly #running = new Set<Promise<void>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  announce(netns: string, addresses: readonly { readonly link: string; readonly ip: string }[]): void {
    for (const { link, ip } of addresses) {
      const task = this.#gate.pass(async () => {
        if (this.#abort.signal.aborted) return;
        // Exit status 1 says that nobody answered, which is how it should be.
        await run('arping', ['-U', '-c', '1', '-w', '1', '-I', link, ip], { netns, okCodes: [1], timeoutMs: 5000, signal: this.#abort.signal }).catch(
          (error: unknown) => {
            if (!this.#abort.signal.aborted) this.#log.debug({ err: error, netns, link, ip }, 'an address could not be announced');
          },
        );
      });
      this.#running.add(task);
      void task.finally(() => this.#running.delete(task));
    }
  }

  /** Ends what runs. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#running);
  }
}
