import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findServer } from '../store/server.ts';
import { member, TestCloud } from '../testing/cloud.ts';

const EARLY = '99999999-1111-4111-8111-999999999991';
const LATE = '99999999-1111-4111-8111-999999999992';
const SHARED = '99999999-1111-4111-8111-999999999993';

/** A cloud of one host that refuses, while it is told to, a call of its agent; a server with one volume that is on no host. */
async function scene(work: (given: { cloud: TestCloud; id: string; broken: Set<string>; volumes: () => Promise<string[]> }) => Promise<void>): Promise<void> {
  const broken = new Set<string>();
  const cloud = await TestCloud.open({
    hosts: [{ name: 'h1' }],
    options: { shelvedOffloadMs: 0 },
    fault({ method, when }) {
      if (when === 'before' && broken.has(method)) throw new Error(`${method} is broken`);
    },
  });
  try {
    for (const id of [EARLY, LATE]) await cloud.cinder.addVolume({ id, host: 'h1' });
    await cloud.cinder.addVolume({ id: SHARED, host: 'h1', multiattach: true });
    const id = await cloud.create(member(), { networks: 'none' });
    await cloud.ok(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: EARLY } });
    await cloud.settle();
    await cloud.ok(member(), 'POST', `/servers/${id}/action`, { shelve: null });
    await cloud.settle();
    const volumes = async (): Promise<string[]> =>
      (await cloud.cinder.volumes.all(cloud.store.read)).filter((volume) => volume.id !== SHARED).map((volume) => volume.status);
    await work({ cloud, id, broken, volumes });
  } finally {
    await cloud.close();
  }
}

const status = async (cloud: TestCloud, id: string): Promise<string> => (await cloud.ok(member(), 'GET', `/servers/${id}`)).server.status;
const attach = async (cloud: TestCloud, id: string, more: object = {}, version?: string) => {
  const answer = await cloud.request(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: LATE, ...more } }, version);
  await cloud.settle();
  return answer;
};
const attached = async (cloud: TestCloud, id: string): Promise<unknown[]> =>
  (await cloud.ok(member(), 'GET', `/servers/${id}/os-volume_attachments`)).volumeAttachments.map(({ volumeId, device }: Record<string, string>) => [
    volumeId,
    device,
  ]);
const act = async (cloud: TestCloud, id: string, action: object): Promise<void> => {
  await cloud.ok(member(), 'POST', `/servers/${id}/action`, action);
  await cloud.settle();
};
const plugged = (cloud: TestCloud, id: string): string[] =>
  cloud.world.machines[0]?.guests
    .get(id)
    ?.spec.disks.filter(({ diskId }) => diskId === EARLY || diskId === LATE)
    .map(({ diskId, device }) => `${diskId} ${device}`) ?? [];

test('volumes wait for their server where it is on no host, and are plugged in where it comes up, as often as that is', async () => {
  await scene(async ({ cloud, id, volumes }) => {
    assert.equal(await status(cloud, id), 'SHELVED_OFFLOADED');
    assert.deepEqual(await volumes(), ['reserved', 'available']);
    const answer = await attach(cloud, id);
    assert.deepEqual([answer.status, answer.body.volumeAttachment.device], [200, null]);
    // it is in use at once, without a name: the host where it comes up gives it one
    assert.deepEqual(await volumes(), ['reserved', 'in-use']);
    const before = [
      [EARLY, '/dev/vdb'],
      [LATE, undefined],
    ];
    assert.deepEqual(await attached(cloud, id), before);
    const both = [
      [EARLY, '/dev/vdb'],
      [LATE, '/dev/vdc'],
    ];
    for (let round = 0; round < 2; round += 1) {
      await act(cloud, id, { unshelve: null });
      assert.equal(await status(cloud, id), 'ACTIVE');
      assert.deepEqual(await volumes(), ['in-use', 'in-use']);
      assert.deepEqual(await attached(cloud, id), both);
      assert.deepEqual(plugged(cloud, id), [`${EARLY} vdb`, `${LATE} vdc`]);
      await act(cloud, id, { shelve: null });
      assert.equal(await status(cloud, id), 'SHELVED_OFFLOADED');
      assert.deepEqual(await volumes(), ['reserved', 'reserved']);
      assert.deepEqual(await attached(cloud, id), both);
    }
  });
});

test('volumes are let go by a server that is on no host; one that was to go with it goes', async () => {
  await scene(async ({ cloud, id, volumes }) => {
    await attach(cloud, id, { delete_on_termination: true }, '2.79');
    for (const volumeId of [EARLY, LATE]) {
      const { status: code } = await cloud.request(member(), 'DELETE', `/servers/${id}/os-volume_attachments/${volumeId}`);
      assert.equal(code, 202);
    }
    await cloud.settle();
    assert.deepEqual(await volumes(), ['available']);
    assert.deepEqual(await attached(cloud, id), []);
    assert.deepEqual(await cloud.cinder.attachments.all(cloud.store.read), []);
    await act(cloud, id, { unshelve: null });
    assert.equal(await status(cloud, id), 'ACTIVE');
    assert.deepEqual(plugged(cloud, id), []);
  });
});

test('a server that is on no host gives its volumes back when it is deleted', async () => {
  await scene(async ({ cloud, id, volumes }) => {
    await attach(cloud, id);
    await cloud.ok(member(), 'DELETE', `/servers/${id}`);
    await cloud.settle();
    assert.equal((await findServer(cloud.store.read, id))?.deleted, 1);
    assert.deepEqual(await volumes(), ['available', 'available']);
    assert.deepEqual(await cloud.cinder.attachments.all(cloud.store.read), []);
  });
});

test('volumes stay reserved for a server that cannot come up, and it can try again', async () => {
  await scene(async ({ cloud, id, broken, volumes }) => {
    await attach(cloud, id);
    broken.add('guests.start');
    await act(cloud, id, { unshelve: null });
    assert.equal(await status(cloud, id), 'SHELVED_OFFLOADED');
    assert.deepEqual(await volumes(), ['reserved', 'reserved']);
    broken.clear();
    await act(cloud, id, { unshelve: null });
    assert.equal(await status(cloud, id), 'ACTIVE');
    assert.deepEqual(await volumes(), ['in-use', 'in-use']);
    assert.deepEqual(plugged(cloud, id), [`${EARLY} vdb`, `${LATE} vdc`]);
  });
});

test('what only a host could judge is refused while there is none', async () => {
  await scene(async ({ cloud, id, volumes }) => {
    const words = ({ status: code, body }: { status: number; body: { badRequest?: { message: string } } }) => `${code} ${body.badRequest?.message}`;
    assert.equal(words(await attach(cloud, id, { tag: 'data' }, '2.49')), '400 Tagged volume attachment is not supported for shelved-offloaded instances.');
    assert.equal(
      words(await attach(cloud, id, { volumeId: SHARED }, '2.60')),
      '400 Attaching multiattach volumes is not supported for shelved-offloaded instances.',
    );
    assert.match(words(await attach(cloud, id, { volumeId: EARLY })), /^400 Invalid volume: volume .* is already attached/);
    assert.deepEqual(await volumes(), ['reserved', 'available']);
  });
});
