import Type from 'typebox';
import { type Attribute, NOT_SPECIFIED } from '../attributes/attribute.ts';
import { nullToEmptyList, toBoolean, toCanonicalCidr, toCanonicalIp, toCanonicalPools, toInt } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { flag, id, name, nullable, readOnly, ROUTE, standardAttributes, tagAttributes, tenantId, textSchema, uuidSchema } from '../attributes/standard.ts';
import { hostRoutes, ipAddress, ipPools, listOf, nameservers, nonNegative, notEmptyName, orNull, subnet, uuid, values } from '../attributes/validators.ts';
import { httpBadRequest, invalidInputText } from '../errors.ts';
import { pyStr } from '../net/python-text.ts';

export const IPV6_MODES = ['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac'];

const OWNER_PREFIXES = ['network:', 'neutron:', 'compute:'];

const ipv6Mode = (description: string): Attribute => ({
  post: true,
  default: NOT_SPECIFIED,
  validate: values(IPV6_MODES),
  filter: true,
  sort: true,
  schema: Type.Enum(IPV6_MODES, { description }),
  answer: nullable(Type.Enum(IPV6_MODES)),
});

/** Subnets: neutron_lib/api/definitions/subnet.py with the extensions that are supported. */
export const SUBNET = defineResource({
  name: 'subnet',
  attributes: {
    id,
    name,
    ip_version: {
      post: true,
      convert: toInt,
      validate: values([4, 6]),
      filter: true,
      sort: true,
      schema: Type.Enum([4, 6], { description: 'The IP version.' }),
    },
    network_id: { post: true, requiredByPolicy: true, validate: uuid, filter: true, sort: true, schema: uuidSchema('The network that it is on.') },
    subnetpool_id: {
      post: true,
      default: NOT_SPECIFIED,
      validate: (value) => (value === 'prefix_delegation' ? undefined : orNull(uuid)(value)),
      filter: true,
      sort: true,
      schema: Type.String({ description: 'The ID of the pool that it is allocated from, or `prefix_delegation`: the provider says its prefix.' }),
      answer: nullable(Type.Union([Type.String({ format: 'uuid' }), Type.Literal('prefix_delegation')])),
    },
    use_default_subnetpool: {
      post: true,
      default: false,
      convert: toBoolean,
      visible: false,
      schema: Type.Boolean({ description: 'Allocate it from the default pool.' }),
    },
    prefixlen: {
      post: true,
      default: NOT_SPECIFIED,
      convert: toInt,
      validate: nonNegative,
      visible: false,
      schema: Type.Integer({ description: 'How large a part of the pool it is to have.' }),
    },
    cidr: {
      post: true,
      default: NOT_SPECIFIED,
      convert: toCanonicalCidr,
      convertFilter: (value) => value,
      validate: orNull(subnet),
      filter: true,
      sort: true,
      schema: textSchema('Its addresses.'),
    },
    gateway_ip: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: toCanonicalIp,
      validate: orNull(ipAddress),
      filter: true,
      sort: true,
      schema: nullable(textSchema('The way out; null for none.')),
    },
    allocation_pools: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: toCanonicalPools,
      validate: ipPools,
      schema: Type.Array(Type.Object({ start: Type.String(), end: Type.String() }), { description: 'The addresses that may be chosen for ports.' }),
    },
    dns_nameservers: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: nullToEmptyList,
      validate: nameservers,
      schema: Type.Array(Type.String(), { description: 'Name servers for DHCP.' }),
    },
    host_routes: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: nullToEmptyList,
      validate: hostRoutes,
      schema: Type.Array(ROUTE, { description: 'Further routes for DHCP.' }),
    },
    tenant_id: tenantId,
    enable_dhcp: flag(true, 'Are addresses handed out by DHCP?'),
    ipv6_ra_mode: ipv6Mode('How routers advertise.'),
    ipv6_address_mode: ipv6Mode('How ports get their addresses.'),
    service_types: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      validate(types) {
        if (types === null || (Array.isArray(types) && types.length === 0)) return undefined;
        if (!Array.isArray(types)) throw httpBadRequest('Subnet service types must be a list.');
        for (const type of types) {
          if (typeof type !== 'string') throw invalidInputText('InvalidInputSubnetServiceType', `Subnet service type ${pyStr(type)} is not a string.`);
          if (!OWNER_PREFIXES.some((prefix) => type.startsWith(prefix))) {
            throw invalidInputText('InvalidSubnetServiceType', `Subnet service type ${type} does not correspond to a valid device owner.`);
          }
        }
        return undefined;
      },
      schema: Type.Array(Type.String(), { description: 'The kinds of ports that it is for.' }),
    },
    segment_id: {
      post: true,
      put: true,
      default: null,
      validate: orNull(uuid),
      enforcePolicy: true,
      filter: true,
      sort: true,
      schema: Type.Union([uuidSchema('The segment that it is on, of a network whose segments are routed.'), Type.Null()]),
    },
    shared: readOnly('Is the network shared?', Type.Boolean(), {
      default: false,
      convert: toBoolean,
      visible: false,
      filter: true,
      requiredByPolicy: true,
      enforcePolicy: true,
    }),
    'router:external': readOnly('Does the network lead outside?', Type.Boolean(), {
      default: false,
      convert: toBoolean,
      filter: true,
      requiredByPolicy: true,
      enforcePolicy: true,
    }),
    ...standardAttributes,
    ...tagAttributes,
  },
});

const prefixLength = (description: string): Attribute => ({
  post: true,
  put: true,
  default: NOT_SPECIFIED,
  convert: toInt,
  validate: nonNegative,
  filter: true,
  sort: true,
  schema: Type.Integer({ description }),
  // upstream shows lengths as text
  answer: Type.String(),
});

/** Subnet pools: neutron_lib/api/definitions/subnetpool.py with address-scope. */
export const SUBNETPOOL = defineResource({
  name: 'subnetpool',
  title: 'SubnetPool',
  attributes: {
    id,
    name: { post: true, put: true, validate: notEmptyName, filter: true, sort: true, schema: textSchema('Human-readable name.') },
    tenant_id: tenantId,
    prefixes: {
      post: true,
      put: true,
      validate: listOf(subnet),
      schema: Type.Array(Type.String(), { description: 'The addresses that subnets are allocated from.' }),
    },
    default_quota: { ...prefixLength('How much of the pool a project may have; null for no limit.'), answer: nullable(Type.Integer()) },
    ip_version: readOnly('The IP version.', Type.Enum([4, 6]), { filter: true, sort: true }),
    default_prefixlen: prefixLength('The size of subnets that say nothing of it.'),
    min_prefixlen: prefixLength('The greatest size.'),
    max_prefixlen: prefixLength('The smallest size.'),
    is_default: flag(false, 'Is it used where no pool is named?', { requiredByPolicy: true, enforcePolicy: true }),
    shared: flag(false, 'May every project use it?', { put: false, requiredByPolicy: true, enforcePolicy: true }),
    address_scope_id: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      validate: orNull(uuid),
      filter: true,
      sort: true,
      schema: nullable(uuidSchema('Its address scope.')),
    },
    ...standardAttributes,
    ...tagAttributes,
  },
});

/** Address scopes: neutron_lib/api/definitions/address_scope.py. */
export const ADDRESS_SCOPE = defineResource({
  name: 'address_scope',
  path: 'address-scopes',
  attributes: {
    id,
    name,
    tenant_id: tenantId,
    shared: flag(false, 'May every project use it?', { requiredByPolicy: true, enforcePolicy: true }),
    ip_version: {
      post: true,
      convert: toInt,
      validate: values([4, 6]),
      filter: true,
      sort: true,
      schema: Type.Enum([4, 6], { description: 'The IP version.' }),
    },
  },
});
