import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { Qmp, QmpClosed, QmpError, type QmpEvent, QmpTimeout } from './qmp.ts';

const GREETING = '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}\r\n';

/** A QMP server whose answers the test writes. */
async function fake(
  t: TestContext,
  answer: (command: { execute: string; arguments?: unknown; id: number }, socket: net.Socket) => void,
  greeting = GREETING,
): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-qmp-'));
  const path = join(dir, 'q');
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(greeting);
    let buffered = '';
    socket.on('data', (chunk) => {
      buffered += chunk;
      for (let k = buffered.indexOf('\n'); k >= 0; k = buffered.indexOf('\n')) {
        const command = JSON.parse(buffered.slice(0, k));
        buffered = buffered.slice(k + 1);
        if (command.execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${command.id}}\r\n`);
        else answer(command, socket);
      }
    });
  });
  await new Promise<void>((r) => server.listen(path, r));
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((r) => server.close(r));
    await rm(dir, { recursive: true, force: true });
  });
  return path;
}

const connect = async (t: TestContext, path: string): Promise<Qmp> => {
  const qmp = await Qmp.connect(path, { clock: systemClock, timeoutMs: 2000 });
  t.after(() => qmp.close());
  return qmp;
};

test('commands sent together are answered each with its own answer', async (t) => {
  const qmp = await connect(
    t,
    await fake(t, (c, s) => setTimeout(() => s.write(`${JSON.stringify({ return: { echo: c.arguments }, id: c.id })}\r\n`), c.id % 2 ? 10 : 1)),
  );
  const answers = await Promise.all([1, 2, 3, 4].map((n) => qmp.execute<{ echo: { n: number } }>('x', { n })));
  assert.deepEqual(
    answers.map((a) => a.echo.n),
    [1, 2, 3, 4],
  );
});

test('a refusal is a QmpError with its class', async (t) => {
  const qmp = await connect(t, await fake(t, (c, s) => s.write(`{"id": ${c.id}, "error": {"class": "DeviceNotFound", "desc": "Device 'x' not found"}}\r\n`)));
  await assert.rejects(
    qmp.execute('device_del', { id: 'x' }),
    (e) => e instanceof QmpError && e.className === 'DeviceNotFound' && e.message === "device_del: Device 'x' not found",
  );
});

test('messages cut anywhere, even inside a character, are put together again', async (t) => {
  const text = 'é😀ü';
  const qmp = await connect(
    t,
    await fake(t, async (c, s) => {
      for (const byte of Buffer.from(
        `{"event":"E","data":{"t":"${text}"},"timestamp":{"seconds":5,"microseconds":7000}}\r\n{"return":"${text}","id":${c.id}}\r\n`,
      )) {
        s.write(Buffer.from([byte]));
        await new Promise((r) => setImmediate(r));
      }
    }),
  );
  const events: QmpEvent[] = [];
  qmp.onEvent((e) => events.push(e));
  assert.equal(await qmp.execute('x'), text);
  assert.deepEqual(events, [{ event: 'E', data: { t: text }, atMs: 5007 }]);
});

test('the end of the process fails what is asked, what is waited for, and what is asked later', async (t) => {
  const qmp = await connect(t, await fake(t, (_, s) => s.destroy()));
  const closed = new Promise<Error>((r) => qmp.onClose(r));
  const waiting = qmp.waitFor(() => true, 5000);
  await assert.rejects(qmp.execute('quit'), QmpClosed);
  await assert.rejects(waiting, QmpClosed);
  assert.ok((await closed) instanceof QmpClosed);
  await assert.rejects(qmp.execute('query-status'), QmpClosed);
  let late = 0;
  qmp.onClose(() => late++);
  assert.equal(late, 1);
});

test('a connection that is reset is closed, not an uncaught error', async (t) => {
  // A peer that closes with unread data in its buffer resets the connection, as QEMU does on `quit`.
  const qmp = await connect(
    t,
    await fake(t, (_, s) => {
      s.pause();
      setTimeout(() => s.destroy(), 30);
    }),
  );
  const quit = qmp.execute('quit');
  await new Promise((r) => setTimeout(r, 10));
  const unread = qmp.execute('query-status', { much: 'x'.repeat(1 << 20) });
  await assert.rejects(quit, QmpClosed);
  await assert.rejects(unread, (e) => e instanceof QmpClosed && /^(ECONNRESET|EPIPE)$/.test(String((e.cause as NodeJS.ErrnoException | undefined)?.code)));
});

test('silence ends in a timeout, and the late answer disturbs nobody', async (t) => {
  let late: (() => void) | undefined;
  const qmp = await connect(
    t,
    await fake(t, (c, s) => {
      if (c.execute === 'slow') late = () => s.write(`{"return": "late", "id": ${c.id}}\r\n`);
      else s.write(`{"return": "ok", "id": ${c.id}}\r\n`);
    }),
  );
  await assert.rejects(qmp.execute('slow', undefined, 30), QmpTimeout);
  late?.();
  assert.equal(await qmp.execute('next'), 'ok');
});

test('waiting for an event: found, timed out, aborted', async (t) => {
  const qmp = await connect(
    t,
    await fake(t, (c, s) => s.write(`{"event":"A","timestamp":{}}\r\n{"event":"B","data":{"device":"d"},"timestamp":{}}\r\n{"return":{},"id":${c.id}}\r\n`)),
  );
  const wait = qmp.waitFor((e) => e.event === 'B' && e.data.device === 'd', 1000);
  await qmp.execute('go');
  assert.equal((await wait)?.event, 'B');
  assert.equal(await qmp.waitFor((e) => e.event === 'C', 20), undefined);
  const abort = new AbortController();
  const aborted = qmp.waitFor(() => false, 5000, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
});

test('connecting waits for the socket to appear, and stops when it is hopeless', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-qmp-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, 'late');
  const server = net.createServer((s) => {
    s.write(GREETING);
    s.on('data', (d) => s.write(`{"return":{},"id":${JSON.parse(String(d)).id}}\r\n`));
  });
  t.after(() => new Promise((r) => server.close(r)));
  setTimeout(() => server.listen(path), 60);
  (await Qmp.connect(path, { clock: systemClock, timeoutMs: 3000 })).close();
  await assert.rejects(Qmp.connect(join(dir, 'never'), { clock: systemClock, timeoutMs: 40 }), QmpTimeout);
  let asked = 0;
  await assert.rejects(Qmp.connect(join(dir, 'never'), { clock: systemClock, hopeless: () => (++asked > 3 ? new Error('it ended') : undefined) }), /it ended/);
});

test('what is not JSON ends the conversation', async (t) => {
  const qmp = await connect(t, await fake(t, (_, s) => s.write('{"return": \r\n')));
  await assert.rejects(qmp.execute('x'), /not JSON/);
  assert.ok(qmp.closed);
});
