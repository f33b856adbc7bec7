import Type from 'typebox';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import { toBoolean, toInt, toLowerCase } from '../attributes/converters.ts';
import { dnsDomainName } from '../attributes/dns-validators.ts';
import { defineResource } from '../attributes/resource.ts';
import { adminStateUp, flag, id, name, nullable, readOnly, standardAttributes, status, tagAttributes, tenantId, textSchema } from '../attributes/standard.ts';
import { httpBadRequest } from '../errors.ts';
import { pyStr } from '../net/python-text.ts';
import { qosPolicyId } from './qos.ts';
import { listOf, nonNegative, string } from '../attributes/validators.ts';

const provider = (description: string, maxLength: number) => ({
  post: true,
  put: true,
  default: NOT_SPECIFIED,
  validate: string(maxLength),
  enforcePolicy: true,
  filter: true,
  schema: textSchema(description, maxLength),
  answer: nullable(Type.String()),
  sometimes: true,
});

const SEGMENT_OF_NETWORK = Type.Object({
  'provider:network_type': Type.Optional(nullable(Type.String())),
  'provider:physical_network': Type.Optional(nullable(Type.String())),
  'provider:segmentation_id': Type.Optional(nullable(Type.Integer())),
});

const SEGMENT_KEYS = ['provider:network_type', 'provider:physical_network', 'provider:segmentation_id'];

/** neutron_lib/api/validators/multiprovidernet.py; ids are made numbers in place. */
function segmentList(value: unknown): string | undefined {
  if (!Array.isArray(value)) return `'${pyStr(value)}' is not a list`;
  for (const segment of value) {
    if (segment === null || typeof segment !== 'object' || Array.isArray(segment)) return `'${pyStr(segment)}' is not a dictionary`;
    const unknown = Object.keys(segment).filter((key) => !SEGMENT_KEYS.includes(key));
    if (unknown.length > 0) throw httpBadRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
    const id = segment['provider:segmentation_id'];
    if (id) segment['provider:segmentation_id'] = toInt(id);
    else delete segment['provider:segmentation_id'];
  }
  return undefined;
}

export const zoneHints = {
  post: true,
  default: [] as readonly string[],
  validate: listOf(string()),
  schema: Type.Array(Type.String(), { description: 'Availability zones to be preferred.' }),
};

/** Layer 2 networks: neutron_lib/api/definitions/network.py with the extensions that are supported. */
export const NETWORK = defineResource({
  name: 'network',
  attributes: {
    id,
    name,
    subnets: readOnly('The IDs of the subnets.', Type.Array(Type.String({ format: 'uuid' })), { default: [] }),
    admin_state_up: adminStateUp,
    status,
    tenant_id: tenantId,
    shared: flag(false, 'May every project use it?', { sort: false, requiredByPolicy: true, enforcePolicy: true }),
    ipv4_address_scope: readOnly('The address scope of the IPv4 subnets.', nullable(Type.String({ format: 'uuid' }))),
    ipv6_address_scope: readOnly('The address scope of the IPv6 subnets.', nullable(Type.String({ format: 'uuid' }))),
    is_default: flag(false, 'The external network that is used where none is named.', {
      sort: false,
      sometimes: true,
      requiredByPolicy: true,
      enforcePolicy: true,
    }),
    availability_zones: readOnly('The availability zones that serve it.', Type.Array(Type.String())),
    availability_zone_hints: { ...zoneHints, sort: true },
    'router:external': flag(false, 'Does it lead outside of the cloud?', { sort: false, requiredByPolicy: true, enforcePolicy: true }),
    mtu: {
      post: true,
      put: true,
      default: 0,
      convert: toInt,
      validate: nonNegative,
      enforcePolicy: true,
      filter: true,
      sort: true,
      schema: Type.Integer({ description: 'The greatest packet in bytes; 0 for the greatest that the network type carries.', minimum: 0 }),
    },
    dns_domain: {
      post: true,
      put: true,
      default: '',
      convert: toLowerCase,
      validate: dnsDomainName,
      schema: textSchema('The DNS domain of its ports, ending in a dot.', 255),
    },
    port_security_enabled: {
      post: true,
      put: true,
      default: true,
      convert: toBoolean,
      enforcePolicy: true,
      schema: Type.Boolean({ description: 'What ports get that say nothing of port security.' }),
    },
    'provider:network_type': provider('How it is carried: flat, vlan, vxlan, geneve or local.', 32),
    'provider:physical_network': provider('The physical network of a flat or vlan network.', 64),
    'provider:segmentation_id': {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: toInt,
      enforcePolicy: true,
      filter: true,
      schema: Type.Integer({ description: 'The VLAN or tunnel id.' }),
      answer: nullable(Type.Integer()),
      sometimes: true,
    },
    segments: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      validate: segmentList,
      enforcePolicy: true,
      schema: Type.Array(SEGMENT_OF_NETWORK, { description: 'What carries each part of it, in place of provider:*; shown of networks with several parts.' }),
      answer: Type.Array(Type.Required(SEGMENT_OF_NETWORK)),
      sometimes: true,
    },
    l2_adjacency: readOnly('Do all its ports hear each other, whatever the host?', Type.Boolean()),
    qos_policy_id: qosPolicyId('network'),
    ...standardAttributes,
    ...tagAttributes,
  },
});
