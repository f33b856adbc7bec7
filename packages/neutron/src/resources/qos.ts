import Type from 'typebox';
import { shapesOf } from '../attributes/answer.ts';
import type { AttributeMap } from '../attributes/attribute.ts';
import { toBooleanOrNull, toInt } from '../attributes/converters.ts';
import { capitals, defineResource, type Resource } from '../attributes/resource.ts';
import { flag, id, name, readOnly, standardAttributes, tagAttributes, tenantId } from '../attributes/standard.ts';
import { orNull, range, uuid, values } from '../attributes/validators.ts';

/** neutron_lib.db.constants.DB_INTEGER_MAX_VALUE */
export const MAX_INTEGER = 2_147_483_647;
const DSCP_MARKS = [0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 44, 46, 48, 56];

/** The attribute of what a policy may be laid on. */
export const qosPolicyId = (where: string) =>
  ({
    post: true,
    put: true,
    default: null,
    enforcePolicy: true,
    validate: orNull(uuid),
    filter: true,
    schema: Type.Union([Type.String({ format: 'uuid' }), Type.Null()], { description: `The QoS policy of the ${where}.` }),
  }) as const;

const number = (description: string, initial?: number) => ({
  post: true,
  put: true,
  ...(initial !== undefined && { default: initial }),
  convert: toInt,
  validate: range(0, MAX_INTEGER),
  filter: true,
  sort: true,
  schema: Type.Integer({ description, minimum: 0 }),
});
const direction = (allowed: readonly string[]) => ({
  post: true,
  put: true,
  default: 'egress',
  validate: values(allowed),
  filter: true,
  sort: true,
  schema: Type.Enum([...allowed], { description: 'Of what the guest sends (egress) or gets (ingress).' }),
});
const BOTH = ['ingress', 'egress'];

/** The types of rules, as the API names them. */
export type QosRuleType = 'bandwidth_limit' | 'dscp_marking' | 'minimum_bandwidth' | 'minimum_packet_rate' | 'packet_rate_limit';

/** What the rules of each type say, beside their id. */
export const RULE_ATTRIBUTES: Readonly<Record<QosRuleType, AttributeMap>> = {
  bandwidth_limit: { max_kbps: number('Kilobits per second.'), max_burst_kbps: number('Kilobits that may come at once.', 0), direction: direction(BOTH) },
  dscp_marking: {
    dscp_mark: {
      post: true,
      put: true,
      convert: toInt,
      validate: values(DSCP_MARKS),
      filter: true,
      sort: true,
      schema: Type.Enum(DSCP_MARKS, { description: 'The mark.' }),
    },
  },
  minimum_bandwidth: { min_kbps: number('Kilobits per second.'), direction: direction(BOTH) },
  minimum_packet_rate: { min_kpps: number('Thousands of packets per second.'), direction: direction([...BOTH, 'any']) },
  packet_rate_limit: {
    max_kpps: number('Thousands of packets per second.'),
    max_burst_kpps: number('Thousands of packets that may come at once.', 0),
    direction: direction(BOTH),
  },
};

/** What a policy shows of its rules. */
const RULE_SHAPES = Object.entries(RULE_ATTRIBUTES).map(([type, attributes]) =>
  Type.Object({
    id: Type.String({ format: 'uuid' }),
    qos_policy_id: Type.String({ format: 'uuid' }),
    type: Type.Literal(type),
    ...shapesOf(attributes),
  }),
);

/** neutron_lib/api/definitions/qos.py with qos_default. */
export const QOS_POLICY = defineResource({
  name: 'policy',
  title: 'QosPolicy',
  collection: 'policies',
  path: 'qos/policies',
  attributes: {
    id,
    name,
    shared: flag(false, 'May every project use it?', { sort: false }),
    is_default: flag(false, 'Do new networks of the project get it?', { sort: false }),
    tenant_id: tenantId,
    rules: readOnly('Its rules, of all types.', Type.Array(Type.Union(RULE_SHAPES))),
    ...standardAttributes,
    ...tagAttributes,
  },
});

const titleOf = (type: QosRuleType): string => capitals(`${type}_rule`);

/** The rules of one type, below their policy. `path` is the last part of the path; clients write some with hyphens. */
export const qosRule = (type: QosRuleType, path = `qos/policies/{policy_id}/${type}_rules`, alias?: string): Resource =>
  defineResource({
    name: `${type}_rule`,
    title: titleOf(type),
    ruleName: `policy_${type}_rule`,
    path,
    ...(alias !== undefined && { alias }),
    attributes: { id, ...RULE_ATTRIBUTES[type] },
  });

/** The same rules by their own ids (qos_rules_alias.py): they are shown, changed and deleted so, not made. */
export const qosRuleAlias = (type: QosRuleType): Resource => {
  const attributes = Object.entries(RULE_ATTRIBUTES[type]).map(([key, attribute]) => [key, { ...attribute, post: false }] as const);
  return defineResource({
    name: `alias_${type}_rule`,
    title: titleOf(type),
    path: `qos/alias-${type.replaceAll('_', '-')}-rules`,
    attributes: { id, ...Object.fromEntries(attributes) },
  });
};

const DRIVER = Type.Object({
  name: Type.String(),
  supported_parameters: Type.Array(
    Type.Object({
      parameter_name: Type.String(),
      parameter_type: Type.Enum(['choices', 'range']),
      parameter_values: Type.Union([Type.Array(Type.Union([Type.String(), Type.Integer()])), Type.Object({ start: Type.Integer(), end: Type.Integer() })]),
    }),
  ),
});

const wish = (description: string) => ({
  convert: toBooleanOrNull,
  filter: true,
  visible: false,
  schema: Type.Boolean({ description }),
});

export const QOS_RULE_TYPE = defineResource({
  name: 'rule_type',
  title: 'QosRuleType',
  path: 'qos/rule-types',
  key: 'type',
  attributes: {
    type: readOnly('The type of rules.', Type.Enum(Object.keys(RULE_ATTRIBUTES))),
    drivers: readOnly('Who keeps such rules; told of one type alone.', Type.Array(DRIVER), { sometimes: true }),
    all_supported: wish('The types that some driver keeps.'),
    all_rules: wish('All types that there are.'),
  },
});
