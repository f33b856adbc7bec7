import Type from 'typebox';
import { toInt } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { readOnly, uuidSchema } from '../attributes/standard.ts';

const listed = { filter: true, sort: true } as const;

/** neutron_lib/api/definitions/network_ip_availability.py */
export const NETWORK_IP_AVAILABILITY = defineResource({
  name: 'network_ip_availability',
  collection: 'network_ip_availabilities',
  path: 'network-ip-availabilities',
  key: 'network_id',
  attributes: {
    network_id: { ...listed, schema: uuidSchema('The network.') },
    network_name: readOnly('Its name.', { filter: true }),
    tenant_id: readOnly('Its project.', { filter: true }),
    total_ips: readOnly('Addresses that may be given out.'),
    used_ips: readOnly('Addresses in use.'),
    subnet_ip_availability: readOnly('The same of each subnet.'),
    ip_version: { filter: true, visible: false, convert: toInt, schema: Type.Integer({ description: 'Subnets of this IP version alone.' }) },
  },
});

/** neutron_lib/api/definitions/availability_zone.py with availability_zone_filter. */
export const AVAILABILITY_ZONE = defineResource({
  name: 'availability_zone',
  key: 'name',
  attributes: {
    name: readOnly('The name of the zone.', { filter: true }),
    resource: readOnly('What is placed in it: networks or routers.', { filter: true }),
    state: readOnly('Is it in service?', { filter: true }),
  },
});

/** neutron_lib/api/definitions/floatingip_pools.py */
const floatingIpPool = (path: string, alias?: string) =>
  defineResource({
    name: 'floatingip_pool',
    path,
    ...(alias !== undefined && { alias }),
    key: 'subnet_id',
    attributes: {
      subnet_id: readOnly('The subnet that floating IPs are taken from.', listed),
      subnet_name: readOnly('Its name.', { filter: true }),
      network_id: readOnly('The external network.', listed),
      cidr: readOnly('Its addresses.', listed),
      tenant_id: readOnly('The project that asks.', { visible: true }),
    },
  });

/** Upstream's router takes hyphens and underscores for the same; its documents have these with underscores. */
export const FLOATINGIP_POOL = floatingIpPool('floatingip_pools');
export const FLOATINGIP_POOL_HYPHENS = floatingIpPool('floatingip-pools', 'floatingip_pool_hyphens');

/** neutron/extensions/servicetype.py */
export const SERVICE_PROVIDER = defineResource({
  name: 'service_provider',
  path: 'service-providers',
  key: 'name',
  attributes: {
    service_type: readOnly('What is provided.', { filter: true }),
    name: readOnly('By whom.', { filter: true }),
    default: readOnly('Is it who does it where nobody is named?', { filter: true }),
  },
});
