import Type from 'typebox';
import { NOT_SPECIFIED, type Validator } from '../attributes/attribute.ts';
import { pythonInt, toInt } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { id, longDescription, readOnly, textSchema, uuidSchema } from '../attributes/standard.ts';
import { ipAddress, orNull, range, string, uuid } from '../attributes/validators.ts';
import { pyStr } from '../net/python-text.ts';
import { protocolByName } from './protocols.ts';

const PORT_MIN = 1;
const PORT_MAX = 65_535;

/** `80` or `80:90` (neutron_lib validate_port_range_or_none). */
const portRange: Validator = (value) => {
  if (value === null) return undefined;
  const parts = pyStr(value).split(':');
  if (parts.length > 2 || parts.includes('')) return 'Port range must be two integers separated by a colon';
  for (const part of parts) {
    const number = pythonInt(part);
    if (number === undefined || number < 0 || number > PORT_MAX) return `Invalid port: ${part}`;
    if (number < PORT_MIN) return `Invalid port: ${part}, the port must be in the range [${PORT_MIN}, ${PORT_MAX}]`;
  }
  const [first, last] = parts.map(Number) as [number, number?];
  return last !== undefined && first > last ? `First port in a port range must be lower than the second port` : undefined;
};

const onePort = (description: string, filter: boolean) => ({
  post: true,
  put: true,
  default: null,
  convert: (value: unknown) => (value === null ? null : toInt(value)),
  validate: orNull(range(PORT_MIN, PORT_MAX)),
  ...(filter && { filter, sort: true }),
  schema: Type.Union([Type.Integer({ minimum: PORT_MIN, maximum: PORT_MAX }), Type.Null()], { description }),
});
const ports = (description: string, filter: boolean) => ({
  post: true,
  put: true,
  default: null,
  validate: portRange,
  ...(filter && { filter, sort: true }),
  schema: Type.Union([Type.String(), Type.Null()], { description }),
});

/** Shown where it is one port, not a range of them. */
const oneAlone = { answer: Type.Integer(), sometimes: true } as const;

/** neutron_lib/api/definitions/floating_ip_port_forwarding.py with fip_pf_description and fip_pf_port_range. */
export const PORT_FORWARDING = defineResource({
  name: 'port_forwarding',
  ruleName: 'floatingip_port_forwarding',
  path: 'floatingips/{floatingip_id}/port_forwardings',
  attributes: {
    id,
    project_id: {
      post: true,
      default: NOT_SPECIFIED,
      validate: string(255),
      visible: false,
      schema: textSchema('The project that owns the floating IP.', 255),
    },
    external_port: { ...onePort('The port at the floating IP.', true), ...oneAlone },
    internal_port: { ...onePort('The port that it leads to.', false), ...oneAlone },
    internal_ip_address: { post: true, put: true, default: null, validate: orNull(ipAddress), schema: textSchema('The address that it leads to.') },
    protocol: protocolByName,
    internal_port_id: { post: true, put: true, validate: uuid, filter: true, sort: true, schema: uuidSchema('The Neutron port that it leads to.') },
    description: longDescription,
    external_port_range: ports('The ports at the floating IP, `first:last`.', true),
    internal_port_range: ports('The ports that they lead to: as many, or one.', false),
  },
});

const SHOWN_BY_FLOATING_IP = Type.Object({
  id: Type.String({ format: 'uuid' }),
  protocol: Type.String(),
  internal_ip_address: Type.String(),
  internal_port_id: Type.String({ format: 'uuid' }),
  external_port: Type.Optional(Type.Integer()),
  internal_port: Type.Optional(Type.Integer()),
});

/** What floating IPs show of their port forwardings. */
export const portForwardingsOfFloatingIp = readOnly('The ports that it forwards.', Type.Array(SHOWN_BY_FLOATING_IP), { default: null });
