import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MAX_MICROVERSION } from '../microversions.ts';
import { refuses } from '../testing/assertions.ts';
import { admin, member, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open();
  cloud.version = MAX_MICROVERSION;
});
after(() => cloud.close());

const make = async (aggregate: object, version?: string) => (await cloud.ok(admin(), 'POST', '/os-aggregates', { aggregate }, version)).aggregate;
const act = (id: number, action: object) => ['POST', `/os-aggregates/${id}/action`, action] as const;
const forget = (id: number) => cloud.ok(admin(), 'DELETE', `/os-aggregates/${id}`);

test('an aggregate is made, told, changed and deleted', async () => {
  const made = await make({ name: 'one', availability_zone: 'z1' });
  const { id, uuid, created_at: createdAt, ...rest } = made;
  assert.equal(typeof id, 'number');
  assert.match(uuid, /^[0-9a-f-]{36}$/);
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
  assert.deepEqual(rest, { name: 'one', availability_zone: 'z1', updated_at: null, deleted: false, deleted_at: null }, 'without hosts and metadata');
  assert.equal((await make({ name: 'old', availability_zone: null }, '2.40')).uuid, undefined);
  const shown = (await cloud.ok(admin(), 'GET', `/os-aggregates/${id}`)).aggregate;
  assert.deepEqual(shown, { ...made, hosts: [], metadata: { availability_zone: 'z1' } });
  const { aggregates } = await cloud.ok(admin(), 'GET', '/os-aggregates');
  assert.deepEqual(
    aggregates.map(({ name, availability_zone: zone }: { name: string; availability_zone: string | null }) => [name, zone]),
    [
      ['one', 'z1'],
      ['old', null],
    ],
  );
  const changed = (await cloud.ok(admin(), 'PUT', `/os-aggregates/${id}`, { aggregate: { name: ' two ', availability_zone: 'z2' } })).aggregate;
  assert.deepEqual(
    [changed.name, changed.availability_zone, changed.metadata, typeof changed.updated_at],
    ['two', 'z2', { availability_zone: 'z2' }, 'string'],
  );
  const meta = (await cloud.ok(admin(), ...act(id, { set_metadata: { metadata: { ssd: 'true', x: 'y' } } }))).aggregate;
  assert.deepEqual(meta.metadata, { availability_zone: 'z2', ssd: 'true', x: 'y' });
  assert.deepEqual((await cloud.ok(admin(), ...act(id, { set_metadata: { metadata: { x: null, none: null } } }))).aggregate.metadata, {
    availability_zone: 'z2',
    ssd: 'true',
  });
  for (const each of aggregates) assert.equal((await cloud.request(admin(), 'DELETE', `/os-aggregates/${each.id}`)).status, 200);
  await refuses(cloud, admin(), ['GET', `/os-aggregates/${id}`], 404, `Aggregate ${id} could not be found.`);
  await refuses(cloud, admin(), ['DELETE', `/os-aggregates/${id}`], 404);
});

test('what makes no aggregate is refused', async () => {
  const { id } = await make({ name: 'there' });
  await refuses(cloud, admin(), ['POST', '/os-aggregates', { aggregate: { name: 'there' } }], 409, 'Aggregate there already exists.');
  const other = await make({ name: 'other' });
  await refuses(cloud, admin(), ['PUT', `/os-aggregates/${other.id}`, { aggregate: { name: 'there' } }], 409, 'Aggregate there already exists.');
  for (const aggregate of [
    { name: '' },
    { name: ' x' },
    { name: 'x'.repeat(256) },
    { name: 'x', availability_zone: 'a:b' },
    { name: 'x', availability_zone: '' },
    { name: 'x', hosts: [] },
    {},
  ]) {
    await refuses(cloud, admin(), ['POST', '/os-aggregates', { aggregate }], 400);
  }
  await refuses(cloud, admin(), ['PUT', `/os-aggregates/${id}`, { aggregate: {} }], 400);
  await refuses(
    cloud,
    admin(),
    ['PUT', `/os-aggregates/${id}`, { aggregate: { availability_zone: null } }],
    400,
    `Cannot update aggregate ${id}. Reason: Aggregate there does not support empty named availability zone.`,
  );
  await refuses(cloud, admin(), act(id, { set_metadata: { metadata: { availability_zone: null } } }), 400, /^Cannot update metadata of aggregate/);
  await refuses(cloud, admin(), act(id, { set_metadata: { metadata: { 'a/b': 'x' } } }), 400);
  await refuses(cloud, admin(), act(id, { jump: {} }), 400);
  await refuses(cloud, admin(), ['GET', '/os-aggregates/x'], 400);
  await refuses(cloud, member(), ['GET', '/os-aggregates'], 403);
  await refuses(cloud, member(), act(id, { add_host: { host: 'h1' } }), 403);
  for (const each of [id, other.id]) await forget(each);
});

test('hosts come and go, and their zone with them', async () => {
  const [a, b] = [await make({ name: 'a', availability_zone: 'az' }), await make({ name: 'b', availability_zone: 'bz' })];
  assert.deepEqual((await cloud.ok(admin(), ...act(a.id, { add_host: { host: 'h1' } }))).aggregate.hosts, ['h1']);
  const zones = async (): Promise<string[]> =>
    (await cloud.ok(member(), 'GET', '/os-availability-zone')).availabilityZoneInfo.map(({ zoneName }: { zoneName: string }) => zoneName);
  assert.deepEqual(await zones(), ['az', 'nova']);
  await refuses(cloud, admin(), act(a.id, { add_host: { host: 'h1' } }), 409, `Aggregate ${a.id} already has host h1.`);
  await refuses(cloud, admin(), act(a.id, { add_host: { host: 'h9' } }), 404, 'Compute host h9 could not be found.');
  await refuses(cloud, admin(), act(999, { add_host: { host: 'h1' } }), 404, 'Aggregate 999 could not be found.');
  await refuses(
    cloud,
    admin(),
    act(b.id, { add_host: { host: 'h1' } }),
    409,
    `Cannot add host to aggregate ${b.id}. Reason: One or more hosts already in availability zone(s) ['az'].`,
  );
  await refuses(cloud, admin(), ['DELETE', `/os-aggregates/${a.id}`], 400, `Cannot remove host from aggregate ${a.id}. Reason: Host aggregate is not empty.`);
  const plain = await make({ name: 'plain' });
  await cloud.ok(admin(), ...act(plain.id, { add_host: { host: 'h1' } }));
  await refuses(
    cloud,
    admin(),
    ['PUT', `/os-aggregates/${plain.id}`, { aggregate: { availability_zone: 'other' } }],
    400,
    /already in availability zone\(s\) \['az'\]/,
  );
  assert.equal((await cloud.request(admin(), 'PUT', `/os-aggregates/${a.id}`, { aggregate: { availability_zone: 'az2' } })).status, 200);
  for (const id of [a.id, plain.id]) assert.deepEqual((await cloud.ok(admin(), ...act(id, { remove_host: { host: 'h1' } }))).aggregate.hosts, []);
  await refuses(cloud, admin(), act(a.id, { remove_host: { host: 'h1' } }), 404, `Cannot remove host h1 in aggregate ${a.id}`);
  for (const { id } of [a, b, plain]) await forget(id);
  assert.deepEqual(await zones(), ['nova']);
});

test('a host with servers keeps its zone', async () => {
  const aggregate = await make({ name: 'apart', availability_zone: 'apart' });
  await cloud.ok(admin(), ...act(aggregate.id, { add_host: { host: 'h1' } }));
  const id = await cloud.create(member(), { networks: 'none', availability_zone: 'apart' });
  assert.equal((await cloud.ok(admin(), 'GET', `/servers/${id}`)).server['OS-EXT-SRV-ATTR:host'], 'h1');
  await refuses(
    cloud,
    admin(),
    act(aggregate.id, { remove_host: { host: 'h1' } }),
    409,
    /would change from 'apart' to 'None' but the host already has 1 instance/,
  );
  await refuses(
    cloud,
    admin(),
    ['PUT', `/os-aggregates/${aggregate.id}`, { aggregate: { availability_zone: 'other' } }],
    400,
    /One or more hosts contain instances in this zone/,
  );
  const other = await cloud.create(member(), { networks: 'none', availability_zone: 'nova' });
  await refuses(
    cloud,
    admin(),
    act(aggregate.id, { add_host: { host: 'h2' } }),
    409,
    /would change from 'None' to 'apart' but the host already has 1 instance/,
  );
  for (const each of [id, other]) await cloud.ok(member(), 'DELETE', `/servers/${each}`);
  await cloud.settle();
  await cloud.ok(admin(), ...act(aggregate.id, { remove_host: { host: 'h1' } }));
  await forget(aggregate.id);
});

test('the audit of usage tells the last whole month before a moment', async () => {
  const log = (await cloud.ok(admin(), 'GET', '/os-instance_usage_audit_log/2012-07-05%2010:00:00')).instance_usage_audit_log;
  assert.deepEqual(
    [log.period_beginning, log.period_ending, log.num_hosts, log.hosts_not_run],
    ['2012-06-01 00:00:00', '2012-07-01 00:00:00', 2, ['h1', 'h2']],
  );
  assert.equal(log.overall_status, '0 of 2 hosts done. 0 errors.');
  const edge = (await cloud.ok(admin(), 'GET', '/os-instance_usage_audit_log/2012-01-01%2000:00:00')).instance_usage_audit_log;
  assert.deepEqual([edge.period_beginning, edge.period_ending], ['2011-11-01 00:00:00', '2011-12-01 00:00:00']);
  assert.equal(typeof (await cloud.ok(admin(), 'GET', '/os-instance_usage_audit_log')).instance_usage_audit_logs.period_ending, 'string');
  await refuses(cloud, admin(), ['GET', '/os-instance_usage_audit_log/2012-02-30%2000:00:00'], 400, 'Invalid timestamp for date 2012-02-30 00:00:00');
  await refuses(cloud, member(), ['GET', '/os-instance_usage_audit_log'], 403);
});
