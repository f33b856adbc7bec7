import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { BackendSpec } from '@cairn/host/interface/backends';
import type { CloudConfig, CommonFlags } from '../config.ts';
import { backupsOf } from '../config-backups.ts';
import { storageOf } from '../config-storage.ts';
import { running } from '../daemon/process.ts';
import { HOST_PACKAGES, missingOf, present, storagePackages, versionOf } from '../install/packages.ts';
import { settingsOf } from './shared.ts';

/** One finding: `ok`, something that costs (`warn`), or something that stops a cloud (`bad`), with the fix in words. */
interface Finding {
  readonly level: 'ok' | 'warn' | 'bad';
  readonly what: string;
  readonly fix?: string;
}

type LvmSpec = Extract<BackendSpec, { readonly driver: 'lvm' }>;

/** `cairn doctor`: exit code 1 when something would stop `cairn up`. */
export async function doctor(flags: CommonFlags & { json?: boolean }): Promise<void> {
  const { config, paths } = settingsOf(flags);
  const real = config.hypervisor.type === 'qemu';
  const findings: Finding[] = [];
  const say = (level: Finding['level'], what: string, fix?: string): void => void findings.push({ level, what, ...(fix !== undefined && { fix }) });

  say('ok', `Node ${process.versions.node}, ${osName()}, ${process.arch}`);
  if (real) {
    if (process.getuid?.() === 0) say('ok', 'runs as root');
    else say('bad', 'real guests need root', 'run as root, or use --hypervisor simulated');
    const { specs } = storageOf(config.storage);
    const missing = missingOf([...HOST_PACKAGES, ...storagePackages(specs)]);
    if (missing.length === 0) say('ok', 'all system packages are there');
    else
      say(
        'bad',
        `missing packages: ${missing.map((p) => `${p.name} (${p.why})`).join(', ')}`,
        `./cairn up installs them, or: apt-get install ${missing.map((p) => p.name).join(' ')}`,
      );
    for (const [program, args] of [
      ['qemu-system-x86_64', ['--version']],
      ['nft', ['--version']],
      ['dnsmasq', ['--version']],
      ['ip', ['-V']],
    ] as const) {
      const version = present(program) ? versionOf(program, [...args]) : undefined;
      if (version) say('ok', version.replace(/ Copyright.*/, ''));
    }
    await kvm(say);
    if (existsSync('/dev/net/tun')) say('ok', '/dev/net/tun is there');
    else say('bad', '/dev/net/tun is missing: guests have no network', 'load the kernel module: modprobe tun');
    const bridged = existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables');
    if (bridged) say('ok', 'br_netfilter is there (security groups)');
    else say('warn', 'br_netfilter is not loaded yet: security groups need it', 'modprobe br_netfilter');
    if (existsSync('/sys/fs/cgroup')) say('ok', 'cgroups are there (limits per guest)');
    else say('warn', 'no cgroups: guests run without CPU and memory limits');
    for (const spec of specs) if (spec.driver === 'lvm') volumeGroup(spec, say);
  }
  await backupStorage(config, say);
  const memoryMb = Math.floor(totalmem() / 2 ** 20);
  if (memoryMb >= 3_500) say('ok', `${memoryMb} MB of memory`);
  else
    say(
      memoryMb >= 1_000 ? 'warn' : 'bad',
      `${memoryMb} MB of memory: little room for guests`,
      'a cloud needs 250 MB for itself and what its guests are given',
    );
  const space = freeGb(paths.data);
  if (space >= 10) say('ok', `${space.toFixed(0)} GB free for ${paths.data}`);
  else say(space >= 2 ? 'warn' : 'bad', `${space.toFixed(1)} GB free for ${paths.data}`, 'give --data a directory with more room');
  const there = running(paths);
  if (there) say('ok', `a cloud runs here: process ${there.pid}, ${there.url}`);
  else {
    for (const port of config.listen.classicPorts ? [config.listen.port, 5000, 8774, 8776, 8778, 9292, 9696] : [config.listen.port]) {
      const problem = await portProblem(config.listen.address, port);
      if (problem) say('bad', `port ${port} on ${config.listen.address}: ${problem}`, 'choose another with --listen');
      else say('ok', `port ${port} is free`);
    }
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  else
    for (const f of findings)
      process.stdout.write(`${{ ok: 'ok   ', warn: 'warn ', bad: 'BAD  ' }[f.level]} ${f.what}${f.fix ? `\n      fix: ${f.fix}` : ''}\n`);
  if (findings.some((f) => f.level === 'bad')) process.exitCode = 1;
}

/** Does the object storage of backups answer to what the configuration says of it? */
async function backupStorage(config: CloudConfig, say: (level: Finding['level'], what: string, fix?: string) => void): Promise<void> {
  const { backups } = config.storage;
  if (backups.driver === 'file') return;
  try {
    const options = backupsOf(backups, config.region);
    const { objectStorageProblem } = await import('@cairn/cinder/backups/objects/check');
    const { systemClock } = await import('@cairn/kit/clock/clock');
    const problem = await objectStorageProblem(options, systemClock, AbortSignal.timeout(30_000));
    if (problem === undefined) say('ok', `object storage of backups: ${backups.driver}`);
    else say('warn', `object storage of backups: ${problem}`, 'look at storage.backups (docs/storage.md); volumes work without it');
  } catch (error) {
    say('bad', (error as Error).message, 'correct the configuration (docs/storage.md)');
  }
}

/** Can a back end of LVM be used here: the kernel's part, and the group. */
function volumeGroup({ name, volumeGroup: group, provisioning }: LvmSpec, say: (level: Finding['level'], what: string, fix?: string) => void): void {
  const [target, module] = provisioning === 'thin' ? ['thin-pool', 'dm-thin-pool'] : ['snapshot-origin', 'dm-snapshot'];
  if (!readFileSync('/proc/misc', 'utf8').includes('device-mapper') && spawnSync('modprobe', ['--dry-run', 'dm-mod']).status !== 0) {
    say('bad', `storage back end ${name}: this kernel has no device-mapper`, 'load it (modprobe dm-mod), or use another kernel or driver');
    return;
  }
  const { stdout } = spawnSync('dmsetup', ['targets'], { encoding: 'utf8', timeout: 5_000 });
  if (!(stdout ?? '').includes(target) && spawnSync('modprobe', ['--dry-run', module]).status !== 0)
    say('bad', `storage back end ${name}: this kernel has no ${module}`, 'install the modules of the kernel, or use another kernel or driver');
  if (!present('lvm')) return;
  const { status } = spawnSync('lvm', ['vgs', group], { timeout: 30_000, stdio: 'ignore' });
  if (status === 0) say('ok', `storage back end ${name}: the volume group ${group} is there`);
  else say('bad', `storage back end ${name}: there is no volume group ${group}`, `vgcreate ${group} DEVICE ...`);
}

/** Is KVM really usable? Proved by a trial guest, not by /dev/kvm's existence. */
async function kvm(say: (level: Finding['level'], what: string, fix?: string) => void): Promise<void> {
  if (!existsSync('/dev/kvm')) {
    say(
      'warn',
      'no /dev/kvm: guests are emulated, about ten times slower',
      'enable virtualisation in the firmware (or nested virtualisation of this virtual machine) and load kvm_intel or kvm_amd',
    );
    return;
  }
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    say('warn', '/dev/kvm may not be opened by this user', 'join the group kvm, or run as root');
    return;
  }
  if (!present('qemu-system-x86_64')) return;
  const { kvmWorks } = await import('../cloud/hosts.ts');
  const result = await kvmWorks();
  if (result.works) say('ok', 'KVM works (a trial guest ran)');
  else
    say(
      'warn',
      `/dev/kvm is there but guests do not run with it (${result.reason}): they are emulated instead`,
      'this machine is itself virtual and its host does not offer nested virtualisation; another machine type may',
    );
}

function osName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}

function freeGb(path: string): number {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  const stats = statfsSync(at);
  return (stats.bavail * stats.bsize) / 2 ** 30;
}

function portProblem(address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'EADDRINUSE' ? 'another program listens there' : error.code === 'EADDRNOTAVAIL' ? 'this machine has no such address' : error.message,
      ),
    );
    server.listen(port, address, () => server.close(() => resolve(undefined)));
  });
}
