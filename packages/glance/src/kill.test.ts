import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, test } from 'node:test';
import { openSqliteStore } from '@cairn/kit/store/sqlite/store';
import { on } from '@cairn/kit/store/store';
import { webServer } from './cloud.fixture.ts';
import type { DataTables } from './store/data-tables.ts';
import type { GlanceTables } from './store/tables.ts';

const directory = mkdtempSync(join(tmpdir(), 'cairn-glance-kill-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const database = join(directory, 'glance.db');
const images = join(directory, 'images');
const files = (): string[] =>
  readdirSync(images, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile())
    .map((f) => join(f.parentPath, f.name).slice(images.length + 1));

/** Called when half of the data has been sent. */
let onHalf: () => void = () => {};

/** Runs the process; kills it so many ms after its imports have begun, or when it has half of the data, unless it is done by then. */
function run(port: number, work: readonly unknown[], kill?: number | 'halfway'): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kill.child.fixture.ts'), database, images, String(port), JSON.stringify(work)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (kill === 'halfway') onHalf = () => child.kill('SIGKILL');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (typeof kill === 'number' && said.includes('began')) void sleep(kill).then(() => child.kill('SIGKILL'));
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 || signal === 'SIGKILL' ? resolve(said) : reject(new Error(`the process ended with ${code ?? signal}: ${said}`)),
    );
  });
}

test('kill -9 in the midst of imports: they go on, and nothing half is left', { timeout: 120_000 }, async (t) => {
  const data = Buffer.alloc(5_000_000, 3);
  const fetched = createHash('sha512').update(data).digest('hex');
  const staged = createHash('sha512').update(Buffer.alloc(3_000_000, 9)).digest('hex');
  // trickles, so that a kill finds it at work
  const web = await webServer(async (_request, response) => {
    response.writeHead(200, { 'content-length': data.length });
    for (let at = 0; at < data.length && !response.destroyed; at += 500_000) {
      response.write(data.subarray(at, at + 500_000));
      await sleep(10);
      if (at === data.length / 2) await sleep(50).then(onHalf);
    }
    onHalf = () => {};
    response.end();
  });
  t.after(() => web.close());
  const id = (n: number): string => `e0000000-0000-4000-8000-00000000000${n}`;
  const delays = [200, 20, 120].map((ms) => ms + Math.floor(Math.random() * 100));
  t.diagnostic(`killed after ${delays.join(', ')} ms`);
  await run(
    web.port,
    [
      [id(2), 'glance-direct', ''],
      [id(1), 'web-download', `${web.url}/a`],
    ],
    'halfway',
  );
  const halves = files().filter((f) => f.endsWith('.part'));
  assert.ok(halves.length > 0, 'it was killed at work');
  for (const [round, delay] of delays.entries()) await run(web.port, [[id(round + 3), 'web-download', `${web.url}/b`]], delay);
  assert.match(await run(web.port, []), /idle/);

  const store = openSqliteStore({ path: database });
  try {
    const q = on<GlanceTables & DataTables>(store.read);
    const rows = await q.selectFrom('glance_image').selectAll().orderBy('id').execute();
    assert.equal(rows.length, 5);
    for (const row of rows) assert.deepEqual([row.status, row.os_hash_value], ['active', row.id === id(2) ? staged : fetched], row.id);
    const tasks = await q.selectFrom('glance_task').selectAll().execute();
    assert.deepEqual(
      tasks.map((task) => task.status).toSorted(),
      Array.from({ length: 5 }, () => 'success'),
    );
    const locations = await q.selectFrom('glance_image_location').selectAll().execute();
    assert.deepEqual(
      files().toSorted(),
      locations.map((l) => (l.store === 'file' ? l.data_key : `.stores/${l.store}/${l.data_key}`)).toSorted(),
      'every file has its row, every row its file',
    );
    for (const file of files()) {
      const hash = createHash('sha512')
        .update(readFileSync(join(images, file)))
        .digest('hex');
      assert.ok(hash === fetched || hash === staged, file);
    }
    assert.deepEqual(await q.selectFrom('glance_staging').selectAll().execute(), []);
    assert.deepEqual(
      (await q.selectFrom('glance_image_property').selectAll().execute()).filter((p) => p.name === 'os_glance_import_task' || p.value !== ''),
      [],
    );
  } finally {
    await store.close();
  }
});
