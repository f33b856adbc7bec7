import { expecting, unauthenticated } from '../../errors.ts';
import type { MappedLogins } from '../federation/mapped.ts';
import type { Tokens } from '../tokens.ts';
import type { AuthMethod } from './method.ts';

/**
 * keystone/auth/plugins/mapped.py in the body of POST /v3/auth/tokens, by its own name or a protocol's. A federated token may be shown for another
 * one. Naming an identity provider proves nothing: what upstream takes from the web server's environment comes in no request here, but by the
 * log-in paths of OS-FEDERATION, from assertions that were verified.
 */
export function mappedMethod(name: string, parts: { readonly tokens: Tokens; readonly mapped: MappedLogins }): AuthMethod {
  return {
    name,
    async authenticate(request, call) {
      const given = request.identity[name];
      const { id, identity_provider, protocol } = (given !== null && typeof given === 'object' ? given : {}) as Readonly<Record<string, unknown>>;
      if (typeof id === 'string') {
        const { claims } = await parts.tokens.validate(id);
        if (claims.identityProviderId === undefined) throw unauthenticated('the token is not that of a federated user');
        return await parts.mapped.proveAgain(claims, call);
      }
      if (identity_provider === undefined) throw expecting('identity_provider', 'mapped');
      if (protocol === undefined) throw expecting('protocol', 'mapped');
      throw unauthenticated('no verified assertion came along');
    },
  };
}
