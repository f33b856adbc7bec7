import { randomBytes } from 'node:crypto';

/**
 * Images made by hand for tests: sound ones of each format, and hostile ones of every kind that OpenStack had an advisory about
 * (OSSA-2015-014, 2016-012, 2023-002, 2024-001, 2024-002). Small, mostly headers.
 */

const MIB = 1024 * 1024;

const place = (size: number, parts: Readonly<Record<number, Buffer | string>>): Buffer => {
  const image = Buffer.alloc(size);
  for (const [at, part] of Object.entries(parts)) (typeof part === 'string' ? Buffer.from(part, 'latin1') : part).copy(image, Number(at));
  return image;
};

export interface Qcow2Options {
  readonly version?: number;
  readonly sizeBytes?: bigint;
  readonly backing?: string;
  readonly features?: bigint;
  /** Name in an external-data-file header extension. */
  readonly dataFile?: string;
  readonly encryption?: number;
  readonly l1Entries?: number;
  readonly l1Offset?: bigint;
  readonly refcountClusters?: number;
  readonly snapshots?: number;
  readonly clusterBits?: number;
}

/** A qcow2 of four clusters: header, refcount table, refcount block, L1 table. Empty, and sound unless the options say otherwise. */
export function qcow2(options: Qcow2Options = {}): Buffer {
  const { version = 3, sizeBytes = BigInt(64 * MIB), features = 0n, clusterBits = 16 } = options;
  const cluster = 65536;
  const image = Buffer.alloc(4 * cluster);
  image.write('QFI\xfb', 0, 'latin1');
  image.writeUInt32BE(version, 4);
  image.writeUInt32BE(clusterBits, 20);
  image.writeBigUInt64BE(sizeBytes, 24);
  image.writeUInt32BE(options.encryption ?? 0, 32);
  image.writeUInt32BE(options.l1Entries ?? 1, 36);
  image.writeBigUInt64BE(options.l1Offset ?? BigInt(3 * cluster), 40);
  image.writeBigUInt64BE(BigInt(cluster), 48);
  image.writeUInt32BE(options.refcountClusters ?? 1, 56);
  image.writeUInt32BE(options.snapshots ?? 0, 60);
  image.writeBigUInt64BE(features, 72);
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(104, 100);
  let at = version >= 3 ? 104 : 72;
  if (options.dataFile !== undefined) {
    image.writeUInt32BE(0x44415441, at);
    image.writeUInt32BE(Buffer.byteLength(options.dataFile), at + 4);
    image.write(options.dataFile, at + 8);
    at += 8 + Math.ceil(Buffer.byteLength(options.dataFile) / 8) * 8;
  }
  at += 8;
  if (options.backing !== undefined) {
    image.writeBigUInt64BE(BigInt(at), 8);
    image.writeUInt32BE(Buffer.byteLength(options.backing), 16);
    image.write(options.backing, at);
  }
  // Refcounts of the four clusters.
  image.writeBigUInt64BE(BigInt(2 * cluster), cluster);
  for (let i = 0; i < 4; i++) image.writeUInt16BE(1, 2 * cluster + 2 * i);
  return image;
}

export interface VmdkOptions {
  readonly type?: string;
  readonly extents?: readonly string[];
  /** More lines of the descriptor. */
  readonly lines?: readonly string[];
  readonly capacity?: bigint;
  readonly descriptorSector?: bigint;
  readonly descriptorSectors?: bigint;
  readonly version?: number;
  /** Header and footer as streamOptimized has them; the function may change the footer's header. */
  readonly footer?: (header: Buffer) => Buffer;
  readonly descriptor?: string;
}

export function vmdkDescriptor(options: VmdkOptions = {}): string {
  const lines = [
    '# Disk DescriptorFile',
    'version=1',
    'CID=01234567',
    'parentCID=ffffffff',
    `createType="${options.type ?? 'monolithicSparse'}"`,
    ...(options.lines ?? []),
  ];
  return [
    ...lines,
    '# Extent description',
    ...(options.extents ?? ['RW 2048 SPARSE "disk.vmdk"']),
    '# The Disk Data Base',
    'ddb.virtualHWVersion = "4"',
    'ddb.geometry.cylinders = "2"',
    '',
  ].join('\n');
}

export function vmdk(options: VmdkOptions = {}): Buffer {
  const header = Buffer.alloc(512);
  header.write('KDMV', 0, 'latin1');
  header.writeUInt32LE(options.version ?? 1, 4);
  header.writeUInt32LE(3, 8);
  header.writeBigUInt64LE(options.capacity ?? 2048n, 12);
  header.writeBigUInt64LE(128n, 20);
  header.writeBigUInt64LE(options.descriptorSector ?? 1n, 28);
  header.writeBigUInt64LE(options.descriptorSectors ?? 20n, 36);
  header.writeUInt32LE(512, 44);
  header.writeBigUInt64LE(21n, 48);
  header.writeBigUInt64LE(26n, 56);
  header.writeBigUInt64LE(128n, 64);
  header.write('\n \r\n', 73, 'latin1');
  const footerHeader = Buffer.from(header);
  if (options.footer) header.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 56);
  const body = place(128 * 512, { 0: header, 512: options.descriptor ?? vmdkDescriptor(options) });
  if (!options.footer) return body;
  const marker = Buffer.alloc(512);
  marker.writeUInt32LE(3, 12);
  return Buffer.concat([body, marker, options.footer(footerHeader), Buffer.alloc(512)]);
}

export const streamOptimized = (change: (footer: Buffer) => Buffer = (footer) => footer, options: VmdkOptions = {}): Buffer =>
  vmdk({ type: 'streamOptimized', extents: ['RDONLY 2048 SPARSE "generated-stream.vmdk"'], version: 3, ...options, footer: change });

export function vdi(options: { readonly type?: number; readonly blocks?: number; readonly parent?: boolean } = {}): Buffer {
  const image = Buffer.alloc(2 * MIB);
  image.write('<<< QEMU VM Virtual Disk Image >>>\n', 0, 'latin1');
  image.writeUInt32LE(0xbeda107f, 0x40);
  image.writeUInt32LE(0x00010001, 0x44);
  image.writeUInt32LE(0x180, 0x48);
  image.writeUInt32LE(options.type ?? 1, 0x4c);
  image.writeUInt32LE(0x200, 0x154);
  image.writeUInt32LE(MIB, 0x158);
  image.writeUInt32LE(512, 0x168);
  image.writeBigUInt64LE(BigInt(64 * MIB), 0x170);
  image.writeUInt32LE(MIB, 0x178);
  image.writeUInt32LE(options.blocks ?? 64, 0x180);
  if (options.parent) randomBytes(16).copy(image, 0x1c8);
  return image;
}

export function vhd(options: { readonly type?: number; readonly table?: bigint } = {}): Buffer {
  const footer = Buffer.alloc(512);
  footer.write('conectix', 0, 'latin1');
  footer.writeBigUInt64BE(512n, 0x10);
  footer.writeBigUInt64BE(BigInt(64 * MIB), 0x28);
  footer.writeBigUInt64BE(BigInt(64 * MIB), 0x30);
  footer.writeUInt32BE(options.type ?? 3, 0x3c);
  const header = Buffer.alloc(1024);
  header.write('cxsparse', 0, 'latin1');
  header.writeBigUInt64BE(options.table ?? 1536n, 0x10);
  header.writeUInt32BE(32, 0x1c);
  return place(8 * 512, { 0: footer, 512: header, [7 * 512]: footer });
}

const guidBytes = (text: string): Buffer => {
  const [a = '', b = '', c = '', ...rest] = text.split('-');
  return Buffer.concat([...[a, b, c].map((part) => Buffer.from(part, 'hex').toReversed()), Buffer.from(rest.join(''), 'hex')]);
};

export function vhdx(options: { readonly hasParent?: boolean; readonly metadataOffset?: bigint; readonly sizeBytes?: bigint } = {}): Buffer {
  const metadataAt = 2 * MIB;
  const regions = Buffer.alloc(64);
  regions.write('regi', 0, 'latin1');
  regions.writeUInt32LE(1, 8);
  guidBytes('8b7ca206-4790-4b9a-b8fe-575f050f886e').copy(regions, 16);
  regions.writeBigUInt64LE(options.metadataOffset ?? BigInt(metadataAt), 32);
  regions.writeUInt32LE(MIB, 40);
  const metadata = Buffer.alloc(MIB);
  metadata.write('metadata', 0, 'latin1');
  metadata.writeUInt16LE(2, 10);
  const items = [
    ['caa16737-fa36-4d43-b3b6-33f0aa44e76b', 65536],
    ['2fa54224-cd1b-4876-b211-5dbed83bf4b8', 65544],
  ] as const;
  for (const [i, [id, at]] of items.entries()) {
    guidBytes(id).copy(metadata, 32 + 32 * i);
    metadata.writeUInt32LE(at, 32 + 32 * i + 16);
    metadata.writeUInt32LE(8, 32 + 32 * i + 20);
  }
  metadata.writeUInt32LE(MIB, 65536);
  metadata.writeUInt32LE(options.hasParent ? 2 : 0, 65540);
  metadata.writeBigUInt64LE(options.sizeBytes ?? BigInt(64 * MIB), 65544);
  return place(4 * MIB, { 0: 'vhdxfile', [192 * 1024]: regions, [metadataAt]: metadata });
}

/** A volume descriptor and nothing in it. */
export function iso(): Buffer {
  const descriptor = Buffer.alloc(2048);
  descriptor.write('\x01CD001\x01', 0, 'latin1');
  descriptor.writeUInt32LE(20, 80);
  descriptor.writeUInt32BE(20, 84);
  descriptor.writeUInt16LE(2048, 128);
  descriptor.writeUInt16BE(2048, 130);
  return place(20 * 2048, { [16 * 2048]: descriptor, [17 * 2048]: '\xffCD001\x01' });
}

export function mbr(
  entries: readonly { readonly boot?: number; readonly type: number; readonly chs?: readonly number[]; readonly start?: number }[] = [{ type: 0x83 }],
): Buffer {
  const image = Buffer.alloc(MIB);
  for (const [i, entry] of entries.entries()) {
    const at = 446 + 16 * i;
    image[at] = entry.boot ?? 0;
    Buffer.from(entry.chs ?? [0, 2, 0]).copy(image, at + 1);
    image[at + 4] = entry.type;
    image.writeUInt32LE(entry.start ?? 2048, at + 8);
    image.writeUInt32LE(1024, at + 12);
  }
  image.writeUInt16LE(0xaa55, 510);
  return image;
}
export const gpt = (): Buffer => mbr([{ type: 0xee, start: 1 }]);

export function luks(options: { readonly version?: number; readonly payloadSector?: number } = {}): Buffer {
  const image = Buffer.alloc(3 * MIB);
  image.write('LUKS\xba\xbe', 0, 'latin1');
  image.writeUInt16BE(options.version ?? 1, 6);
  image.writeUInt32BE(options.payloadSector ?? 4096, 104);
  return image;
}

/** The sector of `image` that ISO 9660 leaves to others, taken by `front`. */
const overlay = (image: Buffer, front: Buffer, bytes = 32 * 1024): Buffer => {
  const both = Buffer.from(image.length >= front.length ? image : Buffer.concat([image, Buffer.alloc(front.length - image.length)]));
  front.copy(both, 0, 0, bytes);
  return both;
};

export interface Sample {
  readonly name: string;
  /** What the uploader says it is. */
  readonly declared: string;
  readonly bytes: Buffer;
  /** Of hostile ones: the finding or refusal expected. */
  readonly expect: string;
}

/** One sound image for each format. */
export const soundImages = (): readonly Omit<Sample, 'expect'>[] => [
  { name: 'zeros', declared: 'raw', bytes: Buffer.alloc(MIB) },
  { name: 'ten bytes', declared: 'raw', bytes: Buffer.from('0123456789') },
  { name: 'nothing', declared: 'raw', bytes: Buffer.alloc(0) },
  { name: 'MBR as raw', declared: 'raw', bytes: mbr() },
  { name: 'GPT as raw', declared: 'raw', bytes: gpt() },
  { name: 'qcow2 v3', declared: 'qcow2', bytes: qcow2() },
  { name: 'qcow2 v2', declared: 'qcow2', bytes: qcow2({ version: 2 }) },
  { name: 'qcow2 with zstd clusters', declared: 'qcow2', bytes: qcow2({ features: 8n }) },
  { name: 'monolithicSparse', declared: 'vmdk', bytes: vmdk() },
  { name: 'streamOptimized', declared: 'vmdk', bytes: streamOptimized() },
  { name: 'vdi', declared: 'vdi', bytes: vdi() },
  { name: 'vhd', declared: 'vhd', bytes: vhd() },
  { name: 'vhdx', declared: 'vhdx', bytes: vhdx() },
  { name: 'iso', declared: 'iso', bytes: iso() },
  { name: 'hybrid iso', declared: 'iso', bytes: overlay(iso(), mbr(), 512) },
  { name: 'kernel', declared: 'aki', bytes: Buffer.concat([Buffer.from('MZ'), Buffer.alloc(4096, 7)]) },
  { name: 'ramdisk', declared: 'ari', bytes: Buffer.concat([Buffer.from([2, 0x21, 0x4c, 0x18]), Buffer.alloc(4096, 9)]) },
];

/** Every hostile image; `canary` is a file of the host that must never be read for them. */
export const hostileImages = (canary: string): readonly Sample[] => [
  // qcow2: other files
  ...[canary, `file:${canary}`, `json:{"driver":"raw","file":{"driver":"file","filename":"${canary}"}}`, 'nbd://127.0.0.1:1/x', 'https://127.0.0.1/x'].map(
    (backing) => ({
      name: `qcow2 backed by ${backing.slice(0, 10)}`,
      declared: 'qcow2',
      bytes: qcow2({ backing }),
      expect: 'backing_file',
    }),
  ),
  { name: 'qcow2 v2 with a backing file', declared: 'qcow2', bytes: qcow2({ version: 2, backing: canary }), expect: 'backing_file' },
  ...[canary, `json:{"driver":"file","filename":"${canary}"}`, `json:{"driver":"host_device","filename":"/dev/vda"}`].map((dataFile) => ({
    name: `qcow2 with data in ${dataFile.slice(0, 24)}`,
    declared: 'qcow2',
    bytes: qcow2({ features: 4n, dataFile }),
    expect: 'data_file',
  })),
  { name: 'qcow2 with the data file bit alone', declared: 'qcow2', bytes: qcow2({ features: 4n }), expect: 'data_file' },
  { name: 'qcow2 with a data file name alone', declared: 'qcow2', bytes: qcow2({ dataFile: canary }), expect: 'data_file' },
  { name: 'qcow2 with features of the future', declared: 'qcow2', bytes: qcow2({ features: 1n << 40n }), expect: 'unknown_features' },
  { name: 'qcow2 version 1', declared: 'qcow2', bytes: qcow2({ version: 1 }), expect: 'version' },
  { name: 'qcow2 version 9', declared: 'qcow2', bytes: qcow2({ version: 9 }), expect: 'version' },
  { name: 'encrypted qcow2', declared: 'qcow2', bytes: qcow2({ encryption: 2 }), expect: 'encrypted' },
  // qcow2: bombs and lies
  { name: 'qcow2 with a huge L1 table', declared: 'qcow2', bytes: qcow2({ l1Entries: 0xffff_ffff }), expect: 'huge_table' },
  { name: 'qcow2 of 8 EiB', declared: 'qcow2', bytes: qcow2({ sizeBytes: (1n << 63n) - 512n, l1Entries: 1 << 21 }), expect: 'huge_size' },
  { name: 'qcow2 with an L1 table at the end of the world', declared: 'qcow2', bytes: qcow2({ l1Offset: 1n << 62n }), expect: 'truncated' },
  { name: 'qcow2 with a huge refcount table', declared: 'qcow2', bytes: qcow2({ refcountClusters: 0xffff_ffff }), expect: 'huge_table' },
  { name: 'qcow2 with a million snapshots', declared: 'qcow2', bytes: qcow2({ snapshots: 1_000_000 }), expect: 'huge_table' },
  { name: 'qcow2 with impossible clusters', declared: 'qcow2', bytes: qcow2({ clusterBits: 63 }), expect: 'truncated' },
  { name: 'qcow2 cut in its header', declared: 'qcow2', bytes: qcow2().subarray(0, 60), expect: 'truncated' },
  { name: 'qcow2 cut after its header', declared: 'qcow2', bytes: qcow2().subarray(0, 512), expect: 'truncated' },
  // VMDK: extents that name files
  ...(
    [
      ['monolithicFlat', `RW 2048 FLAT "${canary}" 0`],
      ['twoGbMaxExtentFlat', `RW 2048 FLAT "${canary}" 0`],
      ['twoGbMaxExtentSparse', `RW 2048 SPARSE "${canary}"`],
      ['vmfs', `RW 2048 VMFS "${canary}"`],
      ['vmfsSparse', `RW 2048 VMFSSPARSE "${canary}"`],
      ['seSparse', `RW 2048 SESPARSE "${canary}"`],
      ['fullDevice', 'RW 2048 FLAT "/dev/vda" 0'],
      ['partitionedDevice', 'RW 2048 FLAT "/dev/vda1" 0'],
      ['custom', `RW 2048 FLAT "${canary}" 0`],
    ] as const
  ).flatMap(([type, extent]) => [
    { name: `VMDK ${type} in a sparse header`, declared: 'vmdk', bytes: vmdk({ type, extents: [extent] }), expect: 'descriptor' },
    { name: `VMDK ${type} as text`, declared: 'vmdk', bytes: Buffer.from(vmdkDescriptor({ type, extents: [extent] })), expect: 'descriptor' },
    // The type lies, the extent does not.
    { name: `VMDK ${type} under a false name`, declared: 'vmdk', bytes: vmdk({ extents: [extent] }), expect: 'extent' },
  ]),
  {
    name: 'VMDK with a second extent',
    declared: 'vmdk',
    bytes: vmdk({ extents: ['RW 1024 SPARSE "disk.vmdk"', `RW 1024 FLAT "${canary}" 0`] }),
    expect: 'extent',
  },
  { name: 'VMDK with an extent by relative name', declared: 'vmdk', bytes: vmdk({ extents: ['RW 2048 SPARSE "../../etc/shadow"'] }), expect: 'extent' },
  { name: 'VMDK with an extent by protocol', declared: 'vmdk', bytes: vmdk({ extents: ['RW 2048 SPARSE "nbd:127.0.0.1:1"'] }), expect: 'extent' },
  { name: 'VMDK without extents', declared: 'vmdk', bytes: vmdk({ extents: [] }), expect: 'extent' },
  { name: 'VMDK with two types', declared: 'vmdk', bytes: vmdk({ lines: ['createType="monolithicFlat"'] }), expect: 'descriptor' },
  {
    name: 'VMDK with a parent',
    declared: 'vmdk',
    bytes: vmdk({ descriptor: vmdkDescriptor().replace('parentCID=ffffffff', `parentCID=00000001\nparentFileNameHint="${canary}"`) }),
    expect: 'backing_file',
  },
  { name: 'VMDK with a line of its own', declared: 'vmdk', bytes: vmdk({ lines: ['include /etc/passwd'] }), expect: 'descriptor' },
  { name: 'VMDK without a size', declared: 'vmdk', bytes: vmdk({ capacity: 0n }), expect: 'descriptor' },
  { name: 'VMDK whose descriptor is elsewhere', declared: 'vmdk', bytes: vmdk({ descriptorSector: 100n }), expect: 'descriptor' },
  { name: 'VMDK without a descriptor', declared: 'vmdk', bytes: vmdk({ descriptorSectors: 0n }), expect: 'descriptor' },
  { name: 'VMDK with a descriptor of 8 EiB', declared: 'vmdk', bytes: vmdk({ descriptorSectors: 1n << 54n }), expect: 'huge_table' },
  { name: 'VMDK cut in its descriptor', declared: 'vmdk', bytes: vmdk().subarray(0, 700), expect: 'truncated' },
  { name: 'VMDK version 77', declared: 'vmdk', bytes: vmdk({ version: 77 }), expect: 'version' },
  { name: 'VMDK of 8 EiB', declared: 'vmdk', bytes: vmdk({ capacity: 1n << 54n }), expect: 'huge_size' },
  { name: 'VMDK whose footer has no size', declared: 'vmdk', bytes: streamOptimized((f) => (f.writeBigUInt64LE(0n, 12), f)), expect: 'footer' },
  { name: 'VMDK whose footer has another descriptor', declared: 'vmdk', bytes: streamOptimized((f) => (f.writeBigUInt64LE(99n, 28), f)), expect: 'footer' },
  {
    name: 'VMDK whose footer points on',
    declared: 'vmdk',
    bytes: streamOptimized((f) => (f.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 56), f)),
    expect: 'footer',
  },
  { name: 'VMDK whose footer is nothing', declared: 'vmdk', bytes: streamOptimized(() => Buffer.alloc(512)), expect: 'footer' },
  { name: 'VMDK with something after its footer', declared: 'vmdk', bytes: Buffer.concat([streamOptimized(), Buffer.alloc(512, 1)]), expect: 'footer' },
  // others
  { name: 'QED', declared: 'qed', bytes: place(65536, { 0: 'QED\0' }), expect: 'banned' },
  { name: 'differencing VHD', declared: 'vhd', bytes: vhd({ type: 4 }), expect: 'parent' },
  { name: 'VHD with its table nowhere', declared: 'vhd', bytes: vhd({ table: 1n << 60n }), expect: 'truncated' },
  { name: 'differencing VHDX', declared: 'vhdx', bytes: vhdx({ hasParent: true }), expect: 'parent' },
  { name: 'VHDX with its metadata nowhere', declared: 'vhdx', bytes: vhdx({ metadataOffset: 1n << 62n }), expect: 'truncated' },
  { name: 'VHDX of 16 EiB', declared: 'vhdx', bytes: vhdx({ sizeBytes: 0xffff_ffff_ffff_ffffn }), expect: 'huge_size' },
  { name: 'VDI with four billion blocks', declared: 'vdi', bytes: vdi({ blocks: 0xffff_ffff }), expect: 'truncated' },
  { name: 'VDI that is a difference', declared: 'vdi', bytes: vdi({ parent: true }), expect: 'parent' },
  { name: 'VDI of an unknown type', declared: 'vdi', bytes: vdi({ type: 4 }), expect: 'parent' },
  { name: 'partition table with a strange boot flag', declared: 'raw', bytes: mbr([{ type: 0x83, boot: 0x41 }]), expect: 'mbr' },
  { name: 'partition table of nothing', declared: 'raw', bytes: mbr([]), expect: 'mbr' },
  { name: 'protective MBR with a second partition', declared: 'raw', bytes: mbr([{ type: 0xee, start: 1 }, { type: 0x83 }]), expect: 'mbr' },
  // declared as something else
  { name: 'qcow2 as raw', declared: 'raw', bytes: qcow2({ backing: canary }), expect: 'mismatch' },
  { name: 'sound qcow2 as raw', declared: 'raw', bytes: qcow2(), expect: 'mismatch' },
  { name: 'VMDK as raw', declared: 'raw', bytes: vmdk({ type: 'monolithicFlat', extents: [`RW 2048 FLAT "${canary}" 0`] }), expect: 'mismatch' },
  {
    name: 'VMDK text as raw',
    declared: 'raw',
    bytes: Buffer.from(vmdkDescriptor({ type: 'monolithicFlat', extents: [`RW 2048 FLAT "${canary}" 0`] })),
    expect: 'mismatch',
  },
  { name: 'VMDK as qcow2', declared: 'qcow2', bytes: vmdk(), expect: 'mismatch' },
  { name: 'raw as qcow2', declared: 'qcow2', bytes: Buffer.alloc(MIB), expect: 'mismatch' },
  { name: 'qcow2 as a kernel', declared: 'aki', bytes: qcow2({ backing: canary }), expect: 'mismatch' },
  { name: 'qcow2 as iso', declared: 'iso', bytes: qcow2({ backing: canary }), expect: 'mismatch' },
  { name: 'LUKS as raw', declared: 'raw', bytes: luks(), expect: 'mismatch' },
  { name: 'ISO as raw', declared: 'raw', bytes: iso(), expect: 'mismatch' },
  { name: 'ploop', declared: 'ploop', bytes: Buffer.from('WithoutFreeSpace'.padEnd(65536, '\0')), expect: 'unsupported' },
  // of several formats at once
  { name: 'qcow2 in front of an ISO', declared: 'iso', bytes: overlay(iso(), qcow2({ backing: canary })), expect: 'ambiguous' },
  { name: 'the same as qcow2', declared: 'qcow2', bytes: overlay(iso(), qcow2({ backing: canary })), expect: 'ambiguous' },
  { name: 'the same as raw', declared: 'raw', bytes: overlay(iso(), qcow2({ backing: canary })), expect: 'ambiguous' },
  {
    name: 'VMDK in front of an ISO',
    declared: 'iso',
    bytes: overlay(iso(), vmdk({ type: 'monolithicFlat', extents: [`RW 2048 FLAT "${canary}" 0`] })),
    expect: 'ambiguous',
  },
  { name: 'qcow2 with a boot signature', declared: 'qcow2', bytes: place(4 * 65536, { 0: qcow2(), 510: '\x55\xaa' }), expect: 'ambiguous' },
  { name: 'VDI in a qcow2', declared: 'qcow2', bytes: place(4 * 65536, { 0: qcow2(), 64: Buffer.from([0x7f, 0x10, 0xda, 0xbe]) }), expect: 'ambiguous' },
];
