import type { CairnError } from '@cairn/kit/errors/errors';
import { isCairnError } from '@cairn/kit/errors/errors';
import { applicationCredentialAuthError, expecting, unauthenticated } from '../errors.ts';
import type { ProjectTable } from '../store/tables.ts';
import type { AuthRequest, DomainReference } from './auth-methods/method.ts';
import type { Proven } from './auth-methods/combine.ts';
import type { People } from './auth-methods/people.ts';
import type { Authorizations } from './authorization.ts';
import type { Lookups } from './lookups.ts';
import type { Trust, Trusts } from './trusts.ts';

/** What a token will be good for; nothing set for an unscoped one. */
export interface Scope {
  readonly projectId?: string;
  readonly domainId?: string;
  readonly system?: 'all';
  readonly trust?: Trust;
}

interface Parts {
  readonly lookups: Lookups;
  readonly people: People;
  readonly trusts: Trusts;
  readonly authorizations: Authorizations;
}

/** Finds the scope of a login that has succeeded. What is not there or not enabled is a 401, as upstream has it. */
export function createScopes({ lookups, people, trusts, authorizations }: Parts) {
  /** The scope that was asked for; undefined where none was. */
  async function asked(request: AuthRequest, proven: Proven): Promise<Scope | undefined> {
    if (proven.projectId !== undefined) return { projectId: await enabledProject(await lookups.projectById(proven.projectId)) };
    const { scope } = request;
    if (scope === undefined) return undefined;
    if (typeof scope === 'string' || scope.unscoped !== undefined) return {};
    if (scope.system !== undefined) return { system: 'all' };
    if (scope.project) return { projectId: await enabledProject(await projectOf(scope.project)) };
    if (scope.domain) {
      const domain = await people.domainOf(scope.domain);
      if (!domain?.enabled) throw unauthenticated('the domain is unknown or disabled');
      return { domainId: domain.id };
    }
    return await trustScope(scope['OS-TRUST:trust']?.id ?? '');
  }

  async function projectOf(given: { readonly id?: string; readonly name?: string; readonly domain?: DomainReference }): Promise<ProjectTable | undefined> {
    if (!given.name) return await lookups.projectById(given.id ?? '');
    const domain = await people.domainOf(given.domain ?? {});
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

  /** Without a scope the default project is taken, if the user may enter it; or else none. A federated user's first token has none. */
  async function byDefault(proven: Proven): Promise<Scope> {
    const { userId } = proven;
    const defaultProjectId = proven.identityProviderId === undefined ? (await lookups.userById(userId))?.user.defaultProjectId : undefined;
    if (!defaultProjectId) return {};
    try {
      await authorizations.of({ userId, projectId: defaultProjectId });
      return { projectId: defaultProjectId };
    } catch (error) {
      if (isCairnError(error, 'NotFound') || isCairnError(error, 'Unauthorized')) return {};
      throw error;
    }
  }

  return { of: async (request: AuthRequest, proven: Proven): Promise<Scope> => (await asked(request, proven)) ?? (await byDefault(proven)) };
}

const KINDS = ['project', 'domain', 'unscoped', 'system', 'OS-TRUST:trust'] as const;

/** What is wrong with the scope whoever asks; before any secret is looked at. */
export function checkScopeForm(request: AuthRequest, methods: readonly string[]): void {
  const { scope } = request;
  if (scope === undefined) return;
  // an application credential brings its own scope
  if (methods.includes('application_credential')) throw applicationCredentialAuthError();
  const kinds = typeof scope === 'string' ? Number(scope === 'unscoped') : KINDS.filter((kind) => kind in scope).length;
  if (kinds !== 1) throw expecting('system, project, domain, OS-TRUST:trust or unscoped', 'scope');
  if (typeof scope === 'string') return;
  if (scope.project?.name && scope.project.domain === undefined) throw expecting('domain', 'project');
  if (scope['OS-TRUST:trust'] && !scope['OS-TRUST:trust'].id) throw expecting('trust_id', 'trust');
}
