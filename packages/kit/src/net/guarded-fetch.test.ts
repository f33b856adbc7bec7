import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { defaultFetchPolicy, FetchGuard, type Resolve } from './fetch-policy.ts';
import { guardedFetch } from './guarded-fetch.ts';

const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});
/** A web server on loopback; its port, and the requests that it got. */
async function serve(listener: RequestListener, address = '127.0.0.1'): Promise<{ port: number; got: IncomingMessage[] }> {
  const got: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    got.push(request);
    listener(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return { port: (server.address() as AddressInfo).port, got };
}
const local: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
/** Lets through to loopback, on these ports. */
const guard = (ports: readonly number[], resolve: Resolve = local, networks = ['127.0.0.1/32']): FetchGuard =>
  new FetchGuard({ ...defaultFetchPolicy, allowedPorts: ports, allowedNetworks: networks }, resolve);
const text = async (stream: Readable): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};
const kind = (wanted: string) => (error: unknown) => (error as { kind?: string }).kind === wanted;

test('it fetches, and says how much there is', async () => {
  const { port, got } = await serve((_request, response) => response.writeHead(200, { 'content-length': '5' }).end('hello'));
  const answer = await guardedFetch(guard([port]), `http://mirror.example:${port}/a?b=c#d`);
  assert.equal(answer.status, 200);
  assert.equal(answer.sizeBytes, 5);
  assert.equal(await text(answer.stream), 'hello');
  assert.equal(got[0]?.url, '/a?b=c');
  assert.equal(got[0]?.headers.host, `mirror.example:${port}`);
  const head = await guardedFetch(guard([port]), `http://mirror.example:${port}/`, { method: 'HEAD' });
  assert.equal(head.sizeBytes, 5);
  assert.equal(await text(head.stream), '');
});

test('a name that changes its mind after it was judged gains nothing', async () => {
  const inside = await serve((_request, response) => response.end('secret'));
  const outside = await serve((_request, response) => response.end('public'), '127.0.0.2');
  let asked = 0;
  // the first answer may be reached, any later one may not
  const rebinding: Resolve = async () => [{ address: asked++ === 0 ? '127.0.0.2' : '127.0.0.1', family: 4 }];
  const both = guard([inside.port, outside.port], rebinding, ['127.0.0.2/32']);
  const answer = await guardedFetch(both, `http://rebind.example:${outside.port}/`);
  assert.equal(await text(answer.stream), 'public');
  assert.equal(asked, 1, 'the name is resolved once');
  await assert.rejects(guardedFetch(both, `http://rebind.example:${inside.port}/`), kind('InvalidInput'));
  assert.equal(inside.got.length, 0);
});

test('every redirect is judged, and there are not too many', async () => {
  const inside = await serve((_request, response) => response.end('secret'));
  let to = '';
  const { port } = await serve((request, response) => {
    if (request.url === '/end') response.end('end');
    else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else if (request.url === '/twice') response.writeHead(301, { location: '/once' }).end();
    else if (request.url === '/once') response.writeHead(307, { location: 'end' }).end();
    else response.writeHead(302, { location: to }).end();
  });
  const g = guard([port]);
  assert.equal(await text((await guardedFetch(g, `http://127.0.0.1:${port}/twice`)).stream), 'end');
  await assert.rejects(guardedFetch(g, `http://127.0.0.1:${port}/loop`), /redirects too often/);
  await assert.rejects(guardedFetch(g, `http://127.0.0.1:${port}/once`, { maxRedirects: 0 }), /redirects too often/);
  for (to of [
    `http://127.0.0.1:${inside.port}/`,
    `//127.0.0.1:${inside.port}/`,
    `\\\\127.0.0.1:${inside.port}/`,
    `http://user@127.0.0.1:${port}/end`,
    `http://2130706433:${port}/end`,
    `http://0x7f.1:${port}/end`,
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'http://[::1]/',
    'http://',
  ])
    await assert.rejects(guardedFetch(g, `http://127.0.0.1:${port}/x`), kind('InvalidInput'), to);
  assert.equal(inside.got.length, 0);
});

test('headers go to the first origin alone', async () => {
  const second = await serve((_request, response) => response.end('there'));
  const first = await serve((request, response) => {
    if (request.url === '/here') response.writeHead(302, { location: '/end' }).end();
    else if (request.url === '/end') response.end('here');
    else response.writeHead(302, { location: `http://127.0.0.1:${second.port}/` }).end();
  });
  const g = guard([first.port, second.port]);
  const headers = { 'x-auth-token': 'secret' };
  await text((await guardedFetch(g, `http://127.0.0.1:${first.port}/here`, { headers })).stream);
  assert.equal(first.got[1]?.headers['x-auth-token'], 'secret');
  await text((await guardedFetch(g, `http://127.0.0.1:${first.port}/away`, { headers })).stream);
  assert.equal(second.got.length, 1);
  assert.equal(second.got[0]?.headers['x-auth-token'], undefined);
  assert.equal(second.got[0]?.headers.cookie, undefined);
});

test('what is too long, too slow or broken off ends with an error', async () => {
  const { port } = await serve((request, response) => {
    if (request.url === '/long') response.writeHead(200, { 'content-length': '1000000' }).end(Buffer.alloc(1_000_000));
    else if (request.url === '/endless') {
      response.writeHead(200);
      const timer = setInterval(() => response.write(Buffer.alloc(10_000)), 1);
      response.once('close', () => clearInterval(timer));
    } else if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setTimeout(() => response.destroy(), 20);
    } else if (request.url === '/mute') response.writeHead(200).write('x');
    else if (request.url === '/missing') response.writeHead(404).end();
    else if (request.url === '/broken') response.writeHead(500).end();
    // '/never' is not answered
  });
  const g = guard([port]);
  const at = (path: string): string => `http://127.0.0.1:${port}${path}`;
  await assert.rejects(guardedFetch(g, at('/long'), { maxBytes: 999_999 }), kind('TooLarge'));
  await assert.rejects(async () => text((await guardedFetch(g, at('/endless'), { maxBytes: 100_000 })).stream), kind('TooLarge'));
  await assert.rejects(async () => text((await guardedFetch(g, at('/cut'))).stream), kind('Unavailable'));
  await assert.rejects(async () => text((await guardedFetch(g, at('/mute'), { idleTimeoutMs: 50 })).stream), kind('Unavailable'));
  await assert.rejects(guardedFetch(g, at('/never'), { answerTimeoutMs: 50 }), kind('Unavailable'));
  await assert.rejects(async () => text((await guardedFetch(g, at('/endless'), { deadlineMs: 50 })).stream), kind('Unavailable'));
  await assert.rejects(guardedFetch(g, at('/missing')), kind('InvalidInput'));
  await assert.rejects(guardedFetch(g, at('/broken')), kind('Unavailable'));
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error('cancelled')), 20);
  await assert.rejects(guardedFetch(g, at('/never'), { signal: abort.signal }), /cancelled/);
  await assert.rejects(guardedFetch(guard([1]), 'http://127.0.0.1:1/'), kind('Unavailable'), 'nobody listens');
});

test('https: certificates are verified, and a redirect does not give the protection away', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-tls-'));
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=mirror.example',
        '-addext',
        'subjectAltName=DNS:mirror.example',
        '-keyout',
        join(folder, 'key'),
        '-out',
        join(folder, 'cert'),
      ],
      { stdio: 'ignore' },
    );
  } catch {
    t.skip('openssl is not there');
    return;
  }
  const [key, cert] = [readFileSync(join(folder, 'key'), 'utf8'), readFileSync(join(folder, 'cert'), 'utf8')];
  rmSync(folder, { recursive: true });
  const plain = await serve((_request, response) => response.end('plain'));
  const server = createTlsServer({ key, cert }, (request, response) => {
    if (request.url === '/down') response.writeHead(302, { location: `http://127.0.0.1:${plain.port}/` }).end();
    else response.end('safe');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const g = guard([port, plain.port]);
  assert.equal(await text((await guardedFetch(g, `https://mirror.example:${port}/`, { ca: cert })).stream), 'safe');
  await assert.rejects(guardedFetch(g, `https://mirror.example:${port}/`), kind('Unavailable'), 'an unknown authority');
  await assert.rejects(guardedFetch(g, `https://other.example:${port}/`, { ca: cert }), kind('Unavailable'), 'a name that the certificate has not');
  await assert.rejects(guardedFetch(g, `https://mirror.example:${port}/down`, { ca: cert }), /without protection/);
  assert.equal(plain.got.length, 0);
});
