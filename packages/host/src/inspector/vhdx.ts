import { boundedSize, type Finding, type FormatMatch, type FormatReader, type ImageBytes, type WantedRange } from './facts.ts';

/**
 * VHDX ([MS-VHDX]), little-endian. "vhdxfile" at 0; the region table at 192 KiB ("regi", entry count at 8, entries of 32 bytes from 16:
 * GUID, offset u64, length u32) says where the metadata region is; that ("metadata", entry count u16 at 10, entries of 32 bytes from 32:
 * GUID, offset u32 and length u32 within the region) says where the virtual size and the file parameters are.
 */
const IDENTITY = Buffer.from('vhdxfile', 'latin1');
const REGION_TABLE_OFFSET = 192 * 1024;
const REGION_TABLE_BYTES = 64 * 1024;
const REGION_MAX_ENTRIES = 2047;
const METADATA_MAX_ENTRIES = 2047;
/** The metadata region is a table of at most 64 KiB and few small items behind it: everyone writes 1 MiB. */
const METADATA_MAX_BYTES = 1024 * 1024;
const METADATA_REGION = '8b7ca206-4790-4b9a-b8fe-575f050f886e';
const VIRTUAL_DISK_SIZE = '2fa54224-cd1b-4876-b211-5dbed83bf4b8';
const FILE_PARAMETERS = 'caa16737-fa36-4d43-b3b6-33f0aa44e76b';
const HAS_PARENT = 0b10;

/** A GUID as Microsoft stores it: the first three parts little-endian. */
export function guid(bytes: Buffer): string {
  const hex = (from: number, to: number): string => bytes.subarray(from, to).toString('hex');
  const n = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${n(bytes.readUInt32LE(0), 8)}-${n(bytes.readUInt16LE(4), 4)}-${n(bytes.readUInt16LE(6), 4)}-${hex(8, 10)}-${hex(10, 16)}`;
}

function metadataRegion(image: ImageBytes): WantedRange | undefined {
  const table = image.read(REGION_TABLE_OFFSET, REGION_TABLE_BYTES);
  if (!table?.subarray(0, 4).equals(Buffer.from('regi'))) return undefined;
  const count = table.readUInt32LE(8);
  if (count > REGION_MAX_ENTRIES) return undefined;
  for (let i = 0; i < count; i++) {
    const entry = table.subarray(16 + i * 32, 48 + i * 32);
    if (entry.length < 32) return undefined;
    if (guid(entry) !== METADATA_REGION) continue;
    const offset = entry.readBigUInt64LE(16);
    if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
    return { offset: Number(offset), length: Math.min(entry.readUInt32LE(24), METADATA_MAX_BYTES) };
  }
  return undefined;
}

function metadataItem(region: Buffer, wanted: string): Buffer | undefined {
  const count = region.readUInt16LE(10);
  if (count > METADATA_MAX_ENTRIES) return undefined;
  for (let i = 0; i < count; i++) {
    const entry = region.subarray(32 + i * 32, 64 + i * 32);
    if (entry.length < 32) return undefined;
    if (guid(entry) !== wanted) continue;
    const offset = entry.readUInt32LE(16);
    const item = region.subarray(offset, offset + 8);
    return item.length === 8 ? item : undefined;
  }
  return undefined;
}

function read(image: ImageBytes): FormatMatch | undefined {
  if (!image.read(0, 8)?.equals(IDENTITY)) return undefined;
  const cut = (text: string): FormatMatch => ({ format: 'vhdx', virtualSizeBytes: 0, findings: [{ code: 'truncated', text }] });
  const where = metadataRegion(image);
  if (!where) return cut('its region table is missing or damaged');
  const region = image.read(where.offset, where.length);
  if (!region || region.length < 64 || !region.subarray(0, 8).equals(Buffer.from('metadata'))) return cut('its metadata is missing or damaged');
  const size = metadataItem(region, VIRTUAL_DISK_SIZE);
  const parameters = metadataItem(region, FILE_PARAMETERS);
  if (!size || !parameters) return cut('its metadata says no size');
  const findings: Finding[] = [];
  if (parameters.readUInt32LE(4) & HAS_PARENT) findings.push({ code: 'parent', text: 'it is the difference to another VHDX' });
  return { format: 'vhdx', virtualSizeBytes: boundedSize(size.readBigUInt64LE(0), findings), findings };
}

export const vhdxReader: FormatReader = {
  read,
  wants(head) {
    const range = head.read(0, 8)?.equals(IDENTITY) ? metadataRegion(head) : undefined;
    return range ? [range] : [];
  },
};
