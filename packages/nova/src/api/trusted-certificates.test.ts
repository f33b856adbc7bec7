import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, IMAGE, member, TestCloud } from '../testing/cloud.ts';

const SIGNED = '55555555-5555-4555-8555-555555555555';
const BAD = '66666666-6666-4666-8666-666666666666';
const [MINE, OTHER] = ['cccccccc-cccc-4ccc-8ccc-ccccccccccc1', 'cccccccc-cccc-4ccc-8ccc-ccccccccccc2'];

const addImages = async (cloud: TestCloud): Promise<void> => {
  await cloud.glance.addImage({ id: SIGNED, properties: { img_signature: 'good', img_signature_certificate_uuid: MINE } });
  await cloud.glance.addImage({ id: BAD, properties: { img_signature: 'bad', img_signature_certificate_uuid: MINE } });
};
let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open({ hosts: [{ name: 'h1' }] });
  await addImages(cloud);
});
after(() => cloud.close());

const post = async (body: object, version = '2.63', on = cloud) =>
  await on.request(member(), 'POST', '/servers', { server: { name: 's', flavorRef: '1', networks: 'none', ...body } }, version);
const made = async (body: object, on = cloud): Promise<string> => {
  const answer = await post(body, '2.63', on);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  await on.settle();
  return answer.body.server.id as string;
};
const show = async (id: string, version = '2.63', on = cloud) => (await on.request(admin(), 'GET', `/servers/${id}`, undefined, version)).body.server;
const act = async (id: string, action: object, version = '2.63') => {
  const answer = await cloud.request(member(), 'POST', `/servers/${id}/action`, action, version);
  await cloud.settle();
  return answer;
};

test('certificates are stored and shown from 2.63 on, and the image is checked against them', async () => {
  const id = await made({ imageRef: SIGNED, trusted_image_certificates: [MINE, OTHER] });
  const server = await show(id);
  assert.deepEqual([server.status, server.trusted_image_certificates], ['ACTIVE', [MINE, OTHER]]);
  assert.equal('trusted_image_certificates' in (await show(id, '2.62')), false);
  const { servers } = (await cloud.request(member(), 'GET', '/servers/detail', undefined, '2.63')).body;
  assert.deepEqual(servers.find((one: { id: string }) => one.id === id).trusted_image_certificates, [MINE, OTHER]);

  const rebuilt = await act(id, { rebuild: { imageRef: SIGNED, trusted_image_certificates: [MINE] } });
  assert.deepEqual([rebuilt.status, rebuilt.body.server.trusted_image_certificates], [202, [MINE]]);
  await act(id, { rebuild: { imageRef: SIGNED } });
  assert.deepEqual((await show(id)).trusted_image_certificates, [MINE], 'nothing said: they stay');
  await act(id, { rebuild: { imageRef: IMAGE, trusted_image_certificates: null } });
  assert.deepEqual([(await show(id)).status, (await show(id)).trusted_image_certificates], ['ACTIVE', null]);
});

test('a server is not made of an image that its certificates do not vouch for', async () => {
  for (const [imageRef, trusted, words] of [
    [IMAGE, MINE, /Signature verification failed/],
    [BAD, MINE, /Signature verification failed/],
    [SIGNED, OTHER, /certificate validation failed/],
  ] as const) {
    const server = await show(await made({ imageRef, trusted_image_certificates: [trusted] }));
    assert.equal(server.status, 'ERROR');
    assert.match(server.fault.message, words);
  }
  const kept = await made({ imageRef: IMAGE });
  await act(kept, { rebuild: { imageRef: BAD, trusted_image_certificates: [MINE] } });
  assert.equal((await show(kept)).status, 'ERROR');
  assert.equal((await show(await made({ imageRef: BAD }))).status, 'ACTIVE', 'who trusts nobody gets no check');
});

test('what is refused', async () => {
  const bad = [[], [MINE, MINE], [''], [7], Array.from({ length: 51 }, (_, at) => `c${at}`), 'text'];
  for (const certificates of bad) assert.equal((await post({ imageRef: IMAGE, trusted_image_certificates: certificates })).status, 400);
  assert.equal((await post({ imageRef: IMAGE, trusted_image_certificates: [MINE] }, '2.62')).status, 400);
  const onVolume = {
    block_device_mapping_v2: [{ source_type: 'image', destination_type: 'volume', uuid: SIGNED, boot_index: 0, volume_size: 1 }],
  };
  const refused = await post({ ...onVolume, trusted_image_certificates: [MINE] });
  assert.deepEqual([refused.status, refused.body.badRequest?.message], [400, 'Image certificate validation is not supported when booting from volume']);
  const id = await made(onVolume);
  const rebuild = await act(id, { rebuild: { imageRef: SIGNED, trusted_image_certificates: [MINE] } });
  assert.deepEqual([rebuild.status, rebuild.body.badRequest?.message], [400, 'Image certificate validation is not supported for volume-backed servers.']);
});

test("the operator's certificates are those of servers that name none, and unsigned images start nowhere", async () => {
  const strict = await TestCloud.open({ hosts: [{ name: 'h1' }], options: { imageSignatures: { verify: true, validate: true, trusted: [MINE] } } });
  try {
    await addImages(strict);
    const server = await show(await made({ imageRef: SIGNED }, strict), '2.63', strict);
    assert.deepEqual([server.status, server.trusted_image_certificates], ['ACTIVE', [MINE]]);
    assert.equal((await show(await made({ imageRef: BAD }, strict), '2.63', strict)).status, 'ERROR');
  } finally {
    await strict.close();
  }
  const demanding = await TestCloud.open({ hosts: [{ name: 'h1' }], options: { imageSignatures: { verify: true, validate: true, trusted: [] } } });
  try {
    await addImages(demanding);
    const server = await show(await made({ imageRef: SIGNED }, demanding), '2.63', demanding);
    assert.match(server.fault.message, /no trusted certificate IDs were provided/);
    assert.equal((await show(await made({ imageRef: SIGNED, trusted_image_certificates: [MINE] }, demanding), '2.63', demanding)).status, 'ACTIVE');
  } finally {
    await demanding.close();
  }
});
