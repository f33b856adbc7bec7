import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestNamespace } from '../support/netns.ts';
import { Relay } from '../support/relay.ts';

// A volume of an encrypted type in real guests: what one writes, another reads, and nobody reads it on the disk.
const main = join(import.meta.dirname, '..', '..', 'packages', 'cairn', 'src', 'main.ts');
const name = `cairnluks${process.pid}`;
// guests run as users of their own, who must be able to reach their disks
const data = mkdtempSync('/var/tmp/cairn-luks-');
chmodSync(data, 0o711);
const keys = mkdtempSync('/var/tmp/cairn-luks-key-');
const LIMIT_MS = 120_000;
const CANARY = 'nobody-reads-this-on-the-disk';

interface Server {
  readonly id: string;
  readonly address: string;
}
let namespace: TestNamespace;
let http: Relay;
let one: Server;
let two: Server;
let volumeId: string;

const cairn = async (args: readonly string[]): Promise<void> => {
  const { code, output } = await namespace.run(process.execPath, [main, ...args, '--data', data], { timeoutMs: 600_000 });
  assert.equal(code, 0, output);
};
/** Runs a command in a guest as soon as it lets us in. */
async function within({ address }: Server, command: string): Promise<string> {
  const host = [
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'LogLevel=ERROR',
    '-o',
    'BatchMode=yes',
    '-o',
    'ConnectTimeout=5',
  ];
  for (const end = Date.now() + LIMIT_MS; ; await sleep(500)) {
    try {
      return namespace.sync('ssh', ['-n', '-i', join(keys, 'key'), ...host, `cirros@${address}`, command], { timeoutMs: 60_000 }).trim();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}
type Facts = Readonly<Record<string, unknown>>;
async function until(read: () => Promise<Facts>, holds: (facts: Facts) => boolean): Promise<Facts> {
  for (const end = Date.now() + LIMIT_MS; ; await sleep(200)) {
    const facts = await read();
    if (holds(facts)) return facts;
    if (Date.now() > end || String(facts['status']).toLowerCase().startsWith('error')) assert.fail(JSON.stringify(facts));
  }
}
const volume = async (): Promise<Facts> => (await http.ok('GET', `/volume/v3/volumes/${volumeId}`)).volume;
const act = async (body: object): Promise<void> => {
  const { status, body: answer } = await http.call('POST', `/volume/v3/volumes/${volumeId}/action`, body, {
    headers: { 'openstack-api-version': 'volume 3.60' },
  });
  assert.equal(status, 202, JSON.stringify(answer));
};
const attach = async (server: Server): Promise<void> => {
  await http.ok('POST', `/compute/v2.1/servers/${server.id}/os-volume_attachments`, { volumeAttachment: { volumeId } });
  await until(volume, (facts) => facts['status'] === 'in-use');
};
/** True when the text stands in a file of a volume. */
const isOnDisk = (text: string): boolean => {
  const volumes = join(data, 'host', 'disks', 'volumes');
  return readdirSync(volumes, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => {
      try {
        execFileSync('grep', ['-qaF', text, join(entry.parentPath, entry.name)]);
        return true;
      } catch {
        return false;
      }
    });
};

before(async () => {
  namespace = new TestNamespace(name);
  await cairn(['up', '--yes']);
  http = new Relay(namespace, JSON.parse(readFileSync(join(data, 'run', 'cairn.json'), 'utf8')).url);
  await http.login(Object.fromEntries([...readFileSync(join(data, 'openrc'), 'utf8').matchAll(/^export (\w+)='(.*)'$/gm)].map((m) => [m[1], m[2]])));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, 'key')]);
  const image = (await http.ok('GET', '/image/v2/images?name=cirros')).images[0].id;
  const publicId = (await http.ok('GET', '/network/v2.0/networks?router:external=true')).networks[0].id;
  await http.ok('POST', '/compute/v2.1/os-keypairs', { keypair: { name: 'k', public_key: readFileSync(join(keys, 'key.pub'), 'utf8').trim() } });
  const { network } = await http.ok('POST', '/network/v2.0/networks', { network: { name: 'n' } });
  const { subnet } = await http.ok('POST', '/network/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' } });
  const { router } = await http.ok('POST', '/network/v2.0/routers', { router: { name: 'r', external_gateway_info: { network_id: publicId } } });
  await http.ok('PUT', `/network/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
  const group = (await http.ok('GET', '/network/v2.0/security-groups?name=default')).security_groups[0].id;
  await http.ok('POST', '/network/v2.0/security-group-rules', {
    security_group_rule: { security_group_id: group, direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', port_range_min: 22, port_range_max: 22 },
  });
  const create = async (label: string): Promise<Server> => {
    const { server } = await http.ok('POST', '/compute/v2.1/servers', {
      server: { name: label, imageRef: image, flavorRef: '1', networks: [{ uuid: network.id }], key_name: 'k' },
    });
    await until(
      async () => (await http.ok('GET', `/compute/v2.1/servers/${server.id}`)).server,
      (facts) => facts['status'] === 'ACTIVE',
    );
    const { ports } = await http.ok('GET', `/network/v2.0/ports?device_id=${server.id}`);
    const { floatingip } = await http.ok('POST', '/network/v2.0/floatingips', { floatingip: { floating_network_id: publicId, port_id: ports[0].id } });
    return { id: server.id, address: floatingip.floating_ip_address };
  };
  [one, two] = await Promise.all([create('one'), create('two')]);
  const { volume_type: type } = await http.ok('POST', '/volume/v3/types', { volume_type: { name: 'secret' } });
  const encryption = { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64', key_size: 512 };
  await http.ok('POST', `/volume/v3/types/${type.id}/encryption`, { encryption });
  volumeId = (await http.ok('POST', '/volume/v3/volumes', { volume: { size: 1, volume_type: 'secret' } })).volume.id;
  await until(volume, (facts) => facts['status'] === 'available');
});
after(async () => {
  http?.close();
  if (existsSync(data)) await cairn(['down', '--destroy']);
  namespace.remove();
  for (const dir of [data, keys]) rmSync(dir, { recursive: true, force: true });
});

test('what a guest writes is not on the disk, and another guest reads it; it grows meanwhile', { timeout: 600_000 }, async () => {
  await attach(one);
  await within(one, `printf ${CANARY} | sudo dd of=/dev/vdb bs=1M seek=7 conv=notrunc,fsync 2>/dev/null`);
  assert.equal(await within(one, 'cat /sys/block/vdb/size'), String(2 ** 30 / 512));
  assert.equal(isOnDisk(CANARY), false);
  await act({ 'os-extend': { new_size: 2 } });
  await until(volume, (facts) => facts['size'] === 2 && facts['status'] === 'in-use');
  assert.equal(await within(one, 'cat /sys/block/vdb/size'), String(2 ** 31 / 512));

  await http.ok('DELETE', `/compute/v2.1/servers/${one.id}/os-volume_attachments/${volumeId}`);
  await until(volume, (facts) => facts['status'] === 'available');
  await attach(two);
  assert.equal(await within(two, `sudo dd if=/dev/vdb bs=1M skip=7 count=1 2>/dev/null | head -c ${CANARY.length}`), CANARY);
});

test('a retype decrypts it while the guest has it, and then it is on the disk', { timeout: 600_000 }, async () => {
  await act({ 'os-retype': { new_type: '__DEFAULT__', migration_policy: 'on-demand' } });
  const now = await until(volume, (facts) => facts['status'] === 'in-use');
  assert.deepEqual([now['volume_type'], now['encrypted']], ['__DEFAULT__', false]);
  const read = `sudo sh -c 'echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vdb bs=1M skip=7 count=1 2>/dev/null | head -c ${CANARY.length}'`;
  assert.equal(await within(two, read), CANARY);
  assert.equal(isOnDisk(CANARY), true);
});
