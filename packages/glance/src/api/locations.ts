import { forbidden, invalidInput } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import type { Json } from '@cairn/kit/saga/saga';
import { checkHash, type GivenLocation, type LocationChange } from '../app/locations.ts';
import Type from 'typebox';
import { location } from './answers/images.ts';
import { op } from './op.ts';

const idOf = (req: Request<AnyBody>): string => req.params.image_id as string;
const mismatch = (problem: string) => invalidInput(`Provided object does not match schema 'image': ${problem}`, { field: 'locations' });
const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);
const MAX_URL = 255;

/** A location within a PATCH, checked against the image's schema. */
function givenLocation(value: unknown): GivenLocation {
  if (!isRecord(value)) throw mismatch(`${JSON.stringify(value)} is not of type 'object'`);
  const { url, metadata, validation_data: validation } = value;
  if (url === undefined) throw mismatch("'url' is a required property");
  if (metadata === undefined) throw mismatch("'metadata' is a required property");
  if (typeof url !== 'string' || [...url].length > MAX_URL) throw mismatch("a url is of type 'string' and has at most 255 characters");
  if (!isRecord(metadata)) throw mismatch("metadata is not of type 'object'");
  if (validation === undefined) return { url, metadata, validation: undefined };
  if (!isRecord(validation)) throw mismatch("validation_data is not of type 'object'");
  for (const [name, most] of [
    ['checksum', 32],
    ['os_hash_algo', 64],
    ['os_hash_value', 128],
  ] as const) {
    const text = validation[name];
    if (text === undefined ? name !== 'checksum' : typeof text !== 'string' || text.length > most || (name === 'checksum' && text.length !== most))
      throw mismatch(`validation_data/${name} is missing or not as it should be`);
  }
  for (const name of Object.keys(validation))
    if (!['checksum', 'os_hash_algo', 'os_hash_value'].includes(name)) throw mismatch(`validation_data has no '${name}'`);
  return { url, metadata, validation: validation as Record<string, string> };
}

/** One operation of a JSON patch on `/locations` or `/locations/N`. */
export function locationChange(op: 'add' | 'replace' | 'remove', path: readonly string[], value: unknown): LocationChange {
  const at = path[1];
  if (op === 'replace') {
    if (path.length !== 1) throw invalidInput(`Invalid JSON pointer for this resource: '/${path.join('/')}'`);
    if (!Array.isArray(value)) throw mismatch("locations is not of type 'array'");
    return { op, locations: value.map(givenLocation) };
  }
  if (path.length !== 2 || at === undefined) throw invalidInput(`Invalid JSON pointer for this resource: '/${path.join('/')}'`);
  return op === 'add' ? { op, at, location: givenLocation(value) } : { op, at };
}

const ALGORITHMS = ['sha1', 'sha256', 'sha512', 'md5'];

export const locationOperations = [
  op({
    id: 'glance.location.add',
    method: 'POST',
    path: '/v2/images/{image_id}/locations',
    answer: 'none',
    summary: 'Say where the data of a queued image is',
    policy: 'add_image_location',
    success: 202,
    async target(app, req) {
      const row = await app.images.visible(app.env.store.read, req.ctx, idOf(req));
      return { project_id: row.owner, owner: row.owner };
    },
    async handle(app, req) {
      const body: unknown = req.body;
      const wrong = (problem: string) => invalidInput(`Provided object does not match schema 'location': ${problem}`);
      if (!isRecord(body)) throw body === undefined ? invalidInput('Body expected in request.') : wrong("it is not of type 'object'");
      const { url, validation_data: validation } = body;
      if (typeof url !== 'string') throw wrong("'url' is a required property");
      let vouched: { algorithm: string; value: string } | null = null;
      if (validation !== undefined && validation !== null) {
        if (!isRecord(validation)) throw wrong("validation_data is not of type 'object'");
        const { os_hash_algo: algorithm, os_hash_value: value, ...rest } = validation;
        if (Object.keys(rest).length > 0) throw wrong('validation_data has unexpected properties');
        if ((algorithm === undefined) !== (value === undefined)) throw wrong("'os_hash_algo' and 'os_hash_value' depend on each other");
        if (algorithm !== undefined && (typeof algorithm !== 'string' || !ALGORITHMS.includes(algorithm)))
          throw wrong(`os_hash_algo is not one of ${JSON.stringify(ALGORITHMS)}`);
        if (value !== undefined && (typeof value !== 'string' || value.length > 128)) throw wrong('os_hash_value is no string of at most 128 characters');
        if (typeof algorithm === 'string' && typeof value === 'string') {
          checkHash(algorithm, value);
          vouched = { algorithm, value };
        }
      }
      if (!req.ctx.roles.includes('service') && !app.stores.forUrl(url)) throw forbidden('http store must be enabled to use location API by normal user.');
      const input: Json = { image_id: idOf(req), loc_url: url, validation_data: (validation ?? {}) as Json };
      await app.imports.addLocation(req.ctx, idOf(req), url, vouched, input);
    },
  }),
  op({
    id: 'glance.location.list',
    method: 'GET',
    path: '/v2/images/{image_id}/locations',
    answer: Type.Array(location),
    summary: 'List where the data of an image is',
    policy: 'fetch_image_location',
    async handle(app, req) {
      const { locations } = await app.images.get(app.env.store.read, req.ctx, idOf(req));
      return locations.map((location) => app.locations.shown(location));
    },
  }),
];
