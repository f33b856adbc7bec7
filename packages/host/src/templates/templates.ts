import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import { conflict, isCairnError, unavailable } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import { sync } from '../disks/image-cache.ts';
import type { LocalDisks } from '../disks/local-disks.ts';
import type { QemuGuests } from '../hypervisor/guests.ts';
import type { OpenTemplate, TemplateResolver } from '../hypervisor/open-template.ts';
import type { PreparedTemplate, TemplateInfo, Templates, TemplateSpec } from '../interface/templates.ts';
import { copyMemory, SealedMemory, usedBytes } from './memory.ts';
import { readTemplate, TemplateFiles, type TemplateRecord, writeTemplate } from './record.ts';
import { templateIdOf, whyNoTemplate } from './shape.ts';

const MIB = 2 ** 20;
/** The snapshot of a template's disk that goes with its memory. */
const SNAPSHOT = 'kept';
/** How long an image may take to boot. */
const READY_MS = 300_000;
/** Templates beyond these limits go, those first that were not started from for the longest time. */
const MOST_TEMPLATES = 16;
const MOST_BYTES = 32 * 2 ** 30;
/** Kept free of the host's disk. */
const SPARE_BYTES = 2 ** 30;
/** An image that could not be kept is not tried again for so long: each try costs somebody a boot. */
const REFUSED_MS = 3_600_000;
/** Memory that nobody starts from is let go; it is read again from its file. */
const IDLE_MS = 600_000;

export interface LocalTemplatesOptions {
  readonly dataDir: string;
  readonly guests: QemuGuests;
  readonly disks: LocalDisks;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readyMs?: number;
  readonly mostTemplates?: number;
}

/** A template that is there. */
interface Kept {
  readonly record: TemplateRecord;
  usedAtMs: number;
  memory?: Promise<SealedMemory | undefined>;
  /** Guests that are starting from it. */
  opened: number;
  timer?: Timer;
}

/** Templates in files: the disk in Disks, memory and devices below `dataDir`, one directory each. */
export class LocalTemplates implements Templates {
  readonly #options: LocalTemplatesOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #making = new Map<string, { readonly done: Promise<PreparedTemplate>; readonly info: TemplateInfo }>();
  readonly #refused = new Map<string, TemplateInfo & { readonly reason: string }>();
  #stop = new AbortController();
  /** One boots at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LocalTemplatesOptions) {
    this.#options = options;
  }

  /** Finds the templates of an earlier run, and removes what is left of one that was in the making. After guests and disks have started. */
  async start(): Promise<void> {
    const { dataDir, disks, clock } = this.#options;
    this.#stop = new AbortController();
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
    const there = new Set((await disks.list()).filter((disk) => disk.pool === 'template').map((disk) => disk.diskId));
    for (const name of await readdir(dataDir)) {
      const record = await readTemplate(this.#files(name));
      if (record?.templateId === name && there.has(name)) this.#kept.set(name, { record, usedAtMs: clock.nowMs(), opened: 0 });
      else await rm(this.#files(name).dir, { recursive: true, force: true });
    }
    for (const diskId of there) if (!this.#kept.has(diskId)) await disks.remove(diskId);
  }

  /** Ends what is being made. Templates stay. */
  async stop(): Promise<void> {
    this.#stop.abort(unavailable('This host is stopping.'));
    await Promise.allSettled([...this.#making.values()].map(({ done }) => done));
    for (const kept of this.#kept.values()) await this.#letGo(kept);
  }

  async prepare(spec: TemplateSpec, signal?: AbortSignal): Promise<PreparedTemplate> {
    this.#stop.signal.throwIfAborted();
    const reason = whyNoTemplate(spec);
    if (reason !== undefined) return { reason };
    const templateId = templateIdOf(spec, await this.#options.guests.inventory());
    const kept = this.#kept.get(templateId);
    if (kept) return this.#use(kept);
    const refused = this.#refused.get(templateId);
    if (refused && this.#options.clock.nowMs() - refused.atMs < REFUSED_MS) return { reason: refused.reason };
    const making = this.#making.get(templateId) ?? this.#begin(templateId, spec);
    return await unlessAborted(making.done, signal);
  }

  async list(): Promise<readonly TemplateInfo[]> {
    const kept = [...this.#kept.values()].map(async ({ record }): Promise<TemplateInfo> => {
      const { templateId, imageId, memoryMb, madeAtMs: atMs } = record;
      return { templateId, imageId, state: 'ready', memoryMb, usedBytes: await this.#bytesOf(templateId), atMs };
    });
    return [...(await Promise.all(kept)), ...[...this.#making.values()].map(({ info }) => info), ...this.#refused.values()];
  }

  async drop(imageId: string): Promise<void> {
    for (const [id, refused] of this.#refused) if (refused.imageId === imageId) this.#refused.delete(id);
    const making = [...this.#making.values()].filter(({ info }) => info.imageId === imageId);
    await Promise.allSettled(making.map(({ done }) => done));
    for (const [id, { record }] of this.#kept) if (record.imageId === imageId) await this.#remove(id);
  }

  /** Given to the hypervisor. */
  readonly open: TemplateResolver = async (templateId, { rootDiskId, ownFile }): Promise<OpenTemplate> => {
    const kept = this.#kept.get(templateId);
    if (!kept) throw conflict('the template is gone');
    if (!(await this.#options.disks.isFresh(rootDiskId, { diskId: templateId, snapshotId: SNAPSHOT })))
      throw conflict('the disk of the server is not as the template left it');
    const files = this.#files(templateId);
    kept.opened += 1;
    try {
      const [sealed, console] = await Promise.all([this.#memory(kept), readFile(files.console)]);
      if (!sealed) await copyMemory(files.memory, ownFile);
      return {
        layout: kept.record.layout,
        memory: sealed ? { path: '/proc/self/fd/3', inherit: [sealed.fd] } : { path: ownFile, inherit: [] },
        statePath: files.state,
        console,
        close: async () => {
          if (!sealed) await rm(ownFile, { force: true });
          this.#closed(kept);
        },
      };
    } catch (error) {
      this.#closed(kept);
      throw error;
    }
  };

  #files(templateId: string): TemplateFiles {
    return new TemplateFiles(this.#options.dataDir, templateId);
  }

  #use(kept: Kept): PreparedTemplate {
    kept.usedAtMs = this.#options.clock.nowMs();
    return { templateId: kept.record.templateId, disk: { diskId: kept.record.templateId, snapshotId: SNAPSHOT } };
  }

  #begin(templateId: string, spec: TemplateSpec): { readonly done: Promise<PreparedTemplate>; readonly info: TemplateInfo } {
    const { clock, log } = this.#options;
    const atMs = clock.nowMs();
    const about = { templateId, imageId: spec.image.imageId, memoryMb: spec.machine.memoryMb, usedBytes: 0 };
    log.info({ templateId, imageId: spec.image.imageId }, 'a template is made: its image boots');
    const made = this.#turn.then(() => this.#make(templateId, spec));
    this.#turn = made.catch(() => {});
    const done = made
      .then(
        (kept) => {
          log.info({ templateId, imageId: spec.image.imageId, tookMs: clock.nowMs() - atMs }, 'a template is ready');
          return this.#use(kept);
        },
        (error: unknown) => {
          if (this.#stop.signal.aborted) throw error;
          const reason = isCairnError(error) ? error.message : 'its template could not be made';
          log.warn({ templateId, imageId: spec.image.imageId, reason, err: error }, 'a template could not be made; its servers boot');
          this.#refused.set(templateId, { ...about, state: 'refused', reason, atMs: clock.nowMs() });
          return { reason };
        },
      )
      .finally(() => this.#making.delete(templateId));
    done.catch(() => {});
    const making = { done, info: { ...about, state: 'making' as const, atMs } };
    this.#making.set(templateId, making);
    return making;
  }

  async #make(templateId: string, spec: TemplateSpec): Promise<Kept> {
    const { disks, guests, clock, readyMs = READY_MS } = this.#options;
    const { signal } = this.#stop;
    signal.throwIfAborted();
    const files = this.#files(templateId);
    const memoryBytes = spec.machine.memoryMb * MIB;
    await this.#makeRoom(memoryBytes);
    try {
      await mkdir(files.dir, { recursive: true, mode: 0o711 });
      const memory = await open(files.memory, 'wx', 0o600);
      await memory.truncate(memoryBytes).finally(() => memory.close());
      await disks.cacheImage(spec.image);
      await disks.create({ diskId: templateId, sizeBytes: spec.sizeBytes, source: { kind: 'image', image: spec.image }, pool: 'template' });
      const root = { ...spec.root, diskId: templateId };
      const { limits: _, ...unlimited } = root;
      const machine = { ...spec.machine, guestId: randomUUID(), name: `template ${templateId}`, disks: [unlimited], nics: [] };
      const { layout, console } = await guests.makeTemplate(machine, { memoryPath: files.memory, statePath: files.state }, { readyMs, signal });
      await disks.snapshot(templateId, SNAPSHOT);
      await writeFile(files.console, console, { mode: 0o600 });
      await Promise.all([files.memory, files.state, files.console].map(sync));
      const record: TemplateRecord = { version: 1, templateId, imageId: spec.image.imageId, memoryMb: spec.machine.memoryMb, madeAtMs: clock.nowMs(), layout };
      await writeTemplate(files, record);
      const kept: Kept = { record, usedAtMs: clock.nowMs(), opened: 0 };
      this.#kept.set(templateId, kept);
      return kept;
    } catch (error) {
      await rm(files.dir, { recursive: true, force: true });
      await disks.remove(templateId);
      throw error;
    }
  }

  /** Removes what has not been used for the longest time until one more fits. */
  async #makeRoom(bytes: number): Promise<void> {
    const { dataDir, mostTemplates = MOST_TEMPLATES } = this.#options;
    const sizes = new Map<string, number>();
    for (const id of this.#kept.keys()) sizes.set(id, await this.#bytesOf(id));
    const total = (): number => [...sizes.values()].reduce((sum, size) => sum + size, 0);
    const oldest = [...this.#kept.values()].toSorted((a, b) => a.usedAtMs - b.usedAtMs);
    for (const { record } of oldest) {
      if (sizes.size < mostTemplates && total() + bytes <= MOST_BYTES) break;
      await this.#remove(record.templateId);
      sizes.delete(record.templateId);
    }
    const { bavail, bsize } = await statfs(dataDir);
    if (bavail * bsize < 2 * bytes + SPARE_BYTES) throw conflict('the host has no room for a template');
  }

  async #remove(templateId: string): Promise<void> {
    const kept = this.#kept.get(templateId);
    this.#kept.delete(templateId);
    const { dir, record } = this.#files(templateId);
    // The record first: what is left of it is no template after a crash.
    await rm(record, { force: true });
    await rm(dir, { recursive: true, force: true });
    await this.#options.disks.remove(templateId);
    if (kept?.opened === 0) await this.#letGo(kept);
  }

  async #bytesOf(templateId: string): Promise<number> {
    const { memory, state } = this.#files(templateId);
    const [inMemory, inState, disk] = await Promise.all([usedBytes(memory), usedBytes(state), this.#options.disks.info(templateId)]);
    return inMemory + inState + (disk?.usedBytes ?? 0);
  }

  async #memory(kept: Kept): Promise<SealedMemory | undefined> {
    kept.timer?.cancel();
    kept.memory ??= SealedMemory.of(this.#files(kept.record.templateId).memory);
    return await kept.memory;
  }

  #closed(kept: Kept): void {
    kept.opened -= 1;
    if (kept.opened > 0) return;
    if (this.#kept.get(kept.record.templateId) !== kept || this.#stop.signal.aborted) {
      void this.#letGo(kept);
      return;
    }
    kept.timer?.cancel();
    kept.timer = this.#options.clock.after(IDLE_MS, () => {
      if (kept.opened === 0) void this.#letGo(kept);
    });
  }

  async #letGo(kept: Kept): Promise<void> {
    kept.timer?.cancel();
    const memory = kept.memory;
    delete kept.memory;
    await (await memory)?.close().catch(() => {});
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  signal.throwIfAborted();
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    stop = () => signal.removeEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop();
  }
}
