import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../process/run.ts';
import { type ConntrackHelperSpec, FabricFlaws, tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, insideNetwork, insideRouter, macOf, port, publicNetwork, put, rule } from './testing/objects.ts';

const TFTP: ConntrackHelperSpec = { id: 'h-tftp', helper: 'tftp', protocol: 'udp', port: 69 };
const routed = (conntrackHelpers: readonly ConntrackHelperSpec[]) =>
  insideRouter('r-helper', {
    conntrackHelpers,
  });

/** Why TFTP cannot be tried here: kernels are built without its helper. */
async function cannotHelp(): Promise<string | false> {
  if (cannotRun) return cannotRun;
  const script = 'table ip t {\n ct helper h {\n type "tftp" protocol udp; l3proto ip;\n }\n}\n';
  const { code } = await run('unshare', ['-n', 'nft', '-c', '-f', '-'], { input: script, okCodes: [1] });
  return code === 0 ? false : 'this kernel has no helper for TFTP (CONFIG_NF_CONNTRACK_TFTP)';
}

describe('conntrack helpers, with packets', { skip: await cannotHelp() }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let guest: Guest;

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([
      put(publicNetwork),
      put(insideNetwork),
      put(group('open', [...egressAll, rule('ingress')])),
      put(port('1-guest', 'in-net', 1, [['in-sub', '10.8.0.11']], { securityGroups: ['open'] })),
      put(routed([])),
    ]);
    guest = await machine.guest(fabric, { tap: tapName('1-guest'), mac: macOf(1), cidr: '10.8.0.11/24', gateway: '10.8.0.1' });
    const dir = join(machine.runDir, 'tftp');
    await mkdir(dir);
    await writeFile(join(dir, 'greeting'), 'hello from outside\n');
    await chmod(join(dir, 'greeting'), 0o644);
    // dnsmasq answers from a port of its own, as TFTP has it
    machine.outsideSpawn(
      'dnsmasq',
      '--keep-in-foreground',
      '--port=0',
      '--conf-file=/dev/null',
      '--enable-tftp',
      `--tftp-root=${dir}`,
      '--user=root',
      '--pid-file=',
      '--log-facility=-',
    );
    await until(async () => (await machine.outside('ss', '-lun')).stdout.includes(':69'));
  });
  after(async () => await machine?.destroy());

  const fetch = async (): Promise<string> => (await guest.run('timeout', '6', 'busybox', 'tftp', '-g', '-r', 'greeting', '-l', '-', '172.24.4.1')).stdout;

  test('a transfer whose answer comes from another port passes source NAT with the helper, and not without', async () => {
    assert.doesNotMatch(await fetch(), /hello/);
    await fabric.patch([put(routed([TFTP]))]);
    assert.match(await fetch(), /hello from outside/);
    await fabric.patch([put(routed([{ ...TFTP, port: 6969 }]))]);
    assert.doesNotMatch(await fetch(), /hello/);
  });

  test('a helper that the kernel lacks is a flaw, and all else of the router works', async () => {
    const lacking: ConntrackHelperSpec = { id: 'h-none', helper: 'nosuch', protocol: 'tcp', port: 1720 };
    await assert.rejects(
      () => fabric.patch([put(routed([TFTP, lacking]))]),
      (error: unknown) =>
        error instanceof FabricFlaws && error.flaws.length === 1 && error.flaws[0]?.isPartial === true && /nosuch of tcp/.test(error.flaws[0].message),
    );
    assert.match(await fetch(), /hello from outside/);
  });

  test('a repeated apply, and a restart, find all that the kernel has as it is to be', async () => {
    const all = ['ftp tcp', 'irc tcp', 'netbios-ns udp', 'pptp tcp', 'sane tcp', 'sip udp', 'sip tcp', 'snmp udp', 'tftp udp'].map((text, i) => {
      const [helper = '', protocol] = text.split(' ');
      return { id: `h-${i}`, helper, protocol: protocol === 'tcp' ? 'tcp' : 'udp', port: 1000 + i } as const;
    });
    const objects = [
      publicNetwork,
      insideNetwork,
      group('open', [...egressAll, rule('ingress')]),
      port('1-guest', 'in-net', 1, [['in-sub', '10.8.0.11']], { securityGroups: ['open'] }),
      routed(all),
    ];
    const apply = (one: KernelFabric): Promise<unknown> => one.apply(objects).catch((error: unknown) => assert.ok(error instanceof FabricFlaws));
    await apply(fabric);
    const { changes } = fabric;
    await apply(fabric);
    assert.equal(fabric.changes, changes);
    await fabric.stop();
    fabric = machine.fabric();
    await apply(fabric);
    assert.equal(fabric.changes, 0);
  });
});
