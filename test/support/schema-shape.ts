import type { Schema } from './upstream.ts';

/** What a schema says about the value at one path, all its choices together. */
interface Place {
  readonly types: Set<string>;
  readonly names: Set<string>;
  required: Set<string> | undefined;
  /** Other names than those are taken. */
  open: boolean;
  /** It says which names there are, or that there are any. */
  closed: boolean;
}

const typeOf = (value: unknown): string => (value === null ? 'null' : typeof value);
const isObject = (value: unknown): value is Schema => value !== null && typeof value === 'object' && !Array.isArray(value);

function collect(schema: unknown, at: string, places: Map<string, Place>): void {
  if (!isObject(schema)) return;
  const place = places.get(at) ?? { types: new Set(), names: new Set(), required: undefined, open: false, closed: false };
  places.set(at, place);
  const { type, enum: values, properties, required, additionalProperties, patternProperties, items } = schema;
  const types = type !== undefined ? [type].flat() : 'const' in schema ? [typeOf(schema['const'])] : Array.isArray(values) ? values.map(typeOf) : [];
  for (const one of types) place.types.add(one === 'number' ? 'integer' : String(one));
  for (const choice of ['oneOf', 'anyOf', 'allOf']) for (const one of (schema[choice] as readonly unknown[] | undefined) ?? []) collect(one, at, places);
  if (isObject(properties) || Array.isArray(required)) {
    const names = new Set((required as readonly string[] | undefined) ?? []);
    place.required = place.required === undefined ? names : new Set([...place.required].filter((name) => names.has(name)));
  }
  for (const [name, inner] of Object.entries(isObject(properties) ? properties : {})) {
    place.names.add(name);
    collect(inner, `${at}.${name}`, places);
  }
  for (const inner of Object.values(isObject(patternProperties) ? patternProperties : {})) collect(inner, `${at}.*`, places);
  if (isObject(additionalProperties)) collect(additionalProperties, `${at}.*`, places);
  if (additionalProperties === false && patternProperties === undefined) place.closed = true;
  else if (isObject(properties) || additionalProperties !== undefined || patternProperties !== undefined) place.open = true;
  collect(items, `${at}[]`, places);
}

function placesOf(schema: unknown): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  collect(schema, '', places);
  return places;
}

const without = (some: ReadonlySet<string> | undefined, others: ReadonlySet<string> | undefined): readonly string[] =>
  [...(some ?? [])].filter((one) => others?.has(one) !== true);

/** Where two schemas of a request differ in names, in what is required, in types and in whether other names are taken. */
export function shapeDifferences(upstream: unknown, ours: unknown): readonly string[] {
  const mine = placesOf(ours);
  return [...placesOf(upstream)].flatMap(([at, theirs]) => {
    const here = mine.get(at);
    if (here === undefined) return [];
    const types = (place: Place): string => [...place.types].toSorted().join(' or ');
    return [
      ...(here.open ? [] : without(theirs.names, here.names).map((name) => `${at}.${name}: refused here`)),
      ...(theirs.open ? [] : without(here.names, theirs.names).map((name) => `${at}.${name}: taken here alone`)),
      ...without(theirs.required, here.required).map((name) => `${at}.${name}: required upstream`),
      ...without(here.required, theirs.required).map((name) => `${at}.${name}: required here alone`),
      ...(theirs.closed && !theirs.open && here.open ? [`${at}: other names are taken here`] : []),
      ...(theirs.open && !here.open && here.closed ? [`${at}: other names are refused here`] : []),
      ...(theirs.types.size > 0 && here.types.size > 0 && types(theirs) !== types(here) ? [`${at}: ${types(theirs)} upstream, ${types(here)} here`] : []),
    ];
  });
}
