import type { CairnError } from '@cairn/kit/errors/errors';
import { toBit } from '@cairn/kit/store/values';
import { applicationCredentialKey } from '../cache/changes.ts';
import { accessRuleNotFound, applicationCredentialNotFound, duplicate, invalid, projectNotFound, refused, tooMany } from '../errors.ts';
import * as store from '../store/application-credentials.ts';
import type { ListFilter } from '../store/lists.ts';
import { findProject } from '../store/projects.ts';
import type { AccessRuleTable, ApplicationCredentialTable } from '../store/tables.ts';
import { type Core, type Initiator, notify, touch, writeUnique } from './core.ts';
import type { EffectiveRoles } from './effective-roles.ts';
import type { Passwords } from './passwords.ts';
import type { Role, Roles } from './roles.ts';

export interface AccessRule {
  readonly id: string;
  readonly service: string;
  readonly path: string;
  readonly method: string;
}

/** A user's standing permission for a program to act on one project with some of the user's roles. */
export interface ApplicationCredential {
  readonly id: string;
  readonly userId: string;
  readonly projectId: string | null;
  readonly name: string;
  readonly description: string | null;
  readonly expiresAtUs: number | null;
  /** May it manage application credentials and trusts itself? */
  readonly unrestricted: boolean;
  readonly roles: readonly Role[];
  /** Empty: no rules limit it. */
  readonly accessRules: readonly AccessRule[];
  readonly secretHash: string;
}

export interface NewApplicationCredential {
  readonly userId: string;
  readonly projectId: string;
  readonly name: string;
  readonly description: string | null;
  readonly secret: string;
  readonly expiresAtUs: number | null;
  readonly unrestricted: boolean;
  readonly roleIds: readonly string[];
  readonly accessRules: readonly (Omit<AccessRule, 'id'> & { readonly id?: string })[];
}

export type ApplicationCredentials = ReturnType<typeof createApplicationCredentials>;

const ruleModel = (row: AccessRuleTable): AccessRule => ({ id: row.id, service: row.service, path: row.path, method: row.method });

export function createApplicationCredentials(
  core: Core,
  parts: { readonly passwords: Passwords; readonly roles: Roles; readonly effectiveRoles: EffectiveRoles },
) {
  const { env } = core;
  const { read } = env.store;

  async function modelOf(row: store.StoredApplicationCredential): Promise<ApplicationCredential> {
    return {
      id: row.id,
      userId: row.user_id,
      projectId: row.project_id,
      name: row.name,
      description: row.description,
      expiresAtUs: row.expires_at_us,
      unrestricted: row.unrestricted !== 0,
      roles: await parts.roles.byIds(row.roleIds),
      accessRules: row.accessRules.map(ruleModel),
      secretHash: row.secret_hash,
    };
  }

  async function create(credential: NewApplicationCredential, who: Initiator): Promise<ApplicationCredential> {
    const conflict = (): CairnError => duplicate('application_credential', credential.name);
    const project = await findProject(read, credential.projectId);
    if (!project) throw projectNotFound(credential.projectId);
    const held = (await parts.effectiveRoles.onProject(read, credential.userId, project)).roleIds;
    if (credential.roleIds.some((roleId) => !held.includes(roleId))) {
      throw invalid('Invalid application credential: Cannot create an application credential with unassigned role', 'roles');
    }
    const row: ApplicationCredentialTable = {
      id: env.ids.hex(),
      user_id: credential.userId,
      project_id: credential.projectId,
      name: credential.name,
      description: credential.description,
      secret_hash: await parts.passwords.hash(credential.secret),
      expires_at_us: credential.expiresAtUs,
      unrestricted: toBit(credential.unrestricted),
    };
    const stored = await writeUnique(core, conflict, async (tx) => {
      const limit = core.options.maxApplicationCredentialsPerUser;
      if (limit >= 0 && (await store.countApplicationCredentials(tx, credential.userId)) >= limit) throw tooMany('application credentials', limit);
      if (await store.findApplicationCredentialByName(tx, credential.userId, credential.name)) throw conflict();
      const ruleIds: string[] = [];
      for (const rule of credential.accessRules) {
        const wanted = { user_id: credential.userId, service: rule.service, path: rule.path, method: rule.method };
        const byId = rule.id === undefined ? undefined : await store.findAccessRule(tx, rule.id);
        // another user's rule is not there for this one
        if (byId && byId.user_id !== credential.userId) throw accessRuleNotFound(byId.id);
        const known = byId ?? (await store.findSameAccessRule(tx, wanted));
        const id = known?.id ?? rule.id ?? env.ids.hex();
        if (!known) await store.insertAccessRule(tx, { id, ...wanted });
        if (!ruleIds.includes(id)) ruleIds.push(id);
      }
      await store.insertApplicationCredential(tx, row, [...new Set(credential.roleIds)], ruleIds);
      await notify(core, tx, who, 'created', 'application_credential', row.id);
      return await store.findApplicationCredential(tx, row.id);
    });
    return await modelOf(stored as store.StoredApplicationCredential);
  }

  async function find(id: string): Promise<ApplicationCredential | undefined> {
    const row = await store.findApplicationCredential(read, id);
    return row && (await modelOf(row));
  }

  async function get(id: string): Promise<ApplicationCredential> {
    const found = await find(id);
    if (!found) throw applicationCredentialNotFound(id);
    return found;
  }

  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      const removed = await store.deleteApplicationCredentials(tx, { id });
      if (removed.length === 0) throw applicationCredentialNotFound(id);
      await touch(core, tx, [applicationCredentialKey(id)]);
      await notify(core, tx, who, 'deleted', 'application_credential', id);
    });
  }

  async function getRule(id: string): Promise<AccessRule & { readonly userId: string }> {
    const row = await store.findAccessRule(read, id);
    if (!row) throw accessRuleNotFound(id);
    return { ...ruleModel(row), userId: row.user_id };
  }

  async function removeRule(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.findAccessRule(tx, id))) throw accessRuleNotFound(id);
      if (await store.accessRuleInUse(tx, id)) throw refused('May not delete access rule in use');
      await store.deleteAccessRules(tx, { id });
      await notify(core, tx, who, 'deleted', 'access_rule', id);
    });
  }

  return {
    create,
    find,
    get,
    remove,
    getRule,
    removeRule,
    findByName: async (userId: string, name: string): Promise<ApplicationCredential | undefined> => {
      const row = await store.findApplicationCredentialByName(read, userId, name);
      return row && (await modelOf(row));
    },
    list: async (filters: readonly ListFilter[]): Promise<ApplicationCredential[]> =>
      Promise.all((await store.listApplicationCredentials(read, filters)).map(modelOf)),
    listRules: async (filters: readonly ListFilter[]): Promise<AccessRule[]> => (await store.listAccessRules(read, filters)).map(ruleModel),
  };
}
