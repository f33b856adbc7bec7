import { isoMicros } from '@cairn/kit/clock/clock';
import type { AnyOperation } from '@cairn/kit/http/operation';
import { invalid } from '../errors.ts';
import type { RevocationEventTable } from '../store/tables.ts';
import Type from 'typebox';
import { listLinks } from './answers/envelope.ts';
import { noTarget, op, v3 } from './common.ts';
import { queryOf, text } from './schemas.ts';
import { parseTime } from './times.ts';

/** What an event names, and nothing else (keystone/models/revoke_model.py). */
function eventView(event: RevocationEventTable): Record<string, unknown> {
  // with an expiry the domain is that of the token's scope
  const ofScope = event.expires_at_ms !== null;
  const facts: Record<string, string | null> = {
    user_id: event.user_id,
    role_id: event.role_id,
    domain_id: ofScope ? null : event.domain_id,
    domain_scope_id: ofScope ? event.domain_id : null,
    project_id: event.project_id,
    audit_id: event.audit_id,
    audit_chain_id: event.audit_chain_id,
    'OS-TRUST:trust_id': event.trust_id,
    'OS-OAUTH1:consumer_id': event.consumer_id,
    'OS-OAUTH1:access_token_id': event.access_token_id,
    expires_at: event.expires_at_ms === null ? null : isoMicros(event.expires_at_ms).replace(/\.\d+Z$/, 'Z'),
    issued_before: isoMicros(event.issued_before_ms),
    revoked_at: isoMicros(event.revoked_at_ms),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== null));
}

const optional = Type.Optional(Type.String());
const revokeEvent = Type.Object(
  {
    user_id: optional,
    role_id: optional,
    domain_id: optional,
    domain_scope_id: optional,
    project_id: optional,
    audit_id: optional,
    audit_chain_id: optional,
    'OS-TRUST:trust_id': optional,
    'OS-OAUTH1:consumer_id': optional,
    'OS-OAUTH1:access_token_id': optional,
    expires_at: optional,
    issued_before: Type.String(),
    revoked_at: Type.String(),
  },
  { title: 'RevocationEvent' },
);

/** OS-REVOKE: which tokens are revoked, for services that validate by themselves. */
export const revokeEventOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.revoke_event.list',
    method: 'GET',
    path: '/v3/OS-REVOKE/events',
    answer: Type.Object({ events: Type.Array(revokeEvent), links: listLinks }),
    summary: 'List the events that revoke tokens',
    policy: 'identity:list_revoke_events',
    target: noTarget,
    query: queryOf({ since: text }),
    handle: async (app, req) => {
      const since = req.query.get('since');
      const sinceMs = since ? parseTime(since) : undefined;
      if (since && sinceMs === undefined) throw invalid(`invalidate date format ${since}`, 'since');
      const events = await app.revocations.list(sinceMs);
      return { events: events.map(eventView), links: { next: null, self: `${v3(req)}/OS-REVOKE/events`, previous: null } };
    },
  }),
];
