import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLinks } from '../kernel/links.ts';
import { Objects } from '../objects.ts';
import { network, port, put, remove } from '../testing/objects.ts';
import { SwitchMemory } from './memory.ts';
import { planSwitch } from './switch.ts';
import { diffSwitchLinks, linksAfter } from './switch-links.ts';

const options = { tapGroupGid: 64055, switchNamespace: 'cairn-test-switch', outerNetns: '1', machineNetns: '2' };
const NO_TUNNELS = { tunnels: [], floods: [], cards: [], machine: [] };
const physical = { public: { linkName: 'cairn0', hostCidr: '172.24.4.1/24' } };

function world() {
  const objects = new Objects();
  objects.change([
    put(network('public-net', [], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } })),
    put(network('red-network', [])),
    put(
      port('port-one', 'red-network', 1, [
        ['s', '10.0.0.5'],
        ['t', 'FD00::5'],
      ]),
    ),
    put(port('port-two', 'red-network', 2, [], { attachment: { kind: 'none' } })),
    put(port('port-three', 'unknown-net', 3, [])),
  ]);
  return { objects, plan: () => planSwitch(objects, new SwitchMemory(), physical) };
}

test('from nothing: the bridge before its ports, the outer end with its one address', () => {
  const { plan } = world();
  assert.deepEqual(diffSwitchLinks(new Map(), new Map(), plan(), options), {
    ...NO_TUNNELS,
    leave: [],
    join: [
      'link add dev brqpublic-net mtu 1501 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      'link set dev brqpublic-net mtu 1500 up',
      'link add dev brqred-network mtu 1451 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      'link set dev brqred-network mtu 1450 up',
      'link add dev ph-public mtu 1500 type veth peer name cairn0 mtu 1500 netns 1',
      'link set dev ph-public master brqpublic-net up',
      'tuntap add dev tapport-one mode tap vnet_hdr group 64055',
      'link set dev tapport-one alias port-one,10.0.0.5,fd00::5',
      'link set dev tapport-one mtu 1450 master brqred-network up',
    ],
    outer: ['link set dev cairn0 addrgenmode none', 'addr replace 172.24.4.1/24 dev cairn0', 'link set dev cairn0 mtu 1500 up'],
    forget: [],
  });
});

test('nothing to do is nothing done', () => {
  const { plan } = world();
  const { links, outerLinks } = linksAfter(plan());
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan(), options), { ...NO_TUNNELS, leave: [], join: [], outer: [], forget: [] });
});

test('a port that goes leaves before its rules, and its connections are forgotten', () => {
  const { objects, plan } = world();
  const { links, outerLinks } = linksAfter(plan());
  objects.change([remove('port', 'port-one')]);
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan(), options), {
    ...NO_TUNNELS,
    leave: ['link delete dev tapport-one'],
    join: [],
    outer: [],
    forget: [
      { bridge: 'brqred-network', ip: '10.0.0.5' },
      { bridge: 'brqred-network', ip: 'fd00::5' },
    ],
  });
  objects.change([remove('network', 'red-network'), remove('network', 'public-net')]);
  const { leave, forget } = diffSwitchLinks(links, outerLinks, plan(), options);
  assert.deepEqual(
    leave,
    ['link delete dev brqpublic-net', 'link delete dev brqred-network', 'link delete dev tapport-one', 'link delete dev ph-public'].toSorted(
      (a, b) => leave.indexOf(a) - leave.indexOf(b),
    ),
  );
  assert.deepEqual(forget, [{ bridge: 'brqpublic-net' }, { bridge: 'brqred-network' }]);
});

test('an address that changes is noted and the old one forgotten; the tap stays', () => {
  const { objects, plan } = world();
  const { links, outerLinks } = linksAfter(plan());
  objects.change([
    put(
      port('port-one', 'red-network', 1, [
        ['t', 'fd00::5'],
        ['s', '10.0.0.6'],
      ]),
    ),
  ]);
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan(), options), {
    ...NO_TUNNELS,
    leave: [],
    join: ['link set dev tapport-one alias port-one,fd00::5,10.0.0.6'],
    outer: [],
    forget: [{ bridge: 'brqred-network', ip: '10.0.0.5' }],
  });
});

test('links of others in the switch are left alone', () => {
  const { plan } = world();
  const { links, outerLinks } = linksAfter(plan());
  const more = readLinks(
    JSON.stringify([
      { ifname: 'lo', link_type: 'loopback', flags: ['UP'] },
      { ifname: 'qr-11111111-22', linkinfo: { info_kind: 'veth' }, flags: ['UP'] },
      { ifname: 'somebodys', linkinfo: { info_kind: 'tun' }, flags: ['UP'] },
    ]),
  );
  assert.deepEqual(diffSwitchLinks(new Map([...links, ...more]), outerLinks, plan(), options).leave, []);
});

test('a tunnel is made where tunnels end, floods to its peers, and follows them as they come and go', () => {
  const objects = new Objects();
  const red = (peers: readonly string[], vni = 77) =>
    network('red-network', [], { segment: { type: 'vxlan', id: vni }, tunnel: { vni, udpPort: 4789, peers: [...peers] } });
  const plan = () => planSwitch(objects, new SwitchMemory(), {}, { netns: 'ends', localIp: '100.127.0.1' });
  objects.change([put(red(['100.127.0.2', '100.127.0.3']))]);
  const first = diffSwitchLinks(new Map(), new Map(), plan(), options);
  assert.deepEqual(first.tunnels, ['link add dev vx-red-network netns cairn-test-switch type vxlan id 77 local 100.127.0.1 dstport 4789 ttl 16']);
  assert.deepEqual(first.join.slice(2), [
    'link set dev vx-red-network alias 77,4789,100.127.0.1',
    'link set dev vx-red-network mtu 1450 master brqred-network up',
  ]);
  assert.deepEqual(first.floods, [
    'fdb append 00:00:00:00:00:00 dev vx-red-network dst 100.127.0.2',
    'fdb append 00:00:00:00:00:00 dev vx-red-network dst 100.127.0.3',
  ]);
  const { links, outerLinks, floods } = linksAfter(plan());
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan(), options, floods), { ...NO_TUNNELS, leave: [], join: [], outer: [], forget: [] });
  objects.change([put(red(['100.127.0.3', '100.127.0.4']))]);
  const moved = diffSwitchLinks(links, outerLinks, plan(), options, floods);
  assert.deepEqual([moved.leave, moved.tunnels, moved.join], [[], [], []]);
  assert.deepEqual(moved.floods, [
    'fdb append 00:00:00:00:00:00 dev vx-red-network dst 100.127.0.4',
    'fdb del 00:00:00:00:00:00 dev vx-red-network dst 100.127.0.2',
  ]);
  objects.change([put(red([], 78))]);
  const anew = diffSwitchLinks(links, outerLinks, plan(), options, floods);
  assert.deepEqual(anew.leave, ['link delete dev vx-red-network']);
  assert.equal(anew.tunnels.length, 1);
  assert.deepEqual(anew.floods, []);
});

test('a link to a bridge that hosts share gets no address, and joins that bridge when it is made', () => {
  const { objects } = world();
  const shared = { public: { linkName: 'p2', outerBridge: 'public' } };
  const plan = planSwitch(objects, new SwitchMemory(), shared);
  assert.deepEqual(diffSwitchLinks(new Map(), new Map(), plan, options).outer, ['link set dev p2 addrgenmode none mtu 1500 master public up']);
  const { links, outerLinks } = linksAfter(plan);
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan, options).outer, []);
});

test('a sub-port is a VLAN of its parent, made after it, made anew when it is another VLAN, and gone before it', () => {
  const { objects, plan } = world();
  const subport = (vlan: number, id = 'port-sub') =>
    put(port(id, 'public-net', 4, [['p', '172.24.4.9']], { attachment: { kind: 'subport', tap: `tap${id}`, parentTap: 'tapport-one', vlan } }));
  objects.change([
    subport(100),
    put(port('port-lost', 'red-network', 5, [], { attachment: { kind: 'subport', tap: 'tapport-lost', parentTap: 'tapnobody', vlan: 7 } })),
  ]);
  const fresh = diffSwitchLinks(new Map(), new Map(), plan(), options).join;
  assert.deepEqual(fresh.slice(-3), [
    'link add link tapport-one name tapport-sub type vlan id 100',
    'link set dev tapport-sub alias port-sub@tapport-one.100,172.24.4.9',
    // the network has 1500, the tap that it is of 1450
    'link set dev tapport-sub mtu 1450 master brqpublic-net up',
  ]);
  assert.ok(!fresh.some((command) => command.includes('port-lost')), 'a VLAN of no tap');
  const { links, outerLinks } = linksAfter(plan());
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan(), options).join, []);
  objects.change([subport(101)]);
  const changed = diffSwitchLinks(links, outerLinks, plan(), options);
  assert.deepEqual(changed.leave, ['link delete dev tapport-sub']);
  assert.equal(changed.join[0], 'link add link tapport-one name tapport-sub type vlan id 101');
  objects.change([remove('port', 'port-one')]);
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan(), options).leave, ['link delete dev tapport-sub', 'link delete dev tapport-one']);
});

test('a card brings a flat network and VLANs; what leads elsewhere is made anew', () => {
  const objects = new Objects();
  const vlan = (id: number) => network('blue-network', [], { mtu: 1500, segment: { type: 'vlan', id, physicalNetwork: 'wire' } });
  objects.change([put(vlan(101))]);
  const plan = (linkName: string) => planSwitch(objects, new SwitchMemory(), { wire: { linkName, isCard: true } });
  const ends = new Map([
    ['eth9', { name: 'eth9', kind: 'ether', mac: '', mtu: 1500, master: undefined, up: false, carrier: false, addresses: [], alias: undefined }],
  ]);
  const made = diffSwitchLinks(new Map(), ends, plan('eth9'), options);
  assert.deepEqual(
    made.cards.map(({ command }) => command),
    ['link set dev eth9 up', 'link add link eth9 name ph-wire netns cairn-test-switch type macvlan mode passthru'],
  );
  assert.deepEqual(made.join.slice(2), [
    'link set dev ph-wire alias eth9',
    'link set dev ph-wire nomaster up',
    'link add link ph-wire name pv-blue-networ type vlan id 101',
    'link set dev pv-blue-networ alias ph-wire.101',
    'link set dev pv-blue-networ master brqblue-networ up',
  ]);

  const { links, outerLinks } = linksAfter(plan('eth9'));
  const nothing = { ...NO_TUNNELS, leave: [], join: [], outer: [], forget: [] };
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan('eth9'), options), nothing);

  objects.change([put(vlan(102))]);
  const renumbered = diffSwitchLinks(links, outerLinks, plan('eth9'), options);
  assert.deepEqual(renumbered.leave, ['link delete dev pv-blue-networ']);
  assert.equal(renumbered.join[0], 'link add link ph-wire name pv-blue-networ type vlan id 102');

  const moved = diffSwitchLinks(links, outerLinks, plan('eth8'), options);
  assert.deepEqual(moved.leave, ['link delete dev pv-blue-networ', 'link delete dev ph-wire']);
  assert.equal(moved.cards.at(-1)?.command, 'link add link eth8 name ph-wire netns cairn-test-switch type macvlan mode passthru');

  objects.change([put(network('flat-network', [], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'wire' } })), remove('network', 'blue-network')]);
  const flat = diffSwitchLinks(links, outerLinks, plan('eth9'), options);
  assert.deepEqual(flat.leave.toSorted(), ['link delete dev brqblue-networ', 'link delete dev pv-blue-networ']);
  assert.deepEqual(flat.join.slice(2), ['link set dev ph-wire master brqflat-networ up']);
});
