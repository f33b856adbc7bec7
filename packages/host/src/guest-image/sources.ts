import { mkdir, readFile, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import { run } from '../process/run.ts';
import { elfNeeds } from './elf.ts';
import { GUEST_PACKAGES, KERNEL_PACKAGES } from './packages.ts';

const LIBRARY_DIRECTORIES = ['/usr/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib', '/lib'];

/** Where the image's files come from: packages unpacked for the build, and the machine itself for what it has installed. */
export interface Sources {
  /** The real path of a file known by its installed name (`/usr/sbin/dropbear`); undefined when no source has it. */
  find(name: string): Promise<string | undefined>;
  /** As find, but the absence is an error that names the file. */
  need(name: string): Promise<string>;
  /** The libraries a program needs, with those they need: name in the guest → real path. */
  libraries(path: string): Promise<ReadonlyMap<string, string>>;
  /** The kernel's release, its image and the tree below which its modules are (`ROOT/lib/modules/RELEASE`). */
  kernel(): Promise<{ readonly release: string; readonly image: string; readonly root: string }>;
}

export interface SourcesOptions {
  /** A directory for the unpacked packages. */
  readonly directory: string;
  /** Downloads everything, also what is installed. */
  readonly fresh?: boolean;
  readonly onProgress: (step: string) => void;
}

/** Downloads and unpacks what is not installed. */
export async function openSources(options: SourcesOptions): Promise<Sources> {
  const unpacked = join(options.directory, 'root');
  const downloads = join(options.directory, 'debs');
  const absent = await toDownload(options.fresh ?? false);
  if (absent.length > 0) await unpack(absent, { downloads, unpacked, onProgress: options.onProgress });
  const roots = absent.length > 0 ? [unpacked, '/'] : ['/'];

  const find = async (name: string): Promise<string | undefined> => {
    // Debian's packages say /lib where the merged system has /usr/lib, and the other way round.
    const names = [name, name.startsWith('/usr/') ? name.slice(4) : `/usr${name}`];
    for (const root of roots) {
      for (const candidate of names) {
        const path = await resolveIn(root, candidate);
        if (path !== undefined) return path;
      }
    }
    return undefined;
  };
  const need = async (name: string): Promise<string> => {
    const path = await find(name);
    if (path === undefined) throw unavailable(`The demo image needs ${name}, which no package has.`);
    return path;
  };
  const libraries = async (path: string): Promise<ReadonlyMap<string, string>> => {
    const found = new Map<string, string>();
    const visit = async (file: string): Promise<void> => {
      const needs = elfNeeds(await readFile(file));
      if (!needs) return;
      if (needs.interpreter !== undefined && !found.has(needs.interpreter)) found.set(needs.interpreter, await need(needs.interpreter));
      for (const library of needs.libraries) {
        let at: readonly [string, string] | undefined;
        for (const directory of [...needs.runPath, ...LIBRARY_DIRECTORIES]) {
          const real = at ? undefined : await find(join(directory, library));
          if (real !== undefined) at = [join(directory, library), real];
        }
        if (!at) throw unavailable(`The demo image needs the library ${library}, which no package has.`);
        if (found.has(at[0]) || /\/ld-linux/.test(library)) continue;
        found.set(...at);
        await visit(at[1]);
      }
    };
    await visit(path);
    return found;
  };
  const kernel = async (): Promise<Kernel> => {
    for (const root of roots) {
      const found = await kernelIn(root);
      if (found) return found;
    }
    throw unavailable('The demo image needs a kernel, and no package of this distribution has one.');
  };
  return { find, need, libraries, kernel };
}

interface Kernel {
  readonly release: string;
  readonly image: string;
  readonly root: string;
}

/** A kernel for guests alone: the machine's own where it is one, else unpacked from its package into a directory. */
export async function openKernel(options: Omit<SourcesOptions, 'fresh'>): Promise<Kernel> {
  const own = await kernelIn('/');
  if (own?.release.includes('cloud')) return own;
  const unpacked = join(options.directory, 'root');
  const packages = await withDependencies(await newestKernel(KERNEL_PACKAGES));
  await unpack(packages, { downloads: join(options.directory, 'debs'), unpacked, onProgress: options.onProgress });
  const found = await kernelIn(unpacked);
  if (!found) throw unavailable('No package of this distribution has a kernel for guests.');
  return found;
}

async function unpack(
  packages: readonly string[],
  { downloads, unpacked, onProgress }: { readonly downloads: string; readonly unpacked: string } & Pick<SourcesOptions, 'onProgress'>,
): Promise<void> {
  await mkdir(unpacked, { recursive: true });
  await mkdir(downloads, { recursive: true });
  onProgress(`downloading ${packages.join(', ')}`);
  await run('apt-get', ['download', '-q', ...packages], { cwd: downloads, timeoutMs: 600_000 }).catch((cause: unknown) => {
    throw unavailable(
      `The demo image needs packages that could not be downloaded: ${packages.join(', ')}. Is there a network, and was \`apt-get update\` run?`,
      { detail: String(cause), cause },
    );
  });
  onProgress('unpacking packages');
  for (const deb of (await readdir(downloads)).toSorted()) await run('dpkg-deb', ['--extract', join(downloads, deb), unpacked], { timeoutMs: 120_000 });
}

/** The kernel of a tree that is there with all its modules. */
async function kernelIn(root: string): Promise<Kernel | undefined> {
  for (const modules of ['lib/modules', 'usr/lib/modules']) {
    for (const release of (await readdir(join(root, modules)).catch(() => [])).toSorted(byVersion).toReversed()) {
      for (const image of [join(root, 'boot', `vmlinuz-${release}`), join(root, modules, release, 'vmlinuz')]) {
        const complete = (await exists(image)) && (await exists(join(root, modules, release, 'kernel')));
        if (complete) return { release, image, root: modules === 'lib/modules' ? root : join(root, 'usr') };
      }
    }
  }
  return undefined;
}

/** The packages that are not installed (or all), with the libraries they need. Packages that are installed have theirs. */
async function toDownload(all: boolean): Promise<readonly string[]> {
  const missing = all ? GUEST_PACKAGES : await notInstalled(GUEST_PACKAGES);
  // A kernel of the machine itself will do when it is one for guests.
  const own = all ? undefined : await kernelIn('/');
  const kernel = own?.release.includes('cloud') ? [] : await newestKernel(KERNEL_PACKAGES);
  if (missing.length + kernel.length === 0) return [];
  const closure = await withDependencies([...missing, ...kernel]);
  return all ? closure : notInstalled(closure);
}

/** Cloud kernels first (small, made for guests), then by version. */
function byVersion(a: string, b: string): number {
  const cloud = (release: string): number => (release.includes('cloud') ? 1 : 0);
  return cloud(a) - cloud(b) || a.localeCompare(b, 'en', { numeric: true });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** A file of a tree that is not the machine's root: its links are meant within the tree. */
async function resolveIn(root: string, name: string): Promise<string | undefined> {
  if (root === '/') return realpath(name).catch(() => undefined);
  const { readlink, lstat } = await import('node:fs/promises');
  let current = name;
  for (let hops = 0; hops < 10; hops++) {
    const path = join(root, current);
    const facts = await lstat(path).catch(() => undefined);
    if (!facts) return undefined;
    if (!facts.isSymbolicLink()) return path;
    const target = await readlink(path);
    current = target.startsWith('/') ? target : join(dirname(current), target);
  }
  return undefined;
}

async function notInstalled(names: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names], { okCodes: [1] });
  const installed = new Set(stdout.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])));
  return names.filter((name) => !installed.has(name));
}

async function newestKernel(names: readonly string[]): Promise<readonly string[]> {
  for (const name of names) {
    const direct = await dependencies([name]);
    // The name stands for the newest kernel; that one's package holds the files.
    const kernels = direct.filter((d) => /^linux-(image|modules)-/.test(d));
    if (kernels.length > 0) return kernels;
  }
  return [];
}

/** Direct dependencies of packages, by name, virtual packages left out; empty for packages that are not known. */
async function dependencies(names: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run('apt-cache', ['depends', '--important', ...names], { okCodes: [100] });
  return stdout.split('\n').flatMap((line) => /^\s*\|?(?:Pre)?Depends: ([a-z0-9][a-z0-9.+-]*)$/.exec(line)?.[1] ?? []);
}

/** Packages with the libraries and kernel parts they depend on, to any depth. */
async function withDependencies(names: readonly string[]): Promise<readonly string[]> {
  const all = new Set<string>();
  let next = [...names];
  while (next.length > 0) {
    for (const name of next) all.add(name);
    next = (await dependencies(next)).filter((name) => !all.has(name) && /^(lib|zlib|linux-(image|modules)-)/.test(name));
    next = [...new Set(next)];
  }
  return [...all].toSorted();
}
