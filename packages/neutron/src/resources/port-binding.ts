import Type from 'typebox';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import { defineResource } from '../attributes/resource.ts';
import { readOnly, textSchema } from '../attributes/standard.ts';
import { dict, orNull, string, values } from '../attributes/validators.ts';
import { VNIC_TYPES } from './port.ts';

/** neutron_lib/api/definitions/portbindings_extended.py */
export const PORT_BINDING = defineResource({
  name: 'binding',
  title: 'PortBinding',
  ruleName: 'port_binding',
  path: 'ports/{port_id}/bindings',
  key: 'host',
  attributes: {
    host: { post: true, put: true, validate: string(255), filter: true, schema: textSchema('The host.', 255) },
    vif_type: readOnly('How it is plugged there.', Type.String(), { filter: true }),
    vif_details: readOnly('Details of that.', Type.Record(Type.String(), Type.Any())),
    vnic_type: {
      post: true,
      put: true,
      default: 'normal',
      validate: values(VNIC_TYPES),
      filter: true,
      schema: Type.Enum(VNIC_TYPES, { description: 'The kind of network card.' }),
    },
    profile: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      validate: orNull(dict()),
      schema: Type.Union([Type.Record(Type.String(), Type.Any()), Type.Null()], { description: 'What the host should know besides.' }),
      answer: Type.Record(Type.String(), Type.Any()),
    },
    status: readOnly('ACTIVE where the port is at work, else INACTIVE.', Type.Enum(['ACTIVE', 'INACTIVE']), { filter: true }),
    project_id: { post: true, default: NOT_SPECIFIED, validate: string(255), schema: textSchema("The port's project.", 255) },
  },
});
