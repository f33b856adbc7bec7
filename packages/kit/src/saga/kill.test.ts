import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openSqliteStore } from '../store/sqlite/store.ts';
import { on } from '../store/store.ts';
import type { SagaTables } from './tables.ts';

const directory = mkdtempSync(join(tmpdir(), 'cairn-kill-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Runs the process until it is done, or until `killMs` after its first word. Returns what it acknowledged, and whether it was killed. */
function run(database: string, effects: string, count: number, killMs?: number): Promise<{ lines: string[]; killed: boolean }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kill-testing.ts'), database, effects, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (killMs !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), killMs);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0 && signal !== 'SIGKILL') reject(new Error(`the process ended with ${code ?? signal}`));
      else resolve({ lines: text.split('\n').slice(0, -1), killed: signal === 'SIGKILL' });
    });
  });
}

test('kill -9 at any moment: every acknowledged saga ends, with all of its effects or none', { timeout: 60_000 }, async () => {
  const database = join(directory, 'kill.db');
  const effects = mkdtempSync(join(directory, 'effects-'));
  const acknowledged: string[] = [];
  let kills = 0;
  for (let round = 0; round < 6; round += 1) {
    const killMs = Math.floor(Math.random() * 150);
    const { lines, killed } = await run(database, effects, 60, killMs);
    acknowledged.push(...lines.filter((line) => line !== 'idle'));
    if (killed) kills += 1;
  }
  assert.ok(kills > 0, 'no process was killed in its work');
  const last = await run(database, effects, 0);
  assert.deepEqual(last, { lines: ['idle'], killed: false });

  const store = openSqliteStore({ path: database });
  const rows = await on<SagaTables>(store.read).selectFrom('kit_saga').select(['id', 'state']).execute();
  await store.close();
  const states = new Map(rows.map((row) => [row.id, row.state]));
  const files = Map.groupBy(readdirSync(effects), (file) => file.slice(0, file.lastIndexOf('.')));
  for (const line of acknowledged) {
    const [what, id] = line.split(' ') as [string, string];
    assert.equal(states.get(id), what === 'fails' ? 'failed' : 'done', `saga ${id} was acknowledged`);
  }
  for (const [id, state] of states) {
    const there = (files.get(id) ?? []).map((file) => file.slice(id.length + 1)).toSorted();
    assert.deepEqual(there, state === 'done' ? ['a', 'b', 'c', 'd'] : [], `saga ${id} ended ${state}`);
  }
  assert.ok([...files.keys()].every((id) => states.has(id)));
  assert.ok(acknowledged.length > 0 && rows.length >= acknowledged.length);
});
