import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cidrOf, compactCidrs, contains, covers, joinRanges, mustCidr, networkText, parseCidr, rangeToCidrs, subtractRanges, writtenText } from './cidr.ts';
import { canonicalIp, formatIp, keyOfIp, keyOfValue, mustIp, parseIp, stepKey } from './ip.ts';
import { canonicalMac, eui64Address, isEui64 } from './mac.ts';
import { pyRepr, pyStr } from './python-text.ts';
import { uuid5 } from './uuid5.ts';

describe('addresses as text', () => {
  it('are read strictly', () => {
    for (const text of ['10.0.0.1', '0.0.0.0', '255.255.255.255', '::', '::1', 'fe80::1', '2001:db8::ffff:1', '::ffff:10.0.0.1'])
      assert.ok(parseIp(text), text);
    for (const text of ['', '10.0.0', '10.0.0.256', '10.0.0.01', '10.0.0.1 ', '1', 'fe80::1%eth0', ':::', '1::2::3', 'g::', '10.0.0.1/24', '2001:db8::1::']) {
      assert.equal(parseIp(text), undefined, text);
    }
  });

  it('are written in their canonical form', () => {
    const cases: Record<string, string> = {
      '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
      '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
      '0:0:0:0:0:0:0:0': '::',
      '1:0:0:0:0:0:0:0': '1::',
      '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
      '::FFFF:10.0.0.1': '::ffff:10.0.0.1',
    };
    for (const [given, wanted] of Object.entries(cases)) assert.equal(canonicalIp(given), wanted);
    assert.equal(canonicalIp('nonsense'), 'nonsense');
    for (const text of ['0.0.0.0', '10.1.2.3', '255.255.255.255']) assert.equal(formatIp(4, mustIp(text).value), text);
  });

  it('sort as keys like numbers', () => {
    const ips = ['0.0.0.9', '10.0.0.2', '10.0.0.10', '9.255.255.255', '192.168.0.1'];
    const byKey = ips.toSorted((a, b) => (keyOfIp(a) < keyOfIp(b) ? -1 : 1));
    assert.deepEqual(byKey, ['0.0.0.9', '9.255.255.255', '10.0.0.2', '10.0.0.10', '192.168.0.1']);
    assert.equal(stepKey(keyOfIp('10.0.0.255'), 1), keyOfIp('10.0.1.0'));
    assert.equal(stepKey(keyOfIp('10.0.1.0'), -1), keyOfIp('10.0.0.255'));
    assert.equal(keyOfValue(6, 1n).length, 32);
  });
});

describe('networks', () => {
  it('are read with a length or a mask', () => {
    assert.equal(networkText(mustCidr('10.0.0.7/24')), '10.0.0.0/24');
    assert.equal(writtenText(mustCidr('10.0.0.7/24')), '10.0.0.7/24');
    assert.equal(networkText(mustCidr('10.0.0.0/255.255.0.0')), '10.0.0.0/16');
    assert.equal(networkText(mustCidr('2001:db8::5/64')), '2001:db8::/64');
    for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/255.0.255.0', '::/129', '10.0.0.0/-1', '/24', '10.0.0.0/'])
      assert.equal(parseCidr(text), undefined, text);
  });

  it('contain, cover and come apart', () => {
    const net = mustCidr('10.0.0.0/24');
    assert.ok(contains(net, mustIp('10.0.0.255')) && !contains(net, mustIp('10.0.1.0')) && !contains(net, mustIp('::')));
    assert.ok(covers(net, mustCidr('10.0.0.128/25')) && !covers(mustCidr('10.0.0.128/25'), net));
    const left = subtractRanges([net], [cidrOf(mustIp('10.0.0.64'), 26)]);
    assert.deepEqual(left.flatMap(rangeToCidrs).map(networkText), ['10.0.0.0/26', '10.0.0.128/25']);
    assert.deepEqual(compactCidrs([mustCidr('10.0.1.0/24'), mustCidr('10.0.0.0/24'), mustCidr('10.0.0.128/25')]).map(networkText), ['10.0.0.0/23']);
    assert.equal(joinRanges([net, mustCidr('10.0.1.0/24')]).length, 1);
    assert.deepEqual(rangeToCidrs({ version: 6, first: 0n, last: (1n << 128n) - 1n }).map(networkText), ['::/0']);
  });
});

describe('MACs', () => {
  it('are read in all their forms', () => {
    for (const text of ['fa:16:3e:00:00:01', 'FA-16-3E-00-00-01', 'fa163e000001', 'fa16.3e00.0001', 'fa:16:3e:0:0:1'])
      assert.equal(canonicalMac(text), 'fa:16:3e:00:00:01', text);
    for (const text of ['', 'fa:16:3e:00:00', 'fa:16:3e:00:00:0g', 'fa163e0000011']) assert.equal(canonicalMac(text), undefined, text);
  });

  it('make addresses', () => {
    const address = eui64Address(mustCidr('2001:db8::/64'), 'fa:16:3e:12:34:56');
    assert.equal(address, '2001:db8::f816:3eff:fe12:3456');
    assert.ok(isEui64(mustIp(address).value));
    assert.ok(!isEui64(mustIp('2001:db8::1').value));
  });
});

describe("Python's texts", () => {
  it('are as Python prints them', () => {
    assert.equal(pyRepr(["it's", 'a', null, true, 1.5, { k: [] }]), `["it's", 'a', None, True, 1.5, {'k': []}]`);
    assert.equal(pyRepr('a\n"\''), `'a\\n"\\''`);
    assert.equal(pyStr('text'), 'text');
    assert.equal(uuid5('python.org'), '886313e1-3b8a-5372-9b90-0c9aee199e5d');
  });
});
