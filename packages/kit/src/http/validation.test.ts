import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TSchema } from 'typebox';
import { isCairnError } from '../errors/errors.ts';
import { validate } from './validation.ts';

/** The message and the detail of what `schema` says against `value`; nothing where it says nothing. */
function refused(schema: object, value: unknown): { message: string; detail: unknown } | undefined {
  try {
    validate(schema as TSchema, value, 'body');
    return undefined;
  } catch (error) {
    assert.ok(isCairnError(error), String(error));
    return { message: error.message, detail: error.detail };
  }
}

test('numbers that come as text keep their limits, and errors tell the schema that holds them', () => {
  const size = { type: ['integer', 'string'], minimum: 1, maximum: 10 };
  const schema = { type: 'object', properties: { size } };
  for (const value of [1, 10, '1', ' 10 ', '', 'many']) assert.equal(refused(schema, { size: value }), undefined, JSON.stringify(value));
  for (const [value, keyword, limit] of [
    [0, 'minimum', 1],
    ['0', 'minimum', 1],
    [11, 'maximum', 10],
    ['1e2', 'maximum', 10],
  ] as const) {
    const than = keyword === 'minimum' ? 'less than the minimum' : 'greater than the maximum';
    const reason = `${value} is ${than} of ${limit}`;
    assert.deepEqual(refused(schema, { size: value }), {
      message: `Invalid input for field/attribute size. Value: ${value}. ${reason}`,
      detail: { keyword, path: '/size', schemaPath: `#/properties/size/${keyword}`, value, params: { limit }, reason, schema: size },
    });
  }
});

test("base64 is what upstream's decoder takes: letters outside of the alphabet do not count, the rest comes in padded fours", () => {
  for (const text of ['', 'YQ==', 'YWI=', 'YWJj', 'YW\nJj', '***', 'YQ==YQ'])
    assert.equal(refused({ type: 'string', format: 'base64' }, text), undefined, text);
  for (const text of ['Y', 'YQ', 'YQ=', 'YWJjZ']) assert.match(refused({ type: 'string', format: 'base64' }, text)?.message ?? '', /is not a 'base64'/, text);
});
