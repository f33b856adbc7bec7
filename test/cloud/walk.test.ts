import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { simulatedGround } from '../support/walk/ground.ts';
import { stateOf } from '../support/walk/state.ts';
import { wrongs } from '../support/walk/truth.ts';
import { seedFrom } from '../support/walk/random.ts';
import { planWalk, shrink, walk, WalkFailure } from '../support/walk/walk.ts';

const make = () => simulatedGround(2);
const steps = Number(process.env.CAIRN_WALK_STEPS ?? 100);
const seed = seedFrom(process.env.CAIRN_WALK_SEED, 1);

test(`a random walk of ${steps} steps with kills (seed ${seed}) leaks nothing, loses nothing and gets stuck nowhere`, {
  timeout: Math.max(3_600_000, steps * 2_000),
}, async (t) => {
  const tell = (text: string): void => {
    t.diagnostic(text);
    if (process.env.CAIRN_WALK_VERBOSE) console.log(text);
  };
  try {
    const report = await walk(make, planWalk(seed, steps), tell);
    tell(
      `${report.steps} steps, ${report.refused} refused, ${report.compared} contents compared, kills ${JSON.stringify(report.kills)}; accepted: ${JSON.stringify(report.accepted)}`,
    );
    assert.ok(report.steps - report.refused > steps / 5, 'most of the walk went nowhere');
  } catch (error) {
    if (!(error instanceof WalkFailure)) throw error;
    const least = process.env.CAIRN_WALK_SHRINK ? await shrink(make, error, Number(process.env.CAIRN_WALK_SHRINK), tell) : error;
    assert.fail(
      `CAIRN_WALK_SEED=${seed} CAIRN_WALK_STEPS=${steps}: ${least.message}\nthe last of ${least.bursts.length} bursts: ${JSON.stringify(least.bursts.slice(-12))}`,
    );
  }
});

test("what a walk looks at shows a guest, a disk and a quota that are nobody's", async () => {
  const cloud = await make();
  try {
    assert.deepEqual(await wrongs(cloud, await stateOf(cloud)), []);
    const host = (await cloud.ok('GET', '/compute/v2.1/os-hypervisors')).hypervisors[0].hypervisor_hostname as string;
    const lost = (kind: string, id: string, value: object): void =>
      appendFileSync(join(cloud.data, 'simulated.json.journal'), `${JSON.stringify([host, kind, id, value])}\n`);
    lost('disks', 'd-lost', { diskId: 'd-lost', format: 'raw', sizeBytes: 1, snapshots: [], pool: 'volume' });
    lost('guests', 'g-lost', { spec: { guestId: 'g-lost', disks: [], nics: [] }, state: 'running', startedAtMs: 0, console: '' });
    const state = await stateOf(cloud);
    assert.deepEqual(await wrongs(cloud, { ...state, volumes: [{ id: 'v', status: 'in-use', size: 1, attachments: [] }] }), [
      'volume v is in-use with 0 attachments',
      `host ${host} has guest g-lost, which is no server`,
      `host ${host} has disk d-lost, which is nobody's`,
      'quota counts 0 volumes, there are 1',
      'quota counts 0 GB of volumes, there are 1',
    ]);
  } finally {
    await cloud.stop();
  }
});
