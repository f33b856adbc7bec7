import { boundedSize, type Finding, type FormatReader, fits } from './facts.ts';

/**
 * VHD ("vpc" to QEMU), big-endian. A dynamic image starts with a copy of its footer: 0 "conectix", 0x10 offset of the dynamic header
 * (u64), 0x28 original size (u64), 0x3c disk type (2 fixed, 3 dynamic, 4 differencing). The dynamic header: "cxsparse",
 * +0x10 offset of the block table (u64), +0x1c entries. A fixed image has its footer only at the end and is raw data in front;
 * oslo.utils takes it for raw, and so does this.
 */
const COOKIE = Buffer.from('conectix', 'latin1');
const DYNAMIC_COOKIE = Buffer.from('cxsparse', 'latin1');
const FOOTER_BYTES = 512;
const DYNAMIC_HEADER_BYTES = 1024;
const TYPE_DYNAMIC = 3;
const TYPE_DIFFERENCING = 4;

export const vhdReader: FormatReader = {
  read(image) {
    if (!image.read(0, 8)?.equals(COOKIE)) return undefined;
    const footer = image.read(0, FOOTER_BYTES);
    if (!footer) return { format: 'vhd', virtualSizeBytes: 0, findings: [{ code: 'truncated', text: 'the file ends within its header' }] };
    const findings: Finding[] = [];
    const type = footer.readUInt32BE(0x3c);
    if (type === TYPE_DIFFERENCING) findings.push({ code: 'parent', text: 'it is the difference to another VHD' });
    else if (type !== TYPE_DYNAMIC) findings.push({ code: 'version', text: 'its VHD type is not supported' });
    else {
      const at = footer.readBigUInt64BE(0x10);
      const header = at < BigInt(image.sizeBytes) ? image.read(Number(at), DYNAMIC_HEADER_BYTES) : undefined;
      if (!header?.subarray(0, 8).equals(DYNAMIC_COOKIE)) findings.push({ code: 'truncated', text: 'its dynamic header is missing' });
      else if (!fits(header.readBigUInt64BE(0x10), BigInt(header.readUInt32BE(0x1c)) * 4n, image.sizeBytes)) {
        findings.push({ code: 'truncated', text: 'its block table lies beyond the end of the file' });
      }
    }
    return {
      format: 'vhd',
      virtualSizeBytes: boundedSize(footer.readBigUInt64BE(0x28), findings),
      findings,
      variant: type === TYPE_DYNAMIC ? 'dynamic' : `type ${type}`,
    };
  },
  wants(head) {
    const footer = head.read(0, FOOTER_BYTES);
    if (!footer?.subarray(0, 8).equals(COOKIE)) return [];
    const at = footer.readBigUInt64BE(0x10);
    return at <= BigInt(Number.MAX_SAFE_INTEGER) ? [{ offset: Number(at), length: DYNAMIC_HEADER_BYTES }] : [];
  },
};
