import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TestCloud } from '../support/cloud.ts';

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-policies-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("an operator's policy files take the place of the defaults, each service's own", async () => {
  writeFileSync(join(folder, 'nova.yaml'), '"os_compute_api:os-hypervisors:list": "rule:watchers"\n"watchers": "role:reader"\n');
  writeFileSync(join(folder, 'neutron.yaml'), 'create_network: "role:admin"\n');
  const cloud = await TestCloud.start({ environment: { CAIRN_POLICIES: folder } });
  try {
    const { project } = await cloud.ok('POST', '/identity/v3/projects', { project: { name: 'p' } });
    const { user } = await cloud.ok('POST', '/identity/v3/users', { user: { name: 'u', password: 'pAssw0rd' } });
    const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=member');
    await cloud.ok('PUT', `/identity/v3/projects/${project.id}/users/${user.id}/roles/${roles[0].id}`);
    const as = { token: await cloud.login('u', 'pAssw0rd', 'p') };
    assert.equal((await cloud.call('GET', '/compute/v2.1/os-hypervisors', undefined, as)).status, 200);
    assert.equal((await cloud.call('GET', '/compute/v2.1/os-hypervisors/detail', undefined, as)).status, 403);
    assert.equal((await cloud.call('POST', '/network/v2.0/networks', { network: {} }, as)).status, 403);
    assert.equal((await cloud.call('POST', '/network/v2.0/networks', { network: {} })).status, 201);
  } finally {
    await cloud.stop();
  }
});

for (const [what, file, text, words] of [
  ['is no YAML', 'nova.yaml', '"a: b', /nova\.yaml/],
  ['names a rule that nobody asks', 'nova.yaml', 'os_compute_api:servers:craete: "@"\n', /os_compute_api:servers:craete/],
  ['refers to a rule that is not there', 'nova.yaml', 'os_compute_api:servers:create: "rule:nobody"\n', /nobody/],
  ['has a check that cannot be read', 'glance.yaml', 'add_image: "role:admin and"\n', /add_image/],
  ['has a list where rules should be', 'glance.yaml', '- add_image\n', /glance\.yaml/],
  ['is of no service', 'compute.yaml', 'a: "@"\n', /nova\.yaml/],
] as const) {
  test(`a policy file that ${what} stops the start and says so`, async () => {
    const own = mkdtempSync(join(folder, 'bad-'));
    writeFileSync(join(own, file), text);
    await assert.rejects(TestCloud.start({ environment: { CAIRN_POLICIES: own } }), words);
  });
}
