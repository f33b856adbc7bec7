import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unavailable } from '@cairn/kit/errors/errors';
import { findServer, patchServer } from '../store/server.ts';
import { admin, member, TestCloud, TestWorld } from '../testing/cloud.ts';
import { TASK_DEADLINE_MS } from '../app/server-states.ts';

const oneHost = { hosts: [{ name: 'h1' }] };
const state = async (cloud: TestCloud, id: string): Promise<string> => {
  const { server } = await cloud.ok(admin(), 'GET', `/servers/${id}`);
  return `${server.status} ${server['OS-EXT-STS:power_state']}`;
};

test('a guest that ends by itself stops its server at once, without being asked for', async () => {
  const cloud = await TestCloud.open(oneHost);
  try {
    const id = await cloud.create(member());
    cloud.agent('h1').guests.happen(id, 'crashed', 'killed');
    await cloud.until(async () => (await state(cloud, id)) === 'SHUTOFF 4', 30_000);
    const { instanceActions } = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions`);
    assert.equal(instanceActions[0].action, 'stop');
    await cloud.ok(member(), 'POST', `/servers/${id}/action`, { 'os-start': null });
    await cloud.settle();
    assert.equal(await state(cloud, id), 'ACTIVE 1');
  } finally {
    await cloud.close();
  }
});

test('a guest that ends while its server is rescued, or resized and not yet confirmed, is shown as it is, and the server goes on from there', async () => {
  const cloud = await TestCloud.open();
  const act = async (id: string, body: object): Promise<void> => {
    await cloud.ok(admin(), 'POST', `/servers/${id}/action`, body);
    await cloud.settle();
  };
  const kill = async (id: string): Promise<void> => {
    const { server } = await cloud.ok(admin(), 'GET', `/servers/${id}`);
    cloud.agent(server['OS-EXT-SRV-ATTR:host']).guests.happen(id, 'crashed', 'killed');
  };
  try {
    const [rescued, confirmed, reverted] = [await cloud.create(member()), await cloud.create(member()), await cloud.create(member())];
    await act(rescued, { rescue: null });
    await act(confirmed, { migrate: null });
    await act(reverted, { migrate: null });
    for (const id of [rescued, confirmed, reverted]) await kill(id);
    await cloud.until(async () => (await state(cloud, rescued)) === 'RESCUE 6', 10_000);
    await cloud.until(async () => (await state(cloud, confirmed)) === 'VERIFY_RESIZE 6', 10_000);
    await act(rescued, { unrescue: null });
    await act(confirmed, { confirmResize: null });
    await act(reverted, { revertResize: null });
    assert.deepEqual(await Promise.all([rescued, confirmed, reverted].map((id) => state(cloud, id))), ['ACTIVE 1', 'SHUTOFF 4', 'ACTIVE 1']);
  } finally {
    await cloud.close();
  }
});

test('a guest that ends in the midst of an action is noticed when the action is over', async () => {
  const cloud = await TestCloud.open(oneHost);
  const task = (id: string, taskState: string | null): Promise<void> =>
    cloud.store.write((tx) => patchServer(tx, id, { task_state: taskState, updated_at_ms: Date.now() }));
  try {
    const id = await cloud.create(member());
    await task(id, 'image_snapshot');
    cloud.agent('h1').guests.happen(id, 'crashed', 'killed');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await state(cloud, id), 'ACTIVE 1');
    await task(id, null);
    await cloud.until(async () => (await state(cloud, id)) === 'SHUTOFF 4', 10_000);
  } finally {
    await cloud.close();
  }
});

test('after a restart servers and guests are brought together again', async () => {
  const world = await TestWorld.open(oneHost);
  try {
    const first = await world.boot();
    const ids = [await first.create(member()), await first.create(member()), await first.create(member())] as const;
    await first.ok(member(), 'POST', `/servers/${ids[1]}/action`, { 'os-stop': null });
    await first.settle();
    await first.nova.stop();
    first.engine.drop();
    first.outbox.drop();
    // while nobody looks: one guest ends, a stopped one runs, and one that nobody knows is there
    const [machine] = world.machines;
    const guests = machine?.guests as NonNullable<typeof machine>['guests'];
    (guests.get(ids[0]) as { state: string }).state = 'shutdown';
    (guests.get(ids[1]) as { state: string }).state = 'running';
    const spec = (guests.get(ids[2]) as NonNullable<ReturnType<typeof guests.get>>).spec;
    guests.set('77777777-7777-4777-8777-777777777777', {
      spec: { ...spec, guestId: '77777777-7777-4777-8777-777777777777', disks: [], nics: [] },
      state: 'running',
      startedAtMs: 0,
      console: '',
    });
    const second = await world.boot();
    await second.settle();
    assert.equal(await state(second, ids[0]), 'SHUTOFF 4');
    assert.equal(await state(second, ids[1]), 'SHUTOFF 4');
    assert.equal(await state(second, ids[2]), 'ACTIVE 1');
    assert.equal(guests.get(ids[1])?.state, 'shutdown');
    assert.deepEqual([...guests.keys()].sort(), [...ids].sort());
    await second.nova.stop();
    await second.engine.close();
    await second.outbox.close();
  } finally {
    await world.close();
  }
});

test('a server on a host that is away is deleted, and its remains go when the host is back', async () => {
  let away = false;
  const cloud = await TestCloud.open({
    ...oneHost,
    fault: () => {
      if (away) throw unavailable('Host h1 does not answer.');
    },
  });
  try {
    const id = await cloud.create(member(), { config_drive: true });
    const [machine] = cloud.world.machines;
    away = true;
    await cloud.ok(member(), 'DELETE', `/servers/${id}`);
    await cloud.settle();
    assert.equal((await findServer(cloud.store.read, id))?.deleted, 1);
    assert.equal(machine?.guests.get(id)?.state, 'running');
    away = false;
    await cloud.nova.reconciler.syncHost('h1');
    const left = machine?.inspect() ?? [];
    assert.deepEqual(
      left.filter((line) => !/^(port|network) /.test(line)),
      [],
      'the network is for neutron to bring in line',
    );
  } finally {
    await cloud.close();
  }
});

test('no task state lasts past its deadline', async () => {
  const cloud = await TestCloud.open(oneHost);
  try {
    for (const taskState of Object.keys(TASK_DEADLINE_MS)) {
      const id = await cloud.create(member(), { networks: 'none' });
      const vmState = ['scheduling', 'networking', 'block_device_mapping', 'spawning'].includes(taskState) ? 'building' : 'active';
      await cloud.store.write((tx) =>
        patchServer(tx, id, { vm_state: vmState, task_state: taskState, task_deadline_at_ms: Date.now() - 1, updated_at_ms: Date.now() }),
      );
      await cloud.nova.reconciler.settleOverdue();
      await cloud.settle();
      const row = await findServer(cloud.store.read, id);
      assert.equal(row?.task_state, null, taskState);
      assert.equal(row?.task_deadline_at_ms, null, taskState);
      assert.equal(row?.vm_state, vmState === 'building' || taskState === 'deleting' ? 'error' : 'active', taskState);
      await cloud.ok(member(), 'DELETE', `/servers/${id}`);
      await cloud.settle();
      assert.equal((await findServer(cloud.store.read, id))?.deleted, 1, taskState);
    }
  } finally {
    await cloud.close();
  }
});

test('hosts are told to placement and as services, and a silent one gets no servers', async () => {
  const cloud = await TestCloud.open({ hosts: [{ name: 'h1', size: { vcpus: 8, memoryMb: 8_192, diskGb: 100 } }] });
  try {
    const rows = await cloud.store.read.kysely
      .selectFrom('placement_inventory' as never)
      .selectAll()
      .execute();
    const inventory = Object.fromEntries(
      (rows as { resource_class: string; total: number; reserved: number; allocation_ratio: number; max_unit: number }[]).map((row) => [
        row.resource_class,
        [row.total, row.reserved, row.allocation_ratio, row.max_unit],
      ]),
    );
    assert.deepEqual(inventory, { VCPU: [8, 0, 4, 8], MEMORY_MB: [8_192, 512, 1, 8_192], DISK_GB: [100, 0, 1, 100] });
    // as if it had been silent for an hour
    await cloud.store.write((tx) =>
      tx.kysely
        .updateTable('nova_service' as never)
        .set({ last_seen_at_ms: Date.now() - 3_600_000 } as never)
        .execute(),
    );
    const late = await cloud.create(member());
    const { server } = await cloud.ok(admin(), 'GET', `/servers/${late}`);
    assert.equal(server.status, 'ERROR');
    assert.match(server.fault.message, /0 left after ComputeFilter/);
    await cloud.nova.registry.beat();
    const id = await cloud.create(member());
    assert.equal((await cloud.ok(admin(), 'GET', `/servers/${id}`)).server.status, 'ACTIVE');
  } finally {
    await cloud.close();
  }
});
