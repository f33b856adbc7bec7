import { boundedSize, type Finding, type FormatReader, fits } from './facts.ts';

/**
 * VDI of VirtualBox, little-endian: 0x40 signature, 0x4c image type (1 dynamic, 2 fixed), 0x154 offset of the block map,
 * 0x170 virtual size (u64), 0x178 block size, 0x180 number of blocks, 0x1b8 and 0x1c8 identities of link and parent.
 */
const SIGNATURE = 0xbeda107f;
const HEADER_BYTES = 512;

export const vdiReader: FormatReader = {
  read(image) {
    const signature = image.read(0x40, 4);
    if (signature?.readUInt32LE(0) !== SIGNATURE) return undefined;
    const head = image.read(0, HEADER_BYTES);
    if (!head) return { format: 'vdi', virtualSizeBytes: 0, findings: [{ code: 'truncated', text: 'the file ends within its header' }] };
    const findings: Finding[] = [];
    const type = head.readUInt32LE(0x4c);
    if (type !== 1 && type !== 2) findings.push({ code: 'parent', text: 'its VDI type is not supported: only dynamic and fixed images are complete' });
    if (head.subarray(0x1b8, 0x1d8).some((byte) => byte !== 0)) findings.push({ code: 'parent', text: 'it is the difference to another VDI' });
    const blocks = BigInt(head.readUInt32LE(0x180));
    // The map is read whole into memory: it has to be there.
    if (!fits(BigInt(head.readUInt32LE(0x154)), blocks * 4n, image.sizeBytes))
      findings.push({ code: 'truncated', text: 'its block map lies beyond the end of the file' });
    return { format: 'vdi', virtualSizeBytes: boundedSize(head.readBigUInt64LE(0x170), findings), findings, variant: type === 2 ? 'fixed' : 'dynamic' };
  },
};
