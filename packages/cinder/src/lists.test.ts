import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { Cloud } from './cloud.fixture.ts';

for (const engine of engines())
  describe(`lists of volumes and snapshots on ${engine}`, () => {
    let cloud: Cloud;
    const ids: string[] = [];
    before(async () => {
      cloud = await Cloud.start({
        engine,
        options: {
          quotaDefaults: { volumes: 100, per_volume_gigabytes: -1, snapshots: 100, gigabytes: 1000, backups: 10, backup_gigabytes: 1000, groups: 10 },
        },
      });
      for (const [name, size, metadata] of [
        ['alpha', 3, { k: 'v1' }],
        ['beta', 1, { k: 'v2', other: 'x' }],
        ['gamma', 2, {}],
        ['delta', 2, { k: 'v1' }],
        ['beta', 4, {}],
      ] as const)
        ids.push(await cloud.volume('member', { name, size, metadata }));
      await cloud.volume('other', { name: 'foreign', size: 9 });
    });
    after(() => cloud.close());

    const names = async (query: string, who = 'member', version = '3.71'): Promise<string[]> => {
      const answer = await cloud.call(who, 'GET', `/volumes${query}`, undefined, version);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return answer.body.volumes.map((volume: { name: string }) => volume.name);
    };

    test('newest first, of the own project alone', async () => assert.deepEqual(await names(''), ['beta', 'delta', 'gamma', 'beta', 'alpha']));
    test('an administrator sees all when asking for it', async () => {
      assert.deepEqual(await names('', 'admin'), []);
      assert.equal((await names('?all_tenants=1', 'admin')).length, 6);
      assert.deepEqual(await names('?all_tenants=1&project_id=b0000000000000000000000000000002', 'admin'), ['foreign']);
    });
    test('all_tenants of others is ignored', async () => assert.equal((await names('?all_tenants=1')).length, 5));

    for (const [query, expected] of [
      ['?name=beta', ['beta', 'beta']],
      ['?status=available&size=2', ['delta', 'gamma']],
      ["?metadata={'k':'v1'}", ['delta', 'alpha']],
      ["?metadata={'k':'v2','other':'x'}", ['beta']],
      ['?metadata=nonsense', []],
      ['?bootable=false', ['beta', 'delta', 'gamma', 'beta', 'alpha']],
      ['?bootable=true', []],
      ['?availability_zone=nova&sort=size:asc,name:desc', ['beta', 'gamma', 'delta', 'alpha', 'beta']],
      ['?sort_key=name&sort_dir=asc', ['alpha', 'beta', 'beta', 'delta', 'gamma']],
      ['?sort=name:asc&limit=2&offset=1', ['beta', 'beta']],
      ['?limit=0', []],
      ['?consumes_quota=true&name=gamma', ['gamma']],
      ['?created_at=gt:2000-01-01T00:00:00,lt:2000-01-02T00:00:00', []],
      ['?created_at=gte:2000-01-01T00:00:00&name=alpha', ['alpha']],
    ] as const)
      test(`GET /volumes${query}`, async () => assert.deepEqual(await names(query), expected));

    test('parts of values are for administrators, as upstream is configured', async () => {
      const found = async (part: string): Promise<string[]> => await names(`?all_tenants=1&name~=${part}`, 'admin');
      assert.deepEqual(await found('ta'), ['beta', 'delta', 'beta']);
      assert.deepEqual(await found('%25'), []);
      assert.equal((await cloud.call('member', 'GET', '/volumes?name~=ta')).status, 400);
    });
    test('marker and limit go through all, each once, with links', async () => {
      const seen: string[] = [];
      let path: string | undefined = '/volumes/detail?limit=2';
      while (path !== undefined) {
        const { body }: { body: { volumes: { id: string }[]; volumes_links?: { rel: string; href: string }[] } } = await cloud.call('member', 'GET', path);
        seen.push(...body.volumes.map((volume) => volume.id));
        path = body.volumes_links?.[0]?.href.split('/volume/v3')[1];
      }
      assert.deepEqual(seen, ids.toReversed());
    });
    test('the offset counts from the marker', async () => {
      const { body } = await cloud.call('member', 'GET', `/volumes?marker=${ids[4]}&offset=1&limit=1`);
      assert.deepEqual(
        body.volumes.map((volume: { id: string }) => volume.id),
        [ids[2]],
      );
    });
    test('with_count tells how many there are in all', async () => {
      const { body } = await cloud.call('member', 'GET', '/volumes?limit=1&with_count=true');
      assert.deepEqual([body.volumes.length, body.count], [1, 5]);
      assert.equal((await cloud.call('member', 'GET', '/volumes?with_count=true&name=beta')).body.count, 2);
      assert.equal('count' in (await cloud.call('member', 'GET', '/volumes', undefined, '3.44')).body, false);
    });

    for (const [query, status, version] of [
      ['?limit=-1', 400, '3.71'],
      ['?limit=x', 400, '3.71'],
      ['?offset=-1', 400, '3.71'],
      ['?sort=name:up', 400, '3.71'],
      ['?sort=nonesuch', 400, '3.71'],
      ['?sort=name&sort_key=id', 400, '3.71'],
      ['?marker=f0000000-0000-4000-8000-000000000000', 404, '3.71'],
      ['?nonesuch=1', 400, '3.71'],
      ['?nonesuch=1', 200, '3.30'],
      ['?bootable=maybe', 400, '3.71'],
      ['?bootable=maybe', 200, '3.1'],
      ['?created_at=on:2020-01-01', 400, '3.71'],
      ['?created_at=gt:never', 400, '3.71'],
      ['?with_count=perhaps', 400, '3.71'],
    ] as const)
      test(`GET /volumes${query} at ${version} is ${status}`, async () =>
        assert.equal((await cloud.call('member', 'GET', `/volumes${query}`, undefined, version)).status, status));
    test("another project's volume is no marker", async () => {
      const [foreign] = (await cloud.call('other', 'GET', '/volumes')).body.volumes;
      assert.equal((await cloud.call('member', 'GET', `/volumes?marker=${foreign.id}`)).status, 404);
    });
    test('a path that ends with a slash is none, and neither is another method', async () => {
      assert.equal((await cloud.call('member', 'GET', '/volumes/')).status, 404);
      assert.equal((await cloud.call('member', 'DELETE', '/volumes/')).status, 404);
      assert.equal((await cloud.call('member', 'PUT', '/volumes/', { volume: { name: 'x' } })).status, 404);
    });
    test('a NUL is in no path and no query', async () => {
      assert.equal((await cloud.call('member', 'GET', '/volumes/%00')).status, 404);
      assert.equal((await cloud.call('member', 'GET', "/volumes?metadata={'k':'%00'}")).status, 400);
      assert.equal((await cloud.call('member', 'GET', '/types?extra_specs=%00')).status, 400);
    });
    test('an administrator filters by host, with and without the pool', async () => {
      assert.equal((await names('?all_tenants=1&host=host1@cairn%23cairn', 'admin')).length, 6);
      assert.equal((await names('?all_tenants=1&host=host1@cairn', 'admin')).length, 6);
      assert.equal((await names('?all_tenants=1&host=host1', 'admin')).length, 0);
    });
    test('the summary counts, and gathers metadata', async () => {
      const { body } = await cloud.call('member', 'GET', '/volumes/summary');
      assert.deepEqual(body['volume-summary'], { total_count: 5, total_size: 12, metadata: { k: ['v1', 'v2'], other: ['x'] } });
      assert.deepEqual((await cloud.call('admin', 'GET', '/volumes/summary?all_tenants=1', undefined, '3.12')).body['volume-summary'], {
        total_count: 6,
        total_size: 21,
      });
    });
    test('snapshots have filters, sorts and pages as well', async () => {
      for (const [at, name] of ['one', 'two', 'three'].entries())
        await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: ids[at], name, metadata: { n: name } } });
      await cloud.settle();
      const list = async (query: string): Promise<string[]> =>
        (await cloud.call('member', 'GET', `/snapshots${query}`)).body.snapshots.map((one: { name: string }) => one.name);
      assert.deepEqual(await list(''), ['three', 'two', 'one']);
      assert.deepEqual(await list(`?volume_id=${ids[1]}`), ['two']);
      assert.deepEqual(await list("?metadata={'n':'one'}"), ['one']);
      assert.deepEqual(await list('?sort=name:asc&limit=2'), ['one', 'three']);
      assert.deepEqual(await list('/detail?status=error'), []);
      assert.equal((await cloud.call('member', 'GET', '/snapshots?limit=1&with_count=true')).body.count, 3);
    });
  });
