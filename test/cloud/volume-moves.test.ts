import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, TestCloud } from '../support/cloud.ts';

// A volume that a server has goes to another disk: cinder asks by an event, nova's server copies, and both answer for one truth.
let cloud: TestCloud;
let serverId: string;
let volumeId: string;

const admin = async (method: string, path: string, body?: object): Promise<Answer['body']> => {
  const answer = await cloud.call(method, path, body, { headers: { 'openstack-api-version': path.startsWith('/volume') ? 'volume 3.70' : 'compute 2.89' } });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const volume = async (): Promise<Answer['body']> => (await admin('GET', `/volume/v3/volumes/${volumeId}`)).volume;
async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (const end = Date.now() + 60_000; ; await sleep(50)) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) assert.fail(JSON.stringify(value));
  }
}

before(async () => {
  cloud = await TestCloud.start({ hosts: 2 });
  const { server } = await admin('POST', '/compute/v2.1/servers', { server: { name: 's', imageRef: await anImage(), flavorRef: '1', networks: 'none' } });
  serverId = server.id;
  await until(
    async () => (await admin('GET', `/compute/v2.1/servers/${serverId}`)).server,
    (one) => one.status === 'ACTIVE',
  );
  volumeId = (await admin('POST', '/volume/v3/volumes', { volume: { size: 1 } })).volume.id;
  await until(volume, (one) => one.status === 'available');
  await admin('POST', `/compute/v2.1/servers/${serverId}/os-volume_attachments`, { volumeAttachment: { volumeId } });
  await until(volume, (one) => one.status === 'in-use');
});
after(() => cloud.stop());

async function anImage(): Promise<string> {
  const { images } = await admin('GET', '/image/v2/images');
  if (images.length > 0) return images[0].id;
  const { id } = await admin('POST', '/image/v2/images', { name: 'i', disk_format: 'raw', container_format: 'bare' });
  const { status } = await cloud.call('PUT', `/image/v2/images/${id}/file`, Buffer.alloc(4096), { headers: { 'content-type': 'application/octet-stream' } });
  assert.equal(status, 204);
  return id;
}

test('a volume grows under its server, and the action says so', async () => {
  await admin('POST', `/volume/v3/volumes/${volumeId}/action`, { 'os-extend': { new_size: 2 } });
  await until(volume, (one) => one.size === 2 && one.status === 'in-use');
  const [action] = await until(
    async () => (await admin('GET', `/compute/v2.1/servers/${serverId}/os-instance-actions`)).instanceActions,
    ([newest]) => newest.action === 'extend_volume',
  );
  const { instanceAction } = await admin('GET', `/compute/v2.1/servers/${serverId}/os-instance-actions/${action.request_id}`);
  assert.deepEqual(
    instanceAction.events.map((event: { event: string; result: string }) => [event.event, event.result]),
    [['compute_extend_volume', 'Success']],
  );
});

test('to another host, while its server runs', async () => {
  const from = (await volume())['os-vol-host-attr:host'] as string;
  const { pools } = await admin('GET', '/volume/v3/scheduler-stats/get_pools');
  const to = pools.map((pool: { name: string }) => pool.name).find((name: string) => name !== from);
  await admin('POST', `/volume/v3/volumes/${volumeId}/action`, { 'os-migrate_volume': { host: to } });
  const moved = await until(volume, (one) => one.migration_status === 'success' || one.migration_status === 'error');
  assert.deepEqual([moved.migration_status, moved.status, moved['os-vol-host-attr:host']], ['success', 'in-use', to]);
  const { instanceActions } = await admin('GET', `/compute/v2.1/servers/${serverId}/os-instance-actions`);
  assert.deepEqual([instanceActions[0].action, instanceActions[0].message], ['swap_volume', null]);
  const { volumeAttachments } = await admin('GET', `/compute/v2.1/servers/${serverId}/os-volume_attachments`);
  assert.deepEqual(
    volumeAttachments.map((one: { volumeId: string }) => one.volumeId),
    [volumeId],
  );
});

test('to an encrypted type, and the server starts anew with it', async () => {
  const { volume_type: type } = await admin('POST', '/volume/v3/types', { volume_type: { name: 'secret' } });
  const encryption = { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64', key_size: 256 };
  await admin('POST', `/volume/v3/types/${type.id}/encryption`, { encryption });
  await admin('POST', `/volume/v3/volumes/${volumeId}/action`, { 'os-retype': { new_type: 'secret', migration_policy: 'on-demand' } });
  const moved = await until(volume, (one) => one.status !== 'retyping');
  assert.deepEqual([moved.status, moved.volume_type, moved.encrypted], ['in-use', 'secret', true]);
  await admin('POST', `/compute/v2.1/servers/${serverId}/action`, { reboot: { type: 'HARD' } });
  await until(
    async () => (await admin('GET', `/compute/v2.1/servers/${serverId}`)).server,
    (one) => one.status === 'ACTIVE' && one['OS-EXT-STS:task_state'] === null,
  );
});

test('a server that is off cannot copy: the volume stays where it is, and is let go as always', async () => {
  await admin('POST', `/compute/v2.1/servers/${serverId}/action`, { 'os-stop': null });
  await until(
    async () => (await admin('GET', `/compute/v2.1/servers/${serverId}`)).server,
    (one) => one.status === 'SHUTOFF',
  );
  const before = await volume();
  await admin('POST', `/volume/v3/volumes/${volumeId}/action`, { 'os-retype': { new_type: '__DEFAULT__', migration_policy: 'on-demand' } });
  const now = await until(volume, (one) => one.status !== 'retyping');
  assert.deepEqual([now.status, now.volume_type, now.encryption_key_id], ['in-use', 'secret', before.encryption_key_id]);
  await admin('DELETE', `/compute/v2.1/servers/${serverId}/os-volume_attachments/${volumeId}`);
  await until(volume, (one) => one.status === 'available');
  await admin('DELETE', `/volume/v3/volumes/${volumeId}`);
});
