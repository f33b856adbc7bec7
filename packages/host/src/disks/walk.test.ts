import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { type Bench, bench, contentOf, hasQemuImg, recordOf, writeTo } from './disks.fixture.ts';

const CELL = 65_536;

/** What a disk ought to hold: one byte for each cell. */
interface Model {
  cells: number[];
  snapshots: { id: string; cells: number[] }[];
}

const seeds = process.env.CAIRN_SEED ? [Number(process.env.CAIRN_SEED)] : [1, Date.now() % 100_000];
const steps = Number(process.env.CAIRN_STEPS ?? 60);

for (const seed of seeds) {
  test(`a random life of disks, seed ${seed}: content, chains and files are right at every step`, {
    skip: !hasQemuImg && 'qemu-img is not installed',
    timeout: 300_000,
  }, async () => {
    let state = seed;
    const below = (n: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    const pick = <T>(list: readonly T[]): T | undefined => list[below(list.length)];
    const b = await bench();
    try {
      await walk(b, below, pick);
    } finally {
      await b.cleanUp();
    }
  });
}

async function walk(b: Bench, below: (n: number) => number, pick: <T>(list: readonly T[]) => T | undefined): Promise<void> {
  const models = new Map<string, Model>();
  const history: string[] = [];
  let serial = 0;
  const check = async (diskId: string): Promise<void> => {
    const model = models.get(diskId) as Model;
    const compare = async (cells: readonly number[], snapshotId?: string): Promise<void> => {
      const content = await contentOf(b.disks, diskId, snapshotId);
      const found = Array.from({ length: content.length / CELL }, (_, i) => content[i * CELL + 77] ?? -1);
      assert.deepEqual(found, cells, `${diskId} ${snapshotId ?? ''} after\n${history.join('\n')}`);
    };
    await compare(model.cells);
    for (const snapshot of model.snapshots) await compare(snapshot.cells, snapshot.id);
    assert.deepEqual(
      (await b.disks.info(diskId))?.snapshots,
      model.snapshots.map((s) => s.id),
    );
  };

  for (let step = 0; step < steps; step++) {
    const diskId = pick([...models.keys()]);
    const model = diskId === undefined ? undefined : models.get(diskId);
    let action = models.size < 2 ? 0 : below(13);
    // Few disks, so that much happens to each.
    if (models.size >= 4 && (action === 0 || action === 6 || action === 7)) action = 1 + below(5);
    history.push(`${step}: action ${action} on ${diskId}`);
    if (action === 0 || !model || diskId === undefined) {
      const id = `disk-${serial++}`;
      const cells = Array.from({ length: 2 + below(4) }, () => 0);
      await b.disks.create({ diskId: id, sizeBytes: cells.length * CELL, source: { kind: 'blank' }, pool: 'volume' });
      models.set(id, { cells, snapshots: [] });
    } else if (action <= 3) {
      const at = below(model.cells.length);
      const byte = 1 + below(255);
      // A real guest's QEMU writes and merges at once; a guest on paper, and who writes to a closed file, do not.
      await b.disks.idle();
      await writeTo(b.disks, b.guests, diskId, byte, at * CELL, CELL);
      model.cells[at] = byte;
    } else if (action === 4) {
      const id = `snap-${serial++}`;
      await b.disks.snapshot(diskId, id);
      model.snapshots.push({ id, cells: [...model.cells] });
    } else if (action === 5) {
      const gone = pick(model.snapshots);
      if (gone) {
        await b.disks.removeSnapshot(diskId, gone.id);
        model.snapshots = model.snapshots.filter((s) => s !== gone);
      }
    } else if (action === 6 || action === 7) {
      const id = `disk-${serial++}`;
      const snapshot = action === 6 ? pick(model.snapshots) : undefined;
      const cells = [...(snapshot?.cells ?? model.cells)];
      if (below(3) === 0) cells.push(0);
      const source = snapshot ? ({ kind: 'snapshot', diskId, snapshotId: snapshot.id } as const) : ({ kind: 'disk', diskId } as const);
      await b.disks.create({ diskId: id, sizeBytes: cells.length * CELL, source, pool: 'volume' });
      models.set(id, { cells, snapshots: [] });
    } else if (action === 8) {
      await b.disks.resize(diskId, (model.cells.length + 1) * CELL);
      model.cells.push(0);
    } else if (action === 9) {
      const newest = model.snapshots.at(-1);
      const expected = b.guests.holder(diskId) ? 'Conflict' : undefined;
      if (newest) {
        const outcome = await b.disks.revert(diskId, newest.id).then(
          () => undefined,
          (e: unknown) => (isCairnError(e) ? e.kind : e),
        );
        assert.equal(outcome, expected);
        if (!outcome) model.cells = model.cells.map((_, i) => newest.cells[i] ?? 0);
      }
    } else if (action === 10) {
      if (b.guests.holder(diskId)) b.guests.close(diskId);
      else await b.guests.open(b.disks, diskId);
    } else if (action === 11) {
      b.guests.close(diskId);
      await b.disks.remove(diskId);
      models.delete(diskId);
    } else {
      // In the middle of whatever is being merged.
      await b.restart();
    }
    const looked = pick([...models.keys()]);
    if (looked !== undefined && step % 3 === 0) await check(looked);
  }
  await b.disks.idle();
  assert.deepEqual(b.troubles, []);
  for (const diskId of models.keys()) {
    await check(diskId);
    // Every file that is there is named by a record, and nothing named is missing.
    await recordOf(b.dir, 'volumes', diskId);
  }
  const named = new Set<string>();
  for (const diskId of models.keys()) {
    const record = await recordOf(b.dir, 'volumes', diskId);
    for (const layer of [record.layers, ...record.snapshots.map((s) => s.layers)].flat()) named.add(layer.file);
    named.add(`volumes/${diskId}/disk.json`);
  }
  assert.deepEqual(await b.files(), [...named].toSorted());
  for (const diskId of models.keys()) {
    b.guests.close(diskId);
    await b.disks.remove(diskId);
  }
  await b.disks.idle();
  assert.deepEqual(await b.files(), []);
  assert.deepEqual(await readdir(join(b.dir, 'volumes')), []);
}
