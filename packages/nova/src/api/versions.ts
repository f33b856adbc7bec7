import { ANYONE, Reply, type Request } from '@cairn/kit/http/operation';
import { MAX_MICROVERSION, MIN_MICROVERSION } from '../microversions.ts';
import { op } from './op.ts';

const MEDIA = [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }];
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

const details = (req: Request): object => {
  const version = v21(req);
  return { version: { ...version, links: [...version.links, { rel: 'describedby', type: 'text/html', href: 'http://docs.openstack.org/' }], 'media-types': MEDIA } };
};

export const versionOperations = [
  op({ id: 'nova.versions.list', method: 'GET', path: '/', summary: 'API versions', policy: ANYONE, handle: (_app, req) => new Reply({ versions: [v21(req)] }) }),
  op({ id: 'nova.versions.show', method: 'GET', path: '/v2.1', summary: 'The API version v2.1', policy: ANYONE, handle: (_app, req) => details(req) }),
];
