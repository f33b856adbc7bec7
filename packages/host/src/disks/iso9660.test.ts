import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { inspectBytes } from '../inspector/inspector.ts';
import { run } from '../process/run.ts';
import { writeIso } from './iso9660.ts';

const files = new Map<string, Buffer>([
  ['openstack/latest/meta_data.json', Buffer.from('{"uuid": "x"}')],
  ['openstack/latest/user_data', Buffer.alloc(5000, 'u')],
  ['openstack/2012-08-10/meta_data.json', Buffer.from('{}')],
  ['openstack/content/0000', Buffer.alloc(0)],
  ['ec2/latest/meta-data.json', Buffer.from('{"instance-id": "i-1"}')],
  ['ünïcode name.txt', Buffer.from('name')],
  // More names than one sector of a directory holds.
  ...Array.from({ length: 60 }, (_, i): [string, Buffer] => [`many/a-rather-long-file-name-number-${i}.json`, Buffer.from(String(i))]),
]);

test('the same files give the same bytes, whatever their order', () => {
  const image = writeIso('config-2', files);
  assert.ok(writeIso('config-2', new Map([...files].toReversed())).equals(image));
  const facts = inspectBytes(image);
  assert.equal(facts.format, 'iso');
  assert.equal(facts.virtualSizeBytes, image.length);
});

test('names that lead elsewhere or do not fit are refused', () => {
  for (const path of ['', '/etc/passwd', 'a//b', '../x', 'a/../b', 'a\nb', 'a\0b', 'x'.repeat(111), 'a/b/c/d/e/f/g/h/i', 'é'.repeat(60)]) {
    assert.throws(
      () => writeIso('config-2', new Map([[path, Buffer.from('x')]])),
      (error) => isCairnError(error, 'InvalidInput'),
      JSON.stringify(path),
    );
  }
  assert.throws(() =>
    writeIso(
      'config-2',
      new Map([
        ['a', Buffer.alloc(1)],
        ['a/b', Buffer.alloc(1)],
      ]),
    ),
  );
  for (const label of ['', 'x'.repeat(17), 'a\n']) assert.throws(() => writeIso(label, files));
});

const has = (command: string): Promise<boolean> =>
  run('sh', ['-c', 'command -v "$1"', 'sh', command]).then(
    () => true,
    () => false,
  );
const [hasIsoinfo, hasBlkid, hasXorriso] = await Promise.all([has('isoinfo'), has('blkid'), has('xorriso')]);

test('other programs read every file, by Rock Ridge and by Joliet names', { skip: !hasIsoinfo && 'isoinfo is not installed' }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-iso-'));
  try {
    const path = join(dir, 'x.iso');
    await writeFile(path, writeIso('config-2', files));
    for (const flags of [['-R'], ['-J', '-j', 'iso8859-1']]) {
      const { stdout } = await run('isoinfo', ['-i', path, ...flags, '-f']);
      const listed = stdout.split('\n').filter(Boolean);
      for (const name of files.keys()) if (/^[\x20-\x7e]+$/.test(name)) assert.ok(listed.includes(`/${name}`), `${flags.join(' ')} lists ${name}`);
      const { stdout: data } = await run('isoinfo', ['-i', path, ...flags, '-x', '/openstack/latest/user_data']);
      assert.equal(data, 'u'.repeat(5000));
    }
    const { stdout } = await run('isoinfo', ['-i', path, '-d']);
    assert.match(stdout, /Volume id: config-2/);
    assert.match(stdout, /Rock Ridge signatures version 1 found/);
    if (hasBlkid) assert.match((await run('blkid', ['-p', '-o', 'export', path])).stdout, /LABEL=config-2\n/);
    if (hasXorriso) {
      const out = join(dir, 'out');
      await run('xorriso', ['-osirrox', 'on', '-indev', path, '-extract', '/', out], { timeoutMs: 30_000 });
      for (const [name, data] of files) assert.deepEqual(await readFile(join(out, name)), data, name);
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
