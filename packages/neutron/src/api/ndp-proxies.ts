import { ndpProxyVerbs } from '../app/ndp-proxies.ts';
import { NDP_PROXY } from '../resources/ndp-proxy.ts';
import { operationsOfKind } from './kinds.ts';

export const ndpProxyOperations = operationsOfKind(NDP_PROXY, ndpProxyVerbs, 'an NDP proxy', 'NDP proxies');
