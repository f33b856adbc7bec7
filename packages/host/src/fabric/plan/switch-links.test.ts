import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLinks } from '../kernel/links.ts';
import { Objects } from '../objects.ts';
import { network, port, put, remove } from '../testing/objects.ts';
import { SwitchMemory } from './memory.ts';
import { planSwitch } from './switch.ts';
import { diffSwitchLinks, linksAfter } from './switch-links.ts';

const options = { tapGroupGid: 64055, switchNamespace: 'cairn-test-switch', outerNetns: '1' };
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
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan(), options), { leave: [], join: [], outer: [], forget: [] });
});

test('a port that goes leaves before its rules, and its connections are forgotten', () => {
  const { objects, plan } = world();
  const { links, outerLinks } = linksAfter(plan());
  objects.change([remove('port', 'port-one')]);
  assert.deepEqual(diffSwitchLinks(links, outerLinks, plan(), options), {
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
