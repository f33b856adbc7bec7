import { gone } from '@cairn/kit/errors/errors';
import { ANYONE, type AnyOperation } from '@cairn/kit/http/operation';
import { forbiddenSilently } from '../errors.ts';
import { op } from './common.ts';

const CERTIFICATES = [
  ['ca', 'keystone.simple_cert.ca'],
  ['certificates', 'keystone.simple_cert.certificates'],
] as const;

/** What was there for PKI tokens (keystone/api/os_simple_cert.py, AuthTokenOSPKIResource): clients are told that it is no more. */
export const tombstoneOperations: readonly AnyOperation[] = [
  ...CERTIFICATES.map(([name, id]) =>
    op({
      id,
      method: 'GET',
      path: `/v3/OS-SIMPLE-CERT/${name}`,
      // no success
      answer: 'none',
      summary: 'Was: certificates that signed tokens',
      policy: ANYONE,
      input: 'none',
      handle: () => {
        throw gone('This API is no longer available due to the removal of support for PKI tokens.');
      },
    }),
  ),
  op({
    id: 'keystone.token.revoked_list',
    method: 'GET',
    path: '/v3/auth/tokens/OS-PKI/revoked',
    answer: 'none',
    summary: 'Was: a signed list of revoked tokens',
    policy: ANYONE,
    input: 'none',
    handle: () => {
      throw forbiddenSilently('no list of revoked tokens is kept');
    },
  }),
];
