import Type from 'typebox';
import type { Attribute, Validator } from '../attributes/attribute.ts';
import { toBooleanOrNull } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { id, name, textSchema, uuidSchema } from '../attributes/standard.ts';
import { listOf, orNull, string, uuid } from '../attributes/validators.ts';
import { invalidInputText } from '../errors.ts';
import { pyStr } from '../net/python-text.ts';

const LONG_TEXT = 1024;
const listed = { filter: true, sort: true } as const;

/** The type of what routers do. */
export const L3_SERVICE = 'L3_ROUTER_NAT';

/** The services that there are here, by upstream's names (neutron_lib/plugins/constants.py). */
const SERVICE_TYPES: ReadonlySet<unknown> = new Set([
  'CORE',
  L3_SERVICE,
  'QOS',
  'FLAVORS',
  'PORTFORWARDING',
  'auto-allocated-topology',
  'network_ip_availability',
  'NETWORK_SEGMENT_RANGE',
  'segments',
  'trunk',
  'tag',
  'timestamp',
  'revision_plugin',
]);

const serviceType: Validator = (value) => {
  if (SERVICE_TYPES.has(value)) return undefined;
  throw invalidInputText('InvalidServiceType', `Invalid service type: ${pyStr(value)}.`);
};

const longText = (description: string, more: Partial<Attribute> = {}): Attribute => ({
  post: true,
  put: true,
  default: '',
  validate: orNull(string(LONG_TEXT)),
  ...listed,
  schema: Type.Union([textSchema(description, LONG_TEXT), Type.Null()]),
  ...more,
});

const enabled: Attribute = {
  post: true,
  put: true,
  default: true,
  convert: toBooleanOrNull,
  ...listed,
  schema: Type.Boolean({ description: 'May it be used?', default: true }),
};

/** Flavors of services: neutron_lib/api/definitions/flavors.py. */
export const FLAVOR = defineResource({
  name: 'flavor',
  title: 'NetworkFlavor',
  bulk: false,
  attributes: {
    id,
    name,
    description: longText('Human-readable description.'),
    service_type: { post: true, validate: serviceType, ...listed, schema: textSchema(`What it is a flavor of: ${L3_SERVICE} for routers.`) },
    service_profiles: {
      post: true,
      put: true,
      default: [],
      validate: listOf(uuid),
      schema: Type.Array(Type.String({ format: 'uuid' }), { description: 'Its service profiles. Given here they change nothing: they are tied one by one.' }),
    },
    enabled,
  },
});

/** How a service is done: a driver, or what tells it what to do. */
export const SERVICE_PROFILE = defineResource({
  name: 'service_profile',
  bulk: false,
  attributes: {
    id,
    description: longText('Human-readable description.'),
    driver: longText('The driver that does the work.', { validate: string(LONG_TEXT), schema: textSchema('The driver that does the work.', LONG_TEXT) }),
    metainfo: { post: true, put: true, default: '', sort: true, schema: textSchema('What the driver is told.') },
    enabled,
  },
});

/** A profile of a flavor. */
export const FLAVOR_SERVICE_PROFILE = defineResource({
  name: 'service_profile',
  ruleName: 'flavor_service_profile',
  title: 'FlavorServiceProfile',
  path: 'flavors/{flavor_id}/service_profiles',
  bulk: false,
  // what is made of it shows the flavor; what is asked for shows nothing
  attributes: { id: { post: true, validate: uuid, sometimes: true, schema: uuidSchema('The service profile; in answers the flavor.') } },
});
