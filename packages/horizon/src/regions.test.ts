import assert from 'node:assert/strict';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import Fastify from 'fastify';
import { baseOf, endpointOf, leadsOut, Regions } from './regions.ts';

const endpoint = (region: string, url: string, kind = 'public') => ({ interface: kind, region, url });

test('an endpoint without its version is the base of its service', () => {
  for (const [url, base] of [
    ['https://south.example/volume/v3/0123', 'https://south.example/volume'],
    ['https://south.example:8774/v2.1', 'https://south.example:8774'],
    ['https://south.example/network', 'https://south.example/network'],
    ['https://south.example/', 'https://south.example'],
    ['https://south.example/v1-cloud/compute/v2.1', 'https://south.example/v1-cloud/compute'],
    ['https://ann:secret@south.example/network', undefined],
    ['file:///etc/passwd', undefined],
    ['javascript:alert(1)', undefined],
    ['nonsense', undefined],
  ] as const)
    assert.equal(baseOf(url), base, url);
});

test('a service is where the catalog has it in the region, to the public', () => {
  const catalog = [
    { type: 'volumev3', endpoints: [endpoint('south', 'https://old.example/v3')] },
    { type: 'block-storage', endpoints: [endpoint('south', 'https://inner.example/v3', 'internal'), endpoint('south', 'https://south.example/volume/v3')] },
    { type: 'object-store', endpoints: [endpoint('south', 'https://south.example/v1')] },
  ];
  assert.equal(endpointOf(catalog, 'south', 'volume'), 'https://south.example/volume');
  for (const [region, service] of [
    ['north', 'volume'],
    ['south', 'object-store'],
    ['south', 'compute'],
    ['south', 'constructor'],
  ] as const)
    assert.equal(endpointOf(catalog, region, service), undefined, service);
});

test('no path leads out of the service, however it is written', () => {
  for (const path of [
    '/..',
    '/../x',
    '/v2.1/./x',
    '/v2/%2e%2E/x',
    '/v2/..%2fx',
    '/v2/%2e%2e%2fx',
    '/..\\x',
    '/%252e%252e/x',
    '/%zz/%2e%2e/%2e%2e',
    '/x%5c..%5cy',
    '/..?a=b',
  ])
    assert.equal(leadsOut(path), true, path);
  for (const path of ['/', '/v2.1/servers/detail?name=..', '/v2.1/servers/1/tags/a..b', '/v2.1/os-keypairs/100%25', '//evil.example/', '/v2/...', '/%'])
    assert.equal(leadsOut(path), false, path);
});

test('a request goes on with the token alone, comes back without cookies, and is not led elsewhere', async () => {
  const seen: { url: string; headers: unknown; body: string }[] = [];
  const south = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      seen.push({ url: request.url ?? '', headers: request.headers, body });
      if (request.url?.endsWith('/away')) return response.writeHead(302, { location: 'https://evil.example/' }).end();
      response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': 'a=b', 'x-subject-token': 't', 'x-openstack-request-id': 'req-1' });
      response.end('{"network":{}}');
    });
  });
  await new Promise<void>((resolve) => south.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(south.address() as AddressInfo).port}/deep/network/v2.0`;
  let calls = 0;
  const regions = new Regions(
    async ({ token }) => {
      calls += 1;
      return { status: token === 'good' ? 200 : 401, headers: {}, body: { catalog: [{ type: 'network', endpoints: [endpoint('south', url)] }] } };
    },
    () => 0,
  );
  const fastify = Fastify();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
  let path = '/v2.0/networks?limit=1';
  fastify.route({
    method: ['POST', 'DELETE'],
    url: '/',
    handler: (request, reply) =>
      regions.pass(request.raw, reply, String(request.headers['x-token']), { region: String(request.headers['x-region']), service: 'network', path }),
  });
  const front = await fastify.listen({ host: '127.0.0.1', port: 0 });
  const post = (token = 'good', region = 'south') =>
    fetch(front, {
      method: 'POST',
      headers: { 'x-token': token, 'x-region': region, cookie: 'cairn_console=good', 'content-type': 'application/json', 'x-openstack-request-id': 'req-9' },
      body: '{"network":{"name":"n"}}',
      redirect: 'manual',
    });
  /** A method that has no body as a rule, with one that looks like a request. */
  const smuggle = () =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'x-token': 'good', 'x-region': 'south', 'transfer-encoding': 'chunked' };
      const sent = send(front, { method: 'DELETE', headers }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
      sent.on('error', reject).end('GET /secret HTTP/1.1\r\nhost: south\r\n\r\n');
    });
  try {
    const answer = await post();
    assert.deepEqual([answer.status, await answer.text()], [201, '{"network":{}}']);
    assert.deepEqual(
      ['set-cookie', 'x-subject-token', 'x-openstack-request-id', 'cache-control'].map((name) => answer.headers.get(name)),
      [null, null, 'req-1', 'no-store'],
    );
    const { url: asked, headers, body } = seen[0] as { url: string; headers: Record<string, string>; body: string };
    assert.deepEqual([asked, body], ['/deep/network/v2.0/networks?limit=1', '{"network":{"name":"n"}}']);
    assert.deepEqual(
      ['x-auth-token', 'cookie', 'x-token', 'content-type', 'x-openstack-request-id'].map((name) => headers[name]),
      ['good', undefined, undefined, 'application/json', 'req-9'],
    );
    assert.equal((await post('bad')).status, 401);
    assert.equal((await post('good', 'north')).status, 404);
    assert.equal(calls, 2, 'the catalog of a token is kept for a while');
    assert.equal(await smuggle(), 201);
    assert.deepEqual(
      seen.slice(1).map((one) => [one.url, one.body.slice(0, 11)]),
      [['/deep/network/v2.0/networks?limit=1', 'GET /secret']],
      'a body stays one',
    );
    for (path of ['//evil.example/x', '/@evil.example/', '/\\evil.example/']) assert.equal((await post()).status, 201, path);
    assert.deepEqual(
      seen.slice(2).map((one) => one.url),
      ['/deep/network//evil.example/x', '/deep/network/@evil.example/', '/deep/network//evil.example/'],
      'the host is that of the catalog',
    );
    path = '/v2.0/away';
    const led = await post();
    assert.deepEqual([led.status, led.headers.get('location')], [502, null]);
    const before = seen.length;
    for (path of ['/../../secret', '/%2e%2e/x', '/..%2fx']) assert.equal((await post()).status, 400, path);
    assert.equal(seen.length, before);
  } finally {
    await fastify.close();
    south.closeAllConnections();
    south.close();
  }
});
