import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { FabricObject } from '@cairn/host/interface/fabric';
import type { SimulatedAgent } from '@cairn/host/simulated/agent';
import type { Env } from '@cairn/kit/env';
import { deactivatePort } from '../store/ports.ts';
import { NetworkWorld } from '../testing/network-world.ts';
import { StatusWriter } from './status-writer.ts';

it('statuses that nobody waits for are written together, or with one that somebody waits for', async () => {
  const world = await NetworkWorld.start({ hosts: ['h1'] });
  try {
    const { env } = world.world;
    const ids: string[] = [];
    for (const cidr of ['10.0.0.0/24', '10.0.1.0/24']) {
      const { network } = await world.network('member', cidr);
      const { ports } = await world.expect(200, 'admin', 'GET', `/ports?network_id=${network.id}`);
      ids.push(ports[0].id);
    }
    const { network } = await world.network();
    const values = { network_id: network.id, 'binding:host_id': 'h1', device_owner: 'compute:nova', device_id: 'd0000000-0000-4000-8000-000000000001' };
    const guest = (await world.create('admin', 'port', values)).id as string;
    const nowhere = (await world.create('admin', 'port', { network_id: network.id })).id as string;
    await world.neutron.app.pusher.idle();
    const objectOf = (id: string): FabricObject => (world.hosts.get('h1') as SimulatedAgent).machine.fabric.get(`port ${id}`) as FabricObject;
    const statuses = async (): Promise<unknown[]> => Promise.all([...ids, guest].map(async (id) => (await world.show('admin', 'port', id)).status));
    const allDown = (): Promise<unknown> =>
      env.store.write(async (tx) => {
        for (const id of [...ids, guest]) await deactivatePort(tx, 'h1', id, 0);
      });
    assert.deepEqual(await statuses(), ['ACTIVE', 'ACTIVE', 'ACTIVE']);
    let writes = 0;
    let wakeUps: (() => void)[] = [];
    const counting = {
      ...env,
      clock: { nowMs: () => env.clock.nowMs(), after: (_ms: number, work: () => void) => (wakeUps.push(work), { cancel: () => void (wakeUps = []) }) },
      store: { read: env.store.read, write: (work: never) => ((writes += 1), env.store.write(work)) },
    } as unknown as Env;
    const writer = new StatusWriter(counting, world.neutron.app.settings);

    await allDown();
    for (const id of ids) await writer.live('h1', [objectOf(id)]);
    assert.deepEqual([writes, wakeUps.length, await statuses()], [0, 1, ['DOWN', 'DOWN', 'DOWN']]);
    wakeUps[0]?.();
    await writer.idle();
    assert.deepEqual([writes, await statuses()], [1, ['ACTIVE', 'ACTIVE', 'DOWN']]);

    await allDown();
    await writer.live('h1', [objectOf(ids[0] as string)]);
    await writer.live('h1', [objectOf(guest)]);
    assert.deepEqual([writes, wakeUps.length, await statuses()], [2, 0, ['ACTIVE', 'DOWN', 'ACTIVE']]);

    // a port that is at work nowhere comes up nowhere
    await writer.live('h1', [objectOf(nowhere)]);
    await writer.idle();
    assert.equal(writes, 2);
  } finally {
    await world.close();
  }
});
