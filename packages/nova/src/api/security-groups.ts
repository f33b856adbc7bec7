import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { OldRule } from '../app/security-group-rules.ts';
import type { OldStyleGroup, OldStyleRule } from '../app/security-groups.ts';
import { OneSecurityGroup, OneSecurityGroupRule, SecurityGroups } from './answers/others.ts';
import { op } from './op.ts';
import { openQuery, sliceOf, text } from './query.ts';
import { json, multi, nonNegativeInteger } from './schemas/types.ts';

/** Nova-network's APIs, which nova hands on to neutron, end here. */
const UNTIL = '2.35';
const words = { type: 'string', maxLength: 255 };
const GROUP = json({
  type: 'object',
  properties: {
    security_group: { type: 'object', properties: { name: words, description: words }, required: ['name', 'description'], additionalProperties: true },
  },
  required: ['security_group'],
  additionalProperties: true,
});
const RULE = json({
  type: 'object',
  properties: {
    security_group_rule: {
      type: 'object',
      properties: { group_id: { type: ['string', 'null'], format: 'uuid' }, parent_group_id: { type: 'string', format: 'uuid' } },
      required: ['parent_group_id'],
      additionalProperties: true,
    },
  },
  required: ['security_group_rule'],
  additionalProperties: true,
});

const idOf = (req: Request<AnyBody>): string => req.params.id as string;

const ruleView = (rule: OldStyleRule): object => ({
  id: rule.id,
  parent_group_id: rule.parentGroupId,
  ip_protocol: rule.protocol,
  from_port: rule.fromPort,
  to_port: rule.toPort,
  group: rule.group === undefined ? {} : { name: rule.group.name, tenant_id: rule.group.projectId },
  ip_range: rule.group === undefined ? { cidr: rule.cidr } : {},
});

const view = (group: OldStyleGroup): object => ({
  id: group.id,
  name: group.name,
  description: group.description,
  tenant_id: group.projectId,
  rules: group.rules.map(ruleView),
});

export const securityGroupOperations = [
  op({
    id: 'nova.security-group.list',
    method: 'GET',
    path: '/v2.1/os-security-groups',
    summary: 'List security groups',
    until: UNTIL,
    policy: 'os_compute_api:os-security-groups:get',
    answer: SecurityGroups,
    query: openQuery({ limit: multi(nonNegativeInteger), offset: multi(nonNegativeInteger), all_tenants: text }),
    handle: async (app, req) => ({ security_groups: (await app.securityGroups.list(req.ctx, sliceOf(app, req), req.query.has('all_tenants'))).map(view) }),
  }),
  op({
    id: 'nova.security-group.create',
    method: 'POST',
    path: '/v2.1/os-security-groups',
    summary: 'Create a security group',
    until: UNTIL,
    policy: 'os_compute_api:os-security-groups:create',
    answer: OneSecurityGroup,
    body: GROUP,
    async handle(app, req) {
      const { name, description } = (req.body as AnyBody).security_group;
      return { security_group: view(await app.securityGroups.create(req.ctx, name, description)) };
    },
  }),
  op({
    id: 'nova.security-group.show',
    method: 'GET',
    path: '/v2.1/os-security-groups/{id}',
    summary: 'Show a security group',
    until: UNTIL,
    policy: 'os_compute_api:os-security-groups:show',
    answer: OneSecurityGroup,
    handle: async (app, req) => ({ security_group: view(await app.securityGroups.get(req.ctx, idOf(req))) }),
  }),
  op({
    id: 'nova.security-group.update',
    method: 'PUT',
    path: '/v2.1/os-security-groups/{id}',
    summary: 'Change a security group',
    until: UNTIL,
    policy: 'os_compute_api:os-security-groups:update',
    answer: OneSecurityGroup,
    body: GROUP,
    async handle(app, req) {
      const { name, description } = (req.body as AnyBody).security_group;
      return { security_group: view(await app.securityGroups.update(req.ctx, idOf(req), name, description)) };
    },
  }),
  op({
    id: 'nova.security-group.delete',
    method: 'DELETE',
    path: '/v2.1/os-security-groups/{id}',
    summary: 'Delete a security group',
    until: UNTIL,
    policy: 'os_compute_api:os-security-groups:delete',
    answer: 'none',
    success: 202,
    async handle(app, req) {
      await app.securityGroups.delete(req.ctx, idOf(req));
      return new Reply(undefined);
    },
  }),
  op({
    id: 'nova.security-group-rule.create',
    method: 'POST',
    path: '/v2.1/os-security-group-rules',
    summary: 'Create a rule of a security group',
    until: UNTIL,
    policy: 'os_compute_api:os-security-groups:rule:create',
    answer: OneSecurityGroupRule,
    body: RULE,
    handle: async (app, req) => ({
      security_group_rule: ruleView(await app.securityGroups.createRule(req.ctx, (req.body as { security_group_rule: OldRule }).security_group_rule)),
    }),
  }),
  op({
    id: 'nova.security-group-rule.delete',
    method: 'DELETE',
    path: '/v2.1/os-security-group-rules/{id}',
    summary: 'Delete a rule of a security group',
    until: UNTIL,
    policy: 'os_compute_api:os-security-groups:rule:delete',
    answer: 'none',
    success: 202,
    async handle(app, req) {
      await app.securityGroups.deleteRule(req.ctx, idOf(req));
      return new Reply(undefined);
    },
  }),
];
