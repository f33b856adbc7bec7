import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Cloud, OCTETS, PATCH, webServer } from './cloud.fixture.ts';

const data = randomBytes(100_000);
const sha256 = createHash('sha256').update(data).digest('hex');
const sha512 = createHash('sha512').update(data).digest('hex');
const md5 = createHash('md5').update(data).digest('hex');
let changed = Buffer.from(data);
let web: Awaited<ReturnType<typeof webServer>>;
let cloud: Cloud;
let hidden: Cloud;
before(async () => {
  web = await webServer((request, response) => {
    const path = (request.url ?? '').split('?')[0];
    if (path === '/ranges' && request.headers.range) {
      const [, start = '', end = ''] = /bytes=(\d+)-(\d+)/.exec(request.headers.range) ?? [];
      response.writeHead(206, { 'content-length': Number(end) - Number(start) + 1 }).end(data.subarray(Number(start), Number(end) + 1));
    } else if (path === '/image' || path === '/ranges')
      response.writeHead(200, { 'content-length': data.length }).end(request.method === 'HEAD' ? undefined : data);
    else if (path === '/nohead' && request.method === 'HEAD') response.writeHead(405).end();
    else if (path === '/nohead') response.writeHead(200, { 'content-length': data.length }).end(data);
    else if (path === '/changing') response.writeHead(200, { 'content-length': changed.length }).end(request.method === 'HEAD' ? undefined : changed);
    else if (path === '/inside') response.writeHead(302, { location: 'http://127.0.0.2:1/' }).end();
    else response.writeHead(404).end();
  });
  cloud = await Cloud.start({ ports: [web.port], showLocations: true, showDirectUrl: true });
  hidden = await Cloud.start({ ports: [web.port] });
});
after(async () => {
  await cloud.close();
  await hidden.close();
  web.close();
});
const patch = (id: string, changes: object[], who = 'member', on = cloud) => on.call(who, 'PATCH', `/image/v2/images/${id}`, JSON.stringify(changes), PATCH);
const add = (id: string, url: string, metadata: object = {}, more: object = {}, at = '-') =>
  patch(id, [{ op: 'add', path: `/locations/${at}`, value: { url, metadata, ...more } }]);

test('a location makes a queued image active, and its data is read from there', async () => {
  const id = await cloud.make();
  assert.deepEqual((await cloud.image(id)).locations, []);
  const answer = await add(id, `${web.url}/image`, { foo: 'bar' });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const image = await cloud.image(id);
  assert.equal(image.status, 'active');
  assert.equal(image.size, data.length);
  assert.equal(image.os_hash_value, null, 'nobody has read it');
  assert.deepEqual(image.locations, [{ url: `${web.url}/image`, metadata: { foo: 'bar', store: 'web' } }]);
  assert.equal(image.direct_url, `${web.url}/image`);
  assert.equal(image.stores, 'web');
  assert.deepEqual((await cloud.download(id)).data, data);
  const part = await cloud.download(id, { range: 'bytes=10-19' });
  assert.equal(part.status, 206);
  assert.deepEqual(part.data, data.subarray(10, 20), 'also where the server knows no ranges');
  assert.equal((await add(id, `${web.url}/ranges`, {}, {}, '0')).status, 200);
  assert.deepEqual((await cloud.download(id, { range: 'bytes=-5' })).data, data.subarray(-5));
  assert.equal((await cloud.image(id)).locations[0].url, `${web.url}/ranges`);
  const { images } = (await cloud.call('member', 'GET', `/image/v2/images?id=${id}`)).body;
  assert.equal(JSON.stringify(images), JSON.stringify([await cloud.image(id)]), 'a list shows the same');
  const source = await cloud.glance.face.source(cloud.world.env.store.read, id);
  assert.deepEqual(source, { imageId: id, format: 'raw', sizeBytes: data.length }, 'a host has to ask for the data');
  const chunks: Buffer[] = [];
  for await (const chunk of await cloud.glance.face.open(id)) chunks.push(chunk as Buffer);
  assert.ok(Buffer.concat(chunks).equals(data));
  assert.equal((await add(id, `${web.url}/image`, { foo: 'bar' })).status, 400, 'twice the same');
  assert.equal((await add(id, `${web.url}/image#other`, {}, {}, 'x')).status, 400, 'no position');
});

test('a server that gives more or less than it said does not reach into the next answer', async () => {
  const id = await cloud.make();
  assert.equal((await add(id, `${web.url}/changing`)).status, 200);
  const whole = changed;
  for (changed of [Buffer.concat([whole, Buffer.from('HTTP/1.1 200 OK\r\n\r\n')]), whole.subarray(0, 10)]) await assert.rejects(cloud.download(id));
  assert.deepEqual(
    (await cloud.json('admin', 'GET', '/v2/cache')).cached_images.filter((c: { image_id: string }) => c.image_id === id),
    [],
    'nor into the cache',
  );
  changed = whole;
  assert.deepEqual((await cloud.download(id)).data, whole);
});

test('locations are replaced with themselves alone, and the last one stays', async () => {
  const id = await cloud.make();
  assert.equal((await patch(id, [{ op: 'replace', path: '/locations', value: [] }])).status, 403);
  await add(id, `${web.url}/image`, { a: '1' });
  await add(id, `${web.url}/image#new`, { b: '2' });
  const { locations } = await cloud.image(id);
  locations[0].metadata.date = '2015-10-15';
  assert.equal((await patch(id, [{ op: 'replace', path: '/locations', value: locations }])).status, 200);
  assert.deepEqual((await cloud.image(id)).locations, locations);
  assert.equal((await patch(id, [{ op: 'replace', path: '/locations', value: [locations[0]] }])).status, 400);
  assert.equal((await patch(id, [{ op: 'replace', path: '/locations', value: [locations[0], { url: `${web.url}/image#3`, metadata: {} }] }])).status, 400);
  assert.equal((await patch(id, [{ op: 'remove', path: '/locations/0' }])).status, 403, 'admins remove');
  assert.equal((await patch(id, [{ op: 'remove', path: '/locations/7' }], 'admin')).status, 400);
  assert.equal((await patch(id, [{ op: 'remove', path: '/locations/0' }], 'admin')).status, 200);
  assert.deepEqual((await cloud.image(id)).locations, [locations[1]]);
  assert.equal((await patch(id, [{ op: 'remove', path: '/locations/0' }], 'admin')).status, 403);
});

test('hashes that come along are kept once, and never changed', async () => {
  const id = await cloud.make();
  const said = { checksum: '1'.repeat(32), os_hash_algo: 'sha512', os_hash_value: 'deadbeef'.repeat(16) };
  assert.equal((await add(id, `${web.url}/image`, {}, { validation_data: { ...said, os_hash_algo: 'sha256' } })).status, 409);
  assert.equal((await add(id, `${web.url}/image`, {}, { validation_data: { ...said, os_hash_value: 'zz' } })).status, 409);
  assert.equal((await add(id, `${web.url}/image`, {}, { validation_data: said })).status, 200);
  const image = await cloud.image(id);
  assert.deepEqual([image.checksum, image.os_hash_algo, image.os_hash_value], [said.checksum, said.os_hash_algo, said.os_hash_value]);
  assert.equal('validation_data' in image.locations[0], false);
  assert.equal((await add(id, `${web.url}/image#2`, {}, { validation_data: said })).status, 200, 'the same again');
  assert.equal((await add(id, `${web.url}/image#3`, {}, { validation_data: { ...said, checksum: '2'.repeat(32) } })).status, 409);
  assert.equal((await cloud.image(id)).locations.length, 2);
});

test('nothing but web servers that may be reached can be a location', async () => {
  const id = await cloud.make();
  const { got } = web;
  const before = got.length;
  for (const url of [
    'file:///etc/passwd',
    'file:///var/lib/cairn/secrets.json',
    'filesystem:///etc/passwd',
    'swift+config://a/b',
    'gopher://info.cern.ch',
    'cinder://volume',
    'http://127.0.0.2:1/',
    'http://169.254.169.254/',
    'http://[::1]:1/',
    `http://user@127.0.0.1:${web.port}/image`,
    '',
    'x',
  ])
    assert.equal((await add(id, url)).status, 400, url);
  assert.equal(got.length, before);
  assert.equal((await add(id, `${web.url}/inside`)).status, 400, 'a redirect leads elsewhere');
  assert.equal((await add(id, `${web.url}/missing`)).status, 400);
  assert.equal((await add(id, `${web.url}/nohead`)).status, 200, 'a server that knows no HEAD');
  assert.equal((await patch(id, [{ op: 'add', path: '/locations', value: {} }])).status, 400);
  assert.equal((await patch(id, [{ op: 'add', path: '/locations/-', value: { url: 5, metadata: {} } }])).status, 400);
  assert.equal((await patch(id, [{ op: 'add', path: '/locations/-', value: { url: `${web.url}/image` } }])).status, 400);
  assert.equal((await patch(id, [{ op: 'replace', path: '/locations/0', value: [] }])).status, 400);
});

test('strangers change no locations, and make the cloud fetch nothing', async () => {
  const mine = await cloud.make();
  const open = await cloud.make({ visibility: 'community' });
  const before = web.got.length;
  const change = [{ op: 'add', path: '/locations/-', value: { url: `${web.url}/image`, metadata: {} } }];
  assert.equal((await patch(mine, change, 'other')).status, 404);
  assert.equal((await patch(open, change, 'other')).status, 403);
  assert.equal(await cloud.status('other', 'POST', `/v2/images/${mine}/locations`, { url: `${web.url}/image` }), 404);
  assert.equal(await cloud.status('other', 'POST', `/v2/images/${open}/locations`, { url: `${web.url}/image` }), 403);
  assert.equal(web.got.length, before);
});

test('where locations are hidden they are neither shown nor changed', async () => {
  const id = await hidden.make();
  const image = await hidden.image(id);
  assert.equal('locations' in image || 'direct_url' in image, false);
  for (const change of [
    { op: 'add', path: '/locations/-', value: { url: `${web.url}/image`, metadata: {} } },
    { op: 'replace', path: '/locations', value: [{ url: `${web.url}/image`, metadata: {} }] },
  ])
    assert.equal((await patch(id, [change], 'member', hidden)).status, 403);
  assert.equal((await patch(id, [{ op: 'remove', path: '/locations/0' }], 'admin', hidden)).status, 403);
});

test('a location by POST: checked in the background, hashed, and listed for services', async () => {
  for (const on of [cloud, hidden]) {
    const post = (id: string, body: object, who = 'member') => on.call(who, 'POST', `/image/v2/images/${id}/locations`, body, { accept: 'application/json' });
    const good = await on.make();
    for (const validation_data of [
      { os_hash_algo: 'sha512', os_hash_value: 'dbc9e0f8' },
      { os_hash_value: sha512 },
      { os_hash_algo: 'sha123', os_hash_value: sha512 },
      { os_hash_algo: 'sha512', os_hash_value: sha256 },
      { os_hash_algo: 'sha512', os_hash_value: 'x'.repeat(128) },
      { os_hash_algo: 'sha512', os_hash_value: sha512, checksum: md5 },
    ])
      assert.equal((await post(good, { url: `${web.url}/image`, validation_data })).status, 400, JSON.stringify(validation_data));
    assert.equal((await post(good, {})).status, 400);
    assert.equal((await post(good, { url: 'file:///etc/passwd' })).status, 403);
    assert.equal((await post(good, { url: `${web.url}/image`, validation_data: { os_hash_algo: 'sha256', os_hash_value: sha256 } })).status, 202);
    const [task] = await on.tasks(good);
    assert.equal(task.status, 'success', task.message);
    assert.equal(task.type, 'location_import');
    const image = await on.image(good);
    assert.deepEqual([image.status, image.os_hash_algo, image.os_hash_value, image.checksum, image.stores], ['active', 'sha256', sha256, md5, 'web']);
    assert.equal((await post(good, { url: `${web.url}/image` })).status, 409, 'not queued any more');

    const wrong = await on.make();
    assert.equal(
      (await post(wrong, { url: `${web.url}/image`, validation_data: { os_hash_algo: 'sha512', os_hash_value: 'beefdead'.repeat(16) } })).status,
      202,
    );
    assert.equal((await on.tasks(wrong))[0].status, 'failure');
    const bad = await on.image(wrong);
    assert.deepEqual([bad.status, bad.os_hash_algo, bad.os_hash_value, bad.checksum, bad.stores], ['queued', null, null, null, 'web']);
    assert.equal((await on.download(wrong)).status, 204, 'what failed its check is not given out');
    await on.json('member', 'PUT', `/v2/images/${wrong}/file`, Buffer.from('other'), OCTETS);
    assert.equal((await on.download(wrong)).data.toString(), 'other', 'and does not stand before later data');

    const plain = await on.make();
    assert.equal((await post(plain, { url: `${web.url}/image` })).status, 202);
    await on.tasks(plain);
    const hashed = await on.image(plain);
    assert.deepEqual([hashed.status, hashed.os_hash_algo, hashed.os_hash_value, hashed.checksum], ['active', 'sha512', sha512, md5]);

    const away = await on.make();
    assert.equal((await post(away, { url: `${web.url}/inside` })).status, 202);
    assert.equal((await on.tasks(away))[0].status, 'failure');
    assert.equal((await on.image(away)).status, 'queued');

    assert.equal(await on.status('member', 'GET', `/v2/images/${good}/locations`), 403);
    assert.deepEqual(await on.json('admin', 'GET', `/v2/images/${good}/locations`), [{ url: `${web.url}/image`, metadata: { store: 'web' } }]);
    assert.equal(await on.status('service', 'GET', `/v2/images/${good}/locations`), 404, 'an image that the service does not see');
  }
});
