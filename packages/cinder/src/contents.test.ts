import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BackendDisks } from '@cairn/host/backends/backend-disks';
import { SharedDirectory } from '@cairn/host/backends/shared-directory';
import { LocalDisks } from '@cairn/host/disks/local-disks';
import type { OpenDisks } from '@cairn/host/hypervisor/open-disks';
import { conflict } from '@cairn/kit/errors/errors';
import { run } from '@cairn/host/process/run';
import { withServing } from '@cairn/host/real/served-disks';
import { silentLog } from '@cairn/kit/log/log';
import { Cloud } from './cloud.fixture.ts';
import { homeBackend } from './options.ts';

const hasQemuImg = await run('qemu-img', ['--version']).then(
  () => true,
  () => false,
);

const ZEROES = Buffer.alloc(1024 * 1024);

/** No guest has any disk open. */
const nobody = (): Promise<never> => Promise.reject(conflict('no guest'));
const closed: OpenDisks = {
  holder: () => undefined,
  holders: () => [],
  layers: nobody,
  resize: nobody,
  snapshotTo: nobody,
  snapshotAllTo: nobody,
  backupTo: nobody,
  commit: nobody,
  pull: nobody,
  moveTo: nobody,
};

describe('not a byte of a volume is lost', { skip: hasQemuImg ? false : 'qemu-img is not here' }, () => {
  let directory: string;
  let cloud: Cloud;
  const disks = new Map<string, BackendDisks>();
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-contents-'));
    const openImage = (id: string) => cloud.glance.face.open(id);
    const directoryOfAll = new SharedDirectory({ dataDir: join(directory, 'shared'), openImage, hosts: 2, log: silentLog });
    for (const host of ['host1', 'host2']) {
      directoryOfAll.join({ openDisks: closed });
      const local = new LocalDisks({ dataDir: join(directory, host), openDisks: closed, openImage });
      const room = { disks: local, resolve: local.resolve, start: () => local.start(), stop: () => local.stop() };
      const all = new BackendDisks(room, new Map([['nfs', directoryOfAll]]));
      await all.start();
      disks.set(host, all);
    }
    cloud = await Cloud.start({
      hosts: ['host1', 'host2'],
      options: { backends: [homeBackend, { ...homeBackend, name: 'nfs', volumeBackendName: 'nfs', driver: 'directory', isShared: true }] },
      agent: (simulated) => {
        const kept = disks.get(simulated.host);
        assert.ok(kept);
        Object.defineProperty(simulated, 'disks', { value: withServing(kept, { serve: nobody, unserve: async () => {}, served: () => [] }) });
        return simulated;
      },
    });
  });
  after(async () => {
    await cloud.close();
    for (const local of disks.values()) await local.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const rowOf = async (id: string) => {
    const { volumeById } = await import('./store/volumes.ts');
    const row = await volumeById(cloud.world.env.store.read, id);
    assert.ok(row?.host);
    return row;
  };
  const localOf = async (id: string): Promise<{ readonly local: BackendDisks; readonly diskId: string }> => {
    const row = await rowOf(id);
    const local = disks.get(row.host ?? '') ?? disks.get('host2');
    assert.ok(local);
    return { local, diskId: row.disk_id };
  };
  /** SHA-256 of the first gigabyte as a guest would read it. */
  const digest = async (id: string): Promise<string> => {
    const { local, diskId } = await localOf(id);
    const { stream } = await local.export(diskId, { format: 'raw' });
    const hash = createHash('sha256');
    // zeroes are most of it: they are told by the places of the rest
    let at = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const here = chunk.subarray(0, Math.max(0, 2 ** 30 - at));
      if (!here.equals(ZEROES.subarray(0, here.length))) hash.update(`${at} `).update(here);
      at += chunk.length;
    }
    return hash.digest('hex');
  };
  /** As a guest: writes random bytes at some places of the disk. */
  const scribble = async (id: string): Promise<void> => {
    const { local, diskId } = await localOf(id);
    const [top] = (await local.resolve(diskId)).layers;
    assert.ok(top && 'path' in top);
    for (const at of [0, 70_000, 123_456_789, 700_000_000]) {
      const data = join(directory, 'data');
      const bytes = randomBytes(200_192);
      if (top.format === 'raw') {
        const file = await open(top.path, 'r+');
        await file.write(bytes, 0, bytes.length, at);
        await file.close();
      } else {
        const file = await open(data, 'w');
        await file.write(bytes);
        await file.close();
        await run('qemu-io', ['-f', 'qcow2', '-c', `write -q -s ${data} ${Math.floor(at / 512) * 512} ${bytes.length}`, top.path]);
      }
    }
  };
  /** The volumes' disks that there are, those that hosts share once. */
  const left = async (): Promise<readonly string[]> => [
    ...new Set((await Promise.all([...disks.values()].map((all) => all.list()))).flat().map((disk) => disk.diskId)),
  ];
  const act = async (id: string, body: object): Promise<void> => {
    const answer = await cloud.call('admin', 'POST', `/volumes/${id}/action`, body);
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    await cloud.settle();
    assert.equal((await cloud.show('admin', `/volumes/${id}`)).volume.status, 'available');
  };
  const backUp = async (id: string, incremental: boolean): Promise<string> => {
    const answer = await cloud.call('admin', 'POST', '/backups', { backup: { volume_id: id, incremental } });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    await cloud.settle();
    const { backup } = await cloud.show('admin', `/backups/${answer.body.backup.id}`);
    assert.equal(backup.status, 'available', backup.fail_reason);
    return backup.id;
  };

  test('by growing, moving, retyping, backing up in increments and restoring', async () => {
    const id = await cloud.volume('admin', { size: 1 });
    await scribble(id);
    const first = await digest(id);
    const full = await backUp(id, false);
    const to = (await rowOf(id)).host === 'host1' ? 'host2' : 'host1';
    await act(id, { 'os-migrate_volume': { host: `${to}@cairn#cairn` } });
    assert.deepEqual([(await rowOf(id)).host, await digest(id)], [to, first], 'moved');
    await scribble(id);
    const second = await digest(id);
    assert.notEqual(second, first);
    const increment = await backUp(id, true);
    const made = await cloud.call('admin', 'POST', '/types', { volume_type: { name: 'other' } });
    assert.equal(made.status, 200);
    await act(id, { 'os-retype': { new_type: 'other' } });
    for (const [backup, expected] of [
      [full, first],
      [increment, second],
    ] as const) {
      const answer = await cloud.call('admin', 'POST', `/backups/${backup}/restore`, { restore: { volume_id: id } });
      assert.equal(answer.status, 202, JSON.stringify(answer.body));
      await cloud.settle();
      assert.equal((await cloud.show('admin', `/volumes/${id}`)).volume.status, 'available');
      assert.equal(await digest(id), expected, 'restored');
    }
    await act(id, { 'os-extend': { new_size: 2 } });
    assert.equal(await digest(id), second, 'grown');
    // and the disks that were left are gone
    assert.deepEqual(await left(), [(await rowOf(id)).disk_id]);
    assert.equal((await cloud.call('admin', 'DELETE', `/volumes/${id}?cascade=true`)).status, 202);
    await cloud.settle();
  });

  test('by moving to a directory that hosts share, and back', async () => {
    const id = await cloud.volume('admin', { size: 1 });
    await scribble(id);
    const first = await digest(id);
    for (const name of ['cairn', 'nfs']) {
      const made = await cloud.call('admin', 'POST', '/types', { volume_type: { name, extra_specs: { volume_backend_name: name } } });
      assert.equal(made.status, 200);
    }
    await act(id, { 'os-retype': { new_type: 'nfs', migration_policy: 'on-demand' } });
    assert.match((await rowOf(id)).disk_id, /^nfs\./);
    assert.equal(await digest(id), first, 'moved to where all hosts see it');
    await scribble(id);
    const second = await digest(id);
    await act(id, { 'os-retype': { new_type: 'cairn', migration_policy: 'on-demand' } });
    assert.equal(await digest(id), second, 'moved back');
    assert.deepEqual(await left(), [(await rowOf(id)).disk_id]);
    assert.equal((await cloud.call('admin', 'DELETE', `/volumes/${id}`)).status, 202);
    await cloud.settle();
  });

  test('by becoming a VMDK image, and a volume again', async () => {
    const id = await cloud.volume('admin', { size: 1 });
    await scribble(id);
    const answer = await cloud.call('admin', 'POST', `/volumes/${id}/action`, { 'os-volume_upload_image': { image_name: 'copy', disk_format: 'vmdk' } });
    assert.equal(answer.status, 202);
    await cloud.settle();
    const copy = await cloud.volume('admin', { size: 1, imageRef: answer.body['os-volume_upload_image'].image_id });
    assert.equal((await cloud.show('admin', `/volumes/${copy}`)).volume.status, 'available');
    assert.equal(await digest(copy), await digest(id));
    for (const one of [id, copy]) await cloud.call('admin', 'DELETE', `/volumes/${one}`);
    await cloud.settle();
  });
});
