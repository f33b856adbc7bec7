/** Debian packages whose programs build the image; to be installed on the machine that builds. */
export const packagesNeeded: readonly string[] = ['apt', 'dpkg', 'dosfstools', 'e2fsprogs', 'kmod', 'lz4', 'mtools', 'qemu-utils', 'util-linux', 'xz-utils'];

/**
 * Packages whose files go into the image. They are unpacked into a directory of the build and never installed: a kernel or a set-uid
 * program more is nothing that a demo image should leave on somebody's machine. What is installed already is taken from there.
 */
export const GUEST_PACKAGES: readonly string[] = [
  'busybox-static',
  'dropbear-bin',
  'sudo',
  'libpam-modules',
  'syslinux',
  'syslinux-common',
  'syslinux-efi',
  'util-linux',
  'e2fsprogs',
];

/** Kernels for virtual machines, in the order of preference; each names the package that holds the newest. */
export const KERNEL_PACKAGES: readonly string[] = ['linux-image-cloud-amd64', 'linux-image-virtual', 'linux-image-amd64'];

/** Loaded before the root file system is looked for. */
export const FIRST_MODULES: readonly string[] = ['virtio_pci', 'virtio_mmio', 'virtio_blk', 'virtio_net'];
/** Loaded when there is no virtio disk. */
export const MORE_MODULES: readonly string[] = ['virtio_scsi', 'sd_mod', 'ata_piix', 'ahci', 'nvme'];
/** In the root file system, loaded when their device is there or somebody asks. Those that a kernel does not have are left out. */
export const MODULES: readonly string[] = [
  'evdev',
  'button',
  'virtio_rng',
  'virtio-rng',
  'virtio_console',
  'virtio_balloon',
  'qemu_fw_cfg',
  'sr_mod',
  'isofs',
  'vfat',
  'nls_cp437',
  'nls_ascii',
  'nls_utf8',
  'nls_iso8859-1',
  'e1000',
  'e1000e',
  '8139cp',
  'loop',
  'dummy',
  '8021q',
  'tun',
  'xfs',
  'virtiofs',
  'vmw_vsock_virtio_transport',
  'ip_tables',
  'nf_tables',
];
