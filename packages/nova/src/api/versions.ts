import { notFound } from '@cairn/kit/errors/errors';
import { ANYONE, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import { MAX_MICROVERSION, MIN_MICROVERSION } from '../microversions.ts';
import { OneVersion, Versions } from './answers/others.ts';
import { op } from './op.ts';

const UPDATED = '2013-07-23T11:33:21Z';

/** The version document of v2.1 (nova/api/openstack/compute/views/versions.py). */
const v21 = (req: Request) => ({
  id: 'v2.1',
  status: 'CURRENT',
  version: MAX_MICROVERSION,
  min_version: MIN_MICROVERSION,
  updated: UPDATED,
  links: [{ rel: 'self', href: `${req.baseUrl}/v2.1/` }],
});

/** The legacy v2.0, which is v2.1 without microversions. */
const v20 = (req: Request) => ({
  id: 'v2.0',
  status: 'SUPPORTED',
  version: '',
  min_version: '',
  updated: '2011-01-21T11:33:21Z',
  links: [{ rel: 'self', href: `${req.baseUrl}/v2/` }],
});

const described = (version: ReturnType<typeof v20>, media: string): object => ({
  version: {
    ...version,
    links: [...version.links, { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' }],
    'media-types': [{ base: 'application/json', type: `application/vnd.openstack.compute+json;version=${media}` }],
  },
});

export const versionOperations = [
  op({
    id: 'nova.versions.list',
    method: 'GET',
    path: '/',
    summary: 'API versions',
    policy: ANYONE,
    answer: Versions,
    handle: (_app, req) => new Reply({ versions: [v20(req), v21(req)] }),
  }),
  op({
    id: 'nova.versions.show',
    method: 'GET',
    path: '/v2.1',
    summary: 'The API version v2.1',
    policy: ANYONE,
    answer: OneVersion,
    handle: (_app, req) => described(v21(req), '2.1'),
  }),
  op({
    id: 'nova.versions.show-legacy',
    method: 'GET',
    path: '/v2',
    summary: 'The API version v2.0',
    policy: ANYONE,
    answer: OneVersion,
    handle: (_app, req) => described(v20(req), '2'),
  }),
  op({
    id: 'nova.versions.show-one',
    method: 'GET',
    path: '/v2.1/versions/{version_id}',
    summary: 'An API version by its id',
    policy: AUTHENTICATED,
    answer: OneVersion,
    handle(_app, req) {
      if (req.params.version_id === 'v2.1') return described(v21(req), '2.1');
      if (req.params.version_id === 'v2.0') return described(v20(req), '2');
      throw notFound('The resource could not be found.');
    },
  }),
];
