import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@cairn/kit/clock/clock';
import type { RotatedKeys } from './format.ts';

/** How often a changed directory is looked for. */
const RECHECK_MS = 1000;

/**
 * Key pairs for tokens as JWS, laid out as upstream's `[jwt_tokens]` repositories: `private/private.pem` signs, every key in `public/` is good
 * for checking. Beside them `private/staged.pem` is the next one to sign, whose public half is out already: so every process knows a key before
 * it is used, and a rotation loses no token.
 */
export class JwsKeyRepository implements RotatedKeys {
  readonly #private: string;
  readonly #public: string;
  readonly #maxActiveKeys: number;
  readonly #clock: Clock;
  #signing: KeyObject | undefined;
  #publicKeys: readonly KeyObject[] = [];
  #texts: readonly string[] = [];
  #stamp = '';
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #generation = 0;

  /** Makes the directories and the first two key pairs where there are none. */
  constructor(options: { readonly directory: string; readonly maxActiveKeys: number; readonly clock: Clock }) {
    this.#private = join(options.directory, 'private');
    this.#public = join(options.directory, 'public');
    this.#maxActiveKeys = Math.max(options.maxActiveKeys, 2);
    this.#clock = options.clock;
    for (const [directory, mode] of [
      [this.#private, 0o700],
      [this.#public, 0o755],
    ] as const) {
      mkdirSync(directory, { recursive: true, mode });
      chmodSync(directory, mode);
    }
    if (!existsSync(join(this.#private, 'staged.pem'))) this.#stage();
    if (existsSync(join(this.#private, 'private.pem'))) this.#load();
    else this.rotate();
  }

  signing(): KeyObject {
    this.#look();
    if (!this.#signing) throw new Error(`no private.pem in ${this.#private}`);
    return this.#signing;
  }

  /** The newest first. */
  publicKeys(): readonly KeyObject[] {
    this.#look();
    return this.#publicKeys;
  }

  get generation(): number {
    this.#look();
    return this.#generation;
  }

  refresh(): boolean {
    if (this.#stampNow() === this.#stamp) return false;
    this.#load();
    return true;
  }

  /** The staged key signs from now on; a new one is staged, and public keys beyond the allowed number go, the oldest first. */
  rotate(): void {
    if (!existsSync(join(this.#private, 'staged.pem'))) this.#stage();
    renameSync(join(this.#private, 'staged.pem'), join(this.#private, 'private.pem'));
    this.#stage();
    for (const old of this.#numbers().slice(this.#maxActiveKeys)) rmSync(join(this.#public, `${old}.pem`), { force: true });
    this.#load();
  }

  dropsKeyUsedUntilMs(): number | undefined {
    const numbers = this.#numbers();
    if (numbers.length < this.#maxActiveKeys) return undefined;
    const oldest = numbers.at(-1) as number;
    const successor = join(this.#public, `${oldest + 2}.pem`);
    // a key pair is made when the one before it begins to sign
    return existsSync(successor) ? statSync(successor).mtimeMs : undefined;
  }

  #stage(): void {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const number = (this.#numbers()[0] ?? 0) + 1;
    // the public half is there before anything is signed with the other
    this.#write(join(this.#public, `${number}.pem`), publicKey.export({ type: 'spki', format: 'pem' }) as string, 0o644);
    this.#write(join(this.#private, 'staged.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 0o600);
  }

  #write(path: string, text: string, mode: number): void {
    writeFileSync(`${path}.tmp`, text, { mode, flush: true });
    renameSync(`${path}.tmp`, path);
  }

  /** Of the keys that this class made, the newest first; others in the directory are read too, but never removed. */
  #numbers(): number[] {
    return readdirSync(this.#public)
      .filter((name) => /^\d{1,9}\.pem$/.test(name))
      .map((name) => Number(name.slice(0, -4)))
      .toSorted((a, b) => b - a);
  }

  #look(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#checkedAtMs < RECHECK_MS && nowMs >= this.#checkedAtMs) return;
    this.#checkedAtMs = nowMs;
    this.refresh();
  }

  #stampNow(): string {
    return [this.#private, this.#public]
      .map((directory) => statSync(directory, { bigint: true }))
      .map(({ mtimeNs, ino }) => `${mtimeNs}:${ino}`)
      .join();
  }

  #load(): void {
    const stamp = this.#stampNow();
    const names = readdirSync(this.#public).filter((name) => name.endsWith('.pem'));
    const order = (name: string): number => Number.parseInt(name, 10) || 0;
    const texts: string[] = [];
    for (const name of names.toSorted((a, b) => order(b) - order(a))) {
      try {
        texts.push(readFileSync(join(this.#public, name), 'utf8'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // rotated away meanwhile
      }
    }
    this.#signing = createPrivateKey(readFileSync(join(this.#private, 'private.pem')));
    if (texts.join() !== this.#texts.join()) this.#generation += 1;
    this.#texts = texts;
    this.#publicKeys = texts.map((text) => createPublicKey(text));
    this.#stamp = stamp;
  }
}
