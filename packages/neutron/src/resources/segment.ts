import Type from 'typebox';
import { type Attribute, NOT_SPECIFIED } from '../attributes/attribute.ts';
import { toBoolean, toInt } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { descriptionOrNull, id, name, nullable, readOnly, standardAttributes, tagAttributes, textSchema, uuidSchema } from '../attributes/standard.ts';
import { NAME_LENGTH, nameString, orNull, PROJECT_ID_LENGTH, range, string, uuid, values } from '../attributes/validators.ts';

const TYPE_LENGTH = 32;
const PHYSICAL_LENGTH = 64;
const listed = { filter: true, sort: true } as const;
const segmentationId = Type.Integer({ description: 'The VLAN or tunnel id; chosen where none is given.' });

/** neutron_lib/api/definitions/segment.py with standard-attr-segment. */
export const SEGMENT = defineResource({
  name: 'segment',
  title: 'NetworkSegment',
  bulk: false,
  attributes: {
    id,
    tenant_id: { post: true, validate: string(PROJECT_ID_LENGTH), visible: false, schema: textSchema('Not kept.', PROJECT_ID_LENGTH) },
    network_id: { post: true, validate: uuid, ...listed, schema: uuidSchema('The network that it is a part of.') },
    physical_network: {
      post: true,
      default: NOT_SPECIFIED,
      validate: string(PHYSICAL_LENGTH),
      ...listed,
      schema: textSchema('The physical network that carries it.', PHYSICAL_LENGTH),
      answer: nullable(Type.String()),
    },
    network_type: { post: true, validate: string(TYPE_LENGTH), ...listed, schema: textSchema('How it is carried.', TYPE_LENGTH) },
    segmentation_id: { post: true, default: NOT_SPECIFIED, convert: toInt, sort: true, schema: segmentationId, answer: nullable(Type.Integer()) },
    name: {
      post: true,
      put: true,
      default: NOT_SPECIFIED,
      validate: orNull(nameString(NAME_LENGTH)),
      ...listed,
      schema: Type.Union([textSchema('Human-readable name.', NAME_LENGTH), Type.Null()]),
    },
    ...standardAttributes,
    description: descriptionOrNull,
  },
});

const RANGE_TYPES = ['vlan', 'vxlan', 'gre', 'geneve'];
const MAX_ID = 2 ** 32 - 1;

const bound = (description: string): Attribute => ({
  post: true,
  put: true,
  convert: toInt,
  validate: range(1, MAX_ID),
  schema: Type.Integer({ description, minimum: 1, maximum: MAX_ID }),
});

const project: Attribute = {
  post: true,
  validate: string(PROJECT_ID_LENGTH),
  requiredByPolicy: true,
  ...listed,
  schema: textSchema('The project that it is for, where it is not shared.', PROJECT_ID_LENGTH),
  answer: nullable(Type.String()),
};

/** neutron_lib/api/definitions/network_segment_range.py */
export const NETWORK_SEGMENT_RANGE = defineResource({
  name: 'network_segment_range',
  path: 'network-segment-ranges',
  bulk: false,
  attributes: {
    id,
    name,
    default: readOnly('Is it of the configuration?', Type.Boolean(), { default: false }),
    shared: { post: true, default: true, convert: toBoolean, schema: Type.Boolean({ description: 'Is it for every project?', default: true }) },
    tenant_id: { ...project, visible: false },
    project_id: project,
    network_type: {
      post: true,
      default: NOT_SPECIFIED,
      validate: values(RANGE_TYPES),
      filter: true,
      schema: Type.Enum(RANGE_TYPES, { description: 'Networks of this type.' }),
    },
    physical_network: {
      post: true,
      default: NOT_SPECIFIED,
      validate: string(PHYSICAL_LENGTH),
      filter: true,
      schema: textSchema('The physical network, of VLANs.', PHYSICAL_LENGTH),
      answer: nullable(Type.String()),
    },
    minimum: bound('The first id.'),
    maximum: bound('The last id.'),
    used: readOnly('The ids in use, with the projects that use them.', Type.Record(Type.String(), Type.String())),
    available: readOnly('The ids that are free; 10,000 at most are named.', Type.Array(Type.Integer())),
    ...standardAttributes,
    ...tagAttributes,
  },
});
