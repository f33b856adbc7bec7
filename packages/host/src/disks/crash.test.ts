import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { killGroup, start } from '../process/run.ts';
import { bench, contentOf, hasQemuImg } from './disks.fixture.ts';

test('killed anywhere, Cairn finds every disk it had said was there, whole, and nothing else', {
  skip: !hasQemuImg && 'qemu-img is not installed',
  timeout: 120_000,
}, async () => {
  const b = await bench();
  const certain = new Map<string, { byte: number; snapshots: Set<string> }>();
  try {
    for (let round = 0; round < 4; round++) {
      const child = start(process.execPath, [join(import.meta.dirname, 'crash.child.fixture.ts'), b.dir, String(round)], {
        stdio: ['ignore', 'pipe', 'inherit'],
        dieWithParent: true,
      });
      let said = '';
      const begun = new Promise<void>((resolve) => {
        child.stdout?.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          resolve();
        });
      });
      const ended = new Promise((resolve) => child.on('close', resolve));
      await begun;
      const afterMs = Math.floor(Math.random() * 400);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      killGroup(child.pid);
      await ended;
      const context = `round ${round}, killed ${afterMs} ms after its first words`;
      for (const line of said.split('\n').slice(0, -1)) {
        const [what, id = '', more = ''] = line.split(' ');
        if (what === 'disk') certain.set(id, { byte: Number(more), snapshots: new Set() });
        else if (what === 'snapshot') certain.get(id)?.snapshots.add(more);
        else if (what === 'unsnapshot') certain.get(id)?.snapshots.delete(more);
        else if (what === 'gone') certain.delete(id);
      }
      const disks = await b.restart();
      await disks.idle();
      assert.deepEqual(b.troubles, [], context);
      const there = new Map((await disks.list()).map((info) => [info.diskId, info]));
      for (const [id, { byte, snapshots }] of certain) {
        assert.ok(there.has(id), `${id} is lost: ${context}`);
        for (const snapshot of snapshots) assert.ok(there.get(id)?.snapshots.includes(snapshot), `${id} lost a snapshot: ${context}`);
        if (!id.includes(`-${round}-`)) continue;
        const content = await contentOf(disks, id);
        assert.ok(
          content.subarray(0, 65_536).every((x) => x === byte) && content.subarray(65_536).every((x) => x === 0),
          `${id} holds something else: ${context}`,
        );
      }
      // What was half-made or half-removed goes by asking again.
      for (const id of there.keys()) if (!certain.has(id)) await disks.remove(id);
    }
    for (const id of certain.keys()) await b.disks.remove(id);
    await b.disks.idle();
    assert.deepEqual(await b.files(), []);
    assert.ok(certain.size > 10, 'the child did something');
  } finally {
    await b.cleanUp();
  }
});
