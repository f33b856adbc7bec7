import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit, toJson } from '@cairn/kit/store/values';
import { applicationCredentialKey, trustKey, userKey } from '../cache/changes.ts';
import { domainNotFound, duplicate, invalid, unauthenticated, userNotFound } from '../errors.ts';
import { deleteAccessRules, deleteApplicationCredentials } from '../store/application-credentials.ts';
import { deleteAssignments } from '../store/assignments.ts';
import { deleteCredentialsOf } from '../store/credentials.ts';
import type { ListFilter, Paging } from '../store/lists.ts';
import { findProject } from '../store/projects.ts';
import type { UserTable } from '../store/tables.ts';
import { deleteTrust, listTrusts } from '../store/trusts.ts';
import * as store from '../store/users.ts';
import { type Core, type Extra, type Initiator, mergeOptions, notify, type ResourceOptions, touch, writeUnique } from './core.ts';
import type { Passwords } from './passwords.ts';
import type { Revocations } from './revocations.ts';

export interface User {
  readonly id: string;
  readonly domainId: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly defaultProjectId: string | null;
  readonly passwordExpiresAtMs: number | null;
  readonly options: ResourceOptions;
  readonly extra: Extra;
}

/** A user with the stored hash, for logins alone. */
export interface UserSecret {
  readonly user: User;
  readonly passwordHash: string | null;
}

export interface NewUser {
  readonly id?: string;
  readonly name: string;
  readonly domainId: string;
  readonly password?: string | null;
  readonly enabled?: boolean;
  readonly defaultProjectId?: string | null;
  readonly options?: ResourceOptions;
  readonly extra?: Extra;
}

export type UserChange = Partial<Omit<NewUser, 'id'>>;

export type Users = ReturnType<typeof createUsers>;

/** Passwords kept per user: upstream's `unique_last_password_count` of 0 keeps one. */
const KEPT_PASSWORDS = 1;

const modelOf = (row: UserTable, expiresAtMs: number | null): User => ({
  id: row.id,
  domainId: row.domain_id,
  name: row.name,
  enabled: row.enabled !== 0,
  defaultProjectId: row.default_project_id,
  passwordExpiresAtMs: expiresAtMs,
  options: fromJson<ResourceOptions>(row.options),
  extra: fromJson<Extra>(row.extra),
});

export const userSecretOf = (row: store.UserWithPassword): UserSecret => ({ user: modelOf(row, row.password_expires_at_ms), passwordHash: row.password_hash });

export function createUsers(core: Core, parts: { readonly passwords: Passwords; readonly revocations: Revocations }) {
  const { env, options } = core;
  const { read } = env.store;
  const { passwords, revocations } = parts;

  async function get(id: string, db: Db = read): Promise<User> {
    const row = await store.findUser(db, id);
    if (!row) throw userNotFound(id);
    return modelOf(row, row.password_expires_at_ms);
  }

  async function create(user: NewUser, who: Initiator): Promise<User> {
    const id = user.id ?? env.ids.hex();
    const name = user.name.trim();
    const nowMs = env.clock.nowMs();
    const conflict = (): CairnError => duplicate('user', name, user.domainId);
    const passwordHash = typeof user.password === 'string' ? await passwords.hash(user.password) : undefined;
    const row: UserTable = {
      id,
      domain_id: user.domainId,
      name,
      enabled: toBit(user.enabled ?? true),
      default_project_id: user.defaultProjectId ?? null,
      options: toJson(mergeOptions({}, user.options)),
      extra: toJson(user.extra ?? {}),
      created_at_ms: nowMs,
      last_active_at_ms: null,
      failed_auth_count: 0,
      failed_auth_at_ms: null,
    };
    await writeUnique(core, conflict, async (tx) => {
      if (!(await findProject(tx, user.domainId))?.is_domain) throw domainNotFound(user.domainId);
      await checkDefaultProject(tx, user.defaultProjectId);
      if (await store.findUserByName(tx, name, user.domainId)) throw conflict();
      await store.insertUser(tx, row);
      if (passwordHash !== undefined) await store.addPassword(tx, newPassword(id, passwordHash, nowMs, false), KEPT_PASSWORDS);
      await notify(core, tx, who, 'created', 'user', id);
    });
    return modelOf(row, null);
  }

  async function update(id: string, change: UserChange, who: Initiator): Promise<User> {
    const passwordHash = typeof change.password === 'string' ? await passwords.hash(change.password) : change.password;
    let conflictName = '';
    let conflictDomain = '';
    return await writeUnique(
      core,
      () => duplicate('user', conflictName, conflictDomain),
      async (tx) => {
        const row = await store.findUser(tx, id);
        if (!row) throw userNotFound(id);
        const nowMs = env.clock.nowMs();
        const before = modelOf(row, row.password_expires_at_ms);
        const name = change.name?.trim() ?? before.name;
        conflictName = name;
        conflictDomain = before.domainId;
        if (change.domainId !== undefined && change.domainId !== before.domainId) throw invalid('Cannot change Domain ID', 'domain_id');
        await checkDefaultProject(tx, change.defaultProjectId);
        if (name !== before.name && (await store.findUserByName(tx, name, before.domainId))) throw duplicate('user', name, before.domainId);
        const changed: Partial<UserTable> = {
          name,
          options: toJson(mergeOptions(before.options, change.options)),
          extra: toJson({ ...before.extra, ...change.extra }),
          ...(change.enabled !== undefined && { enabled: toBit(change.enabled) }),
          ...(change.enabled && { failed_auth_count: 0, failed_auth_at_ms: null }),
          ...(change.defaultProjectId !== undefined && { default_project_id: change.defaultProjectId }),
        };
        await store.updateUser(tx, id, changed);
        if (passwordHash !== undefined) await store.addPassword(tx, newPassword(id, passwordHash, nowMs, false), KEPT_PASSWORDS);
        const disabled = change.enabled === false && before.enabled;
        if (disabled || typeof passwordHash === 'string') await revocations.ofUser(tx, id);
        if (disabled) await removeDelegations(tx, id, { trusts: false });
        await touch(core, tx, [userKey(id)]);
        await notify(core, tx, who, 'updated', 'user', id);
        return modelOf({ ...row, ...changed }, passwordHash === undefined ? before.passwordExpiresAtMs : null);
      },
    );
  }

  /** The user's own change: the original password is what authorises it. */
  async function changePassword(id: string, original: string, password: string, who: Initiator): Promise<void> {
    const row = await store.findUser(read, id);
    const known = await passwords.verify(userKey(id), row?.password_hash, original);
    if (!row || !known || !row.enabled) throw unauthenticated('the original password is wrong, or the user is disabled or unknown');
    if (fromJson<ResourceOptions>(row.options).lock_password === true) {
      throw invalid(
        'You cannot change your password at this time due to password policy disallowing password changes. Please contact your administrator to reset your password.',
        'password',
      );
    }
    const passwordHash = await passwords.hash(password);
    await env.store.write(async (tx) => {
      const now = await store.findUser(tx, id);
      if (now?.password_hash !== row.password_hash) throw unauthenticated('the password was changed meanwhile');
      await store.addPassword(tx, newPassword(id, passwordHash, env.clock.nowMs(), true), KEPT_PASSWORDS);
      await revocations.ofUser(tx, id);
      await touch(core, tx, [userKey(id)]);
      await notify(core, tx, { ...who, userId: who.userId ?? id }, 'updated', 'user', id);
    });
  }

  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.userIsThere(tx, id))) throw userNotFound(id);
      await removeRow(tx, id, who);
    });
  }

  async function removeRow(tx: Tx, id: string, who: Initiator): Promise<void> {
    await store.deleteUser(tx, id);
    await deleteAssignments(tx, { actorId: id });
    await deleteCredentialsOf(tx, { userId: id });
    await removeDelegations(tx, id, { trusts: true });
    await revocations.ofUser(tx, id);
    await touch(core, tx, [userKey(id)]);
    await notify(core, tx, who, 'deleted', 'user', id);
  }

  /** Application credentials and access rules; trusts too when the user goes for good. */
  async function removeDelegations(tx: Tx, id: string, also: { readonly trusts: boolean }): Promise<void> {
    const credentials = await deleteApplicationCredentials(tx, { userId: id });
    await deleteAccessRules(tx, { userId: id });
    const trusts = also.trusts ? [...(await listTrusts(tx, { trustorId: id })), ...(await listTrusts(tx, { trusteeId: id }))] : [];
    for (const trust of trusts) await deleteTrust(tx, trust.id, env.clock.nowMs());
    await touch(core, tx, [...credentials.map(applicationCredentialKey), ...trusts.map((trust) => trustKey(trust.id))]);
  }

  async function list(
    filters: readonly ListFilter[],
    paging: Paging,
    more: { readonly expiry?: store.PasswordExpiry; readonly groupId?: string; readonly federated?: store.FederatedFilter | undefined } = {},
  ): Promise<{ users: User[]; hasMore: boolean }> {
    const page = await store.listUsers(read, filters, { ...paging, maxLimit: options.maxListLimit }, more);
    const expiries = await store.passwordExpiries(
      read,
      page.rows.map((row) => row.id),
    );
    return { users: page.rows.map((row) => modelOf(row, expiries.get(row.id) ?? null)), hasMore: page.hasMore };
  }

  return {
    create,
    get,
    list,
    update,
    changePassword,
    remove,
    removeRow,
    /** undefined where `get` throws. */
    find: async (id: string, db: Db = read): Promise<User | undefined> => {
      const row = await store.findUser(db, id);
      return row && modelOf(row, row.password_expires_at_ms);
    },
    findByName: async (name: string, domainId: string, db: Db = read): Promise<User | undefined> => {
      const row = await store.findUserByName(db, name, domainId);
      return row && modelOf(row, row.password_expires_at_ms);
    },
  };
}

const newPassword = (userId: string, passwordHash: string | null, nowMs: number, selfService: boolean) => ({
  user_id: userId,
  password_hash: passwordHash,
  created_at_ms: nowMs,
  expires_at_ms: null,
  self_service: toBit(selfService),
});

async function checkDefaultProject(db: Db, projectId: string | null | undefined): Promise<void> {
  if (!projectId) return;
  const project = await findProject(db, projectId);
  if (project?.is_domain) throw invalid(`User's default project ID cannot be a domain ID: ${projectId}`, 'default_project_id');
}
