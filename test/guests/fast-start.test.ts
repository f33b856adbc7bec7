import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RealCloud, type RealServer } from '../support/real-cloud.ts';
import type { Relay } from '../support/relay.ts';

// Servers that start from a template, on a real host and a real network, as their users see them.
const PATIENCE_MS = 600_000;

let cloud: RealCloud;
let http: Relay;
let data = '';
let servers: readonly RealServer[] = [];

async function outcomes(id: string): Promise<readonly string[]> {
  const headers = { 'openstack-api-version': 'compute 2.84' };
  const { instanceActions } = (await http.call('GET', `/compute/v2.1/servers/${id}/os-instance-actions`, undefined, { headers })).body;
  const path = `/compute/v2.1/servers/${id}/os-instance-actions/${instanceActions.at(-1).request_id}`;
  const { instanceAction } = (await http.call('GET', path, undefined, { headers })).body;
  return (instanceAction.events as { event: string; result: string; details: string | null }[])
    .filter(({ event }) => event === 'compute_fast_start')
    .map(({ result, details }) => details ?? result);
}

const commandOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

before(async () => {
  cloud = await RealCloud.up('fast');
  ({ http, data } = cloud);
  await http.ok('POST', '/compute/v2.1/flavors', { flavor: { id: 'fast', name: 'fast', ram: 192, vcpus: 1, disk: 1 } });
  await http.ok('POST', '/compute/v2.1/flavors/fast/os-extra_specs', { extra_specs: { 'cairn:fast_start': 'true' } });
  // both at once: the one template is made for both
  servers = await Promise.all(['one', 'two'].map((label, i) => cloud.launch(label, { flavorRef: 'fast', config_drive: i === 1 })));
});
after(async () => await cloud?.remove());

test('servers that start from a template are reached at their own addresses, and share nothing that has to be their own', { timeout: 1_200_000 }, async () => {
  const seen = new Map<string, Set<string>>();
  for (const { id, name: label, fixedIp, floatingIp } of servers) {
    assert.deepEqual(await outcomes(id), ['Success', 'Success']);
    const said = await cloud.within(
      floatingIp,
      'hostname; cat /etc/machine-id; head -c 32 /dev/urandom | md5sum; cat /proc/sys/kernel/random/boot_id; sudo sh -c "md5sum /etc/dropbear/*_host_key" | sort | head -1; ip -4 -o addr show eth0; cat /run/cloud/instance-id',
    );
    const [hostname, machine, random, boot, hostKey, address, instance] = said.split('\n') as [string, string, string, string, string, string, string];
    assert.equal(hostname, label, said);
    assert.match(address, new RegExp(` ${fixedIp.replaceAll('.', '\\.')}/24 `));
    assert.equal(instance, id);
    for (const [key, value] of Object.entries({ machine, random, boot, hostKey })) {
      assert.match(value, /[0-9a-f]{32}|[0-9a-f-]{36}/, said);
      seen.set(key, (seen.get(key) ?? new Set()).add(value));
    }
  }
  for (const [key, values] of seen) assert.equal(values.size, 2, `${key} is the same in both`);
  assert.equal(readdirSync(join(data, 'host', 'templates')).length, 1);
});

test('a server that started from a template reboots as any other, and one that cannot start so boots', { timeout: 1_200_000 }, async () => {
  const [one] = servers as [RealServer, RealServer];
  await cloud.within(one.floatingIp, 'echo kept > /home/cirros/kept; sync');
  await http.ok('POST', `/compute/v2.1/servers/${one.id}/action`, { reboot: { type: 'HARD' } });
  await cloud.until(one.id, 'ACTIVE');
  assert.equal(await cloud.within(one.floatingIp, 'cat /home/cirros/kept; hostname'), 'kept\none');

  const { volume } = await http.ok('POST', '/volume/v3/volumes', { volume: { name: 'root', size: 1, imageRef: cloud.imageId } });
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(200)) {
    if ((await http.ok('GET', `/volume/v3/volumes/${volume.id}`)).volume.status === 'available') break;
    assert.ok(Date.now() < end, 'the volume is not there');
  }
  const { server } = await http.ok('POST', '/compute/v2.1/servers', {
    server: {
      name: 'of-a-volume',
      flavorRef: 'fast',
      networks: [{ uuid: cloud.networkId }],
      block_device_mapping_v2: [{ boot_index: 0, uuid: volume.id, source_type: 'volume', destination_type: 'volume' }],
    },
  });
  await cloud.until(server.id, 'ACTIVE');
  assert.deepEqual(await outcomes(server.id), ['a server that boots from a volume is not started from a template']);
});

test('nothing is left of templates when the cloud is gone', { timeout: 600_000 }, async () => {
  await cloud.cairn(['down', '--destroy']);
  assert.equal(existsSync(data), false);
  const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && commandOf(pid).includes(data));
  assert.deepEqual(left.map(commandOf), []);
});
