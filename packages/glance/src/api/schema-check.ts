import { CairnError, forbidden, invalidInput } from '@cairn/kit/errors/errors';
import { validate } from '@cairn/kit/http/validation';
import type { TSchema } from 'typebox';

/** A JSON schema as glance publishes it: `name`, `properties`, perhaps `definitions`, `links`, `required`. */
type Json = Readonly<Record<string, unknown>>;

const checked = new WeakMap<object, TSchema>();

/** The schema as bodies are checked with: they are objects; formats are not looked at (upstream gives its validator none). */
export function bodyOf(document: Json): TSchema {
  let found = checked.get(document);
  if (!found) {
    found = { type: 'object', ...JSON.parse(JSON.stringify(document, (key, value) => (key === 'format' ? undefined : value))) } as unknown as TSchema;
    checked.set(document, found);
  }
  return found;
}

/** Throws InvalidInput in upstream's words where `value` breaks the schema. */
export function checkAgainst(document: Json, value: unknown): void {
  try {
    validate(bodyOf(document), value, 'body');
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    const reason = (error.detail as { reason?: string } | undefined)?.reason ?? error.message;
    throw invalidInput(`Provided object does not match schema '${String(document.name)}': ${reason}`, {
      ...(error.field !== undefined && { field: error.field }),
    });
  }
}

/** A body there must be (400), without what only glance sets (403). */
export function refuseReadOnly(body: unknown, readOnly: readonly string[]): void {
  if (body === undefined) throw invalidInput('Body expected in request.');
  if (body !== null && typeof body === 'object')
    for (const name of readOnly) if (Object.hasOwn(body, name)) throw forbidden(`Attribute '${name}' is read-only.`, { field: name });
}
