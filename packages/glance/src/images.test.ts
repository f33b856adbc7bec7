import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hostileImages, qcow2 } from '@cairn/host/inspector/corpus.fixture';
import { TestFront, testContext, testWorld, type World } from '@cairn/kit/testing/world';
import type { HttpService } from '@cairn/kit/http/service';
import { defaultGlanceOptions } from './options.ts';
import { createGlance } from './service.ts';
import { glanceMigrations } from './store/migrations/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-glance-'));
let world: World;
let front: TestFront;
before(async () => {
  world = await testWorld({ migrations: [glanceMigrations] });
  const glance = createGlance({ env: world.env, options: { ...defaultGlanceOptions, imagesDir: folder } });
  await glance.start();
  front = await TestFront.start(world.env, [glance.http as HttpService]);
  front.as('other', testContext({ projectId: 'b0000000000000000000000000000002', userId: 'x' }));
});
after(async () => {
  await front.close();
  await world.close();
  rmSync(folder, { recursive: true });
});
const OCTETS = { 'content-type': 'application/octet-stream' };
const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch', accept: 'application/json' };
const made = async (body: object, who = 'member') => (await front.call(who, 'POST', '/image/v2/images', body)).body;

test('an image lives: created, uploaded, downloaded, patched, deleted', async () => {
  const image = await made({ name: 'one', disk_format: 'raw', container_format: 'bare', hw_rng_model: 'virtio', tags: ['b', 'a'] });
  assert.equal(image.status, 'queued');
  assert.equal(image.visibility, 'shared');
  assert.deepEqual(image.tags, ['a', 'b']);
  assert.equal(image.size, null);
  const data = Buffer.alloc(100_000, 7);
  const up = await front.call('member', 'PUT', `/image/v2/images/${image.id}/file`, data, OCTETS);
  assert.equal(up.status, 204, String(up.body));
  const active = (await front.call('member', 'GET', `/image/v2/images/${image.id}`)).body;
  assert.equal(active.status, 'active');
  assert.equal(active.size, 100_000);
  assert.match(active.checksum, /^[0-9a-f]{32}$/);
  assert.match(active.os_hash_value, /^[0-9a-f]{128}$/);
  const back = await fetch(`${front.url}/image/v2/images/${image.id}/file`, { headers: { 'x-auth-token': 'member', range: 'bytes=10-19' } });
  assert.equal(back.status, 206);
  assert.equal((await back.arrayBuffer()).byteLength, 10);
  assert.equal((await front.call('member', 'PUT', `/image/v2/images/${image.id}/file`, data, OCTETS)).status, 409);
  const patched = await front.call(
    'member',
    'PATCH',
    `/image/v2/images/${image.id}`,
    JSON.stringify([
      { op: 'replace', path: '/name', value: 'two' },
      { op: 'add', path: '/x', value: 'y' },
      { op: 'remove', path: '/hw_rng_model' },
    ]),
    PATCH,
  );
  assert.equal(patched.status, 200);
  assert.equal(patched.body.name, 'two');
  assert.equal(patched.body.x, 'y');
  assert.equal('hw_rng_model' in patched.body, false);
  assert.equal((await front.call('member', 'DELETE', `/image/v2/images/${image.id}`)).status, 204);
  assert.equal((await front.call('member', 'GET', `/image/v2/images/${image.id}`)).status, 404);
});

test('other projects see neither the image nor its data; the public sees public ones', async () => {
  const image = await made({ name: 'mine', disk_format: 'raw', container_format: 'bare', visibility: 'private' });
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/file'],
    ['DELETE', ''],
    ['PUT', '/tags/x'],
    ['GET', '/members'],
  ] as const)
    assert.equal((await front.call('other', method, `/image/v2/images/${image.id}${path}`)).status, 404, `${method} ${path}`);
  assert.equal(
    (await front.call('member', 'PATCH', `/image/v2/images/${image.id}`, JSON.stringify([{ op: 'replace', path: '/visibility', value: 'public' }]), PATCH))
      .status,
    403,
  );
  assert.equal(
    (await front.call('admin', 'PATCH', `/image/v2/images/${image.id}`, JSON.stringify([{ op: 'replace', path: '/visibility', value: 'public' }]), PATCH))
      .status,
    200,
  );
  assert.equal((await front.call('other', 'GET', `/image/v2/images/${image.id}`)).status, 200);
  assert.equal((await front.call('other', 'DELETE', `/image/v2/images/${image.id}`)).status, 403);
});

test('sharing: pending is hidden from lists until it is accepted', async () => {
  const image = await made({ name: 'shared' });
  const other = 'b0000000000000000000000000000002';
  assert.equal((await front.call('member', 'POST', `/image/v2/images/${image.id}/members`, { member: other })).body.status, 'pending');
  const listed = async () => (await front.call('other', 'GET', '/image/v2/images?name=shared')).body.images.length;
  assert.equal(await listed(), 0);
  assert.equal((await front.call('other', 'GET', `/image/v2/images/${image.id}`)).status, 200);
  assert.equal((await front.call('member', 'PUT', `/image/v2/images/${image.id}/members/${other}`, { status: 'accepted' })).status, 403);
  assert.equal((await front.call('other', 'PUT', `/image/v2/images/${image.id}/members/${other}`, { status: 'accepted' })).status, 200);
  assert.equal(await listed(), 1);
});

test('pages follow their next links through every image once', async () => {
  for (let i = 0; i < 7; i++) await made({ name: 'page', min_ram: i, disk_format: i < 3 ? 'raw' : 'qcow2' });
  const seen: number[] = [];
  let next: string | undefined = '/v2/images?name=page&limit=3&sort=disk_format:desc,created_at:asc';
  while (next) {
    const { body } = await front.call('member', 'GET', `/image${next}`);
    seen.push(...body.images.map((i: { min_ram: number }) => i.min_ram));
    next = body.next;
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6]);
});

test('hostile images are refused, and leave neither data nor status behind', async () => {
  const before2 = readdirSync(folder).length;
  for (const sample of hostileImages('/etc/hostname').slice(0, 60)) {
    const image = await made({ name: 'bad', disk_format: sample.declared ?? 'qcow2', container_format: 'bare' });
    if (!image.id) continue;
    const answer = await front.call('member', 'PUT', `/image/v2/images/${image.id}/file`, sample.bytes, OCTETS);
    const { status } = (await front.call('member', 'GET', `/image/v2/images/${image.id}`)).body;
    assert.ok((answer.status === 415 && status === 'queued') || (answer.status === 204 && status === 'active'), `${sample.name}: ${answer.status} ${status}`);
    await front.call('member', 'DELETE', `/image/v2/images/${image.id}`);
  }
  const backed = await made({ name: 'backed', disk_format: 'qcow2', container_format: 'bare' });
  assert.equal((await front.call('member', 'PUT', `/image/v2/images/${backed.id}/file`, qcow2({ backing: '/etc/shadow' }), OCTETS)).status, 415);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(readdirSync(folder).length, before2);
});

test('bad requests name what is wrong', async () => {
  for (const [body, status, pattern] of [
    [{ disk_format: 'nope' }, 400, /disk_format|not one of/],
    [{ size: 5 }, 403, /read-only/],
    [{ min_ram: -1 }, 400, /Cannot be a negative value/],
    [{ id: 'x' }, 400, /does not match/],
    [{ prop: 5 }, 400, /string/],
    [[1], 400, /object/],
  ] as const) {
    const answer = await front.call('member', 'POST', '/image/v2/images', body, { accept: 'application/json' });
    assert.equal(answer.status, status, JSON.stringify(body));
    assert.match(JSON.stringify(answer.body), pattern);
  }
  assert.equal((await front.call('member', 'GET', '/image/v2/images?limit=-1')).status, 400);
  assert.equal((await front.call('member', 'GET', '/image/v2/images?sort_key=nope')).status, 400);
  assert.equal((await front.call('member', 'GET', '/image/v2/images?marker=nope')).status, 400);
  assert.equal((await front.call(undefined, 'GET', '/image/v2/images')).status, 401);
  assert.equal((await front.call(undefined, 'GET', '/image/')).status, 300);
  assert.equal((await front.call(undefined, 'GET', '/image/v2/')).status, 300);
  assert.equal((await front.call('member', 'GET', '/image/v2/images/')).status, 404);
  assert.equal((await front.call('member', 'DELETE', '/image/v2/images/')).status, 404);
  assert.equal((await front.call('member', 'GET', '/image/v2/images?name=x/')).status, 200);
});
