import { Readable } from 'node:stream';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Answer } from '../http/exchange.ts';
import { rankOf, type Version } from '../http/microversion.ts';
import { type AnyOperation, JsonText } from '../http/operation.ts';
import type { PipelineOptions } from '../http/pipeline.ts';
import type { HttpService } from '../http/service.ts';
import { schemaAt } from '../http/validation.ts';

type Json = Record<string, unknown>;

const ajv = new Ajv2020({ strict: false, allErrors: true, allowUnionTypes: true, validateFormats: false });
const exact = new WeakMap<object, ValidateFunction>();
const relaxed = new WeakMap<object, ValidateFunction>();
/** So many breaches are told; a list that is wrong is wrong in each of its members. */
const TOLD = 5;

/**
 * Holds every success against the operation's schema of answers. What does not conform becomes a 500 that says where, and is told on stderr. At the newest
 * microversion that knows the operation the schema must have every property too, so that it shows when an answer has more; at older ones only the
 * types count of what is there.
 */
export const reviewAnswer: NonNullable<PipelineOptions['review']> = ({ service, operation, version, method, query }, answer) => {
  if (answer.status >= 300 || method === 'HEAD') return answer;
  const breaches = breachesOf(service, operation, version, query, answer);
  if (breaches.length === 0) return answer;
  const text = `the answer of ${operation.id} (${operation.method} ${service.prefix}${operation.path}, ${version.text}) breaks its schema: ${breaches.slice(0, TOLD).join('; ')}`;
  process.stderr.write(`${text}\n`);
  if (answer.body instanceof Readable) answer.body.destroy();
  return { status: 500, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ answer: text }) };
};

function breachesOf(service: HttpService, operation: AnyOperation, version: Version, query: URLSearchParams, answer: Answer): readonly string[] {
  const { answer: declared } = operation;
  if (declared === undefined || declared === 'stream') return [];
  const isNewest = isNewestOf(service, operation, version);
  const { body } = answer;
  const isEmpty = body === undefined || body === '';
  if (declared === 'none') return isEmpty || !isNewest ? [] : ['/: has a body, where none is declared'];
  // some calls answer 204 where there was nothing to do
  if (isEmpty) return answer.status === 204 || answer.status === 205 || !isNewest ? [] : ['/: has no body'];
  const schema = schemaAt(declared, version);
  if (schema === undefined) return [];
  if (body instanceof Readable) return ['/: is a stream, where JSON is declared'];
  let value: unknown;
  try {
    value = JSON.parse(body instanceof JsonText ? body.pieces.join('') : String(body));
  } catch {
    return ['/: is no JSON'];
  }
  const isTrimmed = operation.trimmedBy !== undefined && query.has(operation.trimmedBy);
  const isExact = isNewest && !isTrimmed;
  const validators = isExact ? exact : relaxed;
  let check = validators.get(schema);
  if (check === undefined) {
    check = ajv.compile((isExact ? closed(schema, false) : optional(schema)) as object);
    validators.set(schema, check);
  }
  return check(value) ? [] : (check.errors ?? []).map(tell);
}

/** The newest microversion of the service, or the last one that knows the operation. */
function isNewestOf(service: HttpService, operation: AnyOperation, version: Version): boolean {
  if (service.microversions === undefined) return true;
  const last = Math.min(rankOf(service.microversions.max), operation.until === undefined ? Number.MAX_SAFE_INTEGER : rankOf(operation.until));
  return version.rank === last;
}

const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value);
const each = (properties: unknown, change: (schema: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(isObject(properties) ? properties : {}).map(([name, schema]) => [name, change(schema)]));

/** The schema with every object closed that does not say itself what more it may have. Parts of an intersection are closed together. */
function closed(schema: unknown, isPart: boolean): unknown {
  if (!isObject(schema)) return schema;
  const walked = walk(schema, (inner, place) => closed(inner, place === 'part' || (place === 'choice' && isPart)));
  const isOpen = isPart || 'additionalProperties' in schema || 'patternProperties' in schema;
  if (schema['allOf'] !== undefined && !isPart) return { ...walked, unevaluatedProperties: false };
  return schema['properties'] !== undefined && !isOpen ? { ...walked, additionalProperties: false } : walked;
}

/** The schema with nothing required, and open. */
function optional(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const { required: _, additionalProperties, ...rest } = walk(schema, optional);
  return isObject(additionalProperties) ? { ...rest, additionalProperties } : rest;
}

/** A copy with the schemas within it changed, which are those of values within, choices for the same value, or parts of an intersection. */
function walk(schema: Json, change: (inner: unknown, place: 'value' | 'choice' | 'part') => unknown): Json {
  const copy: Json = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties' || key === 'patternProperties') copy[key] = each(value, (inner) => change(inner, 'value'));
    else if (key === 'items' || key === 'additionalProperties') copy[key] = change(value, 'value');
    else if ((key === 'anyOf' || key === 'oneOf' || key === 'allOf' || key === 'prefixItems') && Array.isArray(value))
      copy[key] = value.map((inner) => change(inner, key === 'allOf' ? 'part' : key === 'prefixItems' ? 'value' : 'choice'));
    else copy[key] = value;
  }
  return copy;
}

function tell(error: ErrorObject): string {
  const params = error.params as Readonly<Record<string, unknown>>;
  const at = error.instancePath || '/';
  if (error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties')
    return `${at}: has ${String(params['additionalProperty'] ?? params['unevaluatedProperty'])}, which the schema does not know`;
  if (error.keyword === 'required') return `${at}: ${String(params['missingProperty'])} is missing`;
  return `${at}: ${error.message ?? error.keyword}${error.keyword === 'enum' ? ` (${JSON.stringify(params['allowedValues'])})` : ''}`;
}
