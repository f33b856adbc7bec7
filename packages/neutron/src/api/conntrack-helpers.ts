import { conntrackHelperVerbs } from '../app/conntrack-helpers.ts';
import { CONNTRACK_HELPER } from '../resources/conntrack-helper.ts';
import { operationsOfKind } from './kinds.ts';

export const conntrackHelperOperations = operationsOfKind(CONNTRACK_HELPER, conntrackHelperVerbs, 'a conntrack helper', 'conntrack helpers');
