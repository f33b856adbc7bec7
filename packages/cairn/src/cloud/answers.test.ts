import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiOf } from '@cairn/kit/http/openapi';
import { configOf } from '../config.ts';
import { readTable } from './compose.ts';

const services = (await readTable(configOf({}))).services();

for (const { name, operations } of services)
  test(`${name}: every operation says what it answers`, () => {
    assert.deepEqual(
      operations.filter((operation) => operation.answer === undefined).map(({ id }) => id),
      [],
    );
  });

test('the document of the whole cloud names each type once, and refers to what it has', () => {
  const document = openApiOf(services, 'test') as { components: { schemas: Record<string, unknown> } };
  const text = JSON.stringify(document);
  for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/([^"]+)/g)) assert.ok(Object.hasOwn(document.components.schemas, name), name);
});
