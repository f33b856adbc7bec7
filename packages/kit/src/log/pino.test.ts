import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from './log.ts';
import { createLog } from './pino.ts';

const lines = (path: string): Record<string, unknown>[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function logged(work: (log: Logger & { flush(): void }, path: string) => Promise<void> | void): Promise<Record<string, unknown>[]> {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-log-'));
  const path = join(directory, 'sub', 'cairn.log');
  try {
    const log = createLog({ level: 'info', path });
    await work(log, path);
    // the file opens by itself
    for (let i = 0; i < 500; i++) {
      log.flush();
      try {
        if (lines(path).length > 0) break;
      } catch {
        // not there yet
      }
      await sleep(10);
    }
    return lines(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('what is secret by its name is censored, in the fields and one level below, and in those of a child', async () => {
  const fields = {
    password: 'p1',
    user: 'u',
    request: { token: 't1', 'x-auth-token': 't2', url: '/v3' },
    err: Object.assign(new Error('no'), { secret: 's1' }),
  };
  const [first, second] = await logged((log) => {
    log.info(fields, 'one');
    log.child({ private_key: 'k1', service: 'nova' }).warn({}, 'two');
  });
  assert.equal(first?.password, '[secret]');
  assert.equal(first?.user, 'u');
  assert.deepEqual(first?.request, { token: '[secret]', 'x-auth-token': '[secret]', url: '/v3' });
  assert.equal(second?.private_key, '[secret]');
  assert.equal(second?.service, 'nova');
  assert.doesNotMatch(JSON.stringify([first, second]), /p1|t1|t2|s1|k1/);
  assert.equal(fields.password, 'p1', 'the fields of the caller stay as they are');
});

test('lines come in order, with their time in ISO form and in milliseconds, and those below the level do not', async () => {
  const beforeMs = Date.now();
  const all = await logged((log) => {
    for (let i = 0; i < 100; i++) {
      log.debug({ i }, 'not this');
      log.info({ i }, 'line');
    }
  });
  assert.deepEqual(
    all.map((line) => line.i),
    Array.from({ length: 100 }, (_, i) => i),
  );
  for (const { time } of all) {
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const ms = Date.parse(String(time));
    assert.ok(ms >= beforeMs && ms <= Date.now(), String(time));
  }
});

test('lines are written by themselves, without anybody asking', async () => {
  await logged(async (log, path) => {
    log.info({}, 'alone');
    for (let i = 0; i < 1000; i++) {
      try {
        if (lines(path).length === 1) break;
      } catch {
        // not there yet
      }
      await sleep(10);
    }
    assert.equal(lines(path).length, 1);
  });
});
