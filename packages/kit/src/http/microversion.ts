/** A microversion, comparable: major * 10000 + minor is its rank. */
export class Version {
  readonly rank: number;
  readonly text: string;
  constructor(text: string) {
    this.text = text;
    this.rank = rankOf(text);
  }
  /** True from microversion `text` on. */
  atLeast(text: string): boolean {
    return this.rank >= rankOf(text);
  }
  /** True before microversion `text`. */
  before(text: string): boolean {
    return this.rank < rankOf(text);
  }
  toString(): string {
    return this.text;
  }
}

const ranks = new Map<string, number>();

/** `2.96` → 20096. Cached: versions are few. Throws for anything that is not `N.N`. */
export function rankOf(text: string): number {
  let rank = ranks.get(text);
  if (rank === undefined) {
    const match = /^(\d{1,4})\.(\d{1,4})$/.exec(text);
    if (!match) throw new RangeError(`not a version: ${text}`);
    rank = Number(match[1]) * 10_000 + Number(match[2]);
    if (ranks.size < 10_000) ranks.set(text, rank);
  }
  return rank;
}

/** How a service negotiates microversions. */
export interface Microversions {
  /** The word in `OpenStack-API-Version: <type> 2.1`. */
  readonly serviceType: 'compute' | 'volume' | 'placement' | (string & {});
  readonly min: string;
  readonly max: string;
  /** What a request without the header gets. */
  readonly fallback: string;
  /** An older header that means the same, e.g. `X-OpenStack-Nova-API-Version`. */
  readonly legacyHeader?: string;
  /** What a version must look like, where not as nova's (whose major number begins with 1); anything else is a 400. */
  readonly format?: RegExp;
}
