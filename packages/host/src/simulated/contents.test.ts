import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { SimulatedAgent } from './agent.ts';

test('what a simulated disk holds goes along with copies, snapshots, exports and ways back', async () => {
  const [a, b] = ['a', 'b'].map((host) => new SimulatedAgent(host, { clock: systemClock })) as [SimulatedAgent, SimulatedAgent];
  const make = (diskId: string, source: Parameters<typeof a.disks.create>[0]['source']) =>
    a.disks.create({ diskId, sizeBytes: 2 ** 30, pool: 'volume', source });
  const holds = (agent: SimulatedAgent, diskId: string): string | undefined => agent.machine.disks.get(diskId)?.content;
  const write = (diskId: string, content: string): void => {
    Object.assign(a.machine.disks.get(diskId) ?? {}, { content });
  };
  await make('one', { kind: 'blank' });
  await a.disks.snapshot('one', 'blank');
  write('one', '1');
  await make('copy', { kind: 'disk', diskId: 'one' });
  await a.disks.snapshot('one', 's');
  write('one', '2');
  await make('of-snapshot', { kind: 'snapshot', diskId: 'one', snapshotId: 's' });
  for (const [diskId, snapshotId] of [['raw'], ['qcow2'], ['old', 's'], ['empty', 'blank']] as const) {
    const { stream } = await a.disks.export('one', { format: diskId === 'raw' ? 'raw' : 'qcow2', ...(snapshotId && { snapshotId }) });
    await b.disks.receive({ diskId, sizeBytes: 2 ** 30, pool: 'volume' }, stream);
  }
  assert.deepEqual([holds(a, 'copy'), holds(a, 'of-snapshot')], ['1', '1']);
  assert.deepEqual(
    ['raw', 'qcow2', 'old', 'empty'].map((diskId) => holds(b, diskId)),
    ['2', '2', '1', undefined],
  );
  await a.disks.revert('one', 's');
  assert.equal(holds(a, 'one'), '1');
  await a.disks.removeSnapshot('one', 's');
  await a.disks.revert('one', 'blank');
  assert.equal(holds(a, 'one'), undefined);
});
