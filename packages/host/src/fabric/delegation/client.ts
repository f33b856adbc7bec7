import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import { type Cidr, formatCidr, parseCidr } from '../plan/address.ts';
import {
  ADVERTISE,
  type Association,
  clientIdOf,
  encode,
  FOREVER,
  type Message,
  NO_BINDING,
  REBIND,
  RELEASE,
  RENEW,
  REPLY,
  REQUEST,
  SOLICIT,
  type OfferedPrefix,
} from './message.ts';

/** How a message is said again (RFC 8415, section 15): first pause, longest pause, tries; all pauses with a tenth of chance. */
interface Patience {
  readonly firstMs: number;
  readonly longestMs: number;
  readonly tries?: number;
}

const PATIENCE = {
  // the longest pause is that of the older RFC: the newer one's hour is long for a person who waits
  [SOLICIT]: { firstMs: 1000, longestMs: 120_000 },
  [REQUEST]: { firstMs: 1000, longestMs: 30_000, tries: 10 },
  [RENEW]: { firstMs: 10_000, longestMs: 600_000 },
  [REBIND]: { firstMs: 10_000, longestMs: 600_000 },
} as const satisfies Record<number, Patience>;
/** A prefix of an earlier client, whose server is not known: it is asked for by name, then anew. */
const RESTORING: Patience = { firstMs: 1000, longestMs: 10_000, tries: 5 };

/** One client asks for one association. */
const IAID = 1;
/** Timers of a process go no further than 24 days. */
const LONGEST_TIMER_MS = 20 * 86_400_000;
/** Of a prefix without end. */
const LONG_MS = 10 * 365 * 86_400_000;
/** Of a prefix that was held before and of which nothing else is known. */
const UNKNOWN_MS = 3_600_000;
const SOONEST_RENEWAL_MS = 1000;
const ANY: Cidr = { version: 6, value: 0n, prefixLength: 64 };

/** What a client holds. */
export interface Lease {
  /** As it was delegated, 64 bits long or shorter. */
  readonly delegated: Cidr;
  /** The /64 that is used of it: the first. */
  readonly prefix: string;
  readonly validUntilMs: number;
}

export interface PrefixClientOptions {
  readonly subnetId: string;
  readonly clock: Clock;
  /** Sends to all servers and relays of the link. */
  readonly send: (message: Buffer) => void;
  /** Tells of a lease that is new, of longer life, or lost. */
  readonly onLease: (lease: Lease | undefined) => void;
  /** What was held before this client began. */
  readonly before?: { readonly prefix: string; readonly validUntilMs?: number | undefined } | undefined;
  /** A number below this one, for transactions and pauses. Default: the system's. */
  readonly random?: (below: number) => number;
}

/**
 * Asks for the prefix of one subnet and keeps it (RFC 8415, 6.3 and 18.2). It is a DHCPv6 client of its own to the provider: its identifier is
 * made of the subnet's id, so that whichever router and host has the subnet is the same client.
 */
export class PrefixClient {
  readonly clientId: Buffer;
  readonly #options: PrefixClientOptions;
  readonly #random: (below: number) => number;
  #held: Lease | undefined;
  #serverId: Buffer | undefined;
  /** The exchange that goes on. */
  #type = 0;
  #transaction = 0;
  #begunMs = 0;
  #again: Timer | undefined;
  #due: Timer | undefined;
  #expiry: Timer | undefined;
  #rebindAtMs = 0;
  #best: { readonly serverId: Buffer; readonly preference: number; readonly offered: OfferedPrefix } | undefined;
  #isStarted = false;
  #isStopped = false;
  #released: (() => void) | undefined;

  constructor(options: PrefixClientOptions) {
    this.#options = options;
    this.#random = options.random ?? ((below) => randomInt(below));
    this.clientId = clientIdOf(options.subnetId);
    const { before, clock } = options;
    const prefix = before && parseCidr(before.prefix);
    if (!before || !prefix) return;
    this.#held = { delegated: prefix, prefix: before.prefix, validUntilMs: before.validUntilMs ?? clock.nowMs() + UNKNOWN_MS };
  }

  get lease(): Lease | undefined {
    return this.#held;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  start(): void {
    this.#isStarted = true;
    if (!this.#held) return this.#begin(SOLICIT, PATIENCE[SOLICIT]);
    this.#watchExpiry();
    this.#begin(REBIND, RESTORING, () => this.#begin(SOLICIT, PATIENCE[SOLICIT]));
  }

  /** Falls silent. What is held stays so at the provider. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of [this.#again, this.#due, this.#expiry]) timer?.cancel();
    this.#released?.();
  }

  /** Gives back what is held; resolves when the server has said that it knows, or when the time is up. */
  async release(limitMs: number): Promise<void> {
    const held = this.#held;
    // only the server that gave it can be told
    if (this.#isStopped || !held || !this.#serverId) return this.stop();
    for (const timer of [this.#due, this.#expiry]) timer?.cancel();
    await new Promise<void>((resolve) => {
      const end = this.#options.clock.after(limitMs, resolve);
      this.#released = () => {
        end.cancel();
        resolve();
      };
      this.#begin(RELEASE, { firstMs: Math.ceil(limitMs / 3), longestMs: limitMs });
    });
    this.#released = undefined;
    this.stop();
  }

  /** A message with this client's identifier has come. */
  receive(message: Message): void {
    if (this.#isStopped || message.transaction !== this.#transaction || !message.serverId || this.#type === 0) return;
    if (this.#type === SOLICIT) {
      if (message.type === ADVERTISE) this.#weigh(message, message.serverId);
      return;
    }
    if (message.type !== REPLY) return;
    if (this.#type === RELEASE) return this.#released?.();
    const association = message.associations.find(({ iaid }) => iaid === IAID);
    // the server has no room at this moment, or answers something else: it is asked again
    if (message.status !== 0 && message.status !== NO_BINDING) return;
    if (message.status === NO_BINDING || association?.status === NO_BINDING) return this.#begin(SOLICIT, PATIENCE[SOLICIT]);
    if (!association) return;
    const offered = usable(association);
    if (offered) this.#bind(message.serverId, association, offered);
    else if (association.status !== 0 && this.#type === REQUEST) this.#begin(SOLICIT, PATIENCE[SOLICIT], undefined, true);
    else if (this.#revokes(association)) {
      this.#lose();
      this.#begin(SOLICIT, PATIENCE[SOLICIT]);
    }
  }

  /** Lifetimes of zero take back what is held. */
  #revokes(association: Association): boolean {
    const held = this.#held?.delegated;
    return association.prefixes.some(({ prefix, valid }) => valid === 0 && prefix.value === held?.value && prefix.prefixLength === held.prefixLength);
  }

  #weigh(message: Message, serverId: Buffer): void {
    const association = message.associations.find(({ iaid }) => iaid === IAID);
    const offered = association && message.status === 0 ? usable(association) : undefined;
    if (!offered || (this.#best && this.#best.preference >= message.preference)) return;
    const isFirstPause = this.#options.clock.nowMs() - this.#begunMs < PATIENCE[SOLICIT].firstMs;
    this.#best = { serverId, preference: message.preference, offered };
    // until the first pause is over, a better one may come
    if (message.preference === 255 || !isFirstPause) this.#requestBest();
  }

  #requestBest(): void {
    this.#begin(REQUEST, PATIENCE[REQUEST], () => this.#begin(SOLICIT, PATIENCE[SOLICIT]));
  }

  #bind(serverId: Buffer, association: Association, offered: OfferedPrefix): void {
    const { clock, onLease } = this.#options;
    const nowMs = clock.nowMs();
    this.#type = 0;
    this.#best = undefined;
    this.#again?.cancel();
    this.#due?.cancel();
    this.#serverId = Buffer.from(serverId);
    const ms = (seconds: number): number => (seconds === FOREVER ? LONG_MS : seconds * 1000);
    const preferredMs = ms(offered.preferred) || ms(offered.valid);
    const renewMs = association.renewAfter === 0 ? preferredMs * 0.5 : ms(association.renewAfter);
    const rebindMs = Math.max(renewMs, association.rebindAfter === 0 ? preferredMs * 0.8 : ms(association.rebindAfter));
    this.#held = {
      delegated: offered.prefix,
      prefix: formatCidr({ ...offered.prefix, prefixLength: 64 }),
      validUntilMs: nowMs + ms(offered.valid),
    };
    this.#rebindAtMs = nowMs + rebindMs;
    this.#watchExpiry();
    this.#due = this.#at(nowMs + Math.max(SOONEST_RENEWAL_MS, renewMs), () => this.#renew());
    onLease(this.#held);
  }

  #renew(): void {
    this.#begin(RENEW, PATIENCE[RENEW]);
    this.#due = this.#at(this.#rebindAtMs, () => this.#begin(REBIND, PATIENCE[REBIND]));
  }

  #watchExpiry(): void {
    this.#expiry?.cancel();
    if (!this.#held) return;
    this.#expiry = this.#at(this.#held.validUntilMs, () => {
      this.#due?.cancel();
      this.#lose();
      if (this.#type !== SOLICIT && this.#type !== REQUEST) this.#begin(SOLICIT, PATIENCE[SOLICIT]);
    });
  }

  #lose(): void {
    this.#expiry?.cancel();
    if (!this.#held) return;
    this.#held = undefined;
    this.#serverId = undefined;
    this.#options.onLease(undefined);
  }

  /** Calls back at a time, however far away. */
  #at(atMs: number, callback: () => void): Timer {
    const { clock } = this.#options;
    let timer: Timer;
    const wait = (): Timer => {
      const leftMs = Math.max(0, atMs - clock.nowMs());
      return clock.after(Math.min(leftMs, LONGEST_TIMER_MS), () => {
        if (leftMs > LONGEST_TIMER_MS) timer = wait();
        else callback();
      });
    };
    timer = wait();
    return { cancel: () => timer.cancel() };
  }

  /** Begins an exchange; the one that went on is over. `isLate`: after a pause, since it was refused just now. */
  #begin(type: number, patience: Patience, onGivenUp?: () => void, isLate = false): void {
    if (this.#isStopped) return;
    this.#again?.cancel();
    if (type !== RENEW) this.#due?.cancel();
    this.#type = type;
    this.#transaction = this.#random(0x1000000);
    this.#begunMs = this.#options.clock.nowMs();
    if (type === SOLICIT) this.#best = undefined;
    if (isLate) this.#again = this.#options.clock.after(patience.firstMs * 10, () => this.#say(patience, patience.firstMs, 1, onGivenUp));
    else this.#say(patience, patience.firstMs, 1, onGivenUp);
  }

  #say(patience: Patience, pauseMs: number, turn: number, onGivenUp: (() => void) | undefined): void {
    const { clock, send } = this.#options;
    const serverId = this.#type === REQUEST ? this.#best?.serverId : [RENEW, RELEASE].includes(this.#type) ? this.#serverId : undefined;
    const prefix = this.#type === REQUEST ? this.#best?.offered.prefix : this.#held?.delegated;
    const elapsedMs = clock.nowMs() - this.#begunMs;
    // the wall's clock may be set back
    send(
      encode({
        type: this.#type,
        transaction: this.#transaction,
        clientId: this.clientId,
        serverId,
        elapsedMs: Math.max(0, elapsedMs),
        iaid: IAID,
        prefix: prefix ?? ANY,
      }),
    );
    const chance = 0.9 + this.#random(2001) / 10_000;
    this.#again = clock.after(pauseMs * chance, () => {
      if (this.#type === SOLICIT && this.#best) return this.#requestBest();
      if (patience.tries !== undefined && turn >= patience.tries) return onGivenUp?.();
      this.#say(patience, Math.min(pauseMs * 2, patience.longestMs), turn + 1, onGivenUp);
    });
  }
}

/** The first of the offered prefixes that a subnet can have: global or unique local, at most 64 bits long, and not over. */
function usable(association: Association): OfferedPrefix | undefined {
  if (association.status !== 0 || (association.renewAfter > association.rebindAfter && association.rebindAfter > 0)) return undefined;
  return association.prefixes.find(({ prefix, preferred, valid }) => {
    const isPublic = prefix.value >> 125n === 1n;
    const isUniqueLocal = prefix.value >> 121n === 0x7en;
    return valid > 0 && preferred <= valid && prefix.prefixLength >= 3 && prefix.prefixLength <= 64 && (isPublic || isUniqueLocal);
  });
}
