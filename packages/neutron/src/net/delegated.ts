import { keyOfIp } from './ip.ts';

/** Subnets whose prefix the provider beyond their router's gateway delegates (neutron-lib constants.py). */

/** Stands for a pool (IPV6_PD_POOL_ID). */
export const DELEGATION_POOL = 'prefix_delegation';
/** What such a subnet has until a prefix is delegated, and again when it is given back (PROVISIONAL_IPV6_PD_PREFIX). */
export const PROVISIONAL_PREFIX = '::/64';

export const isDelegated = (subnet: { readonly subnetpool_id: string | null }): boolean => subnet.subnetpool_id === DELEGATION_POOL;
/** Waits for its prefix: its addresses are placeholders, which no host may have and others may have too. */
export const isProvisional = (subnet: { readonly subnetpool_id: string | null; readonly cidr: string }): boolean =>
  isDelegated(subnet) && subnet.cidr === PROVISIONAL_PREFIX;

/**
 * What makes an address of a subnet unique on its network. Placeholders are the same for all subnets that wait, so the subnet's id is where their
 * prefix would be.
 */
export const keyOnSubnet = (subnet: { readonly id: string; readonly subnetpool_id: string | null; readonly cidr: string }, ip: string): string => {
  const key = keyOfIp(ip);
  return isProvisional(subnet) && key.length === 32 ? `${subnet.id.replaceAll('-', '').slice(0, 16)}${key.slice(16)}` : key;
};

/** Is it an address of a subnet that waits? */
export const isPlaceholder = (ip: string): boolean => ip.startsWith('::') && keyOfIp(ip).startsWith('0'.repeat(16));
