import { boundedSize, type Finding, type FormatReader } from './facts.ts';

/**
 * Data that a guest reads as it stands: partitioned disks and ISO images. QEMU opens them as raw. Also QED and LUKS, which are known
 * only to be recognized.
 */
const SECTOR = 512;
const PARTITION_TABLE = 446;
const PROTECTIVE_GPT = 0xee;
const FIXED_DISK = 0xf8;

/** MBR, the protective one of a GPT included (upstream calls both `gpt`). The boot sector of a FAT file system looks alike and is none. */
export const gptReader: FormatReader = {
  read(image) {
    const mbr = image.read(0, SECTOR);
    if (!mbr || mbr.readUInt16LE(510) !== 0xaa55) return undefined;
    const isFat = mbr[0x10] === 2 && mbr[0x15] === FIXED_DISK;
    if (isFat) return undefined;
    const findings: Finding[] = [];
    const bad = (text: string): void => void findings.push({ code: 'mbr', text });
    const used: number[] = [];
    let protective = false;
    for (let i = 0; i < 4; i++) {
      const entry = mbr.subarray(PARTITION_TABLE + 16 * i, PARTITION_TABLE + 16 * (i + 1));
      const type = entry[4] ?? 0;
      if (entry[0] !== 0 && entry[0] !== 0x80) bad('its partition table has a boot flag that is neither on nor off');
      if (type !== 0) used.push(i);
      if (type !== PROTECTIVE_GPT) continue;
      protective = true;
      if (entry[1] !== 0 || entry[2] !== 2 || entry[3] !== 0 || entry.readUInt32LE(8) !== 1) bad('its protective MBR does not start at the first sector');
    }
    if (protective && (used.length !== 1 || used[0] !== 0)) bad('its protective MBR has further partitions');
    if (used.length === 0) bad('its partition table is empty');
    return { format: 'gpt', virtualSizeBytes: image.sizeBytes, findings, variant: protective ? 'gpt' : 'mbr' };
  },
};

const VOLUME_DESCRIPTOR = 32 * 1024;

/** ISO 9660 and UDF: a volume descriptor after 16 sectors that anybody may use (a boot sector, or another format's header). */
export const isoReader: FormatReader = {
  read(image) {
    const descriptor = image.read(VOLUME_DESCRIPTOR, 2048);
    const identifier = descriptor?.toString('latin1', 1, 6);
    if (!descriptor || (identifier !== 'CD001' && identifier !== 'NSR02' && identifier !== 'NSR03')) return undefined;
    const primary = descriptor[0] === 1;
    const virtualSizeBytes = primary ? descriptor.readUInt32LE(80) * descriptor.readUInt16LE(128) : 0;
    return { format: 'iso', virtualSizeBytes, findings: [], variant: identifier === 'CD001' ? 'iso9660' : 'udf' };
  },
};

export const qedReader: FormatReader = {
  read(image) {
    if (!image.read(0, 4)?.equals(Buffer.from('QED\0', 'latin1'))) return undefined;
    return { format: 'qed', virtualSizeBytes: 0, findings: [{ code: 'banned', text: 'the QED format is not allowed' }] };
  },
};

export const luksReader: FormatReader = {
  read(image) {
    if (!image.read(0, 6)?.equals(Buffer.from('LUKS\xba\xbe', 'latin1'))) return undefined;
    const header = image.read(0, 592);
    if (!header) return { format: 'luks', virtualSizeBytes: 0, findings: [{ code: 'truncated', text: 'the file ends within its header' }] };
    const findings: Finding[] = [];
    if (header.readUInt16BE(6) !== 1) findings.push({ code: 'version', text: 'only version 1 of LUKS is supported' });
    const payload = BigInt(header.readUInt32BE(104)) * BigInt(SECTOR);
    if (payload > BigInt(image.sizeBytes)) {
      findings.push({ code: 'truncated', text: 'its payload lies beyond the end of the file' });
      return { format: 'luks', virtualSizeBytes: 0, findings };
    }
    return { format: 'luks', virtualSizeBytes: boundedSize(BigInt(image.sizeBytes) - payload, findings), findings };
  },
};
