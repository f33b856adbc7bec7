import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Cidr,
  canonicalIp,
  canonicalMac,
  contains,
  formatCidr,
  formatIp,
  lastOf,
  linkLocalOf,
  minimise,
  netmask4,
  parseCidr,
  parseIp,
} from './address.ts';

const cidr = (text: string): Cidr => parseCidr(text) ?? assert.fail(text);

test('addresses are read and written in canonical form', () => {
  const forms: [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['FD00:0:0:0:0:0:0:1', 'fd00::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
  ];
  for (const [text, canonical] of forms) assert.equal(canonicalIp(text), canonical, text);
});

test('what is no address is refused', () => {
  for (const text of [
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1 ',
    '10.0.0.1\n',
    '1.2.3.4.5',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'fe80::1%eth0',
    '::1::',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7::8',
  ]) {
    assert.equal(parseIp(text), undefined, JSON.stringify(text));
  }
  for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', '::/129', '10.0.0.0/ 8']) assert.equal(parseCidr(text), undefined, text);
});

test('networks lose their host bits; one address has no length', () => {
  assert.equal(formatCidr(cidr('10.0.0.77/24')), '10.0.0.0/24');
  assert.equal(formatCidr(cidr('10.0.0.77/32')), '10.0.0.77');
  assert.equal(formatCidr(cidr('0.0.0.0/0')), '0.0.0.0/0');
  assert.equal(formatCidr(cidr('fd00::5/64')), 'fd00::/64');
  assert.equal(formatIp(lastOf(cidr('10.0.0.0/23'))), '10.0.1.255');
  assert.equal(netmask4(0), '0.0.0.0');
  assert.equal(netmask4(20), '255.255.240.0');
});

test('containment and minimal covers', () => {
  assert.ok(contains(cidr('10.0.0.0/8'), cidr('10.3.0.0/16')));
  assert.ok(!contains(cidr('10.3.0.0/16'), cidr('10.0.0.0/8')));
  assert.ok(!contains(cidr('0.0.0.0/0'), cidr('::/0')));
  assert.deepEqual(minimise(['10.0.0.5', '10.0.0.0/24', '10.0.0.0/25', '10.0.1.0', 'fd00::1', '10.0.0.5'].map(cidr)).map(formatCidr), [
    '10.0.0.0/24',
    '10.0.1.0',
    'fd00::1',
  ]);
});

test('a MAC gives its link-local address', () => {
  assert.equal(formatIp(linkLocalOf('fa:16:3e:00:00:01')), 'fe80::f816:3eff:fe00:1');
  assert.equal(canonicalMac('FA-16-3E-00-00-0A'), 'fa:16:3e:00:00:0a');
  assert.equal(canonicalMac('fa:16:3e:00:00'), undefined);
});
