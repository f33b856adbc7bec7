import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { inspectFile } from '../inspector/inspector.ts';
import { qcow2 } from '../inspector/corpus.fixture.ts';
import { simulatedConverter } from '../simulated/converter.ts';
import { QemuImageConverter } from './converter.ts';

const hasQemuImg = (): boolean => (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, 'qemu-img')));
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-convert-'));
});
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

test('an image goes from format to format and back, and holds what it held', async (t) => {
  if (!hasQemuImg()) return t.skip('qemu-img is not there');
  const disk = Buffer.concat([randomBytes(300_000), Buffer.alloc(748_576)]);
  writeFileSync(at('disk.raw'), disk);
  const converter = new QemuImageConverter();
  let from = { path: at('disk.raw'), format: 'raw' as 'raw' | 'qcow2' | 'vmdk' };
  for (const format of ['qcow2', 'vmdk', 'raw'] as const) {
    const path = at(`converted.${format}`);
    await converter.convert({ from, to: { path, format }, sourceBytes: disk.length });
    const facts = await inspectFile(path);
    assert.equal(facts.format, format);
    assert.deepEqual(facts.findings, []);
    assert.equal(facts.virtualSizeBytes, disk.length);
    assert.equal(statSync(path).mode & 0o777, 0o644);
    from = { path, format };
  }
  assert.ok(readFileSync(at('converted.raw')).equals(disk));
});

test('what cannot be converted leaves nothing', async (t) => {
  if (!hasQemuImg()) return t.skip('qemu-img is not there');
  const converter = new QemuImageConverter();
  writeFileSync(at('bad.qcow2'), qcow2({ backing: '/etc/hostname' }));
  writeFileSync(at('noise.vmdk'), randomBytes(5000));
  for (const [name, format] of [
    ['bad.qcow2', 'qcow2'],
    ['noise.vmdk', 'vmdk'],
  ] as const)
    await assert.rejects(
      converter.convert({ from: { path: at(name), format }, to: { path: at(`${name}.out`), format: 'raw' }, sourceBytes: 5000 }),
      (error) => (error as { type?: string }).type === 'ImageUnacceptable',
    );
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.out')),
    [],
  );
});

test('the simulated one makes images of the right format and size', async () => {
  writeFileSync(at('small.qcow2'), qcow2({}));
  const { virtualSizeBytes } = await inspectFile(at('small.qcow2'));
  await simulatedConverter.convert({ from: { path: at('small.qcow2'), format: 'qcow2' }, to: { path: at('small.raw'), format: 'raw' }, sourceBytes: 1 });
  assert.equal(statSync(at('small.raw')).size, virtualSizeBytes);
  await simulatedConverter.convert({ from: { path: at('small.raw'), format: 'raw' }, to: { path: at('again.qcow2'), format: 'qcow2' }, sourceBytes: 1 });
  assert.deepEqual([(await inspectFile(at('again.qcow2'))).format, (await inspectFile(at('again.qcow2'))).virtualSizeBytes], ['qcow2', virtualSizeBytes]);
});
