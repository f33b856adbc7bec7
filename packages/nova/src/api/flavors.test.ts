import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { refuses } from '../testing/assertions.ts';
import { admin, member, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open();
});
after(() => cloud.close());

const names = (body: { flavors: { name: string }[] }): string[] => body.flavors.map(({ name }) => name);
const make = async (flavor: object, version?: string) =>
  (await cloud.ok(admin(), 'POST', '/flavors', { flavor: { name: 'x', ram: 64, vcpus: 1, disk: 0, ...flavor } }, version)).flavor;

test('a flavor is told with what its microversion knows', async () => {
  const flavor = await make({ name: ' six', id: 'six', ram: '128', swap: 7, 'OS-FLV-EXT-DATA:ephemeral': 2, rxtx_factor: '2.5', description: 'd' }).catch(
    (error: Error) => error,
  );
  assert.match(String(flavor), /400/, 'a name neither begins nor ends with white space');
  const made = await make({ name: 'six', id: 'six', ram: '128', swap: 7, 'OS-FLV-EXT-DATA:ephemeral': 2, rxtx_factor: '2.5', description: 'd' }, '2.96');
  const links = [
    { rel: 'self', href: '/compute/v2.1/flavors/six' },
    { rel: 'bookmark', href: '/compute/flavors/six' },
  ];
  const base = {
    id: 'six',
    name: 'six',
    ram: 128,
    disk: 0,
    'OS-FLV-EXT-DATA:ephemeral': 2,
    'OS-FLV-DISABLED:disabled': false,
    vcpus: 1,
    'os-flavor-access:is_public': true,
    rxtx_factor: 2.5,
    links,
  };
  assert.deepEqual(made, { ...base, swap: 7, description: 'd', extra_specs: {} });
  assert.deepEqual((await cloud.ok(member(), 'GET', '/flavors/six', undefined, '2.1')).flavor, { ...base, swap: 7 });
  assert.deepEqual((await cloud.ok(member(), 'GET', '/flavors/1', undefined, '2.74')).flavor.swap, '');
  assert.deepEqual((await cloud.ok(member(), 'GET', '/flavors/1', undefined, '2.75')).flavor.swap, 0);
  const { flavors } = await cloud.ok(member(), 'GET', '/flavors', undefined, '2.1');
  assert.deepEqual(flavors.at(-1), { id: 'six', name: 'six', links });
  assert.equal((await cloud.ok(admin(), 'PUT', '/flavors/six', { flavor: { description: null } })).flavor.description, null);
  assert.deepEqual([(await cloud.request(admin(), 'DELETE', '/flavors/six')).status, (await cloud.request(admin(), 'GET', '/flavors/six')).status], [202, 404]);
  const [minted, number] = [await make({ name: 'minted' }), await make({ name: 'number', id: 77 })];
  assert.match(minted.id, /^[0-9a-f-]{36}$/);
  assert.equal(number.id, '77');
  for (const { id } of [minted, number]) await cloud.ok(admin(), 'DELETE', `/flavors/${id}`);
});

test("what makes no flavor is refused in upstream's words", async () => {
  const good = { name: 'bad', ram: 64, vcpus: 1, disk: 0 };
  const cases: readonly (readonly [object, RegExp, string?])[] = [
    [{ ram: 0 }, /ram. Value: 0. 0 is less than the minimum of 1/],
    [{ ram: '0' }, /ram. Value: 0. 0 is less than the minimum of 1/],
    [{ ram: 2_147_483_648 }, /greater than the maximum of 2147483647/],
    [{ ram: '2147483648' }, /greater than the maximum of 2147483647/],
    [{ vcpus: -1 }, /vcpus/],
    [{ disk: -1 }, /disk/],
    [{ disk: 1.5 }, /disk/],
    [{ rxtx_factor: 0 }, /rxtx_factor/],
    [{ rxtx_factor: '0' }, /rxtx_factor/],
    [{ id: ' a' }, /id/],
    [{ id: '' }, /id/],
    [{ id: 'a/b' }, /id/],
    [{ name: '' }, /name/],
    [{ name: 'a\nb' }, /name/],
    [{ 'os-flavor-access:is_public': 'maybe' }, /is_public/],
    [{ unknown: 1 }, /Additional properties are not allowed \('unknown' was unexpected\)/],
    [{ description: 'x' }, /Additional properties/, '2.54'],
    [{ description: 'x'.repeat(65_536) }, /too long/],
    [{ ram: undefined }, /'ram' is a required property/],
  ];
  for (const [flavor, message, version] of cases)
    await refuses(cloud, admin(), ['POST', '/flavors', { flavor: { ...good, ...flavor } }, version], 400, message);
  await refuses(cloud, admin(), ['POST', '/flavors', { flavor: { ...good, name: 'm1.tiny' } }], 409, 'Flavor with name m1.tiny already exists.');
  await refuses(cloud, admin(), ['POST', '/flavors', { flavor: { ...good, id: '1' } }], 409, 'Flavor with ID 1 already exists.');
  await refuses(cloud, member(), ['POST', '/flavors', { flavor: good }], 403, "Policy doesn't allow os_compute_api:os-flavor-manage:create to be performed.");
  await refuses(cloud, admin(), ['PUT', '/flavors/1', { flavor: { description: 'x' } }, '2.54'], 404);
  await refuses(cloud, admin(), ['PUT', '/flavors/1', { flavor: {} }], 400);
  await refuses(cloud, admin(), ['DELETE', '/flavors/none'], 404, 'Flavor none could not be found.');
});

test('lists are filtered, sorted and paged', async () => {
  const list = async (query: string, ctx = admin(), version?: string): Promise<string[]> =>
    names(await cloud.ok(ctx, 'GET', `/flavors/detail${query}`, undefined, version));
  assert.deepEqual(await list(''), ['m1.tiny', 'm1.more', 'm1.huge']);
  assert.deepEqual(await list('?minRam=600'), ['m1.more', 'm1.huge']);
  assert.deepEqual(await list('?minDisk=2'), ['m1.more']);
  assert.deepEqual(await list('?sort_key=name&sort_dir=asc'), ['m1.huge', 'm1.more', 'm1.tiny']);
  assert.deepEqual(await list('?sort_key=root_gb&sort_dir=desc'), ['m1.more', 'm1.huge', 'm1.tiny'], 'ties follow creation in the same direction');
  assert.deepEqual(await list('?sort_key=vcpus&sort_key=memory_mb'), ['m1.tiny', 'm1.more', 'm1.huge'], 'the last of several keys counts');
  assert.deepEqual(await list('?limit=0'), []);
  const page = await cloud.ok(admin(), 'GET', '/flavors?limit=2&sort_key=name');
  assert.deepEqual(names(page), ['m1.huge', 'm1.more']);
  assert.deepEqual(page.flavors_links, [{ rel: 'next', href: '/compute/v2.1/flavors?limit=2&sort_key=name&marker=2' }]);
  const rest = await cloud.ok(admin(), 'GET', '/flavors?limit=2&sort_key=name&marker=2');
  assert.deepEqual([names(rest), rest.flavors_links], [['m1.tiny'], undefined]);
  for (const [query, message] of [
    ['limit=-1', /Invalid input for query parameters limit\. Value: -1\. '-1' does not match '\^\[0-9\]\*\$'/],
    ['limit=a', /limit/],
    ['sort_key=secret', /sort_key/],
    ['sort_dir=up', /sort_dir/],
    ['marker=none', /^marker \[none\] not found$/],
    ['minRam=x', /^Invalid minRam filter \[x\]$/],
    ['minDisk=x', /^Invalid minDisk filter \[x\]$/],
    ['is_public=perhaps', /^Invalid is_public filter \[perhaps\]$/],
    ['unknown=1', /Additional properties/],
  ] as const) {
    await refuses(cloud, admin(), ['GET', `/flavors?${query}`], 400, message);
  }
  assert.equal((await list('?unknown=1', admin(), '2.74')).length, 3, 'until 2.74 unknown parameters are passed over');
});

test('a private flavor is seen by the projects that it is given to', async () => {
  await make({ name: 'secret', id: 'secret', 'os-flavor-access:is_public': 'off' });
  const seen = async (ctx: ReturnType<typeof member>, query = ''): Promise<boolean> => names(await cloud.ok(ctx, 'GET', `/flavors${query}`)).includes('secret');
  assert.deepEqual(
    [await seen(member()), await seen(admin()), await seen(admin(), '?is_public=none'), await seen(admin(), '?is_public=False')],
    [false, false, true, true],
  );
  assert.equal(await seen(member(), '?is_public=none'), false, 'is_public counts for administrators alone');
  await refuses(cloud, member(), ['GET', '/flavors/secret'], 404);
  assert.deepEqual(await cloud.ok(admin(), 'GET', '/flavors/secret/os-flavor-access'), { flavor_access: [] });
  const add = (tenant: string) => ({ addTenantAccess: { tenant } });
  assert.deepEqual(await cloud.ok(admin(), 'POST', '/flavors/secret/action', add('p1')), { flavor_access: [{ flavor_id: 'secret', tenant_id: 'p1' }] });
  assert.deepEqual([await seen(member()), await seen(stranger())], [true, false]);
  assert.equal((await cloud.request(member(), 'GET', '/flavors/secret')).status, 200);
  await refuses(
    cloud,
    admin(),
    ['POST', '/flavors/secret/action', add('p1')],
    409,
    'Flavor access already exists for flavor secret and project p1 combination.',
  );
  await refuses(cloud, admin(), ['POST', '/flavors/secret/action', add('nobody')], 400, 'Project ID nobody is not a valid project.');
  await refuses(cloud, admin(), ['POST', '/flavors/1/action', add('p1')], 409, 'Can not add access to a public flavor.');
  assert.equal((await cloud.request(admin(), 'POST', '/flavors/1/action', add('p1'), '2.6')).status, 200);
  await refuses(cloud, admin(), ['GET', '/flavors/1/os-flavor-access'], 404, 'Access list not available for public flavors.');
  await refuses(cloud, member(), ['GET', '/flavors/secret/os-flavor-access'], 403);
  assert.deepEqual(await cloud.ok(admin(), 'POST', '/flavors/secret/action', { removeTenantAccess: { tenant: 'p1' } }), { flavor_access: [] });
  await refuses(
    cloud,
    admin(),
    ['POST', '/flavors/secret/action', { removeTenantAccess: { tenant: 'p1' } }],
    404,
    'Flavor access not found for secret / p1 combination.',
  );
  assert.equal(await seen(member()), false);
});

test('extra specs are set, shown and removed, and judged from 2.86 on', async () => {
  const path = '/flavors/2/os-extra_specs';
  assert.deepEqual(await cloud.ok(admin(), 'POST', path, { extra_specs: { 'my:key': 5, 'hw:cpu_policy': 'shared' } }), {
    extra_specs: { 'my:key': 5, 'hw:cpu_policy': 'shared' },
  });
  assert.deepEqual(await cloud.ok(member(), 'GET', path), { extra_specs: { 'my:key': '5', 'hw:cpu_policy': 'shared' } });
  assert.deepEqual(await cloud.ok(admin(), 'PUT', `${path}/my:key`, { 'my:key': 'six' }), { 'my:key': 'six' });
  assert.deepEqual(await cloud.ok(member(), 'GET', `${path}/my:key`), { 'my:key': 'six' });
  assert.equal((await cloud.request(admin(), 'DELETE', `${path}/my:key`)).status, 200);
  await refuses(cloud, admin(), ['DELETE', `${path}/my:key`], 404, 'Flavor 2 has no extra specs with key my:key.');
  await refuses(cloud, member(), ['GET', `${path}/my:key`], 404, 'Flavor 2 has no extra specs with key my:key.');
  await refuses(cloud, admin(), ['PUT', `${path}/a`, { b: 'x' }], 400, 'Request body and URI mismatch');
  await refuses(cloud, admin(), ['PUT', `${path}/a`, { a: 'x', b: 'x' }], 400, /too many properties/);
  await refuses(cloud, admin(), ['POST', path, { extra_specs: { 'a/b': 'x' } }], 400);
  await refuses(cloud, member(), ['POST', path, { extra_specs: { a: 'x' } }], 403);
  await refuses(cloud, admin(), ['POST', '/flavors/none/os-extra_specs', { extra_specs: { a: 'x' } }], 404);
  const judge = (specs: object, version?: string) => cloud.request(admin(), 'POST', path, { extra_specs: specs }, version);
  for (const specs of [
    { 'hw:numa_nodes': '0' },
    { 'hw:cpu_policy': 'odd' },
    { 'hw:cpu_polcy': 'shared' },
    { 'hw:boot_menu': 'perhaps' },
    { 'hw:redirected_usb_ports': '16' },
    { 'quota:cpu_quota': 'many' },
    { 'resources:VCPUS': '1' },
    { 'trait:HW_CPU_X86_AVX': 'wanted' },
    { 'hw:cpu_dedicated_mask': '1-2-3,x' },
  ]) {
    assert.equal((await judge(specs)).status, 400, JSON.stringify(specs));
    assert.equal((await judge(specs, '2.85')).status, 200, JSON.stringify(specs));
  }
  for (const specs of [
    { 'hw:numa_cpus.0': '^1-3,5' },
    { 'resources1:CUSTOM_X': '1' },
    { 'trait:CUSTOM_X': 'forbidden' },
    { 'capabilities:cpu_info:arch': 'x' },
    { any: 'thing' },
    { 'other:thing': '' },
  ]) {
    assert.equal((await judge(specs)).status, 200, JSON.stringify(specs));
  }
  // a mask that would take upstream's own pattern for ever
  assert.equal((await judge({ 'hw:cpu_dedicated_mask': `${'1-1,'.repeat(60)}x` })).status, 400);
});
