import assert from 'node:assert/strict';
import { test } from 'node:test';
import { realGround } from '../support/walk/real-ground.ts';
import { seedFrom } from '../support/walk/random.ts';
import { planWalk, walk, WalkFailure } from '../support/walk/walk.ts';

const steps = Number(process.env.CAIRN_WALK_STEPS ?? 40);
const hosts = Number(process.env.CAIRN_WALK_HOSTS ?? 1);
const seed = seedFrom(process.env.CAIRN_WALK_SEED, 21);

test(`a random walk of ${steps} steps over real guests, with kills of the cloud and of guests (seed ${seed})`, { timeout: 3_600_000 }, async (t) => {
  try {
    const report = await walk(
      () => realGround(hosts),
      planWalk(seed, steps),
      (text) => {
        t.diagnostic(text);
        if (process.env.CAIRN_WALK_VERBOSE) console.log(text);
      },
    );
    t.diagnostic(
      `${report.steps} steps, ${report.refused} refused, ${report.compared} contents compared, kills ${JSON.stringify(report.kills)}; accepted: ${JSON.stringify(report.accepted)}`,
    );
  } catch (error) {
    if (!(error instanceof WalkFailure)) throw error;
    assert.fail(`CAIRN_WALK_SEED=${seed} CAIRN_WALK_STEPS=${steps}: ${error.message}\nthe last bursts: ${JSON.stringify(error.bursts.slice(-12))}`);
  }
});
