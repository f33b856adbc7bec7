import { createCipheriv, createHash, pbkdf2, randomBytes, randomUUID } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { checkEncryption } from '../interface/disk-encryption.ts';
import { type DiskEncryption, LUKS_HEADER_BYTES } from '../interface/disks.ts';

/**
 * Headers of LUKS, version 1, written by hand (the LUKS On-Disk Format Specification 1.2.3), as `cryptsetup luksFormat --type luks1` and `qemu-img create
 * -f luks` write them: both open them, which the tests show. By hand they take milliseconds instead of the seconds by which those two find out how slow this
 * machine makes a guess at a passphrase. The passphrase here is a random key of 256 bits or more, so nobody guesses it, and few iterations do.
 */
const SECTOR = 512;
const HEADER_BYTES = 592;
const STRIPES = 4000;
const SLOTS = 8;
const SLOT_ENABLED = 0x00ac71f3;
const SLOT_DISABLED = 0x0000dead;
/** The least that cryptsetup lets anybody use is 1000. */
const ITERATIONS = 2000;
const DIGEST_BYTES = 20;
const SALT_BYTES = 32;
const HASH = 'sha256';
const HASH_BYTES = 32;
const ALIGNMENT = 4096;

const derive = promisify(pbkdf2);

/** The head of a disk whose key is in slot 0, to be opened with `passphrase`. It ends before the data, which begin at LUKS_HEADER_BYTES. */
export async function luksHeader(passphrase: string, encryption: Pick<DiskEncryption, 'cipher' | 'keyBits'>): Promise<Buffer> {
  checkEncryption(encryption);
  const keyBytes = encryption.keyBits / 8;
  const [cipher, ...mode] = encryption.cipher.split('-') as [string, ...string[]];
  const masterKey = randomBytes(keyBytes);
  const [digestSalt, slotSalt] = [randomBytes(SALT_BYTES), randomBytes(SALT_BYTES)];
  const [digest, slotKey] = await Promise.all([
    derive(masterKey, digestSalt, ITERATIONS, DIGEST_BYTES, HASH),
    derive(passphrase, slotSalt, ITERATIONS, keyBytes, HASH),
  ]);
  const slotBytes = align(keyBytes * STRIPES);
  const head = Buffer.alloc(ALIGNMENT + slotBytes);
  head.write('LUKS\xba\xbe', 0, 'latin1');
  head.writeUInt16BE(1, 6);
  head.write(cipher, 8, 32, 'latin1');
  head.write(mode.join('-'), 40, 32, 'latin1');
  head.write(HASH, 72, 32, 'latin1');
  head.writeUInt32BE(LUKS_HEADER_BYTES / SECTOR, 104);
  head.writeUInt32BE(keyBytes, 108);
  digest.copy(head, 112);
  digestSalt.copy(head, 132);
  head.writeUInt32BE(ITERATIONS, 164);
  head.write(randomUUID(), 168, 40, 'latin1');
  for (let slot = 0; slot < SLOTS; slot++) {
    const at = HEADER_BYTES - SLOTS * 48 + slot * 48;
    head.writeUInt32BE(slot === 0 ? SLOT_ENABLED : SLOT_DISABLED, at);
    head.writeUInt32BE(slot === 0 ? ITERATIONS : 0, at + 4);
    if (slot === 0) slotSalt.copy(head, at + 8);
    head.writeUInt32BE((ALIGNMENT + slot * slotBytes) / SECTOR, at + 40);
    head.writeUInt32BE(STRIPES, at + 44);
  }
  encryptXts(split(masterKey), slotKey).copy(head, ALIGNMENT);
  masterKey.fill(0);
  slotKey.fill(0);
  return head;
}

/** Makes the empty or zeroed file at `path` an encrypted disk: a header, and `sizeBytes` of data that nobody has written yet. */
export async function writeLuks(path: string, sizeBytes: number, passphrase: string, encryption: Pick<DiskEncryption, 'cipher' | 'keyBits'>): Promise<void> {
  const head = await luksHeader(passphrase, encryption);
  const file: FileHandle = await open(path, 'r+');
  try {
    await file.truncate(LUKS_HEADER_BYTES + sizeBytes);
    await file.write(head, 0, head.length, 0);
  } finally {
    await file.close();
  }
}

const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Spreads a key over all stripes, so that the loss of any bit of them loses the key (the specification's AFsplit). */
function split(key: Buffer): Buffer {
  const stripes = randomBytes(key.length * STRIPES);
  let mixed = Buffer.alloc(key.length);
  for (let stripe = 0; stripe < STRIPES - 1; stripe++) mixed = diffuse(xor(mixed, stripes.subarray(stripe * key.length, (stripe + 1) * key.length)));
  xor(mixed, key).copy(stripes, (STRIPES - 1) * key.length);
  return stripes;
}

function diffuse(block: Buffer): Buffer<ArrayBuffer> {
  const out = Buffer.alloc(block.length);
  const number = Buffer.alloc(4);
  for (let at = 0, i = 0; at < block.length; at += HASH_BYTES, i++) {
    number.writeUInt32BE(i);
    createHash(HASH)
      .update(number)
      .update(block.subarray(at, at + HASH_BYTES))
      .digest()
      .copy(out, at, 0, Math.min(HASH_BYTES, block.length - at));
  }
  return out;
}

function xor(a: Buffer, b: Buffer): Buffer<ArrayBuffer> {
  const out = Buffer.alloc(a.length);
  for (let i = 0; i < a.length; i++) out[i] = (a[i] as number) ^ (b[i] as number);
  return out;
}

/** XTS with the number of each sector as its tweak (plain64). */
function encryptXts(data: Buffer, key: Buffer): Buffer {
  const sectors: Buffer[] = [];
  for (let sector = 0; sector * SECTOR < data.length; sector++) {
    const tweak = Buffer.alloc(16);
    tweak.writeBigUInt64LE(BigInt(sector));
    const cipher = createCipheriv(key.length === 64 ? 'aes-256-xts' : 'aes-128-xts', key, tweak);
    sectors.push(cipher.update(data.subarray(sector * SECTOR, (sector + 1) * SECTOR)), cipher.final());
  }
  return Buffer.concat(sectors);
}
