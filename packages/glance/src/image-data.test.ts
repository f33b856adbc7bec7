import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { Cloud, OCTETS, webServer } from './cloud.fixture.ts';

let cloud: Cloud;
let web: Awaited<ReturnType<typeof webServer>>;
const remote = randomBytes(50_000);
before(async () => {
  web = await webServer((request_, response) =>
    response.writeHead(200, { 'content-length': remote.length }).end(request_.method === 'HEAD' ? undefined : remote),
  );
  cloud = await Cloud.start({ ports: [web.port], cacheMaxBytes: 120_000 });
});
after(async () => {
  await cloud.close();
  web.close();
});
const cacheState = () => cloud.json('admin', 'GET', '/v2/cache');
const until = async (done: () => Promise<boolean>): Promise<void> => {
  for (let i = 0; i < 200 && !(await done()); i++) await new Promise((resolve) => setTimeout(resolve, 10));
};

test('parts of an image, as upstream reads ranges', async () => {
  const data = randomBytes(10);
  const id = await cloud.upload(data);
  const whole = await cloud.download(id);
  assert.equal(whole.status, 200);
  assert.equal(whole.headers.get('content-length'), '10');
  assert.equal(whole.headers.get('content-type'), 'application/octet-stream');
  assert.equal(whole.headers.get('content-md5'), (await cloud.image(id)).checksum);
  for (const [range, start, end] of [
    ['bytes=0-4', 0, 4],
    ['bytes=4-', 4, 9],
    ['bytes=-3', 7, 9],
    ['bytes=-30', 0, 9],
    ['bytes=8-40', 8, 9],
    ['bytes = 2 - 3', 2, 3],
  ] as const) {
    const part = await cloud.download(id, { range });
    assert.equal(part.status, 206, range);
    assert.equal(part.headers.get('content-range'), `bytes ${start}-${end}/10`, range);
    assert.equal(part.headers.get('content-length'), String(end - start + 1));
    assert.equal(part.headers.get('content-md5'), whole.headers.get('content-md5'));
    assert.deepEqual(part.data, data.subarray(start, end + 1), range);
  }
  for (const range of ['bytes=10-', 'bytes=5-2', 'bytes=-', 'bytes=-0', 'lines=1-2', 'x'])
    assert.equal((await cloud.download(id, { range })).status, 416, range);
  assert.equal((await cloud.download(id, { range: 'bytes=0-1,3-4' })).status, 400);
  const older = await cloud.download(id, { 'content-range': 'bytes 1-4/*' });
  assert.equal(older.status, 206);
  assert.deepEqual(older.data, data.subarray(1, 5));
  assert.equal((await cloud.download(id, { 'content-range': 'bytes 1-10/*' })).status, 416);
  assert.equal((await cloud.download(id, {}, '?prefer=reserve,file')).status, 200);
  assert.equal((await cloud.download(id, {}, '?prefer=nowhere')).status, 400);
});

test('data that is refused, cut off or of the wrong kind leaves the image queued and nothing stored', async () => {
  const earlier = cloud.files();
  const id = await cloud.make();
  assert.equal(await cloud.status('member', 'PUT', `/v2/images/${id}/file`, Buffer.from('x'), { 'content-type': 'text/plain' }), 415);
  assert.equal(await cloud.status('member', 'PUT', `/v2/images/${id}/stage`, Buffer.from('x'), { 'content-type': 'text/plain' }), 415);
  assert.equal(await cloud.status('member', 'PUT', `/v2/images/${id}/file`, Buffer.from('x'), { ...OCTETS, 'x-openstack-image-size': 'many' }), 400);
  for (const kind of ['file', 'stage']) {
    await new Promise<void>((resolve) => {
      const sent = request(`${cloud.front.url}/image/v2/images/${id}/${kind}`, {
        method: 'PUT',
        headers: { 'x-auth-token': 'member', ...OCTETS, 'content-length': 3_000_000 },
      });
      sent.on('error', () => resolve());
      sent.write(Buffer.alloc(2_000_000));
      setTimeout(() => sent.destroy(), 50);
      setTimeout(resolve, 100);
    });
    await until(async () => (await cloud.image(id)).status === 'queued');
    const image = await cloud.image(id);
    assert.deepEqual([image.status, image.size], ['queued', null], kind);
  }
  assert.deepEqual(cloud.files(), earlier);
  await cloud.json('member', 'PUT', `/v2/images/${id}/file`, Buffer.from('whole'), OCTETS);
  assert.equal((await cloud.download(id)).data.toString(), 'whole');
});

test('data that is too long is refused with an answer, also when more of it is on its way', async (t) => {
  const small = await Cloud.start({ imageSizeCapBytes: 1_000_000 });
  t.after(() => small.close());
  for (const kind of ['file', 'stage']) {
    const id = await small.make();
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(
        `${small.front.url}/image/v2/images/${id}/${kind}`,
        { method: 'PUT', headers: { 'x-auth-token': 'member', ...OCTETS, 'content-length': 50_000_000 } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.on('error', reject);
      sent.write(Buffer.alloc(1_500_000));
    });
    assert.equal(answer, 413, kind);
    assert.equal((await small.image(id)).status, 'queued');
  }
  assert.deepEqual(small.files(), []);
});

test('a deactivated image is read by admins alone, until it is active again', async () => {
  const id = await cloud.upload(Buffer.from('data'));
  const act = (what: string, who = 'member') => cloud.status(who, 'POST', `/v2/images/${id}/actions/${what}`);
  assert.equal(await act('deactivate', 'other'), 404);
  assert.equal(await act('deactivate'), 204);
  assert.equal(await act('deactivate'), 204, 'twice is once');
  assert.equal((await cloud.image(id)).status, 'deactivated');
  assert.equal((await cloud.download(id)).status, 403);
  assert.equal((await fetch(`${cloud.front.url}/image/v2/images/${id}/file`, { headers: { 'x-auth-token': 'admin' } })).status, 200);
  assert.equal(await act('reactivate'), 204);
  assert.equal((await cloud.download(id)).status, 200);
  const queued = await cloud.make();
  assert.equal(await cloud.status('member', 'POST', `/v2/images/${queued}/actions/deactivate`), 403);
});

test('the cache: asked for, filled by reading from afar, pruned by age, emptied', async () => {
  assert.equal(await cloud.status('member', 'GET', '/v2/cache'), 403);
  const local = await cloud.upload(randomBytes(40_000));
  assert.equal(await cloud.status('admin', 'PUT', '/v2/cache/nothing-there'), 404);
  assert.equal(await cloud.status('admin', 'PUT', `/v2/cache/${await cloud.make()}`), 400);
  assert.equal(await cloud.status('admin', 'PUT', `/v2/cache/${local}`), 202);
  await until(async () => (await cacheState()).cached_images.length === 1);
  const [entry] = (await cacheState()).cached_images;
  assert.deepEqual([entry.image_id, entry.size, entry.hits], [local, 40_000, 0]);
  const size = (await cloud.image(local)).size;
  assert.equal((await cloud.download(local)).data.length, size);
  assert.equal((await cacheState()).cached_images[0].hits, 1);

  const far = await cloud.make();
  await cloud.json('member', 'POST', `/v2/images/${far}/locations`, { url: `${web.url}/a` });
  await cloud.tasks(far);
  const earlier = web.got.length;
  assert.deepEqual((await cloud.download(far)).data, remote);
  assert.equal(web.got.length, earlier + 1);
  await until(async () => (await cacheState()).cached_images.length === 2);
  assert.deepEqual((await cloud.download(far)).data, remote);
  assert.deepEqual((await cloud.download(far, { range: 'bytes=5-9' })).data, remote.subarray(5, 10));
  assert.equal(web.got.length, earlier + 1, 'from the cache');

  const third = await cloud.make();
  await cloud.json('member', 'POST', `/v2/images/${third}/locations`, { url: `${web.url}/b` });
  await cloud.tasks(third);
  await cloud.download(third);
  await until(async () => !(await cacheState()).cached_images.some((c: { image_id: string }) => c.image_id === local));
  assert.deepEqual(
    (await cacheState()).cached_images.map((c: { image_id: string }) => c.image_id).toSorted(),
    [far, third].toSorted(),
    'what was read longest ago went',
  );

  await cloud.json('member', 'DELETE', `/v2/images/${third}`);
  assert.equal((await cacheState()).cached_images.length, 1, 'a deleted image is cached no more');
  assert.equal(await cloud.status('admin', 'DELETE', `/v2/cache/${far}`), 204);
  assert.equal(await cloud.status('admin', 'DELETE', '/v2/cache/nothing-there'), 404);
  // an id that leads elsewhere is no image's, whatever lies there
  for (const id of ['..%2Fvictim', 'x'.repeat(400)]) assert.equal(await cloud.status('admin', 'DELETE', `/v2/cache/${id}`), 404);
  assert.equal(await cloud.status('admin', 'DELETE', '/v2/cache', undefined, { 'x-image-cache-clear-target': 'all' }), 400);
  assert.equal(await cloud.status('admin', 'DELETE', '/v2/cache'), 204);
  assert.deepEqual(await cacheState(), { cached_images: [], queued_images: [] });
  assert.equal(await cloud.status('admin', 'POST', '/v2/cache/clean'), 200);
  assert.deepEqual(await cloud.json('admin', 'POST', '/v2/cache/prune'), { total_files_pruned: 0, total_bytes_pruned: 0 });
  assert.equal(await cloud.status('admin', 'GET', `/v2/cache/nodes/${far}`), 409);
  await until(async () => !cloud.files().some((f) => f.startsWith('.cache')));
  assert.equal(
    cloud.files().some((f) => f.startsWith('.cache')),
    false,
  );
});
