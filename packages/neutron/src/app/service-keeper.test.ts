import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import { recordingLog } from '@cairn/kit/testing/recording-log';
import { activeHostOf } from '../store/service-hosts.ts';
import { NetworkWorld } from '../testing/network-world.ts';
import type { NeutronApp } from './deps.ts';
import { ServiceKeeper } from './service-keeper.ts';
import { ServiceScheduler } from './service-scheduler.ts';

/** Counts how often a host is looked for, and finds none until it may. */
class MeanScheduler extends ServiceScheduler {
  asked = 0;
  isOpen = false;

  override async choose(...args: Parameters<ServiceScheduler['choose']>): Promise<readonly string[]> {
    this.asked++;
    return this.isOpen ? await super.choose(...args) : [];
  }
}

test('a router that no other host can have is tried again less and less often, and at once when an agent is switched on', async () => {
  const world = await NetworkWorld.start({ hosts: ['h1'] });
  try {
    const { network } = await world.publicNetwork();
    const router = await world.create('member', 'router', { external_gateway_info: { network_id: network.id } });
    await world.neutron.app.pusher.idle();
    // the world's own keeper, whose clock is the real one, is not to meddle
    await world.neutron.stop();
    const hostOf = (): Promise<string | undefined> => activeHostOf(world.world.env.store.read, router.id);
    assert.equal(await hostOf(), 'h1');

    const clock = new VirtualClock();
    const { log, lines } = recordingLog();
    const { app } = world.neutron;
    const scheduler = new MeanScheduler(world.hosts, app.settings, clock);
    const mine: NeutronApp = { ...app, scheduler, env: { ...app.env, clock, log }, keeper: { look: () => keeper.look() } };
    const keeper: ServiceKeeper = new ServiceKeeper(mine);
    keeper.start();
    try {
      await clock.advance(1000);
      world.addHost('h2');
      world.hosts.remove('h1');
      // each second is given some real time for its work
      const pass = async (seconds: number): Promise<void> => {
        for (let i = 0; i < seconds; i++) {
          await clock.advance(1000);
          await sleep(5);
        }
      };
      await pass(200);
      // 3 s after it was last seen, then after 2, 4, 8, 16, 32, 60, 60 s more
      assert.ok(scheduler.asked >= 2 && scheduler.asked <= 8, String(scheduler.asked));
      assert.equal(lines.filter((line) => line.includes('stay there')).length, 1, lines.join('\n'));
      assert.match(lines.join('\n'), /"host":"h1","routers":1,"networks":0/);
      assert.equal(await hostOf(), 'h1');
      scheduler.isOpen = true;
      await keeper.look();
      for (let i = 0; i < 50 && (await hostOf()) === 'h1'; i++) await pass(1);
      assert.equal(await hostOf(), 'h2');
    } finally {
      await keeper.stop();
    }
  } finally {
    await world.close();
  }
});
