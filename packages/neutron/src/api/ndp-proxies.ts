import { AUTHENTICATED } from '@cairn/kit/http/operation';
import { ndpProxyVerbs } from '../app/ndp-proxies.ts';
import { explainPathToNdpProxy } from '../app/path.ts';
import { NDP_PROXY } from '../resources/ndp-proxy.ts';
import { operationsOfKind } from './kinds.ts';
import { op } from './op.ts';
import { pathAnswer } from './path-answer.ts';
import { FROM_OUTSIDE } from './path-query.ts';

const showPath = op({
  id: 'neutron.ndp_proxy.path',
  method: 'GET',
  path: '/v2.0/ndp-proxies/{id}/path',
  summary: 'Explain whether a packet from outside to the address of an NDP proxy passes, and what stops it',
  policy: AUTHENTICATED,
  asks: 'get_ndp_proxy_path',
  query: FROM_OUTSIDE,
  validation: 'handler',
  answer: pathAnswer,
  handle: async (app, req) => ({ path: await explainPathToNdpProxy(app, req.ctx, req.params.id as string, req.query) }),
});

export const ndpProxyOperations = [...operationsOfKind(NDP_PROXY, ndpProxyVerbs, 'an NDP proxy', 'NDP proxies'), showPath];
