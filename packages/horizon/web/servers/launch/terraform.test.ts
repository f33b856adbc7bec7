import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BEGINNING, launchBody } from './request.ts';
import { quoted, terraformOf } from './terraform.ts';

test('a text is a text in HCL, whatever is in it', () => {
  assert.equal(quoted('a "b" ${file("/etc/passwd")} %{if x}\n'), '"a \\"b\\" $${file(\\"/etc/passwd\\")} %%{if x}\\n"');
});

test('the least that can be asked for', () => {
  assert.equal(
    terraformOf(launchBody({ ...BEGINNING, name: 'web', imageId: 'i', flavorId: 'f' })),
    `resource "openstack_compute_instance_v2" "web" {
  name = "web"
  flavor_id = "f"
  image_id = "i"
  network_mode = "auto"
}`,
  );
});

test('everything that can be asked for', () => {
  const form = {
    ...{ ...BEGINNING, name: '1 web', count: 2, source: 'snapshot' as const, snapshotId: 's', flavorId: 'f', networkIds: ['n'], securityGroups: ['a'] },
    ...{ keyName: 'k', userData: 'x', metadata: [{ key: 'a', value: 'b' }], tags: 't', groupId: 'g', zone: 'z' },
  };
  assert.equal(
    terraformOf(launchBody(form)),
    `resource "openstack_compute_instance_v2" "_1_web" {
  count = 2
  name = "1 web-\${count.index + 1}"
  flavor_id = "f"
  key_pair = "k"
  availability_zone = "z"
  security_groups = ["a"]
  user_data = file("user-data.txt")
  tags = ["t"]
  metadata = {
    "a" = "b"
  }
  block_device {
    uuid = "s"
    source_type = "snapshot"
    destination_type = "volume"
    boot_index = 0
    delete_on_termination = true
  }
  network {
    uuid = "n"
  }
  scheduler_hints {
    group = "g"
  }
}`,
  );
});
