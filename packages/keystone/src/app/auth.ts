import type { CairnError } from '@cairn/kit/errors/errors';
import { isCairnError } from '@cairn/kit/errors/errors';
import {
  applicationCredentialAuthError,
  expecting,
  forbiddenAction,
  insufficientMethods,
  passwordExpired,
  unauthenticated,
  unsupportedMethod,
} from '../errors.ts';
import type { ProjectTable } from '../store/tables.ts';
import { AUTH_METHODS } from '../token/payload.ts';
import type { ApplicationCredential, ApplicationCredentials } from './application-credentials.ts';
import type { Core } from './core.ts';
import type { Authorizations } from './authorization.ts';
import type { Lookups } from './lookups.ts';
import type { Passwords } from './passwords.ts';
import type { Token, Tokens } from './tokens.ts';
import type { Trust, Trusts } from './trusts.ts';
import type { User, UserSecret } from './users.ts';

/** `{id}` or `{name}`. */
export interface DomainReference {
  readonly id?: string;
  readonly name?: string;
}

export interface UserReference {
  readonly id?: string;
  readonly name?: string;
  readonly domain?: DomainReference;
}

/** The body of POST /v3/auth/tokens, already valid in form. */
export interface AuthRequest {
  readonly identity: {
    readonly methods: readonly string[];
    readonly password?: { readonly user?: UserReference & { readonly password?: string } };
    readonly token?: { readonly id?: string };
    readonly application_credential?: { readonly id?: string; readonly name?: string; readonly secret?: string; readonly user?: UserReference };
  };
  readonly scope?:
    | string
    | {
        readonly project?: { readonly id?: string; readonly name?: string; readonly domain?: DomainReference };
        readonly domain?: DomainReference;
        readonly system?: unknown;
        readonly unscoped?: unknown;
        readonly 'OS-TRUST:trust'?: { readonly id?: string };
      };
}

/** What the methods together found out. */
interface Proven {
  readonly userId: string;
  readonly methods: readonly string[];
  readonly expiresAtMs?: number;
  readonly parentAuditId?: string;
  readonly applicationCredential?: ApplicationCredential;
  /** The scope that a token of an application credential keeps. */
  readonly projectId?: string;
}

interface Scope {
  readonly projectId?: string;
  readonly domainId?: string;
  readonly system?: 'all';
  readonly trust?: Trust;
}

export type Auth = ReturnType<typeof createAuth>;

interface Parts {
  readonly lookups: Lookups;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  readonly trusts: Trusts;
  readonly authorizations: Authorizations;
  readonly applicationCredentials: ApplicationCredentials;
}

/** Methods that Cairn can check; the others of upstream's list answer that they are not supported. */
const SUPPORTED = ['password', 'token', 'application_credential'] as const;
type Supported = (typeof SUPPORTED)[number];
const isSupported = (method: string): method is Supported => (SUPPORTED as readonly string[]).includes(method);

/** POST /v3/auth/tokens (keystone/auth, keystone/api/_shared/authentication.py). */
export function createAuth(core: Core, parts: Parts) {
  const { lookups, passwords, tokens, trusts, authorizations, applicationCredentials } = parts;

  async function authenticate(request: AuthRequest): Promise<Token> {
    await core.changes.sync();
    const methods = [...new Set(request.identity.methods)];
    checkForm(request, methods);
    const proven = await proveAll(request, methods);
    checkMfaRules(await userOf(proven.userId), proven.methods);
    const scope = (await scopeOf(request, proven)) ?? (await defaultScope(proven.userId));
    const token = await tokens.issue({
      userId: proven.userId,
      methods: proven.methods,
      expiresAtMs: proven.expiresAtMs,
      parentAuditId: proven.parentAuditId,
      applicationCredentialId: proven.applicationCredential?.id,
      projectId: scope.projectId,
      domainId: scope.domainId,
      system: scope.system,
      trustId: scope.trust?.id,
    });
    if (scope.trust && scope.trust.remainingUses !== null) await trusts.consume(scope.trust.id);
    return token;
  }

  async function proveAll(request: AuthRequest, methods: readonly string[]): Promise<Proven> {
    let all: Proven | undefined;
    for (const method of methods as readonly Supported[]) {
      const one = await PROVE[method](request);
      if (all && all.userId !== one.userId) throw unauthenticated('the methods name different users');
      const expiries = [all?.expiresAtMs, one.expiresAtMs].filter((expiry) => expiry !== undefined);
      all = {
        ...all,
        ...one,
        methods: [...new Set([...(all?.methods ?? []), method, ...one.methods])],
        ...(expiries.length > 0 && { expiresAtMs: Math.min(...expiries) }),
      };
    }
    if (!all) throw unauthenticated('no authentication method was given');
    return all;
  }

  const PROVE: Readonly<Record<Supported, (request: AuthRequest) => Promise<Proven>>> = {
    async password(request) {
      const given = request.identity.password?.user;
      if (!given) throw expecting('user', 'password');
      const found = await personOf(given);
      const secret = found && (await isEnabled(found)) ? found : undefined;
      // a user who is not there or not enabled costs as much as a wrong password
      if (!(await passwords.verify(`user:${secret?.user.id}`, secret?.passwordHash, given.password)) || !secret) {
        throw unauthenticated(secret ? `wrong password of user ${secret.user.id}` : 'the user is unknown or disabled');
      }
      const { user } = secret;
      const expired = user.passwordExpiresAtMs !== null && core.env.clock.nowMs() >= user.passwordExpiresAtMs;
      if (expired && user.options.ignore_password_expiry !== true) throw passwordExpired(user.id);
      return { userId: user.id, methods: [] };
    },

    async token(request) {
      const id = request.identity.token?.id;
      if (id === undefined) throw expecting('id', 'token');
      const token = await tokens.validate(id);
      const { authorization, claims } = token;
      const scope = typeof request.scope === 'object' ? request.scope : {};
      if (authorization.trust) throw forbiddenAction('Using trust-scoped token to create another token. Create a new trust-scoped token instead');
      if (authorization.system && (scope.project || scope.domain)) {
        throw forbiddenAction('Using a system-scoped token to create a project-scoped or domain-scoped token is not allowed.');
      }
      const credential = authorization.applicationCredential;
      if (credential && request.scope !== undefined) throw forbiddenAction('Using an application credential token to create a scoped token is not allowed.');
      const parentAuditId = claims.auditIds.at(-1);
      return {
        userId: claims.userId,
        methods: claims.methods,
        expiresAtMs: claims.expiresAtMs,
        ...(parentAuditId !== undefined && { parentAuditId }),
        // what is limited stays limited: the new token keeps the credential and its project
        ...(credential && { applicationCredential: credential, ...(credential.projectId !== null && { projectId: credential.projectId }) }),
      };
    },

    async application_credential(request) {
      const given = request.identity.application_credential;
      if (!given?.id && !given?.name) throw expecting('id or name', 'application credential');
      if (!given.id && !given.user) throw expecting('user', 'application credential');
      const credential = await credentialOf(given);
      const owner = credential && (await lookups.userById(credential.userId));
      const usable = credential && owner && (await isEnabled(owner)) && !isPast(credential) ? credential : undefined;
      if (!(await passwords.verify(`application_credential:${usable?.id}`, usable?.secretHash, given.secret)) || !usable) {
        throw unauthenticated('the application credential or its secret is wrong, expired, or its user is disabled');
      }
      return { userId: usable.userId, methods: [], applicationCredential: usable, ...(usable.projectId !== null && { projectId: usable.projectId }) };
    },
  };

  const isPast = (credential: ApplicationCredential): boolean => credential.expiresAtUs !== null && core.env.clock.nowMs() * 1000 >= credential.expiresAtUs;

  async function credentialOf(given: NonNullable<AuthRequest['identity']['application_credential']>): Promise<ApplicationCredential | undefined> {
    if (given.id) return await applicationCredentials.find(given.id);
    const owner = given.user && (await personOf(given.user));
    return owner && given.name ? await applicationCredentials.findByName(owner.user.id, given.name) : undefined;
  }

  /** The user that a request names; undefined where there is none, or the domain is not there. */
  async function personOf(given: UserReference): Promise<UserSecret | undefined> {
    if (given.name !== undefined && given.name !== '') {
      if (!given.domain) throw expecting('domain', 'user');
      const domain = await domainOf(given.domain);
      return domain?.enabled ? await lookups.userByName(given.name, domain.id) : undefined;
    }
    if (!given.id) throw expecting('id or name', 'user');
    return await lookups.userById(given.id);
  }

  async function domainOf(given: DomainReference): Promise<ProjectTable | undefined> {
    if (!given.id && !given.name) throw expecting('id or name', 'domain');
    const domain = given.name ? await lookups.domainByName(given.name) : await lookups.projectById(given.id ?? '');
    return domain?.is_domain ? domain : undefined;
  }

  async function isEnabled(secret: UserSecret): Promise<boolean> {
    const domain = await lookups.projectById(secret.user.domainId);
    return secret.user.enabled && domain?.enabled === 1;
  }

  async function userOf(id: string): Promise<User> {
    const found = await lookups.userById(id);
    if (!found) throw unauthenticated(`user ${id} is gone`);
    return found.user;
  }

  /** The scope that was asked for; undefined where none was. What is not there or not enabled is a 401, as upstream has it. */
  async function scopeOf(request: AuthRequest, proven: Proven): Promise<Scope | undefined> {
    if (proven.projectId !== undefined) return { projectId: await enabledProject(await lookups.projectById(proven.projectId)) };
    const { scope } = request;
    if (scope === undefined) return undefined;
    if (typeof scope === 'string' || scope.unscoped !== undefined) return {};
    if (scope.system !== undefined) return { system: 'all' };
    if (scope.project) return { projectId: await enabledProject(await projectOf(scope.project)) };
    if (scope.domain) {
      const domain = await domainOf(scope.domain);
      if (!domain?.enabled) throw unauthenticated('the domain is unknown or disabled');
      return { domainId: domain.id };
    }
    return await trustScope(scope['OS-TRUST:trust']?.id ?? '');
  }

  async function projectOf(given: { readonly id?: string; readonly name?: string; readonly domain?: DomainReference }): Promise<ProjectTable | undefined> {
    if (!given.name) return await lookups.projectById(given.id ?? '');
    const domain = await domainOf(given.domain ?? {});
    return domain?.enabled ? await lookups.projectByName(given.name, domain.id) : undefined;
  }

  async function enabledProject(project: ProjectTable | undefined): Promise<string> {
    const domain = project && !project.is_domain ? await lookups.projectById(project.domain_id) : undefined;
    if (!project?.enabled || !domain?.enabled) throw unauthenticated('the project is unknown or disabled');
    return project.id;
  }

  async function trustScope(id: string): Promise<Scope> {
    let trust: Trust;
    try {
      trust = await trusts.get(id);
    } catch (error) {
      if (isCairnError(error, 'NotFound')) throw unauthenticated((error as CairnError).message);
      throw error;
    }
    if (trust.projectId === null) return { trust };
    return { trust, projectId: await enabledProject(await lookups.projectById(trust.projectId)) };
  }

  /** Without a scope the default project is taken, if the user may enter it; or else none. */
  async function defaultScope(userId: string): Promise<Scope> {
    const { defaultProjectId } = await userOf(userId);
    if (!defaultProjectId) return {};
    try {
      await authorizations.of({ userId, projectId: defaultProjectId });
      return { projectId: defaultProjectId };
    } catch (error) {
      if (isCairnError(error, 'NotFound') || isCairnError(error, 'Unauthorized')) return {};
      throw error;
    }
  }

  return { authenticate };
}

/** A user's rules name sets of methods, one of which must be complete. Rules that name only methods that are not there lock nobody out. */
function checkMfaRules(user: User, methods: readonly string[]): void {
  const rules = user.options.multi_factor_auth_rules;
  if (!Array.isArray(rules) || rules.length === 0 || user.options.multi_factor_auth_enabled === false) return;
  const usable = rules
    .filter((rule): rule is string[] => Array.isArray(rule) && rule.every((method) => typeof method === 'string'))
    .map((rule) => rule.filter(isSupported))
    .filter((rule) => rule.length > 0);
  if (usable.length > 0 && !usable.some((rule) => rule.every((method) => methods.includes(method)))) throw insufficientMethods(user.id, methods);
}

/** What is wrong whoever asks; before any secret is looked at. */
function checkForm(request: AuthRequest, methods: readonly string[]): void {
  const identity = request.identity as Readonly<Record<string, unknown>>;
  for (const method of methods) if (identity[method] === undefined) throw expecting(method, 'identity');
  if (!methods.every(isSupported)) throw unsupportedMethod(AUTH_METHODS.filter(isSupported));
  const { scope } = request;
  if (methods.includes('application_credential')) {
    // an application credential brings its own scope
    if (scope !== undefined) throw applicationCredentialAuthError();
  }
  if (scope === undefined) return;
  const kinds =
    typeof scope === 'string'
      ? scope === 'unscoped'
        ? 1
        : 0
      : ['project', 'domain', 'unscoped', 'system', 'OS-TRUST:trust'].filter((kind) => kind in scope).length;
  if (kinds !== 1) throw expecting('system, project, domain, OS-TRUST:trust or unscoped', 'scope');
  if (typeof scope === 'string') return;
  if (scope.project?.name && scope.project.domain === undefined) throw expecting('domain', 'project');
  if (scope['OS-TRUST:trust'] && !scope['OS-TRUST:trust'].id) throw expecting('trust_id', 'trust');
}
