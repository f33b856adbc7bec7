import { getIpAvailability, listAvailabilityZones, listFloatingIpPools, listIpAvailabilities, listServiceProviders } from '../app/availability.ts';
import { AVAILABILITY_ZONE, FLOATINGIP_POOL, NETWORK_IP_AVAILABILITY, SERVICE_PROVIDER } from '../resources/availability.ts';
import { listOf, showOf } from './verbs.ts';

export const availabilityOperations = [
  listOf(NETWORK_IP_AVAILABILITY, 'List how many addresses networks use', listIpAvailabilities),
  showOf(NETWORK_IP_AVAILABILITY, 'Show how many addresses a network uses', getIpAvailability),
  listOf(AVAILABILITY_ZONE, 'List availability zones', listAvailabilityZones),
  listOf(FLOATINGIP_POOL, 'List the subnets that floating IPs are taken from', listFloatingIpPools),
  listOf(SERVICE_PROVIDER, 'List service providers', listServiceProviders),
];
