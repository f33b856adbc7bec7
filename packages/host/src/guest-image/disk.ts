import { copyFile, open, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../process/run.ts';
import type { Sources } from './sources.ts';

const MIB = 1024 * 1024;
const SECTOR = 512;

/** Parts of the disk, ready as files. */
export interface DiskParts {
  readonly bootImage: string;
  readonly rootImage: string;
}

/**
 * Makes the ext4 root file system from a tree, without mounting anything. `owners` are paths in the guest with the uid (and gid) they belong
 * to; all else is root's, since the maker sees the builder as root (`asRoot` wraps it where that is not so).
 */
export async function makeRootFileSystem(tree: string, image: string, owners: Readonly<Record<string, number>>, asRoot: Wrapper): Promise<void> {
  const { stdout } = await run('du', ['--summarize', '--block-size=1M', tree]);
  const sizeMb = Number.parseInt(stdout, 10) + 20;
  await writeFile(image, '');
  await truncate(image, sizeMb * MIB);
  // Room for the group descriptors of 1 TiB, so that it grows that far while mounted; a small journal; no checksums, they cost time under emulation.
  const options = [
    '-q',
    '-F',
    '-t',
    'ext4',
    '-L',
    'cirros-rootfs',
    '-d',
    tree,
    '-b',
    '4096',
    '-E',
    'root_owner=0:0,lazy_itable_init=1,resize=268435456',
    '-J',
    'size=4',
    '-O',
    '^metadata_csum',
    '-m',
    '0',
    '-N',
    '8192',
  ];
  await asRoot('mke2fs', [...options, image]);
  const commands = Object.entries(owners).flatMap(([path, uid]) => ['uid', 'gid'].map((field) => `sif ${path} ${field} ${uid}\n`));
  await writeFile(`${image}.owners`, commands.join(''));
  await run('debugfs', ['-w', '-f', `${image}.owners`, image]);
}

/** Runs a program that has to see the builder's files as root's. */
export type Wrapper = (command: string, args: readonly string[]) => Promise<unknown>;
export const asRoot: Wrapper = (command, args) =>
  process.geteuid?.() === 0
    ? run(command, args, { timeoutMs: 120_000 })
    : run('unshare', ['--user', '--map-root-user', command, ...args], { timeoutMs: 120_000 });

/** Makes the FAT partition that BIOS and UEFI start from. `startSector` is its place on the disk, which the boot sector has to know. */
export async function makeBootFileSystem(
  image: string,
  sources: Sources,
  boot: { readonly kernel: string; readonly initrd: string; readonly commandLine: string; readonly startSector: number; readonly work: string },
): Promise<void> {
  const bytes = (await stat(boot.kernel)).size + (await stat(boot.initrd)).size;
  await writeFile(image, '');
  await truncate(image, (Math.ceil(bytes / MIB) + 4) * MIB);
  await run('mkfs.vfat', ['-n', 'CIRROSBOOT', '-h', String(boot.startSector), image]);
  const config = join(boot.work, 'syslinux.cfg');
  await writeFile(
    config,
    ['DEFAULT linux', 'PROMPT 0', 'TIMEOUT 0', 'LABEL linux', ' KERNEL /vmlinuz', ' INITRD /initrd.img', ` APPEND ${boot.commandLine}`, ''].join('\n'),
  );
  const kernel = join(boot.work, 'vmlinuz');
  await copyFile(boot.kernel, kernel);
  const mtools = { env: { MTOOLS_SKIP_CHECK: '1' } };
  await run('mcopy', ['-i', image, kernel, boot.initrd, config, '::/'], mtools);
  await run('mmd', ['-i', image, '::/EFI', '::/EFI/BOOT'], mtools);
  await run('mcopy', ['-i', image, await sources.need('/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi'), '::/EFI/BOOT/BOOTX64.EFI'], mtools);
  await run('mcopy', ['-i', image, await sources.need('/usr/lib/syslinux/modules/efi64/ldlinux.e64'), '::/EFI/BOOT/ldlinux.e64'], mtools);
}

/** Joins the parts to a disk: a partition table with syslinux' boot code, one MiB of nothing, the boot partition, and the root as the last, so that it can grow. */
export async function makeDisk(disk: string, parts: DiskParts, sources: Sources): Promise<void> {
  const bootBytes = (await stat(parts.bootImage)).size;
  const rootBytes = (await stat(parts.rootImage)).size;
  await writeFile(disk, '');
  await truncate(disk, MIB + bootBytes + rootBytes);
  const file = await open(disk, 'r+');
  try {
    const code = await open(await sources.need('/usr/lib/SYSLINUX/mbr.bin'), 'r');
    const table = Buffer.alloc(SECTOR);
    await code.read(table, 0, 440, 0).finally(() => code.close());
    partition(table, 0, { type: 0xef, bootable: true, start: MIB / SECTOR, sectors: bootBytes / SECTOR });
    partition(table, 1, { type: 0x83, bootable: false, start: (MIB + bootBytes) / SECTOR, sectors: rootBytes / SECTOR });
    table.writeUInt16LE(0xaa55, 510);
    await file.write(table, 0, SECTOR, 0);
  } finally {
    await file.close();
  }
  for (const [image, offset] of [
    [parts.bootImage, MIB],
    [parts.rootImage, MIB + bootBytes],
  ] as const) {
    await run('dd', [`if=${image}`, `of=${disk}`, 'bs=1M', `seek=${offset / MIB}`, 'conv=notrunc,sparse', 'status=none'], { timeoutMs: 120_000 });
  }
  await run(await sources.need('/usr/bin/syslinux'), ['--install', '-t', String(MIB), disk], { env: { MTOOLS_SKIP_CHECK: '1' } });
}

/** One entry of a partition table; the old cylinder numbers say "look at the sectors". */
function partition(
  table: Buffer,
  index: number,
  entry: { readonly type: number; readonly bootable: boolean; readonly start: number; readonly sectors: number },
): void {
  const at = 446 + 16 * index;
  table[at] = entry.bootable ? 0x80 : 0;
  for (const offset of [1, 5]) table.writeUIntBE(0xfeffff, at + offset, 3);
  table[at + 4] = entry.type;
  table.writeUInt32LE(entry.start, at + 8);
  table.writeUInt32LE(entry.sectors, at + 12);
}
