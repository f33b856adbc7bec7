import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HostRegistry } from '@cairn/host/registry';
import { isCairnError } from '@cairn/kit/errors/errors';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud } from './cloud.fixture.ts';
import type { CinderFace } from './face.ts';
import { volumeById } from './store/volumes.ts';

const ctx = testContext();

describe('what nova asks of cinder', () => {
  let cloud: Cloud;
  let face: CinderFace;
  const broken = new Set<string>();
  let ids = 0;
  const uuid = (): string => `a0000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`;
  before(async () => {
    cloud = await Cloud.start({
      hosts: ['host1', 'host2'],
      options: { quotaDefaults: { volumes: 50, per_volume_gigabytes: -1, snapshots: 50, gigabytes: 1000, backups: 10, backup_gigabytes: 1000, groups: 10 } },
      fault({ method, when }) {
        if (when === 'before' && broken.has(method)) throw new Error('broken');
      },
    });
    face = cloud.cinder.face;
  });
  after(() => cloud.close());

  const write = <T>(work: Parameters<typeof cloud.world.env.store.write<T>>[0]): Promise<T> => cloud.world.env.store.write(work);
  const read = () => cloud.world.env.store.read;
  const volumeOn = async (host: string, more: object = {}): Promise<string> => {
    const id = uuid();
    await write((tx) => face.createVolume(tx, ctx, { id, name: '', sizeGb: 1, host, ...more }));
    await face.untilAvailable(id);
    return id;
  };
  const attach = async (volumeId: string, serverId: string, host: string, mode?: 'ro' | 'rw'): Promise<string> => {
    const id = uuid();
    await write((tx) => face.reserve(tx, ctx, { id, volumeId, serverId, ...(mode && { mode }) }));
    await face.connect(id, host);
    await write((tx) => face.complete(tx, id, '/dev/vda'));
    return id;
  };

  test('a volume is made under a minted id on the host that is asked for, once', async () => {
    const imageId = await cloud.image(ctx, 4096, { hw_disk_bus: 'scsi' });
    const id = await volumeOn('host2', { imageId });
    await write((tx) => face.createVolume(tx, ctx, { id, name: '', sizeGb: 1, host: 'host2', imageId }));
    await cloud.settle();
    const facts = await face.volume(read(), ctx, id);
    assert.deepEqual(
      [facts.status, facts.host, facts.bootable, facts.imageId, facts.imageMetadata['hw_disk_bus'], facts.volumeType],
      ['available', 'host2', true, imageId, 'scsi', '__DEFAULT__'],
    );
    assert.equal(cloud.inspect().filter((line) => line.includes(`disk ${id}`)).length, 1);
    await assert.rejects(face.volume(read(), testContext({ projectId: 'b0000000000000000000000000000002' }), id), (error) => isCairnError(error, 'NotFound'));
  });

  test('a volume stays reserved for a server that is on no host, and is had there too by one that comes later', async () => {
    const served = () => cloud.inspect().filter((line) => line.startsWith('served'));
    const facts = async (id: string) => {
      const { status, attachments } = await face.volume(read(), ctx, id);
      return [status, ...attachments.flatMap((one) => [one.status, one.host, one.device])];
    };
    const [volumeId, serverId] = [await volumeOn('host1'), uuid()];
    const attachmentId = await attach(volumeId, serverId, 'host2');
    assert.deepEqual(await facts(volumeId), ['in-use', 'attached', 'host2', '/dev/vda']);
    await face.disconnect(attachmentId, 'host2');
    for (let round = 0; round < 2; round += 1) {
      await write((tx) => face.release(tx, attachmentId));
      assert.deepEqual(await facts(volumeId), ['reserved', 'reserved', null, null]);
    }
    await cloud.settle();
    assert.deepEqual(served(), [], 'no host reaches it any longer');
    const taken = uuid();
    await assert.rejects(
      write((tx) => face.reserve(tx, ctx, { id: taken, volumeId, serverId: uuid() })),
      (error) => isCairnError(error, 'InvalidInput'),
      'it is nobody else’s meanwhile',
    );
    await face.connect(attachmentId, 'host1');
    await write((tx) => face.complete(tx, attachmentId, '/dev/vdb'));
    assert.deepEqual(await facts(volumeId), ['in-use', 'attached', 'host1', '/dev/vdb']);
    await write((tx) => face.detach(tx, attachmentId));

    // one that comes while the server is on no host is in use without being connected
    const late = uuid();
    await write(async (tx) => {
      await face.reserve(tx, ctx, { id: late, volumeId, serverId });
      await face.complete(tx, late);
    });
    assert.deepEqual(await facts(volumeId), ['in-use', 'attached', null, null]);
    await face.connect(late, 'host2');
    assert.deepEqual(await facts(volumeId), ['attaching', 'attaching', 'host2', 'na']);
    await write((tx) => face.complete(tx, late, '/dev/vdb'));
    assert.deepEqual(await facts(volumeId), ['in-use', 'attached', 'host2', '/dev/vdb']);
    await write((tx) => face.detach(tx, late));
    assert.deepEqual(await facts(volumeId), ['available']);
    await cloud.settle();
    await write((tx) => face.release(tx, late));
    assert.deepEqual(served(), []);
  });

  test('a volume is used from another host by a way of its own, which goes with the attachment', async () => {
    const served = () => cloud.inspect().filter((line) => line.startsWith('served'));
    const volumeId = await volumeOn('host1');
    const attachmentId = uuid();
    await write((tx) => face.reserve(tx, ctx, { id: attachmentId, volumeId, serverId: uuid() }));
    const { location } = await face.connect(attachmentId, 'host2');
    assert.equal(location?.kind, 'nbd');
    assert.deepEqual((await face.connect(attachmentId, 'host2')).location, location, 'asked again it is the same');
    await write((tx) => face.complete(tx, attachmentId, '/dev/vdb'));
    assert.deepEqual(served(), [`served ${volumeId} to ${attachmentId}.host2`]);

    // its server comes to the host that keeps it
    assert.equal((await face.connect(attachmentId, 'host1', { comes: true })).location, undefined);
    await face.handOver(attachmentId, 'host1');
    await write((tx) => face.moved(tx, attachmentId, 'host1'));
    await face.disconnect(attachmentId, 'host2');
    assert.deepEqual(served(), []);
    assert.equal((await face.volume(read(), ctx, volumeId)).attachments[0]?.host, 'host1');

    // and goes again
    assert.ok((await face.connect(attachmentId, 'host2', { comes: true })).location);
    await face.handOver(attachmentId, 'host2');
    await write((tx) => face.moved(tx, attachmentId, 'host2'));
    assert.deepEqual([(await face.volume(read(), ctx, volumeId)).status, served().length], ['in-use', 1]);
    await write((tx) => face.detach(tx, attachmentId));
    await cloud.settle();
    assert.deepEqual([(await face.volume(read(), ctx, volumeId)).status, served()], ['available', []]);
    await write((tx) => face.deleteVolume(tx, ctx, volumeId));
    await cloud.settle();
    assert.deepEqual(
      cloud.inspect().filter((line) => line.includes(volumeId)),
      [],
    );
  });

  test('waiting for a volume that fails tells why', async () => {
    const id = uuid();
    broken.add('disks.create');
    await write((tx) => face.createVolume(tx, ctx, { id, name: '', sizeGb: 1 }));
    await assert.rejects(face.untilAvailable(id), (error) => isCairnError(error, 'Conflict') && /its status is error/.test(error.message));
    broken.clear();
    await assert.rejects(face.untilAvailable(uuid()), (error) => isCairnError(error, 'NotFound'));
  });

  test('waiting ends when the one who waits is told to stop', async () => {
    const id = uuid();
    const stop = new AbortController();
    await write((tx) => face.createVolume(tx, ctx, { id, name: '', sizeGb: 1 }));
    stop.abort(new Error('enough'));
    await assert.rejects(face.untilAvailable(id, stop.signal), /enough/);
    await cloud.settle();
  });

  test('attaching goes from reserved over attaching to in-use, each once however often it is asked', async () => {
    const volumeId = await volumeOn('host1');
    const [serverId, id] = [uuid(), uuid()];
    const status = async (): Promise<string> => (await face.volume(read(), ctx, volumeId)).status;
    for (let i = 0; i < 2; i++) await write((tx) => face.reserve(tx, ctx, { id, volumeId, serverId }));
    assert.equal(await status(), 'reserved');
    for (let i = 0; i < 2; i++) assert.deepEqual(await face.connect(id, 'host1'), { diskId: volumeId, sizeGb: 1, multiattach: false, readOnly: false });
    assert.equal(await status(), 'attaching');
    await write((tx) => face.complete(tx, id, '/dev/vdb'));
    assert.equal(await status(), 'in-use');
    await face.connect(id, 'host1');
    assert.equal(await status(), 'in-use', 'asking again where the disk is changes nothing');
    assert.deepEqual(await face.attachmentsOfServer(read(), serverId), [
      { id, volumeId, serverId, host: 'host1', device: '/dev/vdb', mode: 'rw', status: 'attached' },
    ]);
    for (let i = 0; i < 2; i++) await write((tx) => face.detach(tx, id));
    assert.equal(await status(), 'available');
  });

  test('a volume that somebody has is not reserved for another', async () => {
    const volumeId = await volumeOn('host1');
    await attach(volumeId, uuid(), 'host1');
    await assert.rejects(
      write((tx) => face.reserve(tx, ctx, { id: uuid(), volumeId, serverId: uuid() })),
      (error) => isCairnError(error, 'InvalidInput') && /must be available or downloading to reserve, but the current status is in-use/.test(error.message),
    );
  });

  test('only one of two who want the same volume at once gets it', async () => {
    const volumeId = await volumeOn('host1');
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => write((tx) => face.reserve(tx, ctx, { id: uuid(), volumeId, serverId: uuid() }))));
    assert.equal(outcomes.filter((one) => one.status === 'fulfilled').length, 1);
  });

  test('a disk of a host that is away is refused, in words that name it', async () => {
    const volumeId = await volumeOn('host2');
    const id = uuid();
    await write((tx) => face.reserve(tx, ctx, { id, volumeId, serverId: uuid() }));
    const hosts = cloud.cinder.app.deps.hosts as HostRegistry;
    const away = hosts.get('host2');
    hosts.remove('host2');
    await assert.rejects(face.connect(id, 'host1'), (error) => isCairnError(error, 'Unavailable') && /is kept on host host2/.test(error.message));
    hosts.add(away);
    assert.ok((await face.connect(id, 'host1')).location);
    await write((tx) => face.detach(tx, id));
    await cloud.settle();
  });

  test('detaching may be begun and taken back', async () => {
    const volumeId = await volumeOn('host1');
    const serverId = uuid();
    const id = await attach(volumeId, serverId, 'host1');
    await write((tx) => face.beginDetaching(tx, ctx, volumeId, serverId));
    assert.equal((await face.volume(read(), ctx, volumeId)).status, 'detaching');
    await assert.rejects(write((tx) => face.beginDetaching(tx, ctx, volumeId, serverId)));
    await write((tx) => face.rollDetaching(tx, volumeId));
    assert.equal((await face.volume(read(), ctx, volumeId)).status, 'in-use');
    await write((tx) => face.detach(tx, id));
  });

  test('a multiattach volume is in use until the last server has let go', async () => {
    const type = await cloud.call('admin', 'POST', '/types', { volume_type: { name: 'shared', extra_specs: { multiattach: '<is> True' } } });
    assert.equal(type.status, 200);
    const volumeId = await volumeOn('host1', { volumeType: 'shared' });
    const [one, two] = [await attach(volumeId, uuid(), 'host1'), await attach(volumeId, uuid(), 'host1')];
    assert.equal((await face.connect(one, 'host1')).multiattach, true);
    await write((tx) => face.detach(tx, one));
    assert.equal((await face.volume(read(), ctx, volumeId)).status, 'in-use');
    await write((tx) => face.detach(tx, two));
    assert.equal((await face.volume(read(), ctx, volumeId)).status, 'available');
  });

  test('a multiattach volume is a disk that several guests may have, whatever it was made of or was before', async () => {
    const isShared = async (volumeId: string): Promise<[string | undefined, boolean]> => {
      const disk = cloud.machines.get('host1')?.disks.get((await volumeById(read(), volumeId))?.disk_id ?? '');
      return [disk?.format, disk?.shared === true];
    };
    const type = { volume_type: { name: 'many', extra_specs: { multiattach: '<is> True' } } };
    assert.equal((await cloud.call('admin', 'POST', '/types', type)).status, 200);
    const imageId = await cloud.image(ctx, 4096);
    const plain = await volumeOn('host1', { imageId });
    assert.deepEqual(await isShared(plain), ['qcow2', false]);
    const snapshotId = uuid();
    await write((tx) => face.createSnapshot(tx, ctx, { id: snapshotId, volumeId: plain, name: '', force: false }));
    await face.untilSnapshotAvailable(snapshotId);
    for (const source of [{ imageId }, { snapshotId }, { sourceVolumeId: plain }, {}]) {
      const made = await volumeOn('host1', { volumeType: 'many', ...source });
      assert.deepEqual(await isShared(made), ['raw', true], JSON.stringify(source));
    }
    // one that gets such a type, or the content of a backup, is made fit when it is had at the latest
    const backup = await cloud.call('admin', 'POST', '/backups', { backup: { volume_id: plain } });
    assert.equal(backup.status, 202);
    await cloud.settle();
    const retyped = await cloud.call('admin', 'POST', `/volumes/${plain}/action`, { 'os-retype': { new_type: 'many', migration_policy: 'never' } });
    assert.equal(retyped.status, 202);
    await cloud.settle();
    const attached = [await attach(plain, uuid(), 'host1'), await attach(plain, uuid(), 'host1')];
    assert.deepEqual(await isShared(plain), ['raw', true]);
    for (const id of attached) await write((tx) => face.detach(tx, id));
    const restored = await cloud.call('admin', 'POST', `/backups/${backup.body.backup.id}/restore`, { restore: { volume_id: plain } });
    assert.equal(restored.status, 202);
    await cloud.settle();
    assert.deepEqual(await isShared(plain), ['raw', true]);
    await write((tx) => face.reimage(tx, ctx, { volumeId: plain, imageId }));
    await face.untilReimaged(plain);
    assert.deepEqual(await isShared(plain), ['raw', true]);
  });

  test('a read-only attachment says so', async () => {
    const volumeId = await volumeOn('host1');
    const id = await attach(volumeId, uuid(), 'host1', 'ro');
    assert.equal((await face.connect(id, 'host1')).readOnly, true);
  });

  test("users cannot end an attachment of nova's behind its back (OSSA-2023-003)", async () => {
    const volumeId = await volumeOn('host1');
    const id = await attach(volumeId, uuid(), 'host1');
    const refused = await cloud.call('member', 'DELETE', `/attachments/${id}`);
    assert.equal(refused.status, 409);
    assert.match(refused.body.conflictingRequest.message, /using the Compute API/);
    assert.equal((await cloud.call('member', 'POST', `/volumes/${volumeId}/action`, { 'os-detach': {} })).status, 409);
    assert.equal((await cloud.call('admin', 'POST', `/volumes/${volumeId}/action`, { 'os-force_detach': {} })).status, 409);
    assert.equal((await cloud.call('member', 'POST', `/volumes/${volumeId}/action`, { 'os-terminate_connection': { connector: {} } })).status, 409);
    assert.equal((await face.volume(read(), ctx, volumeId)).status, 'in-use');
  });

  test('snapshots for images of servers: forced, awaited, deleted', async () => {
    const volumeId = await volumeOn('host1');
    await attach(volumeId, uuid(), 'host1');
    const id = uuid();
    for (let i = 0; i < 2; i++) await write((tx) => face.createSnapshot(tx, ctx, { id, volumeId, name: 'snapshot for image', force: true }));
    await face.untilSnapshotAvailable(id);
    assert.deepEqual(await face.snapshot(read(), ctx, id), { id, volumeId, status: 'available', sizeGb: 1 });
    for (let i = 0; i < 2; i++) await write((tx) => face.deleteSnapshot(tx, ctx, id));
    await cloud.settle();
    await assert.rejects(face.snapshot(read(), ctx, id), (error) => isCairnError(error, 'NotFound'));
  });

  test('a volume goes with its server, in whatever status it is; one with snapshots stays', async () => {
    const id = uuid();
    await write((tx) => face.createVolume(tx, ctx, { id, name: '', sizeGb: 1 }));
    await write((tx) => face.deleteVolume(tx, ctx, id));
    await write((tx) => face.deleteVolume(tx, ctx, id));
    await write((tx) => face.deleteVolume(tx, ctx, uuid()));
    await cloud.settle();
    await assert.rejects(face.volume(read(), ctx, id), (error) => isCairnError(error, 'NotFound'));
    const kept = await volumeOn('host1');
    await write((tx) => face.createSnapshot(tx, ctx, { id: uuid(), volumeId: kept, name: '', force: false }));
    await cloud.settle();
    await write((tx) => face.deleteVolume(tx, ctx, kept));
    await cloud.settle();
    assert.equal((await face.volume(read(), ctx, kept)).status, 'available');
  });

  test('types by name or id, for those who may use them', async () => {
    assert.equal(await face.volumeTypeName(read(), ctx, '__DEFAULT__'), '__DEFAULT__');
    assert.equal(await face.volumeTypeName(read(), ctx, 'nonesuch'), undefined);
    await cloud.call('admin', 'POST', '/types', { volume_type: { name: 'hidden', 'os-volume-type-access:is_public': false } });
    assert.equal(await face.volumeTypeName(read(), ctx, 'hidden'), undefined);
  });

  test('volumes spread over hosts by free space', async () => {
    const hosts = new Set<string | null>();
    for (let i = 0; i < 4; i++) {
      const id = uuid();
      await write((tx) => face.createVolume(tx, ctx, { id, name: '', sizeGb: 5 }));
      await face.untilAvailable(id);
      hosts.add((await face.volume(read(), ctx, id)).host);
    }
    assert.deepEqual([...hosts].toSorted(), ['host1', 'host2']);
  });
});
