/** What somebody can do about a refusal of this status; undefined where the cloud's own words say all. */
export function adviceFor(status: number): 'unreachable' | 'forbidden' | 'gone' | 'conflict' | 'tooLarge' | 'tooMany' | 'broken' | 'away' | undefined {
  if (status === 0) return 'unreachable';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'gone';
  if (status === 409) return 'conflict';
  if (status === 413) return 'tooLarge';
  if (status === 429) return 'tooMany';
  if (status === 502 || status === 503 || status === 504) return 'away';
  return status >= 500 ? 'broken' : undefined;
}
