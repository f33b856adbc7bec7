import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';

const RENEW_MS = 10_000;
/** One that was not renewed for so long is nobody's: its machine is gone. */
const VALID_MS = 120_000;

/**
 * Says in a shared directory which process manages it: a file whose time is renewed. A process of this machine that has ended gives way at
 * once, another machine when its lease has run out. Guards against a second cloud on the same directory; clocks may differ by a minute.
 */
export class Lease {
  readonly #directory: string;
  readonly #file: string;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#file = join(directory, 'manager.json');
    this.#log = log;
  }

  /** Throws Unavailable while another process has it. */
  async take(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const mine = JSON.stringify({ machine: hostname(), pid: process.pid });
    for (;;) {
      try {
        await writeFile(this.#file, mine, { flag: 'wx', mode: 0o644 });
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const other = await this.#holder();
      if (other !== undefined)
        throw unavailable(`The directory ${this.#directory} is managed by another Cairn (${other}). Each shared directory belongs to one cloud.`);
      await rm(this.#file, { force: true });
    }
    this.#timer = setInterval(() => void this.#renew(), RENEW_MS).unref();
  }

  async giveBack(): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await rm(this.#file, { force: true });
  }

  /** Who has it at the moment, in words; undefined when nobody has. */
  async #holder(): Promise<string | undefined> {
    try {
      const [text, { mtimeMs }] = await Promise.all([readFile(this.#file, 'utf8'), stat(this.#file)]);
      const { machine, pid } = JSON.parse(text) as { readonly machine: string; readonly pid: number };
      const isHere = machine === hostname();
      const isAlive = isHere ? pid !== process.pid && runs(pid) : Date.now() - mtimeMs < VALID_MS;
      return isAlive ? `process ${pid} on ${machine}` : undefined;
    } catch (error) {
      // it was given back meanwhile, or a crash left it half-written
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #renew(): Promise<void> {
    const now = new Date();
    await utimes(this.#file, now, now).catch((error: unknown) => this.#log.warn({ err: error }, 'the lease of a shared directory is not renewed'));
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
