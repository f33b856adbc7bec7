import type { DetectedFormat, FindingCode, ImageFacts } from './facts.ts';

/** QEMU's block drivers for the formats that may be opened. */
export type QemuDriver = 'raw' | 'qcow2' | 'vmdk' | 'vdi' | 'vpc' | 'vhdx';

export type Refusal =
  /** No inspector and no driver for the declared format. */
  | 'unsupported'
  /** The data is of another format than declared. */
  | 'mismatch'
  /** The data is of several formats at once. */
  | 'ambiguous'
  /** The declared format, but not safe to open. */
  | 'unsafe';

export type Verdict =
  | {
      readonly ok: true;
      /** What the data is. */
      readonly format: DetectedFormat;
      /** How it is opened. */
      readonly driver: QemuDriver;
      /** Size of the disk within. At `upload` as glance records it: 0 where it records none (kernels and such). */
      readonly virtualSizeBytes: number;
    }
  | {
      readonly ok: false;
      readonly refused: Refusal;
      /** A sentence for the user. */
      readonly reason: string;
      /** Of `unsafe`: what was found. */
      readonly findings: readonly FindingCode[];
    };

export interface JudgeOptions {
  /**
   * `use` (default): before anything opens the data, nova's rules (nova/virt/images.py): what it is must be what it was declared to be.
   * `upload`: glance's rules (glance/location.py), which differ in one point: data declared raw may be of any one safe format, since
   * it will only ever be opened as raw.
   */
  readonly stage?: 'use' | 'upload';
  /** Accepts partitioned disks whose MBR no tool writes (glance's `gpt_safety_checks_nonfatal = mbr`). */
  readonly anyMbr?: boolean;
  /** The image is known to be an encrypted disk as it is stored (LUKS within raw): it is taken as it is, and nothing here opens what is in it. */
  readonly encrypted?: boolean;
}

const DRIVERS: Readonly<Record<DetectedFormat, QemuDriver | undefined>> = {
  raw: 'raw',
  gpt: 'raw',
  iso: 'raw',
  qcow2: 'qcow2',
  vmdk: 'vmdk',
  vdi: 'vdi',
  vhd: 'vpc',
  vhdx: 'vhdx',
  qed: undefined,
  luks: undefined,
};
const AMAZON = new Set(['ami', 'ari', 'aki']);
const inspectable = (format: string): format is DetectedFormat => Object.hasOwn(DRIVERS, format);

/**
 * Whether data may be used as the `disk_format` it was declared with. The rules are upstream's (oslo.utils' format_inspector with
 * glance's and nova's use of it): the content must match the declaration; raw may be a partitioned disk; an ISO may have a partition
 * table in front; kernels, ramdisks and machine images of Amazon's kind may be anything that is safe, and are opened as raw; a file
 * of several formats is nothing.
 */
export function judge(declared: string, facts: ImageFacts, options: JudgeOptions = {}): Verdict {
  const refuse = (refused: Refusal, reason: string, findings: readonly FindingCode[] = []): Verdict => ({ ok: false, refused, reason, findings });
  const upload = options.stage === 'upload';
  const { format } = facts;
  if (format === undefined) return refuse('ambiguous', `The image's data is of several formats at once (${facts.matches.map((m) => m.format).join(', ')}).`);
  const amazon = AMAZON.has(declared);
  if (!amazon && !inspectable(declared) && !(upload && format === 'raw')) {
    return refuse('unsupported', `Images of the format ${printable(declared)} cannot be used.`);
  }
  const stored = options.encrypted === true && declared === 'raw' && format === 'luks';
  const driver = stored ? 'raw' : DRIVERS[format];
  const matches =
    stored ||
    declared === format ||
    (declared === 'raw' && (upload || format === 'gpt')) ||
    (amazon && (upload ? format === 'raw' : driver === 'raw')) ||
    (upload && format === 'raw' && !inspectable(declared));
  if (!matches) return refuse('mismatch', `The image was declared as ${printable(declared)}, but its data is ${format}.`);
  const findings = facts.findings.filter((finding) => !(options.anyMbr && format === 'gpt' && finding.code === 'mbr'));
  if (findings.length > 0)
    return refuse(
      'unsafe',
      `The image cannot be used: ${findings.map((f) => f.text).join('; ')}.`,
      findings.map((f) => f.code),
    );
  if (upload) {
    const virtualSizeBytes = declared === format ? facts.virtualSizeBytes : declared === 'raw' ? facts.sizeBytes : 0;
    return { ok: true, format, driver: declared === format ? (driver ?? 'raw') : 'raw', virtualSizeBytes };
  }
  if (!driver) return refuse('unsupported', `Images of the format ${format} cannot be used.`);
  return { ok: true, format, driver, virtualSizeBytes: driver === 'raw' ? facts.sizeBytes : facts.virtualSizeBytes };
}

/** A declared format comes from a request: only a plain word is repeated. */
const printable = (word: string): string => (/^[a-z0-9_-]{1,20}$/i.test(word) ? word : 'given');
