import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import type { GuestSpec } from '../interface/guests.ts';
import { SimulatedAgent } from './agent.ts';
import { MachineJournal } from './journal.ts';
import { SimulatedMachine } from './machine.ts';

const blank = (diskId: string) => ({ diskId, sizeBytes: 2 ** 30, pool: 'volume' as const, source: { kind: 'blank' as const } });

test('what simulated hosts hold outlives any end of the process, up to the last call that returned', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-machines-'));
  const file = join(folder, 'simulated.json');
  const make = () => ['a', 'b'].map((host) => new SimulatedAgent(host, { clock: systemClock, machine: new SimulatedMachine(host) }));
  try {
    const [a, b] = make() as [SimulatedAgent, SimulatedAgent];
    MachineJournal.open(file, [a.machine, b.machine]);
    await a.disks.create(blank('d1'));
    await a.disks.create(blank('d2'));
    await a.disks.remove('d2');
    await a.disks.snapshot('d1', 's1');
    await b.disks.create(blank('d3'));
    await a.guests.start({ guestId: 'g', name: 'g', memoryMb: 64, vcpus: 1, disks: [{ diskId: 'd1', device: 'vda' }], nics: [] } as unknown as GuestSpec);
    await a.guests.pause('g');
    const before = [a, b].map((agent) => agent.machine.inspect());
    // the process ends in the middle of a line
    appendFileSync(`${file}.journal`, '["a","disks","d9",{"dis');
    for (let life = 0; life < 2; life++) {
      const again = make();
      const journal = MachineJournal.open(
        file,
        again.map((agent) => agent.machine),
      );
      assert.deepEqual(
        again.map((agent) => agent.machine.inspect()),
        before,
      );
      if (life === 1) journal.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
