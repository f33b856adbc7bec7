import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, context, IMAGE, member, NETWORK, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open({
    options: {
      quotaDefaults: {
        instances: 50,
        cores: 50,
        ram: 50_000,
        metadata_items: 3,
        injected_files: 1,
        injected_file_content_bytes: 20,
        injected_file_path_bytes: 10,
      },
    },
  });
});
after(() => cloud.close());

const basic = { name: 'one', imageRef: IMAGE, flavorRef: '1', networks: 'none' };
const refused = async (server: object, version?: string, extra: object = {}, ctx = member()): Promise<{ status: number; message: string }> => {
  const answer = await cloud.request(ctx, 'POST', '/servers', { server: { ...basic, ...server }, ...extra }, version);
  const [fault] = Object.values(answer.body as Record<string, { code: number; message: string }>);
  assert.equal(fault?.code, answer.status, JSON.stringify(answer.body));
  return { status: answer.status, message: fault?.message ?? '' };
};

test('a server comes up on a host, with disk, port and claim, and leaves nothing when it is deleted', async () => {
  const answer = await cloud.request(member(), 'POST', '/servers', {
    server: {
      name: 'web 1',
      imageRef: IMAGE,
      flavorRef: '1',
      networks: [{ uuid: NETWORK }],
      key_name: 'mine',
      metadata: { role: 'x' },
      tags: ['b', 'a'],
      description: null,
    },
  });
  assert.equal(answer.status, 202);
  const { id, adminPass, links, security_groups: groups } = answer.body.server;
  assert.match(adminPass, /^\S{12}$/);
  assert.deepEqual(groups, [{ name: 'default' }]);
  assert.equal(answer.headers['location'], links[0].href);
  assert.equal(answer.headers['openstack-api-version'], 'compute 2.96');
  await cloud.settle();
  const { server } = await cloud.ok(member(), 'GET', `/servers/${id}`);
  assert.equal(server.status, 'ACTIVE');
  assert.equal(server['OS-EXT-STS:power_state'], 1);
  assert.equal(server['OS-EXT-STS:task_state'], null);
  assert.deepEqual(server.addresses.private[0], {
    version: 4,
    addr: '10.0.0.2',
    'OS-EXT-IPS:type': 'fixed',
    'OS-EXT-IPS-MAC:mac_addr': server.addresses.private[0]['OS-EXT-IPS-MAC:mac_addr'],
  });
  assert.deepEqual(server.tags, ['a', 'b']);
  assert.deepEqual(server.flavor, { vcpus: 1, ram: 512, disk: 1, ephemeral: 0, swap: 0, original_name: 'm1.tiny', extra_specs: { 'hw:x': 'y' } });
  assert.equal(server.key_name, 'mine');
  assert.equal(server.description, null);
  assert.equal(server['OS-EXT-SRV-ATTR:hostname'], 'web-1');
  assert.equal(server.hostId.length, 56);
  assert.equal(server['OS-EXT-SRV-ATTR:host'], undefined);
  const shown = (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server;
  const machine = cloud.world.machines.find(({ host }) => host === shown['OS-EXT-SRV-ATTR:host']);
  assert.equal(machine?.guests.get(id)?.state, 'running');
  assert.equal(shown.host_status, 'UP');
  assert.match(shown['OS-EXT-SRV-ATTR:instance_name'], /^instance-[0-9a-f]{8}$/);
  assert.equal((await cloud.request(member(), 'DELETE', `/servers/${id}`)).status, 204);
  await cloud.settle();
  const gone = await cloud.request(member(), 'GET', `/servers/${id}`);
  assert.deepEqual([gone.status, gone.body], [404, { itemNotFound: { code: 404, message: `Instance ${id} could not be found.` } }]);
  assert.deepEqual(machine?.inspect(), []);
  const events = async (): Promise<string[]> =>
    (await cloud.outbox.since(cloud.store.read, 0, 1_000)).filter((event) => event.resourceId === id).map((event) => event.type);
  // on PostgreSQL events get their numbers a moment after the commit
  await cloud.until(async () => (await events()).length === 4);
  assert.deepEqual(await events(), [
    'compute.instance.create.start',
    'compute.instance.create.end',
    'compute.instance.delete.start',
    'compute.instance.delete.end',
  ]);
});

test('another project does not see a server', async () => {
  const id = await cloud.create(member());
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['GET', '/metadata'],
    ['GET', '/ips'],
    ['GET', '/tags'],
    ['GET', '/os-interface'],
    ['GET', '/os-volume_attachments'],
    ['GET', '/os-instance-actions'],
    ['GET', '/os-security-groups'],
    ['GET', '/os-server-password'],
  ] as const) {
    assert.equal((await cloud.request(stranger(), method, `/servers/${id}${path}`)).status, 404, `${method} ${path}`);
  }
  for (const action of [
    { 'os-stop': null },
    { reboot: { type: 'HARD' } },
    { createImage: { name: 'x' } },
    { 'os-getConsoleOutput': {} },
    { lock: null },
    { addSecurityGroup: { name: 'web' } },
  ]) {
    assert.equal((await cloud.request(stranger(), 'POST', `/servers/${id}/action`, action)).status, 404, Object.keys(action)[0]);
  }
  assert.equal((await cloud.request(context({ roles: ['reader'] }), 'POST', `/servers/${id}/action`, { 'os-stop': null })).status, 403);
  assert.equal((await cloud.request(admin(), 'GET', `/servers/${id}`)).status, 200);
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
});

test("what does not fit together is refused in upstream's words", async () => {
  const other = '99999999-9999-4999-8999-999999999999';
  const cases: readonly (readonly [object, number, RegExp, string?])[] = [
    [{ imageRef: other }, 400, /^Can not find requested image$/],
    [{ imageRef: '' }, 400, /^Missing imageRef attribute$/],
    [{ imageRef: 'no-uuid' }, 400, /Invalid input/],
    [{ flavorRef: 'nope' }, 400, /^Flavor nope could not be found\.$/],
    [{ key_name: 'nope' }, 400, /^Invalid key_name provided\.$/],
    [{ networks: [{ uuid: other }] }, 400, /^Network 9+-.* could not be found\.$/],
    [{ networks: [{ port: other }] }, 400, /^Port id 9+-.* could not be found\.$/],
    [{ networks: [{ port: other }, { port: other }] }, 400, /was specified twice/],
    [{ networks: [{ uuid: NETWORK, fixed_ip: '10.0.0.9' }], max_count: 2 }, 400, /fixed_ip is specified/],
    [{ networks: undefined }, 400, /'networks' is a required property/],
    [{ security_groups: [{ name: 'nope' }] }, 400, /Security group nope not found/],
    [{ availability_zone: 'nowhere' }, 400, /^The requested availability zone is not available$/],
    [{ availability_zone: 'a:b:c:d' }, 400, /Unable to parse availability_zone/],
    [{ min_count: 3, max_count: 2 }, 400, /^min_count must be <= max_count$/],
    [{ hostname: 'h-1', max_count: 2 }, 400, /single hostname to multiple instances/],
    [{ metadata: { a: '1', b: '2', c: '3', d: '4' } }, 403, /^Maximum number of metadata items exceeds 3$/],
    [{ personality: [] }, 400, /Additional properties are not allowed/],
    [
      {
        networks: [],
        personality: [
          { path: '/a', contents: 'YQ==' },
          { path: '/b', contents: 'YQ==' },
        ],
      },
      403,
      /^Personality file limit exceeded$/,
      '2.1',
    ],
    [{ networks: [], personality: [{ path: '/a-long-path', contents: 'YQ==' }] }, 403, /^Personality file path exceeds maximum 10$/, '2.1'],
    [{ name: ' x' }, 400, /Invalid input for field\/attribute name/],
    [{ name: 'a\u0007b' }, 400, /Invalid input for field\/attribute name/],
    [{ user_data: 'abcde' }, 400, /Invalid input for field\/attribute user_data/],
    [{ host: 'h1' }, 403, /Policy doesn't allow compute:servers:create:requested_destination/],
    [{ availability_zone: 'nova:h1' }, 403, /Policy doesn't allow os_compute_api:servers:create:forced_host/],
    [{ max_count: 51, min_count: 51 }, 403, /^Quota exceeded for instances, cores: Requested 51, 51, but already used 0, 0 of 50, 50 instances, cores$/],
    [{ block_device_mapping_v2: [{ source_type: 'blank', destination_type: 'volume', volume_size: 1, boot_index: -1 }] }, 400, /Boot sequence/],
    [{ block_device_mapping_v2: [{ source_type: 'image', destination_type: 'volume', uuid: IMAGE, boot_index: 0 }] }, 400, /need to have a non-zero size/],
    [
      { block_device_mapping_v2: [{ source_type: 'volume', destination_type: 'volume', uuid: other, boot_index: 0 }], imageRef: '' },
      400,
      /Volume 9+-.* could not be found\./,
    ],
    [{ config_drive: 'maybe' }, 400, /Invalid input for field\/attribute config_drive/],
  ];
  for (const [server, status, message, version] of cases) {
    const got = await refused(server, version);
    assert.equal(got.status, status, `${JSON.stringify(server)}: ${got.status} ${got.message}`);
    assert.match(got.message, message, JSON.stringify(server));
  }
  assert.match((await refused({}, undefined, { 'os:scheduler_hints': { group: other } })).message, /^Instance group 9+-.* could not be found\.$/);
  assert.equal((await cloud.ok(member(), 'GET', '/servers')).servers.length, 0, 'nothing is left of them');
});

test('a server that fits nowhere is in error and says why', async () => {
  const rich = context({ projectId: 'rich' });
  await cloud.store.write(async (tx) => {
    await tx.kysely
      .insertInto('nova_quota' as never)
      .values({ project_id: 'rich', user_id: '', resource: 'ram', hard_limit: -1 } as never)
      .execute();
  });
  const id = await cloud.create(rich, { flavorRef: '9', networks: 'none' });
  const { server } = await cloud.ok(rich, 'GET', `/servers/${id}`);
  assert.equal(server.status, 'ERROR');
  assert.equal(server.fault.code, 500);
  assert.match(server.fault.message, /^No valid host was found\. There are not enough hosts available\./);
  assert.match(server.fault.message, /needs 90000000 MB of RAM, best host has 261632 MB free/);
  assert.match(server.fault.message, /Of 2 hosts: 2 left after VCPU 1, 0 left after MEMORY_MB 90000000/);
  assert.equal(server.fault.details, undefined, 'details are for administrators');
  assert.equal(typeof (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server.fault.details, 'string');
  const { instanceActions } = await cloud.ok(rich, 'GET', `/servers/${id}/os-instance-actions`);
  assert.equal(instanceActions[0].message, 'Error');
  const { instanceAction } = await cloud.ok(admin(), 'GET', `/servers/${id}/os-instance-actions/${instanceActions[0].request_id}`);
  assert.equal(instanceAction.events[0].result, 'Error');
  assert.match(instanceAction.events[0].details, /MB of RAM/);
  await cloud.ok(rich, 'DELETE', `/servers/${id}`);
  await cloud.settle();
  assert.equal((await cloud.request(rich, 'GET', `/servers/${id}`)).status, 404);
});

test('several servers come of one request, with numbered names and one reservation', async () => {
  const answer = await cloud.ok(member(), 'POST', '/servers', {
    server: { ...basic, name: 'Many_x', networks: 'auto', min_count: 2, max_count: 3, return_reservation_id: true },
  });
  assert.match(answer.reservation_id, /^r-[0-9a-z]{8}$/);
  await cloud.settle();
  const { servers } = await cloud.ok(member(), 'GET', '/servers/detail?sort_key=display_name&sort_dir=asc');
  assert.deepEqual(
    servers.map((server: { name: string }) => server.name),
    ['Many_x-1', 'Many_x-2', 'Many_x-3'],
  );
  assert.deepEqual(
    servers.map((server: Record<string, string>) => server['OS-EXT-SRV-ATTR:hostname']),
    ['many-x-1', 'many-x-2', 'many-x-3'],
  );
  assert.equal(new Set(servers.map((server: { addresses: { private: { addr: string }[] } }) => server.addresses.private[0]?.addr)).size, 3);
  for (const server of servers) await cloud.ok(member(), 'DELETE', `/servers/${server.id}`);
  await cloud.settle();
});

test('the port quota cuts the number of servers, or refuses them', async () => {
  cloud.neutron.left = 2;
  await cloud.ok(member(), 'POST', '/servers', { server: { ...basic, networks: 'auto', min_count: 1, max_count: 5 } });
  assert.deepEqual(await refused({ networks: 'auto', min_count: 3 }), { status: 403, message: 'Maximum number of ports exceeded' });
  cloud.neutron.left = -1;
  await cloud.settle();
  const { servers } = await cloud.ok(member(), 'GET', '/servers');
  assert.equal(servers.length, 2);
  for (const server of servers) await cloud.ok(member(), 'DELETE', `/servers/${server.id}`);
  await cloud.settle();
});

test('PUT changes name and description, and shows what its microversion shows', async () => {
  const id = await cloud.create(member());
  const newer = (
    await cloud.ok(member(), 'PUT', `/servers/${id}`, { server: { name: 'two', description: 'd', hostname: 'h.example.org', accessIPv4: '1.2.3.4' } })
  ).server;
  assert.deepEqual(
    [newer.name, newer.description, newer['OS-EXT-SRV-ATTR:hostname'], newer.accessIPv4, newer['OS-EXT-STS:vm_state']],
    ['two', 'd', 'h.example.org', '1.2.3.4', 'active'],
  );
  const older = (await cloud.ok(member(), 'PUT', `/servers/${id}`, { server: { name: 'three' } }, '2.1')).server;
  assert.equal(older['OS-EXT-STS:vm_state'], undefined);
  assert.equal(older.addresses.private[0]['OS-EXT-IPS:type'], undefined);
  assert.equal((await cloud.request(member(), 'PUT', `/servers/${id}`, { server: { description: 'd' } }, '2.18')).status, 400);
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
});
