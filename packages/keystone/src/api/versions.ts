import type { AnyOperation } from '@cairn/kit/http/operation';
import { ANYONE, Reply } from '@cairn/kit/http/operation';
import { type AnyRequest, op, v3 } from './common.ts';

const MEDIA_TYPE = 'application/vnd.openstack.identity-v3+json';

const version = (req: AnyRequest) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${v3(req)}/` }],
  'media-types': [{ base: 'application/json', type: MEDIA_TYPE }],
});

/** Version documents (keystone/api/discovery.py). */
export const versionOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.versions.list',
    method: 'GET',
    path: '/',
    summary: 'List the API versions',
    policy: ANYONE,
    input: 'none',
    handle: (_app, req) => new Reply({ versions: { values: [version(req)] } }, { status: 300, headers: { Location: `${v3(req)}/` } }),
  }),
  op({
    id: 'keystone.versions.show',
    method: 'GET',
    path: '/v3',
    summary: 'Show the v3 API version',
    policy: ANYONE,
    input: 'none',
    handle: (_app, req) => ({ version: version(req) }),
  }),
];
