import Type from 'typebox';
import { answerOf } from '../attributes/answer.ts';
import { toBoolean } from '../attributes/converters.ts';
import { type Attribute, type AttributeMap, NOT_SPECIFIED } from '../attributes/attribute.ts';
import { defineResource } from '../attributes/resource.ts';
import { descriptionOrNull, flag, id, nullable, readOnly, standardAttributes, tagAttributes, tenantId, textSchema } from '../attributes/standard.ts';
import { NAME_LENGTH, string, values } from '../attributes/validators.ts';
import { defaultGroupExists } from '../errors.ts';
import { toDirectionValues, toEthertype, toIpPrefix, toPortNumber, toProtocol } from './security-group-converters.ts';

const rulePart = { post: true, filter: true, sort: true } as const;

/** What rules let through, of groups as of those that they begin with. */
const ruleParts: AttributeMap = {
  remote_group_id: {
    ...rulePart,
    default: null,
    schema: Type.Union([Type.String(), Type.Null()], { description: 'The other side: members of this group.' }),
  },
  remote_address_group_id: {
    ...rulePart,
    default: null,
    schema: Type.Union([Type.String(), Type.Null()], { description: 'The other side: addresses of this address group.' }),
  },
  direction: { ...rulePart, validate: values(toDirectionValues), schema: Type.Enum(['ingress', 'egress'], { description: 'Seen from the server.' }) },
  protocol: {
    ...rulePart,
    default: null,
    convert: toProtocol,
    schema: Type.Union([Type.String(), Type.Integer(), Type.Null()], { description: 'Name or number of the IP protocol; null for any.' }),
    answer: nullable(Type.String()),
  },
  port_range_min: {
    ...rulePart,
    default: null,
    convert: toPortNumber,
    schema: Type.Union([Type.Integer(), Type.String(), Type.Null()], { description: 'The first port, or the ICMP type.' }),
    answer: nullable(Type.Integer()),
  },
  port_range_max: {
    ...rulePart,
    default: null,
    convert: toPortNumber,
    schema: Type.Union([Type.Integer(), Type.String(), Type.Null()], { description: 'The last port, or the ICMP code.' }),
    answer: nullable(Type.Integer()),
  },
  ethertype: {
    ...rulePart,
    default: 'IPv4',
    convert: toEthertype,
    validate: values(['IPv4', 'IPv6']),
    schema: Type.Enum(['IPv4', 'IPv6'], { description: 'The IP version.' }),
  },
  remote_ip_prefix: {
    ...rulePart,
    default: null,
    convert: toIpPrefix,
    schema: Type.Union([Type.String(), Type.Null()], { description: 'The other side: addresses of this network.' }),
  },
};

export const SECURITY_GROUP_RULE = defineResource({
  name: 'security_group_rule',
  path: 'security-group-rules',
  attributes: {
    id,
    security_group_id: { ...rulePart, requiredByPolicy: true, validate: string(36), schema: textSchema('The group that the rule is of.', 36) },
    ...ruleParts,
    tenant_id: tenantId,
    normalized_cidr: readOnly('`remote_ip_prefix` with its host bits cleared.', nullable(Type.String()), { filter: true, sort: true }),
    belongs_to_default_sg: readOnly('Is the group the default one of its project?', Type.Boolean(), { filter: true, convert: toBoolean }),
    ...standardAttributes,
    description: descriptionOrNull,
  },
});

/** neutron/extensions/securitygroup.py with stateful-security-group and security-groups-shared-filtering. */
export const SECURITY_GROUP = defineResource({
  name: 'security_group',
  path: 'security-groups',
  attributes: {
    id,
    name: {
      post: true,
      put: true,
      default: '',
      filter: true,
      sort: true,
      validate: (value) => {
        const refusal = string(NAME_LENGTH)(value);
        if (refusal) return refusal;
        if ((value as string).toLowerCase() === 'default') throw defaultGroupExists();
        return undefined;
      },
      schema: textSchema("Human-readable name; `default` is the project's own.", NAME_LENGTH),
    },
    tenant_id: tenantId,
    security_group_rules: readOnly('The rules of the group.', Type.Array(answerOf(SECURITY_GROUP_RULE))),
    stateful: flag(true, 'Do answers pass without a rule?', { sort: false, default: NOT_SPECIFIED }),
    shared: readOnly('Is it shared with the project?', Type.Boolean(), { convert: toBoolean, filter: true, requiredByPolicy: true, enforcePolicy: true }),
    ...standardAttributes,
    ...tagAttributes,
  },
});

const use = (initial: boolean, description: string): Attribute => ({
  post: true,
  default: initial,
  convert: toBoolean,
  filter: true,
  schema: Type.Boolean({ description, default: initial }),
});

/** neutron/extensions/security_groups_default_rules.py; where upstream asks for both flags, they default to false and true here. */
export const DEFAULT_SECURITY_GROUP_RULE = defineResource({
  name: 'default_security_group_rule',
  path: 'default-security-group-rules',
  bulk: false,
  attributes: {
    id,
    description: { ...descriptionOrNull, put: false },
    ...ruleParts,
    used_in_default_sg: use(false, "Do projects' default groups begin with it?"),
    used_in_non_default_sg: use(true, 'Do other groups begin with it?'),
  },
});
