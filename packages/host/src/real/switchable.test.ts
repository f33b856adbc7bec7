import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import type { HostEvent } from '../interface/agent.ts';
import { SimulatedAgent } from '../simulated/agent.ts';
import { SimulatedMachine } from '../simulated/machine.ts';
import { SwitchableHost } from './switchable.ts';

const spec = { guestId: 'g', name: 'g', vcpus: 1, memoryMb: 64, firmware: 'bios', disks: [], nics: [] } as const;

test('a host that is switched off loses its guests and answers nothing; its cables go in again once it knows its network', async () => {
  const machine = new SimulatedMachine('h1');
  const agent = new SimulatedAgent('h1', { clock: systemClock, machine });
  const cables: string[] = [];
  const host = new SwitchableHost(agent, { cut: async () => void cables.push('cut'), join: async () => void cables.push('join') });
  const events: HostEvent[] = [];
  host.onEvent((event) => events.push(event));
  await host.guests.start(spec);
  await host.disks.create({ diskId: 'd', sizeBytes: 1024, source: { kind: 'blank' }, pool: 'ephemeral' });

  await host.powerOff();
  await host.powerOff();
  assert.deepEqual([host.isOff, cables], [true, ['cut']]);
  assert.equal(machine.guests.get('g')?.state, 'shutdown');
  for (const call of [() => host.guests.list(), () => host.disks.list(), () => host.fabric.status(), () => host.describe()])
    await assert.rejects(call(), { kind: 'Unavailable' });
  agent.guests.happen('g', 'crashed', 'nobody hears it');
  assert.deepEqual(events, []);

  await host.powerOn();
  assert.deepEqual(cables, ['cut']);
  await host.fabric.apply([]);
  await host.fabric.apply([]);
  assert.deepEqual(cables, ['cut', 'join']);
  assert.equal((await host.disks.list()).length, 1, 'what was on its disks is there');
  await host.guests.start(spec);
});
