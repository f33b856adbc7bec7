import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A Debian/Ubuntu package and what Cairn needs it for. */
export interface NeededPackage {
  readonly name: string;
  readonly why: string;
  /** Programs whose presence shows that it is there, however they came; without them the package database is asked. */
  readonly provides?: readonly string[];
}

/** What a cloud with real guests needs on its host. */
export const HOST_PACKAGES: readonly NeededPackage[] = [
  { name: 'qemu-system-x86', why: 'runs the guests', provides: ['qemu-system-x86_64'] },
  { name: 'qemu-utils', why: 'makes and converts disks', provides: ['qemu-img'] },
  { name: 'iproute2', why: 'links, bridges and namespaces', provides: ['ip'] },
  { name: 'nftables', why: 'security groups, NAT and floating IPs', provides: ['nft'] },
  { name: 'conntrack', why: 'cuts connections that a removed rule had allowed', provides: ['conntrack'] },
  { name: 'dnsmasq-base', why: 'DHCP and DNS for tenant networks', provides: ['dnsmasq'] },
  { name: 'tcpdump', why: 'reads what logs of security groups tell of', provides: ['tcpdump'] },
  { name: 'iputils-arping', why: 'announces floating IPs', provides: ['arping'] },
  { name: 'procps', why: 'sets the kernel options of its own namespaces', provides: ['sysctl'] },
  { name: 'util-linux', why: 'enters namespaces and drops privileges', provides: ['nsenter', 'setpriv', 'prlimit'] },
];

/** What hosts need besides for their storage back ends. */
export function storagePackages(backends: readonly { readonly driver: string; readonly provisioning?: string }[]): readonly NeededPackage[] {
  const groups = backends.filter(({ driver }) => driver === 'lvm');
  if (groups.length === 0) return [];
  const lvm = { name: 'lvm2', why: 'volumes in volume groups', provides: ['lvm'] };
  const thin = { name: 'thin-provisioning-tools', why: 'checks thin pools before they are used', provides: ['thin_check'] };
  return groups.some(({ provisioning }) => provisioning === 'thin') ? [lvm, thin] : [lvm];
}

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** True where a program is on this machine; a path must exist itself. */
export const present = (program: string): boolean =>
  program.startsWith('/') ? existsSync(program) : FOLDERS.some((folder) => existsSync(`${folder}/${program}`));

/** Those of the packages that are not there. */
export function missingOf(packages: readonly NeededPackage[]): NeededPackage[] {
  const asked = packages.filter((p) => !p.provides).map((p) => p.name);
  const installed = new Set<string>();
  if (asked.length > 0) {
    const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...asked], { encoding: 'utf8' });
    for (const line of (stdout ?? '').split('\n')) if (line.endsWith(' installed')) installed.add(line.split(' ')[0] as string);
  }
  return packages.filter((p) => (p.provides ? !p.provides.every(present) : !installed.has(p.name)));
}

/** True where packages of this kind can be installed here by this user. */
export const canInstall = (): boolean => process.getuid?.() === 0 && present('apt-get');

/** Installs packages by apt-get, without recommends and without starting any daemon. Rejects with apt's own last words. */
export async function install(names: readonly string[], onLine: (line: string) => void): Promise<void> {
  await apt(['update', '-qq'], onLine).catch(() => onLine('the package lists could not be refreshed; going on with those that are there'));
  await apt(['install', '-y', '--no-install-recommends', ...names], onLine);
}

function apt(args: readonly string[], onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', ['-o', 'DPkg::Lock::Timeout=600', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let tail = '';
    const take = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-4_000);
      for (const match of chunk.toString().matchAll(/^(?:Setting up|Unpacking) (\S+)/gm)) onLine(match[1] as string);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`apt-get ${args[0]} failed:\n${tail.trim().split('\n').slice(-5).join('\n')}`))));
  });
}

/** First line of `program --version`, or undefined. */
export function versionOf(program: string, args: readonly string[] = ['--version']): string | undefined {
  const result = spawnSync(program, args, { timeout: 5_000, encoding: 'utf8' });
  return result.error || result.status !== 0 ? undefined : (result.stdout || result.stderr).split('\n')[0]?.trim();
}
