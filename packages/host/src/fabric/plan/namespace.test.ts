import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffNamespace, EMPTY_NAMESPACE, type NamespacePlan, stateAfter } from './namespace.ts';

const plan: NamespacePlan = {
  name: 'cairn-test-qrouter-r',
  links: new Map([
    ['qr-a', { mac: 'fa:16:3e:00:00:01', mtu: 1450, bridge: 'brqa', addresses: ['10.1.0.1/24', 'fd00::1/64'] }],
    ['qg-r', { mac: 'fa:16:3e:00:00:02', mtu: 1500, bridge: 'brqp', addresses: ['172.24.4.10/24'] }],
  ]),
  loopback: ['169.254.169.254/32'],
  routes: new Map([['0.0.0.0/0', 'via 172.24.4.1 dev qg-r']]),
  sysctls: [],
  rules: new Map(),
};
const changed = (
  links: Record<string, Partial<{ mac: string; mtu: number; bridge: string; addresses: string[]; stale: string[] }> | undefined>,
  more: Partial<NamespacePlan> = {},
): NamespacePlan => ({
  ...plan,
  ...more,
  links: new Map(
    [...plan.links].flatMap(([name, link]) => (name in links ? (links[name] ? [[name, { ...link, ...links[name] }] as const] : []) : [[name, link] as const])),
  ),
});

test('from nothing', () => {
  assert.deepEqual(diffNamespace(EMPTY_NAMESPACE, plan), {
    stale: [],
    inSwitch: [
      'link add dev qr-a mtu 1450 type veth peer name qr-a mtu 1450 address fa:16:3e:00:00:01 netns cairn-test-qrouter-r',
      'link set dev qr-a mtu 1450 master brqa up',
      'link add dev qg-r mtu 1500 type veth peer name qg-r mtu 1500 address fa:16:3e:00:00:02 netns cairn-test-qrouter-r',
      'link set dev qg-r mtu 1500 master brqp up',
    ],
    inside: [
      'link set dev lo up',
      'addr add 169.254.169.254/32 dev lo',
      'link set dev qr-a mtu 1450 address fa:16:3e:00:00:01',
      'addr add 10.1.0.1/24 dev qr-a',
      'addr add fd00::1/64 dev qr-a nodad',
      'link set dev qr-a up',
      'link set dev qg-r mtu 1500 address fa:16:3e:00:00:02',
      'addr add 172.24.4.10/24 dev qg-r',
      'link set dev qg-r up',
      'route replace 0.0.0.0/0 proto static via 172.24.4.1 dev qg-r',
    ],
    announce: [
      { link: 'qr-a', ip: '10.1.0.1' },
      { link: 'qg-r', ip: '172.24.4.10' },
    ],
  });
});

test('nothing to do is nothing done', () => {
  assert.deepEqual(diffNamespace(stateAfter(plan), plan), { stale: [], inSwitch: [], inside: [], announce: [] });
});

test('a former address is there for a while without a route; it may have been the own one, and be it again', () => {
  const own = changed({ 'qr-a': { addresses: ['fd00:1::1/64', '10.1.0.1/24'] } });
  const former = changed({ 'qr-a': { addresses: ['fd00:2::1/64', '10.1.0.1/24'], stale: ['fd00:1::1/64'] } });
  const add = (address: string): string => `addr add ${address} dev qr-a nodad`;
  const toFormer = `${add('fd00:1::1/64')} noprefixroute valid_lft 7200 preferred_lft 0`;
  const route = 'route replace 0.0.0.0/0 proto static via 172.24.4.1 dev qg-r';
  assert.deepEqual(diffNamespace(stateAfter(own), former).inside, [add('fd00:2::1/64'), 'addr delete fd00:1::1/64 dev qr-a', toFormer, route]);
  assert.deepEqual(diffNamespace(stateAfter(former), former).inside, []);
  assert.deepEqual(diffNamespace(stateAfter(former), own).inside, [
    'addr delete fd00:1::1/64 dev qr-a',
    add('fd00:1::1/64'),
    'addr delete fd00:2::1/64 dev qr-a',
    route,
  ]);
});

test('a floating address comes with one command and is announced', () => {
  assert.deepEqual(diffNamespace(stateAfter(plan), changed({ 'qg-r': { addresses: ['172.24.4.10/24', '172.24.4.50/32'] } })), {
    stale: [],
    inSwitch: [],
    inside: ['addr add 172.24.4.50/32 dev qg-r'],
    announce: [{ link: 'qg-r', ip: '172.24.4.50' }],
  });
});

test('an address that goes may take routes along, so they are set again', () => {
  const next = changed({ 'qg-r': { addresses: ['172.24.4.11/24'] } });
  assert.deepEqual(diffNamespace(stateAfter(plan), next).inside, [
    'addr add 172.24.4.11/24 dev qg-r',
    'addr delete 172.24.4.10/24 dev qg-r',
    'route replace 0.0.0.0/0 proto static via 172.24.4.1 dev qg-r',
  ]);
});

test('routes go before the addresses that carry them; routes of a link that goes are gone already', () => {
  const state = stateAfter({ ...plan, routes: new Map([...plan.routes, ['192.168.0.0/16', 'via 10.1.0.9 dev qr-a']]) });
  assert.deepEqual(diffNamespace(state, plan).inside, ['route delete 192.168.0.0/16 via 10.1.0.9 dev qr-a']);
  const { inSwitch, inside } = diffNamespace(state, changed({ 'qr-a': undefined }));
  assert.deepEqual([inSwitch, inside], [['link delete dev qr-a'], []]);
});

test('a link that lost its bridge, its size or its MAC gets it back', () => {
  const { inSwitch, inside, announce } = diffNamespace(stateAfter(plan), changed({ 'qr-a': { bridge: 'brqb', mtu: 1400, mac: 'fa:16:3e:00:00:09' } }));
  assert.deepEqual(inSwitch, ['link set dev qr-a mtu 1400 master brqb up']);
  assert.deepEqual(inside, ['link set dev qr-a mtu 1400 address fa:16:3e:00:00:09 arp on']);
  assert.deepEqual(announce, [{ link: 'qr-a', ip: '10.1.0.1' }]);
});

test('an end that was left behind goes first', () => {
  const { outerEnds } = stateAfter(plan);
  const { stale, inSwitch } = diffNamespace({ ...EMPTY_NAMESPACE, outerEnds }, plan);
  assert.deepEqual(stale, ['qr-a', 'qg-r']);
  assert.equal(inSwitch.length, 4);
});
