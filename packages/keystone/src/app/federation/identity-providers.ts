import { isCairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import { idpKey, userKey } from '../../cache/changes.ts';
import { conflicting, identityProviderNotFound, invalid, protocolNotFound } from '../../errors.ts';
import { deleteExpiringMemberships, deleteFederatedRowsBy, moveExpiries } from '../../store/federated-users.ts';
import * as store from '../../store/federation.ts';
import type { ListFilter, Paging } from '../../store/lists.ts';
import type { FederationProtocolTable, IdentityProviderTable } from '../../store/tables.ts';
import { type Core, type Initiator, touch, writeUnique } from '../core.ts';
import type { Projects } from '../projects.ts';
import type { Users } from '../users.ts';

/** Somebody who is trusted to say who people are. */
export interface IdentityProvider {
  readonly id: string;
  /** Where its users are. */
  readonly domainId: string;
  readonly enabled: boolean;
  readonly description: string | null;
  /** How it calls itself. */
  readonly remoteIds: readonly string[];
  /** How long memberships that a mapping gave outlive the token, in minutes; null for the cloud's own setting. */
  readonly authorizationTtlMin: number | null;
}

export type IdentityProviderChange = Partial<Omit<IdentityProvider, 'id' | 'domainId'>>;

/** By which protocol an identity provider speaks, and what is made of its words. */
export interface Protocol {
  readonly id: string;
  readonly idpId: string;
  readonly mappingId: string;
  readonly remoteIdAttribute: string | null;
}

export type IdentityProviders = ReturnType<typeof createIdentityProviders>;

const modelOf = (row: IdentityProviderTable, remoteIds: readonly string[]): IdentityProvider => ({
  id: row.id,
  domainId: row.domain_id,
  enabled: row.enabled !== 0,
  description: row.description,
  remoteIds,
  authorizationTtlMin: row.authorization_ttl_min,
});

const protocolOf = (row: FederationProtocolTable): Protocol => ({
  id: row.id,
  idpId: row.idp_id,
  mappingId: row.mapping_id,
  remoteIdAttribute: row.remote_id_attribute,
});

/** Identity providers and their protocols (keystone/federation/core.py). */
export function createIdentityProviders(core: Core, parts: { readonly projects: Projects; readonly users: Users }) {
  const { env, options } = core;
  const { read } = env.store;

  async function get(id: string, db: Db = read): Promise<IdentityProvider> {
    const row = await store.findIdp(db, id);
    if (!row) throw identityProviderNotFound(id);
    return modelOf(row, (await store.remoteIdsOf(db, [id])).get(id) ?? []);
  }

  async function list(filters: readonly ListFilter[], paging: Paging): Promise<{ providers: IdentityProvider[]; hasMore: boolean }> {
    const page = await store.listIdps(read, filters, { ...paging, maxLimit: options.maxListLimit });
    const remoteIds = await store.remoteIdsOf(
      read,
      page.rows.map((row) => row.id),
    );
    return { providers: page.rows.map((row) => modelOf(row, remoteIds.get(row.id) ?? [])), hasMore: page.hasMore };
  }

  /** Without a domain it gets one of its own. */
  async function create(id: string, wanted: IdentityProviderChange & { readonly domainId?: string | null }, who: Initiator): Promise<IdentityProvider> {
    const conflict = () => conflicting('identity_provider', `Duplicate entry: ${id}`);
    if (await store.findIdp(read, id)) throw conflict();
    if (wanted.domainId) await parts.projects.getDomain(wanted.domainId);
    const domainId = wanted.domainId || env.ids.hex();
    if (!wanted.domainId) {
      const description = `Auto generated federated domain for Identity Provider: ${id}`;
      await parts.projects.create({ id: domainId, name: domainId, description, domainId: null, parentId: null, isDomain: true }, who);
    }
    const row = {
      id,
      domain_id: domainId,
      enabled: toBit(wanted.enabled ?? false),
      description: wanted.description ?? null,
      authorization_ttl_min: wanted.authorizationTtlMin ?? null,
    };
    try {
      await writeUnique(core, conflict, async (tx) => {
        if (await store.findIdp(tx, id)) throw conflict();
        await store.insertIdp(tx, row);
        await putRemoteIds(tx, id, wanted.remoteIds ?? []);
      });
    } catch (error) {
      // the domain was for it alone
      if (!wanted.domainId && isCairnError(error)) await env.store.write((tx) => parts.projects.removeRow(tx, domainId, who));
      throw error;
    }
    return await get(id);
  }

  async function putRemoteIds(tx: Tx, id: string, remoteIds: readonly string[]): Promise<void> {
    const [taken] = await store.takenRemoteIds(tx, remoteIds, id);
    if (taken !== undefined) throw conflicting('identity_provider', `Duplicate remote ID: ${taken}`);
    await store.setRemoteIds(tx, id, remoteIds);
  }

  async function update(id: string, change: IdentityProviderChange): Promise<IdentityProvider> {
    await env.store.write(async (tx) => {
      const row = await store.findIdp(tx, id);
      if (!row) throw identityProviderNotFound(id);
      await store.updateIdp(tx, id, {
        ...(change.enabled !== undefined && { enabled: toBit(change.enabled) }),
        ...(change.description !== undefined && { description: change.description }),
        ...(change.authorizationTtlMin !== undefined && { authorization_ttl_min: change.authorizationTtlMin }),
      });
      if (change.remoteIds !== undefined) await putRemoteIds(tx, id, change.remoteIds);
      const moved = change.authorizationTtlMin === undefined ? [] : await moveExpiries(tx, id, ttlMsOf(change.authorizationTtlMin));
      await touch(core, tx, [idpKey(id), ...moved.map(userKey)]);
    });
    return await get(id);
  }

  /** With its protocols, and the users whom nobody else names. */
  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write((tx) => removeRow(tx, id, who));
  }

  async function removeRow(tx: Tx, id: string, who: Initiator): Promise<void> {
    if (!(await store.findIdp(tx, id))) throw identityProviderNotFound(id);
    await store.deleteIdp(tx, id);
    const members = await deleteExpiringMemberships(tx, { idpId: id });
    for (const userId of await deleteFederatedRowsBy(tx, id)) await parts.users.removeRow(tx, userId, who);
    await touch(core, tx, [idpKey(id), ...members.map(userKey)]);
  }

  /** A domain takes its identity providers with it. */
  async function removeOfDomain(tx: Tx, domainId: string, who: Initiator): Promise<void> {
    for (const id of await store.idpIdsOfDomain(tx, domainId)) await removeRow(tx, id, who);
  }

  async function checkMapping(db: Db, mappingId: string): Promise<void> {
    if (!(await store.findMapping(db, mappingId))) throw invalid(`Invalid mapping id: ${mappingId}`, 'mapping_id');
  }

  async function createProtocol(protocol: Protocol): Promise<Protocol> {
    const { id, idpId, mappingId, remoteIdAttribute } = protocol;
    const conflict = () => conflicting('federation_protocol', `Duplicate entry found with ID ${id}`);
    await writeUnique(core, conflict, async (tx) => {
      await checkMapping(tx, mappingId);
      if (!(await store.findIdp(tx, idpId))) throw identityProviderNotFound(idpId);
      if (await store.findProtocol(tx, idpId, id)) throw conflict();
      await store.insertProtocol(tx, { id, idp_id: idpId, mapping_id: mappingId, remote_id_attribute: remoteIdAttribute });
    });
    return protocol;
  }

  async function updateProtocol(
    idpId: string,
    id: string,
    change: { readonly mappingId: string; readonly remoteIdAttribute?: string | null },
  ): Promise<Protocol> {
    return await env.store.write(async (tx) => {
      await checkMapping(tx, change.mappingId);
      const row = await store.findProtocol(tx, idpId, id);
      if (!row) throw protocolNotFound(id, idpId);
      const changed = {
        ...row,
        mapping_id: change.mappingId,
        ...(change.remoteIdAttribute !== undefined && { remote_id_attribute: change.remoteIdAttribute }),
      };
      await store.updateProtocol(tx, changed);
      return protocolOf(changed);
    });
  }

  async function getProtocol(idpId: string, id: string): Promise<Protocol> {
    const row = await store.findProtocol(read, idpId, id);
    if (!row) throw protocolNotFound(id, idpId);
    return protocolOf(row);
  }

  async function removeProtocol(idpId: string, id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.findProtocol(tx, idpId, id))) throw protocolNotFound(id, idpId);
      await store.deleteProtocol(tx, idpId, id);
      for (const userId of await deleteFederatedRowsBy(tx, idpId, id)) await parts.users.removeRow(tx, userId, who);
    });
  }

  /** How long memberships that a mapping gave last after a log-in. */
  const ttlMsOf = (authorizationTtlMin: number | null): number => (authorizationTtlMin || options.federation.defaultAuthorizationTtlMin) * 60_000;

  return {
    get,
    list,
    create,
    update,
    remove,
    removeOfDomain,
    createProtocol,
    updateProtocol,
    getProtocol,
    removeProtocol,
    ttlMsOf,
    listProtocols: async (idpId: string): Promise<Protocol[]> => (await store.protocolsOf(read, idpId)).map(protocolOf),
    /** undefined where `get` throws. */
    find: async (id: string): Promise<IdentityProvider | undefined> => ((await store.findIdp(read, id)) ? await get(id) : undefined),
  };
}
