import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type Server, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../process/run.ts';
import { listenIn } from '../metadata/listen.ts';
import { cannotRun } from '../testing/machine.ts';
import { handedSocket } from './handed-socket.ts';

const netns = `t${randomBytes(4).toString('hex')}-handed`;
const skip = cannotRun;

before(async () => {
  if (skip) return;
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
});
after(() => (skip ? undefined : run('ip', ['netns', 'del', netns])));

/**
 * Keeps this process busy while a helper does its work. When it comes to itself it first learns which processes have ended (it was told of another
 * one's end before), and then what they sent: on a loaded machine it happens once in some hundred times.
 */
async function busyWhile<T>(work: () => Promise<T>): Promise<T> {
  const busy = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  const given = work();
  const other = spawn('echo', ['done'], { stdio: ['ignore', 'pipe', 'ignore'] });
  other.stdout.once('data', () => busy(2000));
  busy(100);
  return await given;
}
const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    // what is handed over becomes a server's by listening
    const own = createServer().listen(server, () => own.close(() => resolve()));
  });

test('a listener is handed over to a process that was busy meanwhile, and its port is free when it is closed', { skip }, async () => {
  for (let i = 0; i < 3; i += 1) {
    await closed(await busyWhile(() => listenIn(netns, '127.0.0.1', 8080)));
  }
});

test('a helper that ends after it sent its socket leaves the port to the next', { skip }, async () => {
  const hasty = `process.on('message', ({ port }) => setTimeout(() => {
    const server = require('node:net').createServer();
    server.listen(port, '127.0.0.1', () => process.send({ ok: true }, server, { keepOpen: false }, () => process.exit(0)));
  }, 300));`;
  for (let i = 0; i < 3; i += 1) {
    await busyWhile(() => handedSocket<Server>(netns, hasty, { port: 8081 })).then(closed, () => undefined);
    // one that was not waited for any more is closed as it comes
    for (let tries = 0; ; tries += 1) {
      try {
        await closed(await listenIn(netns, '127.0.0.1', 8081));
        break;
      } catch (error) {
        if (tries === 20) throw error;
        await sleep(100);
      }
    }
  }
});

test('what keeps a socket from being opened is told', { skip }, async () => {
  await assert.rejects(listenIn(netns, '192.0.2.1', 80), /cannot listen in \S+: EADDRNOTAVAIL/);
  await assert.rejects(handedSocket(netns, 'process.exit(3)', {}), /ended with status 3/);
});
