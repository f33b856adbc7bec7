import { getIpAvailability, listAvailabilityZones, listFloatingIpPools, listIpAvailabilities } from '../app/availability.ts';
import { AVAILABILITY_ZONE, FLOATINGIP_POOL, FLOATINGIP_POOL_HYPHENS, NETWORK_IP_AVAILABILITY } from '../resources/availability.ts';
import { listOf, showOf } from './verbs.ts';

export const availabilityOperations = [
  listOf(NETWORK_IP_AVAILABILITY, 'List how many addresses networks use', listIpAvailabilities),
  showOf(NETWORK_IP_AVAILABILITY, 'Show how many addresses a network uses', getIpAvailability),
  listOf(AVAILABILITY_ZONE, 'List availability zones', listAvailabilityZones),
  listOf(FLOATINGIP_POOL, 'List the subnets that floating IPs are taken from', listFloatingIpPools),
  listOf(FLOATINGIP_POOL_HYPHENS, 'List the subnets that floating IPs are taken from', listFloatingIpPools),
];
