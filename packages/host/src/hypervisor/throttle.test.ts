import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noQemu, TestHost, virtioDisk } from './qemu.fixture.ts';
import { rethrottle, throttleOf } from './throttle.ts';

test('limits have the names that QEMU knows, and none are told where there are none', () => {
  assert.equal(throttleOf(virtioDisk('a')), undefined);
  assert.equal(throttleOf(virtioDisk('a', 'vda', { limits: {} })), undefined);
  assert.deepEqual(throttleOf(virtioDisk('a', 'vdb', { limits: { operationsPerSecond: 5, burstOperationsPerSecond: 9, operationBytes: 4096 } })), {
    id: '/machine/peripheral/disk-vdb/virtio-backend',
    bps: 0,
    bps_rd: 0,
    bps_wr: 0,
    iops: 5,
    iops_rd: 0,
    iops_wr: 0,
    iops_max: 9,
    iops_size: 4096,
  });
});

test('a guest writes no faster than its disk may', { skip: noQemu }, async (t) => {
  const host = await TestHost.make(t);
  /** How often a guest that writes at every tick of its clock (18 in a second) gets to write in 3 s. */
  const writes = async (perSecond: number | undefined): Promise<number> => {
    const spec = await host.guest('writes');
    const [disk] = spec.disks;
    assert.ok(disk);
    await host.guests.start({ ...spec, disks: [{ ...disk, ...(perSecond !== undefined && { limits: { writeOperationsPerSecond: perSecond } }) }] });
    await host.printed(spec.guestId, /hello/);
    const count = async (): Promise<number> => (await host.guests.diagnostics(spec.guestId)).disks[0]?.writeRequests ?? 0;
    const before = await count();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const after = await count();
    await host.guests.remove(spec.guestId);
    return after - before;
  };
  const [free, held] = [await writes(undefined), await writes(2)];
  assert.ok(held >= 3 && held <= 10, `${held} writes in 3 s at 2 in a second`);
  assert.ok(free > 2 * held, `${free} writes in 3 s without a limit`);
});

test('a disk without limits in the place of one with them has none', async () => {
  const told: unknown[] = [];
  const qmp = {
    execute: async <T>(...asked: unknown[]): Promise<T> => {
      told.push(asked);
      return undefined as T;
    },
  };
  await rethrottle(qmp, virtioDisk('a', 'vdb'));
  await rethrottle(qmp, virtioDisk('a', 'vdb', { limits: { operationsPerSecond: 5 } }));
  const none = { id: '/machine/peripheral/disk-vdb/virtio-backend', bps: 0, bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };
  assert.deepEqual(told, [
    ['block_set_io_throttle', none],
    ['block_set_io_throttle', { ...none, iops: 5 }],
  ]);
});
