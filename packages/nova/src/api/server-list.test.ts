import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, member, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let ids: string[] = [];
before(async () => {
  cloud = await TestCloud.open({ options: { maxLimit: 5 } });
  for (const [index, name] of ['web-1', 'web-2', 'db.1', 'x(y'].entries()) {
    ids.push(
      await cloud.create(member(), {
        name,
        tags: index < 2 ? ['front', `n${index}`] : ['back'],
        metadata: { n: String(index) },
        description: `server ${index}`,
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await cloud.create(stranger(), { name: 'foreign', key_name: undefined });
  await cloud.ok(member(), 'POST', `/servers/${ids[1]}/action`, { 'os-stop': null });
  await cloud.ok(member(), 'POST', `/servers/${ids[2]}/action`, { lock: { locked_reason: 'mine' } });
  await cloud.settle();
});
after(() => cloud.close());

const names = async (query: string, ctx = member(), version?: string): Promise<string[]> =>
  (await cloud.ok(ctx, 'GET', `/servers?${query}`, undefined, version)).servers.map((server: { name: string }) => server.name);
const status = async (query: string, ctx = member(), version?: string): Promise<number> =>
  (await cloud.request(ctx, 'GET', `/servers?${query}`, undefined, version)).status;

test('a project sees its own servers, newest first', async () => {
  assert.deepEqual(await names(''), ['x(y', 'db.1', 'web-2', 'web-1']);
  assert.deepEqual(await names('', stranger()), ['foreign']);
});

test('all_tenants is for administrators', async () => {
  assert.equal((await names('all_tenants=1', admin())).length, 5);
  assert.deepEqual(await names('', admin()), []);
  assert.deepEqual(await names('all_tenants=True&project_id=p2', admin()), ['foreign']);
  assert.equal(await status('all_tenants=1'), 403);
  assert.equal(await status('all_tenants=maybe', admin()), 400);
});

test('filters choose as upstream does', async () => {
  assert.deepEqual(await names('name=web'), ['web-2', 'web-1']);
  assert.deepEqual(await names('name=%5Eweb-1$'), ['web-1']);
  assert.deepEqual(await names('name=WEB-[12]'), ['web-2', 'web-1']);
  assert.deepEqual(await names('name=x%5C(y'), ['x(y']);
  assert.equal(await status('name=x('), 400, 'no regular expression');
  assert.deepEqual(await names('status=SHUTOFF'), ['web-2']);
  assert.deepEqual(await names('status=active&status=shutoff'), ['x(y', 'db.1', 'web-2', 'web-1']);
  assert.equal(await status('status=nonsense'), 400);
  assert.deepEqual(await names('status=nonsense', member(), '2.37'), []);
  assert.deepEqual(await names('flavor=1&image=11111111-1111-4111-8111-111111111111'), ['x(y', 'db.1', 'web-2', 'web-1']);
  assert.deepEqual(await names('flavor=nope'), []);
  assert.deepEqual(await names('tags=front'), ['web-2', 'web-1']);
  assert.deepEqual(await names('tags=front,n1'), ['web-2']);
  assert.deepEqual(await names('tags-any=n0,n1'), ['web-2', 'web-1']);
  assert.deepEqual(await names('not-tags=front'), ['x(y', 'db.1']);
  assert.deepEqual(await names('not-tags-any=n0,back'), ['web-2']);
  assert.deepEqual(await names('locked=true'), ['db.1']);
  assert.deepEqual(await names('ip=10.0.0.4'), ['db.1']);
  assert.deepEqual(await names('ip=10.0.0'), ['x(y', 'db.1', 'web-2', 'web-1']);
  assert.deepEqual(await names('power_state=4'), ['web-2']);
  assert.deepEqual(await names('vm_state=stopped', member(), '2.82'), ['x(y', 'db.1', 'web-2', 'web-1'], 'unknown to members before 2.83: ignored');
  assert.deepEqual(await names('host=h1', member(), '2.1').then((all) => all.length), 4, 'members may not filter by host: ignored');
  assert.equal(await status('nonsense=1'), 400, 'from 2.75 on unknown parameters are refused');
  assert.deepEqual((await names('nonsense=1', member(), '2.74')).length, 4);
  assert.equal(await status('_x=1', admin(), '2.1'), 400);
  assert.equal(await status('metadata=1', admin(), '2.1'), 400);
});

test('pages follow one another by marker, with links', async () => {
  const first = await cloud.ok(member(), 'GET', '/servers?limit=2');
  assert.deepEqual(
    first.servers.map((server: { name: string }) => server.name),
    ['x(y', 'db.1'],
  );
  assert.equal(first.servers_links[0].rel, 'next');
  const next = new URL(first.servers_links[0].href, 'http://x');
  assert.equal(next.searchParams.get('marker'), first.servers[1].id);
  assert.deepEqual(await names(next.searchParams.toString()), ['web-2', 'web-1']);
  assert.equal((await cloud.ok(member(), 'GET', '/servers?limit=9')).servers_links, undefined);
  assert.equal(await status('marker=99999999-9999-4999-8999-999999999999'), 400);
  assert.deepEqual(await names('limit=0'), []);
  assert.equal(await status('limit=-1'), 400);
  assert.equal((await names('all_tenants=1&limit=1000', admin())).length, 5, "the cloud's own limit holds");
  assert.deepEqual(await names(`limit=1&name=web&marker=${ids[1]}`), ['web-1']);
});

test('lists are sorted as asked', async () => {
  assert.deepEqual(await names('sort_key=display_name&sort_dir=asc'), ['db.1', 'web-1', 'web-2', 'x(y']);
  assert.deepEqual(await names('sort_key=vm_state&sort_key=display_name&sort_dir=desc&sort_dir=asc'), ['web-2', 'db.1', 'web-1', 'x(y']);
  assert.deepEqual(await names('sort_dir=asc'), ['web-1', 'web-2', 'db.1', 'x(y']);
  assert.equal(await status('sort_key=nonsense'), 400);
  assert.equal(await status('sort_key=host'), 403);
  assert.equal(await status('sort_dir=up'), 400);
  assert.deepEqual((await names('sort_key=vcpus', member(), '2.72')).length, 4, 'ignored before 2.75');
});

test('changes and deleted servers are found by time', async () => {
  const soon = new Date(Date.now() + 1000).toISOString();
  const id = await cloud.create(member(), { name: 'short' });
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
  assert.equal((await names('name=short')).length, 0);
  const changed = (await cloud.ok(member(), 'GET', `/servers/detail?changes-since=${new Date(Date.now() - 60_000).toISOString()}&name=short`)).servers;
  assert.deepEqual([changed[0].name, changed[0].status], ['short', 'DELETED']);
  assert.deepEqual(await names('deleted=True&name=short&all_tenants=1', admin()), ['short']);
  assert.deepEqual(await names(`changes-before=${soon}&name=web-1`), ['web-1']);
  const [web] = (await cloud.ok(member(), 'GET', '/servers/detail?name=web-1')).servers;
  assert.deepEqual(await names(`changes-before=${web.updated}&name=web-1`), ['web-1'], 'at the very second that is shown');
  assert.deepEqual(await names(`changes-before=${new Date(Date.parse(web.updated) - 1000).toISOString()}&name=web-1`), []);
  assert.equal(await status(`changes-since=${soon}&changes-before=2020-01-01T00:00:00Z`), 400);
  assert.equal(await status('status=DELETED'), 403);
});
