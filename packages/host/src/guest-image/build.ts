import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import { QemuImg } from '../disks/qemu-img.ts';
import { writeAtomically } from '../disks/record.ts';
import { run } from '../process/run.ts';
import { cpio } from './cpio.ts';
import { asRoot, makeBootFileSystem, makeDisk, makeRootFileSystem } from './disk.ts';
import { openModules } from './kernel.ts';
import { FIRST_MODULES, MORE_MODULES } from './packages.ts';
import { ROOTFS_FILES, assembleInitrd, assembleRoot } from './rootfs.ts';
import { openSources } from './sources.ts';

export { packagesNeeded } from './packages.ts';

export interface GuestImageOptions {
  /** Where the image goes, and is found again. */
  readonly outDir: string;
  /** Called at the beginning of each step, with words for the user. */
  readonly onProgress?: (step: string) => void;
  /** Builds anew though an image of these inputs is there: for newer packages. */
  readonly refresh?: boolean;
  /** Downloads every package, also those that are installed. */
  readonly fresh?: boolean;
}

/** The demo guest: small enough to boot in seconds under emulation, and behaving as CirrOS does. User `cirros`, password `gocubsgo`. */
export interface GuestImage {
  /** The disk: boots by BIOS and by UEFI. */
  readonly path: string;
  readonly format: 'qcow2';
  readonly sizeBytes: number;
  readonly virtualSizeBytes: number;
  readonly sha512: string;
  /** The same system for booting a kernel directly, with `commandLine`. */
  readonly kernel: { readonly path: string; readonly sizeBytes: number };
  readonly ramdisk: { readonly path: string; readonly sizeBytes: number };
  readonly commandLine: string;
  /** Release of the kernel in it. */
  readonly kernelRelease: string;
  readonly minDiskGb: number;
  readonly minRamMb: number;
  /** True when it was there already. */
  readonly cached: boolean;
}

/**
 * Kernel options: both consoles; nothing printed that costs time on an emulated serial line; no measuring of timers that an emulator gets
 * wrong; none of what hardens a server and costs a tenth of a demo's boot (mitigations, security modules, self-tests of ciphers); swiotlb
 * small, as 128 MiB guests offered memory hot-plug else run out of memory at boot.
 */
const COMMAND_LINE =
  'root=LABEL=cirros-rootfs console=tty1 console=ttyS0 quiet no_timer_check tsc=reliable mitigations=off lsm= cryptomgr.notests=1 random.trust_cpu=on swiotlb=512 panic=10';
const NAMES = { disk: 'cairn-cirros.qcow2', kernel: 'vmlinuz', ramdisk: 'initrd.img', facts: 'cairn-cirros.json' };
const BOOT_START_SECTOR = 2048;

/**
 * Builds the demo guest's image from the packages of this distribution, or finds the one that was built from the same inputs. Needs
 * `packagesNeeded` installed, no mounts and no loop devices; runs as root, or as any user that may make user namespaces.
 * Takes some seconds (plus downloads). Throws Unavailable with words for the user when something is missing.
 */
export async function buildGuestImage(options: GuestImageOptions): Promise<GuestImage> {
  if (process.arch !== 'x64') throw unavailable('The demo image can be built on x86-64 machines only. Add an image of your own with `cairn image add`.');
  const { outDir } = options;
  const progress = options.onProgress ?? (() => {});
  await mkdir(outDir, { recursive: true });
  const fingerprint = await fingerprintOfInputs();
  const found = options.refresh ? undefined : await findBuilt(outDir, fingerprint);
  if (found) return found;

  const work = await mkdtemp(join(outDir, '.build-'));
  try {
    await chmod(work, 0o755);
    progress('looking for packages');
    const sources = await openSources({ directory: join(work, 'packages'), onProgress: progress, ...(options.fresh ? { fresh: true } : {}) });
    const kernel = await sources.kernel();
    const modules = await openModules(kernel.root, kernel.release, join(work, 'kernel'));

    progress(`putting the system together (Linux ${kernel.release})`);
    const [root, initrd] = [join(work, 'root'), join(work, 'initrd')];
    await mkdir(root);
    await mkdir(initrd);
    await assembleRoot(root, sources, modules);
    await assembleInitrd(initrd, sources, modules, { first: FIRST_MODULES, more: MORE_MODULES });
    const archive = join(work, 'initrd.cpio');
    const ramdisk = join(work, NAMES.ramdisk);
    await writeFile(archive, await cpio(initrd));
    // The "legacy" frame is the one the kernel knows; of all its compressions this one unpacks fastest.
    await run('lz4', ['-l', '-9', '-q', '-f', archive, ramdisk]);

    progress('making file systems');
    const parts = { bootImage: join(work, 'boot.img'), rootImage: join(work, 'root.img') };
    await makeRootFileSystem(root, parts.rootImage, { '/home/cirros': 1000, '/home/cirros/.ssh': 1000 }, asRoot);
    await makeBootFileSystem(parts.bootImage, sources, {
      kernel: kernel.image,
      initrd: ramdisk,
      commandLine: COMMAND_LINE,
      startSector: BOOT_START_SECTOR,
      work,
    });

    progress('making the disk');
    const raw = join(work, 'disk.raw');
    await makeDisk(raw, parts, sources);
    const disk = join(work, NAMES.disk);
    // Not compressed: every guest reads it, and unpacking costs each of them half a second of emulated boot.
    await new QemuImg().convert([{ path: raw, format: 'raw' }], disk, 'qcow2', { sourceBytes: (await stat(raw)).size });

    const image: Omit<GuestImage, 'cached' | 'path' | 'kernel' | 'ramdisk'> = {
      format: 'qcow2',
      sizeBytes: (await stat(disk)).size,
      virtualSizeBytes: (await stat(raw)).size,
      sha512: createHash('sha512')
        .update(await readFile(disk))
        .digest('hex'),
      commandLine: COMMAND_LINE,
      kernelRelease: kernel.release,
      minDiskGb: 1,
      minRamMb: 128,
    };
    await rm(join(outDir, NAMES.facts), { force: true });
    await copyFile(kernel.image, join(outDir, NAMES.kernel));
    await chmod(join(outDir, NAMES.kernel), 0o644);
    await rename(ramdisk, join(outDir, NAMES.ramdisk));
    await rename(disk, join(outDir, NAMES.disk));
    await writeAtomically(join(outDir, NAMES.facts), JSON.stringify({ fingerprint, image }, undefined, 2));
    return complete(outDir, image, false);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Facts = Omit<GuestImage, 'cached' | 'path' | 'kernel' | 'ramdisk'>;

async function complete(outDir: string, facts: Facts, cached: boolean): Promise<GuestImage> {
  const [kernel, ramdisk] = [join(outDir, NAMES.kernel), join(outDir, NAMES.ramdisk)];
  return {
    ...facts,
    path: join(outDir, NAMES.disk),
    kernel: { path: kernel, sizeBytes: (await stat(kernel)).size },
    ramdisk: { path: ramdisk, sizeBytes: (await stat(ramdisk)).size },
    cached,
  };
}

async function findBuilt(outDir: string, fingerprint: string): Promise<GuestImage | undefined> {
  try {
    const facts = JSON.parse(await readFile(join(outDir, NAMES.facts), 'utf8')) as { readonly fingerprint: string; readonly image: Facts };
    if (facts.fingerprint !== fingerprint || (await stat(join(outDir, NAMES.disk))).size !== facts.image.sizeBytes) return undefined;
    return await complete(outDir, facts.image, true);
  } catch {
    return undefined;
  }
}

/** A hash over everything of ours that goes into the image: the guest's files and the programs of this directory. Newer packages do not change it. */
async function fingerprintOfInputs(): Promise<string> {
  const hash = createHash('sha256');
  const here = import.meta.dirname;
  for (const directory of [ROOTFS_FILES, join(here, 'initrd'), here]) {
    const entries = await readdir(directory, { recursive: directory !== here, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
    for (const file of files)
      hash
        .update(file.slice(here.length))
        .update('\0')
        .update(await readFile(file))
        .update('\0');
  }
  return hash.digest('hex');
}
