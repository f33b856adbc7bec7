import { conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { deleteEncryption, encryptionOf, insertEncryption, updateEncryption } from '../store/qos.ts';
import type { EncryptionRow } from '../store/tables.ts';
import { typeHasVolumes } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import type { Caller } from './caller.ts';
import { getType } from './types.ts';

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

/** Until guests can open LUKS disks, a volume that would not be encrypted is not made at all. */
export async function refuseUnencrypted(tx: Tx, typeId: string): Promise<void> {
  const row = await encryptionOf(tx, typeId);
  if (row)
    throw conflict(`Volumes of this type are encrypted (${row.provider}), which this cloud's storage does not do. Use another type.`, {
      type: 'EncryptionNotServed',
    });
}
