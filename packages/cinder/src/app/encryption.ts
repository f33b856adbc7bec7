import { checkEncryption } from '@cairn/host/interface/disk-encryption';
import { type DiskEncryption, type DiskInfo, LUKS_HEADER_BYTES } from '@cairn/host/interface/disks';
import { type CairnError, conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { deleteEncryption, encryptionOf, insertEncryption, updateEncryption } from '../store/qos.ts';
import type { EncryptionRow, VolumeRow } from '../store/tables.ts';
import { typeHasVolumes } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import type { Caller } from './caller.ts';
import { getType } from './types.ts';

const GIB = 2 ** 30;

export interface EncryptionSpecs {
  readonly provider?: string;
  readonly control_location?: string;
  readonly cipher?: string | null;
  readonly key_size?: number | null;
}

const absent = (typeId: string) => notFound(`Volume type encryption for type ${typeId} does not exist.`, { type: 'VolumeTypeEncryptionNotFound' });

async function refuseUsed(tx: Tx, typeId: string, verb: 'create' | 'update' | 'delete'): Promise<void> {
  const used = verb === 'create' ? await typeHasVolumes(tx, typeId) : (await encryptionOf(tx, typeId)) !== undefined && (await typeHasVolumes(tx, typeId));
  if (used) throw invalidInput(`Cannot ${verb} encryption specs. Volume type in use.`);
}

export async function getEncryption(app: CinderApp, caller: Caller, typeId: string): Promise<EncryptionRow | undefined> {
  const db = app.deps.env.store.read;
  await getType(db, caller.ctx, typeId);
  return encryptionOf(db, typeId);
}

/** How volumes of a type are encrypted; undefined where they are not. */
export const encryptionOfType = (db: Db, typeId: string): Promise<EncryptionRow | undefined> => encryptionOf(db, typeId);

export async function createEncryption(app: CinderApp, caller: Caller, typeId: string, specs: EncryptionSpecs): Promise<EncryptionRow> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    await refuseUsed(tx, typeId, 'create');
    await getType(tx, caller.ctx, typeId);
    if (await encryptionOf(tx, typeId)) throw conflictOf(typeId);
    const row: EncryptionRow = {
      type_id: typeId,
      id: env.ids.uuid(),
      provider: specs.provider ?? '',
      control_location: specs.control_location ?? 'front-end',
      cipher: specs.cipher ?? null,
      key_size: specs.key_size ?? null,
      created_at_ms: env.clock.nowMs(),
      updated_at_ms: null,
    };
    await insertEncryption(tx, row);
    return row;
  });
}

/** Upstream answers 400 (VolumeTypeEncryptionExists is an Invalid). */
const conflictOf = (typeId: string) => invalidInput(`Volume type encryption for type ${typeId} already exists.`, { type: 'VolumeTypeEncryptionExists' });

export async function changeEncryption(app: CinderApp, caller: Caller, typeId: string, specs: EncryptionSpecs): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    await getType(tx, caller.ctx, typeId);
    await refuseUsed(tx, typeId, 'update');
    if (!(await updateEncryption(tx, typeId, specs as Partial<EncryptionRow>, env.clock.nowMs()))) throw absent(typeId);
  });
}

export async function removeEncryption(app: CinderApp, typeId: string): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    await refuseUsed(tx, typeId, 'delete');
    if (!(await deleteEncryption(tx, typeId))) throw absent(typeId);
  });
}

/** Upstream's older names for the same encryptor (os_brick.encryptors). */
const LUKS = ['luks', 'nova.volume.encryptors.luks.LuksEncryptor', 'os_brick.encryptors.luks.LuksEncryptor', 'LuksEncryptor'];

/** A cipher and the length of its keys. */
export interface Cipher {
  readonly cipher: string;
  readonly keyBits: number;
}

/**
 * How new volumes of a type are encrypted; undefined where they are not. Throws where they should be and cannot, so that none is made in the clear: hosts decrypt
 * (front-end) LUKS, version 1, in QEMU.
 */
export async function cipherOfType(db: Db, typeId: string): Promise<Cipher | undefined> {
  const row = await encryptionOf(db, typeId);
  if (!row) return undefined;
  const refuse = (reason: string): CairnError => conflict(`Volumes of this type cannot be made: ${reason}`, { type: 'EncryptionNotServed' });
  if (!LUKS.includes(row.provider)) throw refuse(`the encryption provider ${JSON.stringify(row.provider)} is not served; luks is.`);
  if (row.control_location !== 'front-end') throw refuse('no storage here encrypts by itself (control_location back-end); front-end is served.');
  if (row.cipher === null || row.cipher === '' || row.key_size === null)
    throw invalidInput('Invalid volume type: Invalid encryption spec: it names a cipher and a key_size.', { type: 'InvalidVolumeType' });
  checkEncryption({ cipher: row.cipher, keyBits: row.key_size });
  return { cipher: row.cipher, keyBits: row.key_size };
}

/** Whether two types differ in how volumes are encrypted (volume_types_encryption_changed). */
export async function encryptionDiffers(db: Db, one: string, other: string): Promise<boolean> {
  if (one === other) return false;
  const facts = (row: EncryptionRow | undefined): string => JSON.stringify(row && [row.provider, row.control_location, row.cipher, row.key_size]);
  return facts(await encryptionOf(db, one)) !== facts(await encryptionOf(db, other));
}

/** What a host must know to make or receive a disk of a volume; undefined for one in the clear. */
export async function diskEncryption(db: Db, volume: Pick<VolumeRow, 'encryption_key_id' | 'type_id'>): Promise<DiskEncryption | undefined> {
  if (volume.encryption_key_id === null) return undefined;
  const cipher = await cipherOfType(db, volume.type_id);
  if (!cipher) throw conflict('The volume is encrypted, and its type no longer says how.');
  return { keyId: volume.encryption_key_id, ...cipher };
}

/** Bytes of a volume as it is stored, and as backups and images of it have it. */
export const storedBytes = (sizeGb: number, keyId: string | null): number => sizeGb * GIB + (keyId === null ? 0 : LUKS_HEADER_BYTES);

/** A storage that knows nothing of encryption would have made the disk in the clear. */
export function checkEncrypted(disk: DiskInfo, encryption: DiskEncryption | undefined): void {
  if (encryption && disk.keyId !== encryption.keyId) throw conflict('The storage that was chosen does not keep encrypted volumes.');
}
