import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf, pairsIn, pairsText, poolsIn, poolsText, routesIn, routesText, wordsIn } from './lines.ts';

test('pools, routes and pairs are read as they are written, and nothing else', () => {
  const pools = [{ start: '10.0.0.2', end: '10.0.0.9' }];
  assert.deepEqual(poolsIn(' 10.0.0.2 - 10.0.0.9 \n\n'), pools);
  assert.deepEqual(poolsIn(poolsText(pools)), pools);
  assert.deepEqual(poolsIn('fd00::2-fd00::9'), [{ start: 'fd00::2', end: 'fd00::9' }]);
  assert.equal(poolsIn('10.0.0.2'), undefined);

  const routes = [
    { destination: '10.1.0.0/16', nexthop: '10.0.0.1' },
    { destination: 'fd00::/8', nexthop: 'fe80::1' },
  ];
  assert.deepEqual(routesIn(routesText(routes)), routes);
  assert.deepEqual(routesIn('10.1.0.0/16 via 10.0.0.1\nfd00::/8 -> fe80::1'), routes);
  for (const text of ['10.1.0.0/16', '10.1.0.0 10.0.0.1', 'a b', '10.1.0.0/16, 10.0.0.1, x']) assert.equal(routesIn(text), undefined, text);

  const pairs = [{ ip_address: '10.0.0.9' }, { ip_address: '10.0.0.0/28', mac_address: 'fa:16:3e:00:00:01' }];
  assert.deepEqual(pairsIn(pairsText(pairs)), pairs);
  assert.equal(pairsIn('10.0.0.9 fa:16'), undefined);
  assert.deepEqual([poolsIn(''), routesIn('\n'), pairsIn(' ')], [[], [], []]);
});

test('words are parted by lines and commas', () => {
  assert.deepEqual(wordsIn(' 9.9.9.9,1.1.1.1 \n\n fd00::53,'), ['9.9.9.9', '1.1.1.1', 'fd00::53']);
});

test('an update says what is other, and no more', () => {
  const before = { name: 'a', gateway_ip: '10.0.0.1' as string | null, pools: [1, 2], dhcp: true };
  assert.deepEqual(changesOf(before, { name: 'a', gateway_ip: null, pools: [1, 2], dhcp: false }), { gateway_ip: null, dhcp: false });
  assert.deepEqual(changesOf(before, { pools: [2, 1], dhcp: undefined }), { pools: [2, 1] });
});
