import { readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import type { ProcessUser } from '../process/command.ts';
import { ProcessError, run } from '../process/run.ts';
import { type KvmVerdict, probeKvm } from './kvm-probe.ts';
import { bootId } from './process-identity.ts';

/** What the installed QEMU is and can do on this host. */
export interface Inventory {
  /** `7.2.22`. */
  readonly version: string;
  readonly major: number;
  readonly minor: number;
  /** As nova counts: 7.2.22 is 7002022. */
  readonly versionNumber: number;
  readonly kvm: KvmVerdict;
  readonly accelerator: 'kvm' | 'tcg';
  /** QEMU can filter its own system calls. */
  readonly seccomp: boolean;
  /** What CPU features guests see by default, in QEMU's names. */
  readonly guestCpuFeatures: readonly string[];
}

/** The filter of `-sandbox`: guests' processes may start no others and gain nothing. */
export const SANDBOX = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';

export interface InventoryOptions {
  readonly qemu: string;
  /** Where the answer is kept until the machine restarts or QEMU changes. */
  readonly cacheDir: string;
  readonly user: ProcessUser | undefined;
  /** Settled by whoever runs Cairn: KVM is not tried. */
  readonly accelerator?: 'kvm' | 'tcg' | undefined;
}

/** Asks QEMU what it is, tries KVM, and remembers both for as long as they hold. */
export async function takeInventory(options: InventoryOptions): Promise<Inventory> {
  const cache = join(options.cacheDir, 'hypervisor.json');
  const key = await cacheKey(options);
  const known = await readCache(cache);
  if (known?.key === key) return known.inventory;
  const [asked, kvm] = await Promise.all([askQemu(options.qemu), tryKvm(options)]);
  const inventory: Inventory = {
    ...asked,
    kvm,
    accelerator: kvm.usable ? 'kvm' : 'tcg',
    guestCpuFeatures: kvm.usable ? await hostCpuFeatures() : asked.guestCpuFeatures,
  };
  await writeFile(`${cache}.new`, JSON.stringify({ key, inventory }));
  await rename(`${cache}.new`, cache);
  return inventory;
}

const tryKvm = ({ qemu, cacheDir, user, accelerator }: InventoryOptions): KvmVerdict | Promise<KvmVerdict> =>
  accelerator ? { usable: accelerator === 'kvm', why: `not tried: ${accelerator} is configured` } : probeKvm(qemu, cacheDir, user);

/** Changes when the machine starts anew, when QEMU is another, and with the user and device that KVM was tried with. */
async function cacheKey({ qemu, user, accelerator }: InventoryOptions): Promise<string> {
  const path = await findProgram(qemu);
  const [{ mtimeMs, size }, kvm] = await Promise.all([stat(path), stat('/dev/kvm').catch(() => undefined)]);
  return [
    bootId(),
    path,
    mtimeMs,
    size,
    accelerator ?? '',
    user?.uid ?? '',
    user?.groups?.join('+') ?? '',
    kvm ? `${kvm.mode}:${kvm.gid}:${kvm.rdev}` : '',
  ].join(' ');
}

async function readCache(path: string): Promise<{ key: string; inventory: Inventory } | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as { key: string; inventory: Inventory };
  } catch {
    return undefined;
  }
}

async function findProgram(name: string): Promise<string> {
  const places = name.includes('/') ? [name] : (process.env.PATH ?? '/usr/bin').split(':').map((dir) => join(dir, name));
  for (const place of places) {
    const path = await realpath(place).catch(() => undefined);
    if (path) return path;
  }
  throw unavailable(`QEMU is not installed: there is no ${name}. Install the package qemu-system-x86.`);
}

type Asked = Omit<Inventory, 'kvm' | 'accelerator'>;

/** One short-lived QEMU without a machine, asked over QMP on its standard input. */
async function askQemu(qemu: string): Promise<Asked> {
  const questions = [
    { execute: 'qmp_capabilities' },
    { execute: 'query-version', id: 'version' },
    { execute: 'query-cpu-model-expansion', arguments: { type: 'full', model: { name: 'max' } }, id: 'cpu' },
    { execute: 'quit' },
  ];
  const input = questions.map((q) => `${JSON.stringify(q)}\n`).join('');
  const ask = async (extra: readonly string[]): Promise<string> =>
    (
      await run(qemu, ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'none', ...extra, '-qmp', 'stdio'], {
        input,
        timeoutMs: 20_000,
        dieWithParent: true,
      })
    ).stdout;
  try {
    return parseAnswers(await ask(['-sandbox', SANDBOX]), true);
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    // Built without libseccomp, or a kernel without seccomp filters. Any other fault shows again.
    return parseAnswers(await ask([]), false);
  }
}

export function parseAnswers(output: string, seccomp: boolean): Asked {
  const answers = new Map<unknown, unknown>();
  for (const line of output.split('\n')) {
    if (line.trim() === '') continue;
    const message = JSON.parse(line) as { id?: unknown; return?: unknown };
    if (message.id !== undefined) answers.set(message.id, message.return);
  }
  const version = answers.get('version') as { qemu: { major: number; minor: number; micro: number } } | undefined;
  if (!version) throw unavailable('QEMU did not say its version.');
  const { major, minor, micro } = version.qemu;
  const props = (answers.get('cpu') as { model?: { props?: Record<string, unknown> } } | undefined)?.model?.props ?? {};
  const features = Object.entries(props)
    .filter(([, on]) => on === true)
    .map(([name]) => name);
  return {
    version: `${major}.${minor}.${micro}`,
    major,
    minor,
    versionNumber: major * 1_000_000 + minor * 1000 + micro,
    seccomp,
    guestCpuFeatures: features.toSorted(),
  };
}

/** /proc/cpuinfo's names of features where QEMU's differ. */
const FEATURE_NAMES: Readonly<Record<string, string>> = { pni: 'sse3', sse4_1: 'sse4.1', sse4_2: 'sse4.2', sha_ni: 'sha-ni', '3dnowprefetch': '3dnowprefetch' };

export function featureName(flag: string): string {
  return (
    FEATURE_NAMES[flag] ??
    (flag.startsWith('avx512_')
      ? flag.replace('avx512_vpopcntdq', 'avx512-vpopcntdq').replace(/^avx512_/, 'avx512')
      : flag.startsWith('amx_')
        ? flag.replace('_', '-')
        : flag)
  );
}

async function hostCpuFeatures(): Promise<readonly string[]> {
  const flags = /^flags\s*:\s*(.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[1]?.split(' ') ?? [];
  return flags.map(featureName).toSorted();
}
