import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cloud } from './cloud.fixture.ts';

describe('while a volume is made of another', () => {
  let cloud: Cloud;
  /** Holds up the making of disks until it is let go. */
  let gate = Promise.withResolvers<void>();
  let held = false;
  before(async () => {
    cloud = await Cloud.start({
      hosts: ['host1', 'host2'],
      async fault({ method, when, args }) {
        const { source } = (args[0] ?? {}) as { source?: { kind: string } };
        if (method !== 'disks.create' || when !== 'before' || (source?.kind !== 'disk' && source?.kind !== 'snapshot')) return;
        held = true;
        await gate.promise;
      },
    });
  });
  after(() => cloud.close());

  const until = async (holds: () => boolean): Promise<void> => {
    for (const endMs = Date.now() + 30_000; !holds(); ) {
      assert.ok(Date.now() < endMs);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  /** Asks for a copy, and for that when the copy is under way. */
  const during = async (body: object, then: () => Promise<{ readonly status: number }>): Promise<string> => {
    gate = Promise.withResolvers();
    held = false;
    const { volume } = (await cloud.call('member', 'POST', '/volumes', { volume: body })).body;
    await until(() => held);
    assert.equal((await then()).status, 202);
    // long enough for what does not wait to be done
    await new Promise((resolve) => setTimeout(resolve, 100));
    gate.resolve();
    await cloud.settle();
    const copy = (await cloud.show('member', `/volumes/${volume.id}`)).volume;
    assert.deepEqual([copy.status, copy.size], ['available', 1]);
    return volume.id as string;
  };

  test('its origin may be extended, and grows afterwards', async () => {
    const id = await cloud.volume('member');
    await during({ source_volid: id, size: 1 }, () => cloud.call('member', 'POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 2 } }));
    assert.equal((await cloud.show('member', `/volumes/${id}`)).volume.size, 2);
  });

  test('its origin may be deleted, and goes afterwards', async () => {
    const id = await cloud.volume('member');
    await during({ source_volid: id, size: 1 }, () => cloud.call('member', 'DELETE', `/volumes/${id}`));
    assert.equal((await cloud.call('member', 'GET', `/volumes/${id}`)).status, 404);
    assert.ok(!cloud.inspect().some((line) => line.includes(`disk ${id}`)));
  });

  test('its origin may move to another host, and leaves its disk afterwards', async () => {
    const id = await cloud.volume('member');
    const there = (await cloud.show('admin', `/volumes/${id}`)).volume['os-vol-host-attr:host'] as string;
    const host = there.startsWith('host1') ? there.replace('host1', 'host2') : there.replace('host2', 'host1');
    await during({ source_volid: id, size: 1 }, () => cloud.call('admin', 'POST', `/volumes/${id}/action`, { 'os-migrate_volume': { host } }));
    assert.equal((await cloud.show('admin', `/volumes/${id}`)).volume['os-vol-host-attr:host'], host);
    assert.ok(!cloud.inspect().some((line) => line.includes(`disk ${id} `)));
  });

  test('its snapshot may be deleted, and goes afterwards', async () => {
    const id = await cloud.volume('member');
    const { snapshot } = (await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: id } })).body;
    await cloud.settle();
    await during({ snapshot_id: snapshot.id, size: 1 }, () => cloud.call('member', 'DELETE', `/snapshots/${snapshot.id}`));
    assert.equal((await cloud.call('member', 'GET', `/snapshots/${snapshot.id}`)).status, 404);
  });
});
