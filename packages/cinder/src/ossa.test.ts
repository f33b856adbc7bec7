import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bench, bench, CANARY, hasQemuImg, isAnywhere } from '@cairn/host/disks/disks.fixture';
import { hostileImages, qcow2 } from '@cairn/host/inspector/corpus.fixture';
import type { HostAgent } from '@cairn/host/interface/agent';
import { withServing } from '@cairn/host/real/served-disks';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud } from './cloud.fixture.ts';

// Classes of OpenStack's security advisories (anchors: "Twenty-five bug classes") that are block storage's. SECURITY.md says where the others are.

const skip = hasQemuImg ? false : 'needs qemu-img';
const quotaDefaults = { volumes: 500, per_volume_gigabytes: -1, snapshots: 500, gigabytes: 5_000, backups: 100, backup_gigabytes: 5_000, groups: 10 };

/** A cloud whose host has real disks and no guests, and a file of that host that no volume may ever hold. */
async function withRealDisks(work: (cloud: Cloud, disks: Bench, canary: string) => Promise<void>): Promise<void> {
  const real = await bench();
  const agent = (simulated: HostAgent): HostAgent =>
    Object.defineProperty(simulated, 'disks', {
      value: withServing(real.disks, { serve: () => Promise.reject(new Error('no')), unserve: async () => {}, served: () => [] }),
    });
  const cloud = await Cloud.start({ options: { quotaDefaults }, agent });
  try {
    const canary = join(real.dir, '..', 'canary');
    await writeFile(canary, CANARY.padEnd(1_048_576, '\n'));
    await chmod(canary, 0o644);
    await work(cloud, real, canary);
  } finally {
    await cloud.close();
    await real.cleanUp();
  }
}

test('OSSA class 1 (2023-002), 2 (2024-001), 3 (2024-002), 5 (2016-012): no volume is made from a hostile image', { skip }, () =>
  withRealDisks(async (cloud, { images, dir, disks }, canary) => {
    const { face } = cloud.glance;
    const source = face.source.bind(face);
    const facts = { format: 'qcow2' as const, sizeBytes: 0 };
    // glance refuses such data at its own door: here it is as if it had let it in
    Object.assign(face, { source: async (...args: Parameters<typeof source>) => ({ imageId: (await source(...args)).imageId, ...facts }) });
    const from = async (name: string, declared: string, bytes: Buffer) => {
      const imageId = await cloud.image(testContext(), 1_024);
      images.set(imageId, bytes);
      Object.assign(facts, { format: declared, sizeBytes: bytes.length });
      const id = await cloud.volume('member', { size: 1, imageRef: imageId, name });
      return { id, status: (await cloud.show('member', `/volumes/${id}`)).volume.status as string };
    };
    const sound = await from('sound', 'qcow2', qcow2());
    assert.equal(sound.status, 'available', JSON.stringify((await cloud.show('member', `/messages?resource_uuid=${sound.id}`)).messages));
    const before = (await disks.list()).length;
    for (const { name, declared, bytes } of hostileImages(canary)) {
      const { id, status } = await from(name, declared, bytes);
      assert.equal(status, 'error', name);
      const messages = JSON.stringify((await cloud.show('member', `/messages?resource_uuid=${id}`)).messages);
      assert.doesNotMatch(messages, new RegExp(`${CANARY}|${dir}`), 'nor is the host told of');
      assert.equal((await cloud.call('member', 'DELETE', `/volumes/${id}`)).status, 202);
    }
    await cloud.settle();
    assert.equal((await disks.list()).length, before, 'nothing of them is left');
    assert.equal(await isAnywhere(dir, CANARY), false);
  }),
);

test("OSSA class 15 (2019-006): no list and no show tells what is another project's", async () => {
  const cloud = await Cloud.start({ options: { quotaDefaults } });
  try {
    const id = await cloud.volume('member', { size: 1, name: 'secret-volume', metadata: { secret: 'value' } });
    const post = async (path: string, body: object, key: string): Promise<string> => {
      const answer = await cloud.call('member', 'POST', path, body);
      assert.ok(answer.status < 300, `${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      await cloud.settle();
      return answer.body[key].id as string;
    };
    const snapshot = await post('/snapshots', { snapshot: { volume_id: id, name: 'secret-snapshot' } }, 'snapshot');
    const backup = await post('/backups', { backup: { volume_id: id, name: 'secret-backup' } }, 'backup');
    const transferred = await cloud.volume('member', { size: 1, name: 'secret-given' });
    const transfer = await post('/volume-transfers', { transfer: { volume_id: transferred, name: 'secret-transfer' } }, 'transfer');
    const lists = ['/volumes', '/snapshots', '/backups', '/volume-transfers', '/attachments', '/groups', '/group_snapshots', '/messages'].flatMap((one) => [
      one,
      `${one}/detail`,
    ]);
    const filters = [
      '',
      'all_tenants=1',
      'project_id=b0000000000000000000000000000001',
      'name=secret-volume',
      `volume_id=${id}`,
      'status=available',
      'with_count=1',
    ];
    for (const list of [...lists, '/volumes/summary', '/limits'])
      for (const filter of filters) {
        const { status, body } = await cloud.call('other', 'GET', `${list}?${filter}`);
        assert.ok(status < 500, `${list}?${filter}: ${status}`);
        assert.doesNotMatch(JSON.stringify(body), /secret-/, `${list}?${filter}`);
        if (status < 300) assert.doesNotMatch(JSON.stringify(body), new RegExp(`${snapshot}|${backup}|${transfer}`), `${list}?${filter}`);
      }
    for (const path of [`/volumes/${id}`, `/volumes/${id}/metadata`, `/snapshots/${snapshot}`, `/backups/${backup}`, `/volume-transfers/${transfer}`])
      assert.equal((await cloud.call('other', 'GET', path)).status, 404, path);
    // while the owner sees them all
    for (const list of ['/volumes', '/snapshots', '/backups', '/volume-transfers'])
      assert.match(JSON.stringify((await cloud.call('member', 'GET', list)).body), /secret-/, list);
  } finally {
    await cloud.close();
  }
});
