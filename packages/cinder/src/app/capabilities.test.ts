import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches, unsatisfied } from './capabilities.ts';

for (const [offered, wanted, expected] of [
  ['cairn', 'cairn', true],
  ['cairn', 'lvm', false],
  [true, '<is> True', true],
  [false, '<is> True', false],
  [true, 'True', false],
  [10, '>= 5', true],
  [10, '= 20', false],
  [10, '== 10.0', true],
  ['12', 's== 123', false],
  ['iSCSI_file', '<in> file', true],
  ['b', '<or> a <or> b', true],
  ['c', '<or> a <or> b', false],
  ['x', '>= 1', false],
  [10, '>=', false],
] as const)
  test(`${offered} ${expected ? 'satisfies' : 'does not satisfy'} "${wanted}"`, () => assert.equal(matches(offered, wanted), expected));

test('specs of other scopes are not for the scheduler; unknown capabilities are not there', () => {
  const capabilities = { vendor_name: 'Cairn' };
  assert.equal(unsatisfied({ 'provisioning:max_vol_size': '3', 'capabilities:vendor_name': 'Cairn' }, capabilities), undefined);
  assert.match(unsatisfied({ odd: 'x' }, capabilities) ?? '', /no capability odd/);
  assert.match(unsatisfied({ vendor_name: 'Acme' }, capabilities) ?? '', /its vendor_name is Cairn, not Acme/);
});
