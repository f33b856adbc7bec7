import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { admin, member, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let port = 0;
before(async () => {
  cloud = await TestCloud.open({ hosts: [{ name: 'h1' }] });
  port = await cloud.http.listen('127.0.0.1', 0);
});
after(async () => {
  await cloud.http.close();
  await cloud.close();
});

const ask = (id: string, protocol: string, type: string, ctx = member(), version?: string) =>
  cloud.request(ctx, 'POST', `/servers/${id}/remote-consoles`, { remote_console: { protocol, type } }, version);
const message = (answer: { body: Record<string, { message: string }> }): string => Object.values(answer.body)[0]?.message ?? '';
/** The path and query of the WebSocket that a display's link leads to. */
const socketPath = (url: string): string => `/${new URL(url).searchParams.get('path')}`;

/** A viewer that can be asked for one message after another. */
async function view(
  path: string,
  options: { readonly origin?: string } = {},
): Promise<{ next(): Promise<Buffer>; send(data: Buffer): void; close(): void; protocol: string }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, ['binary'], options);
  const messages: Buffer[] = [];
  const waiting: ((data: Buffer) => void)[] = [];
  socket.on('message', (data) => {
    const waiter = waiting.shift();
    if (waiter === undefined) messages.push(data as Buffer);
    else waiter(data as Buffer);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, response) => reject(new Error(`refused ${response.statusCode}`)));
    socket.once('error', reject);
  });
  return {
    protocol: socket.protocol,
    next: async () => messages.shift() ?? (await new Promise<Buffer>((resolve) => waiting.push(resolve))),
    send: (data) => socket.send(data),
    close: () => socket.terminate(),
  };
}

test('a display speaks RFB through a link that opens it once', async () => {
  const id = await cloud.create(member());
  const answer = await ask(id, 'vnc', 'novnc');
  assert.equal(answer.status, 200);
  const { url, protocol, type } = answer.body.remote_console;
  assert.deepEqual([protocol, type], ['vnc', 'novnc']);
  const page = await fetch(`http://127.0.0.1:${port}${new URL(url).pathname}`);
  const html = await page.text();
  assert.equal(page.status, 200);
  assert.match(html, /<html.*>[\s\S]*noVNC[\s\S]*<script[\s\S]*<\/html>/);
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/);
  const script = await fetch(`http://127.0.0.1:${port}/compute/console/novnc/core/rfb.js`);
  assert.equal(script.status, 200);
  for (const path of ['core/nothing.js', 'package.json', 'core/%2e%2e/package.json', 'core/../../ws/index.js']) {
    assert.equal((await fetch(`http://127.0.0.1:${port}/compute/console/novnc/${path}`)).status < 400, false, path);
  }
  const path = socketPath(url);
  const viewer = await view(path, { origin: `http://127.0.0.1:${port}` });
  assert.equal(viewer.protocol, 'binary');
  assert.equal((await viewer.next()).toString(), 'RFB 003.008\n');
  viewer.send(Buffer.from('RFB 003.008\n'));
  assert.deepEqual([...(await viewer.next())], [1, 1]);
  viewer.send(Buffer.from([1]));
  assert.deepEqual([...(await viewer.next())], [0, 0, 0, 0]);
  viewer.send(Buffer.from([1]));
  const init = await viewer.next();
  assert.equal(init.readUInt32BE(20) + 24, init.length);
  viewer.close();
  await assert.rejects(view(path), /refused 403/, 'used up');
});

test('a serial line shows its log and takes what is typed', async () => {
  const id = await cloud.create(member());
  const { remote_console: made } = (await ask(id, 'serial', 'serial')).body;
  const url = new URL(made.url);
  assert.equal(url.protocol, 'ws:');
  const viewer = await view(url.pathname + url.search);
  assert.match((await viewer.next()).toString(), /login:/);
  viewer.send(Buffer.from('root\n'));
  assert.equal((await viewer.next()).toString(), 'root\n');
  viewer.close();
});

test('a console is refused to foreign pages, with bad passes, and past its time', async () => {
  const id = await cloud.create(member());
  const path = async () => socketPath((await ask(id, 'vnc', 'novnc')).body.remote_console.url);
  await assert.rejects(view(await path(), { origin: 'http://evil.example' }), /refused 403/);
  await assert.rejects(view((await path()).replace('token=', 'token=bad')), /refused 403/);
  await assert.rejects(view((await path()).replace('websockify', 'serial')), /refused 403/, 'a pass is for one kind');
  await assert.rejects(view('/compute/console/other'), /refused 404/);
  const old = await path();
  await cloud.store.write(async (tx) => {
    await tx.kysely
      .updateTable('nova_console_token' as never)
      .set({ expires_at_ms: 1 } as never)
      .execute();
  });
  await assert.rejects(view(old), /refused 403/);
  const stopped = await path();
  await cloud.ok(member(), 'POST', `/servers/${id}/action`, { 'os-stop': null });
  await cloud.settle();
  await assert.rejects(view(stopped), /refused 409/);
});

test("what has no console here is refused in upstream's words", async () => {
  const id = await cloud.create(member());
  const cases: readonly (readonly [string, string, string, number, string])[] = [
    ['spice', 'spice-html5', '2.96', 400, 'Unavailable console type spice-html5.'],
    ['mks', 'webmks', '2.96', 400, 'Unavailable console type webmks.'],
    ['rdp', 'rdp-html5', '2.96', 400, 'Unavailable console type rdp.'],
    ['vnc', 'serial', '2.96', 400, 'Invalid console type serial'],
    ['vnc', 'xvpvnc', '2.6', 400, 'Invalid console type xvpvnc'],
  ];
  for (const [protocol, type, version, status, words] of cases) {
    const answer = await ask(id, protocol, type, member(), version);
    assert.deepEqual([answer.status, message(answer)], [status, words], `${protocol} ${type}`);
  }
  assert.equal((await ask(id, 'mks', 'webmks', member(), '2.7')).status, 400, 'no protocol before 2.8');
  assert.equal((await ask(id, 'vnc', 'novnc', stranger())).status, 404);
  assert.equal((await ask(id, 'vnc', 'novnc', member(), '2.5')).status, 404);
  const old = await cloud.request(member(), 'POST', `/servers/${id}/action`, { 'os-getVNCConsole': { type: 'novnc' } }, '2.5');
  assert.deepEqual([old.status, old.body.console.type], [200, 'novnc']);
  assert.equal((await cloud.request(member(), 'POST', `/servers/${id}/action`, { 'os-getRDPConsole': { type: 'rdp-html5' } }, '2.5')).status, 410);
});

test('administrators see what a pass opens until it is used', async () => {
  const id = await cloud.create(member());
  const path = socketPath((await ask(id, 'vnc', 'novnc')).body.remote_console.url);
  const token = new URLSearchParams(path.split('?')[1]).get('token') as string;
  const shown = await cloud.request(admin(), 'GET', `/os-console-auth-tokens/${token}`);
  assert.deepEqual(shown.body, { console: { instance_uuid: id, host: 'h1', port: 0, internal_access_path: null } });
  assert.equal((await cloud.request(member(), 'GET', `/os-console-auth-tokens/${token}`)).status, 403);
  assert.equal((await cloud.request(admin(), 'GET', `/os-console-auth-tokens/${token}`, undefined, '2.30')).status, 400);
  (await view(path)).close();
  assert.equal((await cloud.request(admin(), 'GET', `/os-console-auth-tokens/${token}`)).status, 404);
  // the text of a pass is not in the database
  const rows = await cloud.store.read.kysely
    .selectFrom('nova_console_token' as never)
    .selectAll()
    .execute();
  assert.equal(JSON.stringify(rows).includes(token), false);
});

test('a path that ends where an id should be is nowhere', async () => {
  for (const [path, status] of [
    ['/compute/v2.1/', 200],
    ['/compute/', 300],
    ['/compute/v2.1/os-volumes/', 401],
  ] as const) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    assert.ok(answer.status === status || (status === 300 && answer.status === 200), `${path}: ${answer.status}`);
  }
});
