import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FabricObject } from '../interface/fabric.ts';
import { group, macOf, network, port, router, rule, subnet } from './testing/objects.ts';
import { validate } from './validate.ts';

const good: readonly FabricObject[] = [
  network('n', [subnet('s', '10.0.0.0/24', { gatewayIp: '10.0.0.1', dhcp: { ip: '10.0.0.2', mac: macOf(1) }, dnsServers: ['1.1.1.1'] })], {
    dnsDomain: 'example.org.',
  }),
  port('11111111-2222-4333-8444-555555555555', 'n', 1, [['s', '10.0.0.5']], {
    hostname: 'a.b',
    extraDhcpOptions: [{ name: 'tag:!ipxe,bootfile-name', value: 'http://x/{uuid}, $x', ipVersion: 4 }],
    allowedAddressPairs: [{ mac: macOf(1), cidr: '10.0.0.0/24' }],
  }),
  router('r', {
    gateway: { networkId: 'n', mac: macOf(2), snat: true, addresses: [{ ip: '10.0.0.9', prefixLength: 24, nexthop: '10.0.0.1' }] },
    floatingIps: [{ id: 'f', floatingIp: '10.0.0.77', fixedIp: '10.1.0.1' }],
    routes: [{ destination: 'fd00::/64', nexthop: 'fe80::1' }],
  }),
  group('g', [rule('ingress', { protocol: 'tcp', portMin: 22, portMax: 22, remoteCidr: '10.0.0.0/8' })]),
];

test('good objects pass', () => {
  for (const object of good) validate(object);
});

test('any text anywhere that could be more than it should be is refused', () => {
  // Every string in every good object, replaced by each of these in turn.
  const hostile = ['', ' ', '\n', 'x\ny', '"; drop', '{ }', '$(id)', '../../etc/passwd', 'a b', '\0', '#', ';', 'x'.repeat(300), '10.0.0.1\n', 'é', '-x'];
  const free = new Set(['value']);
  let tried = 0;
  const visit = (node: unknown, path: readonly (string | number)[], object: FabricObject): void => {
    if (typeof node === 'string') {
      for (const text of hostile) {
        if (free.has(String(path.at(-1))) && /^[\x20-\x7e]{0,255}$/.test(text)) continue;
        if (path.at(-1) === 'hostname' && text === 'x') continue;
        const copy = structuredClone(object) as unknown;
        let at = copy as Record<string | number, unknown>;
        for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
        at[path.at(-1) ?? ''] = text;
        // Ids of rules and floating addresses reach nothing, but an id it must be.
        assert.throws(() => validate(copy as FabricObject), { name: 'InvalidInput' }, `${object.kind} ${path.join('.')} = ${JSON.stringify(text)}`);
        tried++;
      }
    } else if (typeof node === 'object' && node !== null)
      for (const [key, value] of Object.entries(node)) visit(value, [...path, Array.isArray(node) ? Number(key) : key], object);
  };
  for (const object of good) visit(object, [], object);
  assert.ok(tried > 400, String(tried));
});

test('numbers and flags are what they should be', () => {
  const bad: readonly unknown[] = [
    { ...good[0], mtu: 1.5 },
    { ...good[0], mtu: 67 },
    { ...good[0], mtu: '1500' },
    { ...good[1], adminUp: 1 },
    { ...good[1], fixedIps: [{ subnetId: 's', ip: '10.0.0.5/24' }] },
    { ...good[1], allowedAddressPairs: null },
    group('g', [rule('ingress', { protocol: 'tcp', portMin: 10, portMax: 9 })]),
    group('g', [rule('ingress', { protocol: 'tcp', portMin: -1 })]),
    group('g', [rule('ingress', { protocol: 'icmp', portMin: 256 })]),
    group('g', [rule('ingress', { protocol: 'tcpx' })]),
    group('g', [rule('ingress', { remoteCidr: 'fd00::/8' })]),
    router('r', { floatingIps: [{ id: 'f', floatingIp: 'fd00::1', fixedIp: '10.0.0.1' }] }),
    { kind: 'other', id: 'x' },
    null,
    {},
  ];
  for (const object of bad) assert.throws(() => validate(object as FabricObject), { name: 'InvalidInput' }, JSON.stringify(object));
  // Type and code of ICMP may be in any order.
  validate(group('g', [rule('ingress', { protocol: 'icmp', portMin: 8, portMax: 0 })]));
});
