import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../clock/clock.ts';
import { CairnError, conflict, invalidInput, isCairnError } from '../errors/errors.ts';
import { silentLog } from '../log/log.ts';
import type { Bus } from './bus.ts';
import { InProcessBus } from './inprocess.ts';
import { connectNatsBus } from './nats.ts';
import { type NatsTestServer, natsServerPath, startNatsServer } from './nats-testing.ts';

interface Sides {
  /** Two ends of one bus; the same object in process. */
  caller(): Bus;
  host(): Bus;
}

const unavailable = (error: unknown): boolean => isCairnError(error, 'Unavailable');

/** What every bus does. */
function suite(sides: Sides): void {
  test('a call reaches the host that it names, and its result comes back', async () => {
    const [one, two] = await Promise.all([
      sides.host().serve('host-1', async (method, args) => ({ at: 1, method, args })),
      sides.host().serve('host 2.*.> ünïcode', async (method, args) => ({ at: 2, method, args })),
    ]);
    assert.deepEqual(await sides.caller().call('host-1', 'guests.start', ['a', { b: [1, null] }]), {
      at: 1,
      method: 'guests.start',
      args: ['a', { b: [1, null] }],
    });
    assert.deepEqual(await sides.caller().call('host 2.*.> ünïcode', 'x', []), { at: 2, method: 'x', args: [] });
    await Promise.all([one.stop(), two.stop()]);
  });

  test('plain data of every kind arrives as it was', async () => {
    const served = await sides.host().serve('plain', async (_method, args) => args[0]);
    const values = [
      undefined,
      null,
      0,
      -1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      '',
      'ü\u0000\ud83d\ude00',
      true,
      12345678901234567890n,
      new Uint8Array([0, 1, 255]),
      new Date(1700000000123),
      [[], {}, [undefined]],
      { $: 'x', v: 1 },
      { a: { $: { $: 1 } } },
      JSON.parse('{"__proto__": {"polluted": true}}') as unknown,
    ];
    for (const value of values) assert.deepEqual(await sides.caller().call('plain', 'echo', [value]), value);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    assert.deepEqual(await sides.caller().call('plain', 'echo', [Buffer.from('abc')]), new Uint8Array([97, 98, 99]));
    const bytes = new Uint8Array(200_000).map((_, i) => i % 251);
    assert.deepEqual(await sides.caller().call('plain', 'echo', [bytes]), bytes);
    assert.deepEqual(await sides.caller().call('plain', 'echo', [{ left: undefined, here: 1 }]), { here: 1 });
    await served.stop();
  });

  test('neither side can change the data of the other', async () => {
    const kept: { list: number[] } = { list: [1] };
    const served = await sides.host().serve('copies', async (_method, args) => {
      (args[0] as number[]).push(99);
      return kept;
    });
    const sent = [1];
    const result = (await sides.caller().call('copies', 'm', [sent])) as { list: number[] };
    result.list.push(2);
    assert.deepEqual(sent, [1]);
    assert.deepEqual(kept.list, [1]);
    await served.stop();
  });

  test('what is no plain data is refused, in arguments and in results', async () => {
    class Thing {
      readonly a = 1;
    }
    const round: { self?: unknown } = {};
    round.self = round;
    const results: unknown[] = [() => 1, Readable.from([]), new Map(), new Thing(), Symbol('s'), round];
    const served = await sides.host().serve('strict', async (_method, args) => results[args[0] as number]);
    for (const [i, value] of results.entries()) {
      await assert.rejects(sides.caller().call('strict', 'm', [value]), TypeError);
      await assert.rejects(sides.caller().call('strict', 'm', [i]), /cross/);
    }
    await served.stop();
  });

  test('domain errors cross with kind, text, type, status, field and headers', async () => {
    const thrown = [
      conflict('The port is in use.', { type: 'PortInUse', detail: { port: 'p1' } }),
      invalidInput('Bad name.', { field: 'server/name', status: 422 }),
      new CairnError('RateLimited', 'Slow down.', { headers: { 'retry-after': '3' } }),
    ];
    const served = await sides.host().serve('errors', async (_method, args) => {
      throw thrown[args[0] as number];
    });
    for (const [i, error] of thrown.entries()) {
      await assert.rejects(sides.caller().call('errors', 'm', [i]), (got: unknown) => {
        assert.ok(got instanceof CairnError);
        assert.notEqual(got, error);
        for (const key of ['kind', 'message', 'type', 'status', 'field', 'name'] as const) assert.equal(got[key], error[key]);
        assert.deepEqual(got.headers, error.headers);
        return true;
      });
    }
    await served.stop();
  });

  test('other errors stay other errors', async () => {
    const served = await sides.host().serve('bugs', async () => {
      throw new RangeError('off by one');
    });
    await assert.rejects(
      sides.caller().call('bugs', 'm', []),
      (error: unknown) => !isCairnError(error) && error instanceof Error && /off by one/.test(error.message) && /RangeError/.test(error.stack ?? ''),
    );
    await served.stop();
  });

  test('a host that nobody serves fails at once', async () => {
    const startedMs = performance.now();
    await assert.rejects(sides.caller().call('nobody', 'm', [], { timeoutMs: 30_000 }), unavailable);
    const served = await sides.host().serve('leaves', async () => 1);
    assert.equal(await sides.caller().call('leaves', 'm', []), 1);
    await served.stop();
    await assert.rejects(sides.caller().call('leaves', 'm', [], { timeoutMs: 30_000 }), unavailable);
    assert.ok(performance.now() - startedMs < 25_000);
  });

  test('a call ends at its timeout, and when its caller aborts', async () => {
    const served = await sides.host().serve('slow', () => new Promise(() => {}));
    await assert.rejects(sides.caller().call('slow', 'm', [], { timeoutMs: 30 }), unavailable);
    const controller = new AbortController();
    const call = sides.caller().call('slow', 'm', [], { signal: controller.signal });
    controller.abort(new Error('never mind'));
    await assert.rejects(call, /never mind/);
    await assert.rejects(sides.caller().call('slow', 'm', [], { signal: controller.signal }), /never mind/);
    await served.stop();
  });

  test('calls run beside each other', async () => {
    const waiting: (() => void)[] = [];
    const served = await sides.host().serve('parallel', async (_method, args) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length === 20) for (const go of waiting) go();
      });
      return args[0];
    });
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => sides.caller().call('parallel', 'm', [i])));
    assert.deepEqual(
      results,
      Array.from({ length: 20 }, (_, i) => i),
    );
    await served.stop();
  });

  test('a call on its way is answered after its host stopped serving', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const served = await sides.host().serve('stopping', async () => {
      begun.resolve();
      await promise;
      return 'late';
    });
    const call = sides.caller().call('stopping', 'm', []);
    await begun.promise;
    const stopped = served.stop();
    resolve();
    assert.equal(await call, 'late');
    await stopped;
  });

  test('every listener of a topic hears a message, in order, each with its own copy, until it stops', async () => {
    const heard: string[] = [];
    const done = Promise.withResolvers<void>();
    const stopFirst = sides.host().listen('topic.a', (message) => {
      const { n } = message as { n: number };
      (message as { n: number }).n = 77;
      heard.push(`first ${n}`);
      if (n === 1) throw new Error('a listener that fails');
    });
    sides.host().listen('topic.a', (message) => {
      const { n } = message as { n: number };
      heard.push(`second ${n}`);
      if (n === 3) done.resolve();
    });
    sides.host().listen('topic.b', () => heard.push('b'));
    await settleListeners(sides.host());
    for (const n of [1, 2]) sides.caller().publish('topic.a', { n });
    sides.caller().publish('nobody.listens', 1);
    await settleListeners(sides.caller());
    await settleListeners(sides.host());
    stopFirst();
    await settleListeners(sides.host());
    sides.caller().publish('topic.a', { n: 3 });
    await done.promise;
    assert.deepEqual(
      heard.filter((h) => h.startsWith('first')),
      ['first 1', 'first 2'],
    );
    assert.deepEqual(
      heard.filter((h) => h.startsWith('second')),
      ['second 1', 'second 2', 'second 3'],
    );
    assert.ok(!heard.includes('b'));
  });

  test('a closed bus refuses calls and drops messages', async () => {
    await sides.caller().close();
    await assert.rejects(sides.caller().call('host-1', 'm', []), unavailable);
    sides.caller().publish('topic.a', 1);
    await sides.caller().close();
  });
}

/** On NATS: what was said before has reached the server, and what it sent has come, when a call to oneself is answered. */
async function settleListeners(bus: Bus): Promise<void> {
  const served = await bus.serve('settle', async () => null);
  await bus.call('settle', 'm', []);
  await served.stop();
}

describe('the bus in process', () => {
  const bus = new InProcessBus({ clock: systemClock, log: silentLog });
  suite({ caller: () => bus, host: () => bus });
});

const path = natsServerPath();
describe('the bus over NATS', { skip: path === undefined ? 'nats-server is not installed (Debian: apt-get install nats-server)' : false }, () => {
  let server: NatsTestServer;
  const buses: Bus[] = [];
  before(async () => {
    server = await startNatsServer(path as string);
    for (let i = 0; i < 2; i += 1) buses.push(await connectNatsBus({ servers: [server.url], log: silentLog }));
  });
  after(async () => {
    for (const bus of buses) await bus.close();
    await server.stop();
  });
  suite({ caller: () => buses[0] as Bus, host: () => buses[1] as Bus });

  test('clouds with different prefixes do not meet', async () => {
    const other = await connectNatsBus({ servers: [server.url], log: silentLog, prefix: 'other' });
    const served = await other.serve('mine', async () => 1);
    await assert.rejects((buses[1] as Bus).call('mine', 'm', []), unavailable);
    assert.equal(await other.call('mine', 'm', []), 1);
    await served.stop();
    await other.close();
  });

  test('what exceeds the servers’ largest message is refused with words', async () => {
    const bus = buses[1] as Bus;
    const served = await bus.serve('big', async (_method, args) => args[0]);
    const bytes = new Uint8Array(2 * 1024 * 1024).map(() => Math.floor(Math.random() * 256));
    await assert.rejects(bus.call('big', 'm', [bytes]), (error: unknown) => isCairnError(error, 'TooLarge'));
    // but what packs well passes
    const text = 'a rule of a security group '.repeat(100_000);
    assert.equal(await bus.call('big', 'm', [text]), text);
    await served.stop();
  });

  test('a lost connection fails calls at once, and the bus comes back by itself', async () => {
    const own = await startNatsServer(path as string);
    const bus = await connectNatsBus({ servers: [own.url], log: silentLog });
    const served = await bus.serve('h', (method) => (method === 'hang' ? new Promise(() => {}) : Promise.resolve('here')));
    const hanging = bus.call('h', 'hang', [], { timeoutMs: 60_000 });
    const rejected = assert.rejects(hanging, unavailable);
    assert.equal(await bus.call('h', 'm', []), 'here');
    await own.kill();
    await rejected;
    await assert.rejects(bus.call('h', 'm', [], { timeoutMs: 60_000 }), unavailable);
    await own.restart();
    const endMs = performance.now() + 20_000;
    let answer: unknown;
    while (answer !== 'here' && performance.now() < endMs) {
      answer = await bus.call('h', 'm', [], { timeoutMs: 1000 }).catch(() => new Promise((resolve) => setTimeout(resolve, 50)));
    }
    assert.equal(answer, 'here');
    await served.stop();
    await bus.close();
    await own.stop();
  });
});
