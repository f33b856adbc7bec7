import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { refuses } from '../testing/assertions.ts';
import { admin, context, member, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open({ options: { quotaDefaults: { server_groups: 3, server_group_members: 2 } } });
});
after(() => cloud.close());

const make = async (group: object, version?: string) => (await cloud.ok(member(), 'POST', '/os-server-groups', { server_group: group }, version)).server_group;
const list = async (query = '', ctx = member(), version?: string): Promise<string[]> =>
  (await cloud.ok(ctx, 'GET', `/os-server-groups${query}`, undefined, version)).server_groups.map(({ name }: { name: string }) => name);
const forget = async (id: string): Promise<void> => assert.equal((await cloud.request(member(), 'DELETE', `/os-server-groups/${id}`)).status, 204);

test('a group is told as its microversion has it', async () => {
  const group = await make({ name: 'g', policy: 'anti-affinity', rules: { max_server_per_host: '3' } });
  assert.deepEqual(group, {
    id: group.id,
    name: 'g',
    policy: 'anti-affinity',
    rules: { max_server_per_host: 3 },
    members: [],
    project_id: 'p1',
    user_id: 'u1',
  });
  const shown = async (version: string) => (await cloud.ok(member(), 'GET', `/os-server-groups/${group.id}`, undefined, version)).server_group;
  assert.deepEqual(await shown('2.64'), group);
  assert.deepEqual(await shown('2.63'), { id: group.id, name: 'g', policies: ['anti-affinity'], metadata: {}, members: [], project_id: 'p1', user_id: 'u1' });
  assert.deepEqual(await shown('2.12'), { id: group.id, name: 'g', policies: ['anti-affinity'], metadata: {}, members: [] });
  await forget(group.id);
  await refuses(cloud, member(), ['GET', `/os-server-groups/${group.id}`], 404, `Instance group ${group.id} could not be found.`);
  await refuses(cloud, member(), ['DELETE', `/os-server-groups/${group.id}`], 404);
  const old = await make({ name: 'old', policies: ['soft-affinity'] }, '2.15');
  assert.deepEqual(old.policies, ['soft-affinity']);
  assert.deepEqual((await cloud.ok(member(), 'GET', `/os-server-groups/${old.id}`)).server_group.rules, {});
  await forget(old.id);
});

test('what makes no group is refused', async () => {
  const cases: readonly (readonly [object, RegExp, string?])[] = [
    [{ name: 'g', policies: ['affinity'] }, /./],
    [{ name: 'g', policy: 'affinity' }, /./, '2.63'],
    [{ name: 'g', policies: ['soft-affinity'] }, /./, '2.14'],
    [{ name: 'g', policies: ['affinity', 'anti-affinity'] }, /too long/, '2.1'],
    [{ name: 'g', policies: [] }, /./, '2.1'],
    [{ name: 'g', policy: 'odd' }, /not one of/],
    [{ name: 'g' }, /'policy' is a required property/],
    [{ policy: 'affinity' }, /'name' is a required property/],
    [{ name: '', policy: 'affinity' }, /too short/],
    [{ name: 'g', policy: 'affinity', rules: { max_server_per_host: 2 } }, /^Only anti-affinity policy supports rules\.$/],
    [{ name: 'g', policy: 'anti-affinity', rules: { max_server_per_host: 0 } }, /minimum of 1/],
    [{ name: 'g', policy: 'anti-affinity', rules: { max_server_per_host: '0' } }, /minimum of 1/],
    [{ name: 'g', policy: 'anti-affinity', rules: { other: 1 } }, /Additional properties/],
  ];
  for (const [group, message, version] of cases) await refuses(cloud, member(), ['POST', '/os-server-groups', { server_group: group }, version], 400, message);
  await refuses(cloud, context({ roles: ['reader'] }), ['POST', '/os-server-groups', { server_group: { name: 'g', policy: 'affinity' } }], 403);
});

test('lists are of the project, in pages; administrators may see all; the quota holds', async () => {
  const ids = [];
  for (const name of ['a', 'b', 'c']) ids.push((await make({ name, policy: 'affinity' })).id);
  await refuses(
    cloud,
    member(),
    ['POST', '/os-server-groups', { server_group: { name: 'd', policy: 'affinity' } }],
    403,
    'Quota exceeded, too many server groups.',
  );
  assert.equal((await cloud.ok(member(), 'GET', '/limits')).limits.absolute.totalServerGroupsUsed, 3);
  assert.deepEqual(await list(), ['a', 'b', 'c']);
  assert.deepEqual([await list('?limit=2'), await list('?limit=1&offset=1'), await list('?limit=0')], [['a', 'b'], ['b'], ['a', 'b', 'c']]);
  assert.deepEqual(
    [await list('', stranger()), await list('?all_projects=1', stranger()), await list('', admin()), await list('?all_projects', admin())],
    [[], [], [], ['a', 'b', 'c']],
  );
  await refuses(cloud, member(), ['GET', '/os-server-groups?limit=-1'], 400);
  await refuses(cloud, member(), ['GET', '/os-server-groups?x=1'], 400);
  assert.equal((await list('?x=1', member(), '2.74')).length, 3);
  await refuses(cloud, stranger(), ['GET', `/os-server-groups/${ids[0]}`], 403);
  await refuses(cloud, stranger(), ['DELETE', `/os-server-groups/${ids[0]}`], 403);
  for (const id of ids) await forget(id);
});

test('servers join a group, keep to its policy and leave it when they go', async () => {
  const group = await make({ name: 'apart', policy: 'anti-affinity' });
  const hints = { 'os:scheduler_hints': { group: group.id } };
  const ids = [await cloud.create(member(), { networks: 'none' }, hints), await cloud.create(member(), { networks: 'none' }, hints)];
  const members = async (): Promise<string[]> => (await cloud.ok(member(), 'GET', `/os-server-groups/${group.id}`)).server_group.members;
  assert.deepEqual(await members(), ids);
  assert.deepEqual((await cloud.ok(member(), 'GET', '/os-server-groups')).server_groups[0].members, ids);
  const hosts = await Promise.all(ids.map(async (id) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server['OS-EXT-SRV-ATTR:host']));
  assert.deepEqual(hosts.toSorted(), ['h1', 'h2']);
  await refuses(
    cloud,
    member(),
    ['POST', '/servers', { server: { name: 'x', imageRef: '11111111-1111-4111-8111-111111111111', flavorRef: '1', networks: 'none' }, ...hints }],
    403,
    'Quota exceeded, too many servers in group',
  );
  await cloud.ok(member(), 'DELETE', `/servers/${ids[0]}`);
  await cloud.settle();
  assert.deepEqual(await members(), [ids[1]]);
  await forget(group.id);
  assert.deepEqual((await cloud.ok(member(), 'GET', `/servers/${ids[1]}`)).server.server_groups, []);
  await cloud.ok(member(), 'DELETE', `/servers/${ids[1]}`);
  await cloud.settle();
});
