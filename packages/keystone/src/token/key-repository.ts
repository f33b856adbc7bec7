import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@cairn/kit/clock/clock';
import type { Ids } from '@cairn/kit/ids/ids';
import { type FernetKey, fernetKey, newFernetKeyText } from './fernet.ts';
import type { RotatedKeys } from './format.ts';

/** How often a changed directory is looked for: a rotation done by another process is seen within this time. */
const RECHECK_MS = 1000;

/**
 * A directory of Fernet keys as keystone keeps it (keystone/common/fernet_utils.py): file `0` is the staged key, the highest number is the
 * primary that encrypts, all of them decrypt. Rotation makes the staged key primary, so that every process knows a key before it is used.
 */
export class KeyRepository implements RotatedKeys {
  readonly #directory: string;
  readonly #maxActiveKeys: number;
  readonly #clock: Clock;
  readonly #ids: Ids;
  #keys: readonly FernetKey[] = [];
  #stamp = '';
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #generation = 0;

  /** Makes the directory and its first two keys where there are none. */
  constructor(options: { readonly directory: string; readonly maxActiveKeys: number; readonly clock: Clock; readonly ids: Ids }) {
    this.#directory = options.directory;
    this.#maxActiveKeys = Math.max(options.maxActiveKeys, 2);
    this.#clock = options.clock;
    this.#ids = options.ids;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    chmodSync(this.#directory, 0o700);
    if (this.#numbers().length === 0) {
      this.#writeStaged();
      this.rotate();
    }
    this.#load();
  }

  /** All keys, the primary first. */
  keys(): readonly FernetKey[] {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#checkedAtMs >= RECHECK_MS || nowMs < this.#checkedAtMs) {
      this.#checkedAtMs = nowMs;
      if (this.#stampNow() !== this.#stamp) this.#load();
    }
    return this.#keys;
  }

  primary(): FernetKey {
    const key = this.keys()[0];
    if (!key) throw new Error(`no key in ${this.#directory}`);
    return key;
  }

  /** Grows whenever a key may have gone, so that what was decrypted with it is not trusted from a cache. */
  get generation(): number {
    this.keys();
    return this.#generation;
  }

  refresh(): boolean {
    if (this.#stampNow() === this.#stamp) return false;
    this.#load();
    return true;
  }

  dropsKeyUsedUntilMs(): number | undefined {
    const active = this.#numbers().filter((number) => number !== 0);
    if (active.length < this.#maxActiveKeys - 1) return undefined;
    const after = Math.min(...active) + 2;
    // a key is made, as the staged one, when the one before it becomes primary
    return statSync(join(this.#directory, active.includes(after) ? String(after) : '0')).mtimeMs;
  }

  /** Makes the staged key primary, stages a new one and drops the oldest beyond the allowed number. */
  rotate(): void {
    const numbers = this.#numbers();
    if (!numbers.includes(0)) this.#writeStaged();
    const next = Math.max(...numbers, 0) + 1;
    renameSync(join(this.#directory, '0'), join(this.#directory, String(next)));
    this.#writeStaged();
    const active = [...numbers.filter((n) => n !== 0), next].toSorted((a, b) => b - a);
    for (const old of active.slice(this.#maxActiveKeys - 1)) rmSync(join(this.#directory, String(old)), { force: true });
    this.#load();
  }

  #writeStaged(): void {
    const temporary = join(this.#directory, '0.tmp');
    writeFileSync(
      temporary,
      newFernetKeyText((length) => this.#ids.bytes(length)),
      { mode: 0o600, flush: true },
    );
    renameSync(temporary, join(this.#directory, '0'));
  }

  #numbers(): number[] {
    return readdirSync(this.#directory)
      .filter((name) => /^\d{1,9}$/.test(name))
      .map(Number);
  }

  #stampNow(): string {
    const { mtimeNs, ino } = statSync(this.#directory, { bigint: true });
    return `${mtimeNs}:${ino}`;
  }

  #load(): void {
    const stamp = this.#stampNow();
    const keys: FernetKey[] = [];
    for (const number of this.#numbers().toSorted((a, b) => b - a)) {
      let text: string;
      try {
        text = readFileSync(join(this.#directory, String(number)), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue; // rotated away meanwhile
        throw error;
      }
      if (text.trim() !== '') keys.push(fernetKey(text));
    }
    if (keys.some((key) => !this.#keys.some((known) => known.text === key.text)) || keys.length !== this.#keys.length) this.#generation += 1;
    this.#keys = keys;
    this.#stamp = stamp;
  }
}
