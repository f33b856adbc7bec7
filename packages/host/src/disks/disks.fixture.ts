import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { conflict, notFound, unavailable } from '@cairn/kit/errors/errors';
import { silentLog } from '@cairn/kit/log/log';
import type { DiskLayer, OpenDisks } from '../hypervisor/open-disks.ts';
import { run } from '../process/run.ts';
import { LocalDisks, type LocalDisksOptions } from './local-disks.ts';
import { blockNode } from './qemu-img.ts';
import { readRecord } from './record.ts';

export const MIB = 1024 * 1024;
export const CANARY = `canary-${randomBytes(16).toString('hex')}`;
const asRoot = process.getuid?.() === 0;
/** Ids that belong to nobody. */
export const TEST_USER = { uid: 0x7000_fff0, gid: 0x7000_fff0 };

export const hasQemuImg = await run('qemu-img', ['--version']).then(
  () => true,
  () => false,
);

type FileLayer = Extract<DiskLayer, { readonly path: string }>;
const fileOf = (layer: DiskLayer): FileLayer => {
  if (!('path' in layer)) throw new Error('not a file');
  return layer;
};
export const jsonOf = (layers: readonly DiskLayer[]): string => `json:${JSON.stringify(blockNode(layers.map(fileOf)))}`;

const GUEST_UID = TEST_USER.uid + 1;
/** As the hypervisor does it: a guest's own files are nobody else's, and root's alone when it has gone. */
const own = (path: string, uid: number): void => {
  if (!asRoot) return;
  chownSync(path, uid, uid === 0 ? 0 : TEST_USER.gid);
  chmodSync(path, 0o600);
};

/** Guests that exist only on paper: what they would do to their disks is done with qemu-img, while `holder` names them. */
export class PaperGuests implements OpenDisks {
  readonly #open = new Map<string, { guests: string[]; layers: readonly DiskLayer[] }>();
  /** Thrown, once, instead of doing what is asked (or after doing it). */
  fail: { readonly when: 'before' | 'after'; readonly error: Error } | undefined;
  readonly calls: string[] = [];

  /** A guest starts: it is the holder from before the resolver is asked. */
  async open(disks: Pick<LocalDisks, 'resolve'>, diskId: string, guest = 'guest-1'): Promise<void> {
    const entry = this.#open.get(diskId) ?? { guests: [], layers: [] };
    entry.guests.push(guest);
    this.#open.set(diskId, entry);
    entry.layers = (await disks.resolve(diskId)).layers;
    const [top] = entry.layers;
    if (top) own(fileOf(top).path, GUEST_UID);
  }

  /** The guest ends; its last layers are handed out, as the test may know where it wrote. */
  close(diskId: string): readonly DiskLayer[] {
    const layers = this.#open.get(diskId)?.layers ?? [];
    this.#open.delete(diskId);
    const [top] = layers;
    if (top) own(fileOf(top).path, 0);
    return layers;
  }

  holder(diskId: string): string | undefined {
    return this.#open.get(diskId)?.guests[0];
  }

  holders(diskId: string): readonly string[] {
    return this.#open.get(diskId)?.guests ?? [];
  }

  async layers(diskId: string): Promise<readonly DiskLayer[]> {
    return this.#need(diskId).layers;
  }

  async resize(diskId: string, sizeBytes: number): Promise<void> {
    await this.#do('resize', async () => {
      const layers = this.#need(diskId).layers;
      await run('qemu-img', ['resize', '-q', jsonOf(layers), String(sizeBytes)]);
    });
  }

  async snapshotTo(diskId: string, overlay: DiskLayer): Promise<void> {
    await this.#do('snapshotTo', async () => {
      const entry = this.#need(diskId);
      const [top] = entry.layers;
      if (top && fileOf(top).path === fileOf(overlay).path) return;
      own(fileOf(overlay).path, GUEST_UID);
      entry.layers = [overlay, ...entry.layers];
    });
  }

  async snapshotAllTo(overlays: readonly { readonly diskId: string; readonly overlay: DiskLayer }[]): Promise<void> {
    for (const { diskId, overlay } of overlays) await this.snapshotTo(diskId, overlay);
  }

  async backupTo(diskId: string, target: DiskLayer): Promise<void> {
    await this.#do('backupTo', async () => {
      const { path, format } = fileOf(target);
      await run('qemu-img', ['convert', '-n', '-O', format, jsonOf(this.#need(diskId).layers), path]);
      own(path, 0);
    });
  }

  async commit(): Promise<void> {
    throw new Error('not used by Disks');
  }

  async pull(diskId: string, range: { readonly top: DiskLayer; readonly base?: DiskLayer }): Promise<void> {
    await this.#do('pull', async () => {
      const entry = this.#need(diskId);
      const top = fileOf(range.top);
      const base = range.base && fileOf(range.base);
      // The names in the headers are relative and right as long as nobody moved anything.
      await run('qemu-img', ['rebase', '-q', '-f', 'qcow2', ...(base ? ['-F', base.format, '-b', base.path] : ['-b', '']), top.path]);
      const files = entry.layers.map(fileOf);
      const from = files.findIndex((l) => l.path === top.path);
      const to = base ? files.findIndex((l) => l.path === base.path) : files.length;
      entry.layers = files.filter((_, i) => i <= from || i >= to);
    });
  }

  async moveTo(): Promise<void> {
    throw new Error('not used by Disks');
  }

  #need(diskId: string): { guests: string[]; layers: readonly DiskLayer[] } {
    const entry = this.#open.get(diskId);
    if (!entry) throw conflict('No guest holds the disk.');
    return entry;
  }

  async #do(call: string, work: () => Promise<void>): Promise<void> {
    this.calls.push(call);
    const { fail } = this;
    this.fail = undefined;
    if (fail?.when === 'before') throw fail.error;
    await work();
    if (fail) throw fail.error;
  }
}

export interface Bench {
  readonly dir: string;
  readonly guests: PaperGuests;
  disks: LocalDisks;
  /** Image id → data, for `openImage`. */
  readonly images: Map<string, Buffer>;
  opened: number;
  /** Warnings and errors that were logged. */
  readonly troubles: string[];
  /** Starts anew on the same files, as after a crash. */
  restart(): Promise<LocalDisks>;
  /** Every file below the data directory, by its relative name. */
  files(): Promise<readonly string[]>;
  cleanUp(): Promise<void>;
}

/** Disks in a directory of their own, as root under a user of their own. */
export async function bench(options: Partial<LocalDisksOptions> = {}): Promise<Bench> {
  const { Readable } = await import('node:stream');
  const outer = await mkdtemp(join(tmpdir(), 'cairn-disks-'));
  if (asRoot) await run('chmod', ['0711', outer]);
  const dir = join(outer, 'data');
  const guests = new PaperGuests();
  const images = new Map<string, Buffer>();
  const troubles: string[] = [];
  const make = (): LocalDisks =>
    new LocalDisks({
      dataDir: dir,
      openDisks: guests,
      openImage: async (imageId): Promise<Readable> => {
        self.opened++;
        const data = images.get(imageId);
        if (!data) throw notFound(`Image ${imageId} was not found.`);
        return Readable.from(data.length === 0 ? [] : [data.subarray(0, 1000), data.subarray(1000)]);
      },
      ...(asRoot ? { user: TEST_USER } : {}),
      log: {
        ...silentLog,
        warn: (fields, message) => troubles.push(`${message} ${JSON.stringify(fields)}`),
        error: (fields, message) => troubles.push(`${message} ${JSON.stringify(fields)}`),
      },
      ...options,
    });
  const self: Bench = {
    dir,
    guests,
    images,
    troubles,
    opened: 0,
    disks: make(),
    async restart() {
      await self.disks.stop();
      self.disks = make();
      await self.disks.start();
      return self.disks;
    },
    async files() {
      const entries = await readdir(dir, { recursive: true, withFileTypes: true });
      return entries
        .filter((e) => e.isFile())
        .map((e) => join(e.parentPath, e.name).slice(dir.length + 1))
        .toSorted();
    },
    async cleanUp() {
      await self.disks.stop();
      await rm(outer, { recursive: true, force: true });
    },
  };
  await self.disks.start();
  return self;
}

/** What a disk holds, through an export. */
export async function contentOf(disks: LocalDisks, diskId: string, snapshotId?: string): Promise<Buffer> {
  const { stream, sizeBytes } = await disks.export(diskId, { format: 'raw', ...(snapshotId === undefined ? {} : { snapshotId }) });
  const data = await buffer(stream);
  if (data.length !== sizeBytes) throw unavailable(`exported ${data.length} of ${sizeBytes}`);
  return data;
}

/** Writes a byte over a range of a disk, as its guest would. */
export async function writeTo(disks: LocalDisks, guests: PaperGuests, diskId: string, byte: number, offset: number, length: number): Promise<void> {
  const layers = guests.holder(diskId) ? await guests.layers(diskId) : (await disks.resolve(diskId)).layers;
  await run('qemu-io', ['-c', `write -q -P ${byte} ${offset} ${length}`, jsonOf(layers)]);
}

export async function recordOf(dir: string, pool: 'volumes' | 'ephemeral', diskId: string): Promise<NonNullable<Awaited<ReturnType<typeof readRecord>>>> {
  const record = await readRecord(join(dir, pool, diskId, 'disk.json'));
  if (!record) throw notFound(`no record of ${diskId}`);
  return record;
}

/** True when the text is in any file below the directory. */
export async function isAnywhere(dir: string, text: string): Promise<boolean> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && (await readFile(join(entry.parentPath, entry.name))).includes(text)) return true;
  }
  return false;
}
