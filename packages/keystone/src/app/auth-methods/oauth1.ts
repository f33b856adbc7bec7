import { expecting } from '../../errors.ts';
import { oauthHeader } from '../../oauth1/request.ts';
import type { OAuth1 } from '../oauth1.ts';
import type { AuthMethod } from './method.ts';

/** keystone/auth/plugins/oauth1.py: the proof is the request's own signature, in the Authorization header. */
export function oauth1Method(parts: { readonly oauth1: OAuth1 }): AuthMethod {
  return {
    name: 'oauth1',
    async authenticate(_request, call) {
      const { authorization } = call.headers;
      if (!oauthHeader(typeof authorization === 'string' ? authorization : authorization?.[0]).get('oauth_token')) throw expecting('oauth_token', 'request');
      const access = await parts.oauth1.accessOf(call);
      return { userId: access.userId, accessTokenId: access.id, projectId: access.projectId };
    },
  };
}
