import { createHash } from 'node:crypto';
import type { Env } from '@cairn/kit/env';
import type { Group } from '../app/groups.ts';
import type { User, UserSecret } from '../app/users.ts';
import { markerNotFound } from '../errors.ts';
import * as mappings from '../store/id-mappings.ts';
import type { ListFilter, Paging } from '../store/lists.ts';
import type { GroupPage, IdentityBackend, UserListing, UserPage } from './backend.ts';
import { LdapConnections } from './ldap-connections.ts';
import { LdapDirectory, type LdapGroup, type LdapUser } from './ldap-directory.ts';
import { ldapSettings } from './ldap-options.ts';

/** What an LDAP back end is made with. */
export interface LdapBackendOptions {
  readonly env: Env;
  readonly domainId: string;
  /** The domain's `ldap` group. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The most entries of a page: the domain's `list_limit`, or the cloud's. */
  readonly listLimit: number;
  /** How long what the directory said of a user is believed. */
  readonly cacheMs: number;
}

/** The id that the API shows for an entry: the same at every cloud that calls the domain the same (keystone/identity/id_generators/sha256.py). */
export const publicIdOf = (domainId: string, type: mappings.EntityType, localId: string): string =>
  createHash('sha256').update(domainId).update(type).update(localId).digest('hex');

/** Users and groups of a domain in an LDAP directory, for reading. Throws LdapSettingsError where the configuration cannot be used. */
export class LdapBackend implements IdentityBackend {
  readonly writable = false;
  readonly #options: LdapBackendOptions;
  readonly #connections: LdapConnections;
  readonly #directory: LdapDirectory;

  constructor(options: LdapBackendOptions) {
    this.#options = options;
    const settings = ldapSettings(options.config);
    this.#connections = new LdapConnections(settings, options.env.clock);
    this.#directory = new LdapDirectory(settings, this.#connections);
  }

  close(): Promise<void> {
    return this.#connections.close();
  }

  async user(id: string): Promise<UserSecret | undefined> {
    const localId = await this.#localIdOf('user', id);
    const found = localId === undefined ? undefined : await this.#directory.user(localId);
    return found && this.#secretOf(found, id);
  }

  async userByName(name: string): Promise<UserSecret | undefined> {
    const found = await this.#directory.userByName(name);
    if (!found) return undefined;
    const ids = await this.#publicIds('user', [found.localId]);
    return this.#secretOf(found, ids.get(found.localId) as string);
  }

  async users(filters: readonly ListFilter[], paging: Paging, more: UserListing = {}): Promise<UserPage> {
    // neither passwords that expire nor other identity providers are known here
    if (more.expiry || more.federated) return { users: [], hasMore: false };
    const found = more.groupId === undefined ? await this.#directory.users(filters) : await this.#members(more.groupId);
    const ids = await this.#publicIds(
      'user',
      found.map((user) => user.localId),
    );
    const users = found.map((user) => this.#userOf(user, ids.get(user.localId) as string));
    const { page, hasMore } = this.#pageOf(
      users.filter((user) => passes({ name: user.name, enabled: user.enabled, domain_id: user.domainId }, filters, more.groupId !== undefined)),
      paging,
    );
    return { users: page, hasMore };
  }

  async group(id: string): Promise<Group | undefined> {
    const localId = await this.#localIdOf('group', id);
    const found = localId === undefined ? undefined : await this.#directory.group(localId);
    return found && this.#groupOf(found, id);
  }

  async groups(filters: readonly ListFilter[], paging: Paging, memberId?: string): Promise<GroupPage> {
    const groups = await this.#groupsOf(await this.#foundGroups(filters, memberId));
    const { page, hasMore } = this.#pageOf(
      groups.filter((group) => passes({ name: group.name, domain_id: group.domainId }, filters, false)),
      paging,
    );
    return { groups: page, hasMore };
  }

  async groupIdsOf(userId: string): Promise<string[]> {
    return (await this.#groupsOf(await this.#foundGroups([], userId))).map((group) => group.id);
  }

  async userIdsOf(groupId: string): Promise<string[]> {
    const members = await this.#members(groupId);
    return [
      ...(
        await this.#publicIds(
          'user',
          members.map((member) => member.localId),
        )
      ).values(),
    ];
  }

  async isMember(userId: string, groupId: string): Promise<boolean> {
    return (await this.groupIdsOf(userId)).includes(groupId);
  }

  async #foundGroups(filters: readonly ListFilter[], memberId: string | undefined): Promise<LdapGroup[]> {
    if (memberId === undefined) return await this.#directory.groups(filters);
    const localId = await this.#localIdOf('user', memberId);
    const user = localId === undefined ? undefined : await this.#directory.user(localId);
    return user ? await this.#directory.groupsOf(user, filters) : [];
  }

  async #members(groupId: string): Promise<LdapUser[]> {
    const localId = await this.#localIdOf('group', groupId);
    const group = localId === undefined ? undefined : await this.#directory.group(localId);
    return group ? await this.#directory.membersOf(group) : [];
  }

  async #groupsOf(found: readonly LdapGroup[]): Promise<Group[]> {
    const ids = await this.#publicIds(
      'group',
      found.map((group) => group.localId),
    );
    return found.map((group) => this.#groupOf(group, ids.get(group.localId) as string));
  }

  #secretOf(user: LdapUser, id: string): UserSecret {
    return { user: this.#userOf(user, id), passwordHash: null, isPassword: (password) => this.#directory.isPassword(user.localId, password) };
  }

  #userOf(user: LdapUser, id: string): User {
    return {
      id,
      domainId: this.#options.domainId,
      name: user.name,
      enabled: user.enabled,
      defaultProjectId: user.defaultProjectId ?? null,
      passwordExpiresAtMs: null,
      lastActiveAtMs: null,
      inactiveFromMs: undefined,
      believedUntilMs: this.#options.env.clock.nowMs() + this.#options.cacheMs,
      options: {},
      extra: { ...(user.email !== undefined && { email: user.email }), ...(user.description !== undefined && { description: user.description }) },
    };
  }

  #groupOf(group: LdapGroup, id: string): Group {
    return { id, domainId: this.#options.domainId, name: group.name, description: group.description ?? '', extra: {} };
  }

  async #localIdOf(type: mappings.EntityType, publicId: string): Promise<string | undefined> {
    const row = await mappings.findMapping(this.#options.env.store.read, publicId);
    return row?.entity_type === type && row.domain_id === this.#options.domainId ? row.local_id : undefined;
  }

  /** Public ids of entries, made where there are none yet. */
  async #publicIds(type: mappings.EntityType, localIds: readonly string[]): Promise<Map<string, string>> {
    const { env, domainId } = this.#options;
    const known = await mappings.publicIdsOf(env.store.read, domainId, type, localIds);
    const missing = [...new Set(localIds)].filter((localId) => !known.has(localId));
    if (missing.length > 0) {
      const rows = missing.map((localId) => ({ public_id: publicIdOf(domainId, type, localId), domain_id: domainId, entity_type: type, local_id: localId }));
      await env.store.write((tx) => mappings.insertMappings(tx, rows));
      for (const row of rows) known.set(row.local_id, row.public_id);
    }
    return known;
  }

  /** A directory has no order of its own: entries are sorted by their public ids. */
  #pageOf<T extends { readonly id: string }>(entries: readonly T[], paging: Paging): { page: T[]; hasMore: boolean } {
    const sorted = entries.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const { marker } = paging;
    const at = marker === undefined ? 0 : sorted.findIndex((entry) => entry.id === marker) + 1;
    if (marker !== undefined && at === 0) throw markerNotFound(marker);
    const limit = Math.min(paging.limit ?? this.#options.listLimit, this.#options.listLimit);
    return { page: sorted.slice(at, at + limit), hasMore: sorted.length > at + limit };
  }
}

/** What the directory did not judge: conditions by case, on `enabled` and the domain; of a group's members all of them. */
function passes(entry: Readonly<Record<string, unknown>>, filters: readonly ListFilter[], all: boolean): boolean {
  return filters.every(({ field, comparator, ignoreCase, value }) => {
    if (!(field in entry)) return true;
    const have = entry[field];
    if (typeof value !== 'string' || typeof have !== 'string') return have === value;
    if (comparator === 'equals') return field === 'name' ? !all || have.toLowerCase() === value.toLowerCase() : have === value;
    if (ignoreCase && !all) return true;
    const [text, wanted] = ignoreCase ? [have.toLowerCase(), value.toLowerCase()] : [have, value];
    return comparator === 'contains' ? text.includes(wanted) : comparator === 'startswith' ? text.startsWith(wanted) : text.endsWith(wanted);
  });
}
