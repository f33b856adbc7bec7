import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@cairn/kit/testing/free-port';
import { run } from '../process/run.ts';

/** Why no Ceph can be run here; undefined when one can (apt-get install ceph-mon ceph-osd ceph-mgr ceph-common qemu-block-extra). */
export const noCeph: string | undefined = await (async () => {
  for (const program of ['ceph-mon', 'ceph-osd', 'ceph-mgr', 'rbd', 'qemu-img']) {
    try {
      await run(program, ['--version']);
    } catch {
      return `${program} is not installed`;
    }
  }
  const drivers = await run('qemu-img', ['--help']);
  return / rbd( |$)/m.test(drivers.stdout) ? undefined : "QEMU's rbd driver (qemu-block-extra) is not installed";
})();

export interface Ceph {
  readonly configFile: string;
  readonly pool: string;
  stop(): Promise<void>;
}

/** A whole Ceph on the loopback: one monitor, one manager, one OSD on a sparse file, and a pool without replicas. No systemd. */
export async function startCeph(): Promise<Ceph> {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-ceph-'));
  await chmod(dir, 0o711);
  const pool = 'volumes';
  const port = await freePort();
  const fsid = randomUUID();
  const configFile = join(dir, 'ceph.conf');
  const keyring = join(dir, 'keyring');
  await Promise.all(['mon', 'osd', 'mgr', 'run'].map((name) => mkdir(join(dir, name))));
  await writeFile(
    configFile,
    `[global]
fsid = ${fsid}
mon host = v2:127.0.0.1:${port}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${keyring}
run dir = ${join(dir, 'run')}
admin socket =
log file =
log to stderr = false
mon data avail crit = 1
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd objectstore = bluestore
bluestore block size = 8589934592
osd memory target = 939524096
`,
  );
  const key = (name: string, ...caps: readonly string[]): Promise<unknown> =>
    run('ceph-authtool', [
      keyring,
      '--gen-key',
      '-n',
      name,
      ...caps.flatMap((cap) => ['--cap', cap.slice(0, cap.indexOf(' ')), cap.slice(cap.indexOf(' ') + 1)]),
    ]);
  await run('ceph-authtool', ['--create-keyring', keyring]);
  await key('mon.', 'mon allow *');
  await key('client.admin', 'mon allow *', 'osd allow *', 'mgr allow *');
  await key('osd.0', 'mon allow profile osd', 'osd allow *', 'mgr allow profile osd');
  await key('mgr.x', 'mon allow profile mgr', 'osd allow *', 'mds allow *');
  const daemons: ChildProcess[] = [];
  const daemon = (program: string, ...args: readonly string[]): void => {
    const out = openSync(join(dir, `${program}.out`), 'a');
    daemons.push(spawn(program, ['-c', configFile, '-f', ...args], { stdio: ['ignore', out, out] }));
    closeSync(out);
  };
  const ceph = (args: readonly string[], input?: string): Promise<{ readonly stdout: string }> =>
    run('ceph', ['-c', configFile, '--connect-timeout', '120', ...args], { timeoutMs: 150_000, ...(input !== undefined && { input }) });
  const stop = async (): Promise<void> => {
    await Promise.all(
      daemons.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
      }),
    );
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const monmap = join(dir, 'monmap');
    await run('monmaptool', ['--create', '--addv', 'a', `[v2:127.0.0.1:${port}]`, '--fsid', fsid, monmap]);
    await run('ceph-mon', ['-c', configFile, '--mkfs', '-i', 'a', '--monmap', monmap, '--keyring', keyring, '--mon-data', join(dir, 'mon')]);
    daemon('ceph-mon', '-i', 'a', '--mon-data', join(dir, 'mon'));
    const secret = /\[osd\.0\]\s+key = (\S+)/.exec(readFileSync(keyring, 'utf8'))?.[1];
    const osd = randomUUID();
    await ceph(['osd', 'new', osd, '-i', '-'], JSON.stringify({ cephx_secret: secret }));
    await run('ceph-osd', ['-c', configFile, '-i', '0', '--osd-data', join(dir, 'osd'), '--osd-uuid', osd, '--mkfs'], { timeoutMs: 300_000 });
    daemon('ceph-osd', '-i', '0', '--osd-data', join(dir, 'osd'));
    daemon('ceph-mgr', '-i', 'x', '--mgr-data', join(dir, 'mgr'));
    await ceph(['osd', 'pool', 'create', pool, '8']);
    await ceph(['osd', 'pool', 'application', 'enable', pool, 'rbd']);
    await ready(async () => JSON.parse((await ceph(['osd', 'stat', '--format=json'])).stdout).num_up_osds === 1);
    // the manager tells how much room there is
    await ready(async () =>
      JSON.parse((await ceph(['df', '--format=json'])).stdout).pools.some(
        (one: { name: string; stats: { max_avail: number } }) => one.name === pool && one.stats.max_avail > 0,
      ),
    );
    return { configFile, pool, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function ready(is: () => Promise<boolean>): Promise<void> {
  for (let left = 600; left > 0; left--) {
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('Ceph did not become ready');
}
