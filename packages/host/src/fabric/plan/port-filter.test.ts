import assert from 'node:assert/strict';
import { test } from 'node:test';
import { macOf, port } from '../testing/objects.ts';
import { portFilter } from './port-filter.ts';

test('a port may claim its own addresses and those of its pairs, and nothing else', () => {
  const spec = port(
    'p',
    'n',
    1,
    [
      ['a', '10.0.0.5'],
      ['b', 'fd00::5'],
    ],
    {
      allowedAddressPairs: [
        { mac: macOf(9), cidr: '10.0.0.0/24' },
        { mac: 'FA:16:3E:00:00:01', cidr: '10.0.0.4/31' },
      ],
    },
  );
  assert.deepEqual(portFilter(spec, 7), {
    from: [
      'meta mark set 0x7',
      'ether type 0x8035 ether saddr { fa:16:3e:00:00:01, fa:16:3e:00:00:09 } accept',
      'ether type != { arp, ip, ip6 } drop',
      'ether saddr != { fa:16:3e:00:00:01, fa:16:3e:00:00:09 } drop',
      'ether type arp ether saddr . arp saddr ether . arp saddr ip != { fa:16:3e:00:00:01 . fa:16:3e:00:00:01 . 0.0.0.0, fa:16:3e:00:00:01 . fa:16:3e:00:00:01 . 10.0.0.4/31, fa:16:3e:00:00:09 . fa:16:3e:00:00:09 . 0.0.0.0, fa:16:3e:00:00:09 . fa:16:3e:00:00:09 . 10.0.0.0/24 } drop',
      'ether type arp accept',
      'ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept',
      'ether type ip ether saddr . ip saddr != { fa:16:3e:00:00:01 . 10.0.0.4/31, fa:16:3e:00:00:09 . 10.0.0.0/24 } drop',
      'ip6 saddr :: icmpv6 type nd-neighbor-solicit @th,64,128 != { 0xfd000000000000000000000000000005, 0xfe80000000000000f8163efffe000001, 0xfe80000000000000f8163efffe000009 } drop',
      'icmpv6 type nd-neighbor-advert @th,64,128 != { 0xfd000000000000000000000000000005, 0xfe80000000000000f8163efffe000001, 0xfe80000000000000f8163efffe000009 } drop',
      'ip6 saddr :: ip6 daddr ff02::/16 icmpv6 type { 131, 133, 135, 143 } accept',
      'ether type ip6 ether saddr . ip6 saddr != { fa:16:3e:00:00:01 . fd00::5, fa:16:3e:00:00:01 . fe80::f816:3eff:fe00:1, fa:16:3e:00:00:09 . fe80::f816:3eff:fe00:9 } drop',
    ],
    to: [
      'meta mark set 0x7',
      'ether type != { arp, ip, ip6 } drop',
      'ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 ether daddr != { fa:16:3e:00:00:01, fa:16:3e:00:00:09 } drop',
    ],
  });
});

test('with IPv6 alone, IPv4 is closed; with no address at all, any address goes with the own MAC', () => {
  assert.ok(portFilter(port('p', 'n', 1, [['b', 'fd00::5']]), 1).from.includes('ether type ip drop'));
  const { from } = portFilter(port('p', 'n', 1, []), 1);
  assert.ok(from.includes('ether saddr != { fa:16:3e:00:00:01 } drop'));
  assert.ok(from.includes('ether type ip ether saddr . ip saddr != { fa:16:3e:00:00:01 . 0.0.0.0/0 } drop'));
  assert.ok(from.includes('ether type ip6 ether saddr . ip6 saddr != { fa:16:3e:00:00:01 . ::/0 } drop'));
});
