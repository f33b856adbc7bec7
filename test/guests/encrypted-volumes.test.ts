import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RealCloud, type RealServer } from '../support/real-cloud.ts';
import type { Relay } from '../support/relay.ts';

// A volume of an encrypted type in real guests: what one writes, another reads, and nobody reads it on the disk.
const LIMIT_MS = 120_000;
const CANARY = 'nobody-reads-this-on-the-disk';

let cloud: RealCloud;
let http: Relay;
let one: RealServer;
let two: RealServer;
let volumeId: string;

const within = (server: RealServer, command: string): Promise<string> => cloud.within(server.floatingIp, command, LIMIT_MS);
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
const attach = async (server: RealServer): Promise<void> => {
  await http.ok('POST', `/compute/v2.1/servers/${server.id}/os-volume_attachments`, { volumeAttachment: { volumeId } });
  await until(volume, (facts) => facts['status'] === 'in-use');
};
/** True when the text stands in a file of a volume. */
const isOnDisk = (text: string): boolean => {
  const volumes = join(cloud.data, 'host', 'disks', 'volumes');
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
  cloud = await RealCloud.up('luks');
  ({ http } = cloud);
  [one, two] = await Promise.all([cloud.launch('one'), cloud.launch('two')]);
  const { volume_type: type } = await http.ok('POST', '/volume/v3/types', { volume_type: { name: 'secret' } });
  const encryption = { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64', key_size: 512 };
  await http.ok('POST', `/volume/v3/types/${type.id}/encryption`, { encryption });
  volumeId = (await http.ok('POST', '/volume/v3/volumes', { volume: { size: 1, volume_type: 'secret' } })).volume.id;
  await until(volume, (facts) => facts['status'] === 'available');
});
after(async () => await cloud?.remove());

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
