import { CairnError } from '@cairn/kit/errors/errors';
import { ANYONE, type AnyOperation } from '@cairn/kit/http/operation';
import { op } from './common.ts';

const PATHS = [
  ['/v3/ec2tokens', 'keystone.ec2_token.get'],
  ['/v3/s3tokens', 'keystone.s3_token.get'],
  ['/v3/OS-OAUTH1/request_token', 'keystone.oauth1_request_token.get'],
  ['/v3/OS-OAUTH1/access_token', 'keystone.oauth1_access_token.get'],
  ['/v3/auth/OS-FEDERATION/saml2', 'keystone.federation.saml2.get'],
  ['/v3/auth/OS-FEDERATION/saml2/ecp', 'keystone.federation.saml2_ecp.get'],
] as const;

/** Paths that are asked with POST: whoever comes with GET is told so, logged in or not, as upstream does. */
export const postOnlyOperations: readonly AnyOperation[] = PATHS.map(([path, id]) =>
  op({
    id,
    method: 'GET',
    path,
    // no success
    answer: 'none',
    summary: 'Tell that only POST is answered here',
    policy: ANYONE,
    input: 'none',
    handle: () => {
      throw new CairnError('MethodNotAllowed', 'The method is not allowed for the requested URL.', { headers: { Allow: 'POST' } });
    },
  }),
);
