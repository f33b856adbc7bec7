import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bench, bench, CANARY, hasQemuImg, isAnywhere } from '@cairn/host/disks/disks.fixture';
import type { NewDisk } from '@cairn/host/interface/disks';
import { hostileImages, qcow2 } from '@cairn/host/inspector/corpus.fixture';
import { recordingLog } from '@cairn/kit/testing/recording-log';
import { on } from '@cairn/kit/store/store';
import type { NovaTables } from '../store/tables.ts';
import { admin, type CloudOptions, IMAGE, member, NETWORK, stranger, TestCloud } from '../testing/cloud.ts';

// Classes of OpenStack's security advisories (anchors: "Twenty-five bug classes") that are compute's. SECURITY.md says where the others are.

const VOLUME = '77777777-7777-4777-8777-777777777777';
const OTHER_VOLUME = '77777777-7777-4777-8777-777777777778';

async function inCloud(options: CloudOptions, work: (cloud: TestCloud) => Promise<void>): Promise<void> {
  const cloud = await TestCloud.open({ ...options, options: { quotaDefaults: {}, ...options.options } });
  try {
    await work(cloud);
  } finally {
    await cloud.close();
  }
}

/** A host whose guests are simulated, and whose disks are real files. */
async function withRealDisks(work: (cloud: TestCloud, disks: Bench) => Promise<void>): Promise<void> {
  const real = await bench();
  try {
    await inCloud({ hosts: [{ name: 'h1' }] }, async (cloud) => {
      // simulated guests ask for simulated disks: whatever is made or removed is so there as well
      const { disks: simulated } = cloud.agent('h1');
      const both = {
        create: async (disk: NewDisk) => {
          const made = await real.disks.create(disk);
          await simulated.create({ ...disk, source: { kind: 'blank' } });
          return made;
        },
        remove: async (diskId: string) => {
          await real.disks.remove(diskId);
          await simulated.remove(diskId);
        },
      };
      const value = new Proxy(real.disks, {
        get(target, name) {
          if (name === 'create' || name === 'remove') return both[name];
          const part: unknown = Reflect.get(target, name, target);
          return typeof part === 'function' ? part.bind(target) : part;
        },
      });
      Object.defineProperty(cloud.agent('h1'), 'disks', { value });
      await work(cloud, real);
    });
  } finally {
    await real.cleanUp();
  }
}

const show = async (cloud: TestCloud, id: string) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server;
const act = async (cloud: TestCloud, id: string, body: object, ctx = member()) => {
  await cloud.ok(ctx, 'POST', `/servers/${id}/action`, body);
  await cloud.settle();
};
const noQemuImg = hasQemuImg ? false : 'needs qemu-img';

test('OSSA class 1 (2023-002), 2 (2024-001), 3 (2024-002), 5 (2016-012): no server is made, rebuilt or rescued from a hostile image', { skip: noQemuImg }, () =>
  withRealDisks(async (cloud, { images, dir, disks }) => {
    const canary = join(dir, '..', 'canary');
    await writeFile(canary, CANARY.padEnd(1_048_576, '\n'));
    await chmod(canary, 0o644);
    const plain = qcow2();
    images.set(IMAGE, plain);
    await cloud.glance.addImage({ id: IMAGE, name: 'sound', sizeBytes: plain.length });
    const sound = await cloud.create(member(), { networks: 'none' });
    assert.deepEqual(
      [(await show(cloud, sound)).status, (await show(cloud, sound)).fault],
      ['ACTIVE', undefined],
      'a sound image makes a server, else this proves nothing',
    );
    const before = (await disks.list()).map(({ diskId }) => diskId).sort();
    const { source } = cloud.glance;
    const declared = new Map<string, string>();
    cloud.glance.source = async (db, imageId) => ({ ...(await source.call(cloud.glance, db, imageId)), format: (declared.get(imageId) ?? 'qcow2') as 'qcow2' });
    for (const [at, sample] of hostileImages(canary).entries()) {
      const imageRef = `99999999-9999-4999-8999-${String(at).padStart(12, '0')}`;
      images.set(imageRef, sample.bytes);
      declared.set(imageRef, sample.declared);
      await cloud.glance.addImage({ id: imageRef, name: sample.name, diskFormat: sample.declared, sizeBytes: sample.bytes.length });
      const server = await cloud.create(member(), { imageRef, networks: 'none' });
      const made = await show(cloud, server);
      assert.equal(made.status, 'ERROR', sample.name);
      assert.doesNotMatch(JSON.stringify(made), new RegExp(`${CANARY}|${dir}`), 'nor is the host told of');
      await cloud.ok(member(), 'DELETE', `/servers/${server}`);
      await cloud.settle();
      if (at % 8 === 0) {
        await act(cloud, sound, { rebuild: { imageRef } });
        assert.equal((await show(cloud, sound)).status, 'ERROR', `${sample.name}: rebuild`);
        await act(cloud, sound, { 'os-resetState': { state: 'active' } }, admin());
        await act(cloud, sound, { rescue: { rescue_image_ref: imageRef } });
        assert.notEqual((await show(cloud, sound)).status, 'RESCUE', `${sample.name}: rescue`);
        await act(cloud, sound, { 'os-resetState': { state: 'active' } }, admin());
      }
    }
    assert.deepEqual((await disks.list()).map(({ diskId }) => diskId).sort(), before, 'nothing of them is left');
    assert.equal(await isAnywhere(dir, CANARY), false);
  }),
);

test('OSSA class 4 (2026-002): a disk is opened as what nova says it is, by every action, whatever its guest wrote into it', () =>
  inCloud({ hosts: [{ name: 'h1' }, { name: 'h2' }], options: { resizeToSameHost: false } }, async (cloud) => {
    // one wrapper starts qemu-img (host/src/disks/qemu-img.ts) and its own test holds that it never guesses; here: what nova asks for says the format
    const asked: unknown[] = [];
    for (const { disks } of cloud.agents.values()) {
      const plain = disks.export.bind(disks);
      disks.export = (diskId, options) => {
        asked.push(options.format);
        return plain(diskId, options);
      };
    }
    const id = await cloud.create(member(), { networks: 'none' });
    await act(cloud, id, { createImage: { name: 'snapshot' } });
    await act(cloud, id, { createBackup: { name: 'b', backup_type: 'daily', rotation: 1 } });
    await act(cloud, id, { resize: { flavorRef: '2' } });
    await act(cloud, id, { confirmResize: null });
    await act(cloud, id, { shelve: null });
    assert.ok(asked.length >= 4, String(asked.length));
    assert.ok(
      asked.every((format) => format === 'raw' || format === 'qcow2'),
      JSON.stringify(asked),
    );
    for (const { diskFormat } of await cloud.glance.images.all(cloud.store.read)) assert.ok(['raw', 'qcow2'].includes(diskFormat ?? ''), String(diskFormat));
  }));

test('OSSA class 8 (2023-003): a volume whose detachment failed half-way stays with its server; another one never appears in its place', async () => {
  let broken: 'before' | 'after' | undefined;
  await inCloud(
    {
      hosts: [{ name: 'h1' }],
      fault: ({ method, when }) => {
        if (method === 'guests.detachDisk' && when === broken) throw new Error('the guest does not let go');
      },
    },
    async (cloud) => {
      const first = await cloud.create(member(), { networks: 'none' });
      const second = await cloud.create(member(), { networks: 'none' });
      const guestDisks = (id: string): string[] => (cloud.agent('h1').machine.guests.get(id)?.spec.disks ?? []).map(({ diskId }) => diskId);
      const volumes = async (id: string): Promise<string[]> =>
        (await cloud.ok(member(), 'GET', `/servers/${id}/os-volume_attachments`)).volumeAttachments.map((one: { volumeId: string }) => one.volumeId);
      const attach = (id: string, volumeId: string) =>
        cloud.request(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId } });
      for (const id of [VOLUME, OTHER_VOLUME]) await cloud.cinder.addVolume({ id, host: 'h1' });
      await attach(first, VOLUME);
      await cloud.settle();
      const [withVolume] = [guestDisks(first)];
      for (const when of ['before', 'after'] as const) {
        broken = when;
        await cloud.ok(member(), 'DELETE', `/servers/${first}/os-volume_attachments/${VOLUME}`);
        await cloud.settle();
        broken = undefined;
        assert.deepEqual(await volumes(first), [VOLUME], when);
        assert.deepEqual(guestDisks(first).sort(), [...withVolume].sort(), `${when}: guest and rows say the same`);
        assert.equal((await attach(second, VOLUME)).status, 400, 'nobody else gets it meanwhile');
      }
      // another volume and another server: each sees its own alone
      await attach(second, OTHER_VOLUME);
      await cloud.settle();
      assert.equal(guestDisks(first).filter((diskId) => guestDisks(second).includes(diskId)).length, 0);
      await cloud.ok(member(), 'DELETE', `/servers/${first}/os-volume_attachments/${VOLUME}`);
      await cloud.settle();
      assert.deepEqual([await volumes(first), await volumes(second)], [[], [OTHER_VOLUME]]);
      await attach(first, OTHER_VOLUME).then(({ status }) => assert.equal(status, 400));
      for (const action of [{ reboot: { type: 'HARD' } }, { 'os-stop': null }, { 'os-start': null }]) await act(cloud, first, action);
      assert.equal(guestDisks(first).length, 1, 'it does not come back with a start');
    },
  );
});

test('OSSA class 9 (2020-006): after a live migration, every start is from what the database says, and from nothing of the old host', () =>
  inCloud({ hosts: [{ name: 'h1' }, { name: 'h2' }] }, async (cloud) => {
    const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }], config_drive: true });
    const inDatabase = async (): Promise<(string | null)[]> =>
      (await on<NovaTables>(cloud.store.read).selectFrom('nova_block_device').select('disk_id').where('server_id', '=', id).execute())
        .map(({ disk_id }) => disk_id)
        .sort();
    const host = async (): Promise<string> => (await show(cloud, id))['OS-EXT-SRV-ATTR:host'];
    const inGuest = async (): Promise<string[]> => (cloud.agent(await host()).machine.guests.get(id)?.spec.disks ?? []).map(({ diskId }) => diskId).sort();
    const from = await host();
    await act(cloud, id, { 'os-migrateLive': { host: null, block_migration: 'auto' } }, admin());
    assert.notEqual(await host(), from);
    assert.deepEqual(await inGuest(), await inDatabase());
    // what changes afterwards counts at the next start, and what was is not started from again
    await cloud.cinder.addVolume({ id: VOLUME, host: await host() });
    await cloud.ok(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUME } });
    await cloud.settle();
    for (const type of ['SOFT', 'HARD']) {
      await act(cloud, id, { reboot: { type } });
      assert.deepEqual(await inGuest(), await inDatabase(), type);
    }
    await cloud.ok(member(), 'DELETE', `/servers/${id}/os-volume_attachments/${VOLUME}`);
    await cloud.settle();
    await act(cloud, id, { reboot: { type: 'HARD' } });
    assert.deepEqual(await inGuest(), await inDatabase());
    const old = cloud.agent(from).machine;
    assert.deepEqual([old.guests.has(id), [...old.disks.keys()].filter((diskId) => diskId.includes(id))], [false, []]);
  }));

test("OSSA class 15 (2019-006): no list and no show tells what is another project's", () =>
  inCloud({}, async (cloud) => {
    const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }], name: 'secret-name', metadata: { secret: 'value' }, tags: ['secret-tag'] });
    await act(cloud, id, { createImage: { name: 'secret-image' } });
    const group = (await cloud.ok(member(), 'POST', '/os-server-groups', { server_group: { name: 'secret-group', policy: 'affinity' } })).server_group.id;
    const lists = [
      '/servers',
      '/servers/detail',
      '/os-server-groups',
      '/os-keypairs',
      '/os-simple-tenant-usage/p1',
      '/limits',
      '/flavors/detail',
      '/images/detail',
    ];
    const filters = ['', 'all_tenants=1', 'all_projects=true', 'project_id=p1', 'tenant_id=p1', 'name=secret', 'tags=secret-tag', 'user_id=u1', `marker=${id}`];
    for (const list of lists)
      for (const filter of filters) {
        const { status, body } = await cloud.request(stranger(), 'GET', `${list}?${filter}`, undefined, '2.60');
        assert.ok(status < 500, `${list}?${filter}: ${status}`);
        const told = JSON.stringify(body).replaceAll(`marker [${id}]`, '');
        assert.doesNotMatch(told, new RegExp(`secret-name|secret-tag|secret-group|secret-image|${group}`), `${list}?${filter}`);
        if (status < 300) assert.ok(!told.includes(`"id":"${id}"`), `${list}?${filter}`);
      }
    for (const part of [
      '',
      '/metadata',
      '/tags',
      '/ips',
      '/os-interface',
      '/os-volume_attachments',
      '/os-instance-actions',
      '/os-security-groups',
      '/topology',
      '/diagnostics',
    ]) {
      const { status } = await cloud.request(stranger(), 'GET', `/servers/${id}${part}`);
      assert.ok(status === 404 || status === 403, `${part}: ${status}`);
    }
    // as upstream: its policy is asked with the group's project
    assert.equal((await cloud.request(stranger(), 'GET', `/os-server-groups/${group}`)).status, 403);
  }));

test('OSSA class 21 (2021-005): control characters are refused wherever text goes on to hosts and guests', () =>
  inCloud({}, async (cloud) => {
    const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
    const server = (more: object) => ['POST', '/servers', { server: { name: 'n', imageRef: IMAGE, flavorRef: '1', networks: 'none', ...more } }] as const;
    for (const bad of ['a\nb', 'a\rb', 'a\u001bb', '\u007f']) {
      const name = JSON.stringify(bad);
      for (const [method, path, body] of [
        server({ name: bad }),
        server({ hostname: bad }),
        server({ key_name: bad }),
        server({ availability_zone: bad }),
        server({ block_device_mapping_v2: [{ boot_index: 0, uuid: IMAGE, source_type: 'image', destination_type: 'local', device_name: bad }] }),
        ['PUT', `/servers/${id}`, { server: { name: bad } }],
        ['PUT', `/servers/${id}`, { server: { hostname: bad } }],
        ['POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUME, device: bad } }],
        ['POST', `/servers/${id}/action`, { createImage: { name: bad } }],
        ['POST', '/os-keypairs', { keypair: { name: bad, type: 'ssh', public_key: 'ssh-ed25519 AAAA' } }],
      ] as const) {
        const { status } = await cloud.request(member(), method, path, body);
        assert.ok(status === 400 || status === 404, `${method} ${path} ${JSON.stringify(body)} with ${name}: ${status}`);
      }
      for (const [path, body] of [
        ['/os-aggregates', { aggregate: { name: bad, availability_zone: 'z' } }],
        ['/flavors', { flavor: { name: bad, ram: 1, vcpus: 1, disk: 0 } }],
        ['/flavors/1/os-extra_specs', { extra_specs: { [bad]: 'x' } }],
      ] as const)
        assert.equal((await cloud.request(admin(), 'POST', path, body)).status, 400, `${path} with ${name}`);
    }
    assert.equal((await show(cloud, id)).name, 'one');
  }));

test('OSSA class 23 (2015-005, 2020-001): a console opens for its own server alone, and no secret of a run is in the log or in any event', async () => {
  const { log, lines } = recordingLog();
  await inCloud({ hosts: [{ name: 'h1' }], log }, async (cloud) => {
    const id = await cloud.create(member(), { adminPass: 'secret-admin-pass', user_data: Buffer.from('secret-user-data').toString('base64') });
    const other = await cloud.create(member());
    const console = { remote_console: { protocol: 'vnc', type: 'novnc' } };
    const { url } = (await cloud.ok(member(), 'POST', `/servers/${id}/remote-consoles`, console)).remote_console as { url: string };
    const token = /token%3D([0-9a-f-]+)|token=([0-9a-f-]+)/.exec(url)?.slice(1).find(Boolean);
    assert.ok(token);
    const shown = await cloud.ok(admin(), 'GET', `/os-console-auth-tokens/${token}`);
    assert.deepEqual([shown.console.instance_uuid, shown.console.instance_uuid === other], [id, false], 'a pass is bound to its server');
    assert.equal((await cloud.request(stranger(), 'POST', `/servers/${id}/remote-consoles`, console)).status, 404);
    assert.equal((await cloud.request(member(), 'GET', `/os-console-auth-tokens/${token}`)).status, 403);
    await act(cloud, id, { changePassword: { adminPass: 'secret-new-pass' } }).catch(() => {});
    await act(cloud, id, { rebuild: { imageRef: IMAGE, adminPass: 'secret-rebuilt' } });
    await act(cloud, id, { rescue: { adminPass: 'secret-rescue' } });
    await cloud.ok(member(), 'DELETE', `/servers/${id}`);
    await cloud.settle();
    const events = JSON.stringify(await on<{ kit_event: Record<string, unknown> }>(cloud.store.read).selectFrom('kit_event').selectAll().execute());
    assert.ok(events.includes(id), 'this is where events are');
    for (const secret of [
      'secret-admin-pass',
      'secret-user-data',
      Buffer.from('secret-user-data').toString('base64'),
      'secret-new-pass',
      'secret-rebuilt',
      'secret-rescue',
      token,
    ]) {
      assert.deepEqual(
        lines.filter((line) => line.includes(secret)),
        [],
        `${secret} is in the log`,
      );
      assert.ok(!events.includes(secret), `${secret} is in an event`);
    }
    assert.ok(lines.length > 0);
  });
});
