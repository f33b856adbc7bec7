import { boundedSize, type Finding, type FormatMatch, type FormatReader, type ImageBytes } from './facts.ts';

/**
 * VMDK ("Virtual Disk Format 5.0"). Only the two variants that keep everything in one file with a sparse header are allowed, as in
 * nova and cinder (`vmdk_allowed_types`): monolithicSparse and streamOptimized. All others name further files in their descriptor,
 * and a descriptor can name any file of the host.
 *
 * Sparse header, little-endian:
 *     0 "KDMV"   4 version   8 flags   12 capacity in sectors (u64)   20 grain size (u64)   28 descriptor sector (u64)
 *    36 descriptor sectors (u64)   44 entries per grain table   48 redundant grain directory (u64)   56 grain directory (u64)
 */
const MAGIC = Buffer.from('KDMV', 'latin1');
const SECTOR = 512;
/** Where QEMU looks for the descriptor, whatever the header says. */
const DESCRIPTOR_OFFSET = 0x200;
const DESCRIPTOR_MAX_BYTES = (1 << 20) - 1;
/** The grain directory's place is told by a footer, which then takes the header's place. */
const DIRECTORY_AT_END = 0xffff_ffff_ffff_ffffn;
const MARKER_END_OF_STREAM = 0;
const MARKER_FOOTER = 3;
/** Footer marker, footer, end-of-stream marker: the last sectors of a streamOptimized image. */
export const VMDK_FOOTER_BYTES = 3 * SECTOR;
const ALLOWED_TYPES = new Set(['monolithicsparse', 'streamoptimized']);
const TEXT_PROBE_BYTES = 512;

interface SparseHeader {
  readonly version: number;
  readonly capacity: bigint;
  readonly grain: bigint;
  readonly descriptorSector: bigint;
  readonly descriptorSectors: bigint;
  readonly entriesPerTable: number;
  readonly directory: bigint;
}

function readSparseHeader(bytes: Buffer | undefined): SparseHeader | undefined {
  if (!bytes || bytes.length < 64 || !bytes.subarray(0, 4).equals(MAGIC)) return undefined;
  return {
    version: bytes.readUInt32LE(4),
    capacity: bytes.readBigUInt64LE(12),
    grain: bytes.readBigUInt64LE(20),
    descriptorSector: bytes.readBigUInt64LE(28),
    descriptorSectors: bytes.readBigUInt64LE(36),
    entriesPerTable: bytes.readUInt32LE(44),
    directory: bytes.readBigUInt64LE(56),
  };
}

/** The text up to its zero padding, lower case as the format ignores case; undefined when it is not ASCII. */
function descriptorText(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(0);
  const text = end < 0 ? bytes : bytes.subarray(0, end);
  return text.some((byte) => byte > 0x7e || (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)) ? undefined : text.toString('latin1').toLowerCase();
}

/** `createType="..."` of a descriptor. QEMU takes the first in the text, wherever it stands; two are refused by the caller. */
function createTypes(text: string): readonly string[] {
  return [...text.matchAll(/createtype\s*=\s*"?([^"\n]{0,64})/g)].map((m) => (m[1] ?? '').trim());
}

/**
 * Every line has to be understood, else the image is refused: header fields (`word=value`), `ddb.` entries, comments, and extents.
 * An allowed type has one extent, of kind SPARSE, which is the file itself: a plain name that is no path and no URL.
 */
function judgeDescriptor(text: string): readonly Finding[] {
  const findings: Finding[] = [];
  const types = createTypes(text);
  if (types.length !== 1 || !ALLOWED_TYPES.has(types[0] ?? '')) {
    findings.push({ code: 'descriptor', text: 'its VMDK type is not allowed: only monolithicSparse and streamOptimized keep all data in the file itself' });
  }
  const extents: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith('ddb')) continue;
    if (/^(rw|rdonly|noaccess)\b/.test(line)) extents.push(line);
    else if (!/^[^\s=]+=/.test(line)) {
      findings.push({ code: 'descriptor', text: 'its VMDK descriptor has a line that is not understood' });
      return findings;
    } else if (/^parentfilenamehint\s*=/.test(line) || (/^parentcid\s*=/.test(line) && !/^parentcid\s*=\s*f{8}$/.test(line))) {
      findings.push({ code: 'backing_file', text: 'it is a child of another VMDK' });
    }
  }
  if (extents.length !== 1) findings.push({ code: 'extent', text: `its VMDK descriptor has ${extents.length === 0 ? 'no extent' : 'more than one extent'}` });
  for (const extent of extents) {
    if (!/^(rw|rdonly|noaccess)\s+\d{1,20}\s+sparse\s+"[^"/\\:]+"$/.test(extent)) {
      findings.push({ code: 'extent', text: 'its VMDK descriptor names an extent outside of the file' });
    }
  }
  return findings;
}

function judgeFooter(image: ImageBytes, header: SparseHeader): readonly Finding[] {
  const tail = image.sizeBytes >= VMDK_FOOTER_BYTES ? image.read(image.sizeBytes - VMDK_FOOTER_BYTES, VMDK_FOOTER_BYTES) : undefined;
  const footer = readSparseHeader(tail?.subarray(SECTOR, 2 * SECTOR));
  const bad = (text: string): Finding[] => [{ code: 'footer', text }];
  if (!tail || !footer) return bad('its VMDK footer is missing');
  const same: readonly (keyof SparseHeader)[] = ['version', 'capacity', 'grain', 'descriptorSector', 'descriptorSectors', 'entriesPerTable'];
  if (same.some((field) => footer[field] !== header[field])) return bad('its VMDK header and footer contradict each other');
  if (footer.directory === DIRECTORY_AT_END) return bad('its VMDK footer points to another footer');
  const marker = (at: number): { value: bigint; size: number; type: number; clean: boolean } => ({
    value: tail.readBigUInt64LE(at),
    size: tail.readUInt32LE(at + 8),
    type: tail.readUInt32LE(at + 12),
    clean: tail.subarray(at + 16, at + SECTOR).every((byte) => byte === 0),
  });
  const first = marker(0);
  const last = marker(2 * SECTOR);
  if (first.size !== 0 || first.type !== MARKER_FOOTER || !first.clean) return bad('its VMDK footer marker is not valid');
  if (last.value !== 0n || last.size !== 0 || last.type !== MARKER_END_OF_STREAM || !last.clean) return bad('its VMDK end-of-stream marker is not valid');
  return [];
}

function readSparse(image: ImageBytes): FormatMatch {
  const header = readSparseHeader(image.read(0, 64));
  if (!header) return { format: 'vmdk', virtualSizeBytes: 0, findings: [{ code: 'truncated', text: 'the file ends within its header' }] };
  const findings: Finding[] = [];
  if (header.version < 1 || header.version > 3) findings.push({ code: 'version', text: 'its VMDK version is not supported' });
  // With capacity 0 QEMU forgets the sparse header and opens whatever files the descriptor names.
  if (header.capacity === 0n) findings.push({ code: 'descriptor', text: 'its VMDK header gives no size' });
  let variant: string | undefined;
  const descriptorBytes = header.descriptorSectors * BigInt(SECTOR);
  if (header.descriptorSector * BigInt(SECTOR) !== BigInt(DESCRIPTOR_OFFSET) || descriptorBytes === 0n) {
    findings.push({ code: 'descriptor', text: 'its VMDK descriptor is not where it belongs' });
  } else if (descriptorBytes > BigInt(DESCRIPTOR_MAX_BYTES)) {
    findings.push({ code: 'huge_table', text: 'its VMDK descriptor is larger than any disk needs' });
  } else {
    const bytes = image.read(DESCRIPTOR_OFFSET, Number(descriptorBytes));
    const text = bytes && descriptorText(bytes);
    if (!bytes) findings.push({ code: 'truncated', text: 'its VMDK descriptor lies beyond the end of the file' });
    else if (text === undefined) findings.push({ code: 'descriptor', text: 'its VMDK descriptor is not text' });
    else {
      variant = createTypes(text)[0];
      findings.push(...judgeDescriptor(text));
    }
  }
  if (header.grain === 0n || header.entriesPerTable === 0 || header.entriesPerTable > 512)
    findings.push({ code: 'truncated', text: 'its VMDK grain tables are impossible' });
  else if (header.capacity / (header.grain * BigInt(header.entriesPerTable)) > 32n * 1024n * 1024n)
    findings.push({ code: 'huge_table', text: 'its VMDK grain directory is larger than any disk needs' });
  if (header.directory === DIRECTORY_AT_END) findings.push(...judgeFooter(image, header));
  return { format: 'vmdk', virtualSizeBytes: boundedSize(header.capacity * BigInt(SECTOR), findings), findings, ...(variant === undefined ? {} : { variant }) };
}

/** A text file that VMware or QEMU would take for a descriptor. All its data is elsewhere: never allowed. */
function readTextDescriptor(image: ImageBytes): FormatMatch | undefined {
  const probe = image.read(0, Math.min(image.sizeBytes, TEXT_PROBE_BYTES));
  if (!probe || probe.length < 4) return undefined;
  if (probe.some((byte) => byte > 0x7e || (byte < 0x20 && (byte < 9 || byte > 13) && byte !== 0))) return undefined;
  const bytes = image.read(0, Math.min(image.sizeBytes, DESCRIPTOR_OFFSET + DESCRIPTOR_MAX_BYTES)) ?? probe;
  const text = bytes.toString('latin1').toLowerCase();
  const type = createTypes(text)[0];
  // QEMU's own probe: comments and empty lines, then `version=`.
  const probed = /^(?:[ \t]*(?:#[^\n]*)?\r?\n)*version\s*=\s*[123]\b/.test(text);
  if (type === undefined && !probed) return undefined;
  return {
    format: 'vmdk',
    virtualSizeBytes: 0,
    variant: 'descriptor',
    findings: [{ code: 'descriptor', text: 'it is a VMDK descriptor alone: its data is in other files' }],
  };
}

export const vmdkReader: FormatReader = {
  read(image) {
    return image.read(0, 4)?.equals(MAGIC) ? readSparse(image) : readTextDescriptor(image);
  },
};
