import Type from 'typebox';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import { defineResource } from '../attributes/resource.ts';
import { id, longDescription, name, readOnly, standardAttributes, tenantId, textSchema, uuidSchema } from '../attributes/standard.ts';
import { ipAddress, orNull, string, uuid, values } from '../attributes/validators.ts';

const MODES = ['translate', 'passthrough'];

const reference = (description: string) => ({
  post: true,
  default: NOT_SPECIFIED,
  validate: uuid,
  filter: true,
  sort: true,
  schema: uuidSchema(description),
});

/** neutron_lib/api/definitions/local_ip.py */
export const LOCAL_IP = defineResource({
  name: 'local_ip',
  path: 'local-ips',
  attributes: {
    id,
    name,
    tenant_id: tenantId,
    local_port_id: reference('The port that has the address.'),
    network_id: reference('The network that a port is made on, where none is named.'),
    local_ip_address: {
      post: true,
      default: NOT_SPECIFIED,
      validate: orNull(ipAddress),
      filter: true,
      sort: true,
      schema: Type.Union([Type.String(), Type.Null()], { description: 'The address.' }),
    },
    ip_mode: {
      post: true,
      default: 'translate',
      validate: values(MODES),
      filter: true,
      sort: true,
      schema: Type.Enum(MODES, { description: 'Whether the address is translated. Kept and shown; hosts translate.', default: 'translate' }),
    },
    ...standardAttributes,
    description: { ...longDescription, sort: true },
  },
});

export const LOCAL_IP_PORT = defineResource({
  name: 'port_association',
  title: 'LocalIpPortAssociation',
  ruleName: 'local_ip_port_association',
  path: 'local_ips/{local_ip_id}/port_associations',
  key: 'fixed_port_id',
  attributes: {
    local_ip_id: readOnly('The local IP.', Type.String({ format: 'uuid' })),
    local_ip_address: readOnly('Its address.', Type.String(), { filter: true, sort: true }),
    fixed_port_id: { post: true, validate: uuid, filter: true, sort: true, schema: uuidSchema('The port that it leads to on the host of the port.') },
    fixed_ip: {
      post: true,
      default: null,
      validate: orNull(ipAddress),
      filter: true,
      sort: true,
      schema: Type.Union([Type.String(), Type.Null()], { description: "The port's own address." }),
    },
    host: readOnly('The host of the port.', Type.String(), { filter: true }),
    project_id: { post: true, default: NOT_SPECIFIED, validate: string(255), visible: false, schema: textSchema("The local IP's project.", 255) },
  },
});
