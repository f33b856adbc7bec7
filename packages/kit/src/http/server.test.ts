import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Readable } from 'node:stream';
import Type from 'typebox';
import { systemClock } from '../clock/clock.ts';
import type { Context } from '../context/context.ts';
import { notFound } from '../errors/errors.ts';
import { systemIds } from '../ids/ids.ts';
import { silentLog } from '../log/log.ts';
import { ANYONE, type AnyOperation, operationsOf, Reply } from './operation.ts';
import { HttpServer } from './server.ts';
import type { HttpService } from './service.ts';

interface App {
  readonly greeting: string;
}
const op = operationsOf<App>();
const Body = Type.Object(
  { thing: Type.Object({ name: Type.String({ minLength: 1, maxLength: 5 }) }, { additionalProperties: false }) },
  { additionalProperties: false },
);
const operations = [
  op({ id: 't.version', method: 'GET', path: '/', summary: 'Version', policy: ANYONE, handle: (app) => ({ hello: app.greeting }) }),
  op({
    id: 't.thing.create',
    method: 'POST',
    path: '/v2.1/things',
    summary: 'Create',
    policy: 'things:create',
    success: 202,
    body: Body,
    handle: (_app, req) => ({ thing: { name: req.body.thing.name, project: req.ctx.projectId, at: req.version.text } }),
  }),
  op({
    id: 't.thing.get',
    method: 'GET',
    path: '/v2.1/things/{thing_id}',
    summary: 'Get',
    policy: 'things:get',
    handle: (_app, req) => {
      throw notFound(`Thing ${req.params.thing_id} could not be found.`);
    },
  }),
  op({ id: 't.old', method: 'GET', path: '/v2.1/old', summary: 'Old', policy: 'things:get', until: '2.10', handle: () => ({}) }),
  op({
    id: 't.act.a',
    method: 'POST',
    path: '/v2.1/things/{thing_id}/action',
    action: 'a',
    summary: 'A',
    policy: 'things:get',
    handle: () => new Reply(undefined, { status: 202 }),
  }),
  op({
    id: 't.act.b',
    method: 'POST',
    path: '/v2.1/things/{thing_id}/action',
    action: 'b',
    since: '2.5',
    summary: 'B',
    policy: 'things:admin',
    handle: () => 'done',
  }),
  op({
    id: 't.boom',
    method: 'GET',
    path: '/v2.1/boom',
    summary: 'Boom',
    policy: 'things:get',
    handle: () => {
      throw new TypeError('secret detail');
    },
  }),
  op({
    id: 't.data',
    method: 'PUT',
    path: '/v2.1/data',
    summary: 'Stream',
    policy: 'things:get',
    input: 'stream',
    handle: async (_app, req) => {
      let size = 0;
      for await (const c of req.stream) size += (c as Buffer).length;
      return { size };
    },
  }),
  op({
    id: 't.data.get',
    method: 'GET',
    path: '/v2.1/data',
    summary: 'Stream out',
    policy: 'things:get',
    handle: () => new Reply(Readable.from(['ab', 'cd']), { headers: { 'content-type': 'application/octet-stream' } }),
  }),
] as unknown as readonly AnyOperation[];
const service: HttpService<App> = {
  name: 't',
  type: 'compute',
  prefix: '/compute',
  classicPort: 0,
  app: { greeting: 'hi' },
  operations,
  policies: [
    { name: 'things:create', check: 'role:member' },
    { name: 'things:get', check: 'role:reader and project_id:%(project_id)s' },
    { name: 'things:admin', check: 'role:admin' },
  ],
  microversions: { serviceType: 'compute', min: '2.1', max: '2.20', fallback: '2.1', legacyHeader: 'X-OpenStack-Nova-API-Version' },
  bodyLimitBytes: 2_000,
  fault: (error) => ({ status: error.status, body: { badRequest: { code: error.status, message: error.message } } }),
};
const contexts: Record<string, Context> = {
  member: {
    requestId: 'r',
    userId: 'u',
    userName: 'u',
    userDomainId: 'default',
    userDomainName: 'Default',
    projectId: 'p',
    roles: ['member', 'reader'],
    methods: [],
    isAdminProject: false,
    expiresAtMs: 0,
  },
};
const server = new HttpServer({
  services: [service as HttpService],
  authenticate: async (token) => contexts[token],
  identityUrl: 'http://x',
  clock: systemClock,
  log: silentLog,
  ids: systemIds,
});
let base = '';
before(async () => {
  base = `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}/compute`;
});
after(() => server.close());
const call = async (method: string, path: string, options: { body?: unknown; headers?: Record<string, string>; anonymous?: boolean; raw?: string } = {}) => {
  const response = await fetch(base + path, {
    method,
    headers: { ...(!options.anonymous && { 'x-auth-token': 'member' }), 'content-type': 'application/json', ...options.headers },
    ...(options.raw !== undefined ? { body: options.raw } : options.body !== undefined ? { body: JSON.stringify(options.body) } : {}),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text.startsWith('{') ? JSON.parse(text) : text };
};

test('a version document needs no token', async () => assert.deepEqual((await call('GET', '/', { anonymous: true })).json, { hello: 'hi' }));
test('without a token: 401 that names keystone', async () => {
  const r = await call('GET', '/v2.1/things/x', { anonymous: true });
  assert.equal(r.status, 401);
  assert.equal(r.headers.get('www-authenticate'), 'Keystone uri="http://x"');
});
test('identity headers from outside mean nothing', async () =>
  assert.equal(
    (await call('GET', '/v2.1/things/x', { anonymous: true, headers: { 'x-roles': 'admin', 'x-user-id': 'u', 'x-identity-status': 'Confirmed' } })).status,
    401,
  ));
test('a valid body reaches the handler with the settled microversion', async () => {
  const r = await call('POST', '/v2.1/things', { body: { thing: { name: 'abc' } }, headers: { 'openstack-api-version': 'volume 3.1, compute 2.7' } });
  assert.equal(r.status, 202);
  assert.deepEqual(r.json, { thing: { name: 'abc', project: 'p', at: '2.7' } });
  assert.match(r.headers.get('x-openstack-request-id') ?? '', /^req-[0-9a-f-]{36}$/);
});
for (const [what, raw, pattern] of [
  ['too long a name', '{"thing":{"name":"abcdef"}}', /name.*too long/],
  ['an unknown field', '{"thing":{"name":"a","x":1}}', /'x' was unexpected/],
  ['a wrong type', '{"thing":{"name":5}}', /5 is not of type 'string'/],
  ['a missing field', '{"thing":{}}', /'name' is a required property/],
  ['malformed JSON', '{"thing":', /Malformed request body/],
  ['an empty body', '', /Malformed request body/],
  ['a NUL', '{"thing":{"name":"a\\u0000"}}', /NUL/],
] as const)
  test(`${what} is a 400 that says so`, async () => {
    const r = await call('POST', '/v2.1/things', { raw });
    assert.equal(r.status, 400);
    assert.match(r.json.badRequest.message, pattern);
  });
test('an oversized body is a 413', async () => assert.equal((await call('POST', '/v2.1/things', { raw: `{"x":"${'a'.repeat(3_000)}"}` })).status, 413));
test('microversions: nonsense 400, outside 406, latest works, operations end', async () => {
  const at = (v: string) => call('GET', '/v2.1/old', { headers: { 'x-openstack-nova-api-version': v } });
  assert.deepEqual(await Promise.all(['2.10', '2.11', 'latest', '2.x', '2.21', '3.0'].map(async (v) => (await at(v)).status)), [200, 404, 404, 400, 406, 406]);
});
test('actions are chosen by the body key and its version', async () => {
  const act = async (body: unknown, v = '2.1') =>
    (await call('POST', '/v2.1/things/1/action', { body, headers: { 'openstack-api-version': `compute ${v}` } })).status;
  assert.deepEqual(
    [await act({ a: null }), await act({ b: null }), await act({ b: null }, '2.5'), await act({ c: 1 }), await act([1]), await act({ a: 1, b: 2 }, '2.5')],
    [202, 404, 403, 400, 400, 400],
  );
});
test('an unknown path is 404, an unknown method 405 with Allow', async () => {
  assert.equal((await call('GET', '/v2.1/nothing')).status, 404);
  const r = await call('DELETE', '/v2.1/things');
  assert.equal(r.status, 405);
  assert.equal(r.headers.get('allow'), 'POST');
});
test('an unexpected error is a 500 that gives nothing away', async () => {
  const r = await call('GET', '/v2.1/boom');
  assert.equal(r.status, 500);
  assert.doesNotMatch(JSON.stringify(r.json), /secret/);
});
test('bodies stream in and out', async () => {
  assert.deepEqual((await call('PUT', '/v2.1/data', { raw: 'x'.repeat(5_000_000), headers: { 'content-type': 'application/octet-stream' } })).json, {
    size: 5_000_000,
  });
  assert.equal((await call('GET', '/v2.1/data')).json, 'abcd');
});
test('the same operation answers from inside the process', async () => {
  const r = await server.dispatch({ service: 't', method: 'POST', url: '/v2.1/things', ctx: contexts.member as Context, body: { thing: { name: 'in' } } });
  assert.equal(r.status, 202);
  assert.deepEqual(r.body, { thing: { name: 'in', project: 'p', at: '2.1' } });
});
test('an operation whose rule does not exist stops the start', () => {
  const bad = { ...service, operations: [{ ...(operations[2] as object), policy: 'nope' }] } as unknown as HttpService;
  assert.throws(
    () => new HttpServer({ services: [bad], authenticate: async () => undefined, identityUrl: '', clock: systemClock, log: silentLog, ids: systemIds }),
    /nope, which does not exist/,
  );
});
