import { chmod, copyFile, cp, mkdir, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { run } from '../process/run.ts';
import type { KernelModules } from './kernel.ts';
import { MODULES } from './packages.ts';
import { reseedProgram } from './reseed.ts';
import type { Sources } from './sources.ts';

/** The guest's own files, as they are in the guest. */
export const ROOTFS_FILES = join(import.meta.dirname, 'rootfs');

const DIRECTORIES = [
  'usr/bin',
  'usr/sbin',
  'usr/lib',
  'usr/lib64',
  'etc',
  'proc',
  'sys',
  'dev',
  'run',
  'tmp',
  'mnt',
  'root',
  'boot',
  'home/cirros/.ssh',
  'var/lib/cloud',
  'var/log',
  'etc/dropbear',
  'usr/share/udhcpc',
  'usr/share/cloud',
];
/** Merged directories, as everywhere by now. */
const LINKS = [
  ['bin', 'usr/bin'],
  ['sbin', 'usr/sbin'],
  ['lib', 'usr/lib'],
  ['lib64', 'usr/lib64'],
  ['var/run', '../run'],
  ['usr/sbin/init', '../bin/busybox'],
  ['usr/bin/ssh', 'dbclient'],
] as const;
/** Programs besides busybox. */
const PROGRAMS = [
  '/usr/sbin/dropbear',
  '/usr/bin/dropbearkey',
  '/usr/bin/dbclient',
  '/usr/bin/lsblk',
  '/usr/sbin/mke2fs',
  '/usr/sbin/resize2fs',
  '/usr/sbin/blkid',
];
/** Busybox applets whose place something else has, or that would mislead in a guest. */
const NOT_LINKED = new Set(['busybox', 'mke2fs', 'mkfs', 'dpkg', 'dpkg-deb', 'rpm', 'rpm2cpio', 'run-init', 'init']);
/** Files that only root may read, or that a program insists on having so. */
const MODES: Readonly<Record<string, number>> = { 'etc/shadow': 0o600, 'etc/sudoers': 0o440 };

/**
 * Puts the root file system together in `tree`. Owners are not set here (the builder may not be root): everything is root's but
 * cirros' home, which the file system's maker sets.
 */
export async function assembleRoot(tree: string, sources: Sources, modules: KernelModules): Promise<void> {
  for (const directory of DIRECTORIES) await mkdir(join(tree, directory), { recursive: true, mode: 0o755 });
  await chmod(join(tree, 'tmp'), 0o1777);
  await chmod(join(tree, 'home/cirros/.ssh'), 0o700);
  for (const [name, target] of LINKS) await symlink(target, join(tree, name));

  const busybox = await sources.need('/usr/bin/busybox');
  // Debian builds busybox to give up these rights in all applets but the few that need them (ping, su, passwd).
  await install(tree, '/usr/bin/busybox', busybox, 0o4755);
  const { stdout } = await run(busybox, ['--list-full']);
  for (const path of stdout.split('\n').filter((line) => line !== '' && !NOT_LINKED.has(basename(line)))) {
    // All in bin, as ssh gives a command no sbin; those of sbin there too, where the kernel and others call them by their full names.
    await symlink('busybox', join(tree, 'usr/bin', basename(path)));
    if (/(^|\/)sbin\//.test(path)) await symlink('../bin/busybox', join(tree, 'usr/sbin', basename(path)));
  }
  await installLibraries(tree, sources, busybox);

  for (const program of PROGRAMS) await installProgram(tree, sources, program);
  for (const type of ['ext2', 'ext3', 'ext4']) await symlink('mke2fs', join(tree, 'usr/sbin', `mkfs.${type}`));
  // The original sudo, where a distribution has another one under that name.
  const sudo = (await sources.find('/usr/bin/sudo.ws')) ?? (await sources.need('/usr/bin/sudo'));
  await install(tree, '/usr/bin/sudo', sudo, 0o4755);
  await installLibraries(tree, sources, sudo);
  for (const plugin of ['/usr/libexec/sudo/sudoers.so', '/usr/lib/x86_64-linux-gnu/security/pam_permit.so']) await installProgram(tree, sources, plugin, 0o644);

  const wanted = await modules.order([...MODULES, 'virtio_scsi', 'sd_mod', 'ata_piix', 'ahci', 'nvme', 'virtio_net', 'virtio_blk', 'virtio_pci']);
  await modules.install(tree, wanted);
  await modules.index(tree);

  await copyOwnFiles(ROOTFS_FILES, tree, '');
  await writeFile(join(tree, 'usr/sbin/reseed'), reseedProgram(), { mode: 0o755 });
}

/** Copies the guest's own files; programs are told by their place, as a checkout may lose the bit. */
async function copyOwnFiles(from: string, tree: string, name: string): Promise<void> {
  for (const entry of (await readdir(join(from, name), { withFileTypes: true })).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = name === '' ? entry.name : `${name}/${entry.name}`;
    if (entry.isDirectory()) {
      await mkdir(join(tree, path), { recursive: true, mode: 0o755 });
      await copyOwnFiles(from, tree, path);
    } else {
      await copyFile(join(from, path), join(tree, path));
      const isProgram = /^(usr\/(s?bin|share\/udhcpc)|etc\/(init\.d|acpi\/PWRF))\//.test(path);
      await chmod(join(tree, path), MODES[path] ?? (isProgram ? 0o755 : 0o644));
    }
  }
}

async function installProgram(tree: string, sources: Sources, name: string, mode = 0o755): Promise<void> {
  const path = await sources.need(name);
  await install(tree, name, path, mode);
  await installLibraries(tree, sources, path);
}

async function installLibraries(tree: string, sources: Sources, program: string): Promise<void> {
  for (const [name, path] of await sources.libraries(program)) {
    if (
      await stat(join(tree, name)).then(
        () => true,
        () => false,
      )
    )
      continue;
    await install(tree, name, path, 0o755);
  }
}

async function install(tree: string, name: string, source: string, mode: number): Promise<void> {
  const target = join(tree, name);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  // Never through a link: that would write over what it points to.
  await rm(target, { force: true });
  await cp(source, target, { dereference: true });
  await chmod(target, mode);
}

/** Puts the first file system together: busybox, the modules a disk needs, and the program that finds the root. */
export async function assembleInitrd(
  tree: string,
  sources: Sources,
  modules: KernelModules,
  order: { readonly first: readonly string[]; readonly more: readonly string[] },
): Promise<void> {
  for (const directory of ['bin', 'dev', 'proc', 'sys', 'mnt']) await mkdir(join(tree, directory), { recursive: true, mode: 0o755 });
  const busybox = await sources.need('/usr/bin/busybox');
  await install(tree, '/bin/busybox', busybox, 0o755);
  await installLibraries(tree, sources, busybox);
  const first = await modules.install(tree, await modules.order(order.first));
  const more = await modules.install(tree, await modules.order(order.more));
  const list = (paths: readonly string[]): string => paths.map((path) => `/${path}\n`).join('');
  await writeFile(join(tree, 'modules.first'), list(first));
  await writeFile(join(tree, 'modules.more'), list(more.filter((path) => !first.includes(path))));
  await copyFile(join(import.meta.dirname, 'initrd/init'), join(tree, 'init'));
  await chmod(join(tree, 'init'), 0o755);
}
