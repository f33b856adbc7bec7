import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRun } from '@cairn/host/fabric/testing/machine';
import { NetworkGround } from '../support/network-walk/ground.ts';
import { walkNetwork } from '../support/network-walk/walk.ts';
import { seedFrom } from '../support/walk/random.ts';

const steps = Number(process.env.CAIRN_WALK_STEPS ?? 16);
const hosts = Number(process.env.CAIRN_WALK_HOSTS ?? 2);
const seed = seedFrom(process.env.CAIRN_WALK_SEED, 5);

test(`a random walk of ${steps} steps over the network API: kernels are what the database says, and packets do what the rules say (seed ${seed})`, {
  skip: cannotRun,
  timeout: 3_600_000,
}, async (t) => {
  try {
    const report = await walkNetwork(seed, steps, hosts, (text) => {
      if (process.env.CAIRN_WALK_VERBOSE) console.log(text);
    });
    t.diagnostic(JSON.stringify(report));
    assert.ok(report.steps - report.refused > steps / 2, 'most of the walk went nowhere');
    if (steps >= 16) assert.ok(report.answered > 10 && report.answered < report.probes - 10, 'both kinds of packets were there');
  } catch (error) {
    assert.fail(`CAIRN_WALK_SEED=${seed} CAIRN_WALK_STEPS=${steps} CAIRN_WALK_HOSTS=${hosts}: ${(error as Error).message}`);
  }
});

test('what the walk looks at shows a rule that the kernel lacks, and an object that a host was not told', { skip: cannotRun, timeout: 120_000 }, async () => {
  const ground = await NetworkGround.start(1);
  try {
    const [host = ''] = ground.hosts;
    await ground.world.network('admin');
    await ground.settle();
    assert.deepEqual(await ground.unlike(host), []);
    await ground.inSwitch(host, 'nft', ['flush', 'chain', 'inet', 'cairn', 'guest_out']);
    assert.match((await ground.unlike(host)).join(), /^the kernel of host-1 was not as it was told: it took 1 programs to make it so$/);
    assert.deepEqual(await ground.unlike(host), [], 'it is mended');
    ground.forget(host, 'network');
    assert.match((await ground.unlike(host)).join(), /^host-1 was told undefined and should have \{"kind":"network"/);
  } finally {
    await ground.stop();
  }
});
