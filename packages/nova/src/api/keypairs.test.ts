import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import { MAX_MICROVERSION } from '../microversions.ts';
import { refuses } from '../testing/assertions.ts';
import { admin, member, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open({ options: { quotaDefaults: { key_pairs: 4 } } });
  cloud.version = MAX_MICROVERSION;
});
after(() => cloud.close());

/** An OpenSSH line of a new ed25519 key. */
function sshLine(comment: string): string {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const part = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([part(Buffer.from('ssh-ed25519')), part(raw)]).toString('base64')} ${comment}`;
}
const forget = (name: string, ctx = member()) => cloud.ok(ctx, 'DELETE', `/os-keypairs/${name}`);

test('an imported key is kept as it was given', async () => {
  const line = sshLine('me@there');
  const answer = await cloud.request(member(), 'POST', '/os-keypairs', { keypair: { name: 'a.b@c', type: 'ssh', public_key: line } });
  assert.equal(answer.status, 201);
  const { fingerprint } = answer.body.keypair;
  assert.match(fingerprint, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  assert.deepEqual(answer.body.keypair, { name: 'a.b@c', type: 'ssh', public_key: line, fingerprint, user_id: 'u1' });
  const { keypair } = await cloud.ok(member(), 'GET', '/os-keypairs/a.b@c');
  const { id, created_at: createdAt, ...shown } = keypair;
  assert.equal(typeof id, 'number');
  assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
  assert.deepEqual(shown, { name: 'a.b@c', type: 'ssh', public_key: line, fingerprint, user_id: 'u1', deleted: false, deleted_at: null, updated_at: null });
  assert.equal((await cloud.request(member(), 'DELETE', '/os-keypairs/a.b@c')).status, 204);
});

test('until 2.91 a pair is made, and its private key told once', async () => {
  const answer = await cloud.request(member(), 'POST', '/os-keypairs', { keypair: { name: 'made' } }, '2.1');
  assert.equal(answer.status, 200);
  const { private_key: pem, public_key: line, type } = answer.body.keypair;
  assert.equal(type, undefined, 'types are told from 2.2');
  assert.match(line, /^ssh-rsa \S+ Generated-by-Nova$/);
  const modulus = createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' }).n as string;
  assert.ok(Buffer.from(line.split(' ')[1], 'base64').includes(Buffer.from(modulus, 'base64url')), 'both halves belong together');
  assert.equal((await cloud.ok(member(), 'GET', '/os-keypairs/made')).keypair.private_key, undefined);
  assert.equal((await cloud.request(member(), 'DELETE', '/os-keypairs/made', undefined, '2.1')).status, 202);
  await refuses(cloud, member(), ['POST', '/os-keypairs', { keypair: { name: 'made' } }], 400, /'public_key' is a required property/);
});

test('a certificate for WinRM is made, and its likes are imported', async () => {
  const { keypair } = await cloud.ok(member(), 'POST', '/os-keypairs', { keypair: { name: 'win', type: 'x509' } }, '2.90');
  const certificate = new X509Certificate(keypair.public_key);
  assert.equal(certificate.subject, 'CN=u1');
  assert.ok(certificate.verify(certificate.publicKey), 'signed by itself');
  assert.ok(certificate.checkPrivateKey(createPrivateKey(keypair.private_key)));
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'client authentication');
  assert.equal(keypair.fingerprint, certificate.fingerprint.toLowerCase());
  const imported = await cloud.ok(member(), 'POST', '/os-keypairs', { keypair: { name: 'win2', type: 'x509', public_key: keypair.public_key } });
  assert.equal(imported.keypair.fingerprint, keypair.fingerprint);
  for (const name of ['win', 'win2']) await forget(name);
});

test("what is no keypair is refused in upstream's words", async () => {
  const line = sshLine('x');
  const cases: readonly (readonly [object, number, RegExp, string?])[] = [
    [{ name: '', public_key: line }, 400, /too short/],
    [{ name: ' x', public_key: line }, 400, /name/],
    [{ name: 'a/b', public_key: line }, 400, /name/],
    [{ name: 'a.b', public_key: line }, 400, /name/, '2.91'],
    [{ name: 'x'.repeat(256), public_key: line }, 400, /too long/],
    [{ name: 'x', type: 'pgp', public_key: line }, 400, /not one of \['ssh', 'x509'\]/],
    [{ name: 'x', type: 'ssh', public_key: line }, 400, /Additional properties/, '2.1'],
    [{ name: 'x', user_id: 'u2', public_key: line }, 400, /Additional properties/, '2.9'],
    [{ name: 'x', public_key: '' }, 400, /^Keypair data is invalid: failed to generate fingerprint/],
    [{ name: 'x', public_key: 'ssh-rsa AAAA' }, 400, /^Keypair data is invalid/],
    [{ name: 'x', public_key: `${line}\n${line}` }, 400, /^Keypair data is invalid/],
    [{ name: 'x', type: 'x509', public_key: line }, 400, /failed to generate X509 fingerprint/],
    [{ name: 'mine', public_key: line }, 409, /^Key pair 'mine' already exists\.$/],
    [{ name: 'x', user_id: 'u2', public_key: line }, 403, /os_compute_api:os-keypairs:create/],
  ];
  for (const [keypair, status, message, version] of cases) await refuses(cloud, member(), ['POST', '/os-keypairs', { keypair }, version], status, message);
  await refuses(cloud, member(), ['GET', '/os-keypairs/none'], 404, 'Keypair none not found for user u1');
  await refuses(cloud, member(), ['DELETE', '/os-keypairs/none'], 404, 'Keypair none not found for user u1');
});

test('keypairs belong to users; an administrator may name another', async () => {
  await refuses(cloud, stranger(), ['GET', '/os-keypairs/mine'], 404);
  await refuses(cloud, stranger(), ['GET', '/os-keypairs/mine?user_id=u1'], 403);
  await refuses(cloud, stranger(), ['GET', '/os-keypairs?user_id=u1'], 403);
  await refuses(cloud, stranger(), ['DELETE', '/os-keypairs/mine?user_id=u1'], 403);
  assert.equal((await cloud.ok(admin(), 'GET', '/os-keypairs/mine?user_id=u1')).keypair.user_id, 'u1');
  assert.deepEqual((await cloud.ok(admin(), 'GET', '/os-keypairs?user_id=u1', undefined, '2.9')).keypairs, [], 'before 2.10 nobody can be named');
  const { keypair } = await cloud.ok(admin(), 'POST', '/os-keypairs', { keypair: { name: 'theirs', user_id: 'u2', public_key: sshLine('x') } });
  assert.equal(keypair.user_id, 'u2');
  await forget('theirs', stranger());
});

test('lists are by name, in pages from 2.35, and the quota holds', async () => {
  for (const name of ['c', 'a', 'b']) await cloud.ok(member(), 'POST', '/os-keypairs', { keypair: { name, public_key: sshLine(name) } });
  await refuses(cloud, member(), ['POST', '/os-keypairs', { keypair: { name: 'd', public_key: sshLine('d') } }], 403, 'Quota exceeded, too many key pairs.');
  const list = async (query: string, version?: string) => cloud.ok(member(), 'GET', `/os-keypairs${query}`, undefined, version);
  const names = (body: { keypairs: { keypair: { name: string } }[] }): string[] => body.keypairs.map(({ keypair }) => keypair.name);
  assert.deepEqual(names(await list('')), ['a', 'b', 'c', 'mine']);
  assert.deepEqual(Object.keys((await list('')).keypairs[0].keypair).toSorted(), ['fingerprint', 'name', 'public_key', 'type']);
  const page = await list('?limit=2');
  assert.deepEqual([names(page), page.keypairs_links], [['a', 'b'], [{ rel: 'next', href: '/compute/v2.1/os-keypairs?limit=2&marker=b' }]]);
  assert.deepEqual(names(await list('?marker=b')), ['c', 'mine']);
  assert.deepEqual(names(await list('?limit=2', '2.34')), ['a', 'b', 'c', 'mine']);
  await refuses(cloud, member(), ['GET', '/os-keypairs?marker=zz'], 400, 'Marker zz could not be found.');
  await refuses(cloud, member(), ['GET', '/os-keypairs?limit=x'], 400, /limit/);
  await refuses(cloud, member(), ['GET', '/os-keypairs?other=x'], 400, /Additional properties/);
  for (const name of ['a', 'b', 'c']) await forget(name);
});
