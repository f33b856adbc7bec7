import { createHash } from 'node:crypto';
import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { conflicting, credentialNotFound, expecting, tooMany } from '../errors.ts';
import * as store from '../store/credentials.ts';
import type { ListFilter } from '../store/lists.ts';
import type { CredentialTable } from '../store/tables.ts';
import { fernetDecrypt, fernetEncrypt } from '../token/fernet.ts';
import type { KeyRepository } from '../token/key-repository.ts';
import { type Core, type Extra, type Initiator, notify, writeUnique } from './core.ts';

export interface Credential {
  readonly id: string;
  readonly userId: string;
  readonly projectId: string | null;
  readonly type: string;
  /** The secret itself. Never logged. */
  readonly blob: string;
  readonly extra: Extra;
}

export type NewCredential = Omit<Credential, 'id' | 'extra'> & { readonly id?: string; readonly extra?: Extra };
export type CredentialChange = { readonly [K in keyof Omit<Credential, 'id'>]?: Credential[K] | undefined };

export type Credentials = ReturnType<typeof createCredentials>;

const ROTATION_BATCH = 100;

/** Credentials of users (EC2 keys, certificates, TOTP secrets), encrypted at rest under keys of their own. */
export function createCredentials(core: Core, parts: { readonly keys: KeyRepository }) {
  const { env } = core;
  const { read } = env.store;
  const { keys } = parts;

  const seal = (blob: string): { encrypted_blob: string; key_hash: string } => {
    const key = keys.primary();
    return {
      encrypted_blob: fernetEncrypt(key, Buffer.from(blob, 'utf8'), Math.floor(env.clock.nowMs() / 1000), env.ids.bytes(16)),
      key_hash: keyHash(key.text),
    };
  };
  const open = (row: CredentialTable): string => {
    const plain = fernetDecrypt(keys.keys(), row.encrypted_blob);
    if (!plain) throw new Error(`credential ${row.id} was encrypted with a key that is not in the repository`);
    return plain.data.toString('utf8');
  };
  const modelOf = (row: CredentialTable): Credential => ({
    id: row.id,
    userId: row.user_id,
    projectId: row.project_id,
    type: row.type,
    blob: open(row),
    extra: fromJson<Extra>(row.extra),
  });

  async function create(credential: NewCredential, who: Initiator): Promise<Credential> {
    const row: CredentialTable = {
      id: credential.id ?? env.ids.hex(),
      user_id: credential.userId,
      project_id: credential.projectId,
      type: credential.type,
      ...seal(credential.blob),
      extra: toJson(credential.extra ?? {}),
    };
    const conflict = (): CairnError => conflicting('credential', `Duplicate entry found with ID ${row.id}`);
    await writeUnique(core, conflict, async (tx) => {
      const limit = core.options.maxCredentialsPerUser;
      if (limit >= 0 && (await store.countCredentials(tx, row.user_id)) >= limit) throw tooMany('credentials', limit);
      if (await store.findCredential(tx, row.id)) throw conflict();
      await store.insertCredential(tx, row);
      await notify(core, tx, who, 'created', 'credential', row.id);
    });
    return modelOf(row);
  }

  async function update(id: string, change: CredentialChange): Promise<Credential> {
    return await env.store.write(async (tx) => {
      const row = await rowOf(tx, id);
      if (change.type?.toLowerCase() === 'ec2' && !change.projectId && !row.project_id) throw expecting('project_id', 'credential');
      const next = {
        ...(change.blob !== undefined && seal(change.blob)),
        ...(change.type !== undefined && { type: change.type }),
        ...(change.userId !== undefined && { user_id: change.userId }),
        ...(change.projectId !== undefined && { project_id: change.projectId }),
        extra: toJson({ ...fromJson<Extra>(row.extra), ...change.extra }),
      };
      await store.updateCredential(tx, id, next);
      return modelOf({ ...row, ...next });
    });
  }

  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      await rowOf(tx, id);
      await store.deleteCredential(tx, id);
      await notify(core, tx, who, 'deleted', 'credential', id);
    });
  }

  /** Encrypts with the primary key what another one encrypted, so that old keys can go. Returns how many. */
  async function reencrypt(): Promise<number> {
    let done = 0;
    for (;;) {
      const count = await env.store.write(async (tx) => {
        const rows = await store.credentialsOfOtherKeys(tx, keyHash(keys.primary().text), ROTATION_BATCH);
        for (const row of rows) await store.updateCredential(tx, row.id, seal(open(row)));
        return rows.length;
      });
      done += count;
      if (count < ROTATION_BATCH) return done;
    }
  }

  return {
    create,
    update,
    remove,
    reencrypt,
    get: async (id: string): Promise<Credential> => modelOf(await rowOf(read, id)),
    find: async (id: string): Promise<Credential | undefined> => {
      const row = await store.findCredential(read, id);
      return row && modelOf(row);
    },
    list: async (filters: readonly ListFilter[]): Promise<Credential[]> => (await store.listCredentials(read, filters)).map(modelOf),
  };
}

async function rowOf(db: Db, id: string): Promise<CredentialTable> {
  const row = await store.findCredential(db, id);
  if (!row) throw credentialNotFound(id);
  return row;
}

const keyHash = (text: string): string => createHash('sha1').update(text).digest('hex');
