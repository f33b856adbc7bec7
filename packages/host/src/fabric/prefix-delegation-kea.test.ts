import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../process/run.ts';
import { cannotRun, Machine, until } from './testing/machine.ts';
import { macOf, network, put, router, subnet } from './testing/objects.ts';

const SUBNET = '0b2a8a5e-7d0c-4f2b-9d3e-0000000000cc';
const LONG_MS = 60_000;
const hasKea = spawnSync('kea-dhcp6', ['-v'], { stdio: 'ignore' }).error === undefined;
const skip = cannotRun || (hasKea ? false : 'needs the package kea-dhcp6-server: a server that others wrote');

test('a server that others wrote delegates, renews, confirms after a restart and takes back', { skip }, async () => {
  const machine = await Machine.create();
  try {
    const objects = (prefix?: string) => [
      network('p-net', [subnet('p-sub', '2001:db8:1::/64')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } }),
      router('r-kea', {
        gateway: { networkId: 'p-net', mac: macOf(30), addresses: [{ ip: '2001:db8:1::10', prefixLength: 64, nexthop: '2001:db8:1::1' }], snat: true },
        prefixDelegation: [{ subnetId: SUBNET, ...(prefix !== undefined && { prefix }) }],
      }),
    ];
    let fabric = machine.fabric();
    await fabric.patch([...objects().slice(0, 1), router('r-kea', {})].map(put));
    await run('ip', ['-n', machine.outer, 'addr', 'replace', 'fe80::1/64', 'dev', 'pub0', 'nodad']);
    const config = join(machine.runDir, 'kea.json');
    await writeFile(
      config,
      JSON.stringify({
        Dhcp6: {
          'interfaces-config': { interfaces: ['pub0'] },
          'server-id': { type: 'EN', persist: false },
          'lease-database': { type: 'memfile', persist: false },
          'renew-timer': 2,
          'rebind-timer': 400,
          'preferred-lifetime': 500,
          'valid-lifetime': 600,
          subnet6: [
            {
              id: 1,
              subnet: '2001:db8:1::/64',
              interface: 'pub0',
              'pd-pools': [{ prefix: '2001:db8:2222::', 'prefix-len': 48, 'delegated-len': 64 }],
            },
          ],
          loggers: [{ name: 'kea-dhcp6', severity: 'DEBUG', debuglevel: 50, output_options: [{ output: 'stdout' }] }],
        },
      }),
    );
    const dirs = [`KEA_PIDFILE_DIR=${machine.runDir}`, 'KEA_LOCKFILE_DIR=none'];
    const kea = machine.outsideSpawn('env', ...dirs, 'kea-dhcp6', '-c', config);
    assert.ok(await kea.says(/DHCP6_STARTED/, LONG_MS), kea.output.slice(-3000));
    const leases = () => machine.events.flatMap((event) => (event.kind === 'prefix' && event.lease ? [event.lease] : []));

    await fabric.patch(objects().map(put));
    await until(async () => leases().length > 0, LONG_MS);
    const { prefix } = leases()[0] ?? { prefix: '' };
    assert.match(prefix, /^2001:db8:2222:[0-9a-f:]*:\/64$/);
    await until(async () => leases().length > 2, LONG_MS);
    assert.match(kea.output, /DHCPV6_RENEW|RENEW/);
    assert.deepEqual(new Set(leases().map((lease) => lease.prefix)), new Set([prefix]));

    await fabric.stop();
    machine.events.length = 0;
    fabric = machine.fabric();
    await fabric.apply(objects(prefix));
    await run('ip', ['-n', machine.outer, 'addr', 'replace', 'fe80::1/64', 'dev', 'pub0', 'nodad']);
    await until(async () => leases().length > 0, LONG_MS);
    assert.equal(leases()[0]?.prefix, prefix);
    assert.match(kea.output, /REBIND/);

    await fabric.patch([{ op: 'remove', kind: 'router', id: 'r-kea', isGone: true }]);
    assert.ok(await kea.says(/DHCP6_RELEASE_PD[^\n]*2001:db8:2222/, LONG_MS), kea.output.slice(-3000));
  } finally {
    await machine.destroy();
  }
});
