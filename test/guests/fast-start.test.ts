import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestNamespace } from '../support/netns.ts';
import { Relay } from '../support/relay.ts';

// Servers that start from a template, on a real host and a real network, as their users see them.
const main = join(import.meta.dirname, '..', '..', 'packages', 'cairn', 'src', 'main.ts');
const name = `cairnfast${process.pid}`;
// guests run as users of their own, who must be able to reach their disks
const data = mkdtempSync('/var/tmp/cairn-fast-');
chmodSync(data, 0o711);
const keys = mkdtempSync('/var/tmp/cairn-fast-key-');
const PATIENCE_MS = 600_000;

interface Server {
  readonly id: string;
  readonly name: string;
  readonly fixedIp: string;
  readonly floatingIp: string;
}
let namespace: TestNamespace;
let http: Relay;
let servers: Server[] = [];
let networkId = '';
let image = '';

const cairn = async (args: readonly string[]): Promise<void> => {
  const { code, output } = await namespace.run(process.execPath, [main, ...args, '--data', data], { timeoutMs: 900_000 });
  assert.equal(code, 0, output);
};

/** Runs a command in a guest as soon as it lets us in. */
async function within(address: string, command: string): Promise<string> {
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes', 'ConnectTimeout=10'];
  const argv = ['-n', '-i', join(keys, 'key'), ...options.flatMap((option) => ['-o', option]), `cirros@${address}`, command];
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(500)) {
    try {
      return namespace.sync('ssh', argv, { timeoutMs: 60_000 }).trim();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

async function until(id: string, status: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(200)) {
    const { server } = await http.ok('GET', `/compute/v2.1/servers/${id}`);
    if (server.status === status && server['OS-EXT-STS:task_state'] === null) return;
    if (Date.now() > end || server.status === 'ERROR') assert.fail(`${id} is ${String(server.status)}, not ${status}: ${JSON.stringify(server.fault)}`);
  }
}

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
  namespace = new TestNamespace(name);
  await cairn(['up', '--yes']);
  http = new Relay(namespace, JSON.parse(readFileSync(join(data, 'run', 'cairn.json'), 'utf8')).url);
  await http.login(Object.fromEntries([...readFileSync(join(data, 'openrc'), 'utf8').matchAll(/^export (\w+)='(.*)'$/gm)].map((m) => [m[1], m[2]])));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, 'key')]);
  image = (await http.ok('GET', '/image/v2/images?name=cirros')).images[0].id;
  const publicId = (await http.ok('GET', '/network/v2.0/networks?router:external=true')).networks[0].id;
  await http.ok('POST', '/compute/v2.1/os-keypairs', { keypair: { name: 'k', public_key: readFileSync(join(keys, 'key.pub'), 'utf8').trim() } });
  await http.ok('POST', '/compute/v2.1/flavors', { flavor: { id: 'fast', name: 'fast', ram: 192, vcpus: 1, disk: 1 } });
  await http.ok('POST', '/compute/v2.1/flavors/fast/os-extra_specs', { extra_specs: { 'cairn:fast_start': 'true' } });
  networkId = (await http.ok('POST', '/network/v2.0/networks', { network: { name: 'n' } })).network.id;
  const { subnet } = await http.ok('POST', '/network/v2.0/subnets', { subnet: { network_id: networkId, ip_version: 4, cidr: '10.9.0.0/24' } });
  const { router } = await http.ok('POST', '/network/v2.0/routers', { router: { name: 'r', external_gateway_info: { network_id: publicId } } });
  await http.ok('PUT', `/network/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  const group = (await http.ok('GET', '/network/v2.0/security-groups?name=default')).security_groups[0].id;
  await http.ok('POST', '/network/v2.0/security-group-rules', {
    security_group_rule: { security_group_id: group, direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', port_range_min: 22, port_range_max: 22 },
  });
  // both at once: the one template is made for both
  servers = await Promise.all(
    ['one', 'two'].map(async (label, i): Promise<Server> => {
      const { server } = await http.ok('POST', '/compute/v2.1/servers', {
        server: { name: label, imageRef: image, flavorRef: 'fast', networks: [{ uuid: networkId }], key_name: 'k', config_drive: i === 1 },
      });
      await until(server.id, 'ACTIVE');
      const { ports } = await http.ok('GET', `/network/v2.0/ports?device_id=${server.id}`);
      const { floatingip } = await http.ok('POST', '/network/v2.0/floatingips', { floatingip: { floating_network_id: publicId, port_id: ports[0].id } });
      return { id: server.id, name: label, fixedIp: ports[0].fixed_ips[0].ip_address, floatingIp: floatingip.floating_ip_address };
    }),
  );
});
after(async () => {
  http?.close();
  if (existsSync(data)) await cairn(['down', '--destroy']);
  namespace.remove();
  for (const dir of [data, keys]) rmSync(dir, { recursive: true, force: true });
});

test('servers that start from a template are reached at their own addresses, and share nothing that has to be their own', { timeout: 1_200_000 }, async () => {
  const seen = new Map<string, Set<string>>();
  for (const { id, name: label, fixedIp, floatingIp } of servers) {
    assert.deepEqual(await outcomes(id), ['Success', 'Success']);
    const said = await within(
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
  const [one] = servers as [Server, Server];
  await within(one.floatingIp, 'echo kept > /home/cirros/kept; sync');
  await http.ok('POST', `/compute/v2.1/servers/${one.id}/action`, { reboot: { type: 'HARD' } });
  await until(one.id, 'ACTIVE');
  assert.equal(await within(one.floatingIp, 'cat /home/cirros/kept; hostname'), 'kept\none');

  const { volume } = await http.ok('POST', '/volume/v3/volumes', { volume: { name: 'root', size: 1, imageRef: image } });
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(200)) {
    if ((await http.ok('GET', `/volume/v3/volumes/${volume.id}`)).volume.status === 'available') break;
    assert.ok(Date.now() < end, 'the volume is not there');
  }
  const { server } = await http.ok('POST', '/compute/v2.1/servers', {
    server: {
      name: 'of-a-volume',
      flavorRef: 'fast',
      networks: [{ uuid: networkId }],
      block_device_mapping_v2: [{ boot_index: 0, uuid: volume.id, source_type: 'volume', destination_type: 'volume' }],
    },
  });
  await until(server.id, 'ACTIVE');
  assert.deepEqual(await outcomes(server.id), ['a server that boots from a volume is not started from a template']);
});

test('nothing is left of templates when the cloud is gone', { timeout: 600_000 }, async () => {
  await cairn(['down', '--destroy']);
  assert.equal(existsSync(data), false);
  const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid && commandOf(pid).includes(data));
  assert.deepEqual(left.map(commandOf), []);
});
