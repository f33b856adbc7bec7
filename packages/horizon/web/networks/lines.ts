/** What is typed as lines, one entry each, and what the network service is told. */

/** The lines (or what commas part) that have something in them. */
export const wordsIn = (text: string): string[] =>
  text
    .split(/[\n,]+/)
    .map((word) => word.trim())
    .filter((word) => word !== '');

const linesIn = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const all = <T>(text: string, read: (line: string) => T | undefined): T[] | undefined => {
  const values = linesIn(text).map(read);
  return values.includes(undefined) ? undefined : (values as T[]);
};

export interface Pool {
  readonly start: string;
  readonly end: string;
}
/** `10.0.0.2-10.0.0.99`; undefined when a line is none. */
export const poolsIn = (text: string): Pool[] | undefined =>
  all(text, (line) => {
    const [, start, end] = /^([\da-f.:]+)\s*-\s*([\da-f.:]+)$/i.exec(line) ?? [];
    return start === undefined || end === undefined ? undefined : { start, end };
  });
export const poolsText = (pools: readonly Pool[]): string => pools.map(({ start, end }) => `${start}-${end}`).join('\n');

export interface Route {
  readonly destination: string;
  readonly nexthop: string;
}
/** `10.1.0.0/16, 10.0.0.1`: the network and who leads there; undefined when a line is none. */
export const routesIn = (text: string): Route[] | undefined =>
  all(text, (line) => {
    const [, destination, nexthop] = /^([\da-f.:]+\/\d+)(?:\s*,\s*|\s*->\s*|\s+via\s+|\s+)([\da-f.:]+)$/i.exec(line) ?? [];
    return destination === undefined || nexthop === undefined ? undefined : { destination, nexthop };
  });
export const routesText = (routes: readonly Route[]): string => routes.map(({ destination, nexthop }) => `${destination}, ${nexthop}`).join('\n');

export interface AddressPair {
  readonly ip_address: string;
  readonly mac_address?: string;
}
/** `10.0.0.9` or `10.0.0.0/28, fa:16:3e:00:00:01`; undefined when a line is none. */
export const pairsIn = (text: string): AddressPair[] | undefined =>
  all(text, (line) => {
    const [, ip_address, mac_address] = /^([\da-f.:]+(?:\/\d+)?)(?:[\s,]+([\da-f]{2}(?::[\da-f]{2}){5}))?$/i.exec(line) ?? [];
    if (ip_address === undefined) return undefined;
    return mac_address === undefined ? { ip_address } : { ip_address, mac_address };
  });
export const pairsText = (pairs: readonly AddressPair[]): string =>
  pairs.map(({ ip_address, mac_address }) => (mac_address === undefined ? ip_address : `${ip_address}, ${mac_address}`)).join('\n');

/** What is other in `after` than in `before`: the body of an update, so that what nobody touched is not sent. */
export function changesOf<T extends object>(before: T, after: { readonly [K in keyof T]?: T[K] | undefined }): Partial<T> {
  const was = before as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(after).filter(([key, value]) => value !== undefined && JSON.stringify(was[key]) !== JSON.stringify(value)),
  ) as Partial<T>;
}
