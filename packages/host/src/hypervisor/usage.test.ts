import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { VirtualClock } from '@cairn/kit/clock/virtual';
import { silentLog } from '@cairn/kit/log/log';
import { USAGE_EVERY_MS, USAGE_KEPT_MS, type UsageSample } from '../interface/guests.ts';
import { identify } from './process-identity.ts';
import { noQemu, TestHost } from './qemu.fixture.ts';
import { laterThan, type SampledGuest, UsageSampler, usageOf } from './usage.ts';

const sample = (atMs: number): UsageSample => ({ atMs, cpuTimeNs: atMs, memoryUsedMb: 1 });

test('times and memory are read whatever the process is called, and not of another process with the same number', () => {
  const stat = `7 (qemu) ) S 1${' 0'.repeat(9)} 250 50${' 0'.repeat(6)} 4711 0 2560 0 0\n`;
  assert.deepEqual(usageOf(stat, 4711), { cpuTimeNs: 3e9, memoryUsedMb: 10 });
  assert.equal(usageOf(stat, 4712), undefined);
});

test('what came after a moment has the sample before it in front', () => {
  const samples = [sample(10), sample(20), sample(30)];
  assert.deepEqual(laterThan(samples, 20), [sample(20), sample(30)]);
  assert.deepEqual(laterThan(samples, 0), samples);
  assert.deepEqual(laterThan(samples, 30), [sample(30)]);
  assert.deepEqual(laterThan([], 30), []);
});

test('the last half hour is kept of each guest, and nothing of those that are long gone', async (t) => {
  const child = spawn(process.execPath, ['-e', 'const end = Date.now() + 300; while (Date.now() < end); setInterval(() => {}, 1000)']);
  t.after(() => child.kill());
  const identity = identify(child.pid as number);
  assert.ok(identity);
  const clock = new VirtualClock();
  let running: readonly SampledGuest[] = [
    { guestId: 'a', vcpus: 2, process: identity },
    { guestId: 'dead', vcpus: 1, process: { ...identity, startTicks: 1 } },
  ];
  const sampler = new UsageSampler({ clock, log: silentLog, running: () => running });
  const steps = USAGE_KEPT_MS / USAGE_EVERY_MS + 20;
  for (let i = 0; i < steps; i++) {
    await clock.advance(USAGE_EVERY_MS);
    await sampler.sample();
  }
  const [usage, ...others] = sampler.usage({ sinceMs: 0 });
  assert.deepEqual([usage?.guestId, usage?.vcpus, others.length], ['a', 2, 0]);
  assert.equal(usage?.samples.length, USAGE_KEPT_MS / USAGE_EVERY_MS + 1);
  assert.ok((usage?.samples.at(-1)?.memoryUsedMb ?? 0) > 5);
  assert.deepEqual(sampler.usage({ guestIds: ['dead', 'x'], sinceMs: 0 }), []);
  running = [];
  await clock.advance(USAGE_KEPT_MS + 1);
  await sampler.sample();
  assert.deepEqual(sampler.usage({ sinceMs: 0 }), []);
});

test('a guest is sampled while it runs', { skip: noQemu }, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  await host.guests.start(spec);
  // the host looks by itself; sooner or later there is one
  let samples: readonly UsageSample[] = [];
  for (let i = 0; i < 1_200 && samples.length === 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    samples = (await host.guests.usage({ guestIds: [spec.guestId], sinceMs: 0 }))[0]?.samples ?? [];
  }
  assert.ok((samples[0]?.cpuTimeNs ?? 0) > 1e6 && (samples[0]?.memoryUsedMb ?? 0) > 10, JSON.stringify(samples));
});
