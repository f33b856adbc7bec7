import { createHash, getHashes } from 'node:crypto';
import { conflict, forbidden, invalidInput } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import type { LocationRow } from '../store/data-tables.ts';
import { updateImage } from '../store/images.ts';
import * as rows from '../store/locations.ts';
import type { ImageRow } from '../store/tables.ts';
import { removeData } from './data-removal.ts';
import type { DataDeps } from './deps.ts';

/** A location as a request gives it. */
export interface GivenLocation {
  readonly url: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly validation: Readonly<Record<string, string>> | undefined;
}

/** One change of a PATCH; `at` is the position as it was written. */
export type LocationChange =
  | { readonly op: 'add'; readonly at: string; readonly location: GivenLocation }
  | { readonly op: 'replace'; readonly locations: readonly GivenLocation[] }
  | { readonly op: 'remove'; readonly at: string };

/** A location as it is shown. */
export interface ShownLocation {
  readonly url: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Which URLs were found to be readable, with the length of what is there. */
export type Probed = ReadonlyMap<string, { readonly store: string; readonly sizeBytes: number }>;

const invisible = (doing: string) => forbidden(`It's not allowed to ${doing} locations if locations are invisible.`, { field: 'locations' });
const VERBS = { add: 'add', replace: 'update', remove: 'remove' } as const;

/** Changing where an image's data is (glance/api/v2/images.py, _do_add_locations and its neighbours; glance/location.py). */
export class Locations {
  readonly #deps: DataDeps;

  constructor(deps: DataDeps) {
    this.#deps = deps;
  }

  shown(location: LocationRow): ShownLocation {
    const metadata = JSON.parse(location.metadata) as Record<string, unknown>;
    const ref = { key: location.data_key, url: location.url };
    const url = location.url ?? this.#deps.stores.get(location.store)?.url(ref) ?? '';
    return { url, metadata: location.store === null ? metadata : { ...metadata, store: location.store } };
  }

  /** The locations from the one that is read first. */
  bySuitability(locations: readonly LocationRow[]): LocationRow[] {
    const weight = (l: LocationRow): number => this.#deps.stores.get(l.store)?.weight ?? 0;
    return locations.toSorted((a, b) => weight(b) - weight(a));
  }

  /** Refuses all changes where locations are not shown. */
  allow(changes: readonly LocationChange[]): void {
    const [first] = changes;
    if (first && !this.#deps.options.showLocations) throw invisible(VERBS[first.op]);
  }

  /** Looks at what new URLs name, before any transaction. Throws InvalidInput for what cannot be a location. */
  async probe(current: readonly LocationRow[], changes: readonly LocationChange[]): Promise<Probed> {
    const known = new Set(current.map((l) => this.shown(l).url));
    const urls = new Set(
      changes.flatMap((change) =>
        change.op === 'add' ? [change.location.url] : change.op === 'replace' ? change.locations.map((l) => l.url).filter((url) => !known.has(url)) : [],
      ),
    );
    const probed = new Map<string, { store: string; sizeBytes: number }>();
    for (const url of urls) {
      // neither files of this machine nor references to configuration: LP 942118, 1334196, 1400966
      const store = this.#deps.stores.forUrl(url);
      if (!store?.sizeOf) throw invalidInput('Invalid location', { field: 'locations' });
      try {
        probed.set(url, { store: store.id, sizeBytes: await store.sizeOf(url) });
      } catch (cause) {
        throw invalidInput('Invalid location', { field: 'locations', cause, detail: String(cause) });
      }
    }
    return probed;
  }

  /** Makes the changes, one after the other. */
  async apply(tx: Tx, row: ImageRow, changes: readonly LocationChange[], probed: Probed): Promise<void> {
    let image = row;
    for (const change of changes) {
      const current = await rows.locationsOf(tx, row.id);
      if (change.op === 'remove') await this.#remove(tx, image, current, change.at);
      else if (change.op === 'add') image = await this.#add(tx, image, current, change, probed);
      else image = await this.#replace(tx, image, current, change.locations, probed);
    }
  }

  async #add(tx: Tx, row: ImageRow, current: readonly LocationRow[], change: LocationChange & { op: 'add' }, probed: Probed): Promise<ImageRow> {
    if (row.status !== 'active' && row.status !== 'queued') throw conflict(`It's not allowed to add locations if image status is ${row.status}.`);
    const known = this.#vouched(row, [change.location]);
    const at = change.at === '-' ? current.length : /^\d+$/.test(change.at) ? Math.min(Number(change.at), current.length) : undefined;
    if (at === undefined) throw invalidInput('Invalid position for adding a location.', { field: 'locations' });
    const made = this.#made(row.id, change.location, probed);
    if (current.some((l) => same(this.shown(l), this.shown(made)))) throw duplicate(change.location.url);
    for (const [i, location] of current.entries()) await rows.setLocation(tx, location.id, { position: i < at ? i : i + 1 });
    await rows.insertLocation(tx, { ...made, position: at });
    return this.#settled(tx, row, known, probed.get(change.location.url)?.sizeBytes);
  }

  async #replace(tx: Tx, row: ImageRow, current: readonly LocationRow[], given: readonly GivenLocation[], probed: Probed): Promise<ImageRow> {
    if (given.length === 0) throw forbidden('Cannot set locations to empty list.', { field: 'locations' });
    if (row.status !== 'active' && row.status !== 'queued') throw conflict(`It's not allowed to replace locations if image status is ${row.status}.`);
    const known = this.#vouched(row, given);
    const urls = given.map((l) => l.url).toSorted();
    const before = current.map((l) => this.shown(l).url).toSorted();
    if (current.length > 0 && urls.join('\n') !== before.join('\n')) throw invalidInput('Original locations is not empty', { field: 'locations' });
    if (current.length > 0) {
      // the same URLs: order and metadata are new
      const rest = [...current];
      for (const [position, location] of given.entries()) {
        const [match] = rest.splice(
          rest.findIndex((l) => this.shown(l).url === location.url),
          1,
        );
        if (match) await rows.setLocation(tx, match.id, { position, metadata: metadataOf(location) });
      }
      return this.#settled(tx, row, known, undefined);
    }
    const made: LocationRow[] = [];
    for (const [position, location] of given.entries()) {
      const next = { ...this.#made(row.id, location, probed), position };
      if (made.some((l) => same(this.shown(l), this.shown(next)))) throw duplicate(location.url);
      made.push(next);
      await rows.insertLocation(tx, next);
    }
    return this.#settled(tx, row, known, probed.get(given[0]?.url ?? '')?.sizeBytes);
  }

  async #remove(tx: Tx, row: ImageRow, current: readonly LocationRow[], at: string): Promise<void> {
    if (row.status !== 'active') throw conflict(`It's not allowed to remove locations if image status is ${row.status}.`);
    if (current.length === 1) throw forbidden('Cannot remove last location in the image.', { field: 'locations' });
    const gone = at === '-' ? current.at(-1) : /^\d+$/.test(at) ? current[Number(at)] : undefined;
    if (!gone) throw invalidInput('Invalid position for removing a location.', { field: 'locations' });
    await rows.deleteLocation(tx, gone.id);
    tx.afterCommit(() => void removeData(this.#deps, gone));
  }

  #made(imageId: string, given: GivenLocation, probed: Probed): LocationRow {
    const { env } = this.#deps;
    const found = probed.get(given.url);
    if (!found) throw invalidInput('Invalid location', { field: 'locations' });
    return {
      id: env.ids.uuid(),
      image_id: imageId,
      position: 0,
      store: found.store,
      data_key: null,
      url: given.url,
      metadata: metadataOf(given),
      created_at_ms: env.clock.nowMs(),
    };
  }

  /** A queued image that has got a location is active, with the hashes that came along. */
  async #settled(tx: Tx, row: ImageRow, known: Partial<ImageRow>, sizeBytes: number | undefined): Promise<ImageRow> {
    const set: Partial<ImageRow> = {
      ...(row.status === 'queued' && { ...known, status: 'active' as const }),
      ...(row.size_bytes === null && sizeBytes !== undefined && { size_bytes: sizeBytes }),
      updated_at_ms: this.#deps.env.clock.nowMs(),
    };
    if (row.status === 'queued' && (row.disk_format === null || row.container_format === null))
      throw invalidInput('Properties disk_format, container_format must be set prior to saving data.');
    await updateImage(tx, row.id, set);
    return { ...row, ...set };
  }

  /** Hashes that come with locations: new ones only for a queued image, equal ones always. */
  #vouched(row: ImageRow, given: readonly GivenLocation[]): Partial<ImageRow> {
    const said: Record<string, string> = {};
    for (const { validation } of given)
      for (const [name, value] of Object.entries(validation ?? {})) {
        if ((said[name] ?? value) !== value) throw conflict(`Conflicting values for ${name}`);
        said[name] = value;
      }
    const now: Readonly<Record<string, string | null>> = { checksum: row.checksum, os_hash_algo: row.os_hash_algo, os_hash_value: row.os_hash_value };
    const fresh: Record<string, string> = {};
    for (const [name, value] of Object.entries(said)) {
      if (now[name] === value) continue;
      if (now[name]) throw conflict(`${name} is already set with a different value`);
      fresh[name] = value;
    }
    if (Object.keys(fresh).length === 0) return {};
    if (row.status !== 'queued') throw conflict(`New value(s) for ${Object.keys(fresh).join(', ')} may only be provided when image status is 'queued'`);
    const { checksum, os_hash_algo: algorithm, os_hash_value: value = '' } = fresh;
    if (checksum !== undefined && !/^[0-9a-f]{32}$/i.test(checksum)) throw conflict(`checksum (${checksum}) is not a valid hexadecimal value`);
    if (algorithm !== 'sha512') throw conflict(`os_hash_algo must be sha512, not ${algorithm}`);
    if (!/^(?:[0-9a-f]{2})*$/i.test(value)) throw conflict(`os_hash_value (${value}) is not a valid hexadecimal value`);
    if (value.length !== 128) throw conflict(`os_hash_value (${value}) is not the correct size for sha512 (should be 64 bytes)`);
    return fresh as Partial<ImageRow>;
  }
}

/** Checks a hash that came with `POST .../locations`; throws 400. */
export function checkHash(algorithm: string, value: string): void {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(value)) throw invalidInput(`os_hash_value (${value}) is not a valid hexadecimal value`);
  const bytes = getHashes().includes(algorithm) ? createHash(algorithm).digest().length : 0;
  if (value.length !== bytes * 2) throw invalidInput(`os_hash_value: (${value}) is not the correct size for (${algorithm}) (should be (${bytes}) bytes)`);
}

/** The store is the cloud's to say. */
const metadataOf = (given: GivenLocation): string => {
  const { store: _, ...rest } = given.metadata;
  return JSON.stringify(rest);
};
const duplicate = (url: string) => invalidInput(`The location ${url} already exists`, { field: 'locations' });
const same = (a: ShownLocation, b: ShownLocation): boolean => a.url === b.url && sorted(a.metadata) === sorted(b.metadata);
const sorted = (value: Readonly<Record<string, unknown>>): string => JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
