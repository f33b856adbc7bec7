import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import { start } from '../../process/run.ts';
import type { KernelLinks } from './links.ts';

const RESTART_MS = 1000;

/** Watches the taps of the switch: a tap has a carrier while a guest holds it. */
export class TapMonitor {
  readonly #netns: string;
  readonly #links: () => Promise<KernelLinks>;
  readonly #onCarrier: (tap: string, carrier: boolean) => void;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #carriers = new Map<string, boolean>();
  #child: ChildProcess | undefined;
  #retry: Timer | undefined;
  #stopped = false;

  constructor(options: {
    readonly netns: string;
    readonly links: () => Promise<KernelLinks>;
    readonly onCarrier: (tap: string, carrier: boolean) => void;
    readonly clock: Clock;
    readonly log: Logger;
  }) {
    this.#netns = options.netns;
    this.#links = options.links;
    this.#onCarrier = options.onCarrier;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Whether a guest holds the tap, as far as is known. */
  hasCarrier(tap: string): boolean {
    return this.#carriers.get(tap) === true;
  }

  start(): void {
    if (this.#stopped || this.#child) return;
    const child = start('ip', ['-n', this.#netns, '-o', 'monitor', 'link'], { stdio: ['ignore', 'pipe', 'ignore'], dieWithParent: true });
    this.#child = child;
    child.unref();
    child.on('error', (error) => this.#log.warn({ err: error }, 'taps are not watched'));
    child.on('close', () => {
      this.#child = undefined;
      // It ends with an error when messages were lost; then all is looked at again.
      if (!this.#stopped) this.#retry = this.#clock.after(RESTART_MS, () => this.start());
    });
    if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.#read(line));
    void this.#readAll();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#child?.kill('SIGKILL');
    this.#child?.stdout?.destroy();
  }

  async #readAll(): Promise<void> {
    try {
      for (const link of (await this.#links()).values()) if (link.kind === 'tun' || link.kind === 'vlan') this.#set(link.name, link.carrier);
    } catch (error) {
      if (!this.#stopped) this.#log.warn({ err: error }, 'taps cannot be read');
    }
  }

  #read(line: string): void {
    const gone = /^Deleted \d+: (tap[^:@\s]+)/.exec(line);
    if (gone?.[1] !== undefined) {
      this.#set(gone[1], false);
      this.#carriers.delete(gone[1]);
      return;
    }
    const [, tap, flags] = /^\d+: (tap[^:@\s]+)[^<]*<([^>]*)>/.exec(line) ?? [];
    if (tap !== undefined && flags !== undefined) this.#set(tap, flags.split(',').includes('LOWER_UP'));
  }

  #set(tap: string, carrier: boolean): void {
    const before = this.#carriers.get(tap) ?? false;
    this.#carriers.set(tap, carrier);
    if (before !== carrier) this.#onCarrier(tap, carrier);
  }
}
