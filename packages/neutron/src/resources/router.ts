import Type from 'typebox';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import { nullToEmptyList, toBoolean, toBooleanOrNull, toLowerCase } from '../attributes/converters.ts';
import { dnsDomainName, floatingDnsName } from '../attributes/dns-validators.ts';
import { defineResource } from '../attributes/resource.ts';
import {
  adminStateUp,
  id,
  name,
  nullable,
  readOnly,
  ROUTE,
  standardAttributes,
  status,
  tagAttributes,
  tenantId,
  textSchema,
  uuidSchema,
} from '../attributes/standard.ts';
import { dict, fixedIps, hostRoutes, ipAddress, orNoData, orNull, uuid } from '../attributes/validators.ts';
import { conntrackHelpersOfRouter } from './conntrack-helper.ts';
import { enableNdpProxy } from './ndp-proxy.ts';
import { portForwardingsOfFloatingIp } from './port-forwarding.ts';
import { zoneHints } from './network.ts';
import { qosPolicyId } from './qos.ts';

const adminFlag = (description: string, initial: typeof NOT_SPECIFIED | null = NOT_SPECIFIED) => ({
  post: true,
  put: true,
  default: initial,
  convert: toBooleanOrNull,
  enforcePolicy: true,
  schema: Type.Union([Type.Boolean(), Type.Null()], { description }),
  answer: Type.Boolean(),
});

const FIXED_IP = Type.Object({ subnet_id: Type.String({ format: 'uuid' }), ip_address: Type.String() });
const GATEWAY = Type.Object({ network_id: Type.String({ format: 'uuid' }), external_fixed_ips: Type.Array(FIXED_IP) });
const GATEWAY_INFO = Type.Object({
  network_id: Type.String({ format: 'uuid' }),
  external_fixed_ips: Type.Array(FIXED_IP),
  enable_snat: Type.Boolean(),
  qos_policy_id: nullable(Type.String({ format: 'uuid' })),
});
const PORT_DETAILS = Type.Object({
  name: Type.String(),
  network_id: Type.String({ format: 'uuid' }),
  mac_address: Type.String(),
  admin_state_up: Type.Boolean(),
  status: Type.String(),
  device_id: Type.String(),
  device_owner: Type.String(),
});

/** Routers: neutron_lib/api/definitions/l3.py with ext-gw-mode, extraroute, dvr, l3-ha, router_availability_zone. */
export const ROUTER = defineResource({
  name: 'router',
  attributes: {
    id,
    name,
    admin_state_up: adminStateUp,
    status: { ...status, filter: false },
    tenant_id: tenantId,
    external_gateway_info: {
      post: true,
      put: true,
      default: null,
      enforcePolicy: true,
      subKeys: ['network_id', 'enable_snat', 'external_fixed_ips', 'qos_policy_id'],
      validate: orNoData(
        dict({
          network_id: { required: true, validate: uuid },
          external_fixed_ips: { validate: fixedIps },
          enable_snat: { convert: toBoolean },
          qos_policy_id: { validate: orNull(uuid) },
        }),
      ),
      schema: nullable(Type.Partial(GATEWAY_INFO)),
      answer: nullable(GATEWAY_INFO),
    },
    external_gateways: readOnly('All gateways, the one of external_gateway_info first.', Type.Array(GATEWAY), { default: null, enforcePolicy: true }),
    enable_default_route_ecmp: adminFlag('Do all gateways share what has no better route?', null),
    enable_default_route_bfd: adminFlag('Is a next hop that does not answer passed over? Kept and shown.', null),
    routes: {
      put: true,
      default: NOT_SPECIFIED,
      convert: nullToEmptyList,
      validate: hostRoutes,
      schema: Type.Array(ROUTE, { description: 'Further routes.' }),
    },
    distributed: adminFlag('Is it on every host?'),
    ha: adminFlag('Has it a stand-by?'),
    flavor_id: {
      post: true,
      default: NOT_SPECIFIED,
      enforcePolicy: true,
      sort: true,
      // upstream's definition leaves it out; Terraform's data source asks by it
      filter: true,
      schema: Type.Union([uuidSchema('The flavor that says what kind of router it is.'), Type.Null()]),
    },
    conntrack_helpers: conntrackHelpersOfRouter,
    enable_ndp_proxy: enableNdpProxy,
    availability_zones: readOnly('The availability zones that serve it.', Type.Array(Type.String())),
    availability_zone_hints: zoneHints,
    ...standardAttributes,
    ...tagAttributes,
  },
});

/** Floating IPs: neutron_lib/api/definitions/l3.py with fip-port-details and dns-integration. */
export const FLOATINGIP = defineResource({
  name: 'floatingip',
  title: 'FloatingIp',
  attributes: {
    id,
    floating_ip_address: {
      post: true,
      default: null,
      validate: orNull(ipAddress),
      enforcePolicy: true,
      filter: true,
      sort: true,
      schema: nullable(textSchema('The address; chosen where none is given.')),
      answer: Type.String(),
    },
    subnet_id: { post: true, default: null, visible: false, validate: orNull(uuid), schema: uuidSchema('The external subnet that it is to be of.') },
    floating_network_id: { post: true, validate: uuid, filter: true, sort: true, schema: uuidSchema('The external network.') },
    router_id: readOnly('The router that serves it.', nullable(Type.String({ format: 'uuid' })), { filter: true, sort: true, default: null }),
    port_id: {
      post: true,
      put: true,
      default: null,
      validate: orNull(uuid),
      filter: true,
      requiredByPolicy: true,
      schema: nullable(uuidSchema('The port that it leads to.')),
    },
    fixed_ip_address: {
      post: true,
      put: true,
      default: null,
      validate: orNull(ipAddress),
      filter: true,
      sort: true,
      schema: nullable(textSchema("The port's address that it leads to.")),
    },
    tenant_id: tenantId,
    status,
    dns_name: { post: true, default: '', convert: toLowerCase, validate: floatingDnsName, schema: textSchema('Its host name.', 255) },
    dns_domain: { post: true, default: '', convert: toLowerCase, validate: dnsDomainName, schema: textSchema('Its DNS domain.', 255) },
    qos_policy_id: qosPolicyId('floating IP'),
    qos_network_policy_id: readOnly('The QoS policy of its network.', nullable(Type.String({ format: 'uuid' })), { default: null }),
    port_forwardings: portForwardingsOfFloatingIp,
    port_details: readOnly('Facts of the port that it leads to.', nullable(PORT_DETAILS), { default: NOT_SPECIFIED }),
    ...standardAttributes,
    ...tagAttributes,
  },
});
