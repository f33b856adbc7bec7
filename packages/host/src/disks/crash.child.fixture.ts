import { open } from 'node:fs/promises';
import { LocalDisks } from './local-disks.ts';
import { PaperGuests, TEST_USER } from './disks.fixture.ts';

/**
 * Lives a busy life on the disks of a directory until it is killed: `node crash.child.fixture.ts DIRECTORY ROUND`. Says on stdout what is certain:
 * `disk ID BYTE` (exists, its first byte), `snapshot ID SNAPSHOT`, `gone ID` before it removes a disk.
 */
const [dataDir = '', round = ''] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const asRoot = process.getuid?.() === 0;
const disks = new LocalDisks({
  dataDir,
  openDisks: new PaperGuests(),
  openImage: () => Promise.reject(new Error('no images here')),
  ...(asRoot ? { user: TEST_USER } : {}),
});
await disks.start();
for (let i = 1; ; i++) {
  const [a, b, c] = ['a', 'b', 'c'].map((letter) => `${letter}-${round}-${i}`) as [string, string, string];
  const byte = 1 + (i % 250);
  await disks.create({ diskId: a, sizeBytes: 1 << 20, source: { kind: 'blank' }, pool: 'volume' });
  const top = (await disks.resolve(a)).layers[0];
  if (!top || !('path' in top)) throw new Error('not a file');
  const file = await open(top.path, 'r+');
  await file.write(Buffer.alloc(65_536, byte), 0, 65_536, 0);
  await file.close();
  say(`disk ${a} ${byte}`);
  await disks.snapshot(a, 's');
  say(`snapshot ${a} s`);
  await disks.create({ diskId: b, sizeBytes: 0, source: { kind: 'snapshot', diskId: a, snapshotId: 's' }, pool: 'volume' });
  say(`disk ${b} ${byte}`);
  await disks.create({ diskId: c, sizeBytes: 2 << 20, source: { kind: 'disk', diskId: b }, pool: 'ephemeral' });
  say(`disk ${c} ${byte}`);
  await disks.resize(b, 3 << 20);
  say(`unsnapshot ${a} s`);
  await disks.removeSnapshot(a, 's');
  say(`gone ${b}`);
  await disks.remove(b);
  if (i % 3 === 0) {
    say(`gone ${a}`);
    await disks.remove(a);
  }
}
