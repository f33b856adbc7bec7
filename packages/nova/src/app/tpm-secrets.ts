import type { Db, Tx } from '@cairn/kit/store/store';
import { findTpm, insertTpms, setTpmSecret, tpmsAfter } from '../store/tpm.ts';
import type { NovaDeps } from './deps.ts';

/**
 * The secrets that servers' TPMs encrypt their state with: what upstream has a key manager for. In the database they are sealed with the keys of
 * credentials; no answer, event, saga or log has them, and no disk of a host.
 */
const PURPOSE = 'virtual TPMs';
const SECRET_BYTES = 32;
const RESEAL_BATCH = 100;

/** What a host needs to start a server's TPM. */
export interface TpmParts {
  /** 64 hexadecimal digits. */
  readonly secret: string;
  /** Its encrypted state from another host, base64. */
  readonly state?: string;
}

/** Gives servers' TPMs new secrets; one that has its own keeps it. */
export async function createTpms({ env, faces }: NovaDeps, tx: Tx, serverIds: readonly string[]): Promise<void> {
  await insertTpms(
    tx,
    serverIds.map((serverId) => ({ serverId, secret: faces.keystone.sealSecret(PURPOSE, env.ids.bytes(SECRET_BYTES).toString('hex')) })),
  );
}

/** For the host that starts the server; never for an answer. */
export async function tpmOf({ faces }: NovaDeps, db: Db, serverId: string): Promise<TpmParts | undefined> {
  const row = await findTpm(db, serverId);
  return row && { secret: faces.keystone.openSecret(PURPOSE, row.secret), ...(row.state === null ? {} : { state: row.state }) };
}

/** Seals every secret with the present key. To be called before and after that is rotated. Returns how many there are. */
export async function resealTpms({ env, faces }: NovaDeps): Promise<number> {
  let count = 0;
  for (let after = ''; ; ) {
    const rows = await tpmsAfter(env.store.read, after, RESEAL_BATCH);
    for (const row of rows) {
      const sealed = faces.keystone.sealSecret(PURPOSE, faces.keystone.openSecret(PURPOSE, row.secret));
      await env.store.write((tx) => setTpmSecret(tx, row.server_id, sealed));
    }
    count += rows.length;
    const last = rows.at(-1);
    if (!last || rows.length < RESEAL_BATCH) return count;
    after = last.server_id;
  }
}
