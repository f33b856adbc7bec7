import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { qcow2 } from '@cairn/host/inspector/corpus.fixture';
import { Cloud, OCTETS, webServer } from './cloud.fixture.ts';

const data = randomBytes(3_000_000);
const md5 = createHash('md5').update(data).digest('hex');
const sha512 = createHash('sha512').update(data).digest('hex');
const hostile = qcow2({ backing: '/etc/shadow' });
let web: Awaited<ReturnType<typeof webServer>>;
let cloud: Cloud;
before(async () => {
  web = await webServer((request, response) => {
    if (request.url === '/image') response.writeHead(200, { 'content-length': data.length }).end(data);
    else if (request.url === '/redirect') response.writeHead(302, { location: '/image' }).end();
    else if (request.url === '/inside') response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    else if (request.url === '/hostile') response.end(hostile);
    else if (request.url === '/slow') {
      response.writeHead(200, { 'content-length': data.length });
      response.write(data.subarray(0, 1000));
    } else response.writeHead(404).end();
  });
  cloud = await Cloud.start({ ports: [web.port, 80], import: { injectIgnoreRoles: ['admin'], inject: { brought: 'by-import' } } });
});
after(async () => {
  await cloud.close();
  web.close();
});
const importing = (id: string, body: object, who = 'member', headers = {}) =>
  cloud.call(who, 'POST', `/image/v2/images/${id}/import`, body, { accept: 'application/json', ...headers });
const direct = { method: { name: 'glance-direct' } };
const fromWeb = (path: string) => ({ method: { name: 'web-download', uri: web.url + path } });

test('staged data is imported: hashes, size, one task that succeeded, nothing left behind', async () => {
  const id = await cloud.make();
  assert.equal(await cloud.status('member', 'PUT', `/v2/images/${id}/stage`, data, OCTETS), 204);
  const staged = await cloud.image(id);
  assert.equal(staged.status, 'uploading');
  assert.equal(staged.size, data.length);
  assert.equal(staged.checksum, null);
  assert.equal((await cloud.download(id)).status, 204, 'staged data is not the image yet');
  assert.equal(await cloud.status('member', 'PUT', `/v2/images/${id}/stage`, data, OCTETS), 409, 'staged twice');
  assert.equal(await cloud.status('other', 'PUT', `/v2/images/${id}/stage`, data, OCTETS), 404);
  const answer = await importing(id, direct);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  const [task, ...others] = await cloud.tasks(id);
  assert.equal(others.length, 0);
  assert.equal(task.status, 'success', task.message);
  assert.equal(task.type, 'api_image_import');
  assert.equal(task.request_id, answer.headers.get('x-openstack-request-id'));
  assert.deepEqual(task.input, { image_id: id, import_req: direct, backend: ['file'] });
  assert.deepEqual(task.result, { image_id: id });
  const image = await cloud.image(id);
  assert.equal(image.status, 'active');
  assert.equal(image.checksum, md5);
  assert.equal(image.os_hash_value, sha512);
  assert.equal(image.os_hash_algo, 'sha512');
  assert.equal(image.virtual_size, data.length);
  assert.equal(image.stores, 'file');
  assert.equal(image.os_glance_importing_to_stores, '');
  assert.equal(image.os_glance_failed_import, '');
  assert.equal('os_glance_import_task' in image, false);
  assert.equal(image.brought, 'by-import');
  assert.deepEqual((await cloud.download(id)).data, data);
  assert.deepEqual(
    cloud.files().filter((f) => f.startsWith('.staging')),
    [],
  );
  assert.equal((await importing(id, direct)).status, 409);
  await cloud.json('member', 'DELETE', `/v2/images/${id}`);
});

test('web-download fetches, also after a redirect', async () => {
  for (const path of ['/image', '/redirect']) {
    const id = await cloud.make();
    assert.equal((await importing(id, fromWeb(path))).status, 202);
    const [task] = await cloud.tasks(id);
    assert.equal(task.status, 'success', task.message);
    const image = await cloud.image(id);
    assert.equal(image.status, 'active');
    assert.equal(image.os_hash_value, sha512);
    assert.ok(web.got.every((r) => r.headers['x-auth-token'] === undefined && r.headers.cookie === undefined));
    await cloud.json('member', 'DELETE', `/v2/images/${id}`);
  }
});

test('what must not be fetched is refused at once, and behind a redirect by the task', async () => {
  const id = await cloud.make();
  for (const uri of [
    'file:///etc/passwd',
    'http://10.0.0.1/',
    'http://[::1]/',
    'http://169.254.169.254/',
    'http://2130706433/',
    'http://a@127.0.0.1/',
    'http://127.0.0.1:22/',
    '',
    undefined,
  ]) {
    const answer = await importing(id, { method: { name: 'web-download', uri } });
    assert.equal(answer.status, 400, String(uri));
    assert.match(answer.body.message, /does not pass filtering/);
  }
  assert.deepEqual(await cloud.tasks(id), []);
  assert.equal((await cloud.image(id)).status, 'queued');
  for (const [path, pattern] of [
    ['/inside', /not allowed/],
    ['/missing', /status 404/],
    ['/hostile', /refused/],
  ] as const) {
    const body = path === '/hostile' ? await cloud.make({ disk_format: 'qcow2' }) : await cloud.make();
    assert.equal((await importing(body, fromWeb(path))).status, 202);
    const [task] = await cloud.tasks(body);
    assert.equal(task.status, 'failure');
    assert.match(task.message, pattern);
    const image = await cloud.image(body);
    assert.equal(image.status, 'queued');
    assert.equal(image.size, null);
    assert.equal(image.os_glance_importing_to_stores, '');
    assert.equal(image.os_glance_failed_import, 'file');
    assert.equal('os_glance_import_task' in image, false);
    assert.equal('stores' in image, false);
    await cloud.json('member', 'DELETE', `/v2/images/${body}`);
  }
  assert.deepEqual(cloud.files(), []);
  await cloud.json('member', 'DELETE', `/v2/images/${id}`);
});

test('an image under import can be deleted: the work ends and leaves nothing', async () => {
  const id = await cloud.make();
  await importing(id, fromWeb('/slow'));
  while (!cloud.files().some((f) => f.startsWith('.staging'))) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await cloud.image(id)).status, 'importing');
  assert.equal((await importing(id, fromWeb('/image'))).status, 409, 'a second import');
  await cloud.json('member', 'DELETE', `/v2/images/${id}`);
  await cloud.world.sagas.idle();
  assert.deepEqual(cloud.files(), []);
  assert.equal(await cloud.status('member', 'GET', `/v2/images/${id}`), 404);
});

test('several stores: all of them, some, one after another, and away again', async () => {
  const id = await cloud.make();
  await cloud.json('member', 'PUT', `/v2/images/${id}/stage`, data, OCTETS);
  assert.equal((await importing(id, { ...direct, stores: ['nowhere'] })).status, 409);
  assert.equal((await importing(id, { ...direct, stores: ['web'] })).status, 409, 'a read-only store');
  assert.equal((await importing(id, { ...direct, all_stores: true, stores: ['file'] })).status, 400);
  assert.equal((await importing(id, { ...direct, all_stores: 'yes' })).status, 400);
  assert.equal((await importing(id, { ...direct, stores: ['file'] }, 'member', { 'x-image-meta-store': 'file' })).status, 400);
  assert.equal((await importing(id, { ...direct, all_stores: true })).status, 202);
  await cloud.tasks(id);
  assert.equal((await cloud.image(id)).stores, 'file,reserve');
  assert.equal(await cloud.status('member', 'DELETE', `/v2/stores/file/${id}`), 403, 'for admins alone');
  assert.equal(await cloud.status('admin', 'DELETE', `/v2/stores/nowhere/${id}`), 409);
  assert.equal(await cloud.status('admin', 'DELETE', `/v2/stores/file/${id}`), 204);
  assert.equal((await cloud.image(id)).stores, 'reserve');
  assert.equal(await cloud.status('admin', 'DELETE', `/v2/stores/file/${id}`), 403, 'the only one left');
  assert.deepEqual((await cloud.download(id)).data, data, 'read from the other store');
  const copy = (body: object = {}) => importing(id, { method: { name: 'copy-image' }, ...body }, 'admin');
  assert.equal((await importing(id, { method: { name: 'copy-image' } })).status, 403, 'copying is for admins');
  assert.equal((await copy({ stores: ['reserve'] })).status, 400, 'it is there already');
  assert.equal((await copy({ all_stores: true, all_stores_must_succeed: false })).status, 202);
  const tasks = await cloud.tasks(id);
  const admins = (await cloud.json('admin', 'GET', `/v2/images/${id}/tasks`)).tasks;
  assert.deepEqual([tasks.length, admins.map((t: { status: string }) => t.status)], [1, ['success', 'success']], "an admin's task is not its owner's to see");
  const image = await cloud.image(id);
  assert.equal(image.stores, 'reserve,file');
  assert.equal(image.os_glance_importing_to_stores, '');
  assert.equal(image.os_glance_failed_import, '');
  assert.equal((await copy({ all_stores: true })).status, 202, 'everywhere already: nothing is done');
  await cloud.world.sagas.idle();
  assert.equal((await cloud.json('admin', 'GET', `/v2/images/${id}/tasks`)).tasks.length, 2);
  await cloud.json('member', 'DELETE', `/v2/images/${id}`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(cloud.files(), []);
});

test('uploads choose a store by header', async () => {
  const id = await cloud.upload(data, {}, { 'x-image-meta-store': 'reserve' });
  assert.equal((await cloud.image(id)).stores, 'reserve');
  const other = await cloud.make();
  assert.equal(await cloud.status('member', 'PUT', `/v2/images/${other}/file`, data, { ...OCTETS, 'x-image-meta-store': 'nowhere' }), 400);
  assert.equal(await cloud.status('member', 'PUT', `/v2/images/${other}/file`, data, { ...OCTETS, 'x-image-meta-store': 'web' }), 410);
  assert.equal((await cloud.image(other)).status, 'queued');
  for (const image of [id, other]) await cloud.json('member', 'DELETE', `/v2/images/${image}`);
});

test('bad requests are told what is wrong with them', async () => {
  const id = await cloud.make();
  for (const [body, status, pattern] of [
    [undefined, 400, /Body expected/],
    [{}, 400, /method.+ field/],
    [{ method: {} }, 400, /name.+ field/],
    [{ method: { name: 'teleport' } }, 400, /Unknown import method name/],
    [direct, 409, /staged before/],
    [{ method: { name: 'copy-image' } }, 409, /status active/],
    [{ method: { name: 'glance-download' } }, 400, /glance_region/],
    [{ method: { name: 'glance-download', glance_region: 'x', glance_image_id: 'foo' } }, 400, /does not look like a UUID/],
    [{ ...fromWeb('/image'), all_stores_must_succeed: 1 }, 400, /boolean/],
  ] as const) {
    const answer = await importing(id, body as object);
    assert.equal(answer.status, status, JSON.stringify(body));
    assert.match(JSON.stringify(answer.body), pattern);
  }
  const bare = await cloud.make({ disk_format: null });
  assert.match(JSON.stringify((await importing(bare, fromWeb('/image'))).body), /disk_format.+ needs to be set/);
  assert.equal((await importing(id, fromWeb('/image'), 'other')).status, 404);
  const open = await cloud.make({ visibility: 'community' });
  assert.equal((await importing(open, fromWeb('/image'), 'other')).status, 403, 'seen, and not theirs');
});

test('what there is to import by and to is told', async () => {
  assert.deepEqual((await cloud.json('member', 'GET', '/v2/info/import'))['import-methods'].value, [
    'glance-direct',
    'web-download',
    'copy-image',
    'glance-download',
  ]);
  const { stores } = await cloud.json('member', 'GET', '/v2/info/stores');
  assert.deepEqual(
    stores.map((s: { id: string }) => s.id),
    ['file', 'reserve', 'web'],
  );
  assert.equal(stores[0].default, 'true');
  assert.equal(stores[2]['read-only'], 'true');
  assert.equal('type' in stores[0], false);
  assert.equal(await cloud.status('member', 'GET', '/v2/info/stores/detail'), 403);
  const detail = (await cloud.json('service', 'GET', '/v2/info/stores/detail')).stores;
  assert.equal(detail[0].type, 'file');
  assert.equal(detail[0].properties.data_dir, cloud.folder);
  const created = await cloud.call('member', 'POST', '/image/v2/images', { name: 'x' });
  assert.equal(created.headers.get('openstack-image-store-ids'), 'file,reserve,web');
  assert.equal(created.headers.get('openstack-image-import-methods'), 'glance-direct,web-download,copy-image,glance-download');
});

test('packed and foreign formats: unpacked within limits, converted, and judged', async (t) => {
  const inner = Buffer.concat([Buffer.from('a disk'), Buffer.alloc(2_000_000, 7)]);
  const second = await Cloud.start({ ports: [], import: { decompress: true, convertTo: 'raw', maxUnpackedBytes: 4_000_000 } });
  t.after(() => second.close());
  const bring = async (bytes: Buffer, body: object = {}) => {
    const id = await second.make(body);
    await second.json('member', 'PUT', `/v2/images/${id}/stage`, bytes, OCTETS);
    await second.json('member', 'POST', `/v2/images/${id}/import`, direct);
    const [task] = await second.tasks(id);
    return { task, id, image: await second.image(id) };
  };
  const zipped = await bring(gzipSync(inner));
  assert.equal(zipped.task.status, 'success', zipped.task.message);
  assert.equal(zipped.image.size, inner.length);
  assert.equal(zipped.image.os_hash_value, createHash('sha512').update(inner).digest('hex'));
  assert.deepEqual((await second.download(zipped.id)).data, inner);
  const asIs = await bring(gzipSync(inner), { container_format: 'compressed' });
  assert.equal(asIs.image.size, gzipSync(inner).length, 'a compressed container stays packed');
  const bomb = await bring(gzipSync(Buffer.alloc(8_000_000)));
  assert.equal(bomb.task.status, 'failure');
  assert.match(bomb.task.message, /larger than the limit/);
  const broken = await bring(gzipSync(inner).subarray(0, 1000));
  assert.equal(broken.task.status, 'failure');
  assert.equal(broken.image.status, 'queued');
  const converted = await bring(qcow2({}), { disk_format: 'qcow2' });
  assert.equal(converted.task.status, 'success', converted.task.message);
  assert.equal(converted.image.disk_format, 'raw');
  assert.equal(converted.image.size, converted.image.virtual_size);
  const refused = await bring(hostile, { disk_format: 'qcow2' });
  assert.equal(refused.task.status, 'failure');
  const lie = await bring(qcow2({}), { disk_format: 'vmdk' });
  assert.equal(lie.task.status, 'failure');
  assert.equal(lie.image.disk_format, 'vmdk');
  for (const { id } of [zipped, asIs, bomb, broken, converted, refused, lie]) await second.json('member', 'DELETE', `/v2/images/${id}`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(second.files(), []);
});
