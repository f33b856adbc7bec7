import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configOf } from './config.ts';
import { hasPublicWire, type NetworkConfig, networkOptions, physicalLinks } from './config-network.ts';

function networksIn(yaml: string): NetworkConfig {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-config-'));
  try {
    const config = join(dir, 'cairn.yaml');
    writeFileSync(config, `network:\n  physicalNetworks:\n${yaml}`);
    return configOf({ config }).network;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('zones of hosts, the numbers of DHCP servers and of hosts of a router, and where IPv6 prefixes come from are what the operator says', () => {
  const { network } = configOf({});
  const told = (config: NetworkConfig) => {
    const { availabilityZones, dhcpAgentsPerNetwork, l3AgentsPerRouter, ipv6PrefixDelegation } = networkOptions(config);
    return [availabilityZones, dhcpAgentsPerNetwork, l3AgentsPerRouter, ipv6PrefixDelegation];
  };
  assert.deepEqual(told(network), [{}, 1, 3, false]);
  const said = networksIn(
    '    a: { vlans: { first: 1, last: 9 } }\n  availabilityZones: { east: [vm-1] }\n  dhcpAgentsPerNetwork: 2\n  l3AgentsPerRouter: 0\n  ipv6PrefixDelegation: true\n',
  );
  assert.deepEqual(told(said), [{ east: ['vm-1'] }, 2, 0, true]);
});

test('without a word there is the public network alone, which the machine makes', () => {
  const { network } = configOf({});
  assert.deepEqual(networkOptions(network).physicalNetworks, { public: {} });
  assert.deepEqual(physicalLinks(network, 'h1', 'abcd'), {});
  assert.equal(hasPublicWire(network), false);
});

test('each host has its own of them, and neutron knows who has which', () => {
  const network = networksIn(`
    wire: { interface: eth1, vlans: { first: 100, last: 199 } }
    lab: { bridge: br0 }
    rack: { hosts: { h1: { interface: eth2 }, h2: { bridge: br2 } } }
    far: { interface: eth3, hosts: { h2: {} } }
    inside: {}
    public: { bridge: br-ex }
`);
  assert.deepEqual(networkOptions(network, ['h1']).physicalNetworks, {
    public: { isWired: true },
    wire: { vlans: [100, 199], isWired: true },
    lab: { isWired: true },
    rack: { hosts: ['h1', 'h2'], isWired: true },
    far: { hosts: ['h2'], isWired: true },
    inside: {},
  });
  const links = physicalLinks(network, 'h1', 'abcd');
  assert.deepEqual(Object.keys(links), ['wire', 'lab', 'rack', 'public']);
  assert.deepEqual(links.wire, { linkName: 'eth1', isCard: true, isInMachine: true });
  assert.deepEqual(links.rack, { linkName: 'eth2', isCard: true, isInMachine: true });
  assert.match(links.lab?.linkName ?? '', /^cairn-[0-9a-f]{9}$/);
  assert.equal(links.lab?.outerBridge, 'br0');
  assert.notEqual(links.lab?.linkName, links.public?.linkName);
  assert.notEqual(physicalLinks(network, 'h1', 'abcdh2').lab?.linkName, links.lab?.linkName, 'hosts of one machine have names apart');
  assert.deepEqual(Object.keys(physicalLinks(network, 'h2', 'abcd')), ['wire', 'lab', 'rack', 'far', 'public']);
  assert.equal(hasPublicWire(network), true);
});

test('what cannot be is named', () => {
  assert.throws(() => networkOptions(networksIn('    a: { interface: eth1, bridge: br0 }\n')), /network\.physicalNetworks\.a has an interface and a bridge/);
  assert.throws(() => networkOptions(networksIn('    a: { vlans: { first: 9, last: 8 } }\n')), /a\.vlans: the first, 9, is greater than the last, 8/);
  assert.throws(
    () => networkOptions(networksIn('    a: { interface: eth1 }\n'), ['h1', 'h2']),
    /the interface eth1 is network\.physicalNetworks\.a on h1's already/,
  );
  assert.throws(() => networkOptions(networksIn('    a: { interface: eth1 }\n    b: { interface: eth1 }\n'), ['h1']), /what several share is a bridge/);
  assert.throws(() => networksIn('    a: { interface: "eth1; reboot" }\n'), /interface/);
});
