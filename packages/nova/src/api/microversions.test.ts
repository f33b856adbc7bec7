import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, IMAGE, member, NETWORK, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let id = '';
const VOLUME = '33333333-3333-4333-8333-333333333333';
before(async () => {
  cloud = await TestCloud.open({ hosts: [{ name: 'h1' }] });
  await cloud.glance.addImage({ id: '12121212-1212-4212-8212-121212121212', properties: { os_distro: 'debian', mine: 'x' } });
  id = await cloud.create(
    member(),
    { imageRef: '12121212-1212-4212-8212-121212121212', networks: [{ uuid: NETWORK }] },
    { 'os:scheduler_hints': { foo: 'bar', list: ['a', 'b'] } },
  );
});
after(() => cloud.close());

const shown = async (version: string, ctx = member()) => (await cloud.ok(ctx, 'GET', `/servers/${id}`, undefined, version)).server;

/** First microversion that shows a field of a server, and to whom. */
const FIELDS: readonly (readonly [field: string, since: string, ctx?: ReturnType<typeof admin>])[] = [
  ['OS-EXT-SRV-ATTR:reservation_id', '2.3', admin()],
  ['OS-EXT-SRV-ATTR:launch_index', '2.3', admin()],
  ['OS-EXT-SRV-ATTR:user_data', '2.3', admin()],
  ['locked', '2.9'],
  ['host_status', '2.16', admin()],
  ['description', '2.19'],
  ['tags', '2.26'],
  ['trusted_image_certificates', '2.63'],
  ['server_groups', '2.71'],
  ['locked_reason', '2.73'],
  ['OS-EXT-SRV-ATTR:hostname', '2.90'],
  ['pinned_availability_zone', '2.96'],
  ['scheduler_hints', '2.100'],
];

test('each field of a server is shown from its microversion on, and not before', async () => {
  for (const [field, since, ctx] of FIELDS) {
    const [major, minor] = since.split('.').map(Number) as [number, number];
    assert.equal(field in (await shown(since, ctx)), true, `${field} at ${since}`);
    assert.equal(field in (await shown(`${major}.${minor - 1}`, ctx)), false, `${field} before ${since}`);
  }
});

test('what newer microversions changed within a server', async () => {
  assert.deepEqual(Object.keys((await shown('2.46')).flavor), ['id', 'links']);
  assert.equal((await shown('2.47')).flavor.original_name, 'm1.tiny');
  assert.equal((await shown('2.97')).image.properties, undefined);
  assert.deepEqual((await shown('2.98')).image.properties, { os_distro: 'debian' });
  assert.deepEqual((await shown('2.100')).scheduler_hints, { foo: ['bar'], list: ['a', 'b'] });
  const { servers } = await cloud.ok(member(), 'GET', '/servers/detail', undefined, '2.100');
  assert.deepEqual(servers[0].scheduler_hints, { foo: ['bar'], list: ['a', 'b'] });
});

/** Calls that begin or end with a microversion: the last or first one that knows them, and their status on both sides. */
const CALLS: readonly (readonly [
  method: string,
  path: string,
  body: object | undefined,
  at: string,
  status: number,
  beside: string,
  gone: number,
  ctx?: ReturnType<typeof admin>,
])[] = [
  ['POST', '/servers/ID/action', { trigger_crash_dump: null }, '2.17', 202, '2.16', 404],
  ['GET', '/servers/ID/tags', undefined, '2.26', 200, '2.25', 404],
  ['GET', '/os-volumes', undefined, '2.35', 404, '2.36', 404],
  ['GET', '/servers/ID/topology', undefined, '2.78', 200, '2.77', 404],
  ['GET', '/servers/ID/shares', undefined, '2.97', 200, '2.96', 404],
  ['GET', '/os-volumes_boot', undefined, '2.102', 200, '2.103', 404],
  ['GET', '/servers/ID/topology?x=1', undefined, '2.101', 200, '2.102', 400],
  ['GET', '/os-availability-zone?x=1', undefined, '2.101', 200, '2.102', 400],
  ['GET', '/flavors?name=tiny', undefined, '2.102', 200, '2.101', 400],
  ['POST', '/flavors', { flavor: { name: 'f1', ram: 1, vcpus: 1, disk: 0, rxtx_factor: 1 } }, '2.101', 200, '2.102', 400, admin()],
];

test('calls are there at their microversions alone', async () => {
  for (const [method, path, body, at, status, beside, gone, ctx] of CALLS) {
    const url = path.replace('ID', id);
    assert.equal((await cloud.request(ctx ?? member(), method, url, body, at)).status, status, `${method} ${path} at ${at}`);
    assert.equal((await cloud.request(ctx ?? member(), method, url, body, beside)).status, gone, `${method} ${path} at ${beside}`);
  }
});

test('parameters that no call knows are refused from 2.102 on, but by those that upstream left open', async () => {
  const asked: readonly (readonly [path: string, version: string, status: number])[] = [
    ['/servers?x=1', '2.74', 200],
    ['/servers?x=1', '2.75', 400],
    [`/servers/${id}/metadata?x=1`, '2.101', 200],
    [`/servers/${id}/metadata?x=1`, '2.102', 400],
    [`/servers/${id}/tags?x=1`, '2.104', 200],
    [`/servers/${id}/tags/none?x=1`, '2.104', 404],
    [`/servers/${id}/os-volume_attachments/${VOLUME}?x=1`, '2.104', 404],
    [`/servers/${id}/shares?x=1`, '2.97', 400],
    [`/servers/${id}/shares/${VOLUME}?x=1`, '2.97', 400],
    ['/os-quota-sets/p1/defaults?x=1', '2.104', 200],
    ['/versions/v2.1?x=1', '2.104', 200],
    ['/os-cells?x=1', '2.104', 410],
  ];
  for (const [path, version, status] of asked)
    assert.equal((await cloud.request(admin(), 'GET', path, undefined, version)).status, status, `${path} at ${version}`);
});

test('flavors are found by a pattern of their name, and lose two fields, with 2.102', async () => {
  const names = async (pattern: string) =>
    (await cloud.ok(member(), 'GET', `/flavors/detail?name=${encodeURIComponent(pattern)}`, undefined, '2.102')).flavors.map(
      (one: { name: string }) => one.name,
    );
  assert.deepEqual(await names('^m1\\.(tiny|huge)$'), ['m1.tiny', 'm1.huge']);
  assert.deepEqual(await names('nothing'), []);
  assert.equal((await cloud.request(member(), 'GET', '/flavors?name=%5B', undefined, '2.102')).status, 400);
  const [flavor] = (await cloud.ok(member(), 'GET', '/flavors/detail', undefined, '2.102')).flavors;
  assert.deepEqual(['rxtx_factor' in flavor, 'OS-FLV-DISABLED:disabled' in flavor], [false, false]);
  const [before] = (await cloud.ok(member(), 'GET', '/flavors/detail', undefined, '2.101')).flavors;
  assert.deepEqual(['rxtx_factor' in before, 'OS-FLV-DISABLED:disabled' in before], [true, true]);
});

test('a volume is attached without an answer to wait for from 2.101 on', async () => {
  await cloud.cinder.addVolume({ id: VOLUME });
  const answer = await cloud.request(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUME } }, '2.101');
  assert.deepEqual([answer.status, answer.body], [202, undefined]);
  await cloud.settle();
  assert.equal((await cloud.ok(member(), 'GET', `/servers/${id}/os-volume_attachments`)).volumeAttachments.length, 1);
});

test('from 2.104 on a server is pinned to its zone and unpinned', async () => {
  const put = (zone: string | null, version = '2.104') =>
    cloud.request(member(), 'PUT', `/servers/${id}`, { server: { pinned_availability_zone: zone } }, version);
  assert.equal((await put('nova', '2.103')).status, 400);
  const elsewhere = await put('moon');
  assert.deepEqual(
    [elsewhere.status, elsewhere.body.conflictingRequest.message],
    [409, "Server can only be pinned to its current availability zone 'nova', but 'moon' was requested."],
  );
  assert.equal((await put('nova')).body.server.pinned_availability_zone, 'nova');
  assert.equal((await put('nova')).status, 200, 'again');
  assert.equal((await put('moon')).status, 409);
  assert.equal((await put(null)).body.server.pinned_availability_zone, null);
});

test('the newest microversion is told, and nothing newer taken', async () => {
  const { version } = await cloud.ok(member(), 'GET', '/versions/v2.1');
  assert.equal(version.version, '2.104');
  assert.equal((await cloud.request(member(), 'GET', '/servers', undefined, '2.105')).status, 406);
  assert.equal((await cloud.request(member(), 'GET', `/images/${IMAGE}`, undefined, '2.36')).status, 404);
});
