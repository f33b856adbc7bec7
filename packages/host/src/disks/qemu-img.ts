import { open } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { ExportFormat } from '../interface/disks.ts';
import type { FindingCode } from '../inspector/facts.ts';
import type { QemuDriver } from '../inspector/judge.ts';
import { judgeQcow2Header, readQcow2Header } from '../inspector/qcow2.ts';
import type { DeviceFacts } from '../hypervisor/open-disks.ts';
import type { ProcessUser } from '../process/command.ts';
import { escapeOption } from '../process/command.ts';
import { run } from '../process/run.ts';
import { Slots } from './locks.ts';
import { backingName } from './qcow2-file.ts';

/** A file and the driver that reads it. */
export interface ImageFile {
  readonly path: string;
  readonly format: QemuDriver;
  /** The path is a block device's. */
  readonly device?: DeviceFacts;
}

export interface QemuImgOptions {
  /** Whom it runs as; its own user, so that a fault in a format's driver reaches nothing else. */
  readonly user?: ProcessUser;
  /** Conversions and merges at once. Default 2. */
  readonly slots?: number;
}

const GIB = 2 ** 30;
/**
 * Address space. QEMU's 64 worker threads take 8 MiB each for their stacks, and the largest table of a format fits beside them; a bomb does
 * not. (nova and cinder give 1 GiB, which many threads at once do exceed.) One arena of malloc, as each would reserve 64 MiB more.
 */
const MEMORY_BYTES = 2 * GIB;
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1' };
const QUICK_MS = 30_000;

/**
 * The one place that starts qemu-img. Rules, each for an advisory that OpenStack had:
 * - nothing is probed: every file is opened by a driver named here, chains as explicit block nodes (`json:`), so that no header decides what is read;
 * - the layers' headers are looked at before: one that names a data file or unknown features is not opened (a broken-out guest may have written it);
 * - it runs as a user of its own, with limits on processor time and address space, and ends with Cairn;
 * - `-U` (ignore locks) is never used: what a guest has open is the guest's QEMU's to change.
 */
export class QemuImg {
  readonly #user: ProcessUser | undefined;
  readonly #slots: Slots;

  constructor(options: QemuImgOptions = {}) {
    this.#user = options.user;
    this.#slots = new Slots(options.slots ?? 2);
  }

  /** Grows a closed disk. */
  async resize(chain: readonly ImageFile[], sizeBytes: number): Promise<void> {
    await this.#openable(chain);
    await this.#run(['resize', '-q', node(chain), String(sizeBytes)], { timeoutMs: QUICK_MS });
  }

  /** Writes what a chain holds to `path`, which stands alone. `sourceBytes` scales the time it may take. */
  async convert(
    chain: readonly ImageFile[],
    path: string,
    format: ExportFormat,
    options: { readonly sourceBytes: number; readonly signal?: AbortSignal },
  ): Promise<void> {
    await this.#openable(chain);
    await this.#slow(['convert', '-q', '-W', ...targetFormat(format), node(chain), checked(path)], options);
  }

  /**
   * Writes what a chain holds to `path`, with `from` or `to` the names of files with secrets: decrypted by the one, and encrypted by the other into a LUKS disk
   * that has its header already. Without `to` the file becomes qcow2.
   */
  async recrypt(
    chain: readonly ImageFile[],
    path: string,
    secrets: { readonly from?: string | undefined; readonly to?: string | undefined },
    options: { readonly sourceBytes: number },
  ): Promise<void> {
    await this.#openable(chain);
    const source = sourceOf(chain, secrets.from);
    const target =
      secrets.to === undefined
        ? ['-O', 'qcow2', source, checked(path)]
        : ['-n', '--target-image-opts', source, `driver=luks,key-secret=to,file.driver=file,file.filename=${escapeOption(checked(path))}`];
    await this.#slow(['convert', '-q', ...secretObjects(secrets), ...target], options);
  }

  /**
   * Writes what a chain holds to the beginning of a block device of at least that size. `from` and `to` as with recrypt; `isZero`: the device reads as
   * zeroes, and nothing needs to be written where the chain does too.
   */
  async fill(
    chain: readonly ImageFile[],
    device: string,
    options: { readonly sourceBytes: number; readonly isZero: boolean; readonly from?: string | undefined; readonly to?: string | undefined },
  ): Promise<void> {
    await this.#openable(chain);
    const { from, to, isZero } = options;
    const filename = `filename=${escapeOption(checked(device))}`;
    const target =
      to === undefined ? `driver=raw,file.driver=host_device,file.${filename}` : `driver=luks,key-secret=to,file.driver=host_device,file.${filename}`;
    // what is encrypted is zero nowhere
    const zero = isZero && to === undefined ? ['--target-is-zero'] : [];
    await this.#slow(
      ['convert', '-q', '-t', 'none', '-n', ...zero, ...secretObjects({ from, to }), '--target-image-opts', sourceOf(chain, from), target],
      options,
    );
  }

  /** Writes the top layer of a closed chain down into the layer below, which then holds what the top held. The top stays as it is. */
  async commit(chain: readonly ImageFile[], options: { readonly sourceBytes: number; readonly signal?: AbortSignal }): Promise<void> {
    await this.#openable(chain);
    await this.#slow(['commit', '-q', '-d', node(chain)], options);
  }

  /**
   * Copies into the top layer of a closed chain what it has from the layers that are to go, so that it stands on `below` (or alone).
   * The chain reads the same before, during and after.
   */
  async rebase(chain: readonly ImageFile[], below: ImageFile | undefined, options: RebaseOptions): Promise<void> {
    await this.#openable(chain);
    const top = chain[0] as ImageFile;
    // qemu-img opens both backing chains by the names in the headers: they have to say what the chain says.
    for (const [i, layer] of chain.entries()) {
      if (layer.format !== 'qcow2' || (await backingIs(layer, chain[i + 1]))) continue;
      await options.writing(layer.path, () =>
        this.#run(['rebase', '-q', '-u', '-f', 'qcow2', ...onto(layer, chain[i + 1]), checked(layer.path)], { timeoutMs: QUICK_MS }),
      );
    }
    await options.writing(top.path, () => this.#slow(['rebase', '-q', '-f', 'qcow2', ...onto(top, below), checked(top.path)], options));
  }

  async #openable(chain: readonly ImageFile[]): Promise<void> {
    for (const [i, layer] of chain.entries()) {
      checked(layer.path);
      if (layer.format !== 'qcow2') continue;
      const { head, sizeBytes } = await readHead(layer.path);
      const header = readQcow2Header(head);
      const findings: readonly FindingCode[] = header ? judgeQcow2Header(header, sizeBytes, i < chain.length - 1).map((f) => f.code) : ['truncated'];
      if (findings.length > 0) throw new Error(`${layer.path} is not opened: ${findings.join(', ')}`);
    }
  }

  #slow(args: readonly string[], options: { readonly sourceBytes: number; readonly signal?: AbortSignal }): Promise<void> {
    // A generous guess of 20 MiB/s on a busy machine, and as much processor time.
    const seconds = 120 + Math.ceil(options.sourceBytes / (20 * 2 ** 20));
    return this.#slots.run(() => this.#run(args, { timeoutMs: seconds * 1000, cpuSeconds: seconds, ...(options.signal ? { signal: options.signal } : {}) }));
  }

  async #run(args: readonly string[], options: { readonly timeoutMs: number; readonly cpuSeconds?: number; readonly signal?: AbortSignal }): Promise<void> {
    const limits = { cpuSeconds: options.cpuSeconds ?? QUICK_MS / 1000, memoryBytes: MEMORY_BYTES };
    await run('qemu-img', args, {
      limits,
      env: ENVIRONMENT,
      timeoutMs: options.timeoutMs,
      dieWithParent: true,
      ...(this.#user ? { user: this.#user } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  }
}

/**
 * Copies between a file of ours and an image of a Ceph cluster. Both ends are named with their drivers by who calls. Without the limits of
 * address space: Ceph's client maps more than they allow, and what it reads is raw.
 */
export const convertWithCluster = (args: readonly string[], timeoutMs: number): Promise<{ readonly stdout: string }> =>
  run('qemu-img', ['convert', '-q', '-W', ...args], { timeoutMs, dieWithParent: true });

export interface RebaseOptions {
  readonly sourceBytes: number;
  readonly signal?: AbortSignal;
  /** Makes a file of the chain writable for qemu-img while `work` runs. */
  readonly writing: (path: string, work: () => Promise<void>) => Promise<void>;
}

const onto = (layer: ImageFile, below: ImageFile | undefined): readonly string[] =>
  below ? ['-F', below.format, '-b', backingName(layer.path, below.path)] : ['-b', ''];

/** How qemu-img is told a format. VHD keeps its exact size only when it is asked to; by default it goes up to a whole cylinder. */
export function targetFormat(format: ExportFormat): readonly string[] {
  if (format === 'vhd') return ['-O', 'vpc', '-o', 'force_size=on'];
  return ['-O', format === 'ploop' ? 'parallels' : format];
}

/** An absolute path cannot be taken for a protocol (`nbd:...`) nor for an option. */
function checked(path: string): string {
  if (!isAbsolute(path)) throw new Error(`not an absolute path: ${path}`);
  return path;
}

/** Secrets by the names of files that hold them. */
const secretObjects = (secrets: { readonly from?: string | undefined; readonly to?: string | undefined }): readonly string[] =>
  Object.entries(secrets).flatMap(([id, file]) => (file === undefined ? [] : ['--object', `secret,id=${id},file=${escapeOption(checked(file))}`]));

/** A chain as a source, decrypted by the secret `from` where it is given. */
const sourceOf = (chain: readonly ImageFile[], from: string | undefined): string =>
  from === undefined ? node(chain) : `json:${JSON.stringify({ driver: 'luks', 'key-secret': 'from', file: blockNode(chain) })}`;

interface BlockNode {
  readonly driver: QemuDriver;
  readonly size?: number;
  readonly file: { readonly driver: 'file' | 'host_device'; readonly filename: string };
  readonly backing?: BlockNode | null;
}

/** A chain as QEMU's block nodes, every driver named; nothing below the last. */
export function blockNode(chain: readonly ImageFile[]): BlockNode {
  const [top, ...rest] = chain;
  if (!top) throw new Error('a chain has at least one layer');
  const { format, device } = top;
  const file = { driver: device ? ('host_device' as const) : ('file' as const), filename: checked(top.path) };
  const own = { driver: format, ...(device?.sizeBytes !== undefined && { size: device.sizeBytes }), file };
  if (top.format !== 'qcow2') return own;
  return { ...own, backing: rest.length > 0 ? blockNode(rest) : null };
}
const node = (chain: readonly ImageFile[]): string => `json:${JSON.stringify(blockNode(chain))}`;

const HEAD_BYTES = 64 * 1024;

async function readHead(path: string): Promise<{ readonly head: Buffer; readonly sizeBytes: number }> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(buffer, 0, HEAD_BYTES, 0);
    return { head: buffer.subarray(0, bytesRead), sizeBytes: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

/** Whether a qcow2 header names exactly the layer that is below it, and its format. After a crash or a guest's work it may name an equivalent one. */
async function backingIs(layer: ImageFile, below: ImageFile | undefined): Promise<boolean> {
  const { head } = await readHead(layer.path);
  const header = readQcow2Header(head);
  if (!header?.backing || !below) return !header?.backing && !below;
  const name = head.toString('utf8', Number(header.backing.offset), Number(header.backing.offset) + header.backing.length);
  return name === backingName(layer.path, below.path) && header.backingFormat === below.format;
}

/** True when a closed qcow2 layer holds nothing of its own: every entry of its L1 table is empty. */
export async function isEmptyLayer(path: string): Promise<boolean> {
  const { head } = await readHead(path);
  const header = readQcow2Header(head);
  if (!header || header.l1.entries * 8 > 32 * 2 ** 20) return false;
  const file = await open(path, 'r');
  try {
    const table = Buffer.alloc(header.l1.entries * 8);
    const { bytesRead } = await file.read(table, 0, table.length, Number(header.l1.offset));
    return table.subarray(0, bytesRead).every((byte) => byte === 0);
  } finally {
    await file.close();
  }
}
