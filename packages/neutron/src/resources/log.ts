import Type from 'typebox';
import { toBoolean } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { flag, id, name, readOnly, standardAttributes, tenantId, textSchema, uuidSchema } from '../attributes/standard.ts';
import { orNull, string, uuid, values } from '../attributes/validators.ts';

const EVENTS = ['ACCEPT', 'DROP', 'ALL'];
const RESOURCE_TYPE_LENGTH = 255;

const target = (description: string) => ({
  post: true,
  default: null,
  validate: orNull(uuid),
  filter: true,
  sort: true,
  schema: Type.Union([uuidSchema(description), Type.Null()]),
});

/** neutron_lib/api/definitions/logging.py */
export const LOG = defineResource({
  name: 'log',
  title: 'NetworkLog',
  path: 'log/logs',
  attributes: {
    id,
    tenant_id: tenantId,
    name,
    resource_type: {
      post: true,
      validate: string(RESOURCE_TYPE_LENGTH),
      requiredByPolicy: true,
      filter: true,
      sort: true,
      schema: textSchema('What is logged: `security_group`.', RESOURCE_TYPE_LENGTH),
    },
    resource_id: target('The security group that is logged; of all where there is none.'),
    event: {
      post: true,
      default: 'ALL',
      validate: values(EVENTS),
      filter: true,
      schema: Type.Enum(EVENTS, { description: 'Whether what is let through is logged, what is dropped, or both.', default: 'ALL' }),
    },
    target_id: target('The port that is logged; all of the project where there is none.'),
    enabled: flag(true, 'Is it being logged?', { convert: toBoolean }),
    ...standardAttributes,
  },
});

export const LOGGABLE_RESOURCE = defineResource({
  name: 'loggable_resource',
  path: 'log/loggable-resources',
  key: 'type',
  attributes: { type: readOnly('What can be logged.', Type.String()) },
});
