import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud, OCTETS, PATCH } from './cloud.fixture.ts';
import { PropertyProtection } from './app/property-protection.ts';
import { defaultGlanceOptions } from './options.ts';

const JSON_ONLY = { accept: 'application/json' };
const MIB = 2 ** 20;
const post = (cloud: Cloud, body: object, who = 'member') => cloud.front.call(who, 'POST', '/image/v2/images', body, JSON_ONLY);
const put = (cloud: Cloud, id: string, data: Buffer, path = 'file', who = 'member') =>
  cloud.front.call(who, 'PUT', `/image/v2/images/${id}/${path}`, data, { ...OCTETS, ...JSON_ONLY });
const raw = { disk_format: 'raw', container_format: 'bare' };
const textOf = (body: { message?: string }) => (body.message ?? '').replaceAll('&#x27;', "'");

/** A cloud whose unified limits are `limits`. */
const limited = (limits: Record<string, number>) =>
  Cloud.start({
    quotas: { useKeystoneLimits: true, storageQuotaBytes: 0 },
    outside: { limits: async (_db, _project, names) => new Map(names.flatMap((n) => (limits[n] === undefined ? [] : [[n, limits[n]] as const]))) },
  });

test('unified limits: what is over is 413, and the usage call tells limits and use', async (t) => {
  const limits: Record<string, number> = { image_count_total: 3, image_size_total: 2, image_stage_total: 1, image_count_uploading: 1 };
  const cloud = await limited(limits);
  t.after(() => cloud.close());
  const one = (await post(cloud, { name: 'one', ...raw })).body;
  const two = (await post(cloud, { name: 'two', ...raw })).body;
  const three = (await post(cloud, { name: 'three', ...raw })).body;
  const over = await post(cloud, { name: 'four' });
  assert.equal(over.status, 413);
  assert.match(textOf(over.body), /Resource image_count_total is over limit of 3 due to current usage 3 and delta 1/);
  assert.equal((await put(cloud, one.id, Buffer.alloc(2 * MIB))).status, 204);
  const full = await put(cloud, two.id, Buffer.alloc(MIB));
  assert.equal(full.status, 413);
  assert.equal((await cloud.front.call('member', 'GET', `/image/v2/images/${two.id}`)).body.status, 'queued');
  assert.equal((await put(cloud, three.id, Buffer.alloc(2 * MIB), 'stage')).status, 413);
  assert.equal((await put(cloud, three.id, Buffer.alloc(MIB), 'stage')).status, 204);
  assert.equal((await put(cloud, two.id, Buffer.alloc(100))).status, 413, 'one image is being uploaded already');
  assert.deepEqual((await cloud.front.call('member', 'GET', '/image/v2/info/usage')).body, {
    usage: {
      image_size_total: { usage: 2, limit: 2 },
      image_stage_total: { usage: 1, limit: 1 },
      image_count_total: { usage: 3, limit: 3 },
      image_count_uploading: { usage: 1, limit: 1 },
    },
  });
  assert.equal((await post(cloud, { name: 'theirs' }, 'other')).status, 201, "another project's limits are its own");
  limits.image_count_total = -1;
  assert.equal((await post(cloud, { name: 'four' })).status, 201);
  delete limits.image_count_total;
  assert.equal((await post(cloud, { name: 'five' })).status, 413, 'what is not registered is limited to nothing');
});

test('without unified limits nothing is asked and the usage call is empty', async (t) => {
  const cloud = await Cloud.start();
  t.after(() => cloud.close());
  assert.equal((await post(cloud, { name: 'one' })).status, 201);
  assert.deepEqual((await cloud.front.call('member', 'GET', '/image/v2/info/usage')).body, { usage: {} });
});

test('quota race: uploads and creations at the same time do not get past a limit together', async (t) => {
  const cloud = await limited({ image_count_total: 6, image_size_total: 2, image_stage_total: 10, image_count_uploading: -1 });
  t.after(() => cloud.close());
  const made = await Promise.all(Array.from({ length: 12 }, () => post(cloud, raw)));
  const ids = made.filter((answer) => answer.status === 201).map((answer) => answer.body.id as string);
  assert.equal(ids.length, 6);
  const put2 = await Promise.all(ids.map((id) => put(cloud, id, Buffer.alloc(MIB))));
  assert.equal(put2.filter((answer) => answer.status === 204).length, 2, put2.map((a) => a.status).join());
  assert.ok(put2.every((answer) => answer.status === 204 || answer.status === 413));
  assert.equal((await cloud.front.call('member', 'GET', '/image/v2/info/usage')).body.usage.image_size_total.usage, 2);
});

test('user_storage_quota: data beyond it is refused, declared or not, and nothing of it stays', async (t) => {
  const cloud = await Cloud.start({ quotas: { useKeystoneLimits: false, storageQuotaBytes: 3 * MIB } });
  t.after(() => cloud.close());
  const ids = await Promise.all(Array.from({ length: 5 }, async () => (await post(cloud, raw)).body.id as string));
  const before = readdirSync(cloud.folder).toSorted();
  const declared = await put(cloud, ids[0] as string, Buffer.alloc(4 * MIB));
  assert.equal(declared.status, 413);
  assert.match(textOf(declared.body), /exceeds the storage quota/);
  const chunked = await fetch(`${cloud.front.url}/image/v2/images/${ids[1]}/file`, {
    method: 'PUT',
    headers: { ...OCTETS, 'x-auth-token': 'member' },
    body: new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(MIB));
      },
    }),
    duplex: 'half',
  } as RequestInit).catch((error: unknown) => error);
  // the connection of an endless upload may end before its answer is read
  assert.ok(!(chunked instanceof Response) || chunked.status === 413, String(chunked));
  const race = await Promise.all(ids.map((id) => put(cloud, id, Buffer.alloc(MIB))));
  assert.equal(race.filter((answer) => answer.status === 204).length, 3, race.map((a) => a.status).join());
  const stored = readdirSync(cloud.folder).toSorted();
  assert.equal(stored.filter((name) => !before.includes(name)).length, 3);
});

const ROLES = `
# the first section that fits decides
[^x_owner_.*]
create = admin,member
read = admin,member
update = admin,member
delete = admin,member
[spl_.*]
create = admin
read = @
update = admin
delete = !
[.*]
create = admin
read = admin
update = admin
delete = admin
`;

test('property protection by roles: what a caller may not make, see, change or remove is reserved or not there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-protection-'));
  const file = join(folder, 'protection.conf');
  writeFileSync(file, ROLES);
  const cloud = await Cloud.start({ propertyProtection: { file, format: 'roles' } });
  t.after(async () => {
    await cloud.close();
    rmSync(folder, { recursive: true });
  });
  const patch = (who: string, id: string, operations: object[]) => cloud.front.call(who, 'PATCH', `/image/v2/images/${id}`, JSON.stringify(operations), PATCH);
  assert.equal((await post(cloud, { x_owner_a: '1' })).status, 201);
  for (const name of ['spl_x', 'secret']) assert.match(textOf((await post(cloud, { [name]: '1' })).body), new RegExp(`Attribute '${name}' is reserved`));
  const { id } = (await post(cloud, { name: 'p', x_owner_a: '1', spl_x: '2', secret: '3', owner: 'b0000000000000000000000000000001' }, 'admin')).body;
  const seen = (await cloud.front.call('member', 'GET', `/image/v2/images/${id}`)).body;
  assert.deepEqual([seen.x_owner_a, seen.spl_x, 'secret' in seen], ['1', '2', false]);
  const listed = (await cloud.front.call('member', 'GET', '/image/v2/images?name=p')).body.images[0];
  assert.equal('secret' in listed, false);
  assert.equal((await cloud.front.call('member', 'GET', '/image/v2/images?secret=3')).body.images.length, 0, 'not to be found out by asking');
  assert.equal((await cloud.front.call('admin', 'GET', '/image/v2/images?secret=3')).body.images.length, 1);
  assert.equal((await patch('member', id, [{ op: 'replace', path: '/x_owner_a', value: '9' }])).body.x_owner_a, '9');
  assert.equal((await patch('member', id, [{ op: 'replace', path: '/spl_x', value: '9' }])).status, 403);
  assert.equal((await patch('member', id, [{ op: 'remove', path: '/spl_x' }])).status, 403);
  assert.equal((await patch('admin', id, [{ op: 'remove', path: '/spl_x' }])).status, 403);
  assert.equal((await patch('member', id, [{ op: 'replace', path: '/secret', value: '9' }])).status, 409, 'it is not there for this caller');
  assert.equal((await patch('member', id, [{ op: 'add', path: '/secret', value: '9' }])).status, 403);
  assert.equal((await patch('admin', id, [{ op: 'replace', path: '/secret', value: '9' }])).body.secret, '9');
});

test('property protection: files that cannot be understood do not start, and policies may be named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-protection-'));
  const file = join(folder, 'protection.conf');
  const load = (text: string, format: 'roles' | 'policies' = 'roles') => {
    writeFileSync(file, text);
    return new PropertyProtection({ file, format });
  };
  try {
    assert.throws(() => new PropertyProtection({ file: join(folder, 'none'), format: 'roles' }), /ENOENT/);
    assert.throws(() => load('[a\n'), /neither a section/);
    assert.throws(() => load('[(]\ncreate=@\nread=@\nupdate=@\ndelete=@'), /no regular expression/);
    assert.throws(() => load('[a]\ncreate=@\nread=@\nupdate=@'), /who may delete/);
    assert.throws(() => load('[a]\ncreate=@,!\nread=@\nupdate=@\ndelete=@'), /both/);
    assert.throws(() => load('[a]\ncreate=x,y\nread=@\nupdate=@\ndelete=@', 'policies'), /several policies/);
    const protection = load('[^x_]\ncreate=context_is_admin\nread=@\nupdate=\ndelete=!', 'policies');
    const ctx = testContext();
    assert.equal(
      protection.allows(ctx, 'x_a', 'create', (rule) => rule === 'context_is_admin'),
      true,
    );
    assert.equal(
      protection.allows(ctx, 'x_a', 'create', () => false),
      false,
    );
    assert.equal(
      protection.allows(ctx, 'x_a', 'update', () => true),
      false,
    );
    assert.equal(
      protection.allows(ctx, 'y', 'read', () => true),
      false,
    );
    assert.equal(
      protection.allows(ctx, 'os_glance_x', 'read', () => false),
      true,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Makes a self-signed certificate for a key with the machine's openssl. */
function certify(folder: string, id: string, key: KeyObject): KeyObject {
  const keyFile = join(folder, `${id}.key`);
  writeFileSync(keyFile, key.export({ type: 'pkcs8', format: 'pem' }));
  execFileSync('openssl', ['req', '-x509', '-new', '-key', keyFile, '-subj', '/CN=signer', '-days', '2', '-out', join(folder, `${id}.pem`)], {
    stdio: 'ignore',
  });
  return key;
}

/** Writes a new key's certificate, signed by another's; returns the key. */
function issue(folder: string, id: string, by: string, subject: string): KeyObject {
  const key = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey;
  const [keyFile, request] = [join(folder, `${id}.key`), join(folder, `${id}.csr`)];
  writeFileSync(keyFile, key.export({ type: 'pkcs8', format: 'pem' }));
  execFileSync('openssl', ['req', '-new', '-key', keyFile, '-subj', `/${subject}`, '-out', request], { stdio: 'ignore' });
  const signer = ['-CA', join(folder, `${by}.pem`), '-CAkey', join(folder, `${by}.key`), '-CAcreateserial'];
  execFileSync('openssl', ['x509', '-req', '-in', request, ...signer, '-days', '2', '-out', join(folder, `${id}.pem`)], { stdio: 'ignore' });
  return key;
}

test('signed images: RSA-PSS, ECC and DSA signatures are verified on the way in and on the way out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-certificates-'));
  mkdirSync(join(folder, 'certificates'));
  const certificates = join(folder, 'certificates');
  const [rsa, ec, dsa, none] = ['1', '2', '3', '4'].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [string, string, string, string];
  const keys = {
    [rsa]: certify(certificates, rsa, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    [ec]: certify(certificates, ec, generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey),
    [dsa]: certify(certificates, dsa, generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey),
  };
  const cloud = await Cloud.start({ certificatesDir: certificates });
  t.after(async () => {
    await cloud.close();
    rmSync(folder, { recursive: true });
  });
  const data = Buffer.from('signed data '.repeat(50_000));
  const sign = (id: string, what = data) =>
    createSign('sha256')
      .update(what)
      .sign({
        key: keys[id] as KeyObject,
        ...(id === rsa && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_MAX_SIGN }),
      })
      .toString('base64');
  const signed = async (certificateId: string, keyType: string, signature: string, over: object = {}) => {
    const { body } = await post(cloud, {
      ...raw,
      img_signature: signature,
      img_signature_hash_method: 'SHA-256',
      img_signature_key_type: keyType,
      img_signature_certificate_uuid: certificateId,
      ...over,
    });
    return { id: body.id as string, answer: await put(cloud, body.id, data) };
  };
  for (const [id, type] of [
    [rsa, 'RSA-PSS'],
    [ec, 'ECC_SECP384R1'],
    [dsa, 'DSA'],
  ] as const) {
    const good = await signed(id, type, sign(id));
    assert.equal(good.answer.status, 204, `${type}: ${JSON.stringify(good.answer.body)}`);
    const back = await fetch(`${cloud.front.url}/image/v2/images/${good.id}/file`, { headers: { 'x-auth-token': 'member' } });
    assert.deepEqual(Buffer.from(await back.arrayBuffer()), data);
    const bad = await signed(id, type, sign(id, Buffer.from('other data')));
    assert.equal(bad.answer.status, 400, type);
    assert.match(textOf(bad.answer.body), /Signature verification failed for image/);
    const after = (await cloud.front.call('member', 'GET', `/image/v2/images/${bad.id}`)).body;
    assert.deepEqual([after.status, after.size, after.checksum], ['queued', null, null]);
  }
  for (const [certificateId, type, signature, over, pattern] of [
    [none, 'RSA-PSS', sign(rsa), {}, /Certificate not found with ID/],
    ['../../etc/passwd', 'RSA-PSS', sign(rsa), {}, /Certificate not found with ID/],
    [rsa, 'DSA', sign(rsa), {}, /Invalid public key type/],
    [rsa, 'MD5-RSA', sign(rsa), {}, /Invalid signature key type/],
    [rsa, 'RSA-PSS', 'no base64!', {}, /not properly encoded using base64/],
    [rsa, 'RSA-PSS', sign(rsa), { img_signature_hash_method: 'MD5' }, /Invalid signature hash method/],
  ] as const) {
    const { answer } = await signed(certificateId, type, signature, over);
    assert.equal(answer.status, 400);
    assert.match(textOf(answer.body), pattern);
  }
  // three of the four properties are no signature
  const { body } = await post(cloud, { ...raw, img_signature: 'x', img_signature_key_type: 'DSA', img_signature_hash_method: 'SHA-256' });
  assert.equal((await put(cloud, body.id, data)).status, 204);

  // for other services: an image that must be signed, by a certificate that is trusted
  const good = await signed(rsa, 'RSA-PSS', sign(rsa));
  const leaf = '00000000-0000-4000-8000-000000000005';
  keys[leaf] = issue(certificates, leaf, rsa, 'CN=leaf');
  const byLeaf = await signed(leaf, 'ECC_SECP384R1', sign(leaf));
  const { face } = cloud.glance;
  await face.verifySignature(good.id, undefined);
  await face.verifySignature(good.id, [none, rsa]);
  await face.verifySignature(byLeaf.id, [rsa]);
  await assert.rejects(face.verifySignature(byLeaf.id, [leaf]), /chain building failed/, 'the root is not among them');
  await assert.rejects(face.verifySignature(good.id, [ec, none]), /Image signature certificate validation failed for certificate: .*chain building failed/);
  await assert.rejects(face.verifySignature(body.id, undefined), /Missing property: img_signature_certificate_uuid/);

  // data that was changed in its store never comes whole
  const names = new Set(readdirSync(cloud.folder));
  for (const name of names) if (/^[0-9a-f-]{36}$/.test(name)) writeFileSync(join(cloud.folder, name), Buffer.concat([data.subarray(1), Buffer.from('!')]));
  const tampered = await fetch(`${cloud.front.url}/image/v2/images/${good.id}/file`, { headers: { 'x-auth-token': 'member' } });
  await assert.rejects(tampered.arrayBuffer());
  await assert.rejects(face.verifySignature(good.id, [rsa]), /The signature does not match the data/);
});

test('defaults: no limits by keystone, no protection, 128 tags, properties and members', () => {
  const { quotas, propertyProtection, maxMembers, maxProperties, maxTags } = defaultGlanceOptions;
  assert.deepEqual(
    [quotas, propertyProtection, maxMembers, maxProperties, maxTags],
    [{ useKeystoneLimits: false, storageQuotaBytes: 0 }, { format: 'roles' }, 128, 128, 128],
  );
});
