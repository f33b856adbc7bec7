import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cliOf } from './commands.ts';
import type { ServiceName } from './services.ts';

for (const [service, method, path, body, words] of [
  ['volume', 'POST', '/v3/volumes/v/action', { 'os-extend': { new_size: 3 } }, 'volume set --size 3 v'],
  [
    'volume',
    'POST',
    '/v3/volumes/v/action',
    { 'os-retype': { new_type: 't', migration_policy: 'on-demand' } },
    'volume set --type t --retype-policy on-demand v',
  ],
  ['volume', 'POST', '/v3/volumes/v/action', { revert: { snapshot_id: 's' } }, 'volume revert s'],
  ['volume', 'POST', '/v3/volumes/v/action', { 'os-update_readonly_flag': { readonly: true } }, 'volume set --read-only v'],
  [
    'volume',
    'POST',
    '/v3/volumes/v/action',
    { 'os-volume_upload_image': { image_name: 'an image', disk_format: 'qcow2', container_format: 'bare', force: true } },
    "image create --volume v --disk-format qcow2 --force 'an image'",
  ],
  ['volume', 'PUT', '/v3/volumes/v/metadata', { metadata: { a: 'b' } }, 'volume set --no-property --property a=b v'],
  ['volume', 'POST', '/v3/snapshots', { snapshot: { volume_id: 'v', name: 's', force: false } }, 'volume snapshot create --volume v s'],
  ['volume', 'POST', '/v3/backups', { backup: { volume_id: 'v', name: 'b', incremental: true } }, 'volume backup create --name b --incremental v'],
  ['volume', 'POST', '/v3/backups/b/restore', { restore: { name: 'new' } }, 'volume backup restore b new'],
  ['volume', 'GET', '/v3/volume-transfers/detail?limit=500', undefined, 'volume transfer request list'],
  ['volume', 'POST', '/v3/volume-transfers/t/accept', { accept: { auth_key: 'secret' } }, 'volume transfer request accept --auth-key KEY t'],
  [
    'volume',
    'POST',
    '/v3/groups',
    { group: { name: 'g', group_type: 't', volume_types: ['a', 'b'] } },
    'volume group create --volume-group-type t --volume-type a --volume-type b --name g',
  ],
  ['volume', 'PUT', '/v3/groups/g', { group: { name: 'other' } }, 'volume group set --name other g'],
  ['volume', 'PUT', '/v3/groups/g', { group: { add_volumes: 'v', remove_volumes: '' } }, undefined],
  ['volume', 'GET', '/v3/volumes/detail?all_tenants=1&limit=500', undefined, 'volume list --all-projects'],
  [
    'image',
    'PATCH',
    '/v2/images/i',
    [
      { op: 'replace', path: '/name', value: 'n' },
      { op: 'replace', path: '/protected', value: true },
      { op: 'add', path: '/a~1b', value: 'c' },
      { op: 'remove', path: '/d' },
    ],
    'image set --name n --protected --property a/b=c i',
  ],
  ['image', 'PATCH', '/v2/images/i', [{ op: 'remove', path: '/d' }], 'image unset --property d i'],
  ['image', 'POST', '/v2/images/i/import', { method: { name: 'web-download', uri: 'https://x/y' } }, 'image import --method web-download --uri https://x/y i'],
  ['image', 'DELETE', '/v2/images/i/members/p', undefined, 'image remove project i p'],
  ['image', 'PUT', '/v2/images/i/members/p', { status: 'accepted' }, 'image set --accept --project p i'],
  ['image', 'POST', '/v2/images/i/actions/deactivate', undefined, 'image set --deactivate i'],
  [
    'compute',
    'POST',
    '/v2.1/os-server-groups',
    { server_group: { name: 'g', policy: 'anti-affinity', rules: { max_server_per_host: 2 } } },
    'server group create --policy anti-affinity --rule max_server_per_host=2 g',
  ],
  ['compute', 'GET', '/v2.1/servers/detail?all_tenants=1&host=h&limit=500', undefined, 'server list --all-projects'],
  [
    'network',
    'PUT',
    '/v2.0/subnetpools/p',
    { subnetpool: { name: 'n', prefixes: ['10.0.0.0/8'], address_scope_id: null } },
    'subnet pool set --name n --pool-prefix 10.0.0.0/8 --no-address-scope p',
  ],
  ['network', 'PUT', '/v2.0/subnetpools/p/tags', { tags: ['a'] }, 'subnet pool set --no-tag --tag a p'],
  ['network', 'PUT', '/v2.0/qos/policies/q', { policy: { shared: true } }, 'network qos policy set --share q'],
  [
    'network',
    'PUT',
    '/v2.0/qos/policies/q/bandwidth_limit_rules/r',
    { bandwidth_limit_rule: { max_kbps: 10, max_burst_kbps: 5, direction: 'egress' } },
    'network qos rule set --max-kbps 10 --max-burst-kbits 5 --egress q r',
  ],
] as readonly (readonly [ServiceName, string, string, unknown, string | undefined])[])
  test(`${method} ${path} ${JSON.stringify(body) ?? ''}`, () => {
    assert.equal(cliOf({ service, method, path, body }), words === undefined ? undefined : `openstack ${words}`);
  });
