import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, IMAGE, member, NETWORK, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open();
});
after(() => cloud.close());

test('a server comes up on a host, with disk, port and claim', async () => {
  const answer = await cloud.request(member(), 'POST', '/servers', { server: { name: 'web 1', imageRef: IMAGE, flavorRef: '1', networks: [{ uuid: NETWORK }], key_name: 'mine', metadata: { role: 'x' }, tags: ['b', 'a'] } });
  assert.equal(answer.status, 202);
  const { id, adminPass, links, security_groups } = answer.body.server;
  assert.match(adminPass, /^\S{12}$/);
  assert.deepEqual(security_groups, [{ name: 'default' }]);
  assert.equal(answer.headers['location'], links[0].href);
  await cloud.settle();
  const { server } = await cloud.ok(member(), 'GET', `/servers/${id}`);
  assert.equal(server.status, 'ACTIVE');
  assert.equal(server['OS-EXT-STS:power_state'], 1);
  assert.equal(server['OS-EXT-STS:task_state'], null);
  assert.equal(server.addresses.private[0].addr, '10.0.0.2');
  assert.equal(server.addresses.private[0]['OS-EXT-IPS:type'], 'fixed');
  assert.deepEqual(server.tags, ['a', 'b']);
  assert.deepEqual(server.flavor, { vcpus: 1, ram: 512, disk: 1, ephemeral: 0, swap: 0, original_name: 'm1.tiny', extra_specs: { 'hw:x': 'y' } });
  assert.equal(server.key_name, 'mine');
  assert.equal(server.hostId.length, 56);
  assert.equal(server['OS-EXT-SRV-ATTR:host'], undefined);
  const shown = (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server;
  const machine = cloud.world.machines.find(({ host }) => host === shown['OS-EXT-SRV-ATTR:host']);
  assert.equal(machine?.guests.get(id)?.state, 'running');
  assert.equal(shown['host_status'], 'UP');
  assert.match(shown['OS-EXT-SRV-ATTR:instance_name'], /^instance-[0-9a-f]{8}$/);
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
  assert.equal((await cloud.request(member(), 'GET', `/servers/${id}`)).status, 404);
  assert.deepEqual(machine?.inspect(), []);
});

test('another project does not see a server', async () => {
  const id = await cloud.create(member());
  for (const [method, path] of [['GET', ''], ['DELETE', ''], ['GET', '/metadata'], ['GET', '/ips'], ['GET', '/tags']] as const) {
    assert.equal((await cloud.request(stranger(), method, `/servers/${id}${path}`)).status, 404, `${method} ${path}`);
  }
  assert.equal((await cloud.request(stranger(), 'POST', `/servers/${id}/action`, { 'os-stop': null })).status, 404);
  assert.equal((await cloud.request(admin(), 'GET', `/servers/${id}`)).status, 200);
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
});

test('a server that fits nowhere says why', async () => {
  const { server } = await cloud.ok(member(), 'POST', '/servers', { server: { name: 'huge', imageRef: IMAGE, flavorRef: '9', networks: 'none' } }).catch((error: Error) => {
    assert.match(error.message, /Quota exceeded for ram/);
    return { server: undefined };
  });
  assert.equal(server, undefined);
});
