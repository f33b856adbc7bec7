import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '@cairn/kit/testing/free-port';
import { systemClock } from '@cairn/kit/clock/clock';
import { writeIso } from '../disks/iso9660.ts';
import { writeEmptyQcow2 } from '../disks/qcow2-file.ts';
import { Qmp } from '../hypervisor/qmp.ts';
import { inspectFile } from '../inspector/inspector.ts';
import { judge } from '../inspector/judge.ts';
import { run } from '../process/run.ts';
import { Console } from './boot.fixture.ts';
import { type GuestImage, buildGuestImage } from './build.ts';

const has = (command: string): Promise<boolean> =>
  run('sh', ['-c', 'command -v "$1"', 'sh', command]).then(
    () => true,
    () => false,
  );
const missing: string[] = [];
for (const tool of ['qemu-system-x86_64', 'qemu-img', 'mke2fs', 'mcopy', 'mkfs.vfat', 'lz4', 'depmod', 'ssh', 'ssh-keygen'])
  if (!(await has(tool))) missing.push(tool);
const skip = missing.length > 0 ? `not installed: ${missing.join(', ')}` : false;

let dir = '';
let image: GuestImage;
before(async () => {
  if (skip) return;
  dir = await mkdtemp(join(tmpdir(), 'cairn-guest-'));
  image = await buildGuestImage({ outDir: join(dir, 'image') });
});
after(() => rm(dir, { recursive: true, force: true }));

const overlay = async (name: string): Promise<string> => {
  const path = join(dir, name);
  await writeFile(path, '');
  await writeEmptyQcow2(path, 2 ** 30, { path: image.path, format: 'qcow2' });
  return `if=virtio,format=qcow2,backing.driver=qcow2,backing.file.filename=${image.path},file=${path}`;
};
const metaData = (name: string, key: string): string =>
  JSON.stringify({
    uuid: 'd8e02d56-2648-49a3-bf97-6be8f1204f38',
    availability_zone: 'nova',
    hostname: `${name}.novalocal`,
    launch_index: 0,
    meta: { role: 'test' },
    public_keys: { mykey: `${key}\n` },
    keys: [{ name: 'mykey', type: 'ssh', data: `${key}\n` }],
    name,
  });

test('the image is found again, is sound, and is the same for the same packages', { skip }, async () => {
  assert.equal(image.cached, false);
  assert.deepEqual(await buildGuestImage({ outDir: join(dir, 'image') }), { ...image, cached: true });
  const verdict = judge('qcow2', await inspectFile(image.path));
  assert.ok(verdict.ok && verdict.virtualSizeBytes === image.virtualSizeBytes);
  assert.equal((await stat(image.kernel.path)).size, image.kernel.sizeBytes);
  // A file that was cut is not taken for the image.
  const other = join(dir, 'cut');
  const first = await buildGuestImage({ outDir: other });
  await writeFile(first.path, (await readFile(first.path)).subarray(0, 1000));
  assert.equal((await buildGuestImage({ outDir: other })).cached, false);
});

test('a guest with a config drive and no network takes its name, keys and user data from it', { skip, timeout: 180_000 }, async () => {
  const userData = '#!/bin/sh\necho "user data ran as $(id -un) on $(hostname)"\n';
  const drive = join(dir, 'config.iso');
  await writeFile(
    drive,
    writeIso(
      'config-2',
      new Map([
        ['openstack/latest/meta_data.json', Buffer.from(metaData('drive-1', 'ssh-ed25519 AAAAdrive me@here'))],
        ['openstack/latest/user_data', Buffer.from(userData)],
      ]),
    ),
  );
  const blank = join(dir, 'blank.raw');
  await writeFile(blank, Buffer.alloc(32 * 2 ** 20));
  const qmp = join(dir, 'drive.qmp');
  const guest = new Console([
    '-drive',
    await overlay('drive.qcow2'),
    '-drive',
    `if=virtio,format=raw,readonly=on,file=${drive}`,
    '-drive',
    `if=virtio,format=raw,file=${blank}`,
    '-qmp',
    `unix:${qmp},server=on,wait=off`,
    '-kernel',
    image.kernel.path,
    '-initrd',
    image.ramdisk.path,
    '-append',
    image.commandLine,
  ]);
  try {
    await guest.expect(/=== drive-1: instance d8e02d56-2648-49a3-bf97-6be8f1204f38, data from: config drive/);
    await guest.expect(/user data ran as root on drive-1/);
    guest.send('\n');
    await guest.login();
    assert.equal(await guest.run('hostname'), 'drive-1');
    assert.equal(await guest.run('cat .ssh/authorized_keys'), 'ssh-ed25519 AAAAdrive me@here');
    assert.equal(await guest.run('stat -c "%a %U" .ssh/authorized_keys'), '600 cirros');
    assert.equal(await guest.run('sudo id -u'), '0');
    await assert.rejects(guest.run('cat /etc/shadow'));
    // The root has the whole disk, a little later.
    await guest.run(`until [ "$(df -m / | awk 'END { print $2 }')" -gt 950 ]; do sleep 1; done`, 40);
    assert.match(await guest.run('cat /proc/partitions'), /\bvdc\b/);
    await guest.run(
      'sudo mkfs.ext4 -q /dev/vdc && sudo mkdir -p /mnt/v && sudo mount /dev/vdc /mnt/v && echo kept | sudo tee /mnt/v/f && sync && sudo umount /mnt/v',
    );
    assert.match(await guest.run('lsblk'), /vdc\s.*32M/);
    assert.match(await guest.run('ping -c 1 127.0.0.1'), /1 packets received/);
    await guest.run('mkdir -p /tmp/w && echo served > /tmp/w/f && busybox httpd -p 127.0.0.1:8080 -h /tmp/w');
    assert.equal(await guest.run('wget -qO- http://localhost:8080/f'), 'served');
    assert.equal(await guest.run('curl -s -o /dev/null -w "%{http_code}" http://127.0.0.1:8080/none'), '404');
    assert.equal(await guest.run('curl -sf http://localhost:8080/f'), 'served');
    await assert.rejects(guest.run('wget -q -O /dev/null http://127.0.0.1:8080/none'));
    await guest.run('cd /tmp && wget -q http://127.0.0.1:8080/f && cmp f w/f');
    // The power button, soon.
    const monitor = await Qmp.connect(qmp, { clock: systemClock });
    await monitor.execute('system_powerdown');
    await guest.ended(15);
  } finally {
    guest.kill();
  }
});

/**
 * A network that exists only between QEMU and this test: `restrict=on` lets nothing out; 169.254.169.254:80 is answered by a program; one
 * port of the loopback leads to the guest's ssh. The program stumbles as a busy cloud does: its first request gets no answer, the second a 503,
 * and the four after the third, which brings the keys, none either.
 */
async function network(name: string, answers: Readonly<Record<string, string>>): Promise<{ readonly args: readonly string[]; readonly sshPort: number }> {
  const port = await freePort();
  const cases = await Promise.all(
    Object.entries(answers).map(async ([path, body], i) => {
      const file = join(dir, `${name}.answer-${i}`);
      await writeFile(file, `HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      return `  *" ${path} "*) cat ${file} ;;\n`;
    }),
  );
  const program = join(dir, `${name}.server`);
  const count = join(dir, `${name}.requests`);
  const stumble = `case $(wc -l < ${count}) in\n  1|[4-7]) exit ;;\n  2) printf 'HTTP/1.0 503 Busy\\r\\nContent-Length: 0\\r\\n\\r\\n'; exit ;;\nesac`;
  await writeFile(
    program,
    `#!/bin/sh\necho >> ${count}\nread -r request\nwhile read -r line && [ "$line" != "$(printf '\\r')" ]; do :; done\n${stumble}\ncase "$request" in\n${cases.join('')}  *) printf 'HTTP/1.0 404 Not Found\\r\\nContent-Length: 0\\r\\n\\r\\n' ;;\nesac\n`,
    { mode: 0o755 },
  );
  const net = 'net=169.254.169.0/24,host=169.254.169.1,dhcpstart=169.254.169.15';
  const netdev = `user,id=n0,restrict=on,${net},guestfwd=tcp:169.254.169.254:80-cmd:${program},hostfwd=tcp:127.0.0.1:${port}-:22`;
  return { args: ['-netdev', netdev, '-device', 'virtio-net-pci,netdev=n0,romfile='], sshPort: port };
}

test('a guest with a network gets its address, and metadata from a service that stumbles; lets the key in; disks and cards may come later', {
  skip,
  timeout: 240_000,
}, async () => {
  const key = join(dir, 'key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const publicKey = (await readFile(`${key}.pub`, 'utf8')).trim();
  const { args, sshPort } = await network('net', {
    '/openstack/latest/meta_data.json': metaData('net-1', publicKey),
    '/openstack/latest/user_data': '#!/bin/sh\necho "user data of $(hostname)" > /run/marker\n',
  });
  const qmp = join(dir, 'net.qmp');
  const ports = [0, 1, 2].flatMap((i) => ['-device', `pcie-root-port,id=rp${i},chassis=${i + 1},slot=${i + 1}`]);
  const guest = new Console([
    '-drive',
    (await overlay('net.qcow2')).replace('if=virtio', 'if=none,id=root'),
    '-device',
    'virtio-blk-pci,drive=root,bootindex=0',
    ...args,
    ...ports,
    '-qmp',
    `unix:${qmp},server=on,wait=off`,
  ]);
  const ssh = async (command: string): Promise<string> => {
    const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ConnectTimeout=10', 'BatchMode=yes'].flatMap((o) => [
      '-o',
      o,
    ]);
    return (await run('ssh', ['-n', '-i', key, '-p', String(sshPort), ...options, 'cirros@127.0.0.1', command], { timeoutMs: 30_000 })).stdout.trim();
  };
  try {
    await guest.expect(/login: /);
    // as soon as the key is let in, though the user data is still waited for
    let name: string | undefined;
    while (name === undefined) name = await ssh('hostname').catch(() => undefined);
    assert.equal(name, 'net-1');
    await guest.expect(/data from: metadata service/);
    assert.match(await ssh('ip -4 addr show eth0'), /169\.254\.169\.15\/24/);
    assert.match(await ssh('wget -qO- http://169.254.169.254/openstack/latest/meta_data.json'), /"role":"test"/);
    assert.equal(await ssh('cat /run/marker'), 'user data of net-1');
    const monitor = await Qmp.connect(qmp, { clock: systemClock });
    const disk = join(dir, 'plugged.raw');
    await writeFile(disk, Buffer.alloc(16 * 2 ** 20));
    await monitor.execute('blockdev-add', { driver: 'raw', 'node-name': 'd1', file: { driver: 'file', filename: disk } });
    await monitor.execute('device_add', { driver: 'virtio-blk-pci', drive: 'd1', id: 'disk1', bus: 'rp0', serial: 'volume-1' });
    await monitor.execute('netdev_add', { type: 'user', id: 'n1', restrict: true, net: '10.9.9.0/24' });
    await monitor.execute('device_add', { driver: 'virtio-net-pci', netdev: 'n1', id: 'nic1', bus: 'rp1', romfile: '' });
    const until = async (command: string, wanted: RegExp): Promise<void> => {
      for (let i = 0; ; i++) {
        const said = await ssh(command);
        if (wanted.test(said)) return;
        if (i > 60) assert.fail(`${command} says ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    };
    // A controller whose driver is a module that nobody loaded.
    await monitor.execute('blockdev-add', { driver: 'null-co', 'node-name': 'd2', size: 2 ** 20, 'read-zeroes': true });
    await monitor.execute('device_add', { driver: 'virtio-scsi-pci', id: 'scsi1', bus: 'rp2' });
    await monitor.execute('device_add', { driver: 'scsi-hd', drive: 'd2', bus: 'scsi1.0' });
    await until('cat /proc/partitions', /\bsda\b/);
    await until('cat /proc/partitions', /\bvdb\b/);
    await until('ip -4 addr show eth1', /10\.9\.9\.15\/24/);
    assert.equal(await ssh('cat /sys/block/vdb/serial'), 'volume-1');
    // After a reset it is the same machine, and user data does not run again.
    await ssh('sudo rm /run/marker; sync');
    await monitor.execute('system_reset');
    await guest.expect(/=== net-1: instance d8e02d56-\S+ data from: metadata service/);
    assert.equal(await ssh('hostname; test -e /run/marker || echo none'), 'net-1\nnone');
    monitor.close();
  } finally {
    guest.kill();
  }
});
