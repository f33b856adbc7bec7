import { CairnError, type ErrorOptions } from '../errors/errors.ts';

/** A limit of -1 (OpenStack's way of saying it) refuses nothing. */
export const UNLIMITED = -1;

/** One resource of a quota check. Counts are in the resource's own unit (pieces, MiB, GiB): the service's store counts them from rows. */
export interface QuotaAsk {
  /** The name the service's API uses: `cores`, `floatingip`, `gigabytes`. */
  readonly resource: string;
  /** In use and reserved, without what is asked. */
  readonly used: number;
  readonly asked: number;
  /** -1 is unlimited. */
  readonly limit: number;
}

/** Every resource that did not fit. Services catch it to word their own message and fault type. */
export class QuotaExceeded extends CairnError {
  readonly over: readonly QuotaAsk[];
  /** The first resource that did not fit. */
  readonly resource: string;
  readonly used: number;
  readonly asked: number;
  readonly limit: number;

  constructor(over: readonly [QuotaAsk, ...QuotaAsk[]], options: ErrorOptions = {}) {
    super('QuotaExceeded', quotaText(over), { detail: { over }, ...options });
    this.over = over;
    [{ resource: this.resource, used: this.used, asked: this.asked, limit: this.limit }] = over;
  }
}

/** `used + asked <= limit`, or unlimited. Asking for nothing (or giving back) always fits, even when the limit was lowered below the use. */
export function fitsQuota(ask: QuotaAsk): boolean {
  return ask.limit < 0 || ask.asked <= 0 || ask.used + ask.asked <= ask.limit;
}

/** Throws QuotaExceeded with every resource that does not fit. Call it in the transaction that writes what is asked for. */
export function checkQuota(asks: readonly QuotaAsk[], options?: ErrorOptions): void {
  const [first, ...rest] = asks.filter((ask) => !fitsQuota(ask));
  if (first) throw new QuotaExceeded([first, ...rest], options);
}

/** What is left; Infinity when unlimited, never negative. */
export function quotaLeft(used: number, limit: number): number {
  return limit < 0 ? Number.POSITIVE_INFINITY : Math.max(0, limit - used);
}

/** Words for the user: each resource with what was asked, what is used and the limit. */
export function quotaText(over: readonly QuotaAsk[]): string {
  const parts = over.map(({ resource, used, asked, limit }) => `${resource}: asked for ${asked}, already used ${used} of ${limit}`);
  return `Quota exceeded for ${parts.join('; ')}.`;
}
