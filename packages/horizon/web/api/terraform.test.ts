import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGINNING, launchBody } from '../servers/launch/request.ts';
import { terraformOf } from './terraform.ts';

test('a creation has the resource that makes the same; what makes nothing has none', () => {
  assert.equal(
    terraformOf({ service: 'volume', method: 'POST', path: '/v3/volumes', body: { volume: { name: 'My data', size: 2, imageRef: 'i', description: '' } } }),
    `resource "openstack_blockstorage_volume_v3" "my_data" {
  name     = "My data"
  size     = 2
  image_id = "i"
}`,
  );
  assert.equal(terraformOf({ service: 'volume', method: 'GET', path: '/v3/volumes' }), undefined);
  assert.equal(terraformOf({ service: 'compute', method: 'POST', path: '/v2.1/servers/s/action', body: { reboot: null } }), undefined);
  assert.equal(terraformOf({ service: 'volume', method: 'POST', path: '/v3/volumes', body: {} }), undefined);
});

test('a launch has its networks and disks as blocks', () => {
  const form = { ...BEGINNING, name: '1st', imageId: 'i', flavorId: 'f', networkIds: ['n'], securityGroups: ['web'], keyName: 'k', volumeGb: 5 };
  const text = terraformOf({ service: 'compute', method: 'POST', path: '/v2.1/servers', body: launchBody(form) }) ?? '';
  assert.match(text, /^resource "openstack_compute_instance_v2" "this1st" \{\n/);
  assert.match(text, /security_groups = \["web"\]/);
  assert.match(text, / {2}network \{\n {4}uuid = "n"\n {2}\}/);
  assert.match(text, / {2}block_device \{\n {4}uuid/);
});

test('a launch of several, with everything that can be asked for', () => {
  const form = {
    ...{ ...BEGINNING, name: 'web "${x}"', count: 2, source: 'snapshot' as const, snapshotId: 's', flavorId: 'f', networkIds: ['n'], securityGroups: ['a'] },
    ...{ keyName: 'k', userData: 'x', metadata: [{ key: 'a', value: 'b' }], tags: 't', groupId: 'g', zone: 'z' },
  };
  assert.equal(
    terraformOf({ service: 'compute', method: 'POST', path: '/v2.1/servers', body: launchBody(form) }),
    `resource "openstack_compute_instance_v2" "web_x_" {
  count             = 2
  name              = "web \\"$\${x}\\"-\${count.index + 1}"
  flavor_id         = "f"
  key_pair          = "k"
  availability_zone = "z"
  security_groups   = ["a"]
  user_data         = file("user-data.txt")
  tags              = ["t"]
  metadata          = {
    "a" = "b"
  }
  network {
    uuid = "n"
  }
  block_device {
    uuid                  = "s"
    source_type           = "snapshot"
    destination_type      = "volume"
    boot_index            = 0
    delete_on_termination = true
  }
  scheduler_hints {
    group = "g"
  }
}`,
  );
  const least = launchBody({ ...BEGINNING, name: 'web', imageId: 'i', flavorId: 'f' });
  assert.match(terraformOf({ service: 'compute', method: 'POST', path: '/v2.1/servers', body: least }) ?? '', / {2}network_mode = "auto"/);
});

test('no text becomes an expression of Terraform', () => {
  const hostile = '${file("/etc/passwd")} %{for} "x" \\ \n';
  const text = terraformOf({ service: 'volume', method: 'POST', path: '/v3/volumes', body: { volume: { name: 'a', description: hostile } } }) ?? '';
  assert.match(text, /description = "\$\$\{file\(\\"\/etc\/passwd\\"\)\} %%\{for\} \\"x\\" \\\\ \\n"/);
});

test('an attachment names the server of its path', () => {
  const text = terraformOf({
    service: 'compute',
    method: 'POST',
    path: '/v2.1/servers/s1/os-volume_attachments',
    body: { volumeAttachment: { volumeId: 'v' } },
  });
  assert.match(text ?? '', /instance_id = "s1"\n {2}volume_id {3}= "v"/);
});
