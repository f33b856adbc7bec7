import { ANYONE } from '@cairn/kit/http/operation';
import Type from 'typebox';
import { op } from './op.ts';

const links = Type.Array(Type.Object({ rel: Type.String(), href: Type.String() }));

const listVersions = op({
  id: 'neutron.version.list',
  method: 'GET',
  path: '/',
  summary: 'List API versions',
  policy: ANYONE,
  answer: Type.Object({ versions: Type.Array(Type.Object({ id: Type.String(), status: Type.String(), links })) }),
  handle: (_app, req) => ({ versions: [{ id: 'v2.0', status: 'CURRENT', links: [{ rel: 'self', href: `${req.baseUrl}/v2.0/` }] }] }),
});

/** What upstream calls its core resources. */
const CORE = { network: 'networks', subnet: 'subnets', subnetpool: 'subnetpools', port: 'ports' };

const showVersion = op({
  id: 'neutron.version.show',
  method: 'GET',
  path: '/v2.0',
  summary: 'List the core resources',
  policy: ANYONE,
  answer: Type.Object({ resources: Type.Array(Type.Object({ name: Type.String(), collection: Type.String(), links })) }),
  handle: (_app, req) => ({
    resources: Object.entries(CORE).map(([name, collection]) => ({ name, collection, links: [{ rel: 'self', href: `${req.baseUrl}/v2.0/${collection}` }] })),
  }),
});

export const versionOperations = [listVersions, showVersion];
