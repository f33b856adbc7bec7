import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process/run.ts';

export const SECRET = randomBytes(32).toString('hex');
export const KEY = { keyId: 'key-1', cipher: 'aes-xts-plain64', keyBits: 256 } as const;
export const diskKey = async (keyId: string): Promise<string> => {
  if (keyId.startsWith('key-')) return SECRET;
  throw new Error(`no key ${keyId}`);
};

/** What a LUKS disk holds, read by QEMU with a passphrase; rejects when the passphrase is not its own. */
export async function decrypted(stored: Buffer, passphrase = SECRET): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-luks-'));
  try {
    const [disk, key, plain] = [join(dir, 'disk'), join(dir, 'key'), join(dir, 'plain')];
    await writeFile(disk, stored);
    await writeFile(key, passphrase, { mode: 0o600 });
    const source = `driver=luks,key-secret=k,file.driver=file,file.filename=${disk}`;
    await run('qemu-img', ['convert', '--object', `secret,id=k,file=${key}`, '--image-opts', '-O', 'raw', source, plain]);
    return await readFile(plain);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
