import type { Session } from './session.ts';

/** A region of the catalog. */
export interface Region {
  readonly name: string;
  /** Its own console, when it is another cloud's; undefined for the one that this console is of. */
  readonly console: string | undefined;
}

/** The regions of the catalog, by name. A region is this console's when any of its services is at `origin`; another's console is beside its services. */
export function regionsOf(catalog: Session['catalog'], origin: string): readonly Region[] {
  const origins = new Map<string, Set<string>>();
  for (const { region, url } of catalog) {
    const found = originOf(url);
    if (found === undefined) continue;
    const known = origins.get(region) ?? new Set();
    origins.set(region, known.add(found));
  }
  return [...origins]
    .map(([name, found]) => ({ name, console: found.has(origin) ? undefined : `${[...found][0]}/console/` }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Only addresses of web pages are gone to, whatever the catalog says. */
function originOf(url: string): string | undefined {
  try {
    const { protocol, origin } = new URL(url);
    return protocol === 'http:' || protocol === 'https:' ? origin : undefined;
  } catch {
    return undefined;
  }
}
