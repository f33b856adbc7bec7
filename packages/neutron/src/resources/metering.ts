import Type from 'typebox';
import { toBoolean } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { flag, id, longDescription, name, tenantId, uuidSchema } from '../attributes/standard.ts';
import { uuid, values } from '../attributes/validators.ts';

/** neutron_lib/api/definitions/metering.py */
export const METERING_LABEL = defineResource({
  name: 'metering_label',
  path: 'metering/metering-labels',
  attributes: {
    id,
    name: { ...name, put: false },
    description: { ...longDescription, put: false, sort: true },
    tenant_id: tenantId,
    shared: flag(false, 'Does it meter the routers of every project?', { put: false, convert: toBoolean }),
  },
});

const prefix = (description: string) => ({
  post: true,
  default: null,
  filter: true,
  sort: true,
  schema: Type.Union([Type.String(), Type.Null()], { description }),
});

/** The same, with metering_source_and_destination_filters.py, whose attributes stand in the place of those of the same name. */
export const METERING_RULE = defineResource({
  name: 'metering_label_rule',
  path: 'metering/metering-label-rules',
  attributes: {
    id,
    metering_label_id: { post: true, validate: uuid, filter: true, sort: true, requiredByPolicy: true, schema: uuidSchema('The label that counts.') },
    direction: {
      post: true,
      validate: values(['ingress', 'egress']),
      filter: true,
      sort: true,
      schema: Type.Enum(['ingress', 'egress'], { description: 'Whether it is about what comes in or what leaves.' }),
    },
    excluded: flag(false, 'Is what it names not to be counted?', { put: false }),
    remote_ip_prefix: prefix('Addresses inside; superseded by the two below.'),
    source_ip_prefix: prefix('Where it comes from.'),
    destination_ip_prefix: prefix('Where it goes.'),
    tenant_id: { ...tenantId, filter: false, sort: false, visible: false },
  },
});
