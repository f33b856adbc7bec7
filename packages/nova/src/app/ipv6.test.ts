import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortIpv6 } from './ipv6.ts';

test('an IPv6 address is kept in its short form', () => {
  assert.equal(shortIpv6('::babe:220.12.22.2'), '::babe:dc0c:1602');
  assert.equal(shortIpv6('0000:0000:0000:0000:0000:babe:220.12.22.2'), '::babe:dc0c:1602');
  assert.equal(shortIpv6('FD00:0:0:1:0:0:0:A'), 'fd00:0:0:1::a');
  assert.equal(shortIpv6('::ffff:10.1.2.3'), '::ffff:10.1.2.3');
});
