import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspectFile } from '../inspector/inspector.ts';
import { run } from '../process/run.ts';
import { hasQemuImg } from './disks.fixture.ts';
import { backingName, writeEmptyQcow2 } from './qcow2-file.ts';
import { isEmptyLayer } from './qemu-img.ts';

const skip = !hasQemuImg && 'qemu-img is not installed';
const inDirectory = async (work: (dir: string) => Promise<void>): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-qcow2-'));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
const info = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse((await run('qemu-img', ['info', '-f', 'qcow2', '--output=json', path])).stdout) as Record<string, unknown>;

test('qemu-img finds no fault, of any size', { skip }, () =>
  inDirectory(async (dir) => {
    const path = join(dir, 'x.qcow2');
    for (const sizeBytes of [512, 1536, 2 ** 29, 2 ** 29 + 512, 2 ** 30, 10 * 2 ** 40, 2 ** 50]) {
      await writeFile(path, '');
      await writeEmptyQcow2(path, sizeBytes);
      assert.match((await run('qemu-img', ['check', '-f', 'qcow2', path])).stdout, /No errors were found/);
      const made = await info(path);
      assert.equal(made['virtual-size'], sizeBytes);
      assert.equal(made['backing-filename'], undefined);
      assert.equal(await isEmptyLayer(path), true);
      const facts = await inspectFile(path);
      assert.deepEqual([facts.format, facts.virtualSizeBytes, facts.findings], ['qcow2', sizeBytes, []]);
    }
  }),
);

test('it says what qemu-img would say, in all but names of features', { skip }, () =>
  inDirectory(async (dir) => {
    const base = join(dir, 'base.raw');
    await writeFile(base, '');
    await truncate(base, 1 << 20);
    const [ours, theirs] = [join(dir, 'ours.qcow2'), join(dir, 'theirs.qcow2')];
    await writeFile(ours, '');
    await writeEmptyQcow2(ours, 3 * 2 ** 30, { path: base, format: 'raw' });
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', 'base.raw', theirs, String(3 * 2 ** 30)]);
    const [a, b] = [await info(ours), await info(theirs)];
    for (const key of ['virtual-size', 'cluster-size', 'format', 'backing-filename', 'backing-filename-format', 'full-backing-filename', 'format-specific'])
      assert.deepEqual(a[key], b[key], key);
  }),
);

test('content written over it reads back, above its base', { skip }, () =>
  inDirectory(async (dir) => {
    const base = join(dir, 'base.raw');
    await writeFile(base, Buffer.alloc(1 << 20, 7));
    const path = join(dir, 'x.qcow2');
    await writeFile(path, '');
    const sizeBytes = 5 * 2 ** 30;
    await writeEmptyQcow2(path, sizeBytes, { path: base, format: 'raw' });
    const io = (...commands: string[]): Promise<unknown> => run('qemu-io', ['-f', 'qcow2', ...commands.flatMap((c) => ['-c', c]), path]);
    await io('read -P 7 0 1M', 'read -P 0 1M 1M', `write -P 9 ${sizeBytes - 65_536} 65536`, 'write -P 8 512k 4k');
    assert.equal(await isEmptyLayer(path), false);
    await io('read -P 7 0 512k', 'read -P 8 512k 4k', 'read -P 7 516k 508k', `read -P 9 ${sizeBytes - 65_536} 65536`);
    assert.match((await run('qemu-img', ['check', '-f', 'qcow2', path])).stdout, /No errors were found/);
    await run('qemu-img', ['resize', '-q', '-f', 'qcow2', path, String(6 * 2 ** 30)]);
    assert.match((await run('qemu-img', ['check', '-f', 'qcow2', path])).stdout, /No errors were found/);
  }),
);

test('sizes and names that cannot be are refused', async () => {
  for (const sizeBytes of [0, -512, 100, 2 ** 51, Number.NaN]) await assert.rejects(writeEmptyQcow2('/nowhere', sizeBytes));
  assert.equal(backingName('/d/volumes/a/x.qcow2', '/d/bases/b.raw'), '../../bases/b.raw');
  assert.throws(() => backingName('/d/a.qcow2', '/d/nbd:host'));
});
