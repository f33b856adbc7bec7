import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit, toJson } from '@cairn/kit/store/values';
import { applicationCredentialKey, trustKey, userKey } from '../cache/changes.ts';
import { domainNotFound, duplicate, invalid, passwordLocked, readOnlyDirectory, unauthenticated, userNotFound } from '../errors.ts';
import { deleteAccessRules, deleteApplicationCredentials } from '../store/application-credentials.ts';
import { deleteAssignments } from '../store/assignments.ts';
import { deleteCredentialsOf } from '../store/credentials.ts';
import type { UserListing, UserPage } from '../identity-backends/backend.ts';
import { type Backends, listedBackend } from '../identity-backends/backends.ts';
import type { ListFilter, Paging } from '../store/lists.ts';
import { findProject } from '../store/projects.ts';
import type { UserTable } from '../store/tables.ts';
import { deleteTrust, listTrusts } from '../store/trusts.ts';
import * as store from '../store/users.ts';
import type { Compliance } from './compliance.ts';
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
  /** The day, in UTC, of the last login. */
  readonly lastActiveAtMs: number | null;
  /** From then on the user counts as disabled, unless there is a login before. */
  readonly inactiveFromMs: number | undefined;
  /** Of a user of another program: when it must be asked again. */
  readonly believedUntilMs?: number;
  readonly options: ResourceOptions;
  readonly extra: Extra;
}

/** A user with the stored hash, for logins alone. */
export interface UserSecret {
  readonly user: User;
  readonly passwordHash: string | null;
  /** Where another program checks the password. */
  readonly isPassword?: (password: string) => Promise<boolean>;
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

export const userModel = (compliance: Compliance, row: UserTable, expiresAtMs: number | null, nowMs: number): User => {
  const options = fromJson<ResourceOptions>(row.options);
  const inactiveFromMs = compliance.inactiveFromMs(row, options);
  return {
    id: row.id,
    domainId: row.domain_id,
    name: row.name,
    enabled: row.enabled !== 0 && (inactiveFromMs === undefined || nowMs < inactiveFromMs),
    defaultProjectId: row.default_project_id,
    passwordExpiresAtMs: expiresAtMs,
    lastActiveAtMs: row.last_active_at_ms,
    inactiveFromMs,
    options,
    extra: fromJson<Extra>(row.extra),
  };
};

export const userSecretOf = (compliance: Compliance, row: store.UserWithPassword, nowMs: number): UserSecret => ({
  user: userModel(compliance, row, row.password_expires_at_ms, nowMs),
  passwordHash: row.password_hash,
});

export function createUsers(
  core: Core,
  parts: { readonly passwords: Passwords; readonly revocations: Revocations; readonly compliance: Compliance; readonly backends: Backends },
) {
  const { env } = core;
  const { read } = env.store;
  const { passwords, revocations, compliance, backends } = parts;
  const modelOf = (row: UserTable, expiresAtMs: number | null): User => userModel(compliance, row, expiresAtMs, env.clock.nowMs());

  async function get(id: string, db: Db = read): Promise<User> {
    const found = await find(id, db);
    if (!found) throw userNotFound(id);
    return found;
  }

  async function find(id: string, db: Db = read): Promise<User | undefined> {
    const row = await store.findUser(db, id);
    if (row) return modelOf(row, row.password_expires_at_ms);
    return (await (await backends.elsewhere('user', id))?.user(id))?.user;
  }

  /** Refuses to change a user of a program that is only read. */
  async function checkWritable(id: string): Promise<void> {
    const elsewhere = await backends.elsewhere('user', id);
    if (elsewhere && !elsewhere.writable && (await elsewhere.user(id))) throw readOnlyDirectory();
  }

  /** `bySystem`: the rules for passwords bind people, not the cloud's own first user. */
  async function create(user: NewUser, who: Initiator, rules: { readonly bySystem?: boolean } = {}): Promise<User> {
    const id = user.id ?? env.ids.hex();
    const name = user.name.trim();
    const nowMs = env.clock.nowMs();
    const conflict = (): CairnError => duplicate('user', name, user.domainId);
    if (!(await backends.ofDomain(user.domainId)).writable) throw readOnlyDirectory();
    if (user.password !== undefined && !rules.bySystem) compliance.checkStrength(user.password);
    const passwordHash = typeof user.password === 'string' ? await passwords.hash(user.password) : undefined;
    const userOptions = mergeOptions({}, user.options);
    const expiresAtMs = rules.bySystem ? null : compliance.expiryOf(userOptions, nowMs, false);
    const row: UserTable = {
      id,
      domain_id: user.domainId,
      name,
      enabled: toBit(user.enabled ?? true),
      default_project_id: user.defaultProjectId ?? null,
      options: toJson(userOptions),
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
      if (passwordHash !== undefined) await store.addPassword(tx, newPassword(id, passwordHash, nowMs, { expiresAtMs }), compliance.keptPasswords);
      await notify(core, tx, who, 'created', 'user', id);
    });
    return modelOf(row, passwordHash === undefined ? null : expiresAtMs);
  }

  async function update(id: string, change: UserChange, who: Initiator, rules: { readonly bySystem?: boolean } = {}): Promise<User> {
    await checkWritable(id);
    if (change.password !== undefined && !rules.bySystem) compliance.checkStrength(change.password);
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
        const options = mergeOptions(before.options, change.options);
        const expiresAtMs = rules.bySystem ? null : compliance.expiryOf(options, nowMs, false);
        const changed: Partial<UserTable> = {
          name,
          options: toJson(options),
          extra: toJson({ ...before.extra, ...change.extra }),
          ...(change.enabled !== undefined && { enabled: toBit(change.enabled) }),
          ...(change.enabled && compliance.enabledAnew(nowMs)),
          ...(change.defaultProjectId !== undefined && { default_project_id: change.defaultProjectId }),
        };
        await store.updateUser(tx, id, changed);
        if (passwordHash !== undefined) await store.addPassword(tx, newPassword(id, passwordHash, nowMs, { expiresAtMs }), compliance.keptPasswords);
        const disabled = change.enabled === false && before.enabled;
        if (disabled || typeof passwordHash === 'string') await revocations.ofUser(tx, id);
        if (disabled) await removeDelegations(tx, id, { trusts: false });
        await touch(core, tx, [userKey(id)]);
        await notify(core, tx, who, 'updated', 'user', id);
        return modelOf({ ...row, ...changed }, passwordHash === undefined ? before.passwordExpiresAtMs : expiresAtMs);
      },
    );
  }

  /** The user's own change: the original password is what authorises it, even an expired one. */
  async function changePassword(id: string, original: string, password: string, who: Initiator): Promise<void> {
    const elsewhere = await (await backends.elsewhere('user', id))?.user(id);
    if (elsewhere?.isPassword && (await elsewhere.isPassword(original))) throw readOnlyDirectory();
    const row = await compliance.inTurn(id, () => provenRow(id, original));
    compliance.checkStrength(password);
    const userOptions = fromJson<ResourceOptions>(row.options);
    if (userOptions.lock_password === true) throw passwordLocked();
    await compliance.checkOwnChoice(read, id, password);
    const passwordHash = await passwords.hash(password);
    await env.store.write(async (tx) => {
      const now = await store.findUser(tx, id);
      if (now?.password_hash !== row.password_hash) throw unauthenticated('the password was changed meanwhile');
      const nowMs = env.clock.nowMs();
      const more = { expiresAtMs: compliance.expiryOf(userOptions, nowMs, true), selfService: true };
      await store.addPassword(tx, newPassword(id, passwordHash, nowMs, more), compliance.keptPasswords);
      await revocations.ofUser(tx, id);
      await touch(core, tx, [userKey(id)]);
      await notify(core, tx, { ...who, userId: who.userId ?? id }, 'updated', 'user', id);
    });
  }

  /** The user's row, if the password is right and the user neither locked nor disabled. Whatever is wrong takes the same time and says the same. */
  async function provenRow(id: string, password: string): Promise<store.UserWithPassword> {
    const row = await store.findUser(read, id);
    const user = row && modelOf(row, row.password_expires_at_ms);
    const locked = user ? await compliance.isLocked(user) : false;
    const right = await passwords.verify(userKey(id), locked ? undefined : row?.password_hash, password);
    if (user && !locked) await compliance.record(user, right);
    if (!row || !user?.enabled || !right) throw unauthenticated('the original password is wrong, or the user is disabled, locked or unknown');
    return row;
  }

  async function remove(id: string, who: Initiator): Promise<void> {
    await checkWritable(id);
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

  /** `homeDomainId`: the caller's domain, which is listed where no domain is named and another program keeps it. */
  async function list(
    filters: readonly ListFilter[],
    paging: Paging,
    more: UserListing & { readonly homeDomainId?: string | undefined } = {},
  ): Promise<UserPage> {
    const { homeDomainId, ...listing } = more;
    return await (await listedBackend(backends, { filters, groupId: more.groupId, homeDomainId })).users(filters, paging, listing);
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
    find,
    findByName: async (name: string, domainId: string, db: Db = read): Promise<User | undefined> => {
      const elsewhere = await backends.ofDomain(domainId);
      if (elsewhere !== backends.sql) return (await elsewhere.userByName(name, domainId))?.user;
      const row = await store.findUserByName(db, name, domainId);
      return row && modelOf(row, row.password_expires_at_ms);
    },
  };
}

const newPassword = (
  userId: string,
  passwordHash: string | null,
  nowMs: number,
  more: { readonly expiresAtMs: number | null; readonly selfService?: boolean },
) => ({
  user_id: userId,
  password_hash: passwordHash,
  created_at_ms: nowMs,
  expires_at_ms: more.expiresAtMs,
  self_service: toBit(more.selfService ?? false),
});

async function checkDefaultProject(db: Db, projectId: string | null | undefined): Promise<void> {
  if (!projectId) return;
  const project = await findProject(db, projectId);
  if (project?.is_domain) throw invalid(`User's default project ID cannot be a domain ID: ${projectId}`, 'default_project_id');
}
