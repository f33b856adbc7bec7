import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { qcow2 } from '@cairn/host/inspector/corpus.fixture';
import { ANYONE, AUTHENTICATED } from '@cairn/kit/http/operation';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud, OCTETS, PATCH } from './cloud.fixture.ts';

// Classes of upstream's security advisories, each by the number of the one that names it.

const JSON_ONLY = { accept: 'application/json' };
const MINE = 'b0000000000000000000000000000001';
let cloud: Cloud;
before(async () => {
  cloud = await Cloud.start();
  cloud.front.as('nobody', testContext({ roles: [], projectId: 'b0000000000000000000000000000009' }));
});
after(() => cloud.close());

const call = (who: string | undefined, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  cloud.front.call(who, method, `/image${path}`, body, { ...JSON_ONLY, ...headers });
const made = async (body: object, who = 'member') => {
  const answer = await call(who, 'POST', '/v2/images', body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body.id as string;
};
const raw = { disk_format: 'raw', container_format: 'bare' };
/** Files of image data; dot directories are glance's own places. */
const files = () => readdirSync(cloud.folder, { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f-]{36}/.test(name));

test('OSSA-2024-002: data that is another format than it was declared is refused, and nothing of it stays', async () => {
  const before2 = files().length;
  for (const [declared, data] of [
    ['vmdk', qcow2({})],
    ['iso', qcow2({})],
    ['qcow2', Buffer.alloc(100_000, 1)],
    ['qcow2', qcow2({ backing: '/etc/passwd' })],
  ] as const) {
    const id = await made({ disk_format: declared, container_format: 'bare' });
    const up = await call('member', 'PUT', `/v2/images/${id}/file`, data, OCTETS);
    assert.ok(up.status === 400 || up.status === 415, `${declared}: ${up.status}`);
    const image = (await call('member', 'GET', `/v2/images/${id}`)).body;
    assert.deepEqual([image.status, image.size, image.checksum], ['queued', null, null]);
    assert.equal((await call('member', 'GET', `/v2/images/${id}/file`)).status, 204);
  }
  assert.equal(files().length, before2);
});

test('OSSA-2016-012: an image with absurd tables costs no time and no memory to take in', async () => {
  const bomb = Buffer.from(qcow2({}));
  // l1_size and the virtual size as large as they can be written
  bomb.writeUInt32BE(0xffffffff, 36);
  bomb.writeBigUInt64BE(0x7fffffffffffffffn, 24);
  const id = await made({ disk_format: 'qcow2', container_format: 'bare' });
  const [startMs, memory] = [performance.now(), process.memoryUsage().rss];
  const up = await call('member', 'PUT', `/v2/images/${id}/file`, bomb, OCTETS);
  assert.ok(up.status < 500, String(up.status));
  assert.ok(performance.now() - startMs < 5_000);
  assert.ok(process.memoryUsage().rss - memory < 256 * 2 ** 20);
  assert.equal((await call('member', 'GET', '/v2/images?limit=1')).status, 200);
});

test("OSSA-2019-006: no list shows another project's images, whatever is asked", async () => {
  const theirs = {
    private: await made({ name: 'theirs', visibility: 'private', tags: ['t'], colour: 'red' }),
    shared: await made({ name: 'theirs', visibility: 'shared', tags: ['t'], colour: 'red' }),
    hidden: await made({ name: 'theirs', visibility: 'private', os_hidden: true }),
  };
  const ids = new Set(Object.values(theirs));
  const filters = ['', 'visibility=private', 'visibility=shared', 'visibility=all', 'visibility=public', 'visibility=community'];
  const more = ['', 'member_status=all', `owner=${MINE}`, 'tag=t', 'colour=red', 'os_hidden=true', 'name=theirs', `id=in:${[...ids].join()}`, 'status=queued'];
  for (const filter of filters)
    for (const one of more) {
      const { status, body } = await call('other', 'GET', `/v2/images?limit=1000&${filter}&${one}`);
      assert.equal(status, 200);
      for (const image of body.images) assert.equal(ids.has(image.id), false, `${filter} ${one}`);
    }
  // sharing opens that one image, and only while it is shared
  await call('member', 'POST', `/v2/images/${theirs.shared}/members`, { member: 'b0000000000000000000000000000002' });
  const seen = (await call('other', 'GET', '/v2/images?member_status=all&visibility=shared')).body.images.map((i: { id: string }) => i.id);
  assert.deepEqual(seen, [theirs.shared]);
  await call('member', 'PATCH', `/v2/images/${theirs.shared}`, JSON.stringify([{ op: 'replace', path: '/visibility', value: 'private' }]), PATCH);
  assert.equal((await call('other', 'GET', `/v2/images/${theirs.shared}`)).status, 404, 'a member of an image that is no longer shared');
  assert.equal(
    (await call('other', 'GET', '/v2/images?member_status=all')).body.images.some((i: { id: string }) => i.id === theirs.shared),
    false,
  );
  // a marker does not tell whether a foreign image exists
  for (const marker of [theirs.private, MINE]) assert.equal((await call('other', 'GET', `/v2/images?marker=${marker}`)).status, 400);
  assert.equal((await call('member', 'GET', `/v2/images?marker=${theirs.private}`)).status, 200);
});

test('OSSA-2026-001: identity headers from outside change nothing', async () => {
  const forged = {
    'x-roles': 'admin',
    'x-role': 'admin',
    'x-user-id': 'root',
    'x-project-id': MINE,
    'x-tenant-id': MINE,
    'x-is-admin-project': 'True',
    'x-identity-status': 'Confirmed',
    'x-service-roles': 'service',
  };
  const id = await made({ visibility: 'private' });
  assert.equal((await call(undefined, 'GET', '/v2/images', undefined, forged)).status, 401);
  assert.equal((await call('other', 'GET', `/v2/images/${id}`, undefined, forged)).status, 404);
  assert.equal((await call('member', 'POST', '/v2/images', { visibility: 'public' }, forged)).status, 403);
  assert.equal((await call('member', 'POST', '/v2/metadefs/namespaces', { namespace: 'forged' }, forged)).status, 403);
  assert.equal((await call('nobody', 'GET', '/v2/images', undefined, forged)).status, 403);
});

test('OSSA-2024-005: every call asks policy, and none of them lets another project at an image', async () => {
  const id = await made({ ...raw, name: 'guarded', visibility: 'private', tags: ['t'] });
  await call('member', 'PUT', `/v2/images/${id}/file`, Buffer.from('secret data'), OCTETS);
  await call('admin', 'POST', '/v2/metadefs/namespaces', { namespace: 'Guarded', tags: [{ name: 't' }], objects: [{ name: 'o' }] });
  const before2 = (await call('member', 'GET', `/v2/images/${id}`)).body;
  const values: Record<string, string> = {
    image_id: id,
    tag: 't',
    member_id: MINE,
    namespace_name: 'Guarded',
    tag_name: 't',
    object_name: 'o',
    store_id: 'file',
    task_id: id,
  };
  for (const operation of cloud.glance.http.operations) {
    if (operation.policy === ANYONE) continue;
    const path = operation.path.replaceAll(/\{(\w+)\*?\}/g, (_, name: string) => encodeURIComponent(values[name] ?? id));
    const ask = (who: string | undefined) =>
      operation.input === 'stream'
        ? call(who, operation.method, path, Buffer.from('x'), OCTETS)
        : call(
            who,
            operation.method,
            path,
            ['POST', 'PUT'].includes(operation.method) ? {} : operation.method === 'PATCH' ? '[]' : undefined,
            operation.method === 'PATCH' ? PATCH : {},
          );
    assert.equal((await ask(undefined)).status, 401, `${operation.id} without a token`);
    if (operation.policy !== AUTHENTICATED && operation.policy !== 'get_tasks') {
      const { status } = await ask('nobody');
      assert.ok(status >= 400 && status < 500, `${operation.id} without a role: ${status}`);
    }
    if (path.includes(id) && operation.path.includes('image_id')) {
      const { status } = await ask('other');
      assert.ok(status >= 400 && status < 500, `${operation.id} by another project: ${status}`);
    }
  }
  assert.deepEqual((await call('member', 'GET', `/v2/images/${id}`)).body, before2);
});

test('a deleted image is gone: its data, its id and whatever names it', async () => {
  const before2 = files();
  const id = await made(raw);
  assert.equal((await call('member', 'PUT', `/v2/images/${id}/file`, Buffer.alloc(1000, 1), OCTETS)).status, 204);
  assert.equal(files().length, before2.length + 1);
  await call('member', 'PATCH', `/v2/images/${id}`, JSON.stringify([{ op: 'replace', path: '/protected', value: true }]), PATCH);
  for (const who of ['member', 'admin']) assert.equal((await call(who, 'DELETE', `/v2/images/${id}`)).status, 403, 'protected');
  await call('member', 'PATCH', `/v2/images/${id}`, JSON.stringify([{ op: 'replace', path: '/protected', value: false }]), PATCH);
  assert.equal((await call('member', 'DELETE', `/v2/images/${id}`)).status, 204);
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/file'],
    ['GET', '/members'],
    ['DELETE', ''],
  ] as const)
    assert.equal((await call('admin', method, `/v2/images/${id}${path}`)).status, 404, `${method} ${path}`);
  assert.equal((await call('member', 'PUT', `/v2/images/${id}/file`, Buffer.from('x'), OCTETS)).status, 404);
  for (let i = 0; i < 50 && files().length > before2.length; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(files(), before2);
});

test('OSSA-2017-001: faults show the text of users as text, and nothing of the inside', async () => {
  const hostile = encodeURIComponent('<script>alert(1)</script>');
  for (const path of [
    `/v2/images?sort_key=${hostile}`,
    `/v2/images?created_at=${hostile}`,
    `/v2/metadefs/namespaces/${hostile}`,
    `/v2/images?visibility=${hostile}`,
  ]) {
    const { body } = await cloud.front.call('member', 'GET', `/image${path}`, undefined, { accept: 'text/html' });
    assert.equal(String(body).includes('<script>'), false, path);
    assert.doesNotMatch(String(body), /\.ts:|node_modules|SQLITE|select /i);
  }
  for (const path of ['/v2/nothing', '/v2/images/x/y/z', '/%ff', '/v2/images/%00']) {
    const { status, body } = await cloud.front.call('member', 'GET', `/image${path}`, undefined, JSON_ONLY);
    assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
    assert.doesNotMatch(JSON.stringify(body), /\.ts:|node_modules|SQLITE/);
  }
});
