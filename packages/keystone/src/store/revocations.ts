import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { KeystoneTables, RevocationEventTable } from './tables.ts';

/** What of a token revocation events can match. */
export interface RevocableFacts {
  /** The user, and for a trust its trustor and trustee. */
  readonly userIds: readonly string[];
  readonly projectId: string | undefined;
  /** The user's domain, and the domain of the scope. */
  readonly domainIds: readonly string[];
  readonly roleIds: readonly string[];
  readonly trustId: string | undefined;
}

export type NewRevocation = Partial<
  Pick<RevocationEventTable, 'audit_id' | 'audit_chain_id' | 'user_id' | 'project_id' | 'domain_id' | 'role_id' | 'trust_id'>
>;

export async function insertRevocation(
  tx: Tx,
  id: number,
  event: NewRevocation,
  times: { readonly issuedBeforeMs: number; readonly revokedAtMs: number },
): Promise<void> {
  await on<KeystoneTables>(tx)
    .insertInto('keystone_revocation_event')
    .values({
      id,
      audit_id: null,
      audit_chain_id: null,
      user_id: null,
      project_id: null,
      domain_id: null,
      role_id: null,
      trust_id: null,
      consumer_id: null,
      access_token_id: null,
      expires_at_ms: null,
      ...event,
      issued_before_ms: times.issuedBeforeMs,
      revoked_at_ms: times.revokedAtMs,
    })
    .execute();
}

/** Up to when the newest event about a user or a trust revokes. */
export async function newestOf(db: Db, column: 'user_id' | 'trust_id', value: string): Promise<number | undefined> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_revocation_event')
    .select('issued_before_ms')
    .where(column, '=', value)
    .orderBy('issued_before_ms', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.issued_before_ms;
}

export function listRevocations(db: Db, sinceMs?: number): Promise<RevocationEventTable[]> {
  const events = on<KeystoneTables>(db).selectFrom('keystone_revocation_event').selectAll();
  return (sinceMs === undefined ? events : events.where('revoked_at_ms', '>', sinceMs)).orderBy('revoked_at_ms').orderBy('id').execute();
}

/** Events that no token still alive can match. */
export async function deleteOldRevocations(tx: Tx, revokedBeforeMs: number): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_revocation_event').where('revoked_at_ms', '<', revokedBeforeMs).execute();
}

/** Is the token itself revoked, by its own audit id or that of its chain? */
export async function isAuditRevoked(
  db: Db,
  token: { readonly issuedAtMs: number; readonly auditId: string; readonly auditChainId: string | undefined },
): Promise<boolean> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_revocation_event')
    .select('id')
    .where((eb) => {
      const own = eb('audit_id', '=', token.auditId);
      if (token.auditChainId === undefined) return own;
      return eb.or([own, eb.and([eb('audit_chain_id', '=', token.auditChainId), eb('issued_before_ms', '>=', token.issuedAtMs)])]);
    })
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Up to when tokens with these facts are revoked by events that name no single token. */
export async function revokedUpTo(db: Db, token: RevocableFacts): Promise<number | undefined> {
  const rows = await on<KeystoneTables>(db)
    .selectFrom('keystone_revocation_event')
    .selectAll()
    .where('audit_id', 'is', null)
    .where('audit_chain_id', 'is', null)
    .where((eb) => {
      // events that share one name with the token; each way is an index
      const ways = [eb('user_id', 'in', token.userIds)];
      if (token.projectId !== undefined) ways.push(eb('project_id', '=', token.projectId));
      if (token.domainIds.length > 0) ways.push(eb('domain_id', 'in', token.domainIds));
      if (token.roleIds.length > 0) ways.push(eb('role_id', 'in', token.roleIds));
      if (token.trustId !== undefined) ways.push(eb('trust_id', '=', token.trustId));
      return eb.or(ways);
    })
    .execute();
  const times = rows.filter((event) => matches(event, token)).map((event) => event.issued_before_ms);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** True when all that the event names is so of the token (keystone/models/revoke_model.py). */
function matches(event: RevocationEventTable, token: RevocableFacts): boolean {
  return (
    among(event.user_id, token.userIds) &&
    among(event.project_id, [token.projectId]) &&
    among(event.domain_id, token.domainIds) &&
    among(event.role_id, token.roleIds) &&
    among(event.trust_id, [token.trustId]) &&
    event.consumer_id === null &&
    event.access_token_id === null &&
    event.expires_at_ms === null
  );
}

const among = (wanted: string | null, have: readonly (string | undefined)[]): boolean => wanted === null || have.includes(wanted);
