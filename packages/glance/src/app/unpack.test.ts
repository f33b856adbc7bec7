import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { unpacked } from './unpack.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-unpack-'));
after(() => rmSync(folder, { recursive: true }));
const inner = Buffer.from('what is inside '.repeat(1000));

/** A ZIP archive (APPNOTE.TXT 4.3) of these files. */
function zip(
  names: readonly string[],
  options: { readonly stored?: boolean; readonly flags?: number; readonly method?: number; readonly comment?: string } = {},
): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const name of names) {
    const data = options.stored ? inner : deflateRawSync(inner);
    const method = options.method ?? (options.stored ? 0 : 8);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(options.flags ?? 0, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(crc32(inner), 14);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(inner.length, 22);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(options.flags ?? 0, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(inner.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), data);
    centrals.push(central, Buffer.from(name));
    offset += 30 + name.length + data.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(Buffer.concat(centrals).length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(options.comment?.length ?? 0, 20);
  return Buffer.concat([...locals, ...centrals, end, Buffer.from(options.comment ?? '')]);
}

async function open(bytes: Buffer): Promise<Buffer | undefined> {
  const path = join(folder, 'file');
  writeFileSync(path, bytes);
  const stream = await unpacked(path);
  if (!stream) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
const isRefused = (error: unknown): boolean => (error as { type?: string }).type === 'ImageDataRefused';

test('gzip and ZIP archives of one file are unpacked, whatever the file is called', async () => {
  assert.deepEqual(await open(gzipSync(inner)), inner);
  assert.deepEqual(await open(zip(['disk.img'])), inner);
  assert.deepEqual(await open(zip(['../../etc/passwd'])), inner, 'the name is not used');
  assert.deepEqual(await open(zip(['disk.img'], { stored: true })), inner);
  assert.deepEqual(await open(zip(['disk.img'], { comment: 'a comment with PK in it' })), inner);
});

test('what is not packed is left alone', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(5000), inner]) assert.equal(await open(bytes), undefined);
});

test('what is damaged, encrypted, of several files or of other kinds is refused', async () => {
  const good = zip(['a']);
  for (const [what, bytes] of [
    ['two files', zip(['a', 'b'])],
    ['no file', zip([])],
    ['encrypted', zip(['a'], { flags: 1 })],
    ['another method', zip(['a'], { method: 12 })],
    ['cut', good.subarray(0, good.length - 30)],
    ['broken data', Buffer.concat([good.subarray(0, 40), Buffer.alloc(20, 0xff), good.subarray(60)])],
    ['LHA', Buffer.from('xx-lh5-xxxxxxxxx')],
    ['cut gzip', gzipSync(inner).subarray(0, 60)],
    ['broken gzip', Buffer.concat([gzipSync(inner).subarray(0, 20), Buffer.alloc(100, 0xff)])],
  ] as const)
    if (what === 'no file') assert.equal(await open(bytes), undefined, 'an archive of nothing does not even begin like one');
    else await assert.rejects(open(bytes), isRefused, what);
});
