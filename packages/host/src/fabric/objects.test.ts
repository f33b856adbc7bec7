import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Objects } from './objects.ts';
import { group, macOf, network, port, put, remove, router } from './testing/objects.ts';

const ids = (ports: Iterable<{ readonly id: string }>): string[] => [...ports].map(({ id }) => id).toSorted();

test('indexes follow what is put, put anew and removed', () => {
  const objects = new Objects();
  objects.change([
    put(network('n1', [])),
    put(network('n2', [])),
    put(
      port(
        'p1',
        'n1',
        1,
        [
          ['s', '10.0.0.5'],
          ['t', 'FD00::5'],
        ],
        { securityGroups: ['g', 'h'] },
      ),
    ),
    put(router('r', { interfaces: [{ portId: 'x', networkId: 'n1', mac: macOf(1), addresses: [] }] })),
  ]);
  assert.deepEqual(
    [ids(objects.portsOf('n1')), ids(objects.membersOf('g')), [...objects.routersOf('n1')], objects.portAt('n1', 'fd00::5')?.id],
    [['p1'], ['p1'], ['r'], 'p1'],
  );
  objects.change([put(port('p1', 'n2', 1, [['s', '10.0.0.6']], { securityGroups: ['h'], attachment: { kind: 'none' } })), remove('router', 'r')]);
  assert.deepEqual(
    [ids(objects.portsOf('n1')), ids(objects.portsOf('n2')), ids(objects.membersOf('g')), ids(objects.membersOf('h')), [...objects.routersOf('n1')]],
    [[], ['p1'], [], ['p1'], []],
  );
  assert.equal(objects.portAt('n1', '10.0.0.5'), undefined);
  assert.equal(objects.guestPorts.size, 0);
  objects.change([remove('port', 'p1'), remove('port', 'never-there')]);
  assert.equal(objects.portAt('n2', '10.0.0.6'), undefined);
});

test('an address that moves between ports belongs to the last', () => {
  const objects = new Objects();
  objects.change([put(port('p1', 'n', 1, [['s', '10.0.0.5']])), put(port('p2', 'n', 2, [['s', '10.0.0.5']]))]);
  objects.change([remove('port', 'p1')]);
  assert.equal(objects.portAt('n', '10.0.0.5')?.id, 'p2');
});

test('two objects that need the same link are refused, and nothing of that change stays', () => {
  const objects = new Objects();
  const one = network('aaaaaaaa-bb-1', []);
  const before = port('p1', 'n', 1, [], { securityGroups: ['g'] });
  objects.change([put(one), put(before), put(group('g', []))]);
  assert.throws(() => objects.change([remove('securityGroup', 'g'), put({ ...before, securityGroups: [] }), put(network('aaaaaaaa-bb-2', []))]), {
    name: 'Conflict',
    message: /brqaaaaaaaa-bb is that of network aaaaaaaa-bb-1/,
  });
  assert.ok(objects.groups.has('g'));
  assert.equal(objects.ports.get('p1'), before);
  assert.deepEqual(ids(objects.membersOf('g')), ['p1']);
  objects.change([remove('network', 'aaaaaaaa-bb-1'), put(network('aaaaaaaa-bb-2', []))]);
  assert.ok(objects.networks.has('aaaaaaaa-bb-2'));
});
