import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cliOf } from './commands.ts';
import type { ServiceName } from './services.ts';

for (const [service, method, path, body, words] of [
  ['identity', 'GET', '/v3/projects?limit=500', undefined, 'project list'],
  [
    'identity',
    'POST',
    '/v3/projects',
    { project: { name: 'a b', domain_id: 'd', description: '', enabled: true } },
    "project create --domain d --enable 'a b'",
  ],
  ['identity', 'PATCH', '/v3/users/u1', { user: { enabled: false } }, 'user set --disable u1'],
  ['identity', 'PATCH', '/v3/users/u1', { user: { password: 'geheim' } }, 'user set --password-prompt u1'],
  ['identity', 'PUT', '/v3/projects/p/users/u/roles/r', undefined, 'role add --project p --user u r'],
  ['identity', 'DELETE', '/v3/domains/d/groups/g/roles/r', undefined, 'role remove --domain d --group g r'],
  ['identity', 'PUT', '/v3/system/users/u/roles/r', undefined, 'role add --system all --user u r'],
  ['identity', 'GET', '/v3/role_assignments?include_names&scope.project.id=p', undefined, 'role assignment list --names --project p'],
  ['identity', 'PUT', '/v3/groups/g/users/u', undefined, 'group add user g u'],
  [
    'identity',
    'POST',
    '/v3/users/u/application_credentials',
    {
      application_credential: {
        name: 'ci',
        roles: [{ name: 'reader' }],
        unrestricted: true,
        access_rules: [{ method: 'GET', service: 'image', path: '/v2/images' }],
      },
    },
    `application credential create --role reader --unrestricted --access-rules '[{"method":"GET","service":"image","path":"/v2/images"}]' ci`,
  ],
  ['identity', 'POST', '/v3/users/u/credentials/OS-EC2', { tenant_id: 'p' }, 'ec2 credentials create --project p'],
  ['compute', 'PUT', '/v2.1/os-quota-sets/p', { quota_set: { cores: 4, metadata_items: 8 } }, 'quota set --cores 4 --properties 8 p'],
  ['network', 'PUT', '/v2.0/quotas/p', { quota: { floatingip: 2 } }, 'quota set --floating-ips 2 p'],
  [
    'compute',
    'POST',
    '/v2.1/flavors',
    { flavor: { name: 'm', vcpus: 1, ram: 512, disk: 2, 'os-flavor-access:is_public': false } },
    'flavor create --vcpus 1 --ram 512 --disk 2 --private m',
  ],
  ['compute', 'POST', '/v2.1/flavors/f/os-extra_specs', { extra_specs: { 'hw:cpu_policy': 'dedicated' } }, 'flavor set --property hw:cpu_policy=dedicated f'],
  ['compute', 'POST', '/v2.1/flavors/f/action', { addTenantAccess: { tenant: 'p' } }, 'flavor set --project p f'],
  ['compute', 'POST', '/v2.1/os-aggregates/1/action', { add_host: { host: 'h1' } }, 'aggregate add host 1 h1'],
  [
    'compute',
    'PUT',
    '/v2.1/os-services/s1',
    { status: 'disabled', disabled_reason: 'new disks' },
    "compute service set --disable --disable-reason 'new disks' HOST nova-compute",
  ],
  ['compute', 'POST', '/v2.1/servers/s/action', { 'os-migrateLive': { host: null, block_migration: 'auto' } }, 'server migrate --live-migration s'],
  [
    'volume',
    'POST',
    '/v3/qos-specs',
    { qos_specs: { name: 'slow', consumer: 'front-end', read_iops_sec: '10' } },
    'volume qos create --consumer front-end --property read_iops_sec=10 slow',
  ],
  ['volume', 'GET', '/v3/qos-specs/q/associate?vol_type_id=t', undefined, 'volume qos associate q t'],
] as const)
  test(`${method} ${path} is "openstack ${words}"`, () => {
    assert.equal(cliOf({ service: service as ServiceName, method, path, ...(body !== undefined && { body }) }), `openstack ${words}`);
  });
