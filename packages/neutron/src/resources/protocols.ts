import Type from 'typebox';
import type { Attribute } from '../attributes/attribute.ts';
import { values } from '../attributes/validators.ts';
import { invalidInput } from '../errors.ts';
import { pyStr } from '../net/python-text.ts';

/** neutron_lib.constants.IPTABLES_PROTOCOL_MAP */
const PROTOCOLS = ['dccp', 'icmp', 'ipv6-icmp', 'sctp', 'tcp', 'udp'];

/** A protocol by its name, in any letters (of port forwardings and conntrack helpers). */
export const protocolByName: Attribute = {
  post: true,
  put: true,
  convert(value) {
    if (typeof value === 'string' && PROTOCOLS.includes(value.toLowerCase())) return value.toLowerCase();
    throw invalidInput(`IP protocol '${pyStr(value)}' is not supported. Only protocol names and their integer representation (0 to 255) are supported`);
  },
  validate: values(PROTOCOLS),
  filter: true,
  sort: true,
  schema: Type.Enum(PROTOCOLS, { description: 'The protocol.' }),
};
