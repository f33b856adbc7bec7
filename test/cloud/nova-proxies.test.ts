import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, TestCloud } from '../support/cloud.ts';

let cloud: TestCloud;
let member = '';
let other = '';
let project = '';
before(async () => {
  cloud = await TestCloud.start();
  for (const name of ['alice', 'mallory']) {
    const { project: made } = await cloud.ok('POST', '/identity/v3/projects', { project: { name } });
    if (name === 'alice') project = made.id;
    const { user } = await cloud.ok('POST', '/identity/v3/users', { user: { name, password: 'secret-1' } });
    const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=member');
    await cloud.ok('PUT', `/identity/v3/projects/${made.id}/users/${user.id}/roles/${roles[0].id}`);
  }
  member = await cloud.login('alice', 'secret-1', 'alice');
  other = await cloud.login('mallory', 'secret-1', 'mallory');
});
after(() => cloud.stop());

const nova = (method: string, path: string, body?: unknown, version = '2.1', token = member): Promise<Answer> =>
  cloud.call(method, `/compute/v2.1${path}`, body, { token, headers: { 'openstack-api-version': `compute ${version}` } });
const ok = async (...call: Parameters<typeof nova>): Promise<Answer['body']> => {
  const answer = await nova(...call);
  assert.ok(answer.status < 300, `${call[0]} ${call[1]}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const refused = async (status: number, message: RegExp, ...call: Parameters<typeof nova>): Promise<void> => {
  const { status: got, body } = await nova(...call);
  const [fault] = Object.values(body as Record<string, { code: number; message: string }>);
  assert.deepEqual([got, fault?.code], [status, status], `${call[0]} ${call[1]}: ${JSON.stringify(body)}`);
  assert.match(fault?.message ?? '', message);
};

test("security groups and their rules are neutron's in nova-network's dress", async () => {
  const { security_group: group } = await ok('POST', '/os-security-groups', { security_group: { name: 'web', description: 'd' } });
  assert.deepEqual(group, { id: group.id, name: 'web', description: 'd', tenant_id: project, rules: [] });
  const { security_groups: groups } = await ok('GET', '/os-security-groups');
  assert.deepEqual(
    groups.map(({ name }: { name: string }) => name),
    ['default', 'web'],
  );
  const [rule] = groups[0].rules;
  assert.deepEqual([rule.group, rule.ip_range, rule.ip_protocol, rule.from_port], [{ name: 'default', tenant_id: project }, {}, null, null]);
  assert.equal((await ok('GET', '/os-security-groups?limit=1')).security_groups.length, 1);

  const wish = { parent_group_id: group.id, ip_protocol: 'tcp', from_port: 22, to_port: '80', cidr: '10.0.0.0/8' };
  const { security_group_rule: made } = await ok('POST', '/os-security-group-rules', { security_group_rule: wish });
  assert.deepEqual(made, {
    id: made.id,
    parent_group_id: group.id,
    ip_protocol: 'tcp',
    from_port: 22,
    to_port: 80,
    group: {},
    ip_range: { cidr: '10.0.0.0/8' },
  });
  await refused(400, /^This rule already exists in group/, 'POST', '/os-security-group-rules', { security_group_rule: wish });
  const { security_group_rule: ping } = await ok('POST', '/os-security-group-rules', {
    security_group_rule: { parent_group_id: group.id, ip_protocol: 'icmp', from_port: -1, to_port: -1 },
  });
  assert.deepEqual([ping.from_port, ping.to_port, ping.ip_range], [-1, -1, { cidr: '0.0.0.0/0' }]);
  const { security_group_rule: peers } = await ok('POST', '/os-security-group-rules', {
    security_group_rule: { parent_group_id: group.id, group_id: group.id, ip_protocol: 'udp' },
  });
  assert.deepEqual([peers.from_port, peers.to_port, peers.group, peers.ip_range], [1, 65_535, { name: 'web', tenant_id: project }, {}]);
  assert.equal((await ok('GET', `/os-security-groups/${group.id}`)).security_group.rules.length, 3);
  for (const [change, message] of [
    [{ ip_protocol: 'sctp' }, /Invalid IP protocol sctp/],
    [{ from_port: 90 }, /Invalid port range 90:80\. Former value/],
    [{ from_port: 0 }, /ports should be between 1-65535/],
    [{ from_port: 'x' }, /must be integers/],
    [{ cidr: '10.0.0.0' }, /not a valid IP network/],
    [{ cidr: '10.0.0.0/0' }, /Bad prefix for network/],
    [{ from_port: null }, /Not enough parameters/],
    [{ parent_group_id: 'x' }, /parent_group_id/],
  ] as const) {
    await refused(400, message, 'POST', '/os-security-group-rules', { security_group_rule: { ...wish, ...change } });
  }
  await refused(404, /./, 'POST', '/os-security-group-rules', { security_group_rule: { ...wish, parent_group_id: '99999999-9999-4999-8999-999999999999' } });
  assert.equal((await nova('DELETE', `/os-security-group-rules/${made.id}`)).status, 202);
  await refused(404, /./, 'DELETE', `/os-security-group-rules/${made.id}`);

  assert.equal((await ok('PUT', `/os-security-groups/${group.id}`, { security_group: { name: 'web2', description: '' } })).security_group.name, 'web2');
  await refused(404, /./, 'GET', `/os-security-groups/${group.id}`, undefined, '2.1', other);
  await refused(404, /./, 'DELETE', `/os-security-groups/${group.id}`, undefined, '2.1', other);
  await refused(400, /should be uuid/, 'GET', '/os-security-groups/web');
  await refused(400, /required property/, 'POST', '/os-security-groups', { security_group: { name: 'x' } });
  await refused(404, /./, 'GET', '/os-security-groups', undefined, '2.36');
  assert.equal((await nova('DELETE', `/os-security-groups/${group.id}`)).status, 202);
  await refused(404, /./, 'GET', `/os-security-groups/${group.id}`);
});

test("floating IPs, pools and networks are neutron's", async () => {
  assert.deepEqual(await ok('GET', '/os-floating-ip-pools'), { floating_ip_pools: [{ name: 'public' }] });
  const { floating_ip: ip } = await ok('POST', '/os-floating-ips', { pool: 'public' });
  assert.deepEqual(ip, { id: ip.id, ip: ip.ip, fixed_ip: null, instance_id: null, pool: 'public' });
  assert.deepEqual(await ok('GET', '/os-floating-ips'), { floating_ips: [ip] });
  assert.deepEqual(await ok('GET', `/os-floating-ips/${ip.id}`), { floating_ip: ip });
  await refused(404, /^Floating IP pool not found\.$/, 'POST', '/os-floating-ips', { pool: 'none' });
  await refused(404, new RegExp(`^Floating IP not found for ID ${ip.id}$`), 'GET', `/os-floating-ips/${ip.id}`, undefined, '2.1', other);
  assert.equal((await nova('DELETE', `/os-floating-ips/${ip.id}`)).status, 202);
  await refused(404, /Floating IP not found for ID/, 'DELETE', `/os-floating-ips/${ip.id}`);
  const { network } = await cloud.ok('POST', '/network/v2.0/networks', { network: { name: 'mine' } }, { token: member });
  const shown = (await ok('GET', `/os-networks/${network.id}`)).network;
  assert.deepEqual([shown.id, shown.label, shown.cidr, Object.keys(shown).length], [network.id, 'mine', null, 11]);
  assert.deepEqual((await ok('GET', `/os-tenant-networks/${network.id}`)).network, { id: network.id, cidr: 'None', label: 'mine' });
  assert.ok((await ok('GET', '/os-networks')).networks.some(({ label }: { label: string }) => label === 'mine'));
  await refused(404, /^Network not found$/, 'GET', `/os-networks/${network.id}`, undefined, '2.1', other);
  await refused(404, /./, 'GET', '/os-networks', undefined, '2.36');
});

test("images and their metadata are glance's", async () => {
  const image = await cloud.ok(
    'POST',
    '/image/v2/images',
    { name: 'mine', disk_format: 'raw', container_format: 'bare', min_ram: 64, os_distro: 'x' },
    { token: member },
  );
  const { image: shown } = await ok('GET', `/images/${image.id}`);
  assert.deepEqual([shown.name, shown.minRam, shown.minDisk, shown.metadata, shown.status, shown.progress], ['mine', 64, 0, { os_distro: 'x' }, 'SAVING', 25]);
  assert.deepEqual([shown['OS-EXT-IMG-SIZE:size'], shown.created], [0, image.created_at]);
  assert.deepEqual(
    shown.links.map(({ rel }: { rel: string }) => rel),
    ['self', 'bookmark', 'alternate'],
  );
  const { images } = await ok('GET', '/images/detail?name=cirros');
  assert.deepEqual([images.length, images[0].status, images[0].progress], [1, 'ACTIVE', 100]);
  const page = await ok('GET', '/images?limit=1');
  assert.deepEqual([page.images.length, page.images_links[0].rel], [1, 'next']);
  const metadata = `/images/${image.id}/metadata`;
  assert.deepEqual(await ok('POST', metadata, { metadata: { a: '1' } }), { metadata: { os_distro: 'x', a: '1' } });
  assert.deepEqual(await ok('PUT', `${metadata}/a`, { meta: { a: '2' } }), { meta: { a: '2' } });
  assert.deepEqual(await ok('GET', `${metadata}/a`, undefined, '2.38'), { meta: { a: '2' } });
  assert.deepEqual(await ok('PUT', metadata, { metadata: { b: '3' } }), { metadata: { b: '3' } });
  assert.deepEqual(await ok('GET', metadata), { metadata: { b: '3' } });
  assert.equal((await nova('DELETE', `${metadata}/b`)).status, 204);
  await refused(404, /^Invalid metadata key$/, 'DELETE', `${metadata}/b`);
  await refused(400, /^Request body and URI mismatch$/, 'PUT', `${metadata}/a`, { meta: { b: '2' } });
  await refused(400, /no metadata/, 'POST', metadata, { metadata: { visibility: 'public' } });
  await refused(404, /./, 'GET', metadata, undefined, '2.39');
  await refused(404, /^Image not found\.$/, 'GET', `/images/${image.id}`, undefined, '2.1', other);
  const { images: public_ } = await ok('GET', '/images?name=cirros');
  await refused(403, /^You are not allowed to delete the image\.$/, 'DELETE', `/images/${public_[0].id}`);
  await refused(403, /Not authorized for image/, 'POST', `/images/${public_[0].id}/metadata`, { metadata: { a: '1' } });
  assert.equal((await nova('DELETE', `/images/${image.id}`)).status, 204);
  await refused(404, /^Image not found\.$/, 'GET', `/images/${image.id}`);
});

test('what upstream removed answers 410', async () => {
  for (const [method, path, body] of [
    ['GET', '/os-agents'],
    ['POST', '/os-cells', { cell: {} }],
    ['GET', '/os-cells/one/capacities'],
    ['GET', '/os-certificates/root'],
    ['GET', '/os-cloudpipe'],
    ['GET', '/os-fping'],
    ['POST', '/os-networks', { network: {} }],
    ['DELETE', '/os-tenant-networks/x'],
  ] as const) {
    await refused(410, /no longer available/, method, path, body);
    await refused(410, /no longer available/, method, path, body, '2.90');
  }
  await refused(404, /./, 'GET', '/os-networks/x', undefined, '2.36');
});
