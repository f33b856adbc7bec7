import { conntrackHelperOperations } from './conntrack-helpers.ts';
import { logOperations } from './logs.ts';
import { meteringOperations } from './metering.ts';

/** What service plugins add to routers, ports and groups. */
export const dataPlaneOperations = [...conntrackHelperOperations, ...meteringOperations, ...logOperations];
