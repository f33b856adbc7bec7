import { expecting, unauthenticated, unsupportedMethod } from '../errors.ts';
import { AUTH_METHODS } from '../token/payload.ts';
import type { AuthMethods } from './auth-methods/combine.ts';
import type { AuthCall, AuthRequest, Proof } from './auth-methods/method.ts';
import type { People } from './auth-methods/people.ts';
import { checkScopeForm, createScopes } from './auth-scope.ts';
import type { Authorizations } from './authorization.ts';
import type { Core } from './core.ts';
import type { Lookups } from './lookups.ts';
import type { Receipts } from './receipts.ts';
import type { Token, Tokens } from './tokens.ts';
import type { Trusts } from './trusts.ts';
import type { User } from './users.ts';

export type Auth = ReturnType<typeof createAuth>;

interface Parts {
  readonly methods: AuthMethods;
  readonly people: People;
  readonly lookups: Lookups;
  readonly tokens: Tokens;
  readonly trusts: Trusts;
  readonly authorizations: Authorizations;
  readonly receipts: Receipts;
}

/** POST /v3/auth/tokens (keystone/auth, keystone/api/_shared/authentication.py). */
export function createAuth(core: Core, parts: Parts) {
  const { methods, lookups, tokens, trusts, receipts } = parts;
  const scopes = createScopes(parts);
  const supported = (): string[] => AUTH_METHODS.filter((method) => methods.has(method));

  async function authenticate(request: AuthRequest, call: AuthCall): Promise<Token> {
    await core.changes.sync();
    const names = [...new Set(request.identity.methods)];
    checkForm(request, names);
    const proven = await methods.prove(names, request, call);
    const scope = await scopes.of(request, proven);
    const receipt = receipts.shown(call, proven.userId);
    const passed = receipt ? [...new Set([...proven.methods, ...receipt.methods])] : proven.methods;
    // a receipt says that an application credential was shown, not which one; its limits must not be lost
    if (passed.includes('application_credential') && !proven.applicationCredential) throw unauthenticated('the application credential itself is missing');
    await checkRules(await userOf(proven.userId), passed);
    const token = await tokens.issue({
      userId: proven.userId,
      methods: passed,
      expiresAtMs: proven.expiresAtMs,
      parentAuditId: proven.parentAuditId,
      applicationCredentialId: proven.applicationCredential?.id,
      projectId: scope.projectId,
      domainId: scope.domainId,
      system: scope.system,
      trustId: scope.trust?.id,
      accessTokenId: proven.accessTokenId,
      identityProviderId: proven.identityProviderId,
      protocolId: proven.protocolId,
      groupIds: proven.groupIds,
    });
    if (scope.trust && scope.trust.remainingUses !== null) await trusts.consume(scope.trust.id);
    return token;
  }

  /** The unscoped token of somebody whom an identity provider has proved; `protocolId` stands for the method. */
  async function federated(proof: Proof, protocolId: string): Promise<Token> {
    await core.changes.sync();
    await checkRules(await userOf(proof.userId), [protocolId]);
    return await tokens.issue({ ...proof, methods: [protocolId] });
  }

  async function userOf(id: string): Promise<User> {
    const found = await lookups.userById(id);
    if (!found) throw unauthenticated(`user ${id} is gone`);
    return found.user;
  }

  /** What is wrong whoever asks; before any secret is looked at. */
  function checkForm(request: AuthRequest, names: readonly string[]): void {
    for (const name of names) if (request.identity[name] === undefined) throw expecting(name, 'identity');
    if (!names.every((name) => methods.has(name))) throw unsupportedMethod(supported());
    checkScopeForm(request, names);
  }

  /** A user's rules name sets of methods, one of which must be complete. Rules that name only methods that are not there lock nobody out. */
  async function checkRules(user: User, passed: readonly string[]): Promise<void> {
    const rules = user.options.multi_factor_auth_rules;
    if (!Array.isArray(rules) || rules.length === 0 || user.options.multi_factor_auth_enabled === false) return;
    const usable = rules
      .filter((rule): rule is string[] => Array.isArray(rule) && rule.every((method) => typeof method === 'string'))
      .map((rule) => rule.filter((method) => methods.has(method)))
      .filter((rule) => rule.length > 0);
    if (usable.length > 0 && !usable.some((rule) => rule.every((method) => passed.includes(method))))
      throw await receipts.insufficient(user.id, passed, usable);
  }

  return { authenticate, federated };
}
