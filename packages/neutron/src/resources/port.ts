import { hasControl } from '@cairn/kit/http/validation';
import Type from 'typebox';
import { NOT_SPECIFIED, type Validator } from '../attributes/attribute.ts';
import { nullToEmptyList, toBoolean, toInt, toLowerCase, toMac } from '../attributes/converters.ts';
import { dnsDomainName, dnsHostName } from '../attributes/dns-validators.ts';
import { defineResource } from '../attributes/resource.ts';
import {
  adminStateUp,
  id,
  name,
  nullable,
  readOnly,
  standardAttributes,
  status,
  tagAttributes,
  tenantId,
  textSchema,
  uuidSchema,
} from '../attributes/standard.ts';
import { dict, fixedIps, ipAddress, listOf, mac, oneLine, orNull, string, subnet, uuid, values } from '../attributes/validators.ts';
import { httpBadRequest, invalidInput, invalidInputText } from '../errors.ts';
import { contains, covers, mustCidr, parseCidr } from '../net/cidr.ts';
import { parseIp } from '../net/ip.ts';
import { pyStr } from '../net/python-text.ts';
import { MAX_ADDRESS_PAIRS } from '../options.ts';
import { qosPolicyId } from './qos.ts';

export const VNIC_TYPES = [
  'normal',
  'direct',
  'macvtap',
  'baremetal',
  'direct-physical',
  'virtio-forwarder',
  'smart-nic',
  'vdpa',
  'accelerator-direct',
  'accelerator-direct-physical',
  'remote-managed',
];

const MULTICAST = { 4: mustCidr('224.0.0.0/4'), 6: mustCidr('ff00::/8') } as const;

/** neutron_lib/api/validators/allowedaddresspairs.py; it throws rather than tells. */
const addressPairs: Validator = (value) => {
  if (!Array.isArray(value)) throw httpBadRequest('Allowed address pairs must be a list.');
  if (value.length > MAX_ADDRESS_PAIRS) {
    throw invalidInputText('AllowedAddressPairExhausted', `The number of allowed address pair exceeds the maximum ${MAX_ADDRESS_PAIRS}.`);
  }
  const seen = new Set<string>();
  for (const pair of value) {
    const refusal = dict()(pair);
    if (refusal) return refusal;
    checkPair(pair, seen);
  }
  return undefined;
};

function checkPair(pair: Record<string, unknown>, seen: Set<string>): void {
  const refuse = (reason: string | undefined): void => {
    if (reason !== undefined) throw httpBadRequest(reason);
  };
  if ('mac_address' in pair) refuse(mac(pair.mac_address));
  if (!('ip_address' in pair)) throw invalidInputText('AllowedAddressPairsMissingIP', 'AllowedAddressPair must contain ip_address');
  const key = `${pyStr(pair.mac_address ?? null)} ${pyStr(pair.ip_address)}`;
  if (seen.has(key)) {
    throw invalidInputText(
      'DuplicateAddressPairInRequest',
      `Request contains duplicate address pair: mac_address ${pyStr(pair.mac_address ?? null)} ip_address ${pyStr(pair.ip_address)}.`,
    );
  }
  seen.add(key);
  const unknown = Object.keys(pair).filter((name) => name !== 'mac_address' && name !== 'ip_address');
  if (unknown.length > 0) throw httpBadRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
  const text = pair.ip_address;
  if (typeof text === 'string' && text.includes('/')) {
    refuse(subnet(text));
    const net = parseCidr(text);
    if (net && text !== '0.0.0.0/0' && (covers(MULTICAST[net.version], net) || covers(net, MULTICAST[net.version]))) {
      throw httpBadRequest(`Subnet ${text} overlaps with multicast range ${net.version === 4 ? '224.0.0.0/4' : 'ff00::/8'}, which is not supported.`);
    }
  } else {
    refuse(ipAddress(text));
    const ip = parseIp(text as string);
    if (ip && contains(MULTICAST[ip.version], ip)) throw httpBadRequest(`IP ${text} is a multicast address, which is not supported.`);
  }
  if (typeof pair.mac_address === 'string' && (Number.parseInt(pair.mac_address.slice(0, 2), 16) & 1) === 1) {
    throw httpBadRequest(`MAC address ${pair.mac_address} is a multicast address, which is not supported.`);
  }
}

/** Options whose value may be empty, and the form of all others (extra_dhcp_opt.py). Options meet a DHCP server's files: no control characters. */
const plain =
  (validator: Validator): Validator =>
  (value) =>
    validator(value) ?? (typeof value === 'string' && hasControl(value) ? `'${pyStr(value)}' is not a valid string` : undefined);
const ipVersionSpec = { convert: toInt, validate: values([4, 6]) };
const OPTION_SPECS = [
  {
    opt_name: { required: true, validate: values(['router', 'classless-static-route']) },
    opt_value: { required: true, validate: orNull(plain(string(255))) },
    ip_version: ipVersionSpec,
  },
  {
    opt_name: { required: true, validate: plain(oneLine(64)) },
    opt_value: { required: true, validate: orNull(plain(oneLine(255))) },
    ip_version: ipVersionSpec,
  },
];
const dhcpOptions: Validator = (value) => {
  if (value === null) return undefined;
  const refusal = listOf((option) =>
    OPTION_SPECS.some((spec) => dict(spec)(option) === undefined) ? undefined : `No valid key specs matched for: ${pyStr(option)}`,
  )(value);
  if (refusal) throw invalidInput(refusal);
  return undefined;
};

const DHCP_OPTION = Type.Object({
  opt_name: Type.String(),
  opt_value: nullable(Type.String()),
  ip_version: Type.Optional(Type.Enum([4, 6])),
});

const TRUNK_DETAILS = Type.Object({
  trunk_id: Type.String({ format: 'uuid' }),
  sub_ports: Type.Array(
    Type.Object({
      port_id: Type.String({ format: 'uuid' }),
      segmentation_id: Type.Integer(),
      segmentation_type: Type.String(),
      mac_address: Type.String(),
    }),
  ),
});

const RESOURCE_REQUEST = Type.Object({
  request_groups: Type.Array(
    Type.Object({
      id: Type.String({ format: 'uuid' }),
      required: Type.Array(Type.String()),
      resources: Type.Record(Type.String(), Type.Integer()),
    }),
  ),
  same_subtree: Type.Array(Type.String({ format: 'uuid' })),
});

const binding = { post: true, put: true, default: NOT_SPECIFIED, enforcePolicy: true } as const;

/** Ports: neutron_lib/api/definitions/port.py with the extensions that are supported. */
export const PORT = defineResource({
  name: 'port',
  attributes: {
    id,
    name,
    network_id: { post: true, requiredByPolicy: true, validate: uuid, filter: true, sort: true, schema: uuidSchema('The network that it is on.') },
    admin_state_up: adminStateUp,
    mac_address: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: toMac,
      // null asks for a new one
      validate: orNull(mac),
      enforcePolicy: true,
      filter: true,
      sort: true,
      schema: textSchema('The MAC address; chosen where none is given.'),
    },
    fixed_ips: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      validate: fixedIps,
      enforcePolicy: true,
      subRulesOfItems: true,
      filter: true,
      schema: Type.Array(Type.Object({ subnet_id: Type.Optional(Type.String()), ip_address: Type.Optional(Type.String()) }), { description: 'Its addresses.' }),
      answer: Type.Array(Type.Object({ subnet_id: Type.String({ format: 'uuid' }), ip_address: Type.String() })),
    },
    device_id: {
      post: true,
      put: true,
      default: '',
      validate: string(255),
      enforcePolicy: true,
      filter: true,
      sort: true,
      schema: textSchema('What uses it.', 255),
    },
    device_owner: {
      post: true,
      put: true,
      default: '',
      validate: string(255),
      enforcePolicy: true,
      filter: true,
      sort: true,
      schema: textSchema('What kind of thing uses it.', 255),
    },
    tenant_id: tenantId,
    status,
    'binding:vif_type': readOnly('How it is plugged.', Type.String(), { default: NOT_SPECIFIED, enforcePolicy: true }),
    'binding:vif_details': readOnly('Details of that.', Type.Record(Type.String(), Type.Any()), { default: NOT_SPECIFIED, enforcePolicy: true }),
    'binding:vnic_type': {
      ...binding,
      default: 'normal',
      validate: values(VNIC_TYPES),
      schema: Type.Enum(VNIC_TYPES, { description: 'The kind of network card.' }),
    },
    'binding:host_id': { ...binding, filter: true, schema: textSchema('The host that it is plugged in.') },
    'binding:profile': {
      ...binding,
      validate: orNull(dict()),
      schema: Type.Union([Type.Record(Type.String(), Type.Any()), Type.Null()], { description: 'What the host should know besides.' }),
      answer: Type.Record(Type.String(), Type.Any()),
    },
    allowed_address_pairs: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: nullToEmptyList,
      validate: addressPairs,
      enforcePolicy: true,
      subRulesOfItems: true,
      schema: Type.Array(Type.Object({ ip_address: Type.String(), mac_address: Type.Optional(Type.String()) }), {
        description: 'Further addresses that may send from it.',
      }),
    },
    extra_dhcp_opts: {
      post: true,
      put: true,
      default: null,
      validate: dhcpOptions,
      schema: Type.Union([Type.Array(DHCP_OPTION), Type.Null()], { description: 'Further DHCP options.' }),
      answer: Type.Array(Type.Required(DHCP_OPTION)),
    },
    security_groups: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: nullToEmptyList,
      convertFilter: (value) => value,
      validate: listOf(uuid),
      filter: true,
      schema: Type.Array(Type.String({ format: 'uuid' }), { description: 'The groups whose rules hold.' }),
    },
    port_security_enabled: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: toBoolean,
      enforcePolicy: true,
      schema: Type.Boolean({ description: 'Are its addresses and its security groups enforced?' }),
    },
    dns_name: { post: true, put: true, default: '', convert: toLowerCase, validate: dnsHostName, schema: textSchema('Its host name.', 255) },
    dns_domain: { post: true, put: true, default: '', convert: toLowerCase, validate: dnsDomainName, schema: textSchema('Its DNS domain.', 255) },
    dns_assignment: readOnly(
      'What DNS says of its addresses.',
      Type.Array(Type.Object({ ip_address: Type.String(), hostname: Type.String(), fqdn: Type.String() })),
    ),
    ip_allocation: readOnly('When addresses are given.', Type.String(), { filter: true, sort: true }),
    propagate_uplink_status: {
      post: true,
      put: true,
      default: true,
      convert: toBoolean,
      schema: Type.Boolean({ description: 'Is the state of the uplink passed on?' }),
    },
    trusted: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      convert: toBoolean,
      enforcePolicy: true,
      schema: Type.Boolean({ description: 'May its interface do what is left to trusted ones, as a virtual function of a card that changes its MAC address?' }),
      answer: nullable(Type.Boolean()),
    },
    qos_policy_id: qosPolicyId('port'),
    qos_network_policy_id: readOnly('The QoS policy of its network.', nullable(Type.String({ format: 'uuid' })), { default: null, filter: true }),
    trunk_details: readOnly('The trunk whose parent it is.', TRUNK_DETAILS, { sometimes: true, default: NOT_SPECIFIED, requiredByPolicy: true }),
    resource_request: readOnly('What its minimums ask of placement.', nullable(RESOURCE_REQUEST), { default: NOT_SPECIFIED }),
    ...standardAttributes,
    ...tagAttributes,
    tags: {
      post: true,
      default: [],
      validate: listOf(string(255)),
      filter: true,
      schema: Type.Array(Type.String(), { description: 'The tags of the resource.' }),
    },
  },
});
