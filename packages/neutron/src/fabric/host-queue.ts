import { type FabricChange, type FabricFlaw, FabricFlaws, type FabricObject } from '@cairn/host/interface/fabric';
import type { HostAgent } from '@cairn/host/interface/agent';
import type { Clock } from '@cairn/kit/clock/clock';
import { publicText } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import { type FabricKey, idOf, kindOf } from './keys.ts';

export interface HostQueueParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Reads all that the host must have. */
  snapshot(host: string): Promise<Map<FabricKey, FabricObject>>;
  /** Asks that objects be compared with the truth once more. */
  retouch(keys: Iterable<FabricKey>): void;
  /** Tells what went live; awaited before anybody who waits for it goes on. */
  live(host: string, objects: readonly FabricObject[]): Promise<void>;
  /** Says that the host may have an object from now on, or that it surely has not. */
  holds(host: string, key: FabricKey, may: boolean): void;
  /** Says that the host is being given the whole, whatever that will be, or that this is known now. */
  unsure(queue: HostQueue, unsure: boolean): void;
}

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;
/** After this many refused patches the host is given the whole. */
const PATCH_TRIES = 3;

/** What one connected host still has to hear, and what it has heard. One piece of work runs at a time; the rest gathers meanwhile. */
export class HostQueue {
  readonly host: string;
  readonly tunnelIp: string | undefined;
  readonly #agent: HostAgent;
  readonly #parts: HostQueueParts;
  /** What the host has been told, as a digest of each object. */
  readonly #told = new Map<FabricKey, number>();
  /** What the host may have: all that it was told and has not surely let go of. */
  readonly #held = new Set<FabricKey>();
  /** What the host could not have as it was told, and why. All else it has. */
  readonly #flaws = new Map<FabricKey, Pick<FabricFlaw, 'message' | 'isPartial'>>();
  #pending = new Map<FabricKey, FabricChange>();
  /** What is on its way to the host. */
  #sending: ReadonlyMap<FabricKey, unknown> = new Map();
  #whole = true;
  /** The whole truth is being read: what it is to become is not known yet. */
  #reading = false;
  #running = false;
  #stopped = false;
  #failures = 0;
  #waiters: (() => void)[] = [];
  readonly #stop = new AbortController();

  constructor(agent: HostAgent, parts: HostQueueParts) {
    this.host = agent.host;
    this.tunnelIp = agent.tunnelIp;
    this.#agent = agent;
    this.#parts = parts;
  }

  /** Has the host been told of the object? */
  has(key: FabricKey): boolean {
    return this.#told.has(key);
  }

  /** Why the host cannot have the object; undefined when it has it, in part at least, as far as it has said. */
  flawOf(key: FabricKey): string | undefined {
    return this.#isLive(key) ? undefined : this.#flaws.get(key)?.message;
  }

  #isLive(key: FabricKey): boolean {
    const flaw = this.#flaws.get(key);
    return flaw === undefined || flaw.isPartial === true;
  }

  /** Everything again, from the truth: when the host comes, and now and then. */
  resync(): void {
    this.#whole = true;
    this.#run();
  }

  /** The object is to be like this; the host hears of it unless it has heard (`again`: unless it is just being told). */
  put(key: FabricKey, object: FabricObject, again = false): void {
    const digest = digestOf(object);
    if (this.#told.get(key) === digest && !this.#pending.has(key) && !(again && !this.#sending.has(key))) return;
    this.#told.set(key, digest);
    this.#hold(key);
    this.#pending.set(key, { op: 'put', object });
    this.#run();
  }

  /** The object is not to be there. `isGone`: nor anywhere else. */
  remove(key: FabricKey, isGone = false): void {
    if (!this.#held.has(key) && !this.#reading) return;
    this.#told.delete(key);
    this.#hold(key);
    this.#pending.set(key, { op: 'remove', kind: kindOf(key), id: idOf(key), ...(isGone && { isGone }) });
    this.#run();
  }

  /** Resolves when all that was asked before is so. */
  drained(): Promise<void> {
    if (!this.#running && !this.#whole && this.#pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
    this.#stop.abort();
    this.#told.clear();
    this.#flaws.clear();
    this.#pending.clear();
    this.#forget(this.#held);
    this.#parts.unsure(this, false);
  }

  #hold(key: FabricKey): void {
    if (this.#held.has(key)) return;
    this.#held.add(key);
    this.#parts.holds(this.host, key, true);
  }

  /** Forgets those of these objects that the host has let go of. */
  #forget(keys: Iterable<FabricKey>): void {
    for (const key of keys) {
      if (this.#told.has(key) || this.#pending.has(key) || this.#flaws.has(key) || !this.#held.delete(key)) continue;
      this.#parts.holds(this.host, key, false);
    }
  }

  #run(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    // what is touched in the same turn goes in one patch
    await Promise.resolve();
    while (!this.#stopped && (this.#whole || this.#pending.size > 0)) {
      const waiters = this.#waiters;
      this.#waiters = [];
      try {
        await (this.#whole ? this.#applyAll() : this.#patch());
        this.#failures = 0;
        for (const done of waiters) done();
      } catch (error) {
        this.#waiters.unshift(...waiters);
        await this.#backOff(error);
      }
    }
    this.#running = false;
    if (this.#stopped) return;
    for (const done of this.#waiters.splice(0)) done();
  }

  async #applyAll(): Promise<void> {
    this.#whole = false;
    this.#pending = new Map();
    try {
      this.#reading = true;
      this.#parts.unsure(this, true);
      const objects = await this.#parts.snapshot(this.host).finally(() => {
        this.#reading = false;
        this.#parts.unsure(this, false);
      });
      // changed while we read: those are newer, or will be asked for again
      const newer = this.#pending;
      const before = new Set(this.#told.keys());
      for (const [key, object] of objects) {
        before.delete(key);
        this.#hold(key);
        if (!newer.has(key)) this.#told.set(key, digestOf(object));
      }
      for (const key of before) if (!newer.has(key)) this.#told.delete(key);
      this.#sending = objects;
      await this.#taken(objects.keys(), () => this.#agent.fabric.apply([...objects.values()]));
      await this.#parts.live(
        this.host,
        [...objects].flatMap(([key, object]) => (this.#isLive(key) ? [object] : [])),
      );
      this.#sending = new Map();
      this.#forget(this.#held);
      if (newer.size > 0) this.#parts.retouch([...newer.keys()]);
    } catch (error) {
      this.#whole = true;
      throw error;
    }
  }

  async #patch(): Promise<void> {
    const changes = this.#pending;
    this.#pending = new Map();
    this.#sending = changes;
    try {
      await this.#taken(changes.keys(), () => this.#agent.fabric.patch(inOrder(changes.values())));
    } catch (error) {
      // the truth may have moved on: what is asked next time is read anew
      for (const key of changes.keys()) this.#told.delete(key);
      this.#whole = this.#failures + 1 >= PATCH_TRIES;
      if (!this.#whole) for (const [key, change] of changes) if (!this.#pending.has(key)) this.#pending.set(key, change);
      this.#parts.retouch(changes.keys());
      throw error;
    }
    await this.#parts.live(
      this.host,
      [...changes].flatMap(([key, change]) => (change.op === 'put' && this.#isLive(key) ? [change.object] : [])),
    );
    this.#sending = new Map();
    this.#forget(changes.keys());
  }

  /**
   * Gives the host something. What it cannot have of that is remembered and said, and keeps nobody from the rest: it is offered again when it
   * is touched, and with the whole.
   */
  async #taken(keys: Iterable<FabricKey>, give: () => Promise<void>): Promise<void> {
    const before = new Map<FabricKey, string>();
    for (const key of keys) {
      const flaw = this.#flaws.get(key);
      if (flaw !== undefined) before.set(key, flaw.message);
    }
    let flaws: FabricFlaws['flaws'] = [];
    try {
      await give();
    } catch (error) {
      if (!(error instanceof FabricFlaws)) throw error;
      flaws = error.flaws;
    }
    for (const key of before.keys()) this.#flaws.delete(key);
    for (const { kind, id, message, isPartial } of flaws) {
      const key: FabricKey = `${kind} ${id}`;
      const known = this.#flaws.get(key);
      const isWhole = isPartial !== true || (known !== undefined && known.isPartial !== true);
      this.#flaws.set(key, { message: known ? `${known.message} ${message}` : message, ...(!isWhole && { isPartial: true }) });
      this.#told.delete(key);
      if (before.get(key) !== message) this.#parts.log.warn({ host: this.host, key }, `host ${this.host} goes without one part of its network: ${message}`);
    }
  }

  async #backOff(error: unknown): Promise<void> {
    this.#failures += 1;
    const waitMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    this.#parts.log.warn(
      { host: this.host, failures: this.#failures, waitMs, err: error },
      `the network of host ${this.host} could not be brought up to date: ${publicText(error)}`,
    );
    await this.#parts.clock.sleep(waitMs, this.#stop.signal).catch(() => undefined);
  }
}

const ORDER = { network: 0, securityGroup: 1, port: 2, router: 3 } as const;

/** Things come after what they stand on, and go before it. */
function inOrder(changes: Iterable<FabricChange>): FabricChange[] {
  const rank = (change: FabricChange): number => (change.op === 'put' ? ORDER[change.object.kind] : -1 - ORDER[change.kind]);
  return [...changes].sort((a, b) => rank(a) - rank(b));
}

/** 53 bits of an object's text (cyrb53): enough to tell whether it changed. */
function digestOf(object: FabricObject): number {
  const text = JSON.stringify(object);
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    a = Math.imul(a ^ c, 2654435761);
    b = Math.imul(b ^ c, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}
