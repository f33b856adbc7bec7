interface Version {
  readonly id: string;
  readonly status: string;
  /** The newest microversion; compute says `version`, others `max_version` too. */
  readonly version?: string;
  readonly max_version?: string;
}
/** What a service tells of its versions: all of them, or the one that was asked about. */
export interface VersionDocument {
  readonly versions?: readonly Version[];
  readonly version?: Version;
}

/** The newest version that a service speaks: `v2.1 (2.96)`. */
export function newestOf({ versions, version }: VersionDocument): string {
  const all = versions ?? (version === undefined ? [] : [version]);
  const newest = all.find(({ status }) => /^(current|stable)$/i.test(status)) ?? all.at(-1);
  if (newest === undefined) return '-';
  const micro = newest.max_version || newest.version;
  return micro ? `${newest.id} (${micro})` : newest.id;
}
