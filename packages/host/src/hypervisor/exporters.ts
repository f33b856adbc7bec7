import { createHash, randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { conflict } from '@cairn/kit/errors/errors';
import type { NbdLocation, ServedDisk, ServeRequest } from '../interface/disks.ts';
import type { HypervisorContext } from './context.ts';
import { Exporter, type ExporterRecord, newExport, recordFile } from './exporter.ts';
import { KeyedMutex } from './mutex.ts';

/** Ports of exporters: below those that the kernel gives to connections. One host has one network namespace for them, in which nothing else listens. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;

export interface ExportersOptions {
  readonly context: HypervisorContext;
  readonly dataDir: string;
  readonly runDir: string;
  /** Undefined for a host that no other one reaches. */
  readonly between: { readonly netns?: string; readonly address: string } | undefined;
  readonly hasGone: (guestId: string) => boolean;
}

/** What Disks tells of a disk that is to be served. */
export interface ServedFacts {
  /** As stored: with the header of an encrypted disk. */
  readonly sizeBytes: number;
  readonly keyId?: string;
}

/** The disks of a host that guests of other hosts use. */
export class Exporters {
  readonly #options: ExportersOptions;
  readonly #byDisk = new Map<string, Exporter>();
  readonly #turns = new KeyedMutex();
  #isHalted = false;

  constructor(options: ExportersOptions) {
    this.#options = options;
  }

  get all(): readonly Exporter[] {
    return [...this.#byDisk.values()];
  }

  find(holder: string): Exporter | undefined {
    return this.all.find((exporter) => exporter.guestId === holder);
  }

  serve(diskId: string, request: ServeRequest, facts: ServedFacts): Promise<NbdLocation> {
    const { between } = this.#options;
    if (!between) return Promise.reject(conflict('Disks of this host cannot be used on others: no other host reaches it.'));
    return this.#turns.run(diskId, async () => {
      const { exportId, shared = false, waits = false } = request;
      const found = this.#byDisk.get(diskId);
      const exporter = found ?? this.#make(diskId, this.#newRecord(diskId, facts, shared), between);
      const { exports } = exporter.record;
      const there = exports.some((one) => one.exportId === exportId);
      this.#byDisk.set(diskId, exporter);
      if (this.#isHalted) throw conflict('This host is switched off.');
      try {
        if (!found) await mkdir(this.#dir(diskId), { recursive: true, mode: 0o700 });
        // it may have grown in the hands of a guest of this host
        if (exporter.record.waits) await exporter.update({ sizeBytes: facts.sizeBytes });
        await exporter.change({ exports: there ? exports : [...exports, newExport(exportId)], waits, shared: shared || exporter.record.shared });
      } catch (error) {
        if (!found) await this.#forget(exporter);
        throw error;
      }
      return exporter.location(exportId) as NbdLocation;
    });
  }

  unserve(diskId: string, exportId?: string): Promise<void> {
    return this.#turns.run(diskId, async () => {
      const exporter = this.#byDisk.get(diskId);
      if (!exporter) return;
      const { record } = exporter;
      const exports = record.exports.filter((one) => exportId !== undefined && one.exportId !== exportId);
      if (exports.length === 0) await this.#forget(exporter);
      else if (exports.length < record.exports.length) await exporter.change({ ...record, exports });
    });
  }

  served(): readonly ServedDisk[] {
    return this.all.map(({ record }) => ({ diskId: record.diskId, exportIds: record.exports.map((one) => one.exportId), waits: record.waits }));
  }

  /** Finds what an earlier run of Cairn left. Before Disks is asked for anything. */
  async recover(): Promise<void> {
    const { between, dataDir, runDir } = this.#options;
    this.#isHalted = false;
    if (!between) return;
    await Promise.all([dataDir, runDir].map((dir) => mkdir(dir, { recursive: true, mode: 0o711 })));
    for (const name of await readdir(dataDir)) {
      const record = await readRecord(join(dataDir, name));
      if (!record) {
        await rm(join(dataDir, name), { recursive: true, force: true });
        continue;
      }
      const exporter = this.#make(record.diskId, record, between);
      this.#byDisk.set(record.diskId, exporter);
      await exporter.recover();
    }
  }

  /** Starts what is to run and does not. A disk that cannot be served now is tried again when somebody asks for it. */
  async wake(): Promise<void> {
    this.#isHalted = false;
    const { log } = this.#options.context;
    await Promise.all(
      this.all.map((exporter) =>
        exporter.wake().catch((error: unknown) => log.error({ disk: exporter.record.diskId, err: error }, 'a disk could not be served to other hosts again')),
      ),
    );
  }

  async halt(): Promise<void> {
    this.#isHalted = true;
    await Promise.all(this.all.map((exporter) => exporter.halt()));
  }

  letGo(): void {
    for (const exporter of this.all) exporter.letGo();
    this.#byDisk.clear();
  }

  async destroy(): Promise<void> {
    await Promise.all(this.all.map((exporter) => this.#forget(exporter)));
    await Promise.all([this.#options.dataDir, this.#options.runDir].map((dir) => rm(dir, { recursive: true, force: true })));
  }

  async #forget(exporter: Exporter): Promise<void> {
    await exporter.remove();
    this.#byDisk.delete(exporter.record.diskId);
  }

  #dir(diskId: string): string {
    return join(this.#options.dataDir, shortName(diskId));
  }

  #make(diskId: string, record: ExporterRecord, between: NonNullable<ExportersOptions['between']>): Exporter {
    const { context, runDir, hasGone } = this.#options;
    return new Exporter({ context, dir: this.#dir(diskId), runDir: join(runDir, shortName(diskId)), between, hasGone }, record);
  }

  #newRecord(diskId: string, { sizeBytes, keyId }: ServedFacts, shared: boolean): ExporterRecord {
    const uid = this.#options.context.takeUid();
    return {
      ...{ version: 1, diskId, port: this.#freePort(), shared, waits: true, sizeBytes, exports: [], layers: {} },
      ...(uid !== undefined && { uid }),
      ...(keyId !== undefined && { keyId }),
    };
  }

  #freePort(): number {
    const taken = new Set(this.all.map(({ record }) => record.port));
    for (;;) {
      const port = FIRST_PORT + randomInt(PORTS);
      if (!taken.has(port)) return port;
    }
  }
}

const shortName = (diskId: string): string => createHash('sha256').update(diskId).digest('hex').slice(0, 16);

async function readRecord(dir: string): Promise<ExporterRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(recordFile(dir), 'utf8')) as ExporterRecord;
    return record.version === 1 ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
