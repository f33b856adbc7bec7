/** What an image's bytes turn out to be. Names as oslo.utils' format inspector and glance's `disk_format` have them. */
export type DetectedFormat = 'raw' | 'qcow2' | 'qed' | 'vmdk' | 'vdi' | 'vhd' | 'vhdx' | 'iso' | 'gpt' | 'luks';

/**
 * Something about an image that makes it unsafe to open, or a file that is not what its header says. Codes are for programs:
 *
 * - `truncated`: the header or a table lies beyond the end of the data.
 * - `backing_file`, `data_file`: the image would make whoever opens it read (or write) another file.
 * - `unknown_features`, `version`: cannot be judged, so it is not opened.
 * - `huge_table`, `huge_size`: opening or converting it would exhaust memory or time.
 * - `encrypted`: needs a key that no one here has.
 * - `descriptor`, `extent`, `footer`: a VMDK whose text names what is not in the file, or whose parts contradict each other.
 * - `parent`: a differencing VHD, VHDX or VDI.
 * - `mbr`: a partition table that no tool writes.
 * - `banned`: a format that nobody uses and nothing here opens.
 */
export type FindingCode =
  | 'truncated'
  | 'backing_file'
  | 'data_file'
  | 'unknown_features'
  | 'version'
  | 'huge_table'
  | 'huge_size'
  | 'encrypted'
  | 'descriptor'
  | 'extent'
  | 'footer'
  | 'parent'
  | 'mbr'
  | 'banned';

export interface Finding {
  readonly code: FindingCode;
  /** For people; says nothing that came out of the image, so it may be shown to anyone. */
  readonly text: string;
}

/** One format that the data answers to. */
export interface FormatMatch {
  readonly format: Exclude<DetectedFormat, 'raw'>;
  /** Size of the disk that a guest sees; 0 when it cannot be told. */
  readonly virtualSizeBytes: number;
  readonly findings: readonly Finding[];
  /** Layout within the format: `monolithicsparse`, `dynamic`, `mbr` ... */
  readonly variant?: string;
}

export interface ImageFacts {
  /** Length of the data. */
  readonly sizeBytes: number;
  /**
   * What it is: `raw` when it answers to no format, `iso` for an ISO with a partition table in front (bootable as a disk, legitimate),
   * and undefined when it answers to several formats otherwise: such a file shows different faces to different readers.
   */
  readonly format: DetectedFormat | undefined;
  /** Size of the disk within; the data's own length for raw and partitioned data, 0 when unknown. */
  readonly virtualSizeBytes: number;
  /** Findings of `format`; empty when safe (or when there are several formats: then none is safe). */
  readonly findings: readonly Finding[];
  /** All formats it answers to, raw left out. */
  readonly matches: readonly FormatMatch[];
}

/** Random access to the parts of an image that were kept. */
export interface ImageBytes {
  /** Length of the whole image. */
  readonly sizeBytes: number;
  /** The bytes of a range, or undefined when it is not wholly inside the image (or was not asked for beforehand). */
  read(offset: number, length: number): Buffer | undefined;
}

/** A part of the image that a format needs beyond its first mebibyte. */
export interface WantedRange {
  readonly offset: number;
  readonly length: number;
}

/** Reads one format. Never throws, whatever the bytes. */
export interface FormatReader {
  /** What it needs to see beyond the head; asked once the head is there, with an ImageBytes that holds nothing else. */
  wants?(head: ImageBytes): readonly WantedRange[];
  /** The match, or undefined when the data is not of this format. */
  read(image: ImageBytes): FormatMatch | undefined;
}

/** No disk is larger: what lies above cannot be counted exactly, nor stored. 8 EiB and such are attacks or damage. */
export const MAX_VIRTUAL_SIZE_BYTES = 2 ** 50;

/** A 64-bit size as a number; 0 with a finding when it is beyond MAX_VIRTUAL_SIZE_BYTES. */
export function boundedSize(size: bigint, findings: Finding[]): number {
  if (size <= BigInt(MAX_VIRTUAL_SIZE_BYTES)) return Number(size);
  findings.push({ code: 'huge_size', text: 'the virtual size is larger than any disk' });
  return 0;
}

/** Whether a table of `length` bytes at `offset` lies within the image; both as read from a header, so of any size. */
export const fits = (offset: bigint, length: bigint, sizeBytes: number): boolean => offset + length <= BigInt(sizeBytes);
