import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { refuses } from '../testing/assertions.ts';
import { admin, member, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open();
});
after(() => cloud.close());

const DEFAULTS = {
  ...{ instances: 10, cores: 20, ram: 51_200, metadata_items: 128, injected_files: 5, injected_file_content_bytes: 10_240, injected_file_path_bytes: 255 },
  ...{ key_pairs: 100, server_groups: 10, server_group_members: 10, fixed_ips: -1, floating_ips: -1, security_groups: -1, security_group_rules: -1 },
};
const NEWEST = { instances: 10, cores: 20, ram: 51_200, metadata_items: 128, key_pairs: 100, server_groups: 10, server_group_members: 10 };
const quota = async (path: string, version?: string, ctx = admin()) => (await cloud.ok(ctx, 'GET', `/os-quota-sets/${path}`, undefined, version)).quota_set;

test('a quota set tells what its microversion knows', async () => {
  assert.deepEqual(await quota('p1', '2.35'), { id: 'p1', ...DEFAULTS });
  const { fixed_ips: _a, floating_ips: _b, security_groups: _c, security_group_rules: _d, ...middle } = DEFAULTS;
  assert.deepEqual(await quota('p1', '2.36'), { id: 'p1', ...middle });
  assert.deepEqual(await quota('p1', '2.57'), { id: 'p1', ...NEWEST });
  assert.deepEqual(await quota('p1/defaults', undefined, member()), { id: 'p1', ...NEWEST });
  assert.deepEqual(await quota('p1', undefined, member()), { id: 'p1', ...NEWEST });
  await refuses(cloud, stranger(), ['GET', '/os-quota-sets/p1'], 403);
  await refuses(cloud, admin(), ['GET', '/os-quota-sets/nobody'], 400, 'Project ID nobody is not a valid project.');
  await refuses(cloud, admin(), ['GET', '/os-quota-sets/p1?x=1'], 400, /Additional properties/);
  assert.equal((await cloud.request(admin(), 'GET', '/os-quota-sets/p1?x=1', undefined, '2.74')).status, 200);
});

test('limits are set, for a project and for one of its users, and given back', async () => {
  const id = await cloud.create(member(), { networks: 'none' });
  const put = (limits: object, path = 'p1', version?: string) => ['PUT', `/os-quota-sets/${path}`, { quota_set: limits }, version] as const;
  const { quota_set: set } = await cloud.ok(admin(), ...put({ cores: '30', instances: -1 }));
  assert.deepEqual(set, { ...NEWEST, cores: 30, instances: -1 }, 'without an id');
  const { cores, instances } = await quota('p1/detail', undefined, member());
  assert.deepEqual(
    [cores, instances],
    [
      { in_use: 1, limit: 30, reserved: 0 },
      { in_use: 1, limit: -1, reserved: 0 },
    ],
  );
  assert.equal((await cloud.ok(admin(), ...put({ cores: 5 }, 'p1?user_id=u1'))).quota_set.cores, 5);
  assert.equal((await quota('p1?user_id=u1')).cores, 5);
  assert.equal((await quota('p1')).cores, 30);
  await refuses(cloud, admin(), put({ cores: 31 }, 'p1?user_id=u1'), 400, 'Quota limit 31 for cores must be less than or equal to 30.');
  await refuses(cloud, admin(), put({ ram: 10 }), 400, 'Quota limit 10 for ram must be greater than or equal to already used and reserved 512.');
  assert.equal((await cloud.ok(admin(), ...put({ ram: 10, force: 'True' }))).quota_set.ram, 10);
  for (const limits of [
    { cores: -2 },
    { cores: '-2' },
    { cores: 'x' },
    { cores: 2_147_483_648 },
    { networks: 1 },
    { fixed_ips: 1 },
    { injected_files: 1 },
    { force: 'perhaps' },
  ]) {
    await refuses(cloud, admin(), put(limits), 400);
  }
  assert.equal((await cloud.request(admin(), ...put({ fixed_ips: 1, injected_files: 2 }, 'p2', '2.35'))).status, 200);
  await refuses(cloud, member(), put({ cores: 1 }), 403);
  assert.equal((await cloud.request(admin(), 'DELETE', '/os-quota-sets/p1?user_id=u1')).status, 202);
  assert.equal((await quota('p1?user_id=u1')).cores, 30);
  assert.equal((await cloud.request(admin(), 'DELETE', '/os-quota-sets/p1')).status, 202);
  assert.deepEqual(await quota('p1'), { id: 'p1', ...NEWEST });
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
});

test('the default class holds for projects without limits of their own', async () => {
  const { server_groups: _a, server_group_members: _b, ...oldest } = DEFAULTS;
  assert.deepEqual((await cloud.ok(admin(), 'GET', '/os-quota-class-sets/default', undefined, '2.49')).quota_class_set, { id: 'default', ...oldest });
  assert.deepEqual((await cloud.ok(admin(), 'GET', '/os-quota-class-sets/default')).quota_class_set, { id: 'default', ...NEWEST });
  assert.deepEqual(await cloud.ok(admin(), 'PUT', '/os-quota-class-sets/default', { quota_class_set: { cores: '7' } }), {
    quota_class_set: { ...NEWEST, cores: 7 },
  });
  assert.equal((await quota('p2')).cores, 7);
  assert.equal((await quota('p2/defaults')).cores, 7);
  await refuses(cloud, admin(), ['PUT', '/os-quota-class-sets/default', { quota_class_set: { fixed_ips: 1 } }, '2.50'], 400);
  await refuses(cloud, admin(), ['PUT', `/os-quota-class-sets/${'x'.repeat(256)}`, { quota_class_set: {} }], 400);
  await refuses(cloud, member(), ['GET', '/os-quota-class-sets/default'], 403);
  await cloud.ok(admin(), 'PUT', '/os-quota-class-sets/default', { quota_class_set: { cores: 20 } });
});

test('limits tell what bears on the caller', async () => {
  const id = await cloud.create(member(), { networks: 'none' });
  const newest = {
    ...{
      maxTotalRAMSize: 51_200,
      maxTotalInstances: 10,
      maxTotalCores: 20,
      maxTotalKeypairs: 100,
      maxServerMeta: 128,
      maxServerGroups: 10,
      maxServerGroupMembers: 10,
    },
    ...{ totalRAMUsed: 512, totalCoresUsed: 1, totalInstancesUsed: 1, totalServerGroupsUsed: 0 },
  };
  assert.deepEqual(await cloud.ok(member(), 'GET', '/limits'), { limits: { rate: [], absolute: newest } });
  const oldest = await cloud.ok(member(), 'GET', '/limits', undefined, '2.1');
  assert.deepEqual(oldest.limits.absolute, {
    ...newest,
    ...{ maxTotalFloatingIps: -1, maxImageMeta: 128, maxPersonality: 5, maxPersonalitySize: 10_240, maxSecurityGroups: -1, maxSecurityGroupRules: -1 },
    ...{ totalFloatingIpsUsed: 0, totalSecurityGroupsUsed: 0 },
  });
  assert.equal((await cloud.ok(admin(), 'GET', '/limits?tenant_id=p1')).limits.absolute.totalCoresUsed, 1);
  await refuses(cloud, stranger(), ['GET', '/limits?tenant_id=p1'], 403);
  await refuses(cloud, admin(), ['GET', '/limits?x=1'], 400);
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
});
