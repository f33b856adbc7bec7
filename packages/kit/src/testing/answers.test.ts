import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Type from 'typebox';
import { openApiOf } from '../http/openapi.ts';
import { type AnyOperation, operationsOf, Reply } from '../http/operation.ts';
import type { HttpService } from '../http/service.ts';
import { TestFront, testWorld, type World } from './world.ts';

const op = operationsOf<object>();
let given: unknown;
const Part = Type.Object({ size: Type.Integer(), note: Type.Optional(Type.String()) }, { title: 'Part' });
const Thing = Type.Object({ id: Type.String(), parts: Type.Array(Part), free: Type.Record(Type.String(), Type.String()) }, { title: 'Thing' });
const common = { summary: 'A thing', policy: 'any', handle: () => given } as const;
const operations = [
  op({ ...common, id: 't.thing.show', method: 'GET', path: '/v2.1/thing', answer: Type.Object({ thing: Thing }) }),
  op({ ...common, id: 't.trimmed.show', method: 'GET', path: '/v2.1/trimmed', trimmedBy: 'fields', answer: Type.Object({ thing: Thing }) }),
  op({
    ...common,
    id: 't.changed.show',
    method: 'GET',
    path: '/v2.1/changed',
    answer: [
      { from: '2.1', schema: Type.Object({ id: Type.Integer() }) },
      { from: '2.5', schema: Type.Object({ id: Type.String() }) },
    ],
  }),
  op({ ...common, id: 't.both.show', method: 'GET', path: '/v2.1/both', answer: Type.Intersect([Part, Type.Object({ more: Type.Boolean() })]) }),
  op({ ...common, id: 't.none', method: 'DELETE', path: '/v2.1/thing', success: 204, answer: 'none', handle: () => new Reply(given, { status: 202 }) }),
  op({ ...common, id: 't.act.a', method: 'POST', path: '/v2.1/thing/action', action: 'a', answer: Type.Object({ part: Part }) }),
  op({ ...common, id: 't.act.b', method: 'POST', path: '/v2.1/thing/action', action: 'b', answer: Type.Object({ done: Type.Boolean() }) }),
  op({ ...common, id: 't.act.c', method: 'POST', path: '/v2.1/thing/action', action: 'c', success: 202, answer: 'none' }),
] as unknown as readonly AnyOperation[];
const service: HttpService = {
  name: 't',
  type: 'compute',
  prefix: '/t',
  classicPort: 0,
  app: {},
  operations,
  policies: [{ name: 'any', check: '' }],
  microversions: { serviceType: 'compute', min: '2.1', max: '2.9', fallback: '2.1' },
  fault: (error) => ({ status: error.status, body: { message: error.message } }),
};

let world: World;
let front: TestFront;
before(async () => {
  world = await testWorld();
  front = await TestFront.start(world.env, [service]);
});
after(async () => {
  await front.close();
  await world.close();
});

/** What is wrong with the answer; undefined when it conforms. */
async function wrong(answer: unknown, [method, path, version = '2.9']: readonly [string, string, string?], body?: object): Promise<string | undefined> {
  given = answer;
  const { status, body: said } = await front.call('member', method, `/t/v2.1${path}`, body, { 'openstack-api-version': `compute ${version}` });
  if (status < 300) return undefined;
  assert.equal(status, 500);
  return said.answer;
}
const SHOW = ['GET', '/thing'] as const;
const thing = { id: 'x', parts: [{ size: 1 }], free: { any: 'name' } };

test('an answer that conforms goes as it is', async () => {
  assert.equal(await wrong({ thing }, SHOW), undefined);
});

test('an answer that breaks its schema is a 500 that names operation, path, microversion and field', async () => {
  assert.equal(
    await wrong({ thing: { ...thing, parts: [{ size: 'big' }] } }, SHOW),
    'the answer of t.thing.show (GET /t/v2.1/thing, 2.9) breaks its schema: /thing/parts/0/size: must be integer',
  );
  assert.match((await wrong({ thing: { ...thing, id: undefined } }, SHOW)) ?? '', /: \/thing: id is missing$/);
  assert.match((await wrong(undefined, SHOW)) ?? '', /: has no body$/);
});

test('a property that the schema does not know is a breach, wherever it is', async () => {
  assert.match(
    (await wrong({ thing: { ...thing, parts: [{ size: 1, colour: 'red' }] } }, SHOW)) ?? '',
    /\/thing\/parts\/0: has colour, which the schema does not know/,
  );
  assert.equal(await wrong({ size: 1, more: true }, ['GET', '/both']), undefined);
  assert.match((await wrong({ size: 1, more: true, less: false }, ['GET', '/both'])) ?? '', /has less, which/);
});

test('at an older microversion properties may be missing or be others, but their types count', async () => {
  assert.equal(await wrong({ thing: { id: 'x', old: 1 } }, [...SHOW, '2.3']), undefined);
  assert.match((await wrong({ thing: { id: 1 } }, [...SHOW, '2.3'])) ?? '', /\/thing\/id: must be string/);
});

test('of an answer to which the caller asked for some properties alone, the types count', async () => {
  assert.equal(await wrong({ thing: { id: 'x' } }, ['GET', '/trimmed?fields=id']), undefined);
  assert.match((await wrong({ thing: { id: 1 } }, ['GET', '/trimmed?fields=id'])) ?? '', /\/thing\/id: must be string/);
  assert.match((await wrong({ thing: { id: 'x' } }, ['GET', '/trimmed'])) ?? '', /parts is missing/);
});

test('a schema per range holds within its range', async () => {
  assert.equal(await wrong({ id: 1 }, ['GET', '/changed', '2.4']), undefined);
  assert.match((await wrong({ id: 1 }, ['GET', '/changed', '2.5'])) ?? '', /\/id: must be string/);
  assert.equal(await wrong({ id: 'x' }, ['GET', '/changed']), undefined);
});

test('a body where none is declared is a breach', async () => {
  assert.equal(await wrong(undefined, ['DELETE', '/thing']), undefined);
  assert.match((await wrong({ thing }, ['DELETE', '/thing'])) ?? '', /has a body, where none is declared/);
});

test('the document has each type with a title once, the answers of actions together and one by one', () => {
  const document = openApiOf([service], 'v') as {
    paths: Record<
      string,
      Record<string, { responses: Record<string, { content?: { 'application/json': { schema: unknown } } }>; 'x-actions': Record<string, unknown>[] }>
    >;
    components: { schemas: Record<string, unknown> };
  };
  assert.deepEqual(Object.keys(document.components.schemas), ['Part', 'Thing']);
  const shown = document.paths['/t/v2.1/thing']?.['get']?.responses['200']?.content?.['application/json'].schema;
  assert.deepEqual(JSON.parse(JSON.stringify(shown)), { type: 'object', required: ['thing'], properties: { thing: { $ref: '#/components/schemas/Thing' } } });
  const action = document.paths['/t/v2.1/thing/action']?.['post'];
  assert.deepEqual(Object.keys(action?.responses ?? {}), ['200', '202', 'default']);
  assert.equal((action?.responses['200']?.content?.['application/json'].schema as { anyOf?: object[] } | undefined)?.anyOf?.length, 2);
  assert.deepEqual(
    action?.['x-actions'].map((each) => [each['action'], each['success'], each['answer'] !== undefined]),
    [
      ['a', 200, true],
      ['b', 200, true],
      ['c', 202, false],
    ],
  );
  const changed = document.paths['/t/v2.1/changed']?.['get']?.responses['200']?.content?.['application/json'].schema as { properties: { id: object } };
  assert.deepEqual(JSON.parse(JSON.stringify(changed.properties.id)), { type: 'string' });
});

test('a title that stands for two types is refused', () => {
  const other = op({ ...common, id: 't.other', method: 'GET', path: '/v2.1/other', answer: Type.Object({ size: Type.String() }, { title: 'Part' }) });
  assert.throws(() => openApiOf([{ ...service, operations: [...operations, other as unknown as AnyOperation] }], 'v'), /two types of answers are called Part/);
});
