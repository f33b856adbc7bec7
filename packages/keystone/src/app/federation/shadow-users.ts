import { createHash } from 'node:crypto';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { userKey } from '../../cache/changes.ts';
import { conflicting, invalid } from '../../errors.ts';
import * as store from '../../store/federated-users.ts';
import { findIdp, findProtocol } from '../../store/federation.ts';
import type { FederatedUserTable } from '../../store/tables.ts';
import { findUser, insertUser, updateUser } from '../../store/users.ts';
import { type Core, type Extra, type Initiator, notify, touch, writeUnique } from '../core.ts';
import type { Revocations } from '../revocations.ts';
import type { IdentityProvider, IdentityProviders } from './identity-providers.ts';

/** How a user is known by an identity provider, as the users API shows it. */
export interface FederatedIdentity {
  readonly idp_id: string;
  readonly protocols: readonly { readonly protocol_id: string; readonly unique_id: string }[];
}

/** Somebody whom a mapping described. */
export interface FederatedPerson {
  /** Unique within the identity provider and protocol. */
  readonly uniqueId: string;
  readonly name: string;
  readonly email?: string | undefined;
  readonly domainId: string;
  readonly groupIds: readonly string[];
}

export type ShadowUsers = ReturnType<typeof createShadowUsers>;

/** The id of a federated user, the same wherever upstream would make it (keystone/identity/id_generators/sha256.py). */
export const publicId = (domainId: string, localId: string): string => createHash('sha256').update(`${domainId}user${localId}`).digest('hex');

/** Users that come by identity providers, and the memberships that their mappings give them (keystone/identity/shadow_backends). */
export function createShadowUsers(core: Core, parts: { readonly identityProviders: IdentityProviders; readonly revocations: Revocations }) {
  const { env } = core;
  const { read } = env.store;

  /** Finds or makes the user, and brings name, mail address and memberships up to date. Returns the user's id. */
  async function shadow(idp: IdentityProvider, protocolId: string, person: FederatedPerson, who: Initiator): Promise<string> {
    const conflict = () => conflicting('federated_user', 'Duplicate entry');
    return await writeUnique(core, conflict, async (tx) => {
      const known = await store.findFederatedUser(tx, idp.id, protocolId, person.uniqueId);
      const userId = known ? await refresh(tx, known, person) : await make(tx, idp, protocolId, person, who);
      if ((await renewMemberships(tx, idp, userId, person.groupIds)) && known) await parts.revocations.ofUser(tx, userId);
      return userId;
    });
  }

  async function make(tx: Tx, idp: IdentityProvider, protocolId: string, person: FederatedPerson, who: Initiator): Promise<string> {
    const id = publicId(person.domainId, person.uniqueId);
    // another protocol's or provider's user of this domain is not this one, whatever they are called
    if (await findUser(tx, id)) throw conflicting('federated_user', `Duplicate entry found with name ${person.name} at domain ID ${person.domainId}`);
    const nowMs = env.clock.nowMs();
    await insertUser(tx, {
      id,
      domain_id: person.domainId,
      name: person.name,
      enabled: 1,
      default_project_id: null,
      options: toJson({}),
      extra: toJson(person.email ? { email: person.email } : {}),
      created_at_ms: nowMs,
      last_active_at_ms: nowMs,
      failed_auth_count: 0,
      failed_auth_at_ms: null,
      federated: 1,
    });
    await store.insertFederatedUser(tx, {
      idp_id: idp.id,
      protocol_id: protocolId,
      unique_id: person.uniqueId,
      user_id: id,
      display_name: person.name,
    });
    await notify(core, tx, who, 'created', 'user', id);
    return id;
  }

  async function refresh(tx: Tx, known: FederatedUserTable, person: FederatedPerson): Promise<string> {
    const row = await findUser(tx, known.user_id);
    if (known.display_name !== person.name) await store.setDisplayName(tx, known, person.name);
    const extra = fromJson<Extra>(row?.extra ?? '{}');
    const change = {
      // a user with a name of its own keeps it
      ...(row?.federated && row.name !== person.name && { name: person.name }),
      ...(person.email && extra.email !== person.email && { extra: toJson({ ...extra, email: person.email }) }),
    };
    await updateUser(tx, known.user_id, { ...change, last_active_at_ms: env.clock.nowMs() });
    if (Object.keys(change).length > 0) await touch(core, tx, [userKey(known.user_id)]);
    return known.user_id;
  }

  /** True when the user is in other groups than before. */
  async function renewMemberships(tx: Tx, idp: IdentityProvider, userId: string, groupIds: readonly string[]): Promise<boolean> {
    const nowMs = env.clock.nowMs();
    const before = new Map((await store.expiringMembershipsOf(tx, userId, idp.id)).map((row) => [row.group_id, row.expires_at_ms]));
    const expiresAtMs = nowMs + parts.identityProviders.ttlMsOf(idp.authorizationTtlMin);
    for (const groupId of groupIds) {
      await store.putExpiringMembership(tx, { user_id: userId, group_id: groupId, idp_id: idp.id, last_verified_at_ms: nowMs, expires_at_ms: expiresAtMs });
    }
    const stale = [...before.keys()].filter((groupId) => !groupIds.includes(groupId));
    for (const groupId of stale) await store.deleteExpiringMemberships(tx, { userId, groupId, idpId: idp.id });
    const changed = stale.length > 0 || groupIds.some((groupId) => !before.has(groupId));
    const revived = [...before.values()].some((endMs) => endMs <= nowMs);
    if (changed || revived) await touch(core, tx, [userKey(userId)]);
    return changed;
  }

  /** What the users API was told of identity providers must be there. */
  async function check(db: Db, identities: readonly FederatedIdentity[]): Promise<void> {
    for (const { idp_id, protocols } of identities) {
      if (!(await findIdp(db, idp_id))) throw invalid(`Could not find Identity Provider: ${idp_id}`, 'federated');
      for (const { protocol_id } of protocols) {
        if (await findProtocol(db, idp_id, protocol_id)) continue;
        throw invalid(`Could not find federated protocol ${protocol_id} for Identity Provider: ${idp_id}.`, 'federated');
      }
    }
  }

  /** How a user is known from now on; nothing else is. */
  async function put(userId: string, name: string, identities: readonly FederatedIdentity[]): Promise<void> {
    const conflict = () => conflicting('federated_user', 'Duplicate entry');
    await writeUnique(core, conflict, async (tx) => {
      await check(tx, identities);
      await store.deleteFederatedRowsOf(tx, userId);
      for (const { idp_id, protocols } of identities) {
        for (const { protocol_id, unique_id } of protocols) {
          if (await store.findFederatedUser(tx, idp_id, protocol_id, unique_id)) throw conflict();
          await store.insertFederatedUser(tx, { idp_id, protocol_id, unique_id, user_id: userId, display_name: name });
        }
      }
    });
  }

  return {
    shadow,
    put,
    check: (identities: readonly FederatedIdentity[]): Promise<void> => check(read, identities),
    /** By identity provider; empty for a user whom none knows. */
    of: async (userId: string): Promise<FederatedIdentity[]> => {
      const rows = await store.federatedRowsOf(read, userId);
      return [...Map.groupBy(rows, (row) => row.idp_id)].map(([idp_id, of]) => ({
        idp_id,
        protocols: of.map(({ protocol_id, unique_id }) => ({ protocol_id, unique_id })),
      }));
    },
  };
}
