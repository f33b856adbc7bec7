import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { NewDisk } from '@cairn/host/interface/disks';
import { IMAGE, member, NETWORK, TestCloud } from '../testing/cloud.ts';
import { netmaskOf } from './network-data.ts';

/** Behind the root disk and the config drive. */
const NIC = '0000:03:00.0';
/** The files of each config drive that was made. */
const drives: Readonly<Record<string, string>>[] = [];

let cloud: TestCloud;
let id = '';
let portId = '';
before(async () => {
  cloud = await TestCloud.open({
    hosts: [{ name: 'h1' }],
    fault: ({ method, args, when }) => {
      const { source } = (args[0] ?? {}) as Partial<NewDisk>;
      if (method === 'disks.create' && when === 'before' && source?.kind === 'files') drives.push(source.files);
    },
  });
  id = await cloud.create(member(), {
    name: 'Web',
    key_name: 'mine',
    user_data: Buffer.from('#!/bin/sh\n\0\xff', 'latin1').toString('base64'),
    metadata: { role: 'acceptance' },
    networks: [{ uuid: NETWORK, tag: 'front' }],
    config_drive: true,
  });
  portId = (await cloud.ok(member(), 'GET', `/servers/${id}/os-interface`)).interfaceAttachments[0].port_id;
});
after(() => cloud.close());

const read = async (path: string): Promise<{ status: number; contentType: string; text: string; body: string | Buffer }> => {
  const reply = await cloud.agent('h1').guestReads(portId, path);
  return { ...reply, text: reply.body.toString() };
};

test("the OpenStack tree is as upstream's", async () => {
  assert.match((await read('/openstack')).text, /^2012-08-10\n(.*\n)*2025-04-04\nlatest$/);
  assert.equal((await read('/openstack/latest/')).text, 'meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json');
  assert.equal((await read('/openstack/2012-08-10')).text, 'meta_data.json\nuser_data');
  const reply = await read('/openstack/latest/meta_data.json');
  assert.equal(reply.contentType, 'application/json; charset=UTF-8');
  const meta = JSON.parse(reply.text);
  assert.equal(meta.uuid, id);
  assert.deepEqual(meta.meta, { role: 'acceptance' });
  assert.equal(meta.hostname, 'web.novalocal');
  assert.deepEqual(meta.public_keys, { mine: 'ssh-ed25519 AAAA me' });
  assert.deepEqual(meta.keys, [{ name: 'mine', type: 'ssh', data: 'ssh-ed25519 AAAA me' }]);
  assert.equal(Buffer.from(meta.random_seed, 'base64').length, 512);
  assert.deepEqual([meta.name, meta.launch_index, meta.availability_zone, meta.project_id], ['Web', 0, 'nova', 'p1']);
  assert.deepEqual(meta.devices, [
    {
      vf_trusted: false,
      type: 'nic',
      mac: `fa:16:3e:${portId.slice(0, 2)}:${portId.slice(2, 4)}:${portId.slice(4, 6)}`,
      bus: 'pci',
      address: NIC,
      tags: ['front'],
    },
  ]);
  assert.equal(meta.admin_pass, undefined, 'never over the network');
  assert.equal(JSON.parse((await read('/openstack/2012-08-10/meta_data.json')).text).project_id, undefined);
  const network = JSON.parse((await read('/openstack/latest/network_data.json')).text);
  assert.equal(network.networks[0].type, 'ipv4_dhcp');
  assert.equal(network.links[0].mtu, 1_500);
  assert.deepEqual(network.services, [{ type: 'dns', address: '9.9.9.9' }]);
  assert.deepEqual((await read('/openstack/latest/user_data')).body, Buffer.from('#!/bin/sh\n\0\xff', 'latin1'));
  for (const path of ['/openstack/latest/nope', '/openstack/1999-01-01', '/openstack/latest/../../x', '/openstack/2012-08-10/vendor_data.json', '/%'])
    assert.equal((await read(path)).status, 404, path);
});

test('tagged disks tell their bus, on the drive as over the network', async () => {
  const volume = { source_type: 'image', destination_type: 'volume', uuid: IMAGE, volume_size: 1, delete_on_termination: true };
  const other = await cloud.create(member(), {
    networks: [{ uuid: NETWORK, tag: 'front' }],
    imageRef: '',
    config_drive: true,
    block_device_mapping_v2: [
      { ...volume, boot_index: 0, tag: 'root' },
      { ...volume, source_type: 'blank', uuid: undefined, boot_index: -1, tag: 'data', disk_bus: 'scsi' },
      { ...volume, source_type: 'blank', uuid: undefined, boot_index: -1, tag: 'log' },
    ],
  });
  const guest = cloud.world.machines[0]?.guests.get(other);
  assert.ok(guest);
  const port = guest.spec.nics[0]?.portId as string;
  const meta = JSON.parse((await cloud.agent('h1').guestReads(port, '/openstack/latest/meta_data.json')).body.toString());
  const places = Object.fromEntries(
    meta.devices.map(({ tags, type, bus, address }: { tags: string[]; type: string; bus: string; address: string }) => [tags[0], [type, bus, address]]),
  );
  // the same order as the guest's slots: virtio disks by name, then cards
  const slots = guest.spec.disks.filter((disk) => disk.bus === 'virtio').length;
  assert.deepEqual(places, {
    root: ['disk', 'pci', '0000:01:00.0'],
    data: ['disk', 'scsi', 'none'],
    log: ['disk', 'pci', '0000:02:00.0'],
    front: ['nic', 'pci', `0000:0${slots + 1}:00.0`],
  });
  const drive = JSON.parse(Buffer.from(drives.at(-1)?.['openstack/latest/meta_data.json'] ?? '', 'base64').toString());
  assert.deepEqual(drive.devices, meta.devices, 'told before the guest was there');
});

test("the EC2 tree is as upstream's", async () => {
  assert.equal((await read('/')).text.split('\n').at(-1), 'latest');
  assert.equal((await read('/latest')).text, 'meta-data/\nuser-data');
  assert.match((await read('/2009-04-04/meta-data/')).text, /^ami-id\nami-launch-index\n.*block-device-mapping\/\n.*public-keys\/\n/s);
  assert.equal((await read('/latest/meta-data/public-keys/')).text, '0=mine');
  assert.equal((await read('/latest/meta-data/public-keys/0/openssh-key')).text, 'ssh-ed25519 AAAA me');
  assert.equal((await read('/latest/meta-data/local-ipv4')).text, '10.0.0.2');
  assert.equal((await read('/latest/meta-data/placement/availability-zone')).text, 'nova');
  assert.match((await read('/latest/meta-data/instance-id')).text, /^i-[0-9a-f]{8}$/);
  assert.equal((await read('/latest/meta-data/block-device-mapping/root')).text, '/dev/vda');
  assert.equal((await read('/1.0/meta-data/placement')).status, 404);
  assert.equal((await read('/latest/meta-data/nope')).status, 404);
  assert.equal((await read('/latest/meta-data/hostname/x')).status, 404);
  assert.equal((await read('/latest/meta-data/__proto__')).status, 404);
});

test("a guest's identity is its port's, whatever it writes", async () => {
  const nobody = await cloud.agent('h1').guestReads('99999999-9999-4999-8999-999999999999', '/openstack/latest/meta_data.json');
  assert.equal(nobody.status, 404);
});

test('a guest posts its password once, and its owner clears it', async () => {
  const post = (body: string) => cloud.nova.face.metadata({ portId, method: 'POST', path: '/openstack/latest/password', body });
  assert.equal((await post('x'.repeat(1_021))).status, 400);
  assert.equal((await post('secret')).status, 200);
  assert.equal((await post('other')).status, 409);
  assert.equal((await read('/openstack/latest/password')).text, 'secret');
  assert.deepEqual(await cloud.ok(member(), 'GET', `/servers/${id}/os-server-password`), { password: 'secret' });
  assert.equal((await cloud.request(member(), 'DELETE', `/servers/${id}/os-server-password`)).status, 204);
  assert.deepEqual(await cloud.ok(member(), 'GET', `/servers/${id}/os-server-password`), { password: '' });
});

test('netmasks', () => {
  assert.equal(netmaskOf('10.0.0.0/24'), '255.255.255.0');
  assert.equal(netmaskOf('10.0.0.0/23'), '255.255.254.0');
  assert.equal(netmaskOf('0.0.0.0/0'), '0.0.0.0');
  assert.equal(netmaskOf('10.0.0.1/32'), '255.255.255.255');
  assert.equal(netmaskOf('fd00::/64'), 'ffff:ffff:ffff:ffff::');
  assert.equal(netmaskOf('fd00::/60'), 'ffff:ffff:ffff:fff0::');
  assert.equal(netmaskOf('::/0'), '::');
  assert.equal(netmaskOf('fd00::1/128'), 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff');
});
