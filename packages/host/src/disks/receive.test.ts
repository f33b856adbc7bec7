import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import type { KeptDisks } from '../interface/disks.ts';
import { SimulatedAgent } from '../simulated/agent.ts';
import { SimulatedMachine } from '../simulated/machine.ts';
import { bench, hasQemuImg, MIB, writeTo } from './disks.fixture.ts';

/** Two hosts' disks, and a way to say what is in one of the first host's. */
interface TwoHosts {
  readonly source: KeptDisks;
  readonly dest: KeptDisks;
  /** Undefined where disks have no content. */
  readonly fill: ((diskId: string) => Promise<void>) | undefined;
  close(): Promise<void>;
}

const simulated = async (): Promise<TwoHosts> => {
  const disksOf = (name: string): KeptDisks => {
    const callbacks = { openImage: () => Promise.reject(new Error('no images')), metadata: () => Promise.reject(new Error('no guests')) };
    return new SimulatedAgent(name, { clock: systemClock, machine: new SimulatedMachine(name), callbacks }).disks;
  };
  return { source: disksOf('h1'), dest: disksOf('h2'), fill: undefined, close: async () => {} };
};

const real = async (): Promise<TwoHosts> => {
  const [source, dest] = [await bench(), await bench()];
  return {
    source: source.disks,
    dest: dest.disks,
    fill: (diskId) => writeTo(source.disks, source.guests, diskId, 7, MIB, MIB),
    close: async () => {
      for (const one of [source, dest]) await one.cleanUp();
    },
  };
};

const contentOf = async (disks: KeptDisks, diskId: string): Promise<string> =>
  createHash('sha256')
    .update(await buffer((await disks.export(diskId, { format: 'raw' })).stream))
    .digest('hex');

for (const [name, make, skip] of [
  ['in memory', simulated, false],
  ['in files', real, hasQemuImg ? false : 'needs qemu-img'],
] as const) {
  describe(`disks ${name}, from host to host`, { skip }, () => {
    test('a disk is the same on the host that received it, and can be changed there', async () => {
      const hosts = await make();
      try {
        const { source, dest } = hosts;
        await source.create({ diskId: 'a', sizeBytes: 8 * MIB, source: { kind: 'blank' }, pool: 'ephemeral' });
        await hosts.fill?.('a');
        const { stream } = await source.export('a', { format: 'qcow2' });
        const info = await dest.receive({ diskId: 'b', sizeBytes: 8 * MIB, pool: 'ephemeral' }, stream);
        assert.deepEqual([info.diskId, info.sizeBytes, info.snapshots], ['b', 8 * MIB, []]);
        if (hosts.fill) assert.equal(await contentOf(dest, 'b'), await contentOf(source, 'a'));
        assert.equal((await dest.resize('b', 16 * MIB)).sizeBytes, 16 * MIB);
        await dest.remove('b');
        assert.deepEqual(await dest.list(), []);
      } finally {
        await hosts.close();
      }
    });

    test('a disk that is there already is left as it is', async () => {
      const hosts = await make();
      try {
        await hosts.dest.create({ diskId: 'b', sizeBytes: 4 * MIB, source: { kind: 'blank' }, pool: 'ephemeral' });
        const info = await hosts.dest.receive({ diskId: 'b', sizeBytes: 8 * MIB, pool: 'ephemeral' }, Readable.from([Buffer.alloc(10)]));
        assert.equal(info.sizeBytes, 4 * MIB);
      } finally {
        await hosts.close();
      }
    });
  });
}

test('what is no standalone image of that size becomes no disk', { skip: hasQemuImg ? false : 'needs qemu-img' }, async () => {
  const hosts = await real();
  try {
    const { source, dest } = hosts;
    await source.create({ diskId: 'a', sizeBytes: 8 * MIB, source: { kind: 'blank' }, pool: 'ephemeral' });
    const image = await buffer((await source.export('a', { format: 'qcow2' })).stream);
    const refused = async (data: Buffer, sizeBytes = 8 * MIB): Promise<void> => {
      await assert.rejects(dest.receive({ diskId: 'b', sizeBytes, pool: 'ephemeral' }, Readable.from([data])), { kind: 'Unavailable' });
      assert.deepEqual(await dest.list(), []);
    };
    await refused(image, 4 * MIB);
    await refused(Buffer.from('not an image, and long enough to have a header of eighty bytes or more, I should think'));
    await refused(image.subarray(0, 40));
    const backed = Buffer.from(image);
    backed.writeBigUInt64BE(0x200n, 8);
    await refused(backed);
  } finally {
    await hosts.close();
  }
});
