import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { silentLog } from '@cairn/kit/log/log';
import { KernelFabric } from './fabric.ts';
import type { KernelFabricOptions } from './options.ts';

const options: KernelFabricOptions = {
  instance: 'test',
  dataDir: '/nowhere',
  runDir: '/nowhere',
  tapGroupGid: 0,
  physicalNetworks: { public: { linkName: 'cairn0', hostCidr: '172.24.4.1/24' } },
  callbacks: { metadata: async () => ({ status: 200, contentType: 'text/plain', body: '' }) },
  clock: systemClock,
  log: silentLog,
};

test('without root it says what to do', (t) => {
  t.mock.method(process as { getuid: () => number }, 'getuid', () => 1000);
  assert.throws(() => new KernelFabric(options), { name: 'Unavailable', message: /need root.*--hypervisor simulated/ });
});

test('options that would end up in commands are checked', (t) => {
  t.mock.method(process as { getuid: () => number }, 'getuid', () => 0);
  assert.equal(new KernelFabric(options).switchNamespace, 'cairn-test-switch');
  const bad: readonly Partial<KernelFabricOptions>[] = [
    { instance: '' },
    { instance: 'a-b' },
    { instance: 'x'.repeat(13) },
    { tapGroupGid: -1 },
    { runDir: 'relative' },
    { outerNetns: '../x' },
    { physicalNetworks: { p: { linkName: 'much-too-long-a-name', hostCidr: '10.0.0.1/24' } } },
    { physicalNetworks: { p: { linkName: 'a b', hostCidr: '10.0.0.1/24' } } },
    { physicalNetworks: { p: { linkName: 'ok', hostCidr: '10.0.0.1' } } },
    { physicalNetworks: { p: { linkName: 'ok', hostCidr: '10.0.0.1/33' } } },
  ];
  for (const more of bad) assert.throws(() => new KernelFabric({ ...options, ...more }), { name: 'InvalidInput' }, JSON.stringify(more));
});
