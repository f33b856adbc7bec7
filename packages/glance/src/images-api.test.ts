import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import type { HttpService } from '@cairn/kit/http/service';
import { engines } from '@cairn/kit/store/testing';
import { TestFront, testContext, testWorld, type World } from '@cairn/kit/testing/world';
import { defaultGlanceOptions } from './options.ts';
import { createGlance } from './service.ts';
import { glanceMigrations } from './store/migrations/index.ts';

const OTHER = 'b0000000000000000000000000000002';
const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch', accept: 'application/json' };
const OLD_PATCH = { ...PATCH, 'content-type': 'application/openstack-images-v2.0-json-patch' };
const START = Date.parse('2026-11-23T05:00:00Z');

for (const engine of engines()) {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-images-api-'));
  let world: World;
  let front: TestFront;
  const clock = new VirtualClock(START);
  before(async () => {
    world = await testWorld({ engine, clock, migrations: [glanceMigrations] });
    const glance = createGlance({ env: world.env, options: { ...defaultGlanceOptions, imagesDir: folder, maxTags: 5, maxProperties: 4, maxMembers: 2 } });
    await glance.start();
    front = await TestFront.start(world.env, [glance.http as HttpService]);
    front.as('other', testContext({ projectId: OTHER, userId: 'x' }));
    front.as('reader', testContext({ roles: ['reader'] }));
  });
  after(async () => {
    await front.close();
    await world.close();
    rmSync(folder, { recursive: true });
  });
  const call = (who: string, method: string, path: string, body?: unknown, headers = {}) =>
    front.call(who, method, `/image/v2/images${path}`, body, { accept: 'application/json', ...headers });
  const made = async (body: object, who = 'member') => {
    const answer = await call(who, 'POST', '', body);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body;
  };
  const names = async (query: string, who = 'member') => {
    const answer = await call(who, 'GET', query);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.images.map((i: { name: string }) => i.name);
  };
  const patch = (id: string, operations: unknown, headers: object = PATCH, who = 'member') => call(who, 'PATCH', `/${id}`, JSON.stringify(operations), headers);

  test(`${engine}: lists show each image as it is now, to the letter`, async () => {
    const { id } = await made({ name: 'é "quoted" \u{1F4A1}', disk_format: 'raw', tags: ['z', 'a'], zeta: '1', alpha: '2', 7: 'seven' });
    const same = async (who = 'member'): Promise<void> => {
      const listed = (await call(who, 'GET', `?id=${id}`)).body.images;
      assert.deepEqual(
        listed.map((image: object) => JSON.stringify(image)),
        [JSON.stringify((await call(who, 'GET', `/${id}`)).body)],
      );
    };
    await same();
    await same('reader');
    for (const change of [
      { op: 'replace', path: '/name', value: 'other' },
      { op: 'replace', path: '/tags', value: ['new'] },
      { op: 'replace', path: '/zeta', value: 'changed' },
      { op: 'remove', path: '/alpha' },
    ]) {
      assert.equal((await patch(id, [change])).status, 200);
      await same();
    }
    assert.equal((await call('member', 'PUT', `/${id}/tags/one`)).status, 204);
    await same();
    assert.equal((await call('member', 'DELETE', `/${id}`)).status, 204);
    assert.deepEqual((await call('member', 'GET', `?id=${id}`)).body.images, []);
  });

  test(`${engine}: lists know every filter operator`, async () => {
    for (const [name, more] of [
      ['f1', { disk_format: 'raw', min_ram: 1, tags: ['x', 'y'], colour: 'red' }],
      ['f2', { disk_format: 'qcow2', min_ram: 2, tags: ['x'], colour: 'blue', protected: true }],
      ['f3, with comma', { disk_format: 'vhd', min_ram: 3, container_format: 'bare', os_hidden: true }],
    ] as const) {
      await made({ name, ...more });
      await clock.advance(10_000);
    }
    const at = (seconds: number) => new Date(START + seconds * 1000).toISOString().replace('.000', '');
    for (const [query, expected] of [
      ['disk_format=in:raw,qcow2', ['f2', 'f1']],
      ['name=in:f1,"f3, with comma"&os_hidden=true', ['f3, with comma']],
      ['name=eq:f1', ['f1']],
      ['status=in:active,queued', ['f2', 'f1']],
      ['tag=x', ['f2', 'f1']],
      ['tag=x&tag=y', ['f1']],
      ['colour=blue', ['f2']],
      ['colour=blue&name=f1', []],
      ['protected=true', ['f2']],
      ['protected=false', ['f1']],
      ['os_hidden=TRUE', ['f3, with comma']],
      ['min_ram=2', ['f2']],
      ['min_ram_min=2', ['f2']],
      ['min_ram_max=1', ['f1']],
      ['size_min=0', []],
      [`created_at=${at(0)}`, ['f1']],
      [`created_at=eq:${at(10)}`, ['f2']],
      [`created_at=neq:${at(10)}`, ['f1']],
      [`created_at=gt:${at(0)}`, ['f2']],
      [`created_at=gte:${at(0)}`, ['f2', 'f1']],
      [`created_at=lt:${at(10)}`, ['f1']],
      [`created_at=lte:${at(10)}`, ['f2', 'f1']],
      ['created_at=gt:2026-11-23T07:00:00%2B02:00', ['f2']],
      ['updated_at=lt:2020-01-01', []],
      ['visibility=shared', ['f2', 'f1']],
      ['visibility=private', []],
      ['owner=b0000000000000000000000000000001', ['f2', 'f1']],
    ] as const)
      assert.deepEqual(await names(`?${query}`), expected, query);
    for (const query of [
      'name=like:x',
      'created_at=about:2020-01-01',
      'created_at=gt:yesterday',
      'size_min=big',
      'nonsense_max=3',
      'disk_format=in:"raw',
      'disk_format=in:a"b"',
      'protected=True',
      'os_hidden=yes',
      'visibility=secret',
      'member_status=maybe',
      'changes-since=2020-01-01',
      'sort_key=owner',
      'sort_dir=up',
      'sort=name:sideways',
      'sort=name&sort_key=name',
      'sort_key=name&sort_key=size&sort_key=id&sort_dir=asc&sort_dir=desc',
      'limit=x',
      'limit=-1',
      `marker=${OTHER}`,
    ])
      assert.equal((await call('member', 'GET', `?${query}`)).status, 400, query);
    assert.deepEqual(await names('?sort_key=name&sort_dir=asc'), ['f1', 'f2']);
    assert.deepEqual(await names('?sort=status:desc,name:asc'), ['f1', 'f2']);
    const page = (await call('member', 'GET', '?limit=1&sort_key=name&sort_dir=asc')).body;
    assert.equal(page.first, '/v2/images?limit=1&sort_key=name&sort_dir=asc');
    assert.match(page.next, /^\/v2\/images\?limit=1&sort_key=name&sort_dir=asc&marker=/);
    assert.deepEqual((await call('member', 'GET', '?limit=0')).body, { images: [], first: '/v2/images?limit=0', schema: '/v2/schemas/images' });
  });

  test(`${engine}: lists show by visibility what each project may see`, async () => {
    const own = (await made({ name: 'v-own', visibility: 'private' })).id;
    await made({ name: 'v-community', visibility: 'community' }, 'other');
    const shared = (await made({ name: 'v-shared' }, 'other')).id;
    await made({ name: 'v-public', visibility: 'public' }, 'admin');
    await call('other', 'POST', `/${shared}/members`, { member: 'b0000000000000000000000000000001' });
    const seen = async (query: string, who = 'member') => (await names(query, who)).filter((n: string) => n.startsWith('v-')).toSorted();
    assert.deepEqual(await seen(''), ['v-own', 'v-public']);
    assert.deepEqual(await seen('?visibility=all'), ['v-community', 'v-own', 'v-public']);
    assert.deepEqual(await seen('?visibility=community'), ['v-community']);
    assert.deepEqual(await seen('?visibility=shared&member_status=pending'), ['v-shared']);
    assert.deepEqual(await seen('?visibility=shared&member_status=all'), ['v-shared']);
    assert.deepEqual(await seen('?member_status=pending'), ['v-own', 'v-public', 'v-shared']);
    assert.deepEqual(await seen('?visibility=private', 'other'), []);
    assert.deepEqual(await seen('?visibility=all', 'admin'), ['v-community', 'v-own', 'v-public', 'v-shared']);
    assert.deepEqual(await seen('?limit=1000', 'admin'), ['v-own', 'v-public', 'v-shared']);
    assert.equal((await call('other', 'GET', `/${own}`)).status, 404);
  });

  test(`${engine}: both forms of JSON patch are read as upstream reads them`, async () => {
    const { id } = await made({ name: 'patched', a: '1' });
    const message = async (operations: unknown, headers: object = PATCH) => {
      const answer = await patch(id, operations, headers);
      return `${answer.status} ${
        String(answer.body.message ?? '')
          .replaceAll('&#x27;', "'")
          .replaceAll('&quot;', '"')
          .split('<br')[0]
      }`;
    };
    for (const [operations, expected] of [
      [{}, '400 Request body must be a JSON array of operation objects.'],
      [[1], '400 Operations must be JSON objects.'],
      [[{ path: '/name', value: 'x' }], '400 Unable to find `op` in JSON Schema change. It must be one of the following: add, remove, replace.'],
      [[{ op: 'test', path: '/name' }], '400 Invalid operation: `test`. It must be one of the following: add, remove, replace.'],
      [[{ op: 'add', value: 'x' }], "400 Unable to find 'path' in JSON Schema change"],
      [[{ op: 'add', path: 'name', value: 'x' }], '400 Pointer `name` does not start with "/".'],
      [[{ op: 'add', path: '/a//b', value: 'x' }], '400 Pointer `/a//b` contains adjacent "/".'],
      [[{ op: 'add', path: '/a/', value: 'x' }], '400 Pointer `/a/` end with "/".'],
      [[{ op: 'add', path: '/a~b', value: 'x' }], '400 Pointer `/a~b` contains "~" not part of a recognized escape sequence.'],
      [[{ op: 'add', path: '/a/b', value: 'x' }], "400 Invalid JSON pointer for this resource: '/a/b'"],
      [[{ op: 'add', path: '/b' }], '400 Operation "add" requires a member named "value".'],
      [[{ op: 'replace', path: '/id', value: 'x' }], "403 Attribute 'id' is read-only."],
      [[{ op: 'remove', path: '/size' }], "403 Attribute 'size' is read-only."],
      [[{ op: 'add', path: '/deleted', value: 'x' }], "403 Attribute 'deleted' is reserved."],
      [[{ op: 'add', path: '/os_glance_x', value: 'x' }], "403 Attribute 'os_glance_x' is reserved."],
      [[{ op: 'replace', path: '/os_glance_import_task', value: 'x' }], "403 Attribute 'os_glance_import_task' is reserved."],
      [[{ op: 'remove', path: '/name' }], '403 Property name may not be removed.'],
      [[{ op: 'remove', path: '/tags' }], '403 Property tags may not be removed.'],
      [[{ op: 'remove', path: '/zzz' }], '409 Property zzz does not exist.'],
      [[{ op: 'replace', path: '/zzz', value: 'x' }], '409 Property zzz does not exist.'],
      [[{ op: 'replace', path: '/owner', value: 'x' }], "403 Owner can't be updated by non admin."],
      [[{ op: 'replace', path: '/name', value: 5 }], "400 Provided object does not match schema 'image': 5 is not of type 'null', 'string'"],
      [[{ op: 'add', path: '/locations/-', value: { url: 'file:///x', metadata: {} } }], "403 It's not allowed to add locations if locations are invisible."],
      [[{ op: 'replace', path: '/min_disk', value: -1 }], "400 Invalid value '-1' for parameter 'min_disk': Cannot be a negative value"],
      [[{ op: 'add', path: '/__proto__', value: 'x' }], "400 '__proto__' cannot be the name of a property."],
    ] as const)
      assert.equal(await message(operations), expected);
    const wrong = await patch(id, [], { 'content-type': 'application/json' });
    assert.equal(wrong.status, 415);
    assert.match(wrong.headers.get('accept-patch') ?? '', /v2\.0-json-patch, application\/openstack-images-v2\.1-json-patch/);

    assert.equal((await patch(id, [])).status, 200);
    const done = await patch(id, [
      { op: 'add', path: '/a', value: '2' },
      { op: 'add', path: '/b~1c~0d', value: '3' },
      { op: 'replace', path: '/tags', value: ['t', 't', 's'] },
      { op: 'add', path: '/min_disk', value: 7 },
      { op: 'replace', path: '/a', value: '4' },
    ]);
    assert.equal(done.status, 200, JSON.stringify(done.body));
    assert.deepEqual([done.body.a, done.body['b/c~d'], done.body.tags, done.body.min_disk], ['4', '3', ['s', 't'], 7]);

    assert.equal(await message([{ add: '/a', value: '5' }], OLD_PATCH), '409 Property a already present.');
    assert.equal(
      await message([{ replace: '/a', value: '5', remove: '/a' }], OLD_PATCH),
      '400 Operation objects must contain only one member named "add", "remove", or "replace".',
    );
    assert.equal(
      await message([{ op: 'replace', path: '/a', value: '5' }], OLD_PATCH),
      '400 Operation objects must contain exactly one member named "add", "remove", or "replace".',
    );
    const older = await patch(id, [{ replace: '/a', value: '5' }, { remove: '/b~1c~0d' }, { add: '/c', value: '6' }], OLD_PATCH);
    assert.deepEqual([older.body.a, older.body.c, 'b/c~d' in older.body], ['5', '6', false]);
    assert.equal((await patch(OTHER, [{ op: 'replace', path: '/size', value: 1 }])).status, 403);
    assert.equal((await patch(OTHER, [{ op: 'replace', path: '/name', value: 'x' }])).status, 404);
    assert.equal((await patch(id, [{ op: 'add', path: '/owner', value: OTHER }])).status, 403, 'adding the owner is changing it');
    assert.equal((await patch(id, [{ op: 'replace', path: '/owner', value: OTHER }], PATCH, 'admin')).body.owner, OTHER);
    assert.equal((await call('member', 'GET', `/${id}`)).status, 404);
  });

  test(`${engine}: a new image says what is wrong with it, where it is, and how it can be filled`, async () => {
    for (const [body, status, pattern] of [
      [{ self: 'x' }, 403, /'self' is read-only/],
      [{ size: 'big' }, 400, /not of type/],
      [{ checksum: 'x' }, 403, /'checksum' is read-only/],
      [{ deleted: 'true' }, 403, /'deleted' is reserved/],
      [{ os_glance_x: 'y' }, 403, /'os_glance_x' is reserved/],
      [{ locations: [] }, 403, /'locations' is reserved/],
      [{ [`x${'y'.repeat(255)}`]: 'z' }, 400, /greater than 255/],
      [{ name: 'x'.repeat(256) }, 400, /too long/],
      [{ kernel_id: 'nope' }, 400, /does not match/],
      [{ cinder_encryption_key_deletion_policy: 'perhaps' }, 400, /not one of/],
      [{ min_ram: 2_147_483_648 }, 400, /out of range/],
      [{ visibility: 'public' }, 403, /publicize_image/],
      [{ owner: OTHER }, 403, /owned by/],
      [{ tags: ['1', '2', '3', '4', '5', '6'] }, 413, /image tags. Attempted: 6, Maximum: 5/],
      [{ p1: '', p2: '', p3: '', p4: '', p5: '' }, 413, /image properties. Attempted: 5, Maximum: 4/],
    ] as const) {
      const answer = await call('member', 'POST', '', body);
      assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.body.message}`);
      assert.match(answer.body.message.replaceAll('&#x27;', "'"), pattern);
    }
    assert.equal((await call('reader', 'POST', '', { name: 'x' })).status, 403);
    const fine = await call('member', 'POST', '', { name: null, kernel_id: null, os_distro: 'debian' });
    assert.equal(fine.status, 201);
    assert.match(fine.headers.get('location') ?? '', new RegExp(`^http://.*/image/v2/images/${fine.body.id}$`));
    assert.match(fine.headers.get('openstack-image-import-methods') ?? '', /web-download/);
    const first = await front.call(undefined, 'GET', '/image');
    assert.equal(first.status, 300);
    assert.equal(first.body.versions[0].status, 'CURRENT');
  });

  test(`${engine}: an id of one's own is taken once and for ever`, async () => {
    const id = '0F0E0D0C-0000-4000-8000-00000000ABCD';
    assert.equal((await made({ id })).id, id.toLowerCase());
    assert.match((await call('member', 'POST', '', { id })).body.message, /Image ID 0f0e0d0c-0000-4000-8000-00000000abcd already exists!/);
    assert.equal((await call('member', 'DELETE', `/${id.toLowerCase()}`)).status, 204);
    assert.equal((await call('member', 'POST', '', { id })).status, 409);
    assert.equal((await call('other', 'POST', '', { id })).status, 409);
  });

  test(`${engine}: limits of tags, properties and members hold when an image grows`, async () => {
    const { id } = await made({ name: 'grows', p1: '', p2: '', p3: '', p4: '', tags: ['1', '2', '3', '4', '5'] });
    assert.equal((await patch(id, [{ op: 'add', path: '/p5', value: '' }])).status, 413);
    assert.equal(
      (
        await patch(id, [
          { op: 'remove', path: '/p1' },
          { op: 'add', path: '/p5', value: '' },
        ])
      ).status,
      200,
    );
    assert.equal((await call('member', 'PUT', `/${id}/tags/6`)).status, 413);
    assert.equal((await call('member', 'PUT', `/${id}/tags/5`)).status, 204);
    assert.equal((await call('member', 'PUT', `/${id}/tags/${'x'.repeat(256)}`)).status, 400);
    assert.equal((await call('member', 'DELETE', `/${id}/tags/7`)).status, 404);
    for (const member of ['m1', 'm2']) assert.equal((await call('member', 'POST', `/${id}/members`, { member })).status, 200);
    assert.match((await call('member', 'POST', `/${id}/members`, { member: 'm3' })).body.message, /Attempted: 3, Maximum: 2/);
  });

  test(`${engine}: sharing is the owner's, accepting is the member's, and nobody does the other's part`, async () => {
    const { id } = await made({ name: 'members' });
    const at = (who: string, method: string, path = '', body?: unknown) => call(who, method, `/${id}/members${path}`, body);
    for (const [body, pattern] of [
      [{}, /Member to be added not specified/],
      [{ member: '' }, /Member can't be empty/],
      [[1], /Expected a member in the form/],
      [{ member: 5 }, /Expected a member in the form/],
    ] as const) {
      const answer = await at('member', 'POST', '', body);
      assert.equal(answer.status, 400);
      assert.match(answer.body.message.replaceAll('&#x27;', "'"), pattern);
    }
    assert.equal((await at('other', 'POST', '', { member: OTHER })).status, 404);
    assert.equal((await at('member', 'POST', '', { member: OTHER })).body.status, 'pending');
    assert.equal((await at('member', 'POST', '', { member: OTHER })).status, 409);
    assert.equal((await at('member', 'POST', '', { member: 'third' })).status, 200);
    assert.equal((await at('member', 'GET')).body.members.length, 2);
    assert.deepEqual(
      (await at('other', 'GET')).body.members.map((m: { member_id: string }) => m.member_id),
      [OTHER],
    );
    assert.equal((await at('other', 'GET', '/third')).status, 404);
    assert.equal((await at('other', 'PUT', '/third', { status: 'accepted' })).status, 404);
    assert.equal((await at('other', 'DELETE', `/${OTHER}`)).status, 403);
    assert.equal((await at('other', 'POST', '', { member: 'fourth' })).status, 403);
    assert.equal((await at('member', 'PUT', `/${OTHER}`, { status: 'accepted' })).status, 403);
    assert.equal((await at('other', 'PUT', `/${OTHER}`, { status: 'sold' })).status, 400);
    assert.equal((await at('other', 'PUT', `/${OTHER}`, {})).status, 400);
    assert.equal((await at('other', 'PUT', `/${OTHER}`, { status: 'rejected' })).body.status, 'rejected');
    // as upstream: a member that rejected may still see the image by its id
    assert.equal((await call('other', 'GET', `/${id}`)).status, 200);
    assert.equal((await at('member', 'DELETE', `/${OTHER}`)).status, 204);
    assert.equal((await call('other', 'GET', `/${id}`)).status, 404);
    assert.equal((await patch(id, [{ op: 'replace', path: '/visibility', value: 'private' }])).status, 200);
    assert.equal((await at('member', 'GET')).status, 403);
    assert.equal((await at('member', 'GET', '/third')).status, 404);
    assert.equal((await at('member', 'POST', '', { member: 'fifth' })).status, 403);
  });
}
