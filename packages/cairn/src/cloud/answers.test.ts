import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openApiOf } from '@cairn/kit/http/openapi';
import { configOf } from '../config.ts';
import { readTable } from './compose.ts';

/** Operations that do not say yet what they answer, by service. A name leaves this list with its schema; none may come. */
const unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'answers-unknown.json'), 'utf8')) as Readonly<Record<string, readonly string[]>>;
const services = (await readTable(configOf({}))).services();

for (const { name, operations } of services)
  test(`${name}: every operation says what it answers, but for those of the list`, () => {
    const without = operations.filter((operation) => operation.answer === undefined).map(({ id }) => id);
    assert.deepEqual(without, unknown[name] ?? [], 'an operation without `answer` is new, or one of answers-unknown.json has it now and leaves the list');
  });

test('the document of the whole cloud names each type once, and refers to what it has', () => {
  const document = openApiOf(services, 'test') as { components: { schemas: Record<string, unknown> } };
  const text = JSON.stringify(document);
  for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/([^"]+)/g)) assert.ok(Object.hasOwn(document.components.schemas, name), name);
});
