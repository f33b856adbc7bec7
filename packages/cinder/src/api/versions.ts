import { ANYONE, AUTHENTICATED, Reply } from '@cairn/kit/http/operation';
import { Versions } from './answers/services.ts';
import { op } from './op.ts';

export const MIN_MICROVERSION = '3.0';
/** The newest microversion whose every change holds for the operations that exist. */
export const MAX_MICROVERSION = '3.71';

const document = (baseUrl: string): object => ({
  versions: [
    {
      id: 'v3.0',
      status: 'CURRENT',
      version: MAX_MICROVERSION,
      min_version: MIN_MICROVERSION,
      updated: '2023-08-31T00:00:00Z',
      links: [
        { rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/' },
        { rel: 'self', href: `${baseUrl}/v3/` },
      ],
      'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.volume+json;version=3' }],
    },
  ],
});

/** Version discovery: the list of all is open to anybody, the one of v3 is behind authentication as upstream's pipeline has it. */
export const versionOperations = [
  op({
    id: 'cinder.versions.list',
    method: 'GET',
    path: '/',
    summary: 'API versions',
    policy: ANYONE,
    answer: Versions,
    handle: (_app, request) => new Reply(document(request.baseUrl), { status: 300 }),
  }),
  op({
    id: 'cinder.versions.show',
    method: 'GET',
    path: '/v3',
    summary: 'The version of this API',
    policy: AUTHENTICATED,
    answer: Versions,
    handle: (_app, request) => document(request.baseUrl),
  }),
];
