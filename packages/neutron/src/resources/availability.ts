import Type from 'typebox';
import { toInt } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { readOnly, uuidSchema } from '../attributes/standard.ts';

const listed = { filter: true, sort: true } as const;

const DETAILS = Type.Object({
  total_ips_in_subnet: Type.Number(),
  total_ips_in_allocation_pool: Type.Number(),
  used_ips_in_subnet: Type.Integer(),
  used_ips_in_allocation_pool: Type.Integer(),
});

const SUBNET_AVAILABILITY = Type.Object({
  subnet_id: Type.String({ format: 'uuid' }),
  subnet_name: Type.String(),
  ip_version: Type.Enum([4, 6]),
  cidr: Type.String(),
  total_ips: Type.Number(),
  used_ips: Type.Integer(),
  ip_availability_details: DETAILS,
});

/** neutron_lib/api/definitions/network_ip_availability.py with network_ip_availability_details. */
export const NETWORK_IP_AVAILABILITY = defineResource({
  name: 'network_ip_availability',
  collection: 'network_ip_availabilities',
  path: 'network-ip-availabilities',
  key: 'network_id',
  attributes: {
    network_id: { ...listed, schema: uuidSchema('The network.') },
    network_name: readOnly('Its name.', Type.String(), { filter: true }),
    tenant_id: readOnly('Its project.', Type.String(), { filter: true }),
    total_ips: readOnly('Addresses that may be given out.', Type.Number()),
    used_ips: readOnly('Addresses in use.', Type.Integer()),
    subnet_ip_availability: readOnly('The same of each subnet.', Type.Array(SUBNET_AVAILABILITY)),
    ip_availability_details: readOnly('The same within the ranges of subnets and within their pools.', DETAILS),
    ip_version: { filter: true, visible: false, convert: toInt, schema: Type.Integer({ description: 'Subnets of this IP version alone.' }) },
  },
});

/** neutron_lib/api/definitions/availability_zone.py with availability_zone_filter. */
export const AVAILABILITY_ZONE = defineResource({
  name: 'availability_zone',
  title: 'NetworkAvailabilityZone',
  key: 'name',
  attributes: {
    name: readOnly('The name of the zone.', Type.String(), { filter: true }),
    resource: readOnly('What is placed in it: networks or routers.', Type.Enum(['network', 'router']), { filter: true }),
    state: readOnly('Is it in service?', Type.Enum(['available', 'unavailable']), { filter: true }),
  },
});

/** neutron_lib/api/definitions/floatingip_pools.py */
const floatingIpPool = (path: string, alias?: string) =>
  defineResource({
    name: 'floatingip_pool',
    title: 'FloatingIpPool',
    path,
    ...(alias !== undefined && { alias }),
    key: 'subnet_id',
    attributes: {
      subnet_id: readOnly('The subnet that floating IPs are taken from.', Type.String({ format: 'uuid' }), listed),
      subnet_name: readOnly('Its name.', Type.String(), { filter: true }),
      network_id: readOnly('The external network.', Type.String({ format: 'uuid' }), listed),
      cidr: readOnly('Its addresses.', Type.String(), listed),
      tenant_id: readOnly('The project that asks.', Type.String(), { visible: true }),
    },
  });

/** Upstream's router takes hyphens and underscores for the same; its documents have these with underscores. */
export const FLOATINGIP_POOL = floatingIpPool('floatingip_pools');
export const FLOATINGIP_POOL_HYPHENS = floatingIpPool('floatingip-pools', 'floatingip_pool_hyphens');

/** neutron/extensions/servicetype.py */
export const SERVICE_PROVIDER = defineResource({
  name: 'service_provider',
  title: 'NetworkServiceProvider',
  path: 'service-providers',
  key: 'name',
  attributes: {
    service_type: readOnly('What is provided.', Type.String(), { filter: true }),
    name: readOnly('By whom.', Type.String(), { filter: true }),
    default: readOnly('Is it who does it where nobody is named?', Type.Boolean(), { filter: true }),
  },
});
