import type { NovaApp } from '../app/app.ts';
import type { QuotaLine, ResourceName } from '../app/quota-sets.ts';
import { Limits } from './answers/projects.ts';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { op } from './op.ts';
import { last, queryClosedFrom275, text } from './query.ts';

/** Names of limits (nova/api/openstack/compute/views/limits.py) by resource, with the microversion from which they are no longer told. */
const LIMITS: readonly (readonly [string, ResourceName, string?])[] = [
  ['maxTotalRAMSize', 'ram'],
  ['maxTotalInstances', 'instances'],
  ['maxTotalCores', 'cores'],
  ['maxTotalKeypairs', 'key_pairs'],
  ['maxTotalFloatingIps', 'floating_ips', '2.36'],
  ['maxServerMeta', 'metadata_items'],
  ['maxImageMeta', 'metadata_items', '2.39'],
  ['maxPersonality', 'injected_files', '2.57'],
  ['maxPersonalitySize', 'injected_file_content_bytes', '2.57'],
  ['maxSecurityGroups', 'security_groups', '2.36'],
  ['maxSecurityGroupRules', 'security_group_rules', '2.36'],
  ['maxServerGroups', 'server_groups'],
  ['maxServerGroupMembers', 'server_group_members'],
];
const USED: readonly (readonly [string, ResourceName, string?])[] = [
  ['totalRAMUsed', 'ram'],
  ['totalCoresUsed', 'cores'],
  ['totalInstancesUsed', 'instances'],
  ['totalFloatingIpsUsed', 'floating_ips', '2.36'],
  ['totalSecurityGroupsUsed', 'security_groups', '2.36'],
  ['totalServerGroupsUsed', 'server_groups'],
];

function absolute(req: Request<AnyBody>, lines: Readonly<Record<ResourceName, QuotaLine>>): Record<string, number> {
  const told = ([, , until]: readonly [string, ResourceName, string?]): boolean => until === undefined || req.version.before(until);
  return {
    ...Object.fromEntries(LIMITS.filter(told).map(([name, resource]) => [name, lines[resource].limit])),
    ...Object.fromEntries(USED.filter(told).map(([name, resource]) => [name, lines[resource].in_use])),
  };
}

async function show(app: NovaApp, req: Request<AnyBody>): Promise<object> {
  const asked = last(req, 'tenant_id');
  // upstream asks this of whoever names a project, be it their own
  if (asked !== undefined) req.authorize('os_compute_api:limits:other_project');
  return { limits: { rate: [], absolute: absolute(req, await app.quotaSets.lines(app.deps.env.store.read, asked ?? req.ctx.projectId ?? '', undefined)) } };
}

export const limitOperations = [
  op({
    id: 'nova.limits.show',
    method: 'GET',
    path: '/v2.1/limits',
    summary: 'Show the limits that bear on the caller',
    policy: 'os_compute_api:limits',
    answer: Limits,
    query: queryClosedFrom275({ tenant_id: text }),
    handle: show,
  }),
];
