import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inKernelGuest, noKernelGuest } from '../support/kernel-guest.ts';

// What Cairn uses of a kernel and few machines for tests have: these tests run where they can with the unit tests, and here anywhere.
const FILE = 'packages/host/src/fabric/trunks.test.ts';
const skip = process.env.CAIRN_TEST_KERNEL_GUEST === 'require' ? false : (noKernelGuest ?? false);

test('trunks pass packets under a kernel that has VLAN devices', { skip }, async () => {
  assert.equal(noKernelGuest, undefined);
  const { code, output } = await inKernelGuest([process.execPath, '--test', '--test-reporter=spec', '--test-timeout=1200000', '--test-isolation=none', FILE], {
    modules: ['8021q', 'tun', 'bridge', 'veth', 'br_netfilter'],
    timeoutMs: 1_500_000,
  });
  assert.equal(code, 0, output.slice(-4000));
  assert.match(output, /^ℹ skipped 0$/m);
  assert.match(output, /^ℹ pass [1-9]\d*$/m);
});
