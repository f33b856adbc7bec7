import { goTo } from '../api/region.ts';
import type { ServiceName } from '../api/services.ts';
import type { Session } from './session.ts';

type Catalog = Session['catalog'];

/** A region of the catalog. */
export interface Region {
  readonly name: string;
  /** It is the one of the cloud that serves this console: any of its services is at this page's origin. */
  readonly own: boolean;
}

/** The regions of the catalog, by name. */
export function regionsOf(catalog: Catalog, origin: string): readonly Region[] {
  const own = new Map<string, boolean>();
  for (const { region, url } of catalog) {
    const base = baseOf(url);
    if (base !== undefined) own.set(region, own.get(region) === true || new URL(base).origin === origin);
  }
  return [...own].map(([name, isOwn]) => ({ name, own: isOwn })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The region that is wanted, by the address, or else by what this browser keeps; the console's own when the catalog has no such one. */
export function chosenRegion(regions: readonly Region[], inAddress: string | null, kept: string | null): Region | undefined {
  const called = (name: string | null): Region | undefined => regions.find((region) => region.name === name);
  return called(inAddress) ?? called(kept) ?? regions.find(({ own }) => own) ?? regions[0];
}

const TYPES: Readonly<Record<string, ServiceName>> = {
  compute: 'compute',
  network: 'network',
  image: 'image',
  placement: 'placement',
  'block-store': 'volume',
  volumev3: 'volume',
  'block-storage': 'volume',
};

/** Where a region has its services, without versions. */
export function basesOf(catalog: Catalog, name: string): Partial<Record<ServiceName, string>> {
  const bases: Partial<Record<ServiceName, string>> = {};
  for (const { region, type, url } of catalog) {
    const [service, base] = [Object.hasOwn(TYPES, type) ? TYPES[type] : undefined, baseOf(url)];
    if (region === name && service !== undefined && base !== undefined) bases[service] = base;
  }
  return bases;
}

/** Only addresses of web pages are gone to, whatever the catalog says. */
function baseOf(url: string): string | undefined {
  try {
    const { protocol, origin, pathname } = new URL(url);
    return protocol === 'http:' || protocol === 'https:' ? origin + pathname.replace(/\/v\d[^/]*(\/.*)?$/, '').replace(/\/+$/, '') : undefined;
  } catch {
    return undefined;
  }
}

const KEY = 'cairn.region';

/** Brings the page into the region that its address names, or that was chosen last; returns its name. Before the first call of a session. */
export function enterRegion({ catalog }: Pick<Session, 'catalog'>): string | undefined {
  const inAddress = new URLSearchParams(location.search).get('region');
  const region = chosenRegion(regionsOf(catalog, location.origin), inAddress, localStorage.getItem(KEY));
  if (inAddress !== null && region?.name === inAddress) localStorage.setItem(KEY, inAddress);
  goTo(region === undefined || region.own ? undefined : { name: region.name, bases: basesOf(catalog, region.name) });
  return region?.name;
}

/** Goes on in another region: with a new page, so that nothing of one is ever shown in the other. */
export function chooseRegion(name: string): void {
  localStorage.setItem(KEY, name);
  location.assign(`/console/?${new URLSearchParams({ region: name })}`);
}
