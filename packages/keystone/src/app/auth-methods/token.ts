import { expecting, forbiddenAction } from '../../errors.ts';
import type { MappedLogins } from '../federation/mapped.ts';
import type { Tokens } from '../tokens.ts';
import type { AuthMethod } from './method.ts';

/** keystone/auth/plugins/token.py: what a token limits stays limited, and the new one ends with it. */
export function tokenMethod(parts: { readonly tokens: Tokens; readonly mapped: MappedLogins }): AuthMethod {
  return {
    name: 'token',
    async authenticate(request, call) {
      const id = request.identity.token?.id;
      if (id === undefined) throw expecting('id', 'token');
      const token = await parts.tokens.validate(id);
      const { authorization, claims } = token;
      if (claims.identityProviderId !== undefined) return { ...(await parts.mapped.proveAgain(claims, call)), methods: claims.methods };
      const scope = typeof request.scope === 'object' ? request.scope : {};
      if (claims.accessTokenId !== undefined) {
        throw forbiddenAction('Using OAuth-scoped token to create another token. Create a new OAuth-scoped token instead');
      }
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
        // the new token keeps the credential and its project
        ...(credential && { applicationCredential: credential, ...(credential.projectId !== null && { projectId: credential.projectId }) }),
      };
    },
  };
}
