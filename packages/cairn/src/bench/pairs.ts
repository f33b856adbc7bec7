/** What many measurements of two things, made in turns, say of their ratio. */
export interface Ratio {
  readonly median: number;
  /** The median of ratios is between these with 95 % confidence, whatever their distribution. */
  readonly low: number;
  readonly high: number;
}

/**
 * The ratio of `a` to `b`, of which each pair was measured one right after the other: what else the machine does then is much the same for both, and
 * where it is not, the median does not care. Its bounds are order statistics (by the normal approximation of the binomial distribution), so there should be 20 pairs or more.
 */
export function ratioOf(a: readonly number[], b: readonly number[]): Ratio {
  const ratios = a.map((value, i) => value / (b[i] ?? Number.NaN)).toSorted((x, y) => x - y);
  const { length } = ratios;
  const rank = (n: number): number => ratios[Math.max(0, Math.min(length - 1, n))] ?? Number.NaN;
  const reach = 0.98 * Math.sqrt(length);
  const middle = (length - 1) / 2;
  return { median: (rank(Math.floor(middle)) + rank(Math.ceil(middle))) / 2, low: rank(Math.floor(middle - reach)), high: rank(Math.ceil(middle + reach)) };
}
