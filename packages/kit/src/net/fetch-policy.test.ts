import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPublicAddress, networksOf } from './addresses.ts';
import { defaultFetchPolicy, FetchGuard, type FetchPolicy, type Resolve } from './fetch-policy.ts';

const to =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
const guard = (policy: Partial<FetchPolicy> = {}, resolve: Resolve = to('93.184.216.34')): FetchGuard =>
  new FetchGuard({ ...defaultFetchPolicy, ...policy }, resolve);
const isRefused = (error: unknown): boolean => (error as { type?: string }).type === 'UrlRefused';

/** Each is how a server-side fetch was led inside, somewhere. */
const HOSTILE = [
  'file:///etc/passwd',
  'FILE:///etc/passwd',
  'gopher://93.184.216.34/',
  'ftp://93.184.216.34/',
  'data:text/plain,x',
  'swift+config://ref/container/object',
  'filesystem:///etc/passwd',
  'unix:/run/docker.sock',
  'http:93.184.216.34/x',
  'http:///x',
  'http://',
  '//93.184.216.34/',
  '',
  'http://127.0.0.1/',
  'http://127.8.9.1/',
  'http://0.0.0.0/',
  'http://0/',
  'http://10.0.0.1/',
  'http://100.64.0.1/',
  'http://100.127.255.255/',
  'http://169.254.169.254/latest/meta-data/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://192.0.0.1/',
  'http://192.0.2.1/',
  'http://192.88.99.1/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://239.255.255.250/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://2130706433/',
  'http://127.1/',
  'http://127.0.1/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://127.0.0.0x1/',
  'http://127.0.0.01/',
  'http://1.2.3.4.5/',
  'http://999.1.1.1/',
  'http://[::]/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::127.0.0.1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:93.184.216.34]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[64:ff9b::93.184.216.34]/',
  'http://[64:ff9b:1::1]/',
  'http://[2002:7f00:1::]/',
  'http://[2002:5db8:d822::1]/',
  'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
  'http://[2001:db8::1]/',
  'http://[3fff::1]/',
  'http://[fc00::1]/',
  'http://[fd12:3456::1]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25eth0]/',
  'http://[fe80::1%eth0]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://[100::1]/',
  'http://[::1/',
  'http://[]/',
  'http://user@example.org/',
  'http://user:secret@example.org/',
  'http://example.org@127.0.0.1/',
  'http://127.0.0.1#@example.org/',
  'http://example.org\\@127.0.0.1/',
  'http://example.org%2f@127.0.0.1/',
  'http://exa%6dple.org/',
  'http://%31%32%37.0.0.1/',
  'http://example.org./',
  'http://127.0.0.1./',
  'http://.example.org/',
  'http://exa mple.org/',
  'http://example..org/',
  'http://-example.org/',
  'http://１２７.０.０.１/',
  'http://127。0。0。1/',
  'http://①②⑦.0.0.1/',
  'http://bücher.example/',
  'http://ex\u200bample.org/',
  'http://example.org:22/',
  'http://example.org:8080/',
  'http://example.org:0/',
  'http://example.org:65536/',
  'http://example.org:80:80/',
  'http://example.org:/\t',
  ' http://example.org/',
  'http://example.org/\r\nX-Injected: 1',
  'http://example.org/\0',
  `http://${'a'.repeat(64)}.org/`,
  `http://${'a.'.repeat(130)}org/`,
  `http://example.org/${'a'.repeat(3000)}`,
];

test('hostile URLs are refused before anything is connected to', async () => {
  for (const url of HOSTILE) await assert.rejects(guard().check(url), isRefused, JSON.stringify(url));
});

test('plain URLs of public servers pass, and their addresses are pinned', async () => {
  for (const url of [
    'http://example.org',
    'https://example.org/a/b?c=d#e',
    'HTTPS://Example.ORG/x',
    'http://93.184.216.34/image.qcow2',
    'http://example.org:80/',
    'https://xn--bcher-kva.example/',
    'http://a_b.example.org/',
    'http://8.8.8.8.example.org/',
    'http://[2606:2800:220:1:248:1893:25c8:1946]/',
  ]) {
    const target = await guard().check(url);
    assert.equal(target.addresses.length, 1, url);
  }
});

test('a name that resolves to anything inside is refused, also when another of its addresses is public', async () => {
  for (const inside of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1', '64:ff9b::a00:1', 'fe80::1%eth0', '0.0.0.0']) {
    await assert.rejects(guard({}, to(inside)).check('http://evil.example/'), isRefused, inside);
    await assert.rejects(guard({}, to('93.184.216.34', inside)).check('http://evil.example/'), isRefused, `public and ${inside}`);
  }
  const isUnresolved = (error: unknown): boolean => (error as { type?: string }).type === 'UrlUnresolved';
  await assert.rejects(guard({}, to()).check('http://nothing.example/'), isUnresolved);
  await assert.rejects(
    guard({}, async () => {
      throw new Error('no such name');
    }).check('http://nothing.example/'),
    isUnresolved,
  );
});

test('what a name resolved to stays private', async () => {
  await assert.rejects(guard({}, to('10.9.8.7')).check('http://evil.example/'), (error: Error) => !error.message.includes('10.9.8.7'));
});

test('operators allow their own networks, hosts, schemes and ports', async () => {
  const inner = to('10.1.2.3');
  assert.equal((await guard({ allowedNetworks: ['10.1.0.0/16'] }, inner).check('http://mirror.example/')).addresses[0]?.address, '10.1.2.3');
  await assert.rejects(guard({ allowedNetworks: ['10.2.0.0/16'] }, inner).check('http://mirror.example/'), isRefused);
  await assert.rejects(guard({ allowedNetworks: ['10.1.0.0/16'] }, to('10.1.2.3', '127.0.0.1')).check('http://mirror.example/'), isRefused);
  await guard({ allowedHosts: ['mirror.example'] }, inner).check('http://MIRROR.example/');
  await guard({ allowedHosts: ['*.example'] }, inner).check('http://mirror.example/');
  await assert.rejects(guard({ allowedHosts: ['*.example'] }).check('http://notexample/'), isRefused);
  await assert.rejects(guard({ allowedHosts: ['mirror.example'] }).check('http://example.org/'), isRefused, 'all other hosts are out then');
  await assert.rejects(guard({ disallowedHosts: ['example.org'] }).check('http://example.org/'), isRefused);
  await assert.rejects(guard({ allowedSchemes: ['https'] }).check('http://example.org/'), isRefused);
  await guard({ allowedPorts: [8080] }).check('http://example.org:8080/');
  await assert.rejects(guard({ allowedPorts: [8080] }).check('http://example.org/'), isRefused);
  assert.throws(() => guard({ allowedNetworks: ['10.1.0.0/33'] }), /is no network/);
  assert.throws(() => guard({ allowedNetworks: ['mirror.example'] }), /is no network/);
});

test('addresses: public means global unicast that carries nothing else', () => {
  for (const address of ['1.1.1.1', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])
    assert.equal(isPublicAddress(address), true, address);
  for (const address of ['', 'x', '1.1.1', '172.31.0.1', '2002::1', '2001:2::1', '::ffff:1.1.1.1', 'fe80::1%lo'])
    assert.equal(isPublicAddress(address), false, address);
  assert.equal(networksOf(['fd00::/8', '10.0.0.1']).has('fd12::1'), true);
  assert.equal(networksOf(['10.0.0.1']).has('10.0.0.2'), false);
});
