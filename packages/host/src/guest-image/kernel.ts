import { copyFile, cp, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { run } from '../process/run.ts';

/** A kernel's modules, with the order in which they load. */
export interface KernelModules {
  readonly release: string;
  /** Paths of the modules that `names` need, in the order to load them, relative to `lib/modules/RELEASE`; those a kernel does not have (or has built in) are left out. */
  order(names: readonly string[]): Promise<readonly string[]>;
  /** Copies modules, uncompressed, into a tree (`TREE/lib/modules/RELEASE`); gives their paths there, relative to the tree. */
  install(tree: string, paths: readonly string[]): Promise<readonly string[]>;
  /** Makes modprobe's tables in a tree. */
  index(tree: string): Promise<void>;
}

/** `root` has `lib/modules/RELEASE`. A work directory is needed for the tables, which a package that is only unpacked does not have. */
export async function openModules(root: string, release: string, work: string): Promise<KernelModules> {
  const source = join(root, 'lib/modules', release);
  const view = join(work, 'modules');
  const there = join(view, 'lib/modules', release);
  await mkdir(there, { recursive: true });
  await symlink(join(source, 'kernel'), join(there, 'kernel'));
  const lists = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'];
  for (const list of lists) if (await has(join(source, list))) await copyFile(join(source, list), join(there, list));
  await run('depmod', ['-b', view, release]);
  return {
    release,
    async order(names) {
      const paths = new Set<string>();
      for (const name of names) {
        const { stdout } = await run('modprobe', ['-d', view, '-S', release, '--show-depends', name], { okCodes: [1], env: { MODPROBE_OPTIONS: '' } });
        for (const line of stdout.split('\n')) {
          const path = /^insmod (\S+)/.exec(line)?.[1];
          if (path !== undefined) paths.add(path.slice(path.indexOf(`/lib/modules/${release}/`) + `/lib/modules/${release}/`.length));
        }
      }
      return [...paths];
    },
    async install(tree, paths) {
      const installed: string[] = [];
      for (const path of paths) {
        const target = `lib/modules/${release}/${path.replace(/\.(xz|zst|gz)$/, '')}`;
        await mkdir(dirname(join(tree, target)), { recursive: true });
        await installPlain(join(source, path), join(tree, target));
        installed.push(target);
      }
      return installed;
    },
    async index(tree) {
      for (const list of lists) if (await has(join(there, list))) await cp(join(there, list), join(tree, 'lib/modules', release, list));
      await run('depmod', ['-b', tree, release]);
    },
  };
}

const has = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Busybox loads only plain modules; newer kernels' packages have them compressed. */
async function installPlain(source: string, target: string): Promise<void> {
  if (source.endsWith('.xz')) {
    await copyFile(source, `${target}.xz`);
    await run('xz', ['--decompress', '--force', `${target}.xz`]);
    return;
  }
  const bytes = await readFile(source);
  const plain = source.endsWith('.zst') ? zstdDecompressSync(bytes) : source.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  await writeFile(target, plain, { mode: 0o644 });
}
