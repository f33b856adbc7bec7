import { conntrackHelperOperations } from './conntrack-helpers.ts';
import { localIpOperations } from './local-ips.ts';
import { logOperations } from './logs.ts';
import { meteringOperations } from './metering.ts';
import { ndpProxyOperations } from './ndp-proxies.ts';

/** What service plugins add to routers, ports and groups. */
export const dataPlaneOperations = [...conntrackHelperOperations, ...meteringOperations, ...logOperations, ...ndpProxyOperations, ...localIpOperations];
