import { notFound } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { deleteKeyRow, insertKey, keyById, keysAfter, updateKey } from '../store/keys.ts';
import type { KeyRow } from '../store/tables.ts';
import { invalid } from '../errors.ts';
import type { CinderDeps } from './deps.ts';

/**
 * The secrets of encrypted volumes: what upstream has a key manager for. Each volume, backup and image has a key of its own, which goes with it; a copy of
 * encrypted data has a copy of its key. In the database they are sealed with the keys of credentials; no answer, event, saga or log has them.
 */
const PURPOSE = 'volume keys';
const RESEAL_BATCH = 100;

/** A new secret, as upstream's encryptors use keys: the hexadecimal digits of `keyBits` random bits. */
export async function createKey(deps: CinderDeps, tx: Tx, projectId: string, keyBits: number): Promise<string> {
  const { ids } = deps.env;
  return keep(deps, tx, ids.uuid(), projectId, ids.bytes(keyBits / 8).toString('hex'));
}

/** The same secret under another id, for a copy of what it opens. Of another project's keys nobody is told (404 would say that there is one). */
export async function cloneKey(deps: CinderDeps, tx: Tx, keyId: string, projectId: string, id: string = deps.env.ids.uuid()): Promise<string> {
  const row = await keyById(tx, keyId);
  if (row?.project_id !== projectId) throw invalid(`The encryption key ${keyId} is not there, or is not this project's.`);
  return keep(deps, tx, id, projectId, open(deps, row));
}

async function keep(deps: CinderDeps, tx: Tx, id: string, projectId: string, secret: string): Promise<string> {
  const sealed = deps.faces.keystone.sealSecret(PURPOSE, secret);
  await insertKey(tx, { id, project_id: projectId, sealed, created_at_ms: deps.env.clock.nowMs() });
  return id;
}

const open = (deps: CinderDeps, row: KeyRow): string => deps.faces.keystone.openSecret(PURPOSE, row.sealed);

/** For the hosts that open a volume; never for an answer. */
export async function secretOf(deps: CinderDeps, db: Db, keyId: string): Promise<string> {
  const row = await keyById(db, keyId);
  if (!row) throw notFound(`Encryption key ${keyId} could not be found.`);
  return open(deps, row);
}

/** Tolerates null and absence. */
export async function deleteKey(tx: Tx, keyId: string | null): Promise<void> {
  if (keyId !== null) await deleteKeyRow(tx, keyId);
}

/** The volume that it opens has another owner. */
export async function giveKey(tx: Tx, keyId: string | null, projectId: string): Promise<void> {
  if (keyId !== null) await updateKey(tx, keyId, { project_id: projectId });
}

/** Seals every secret with the present key. To be called before and after that is rotated. Returns how many there are. */
export async function resealKeys(deps: CinderDeps): Promise<number> {
  const { store } = deps.env;
  let count = 0;
  for (let after = ''; ; ) {
    const rows = await keysAfter(store.read, after, RESEAL_BATCH);
    for (const row of rows) await store.write((tx) => updateKey(tx, row.id, { sealed: deps.faces.keystone.sealSecret(PURPOSE, open(deps, row)) }));
    count += rows.length;
    const last = rows.at(-1);
    if (!last || rows.length < RESEAL_BATCH) return count;
    after = last.id;
  }
}
