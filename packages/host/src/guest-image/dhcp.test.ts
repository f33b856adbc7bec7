import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../process/run.ts';
import { ROOTFS_FILES } from './rootfs.ts';

const can = await run('unshare', ['--net', '--mount', 'busybox', 'true']).then(
  () => true,
  () => false,
);

/** Runs the guest's DHCP script by busybox, in namespaces of its own, on two cards; gives what it did. */
async function lease(
  ...cards: readonly (readonly [card: string, values: Readonly<Record<string, string>>])[]
): Promise<{ routes: string; links: string; resolv: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-dhcp-'));
  try {
    const script = join(ROOTFS_FILES, 'usr/share/udhcpc/default.script');
    await writeFile(join(dir, 'resolv.conf'), '');
    await writeFile(join(dir, 'console'), '');
    const bound = cards.map(
      ([card, values]) =>
        `env interface=${card} ${Object.entries(values)
          .map(([k, v]) => `'${k}=${v}'`)
          .join(' ')} busybox sh ${script} bound`,
    );
    const setUp = [
      'set -e',
      'mount --make-rprivate /',
      'mount -t tmpfs tmpfs /run',
      `mount --bind ${dir}/console /dev/console`,
      `touch /run/resolv.conf; [ -e /etc/resolv.conf ] && mount --bind ${dir}/resolv.conf "$(readlink -f /etc/resolv.conf)"`,
      'for card in eth0 eth1; do ip link add $card type veth peer name p$card; ip link set p$card up; ip link set $card up; done',
    ];
    await writeFile(join(dir, 'go'), [...setUp, ...bound, 'ip route', 'echo @@', 'ip link', 'echo @@', 'cat /etc/resolv.conf'].join('\n'));
    const { stdout } = await run('unshare', ['--net', '--mount', 'sh', join(dir, 'go')]);
    const [routes = '', links = '', resolv = ''] = stdout.split('@@\n');
    return { routes, links, resolv };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

test('a lease gives address, default route, MTU and name servers', { skip: !can && 'needs root and busybox' }, async () => {
  const { routes, links, resolv } = await lease([
    'eth0',
    { ip: '10.0.0.5', mask: '24', router: '10.0.0.1', mtu: '1442', dns: '9.9.9.9 8.8.8.8', domain: 'novalocal' },
  ]);
  assert.match(routes, /default via 10\.0\.0\.1 dev eth0/);
  assert.match(routes, /10\.0\.0\.0\/24 dev eth0 .*src 10\.0\.0\.5/);
  assert.match(links, /eth0@\S+: .* mtu 1442 /);
  assert.equal(resolv, 'search novalocal\nnameserver 9.9.9.9\nnameserver 8.8.8.8\n');
});

test('with option 121 its routes count and the router does not', { skip: !can && 'needs root and busybox' }, async () => {
  const { routes } = await lease([
    'eth0',
    { ip: '10.0.0.5', mask: '24', router: '10.0.0.99', staticroutes: '169.254.169.254/32 10.0.0.2 10.5.0.0/16 10.0.0.3 0.0.0.0/0 10.0.0.1' },
  ]);
  assert.match(routes, /169\.254\.169\.254 via 10\.0\.0\.2 dev eth0/);
  assert.match(routes, /10\.5\.0\.0\/16 via 10\.0\.0\.3 dev eth0/);
  assert.match(routes, /default via 10\.0\.0\.1 dev eth0/);
  assert.doesNotMatch(routes, /10\.0\.0\.99/);
});

test("the first card's default route goes before the second's", { skip: !can && 'needs root and busybox' }, async () => {
  const { routes } = await lease(['eth1', { ip: '10.1.0.5', mask: '24', router: '10.1.0.1' }], ['eth0', { ip: '10.0.0.5', mask: '24', router: '10.0.0.1' }]);
  assert.match(routes, /default via 10\.0\.0\.1 dev eth0 *\n/);
  assert.match(routes, /default via 10\.1\.0\.1 dev eth1 metric 101/);
});
