import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { conflict, unavailable } from '@cairn/kit/errors/errors';
import { LUKS_HEADER_BYTES, type NbdLocation } from '../interface/disks.ts';
import { checkReachable, giveToGuest, processUser, shareWithGuests, takeBack } from './account.ts';
import { clearJobs } from './block-jobs.ts';
import { diskNode, nodeName } from './blockdev.ts';
import type { HypervisorContext } from './context.ts';
import { layersBelow } from './layers-in-use.ts';
import { Mutex } from './mutex.ts';
import type { DiskLayer } from './open-disks.ts';
import { findByArgument, isAlive, type ProcessIdentity } from './process-identity.ts';
import { adoptProcess, endQemu, type QemuProcess, spawnQemu } from './qemu-process.ts';
import { Qmp, QmpError } from './qmp.ts';

const PROGRAM = 'qemu-storage-daemon';
const START_MS = 30_000;
const ANSWER_MS = 5000;
/** After an end that nobody asked for: at once, then this much later each time, up to the longest. */
const AGAIN_MS = 500;
const LONGEST_MS = 10_000;
/** Where reads and writes fail, so that what comes too early is tried again and never lost. */
const HELD = 'held';

/** One way to the disk. */
export interface Export {
  readonly exportId: string;
  readonly name: string;
  /** Hex. */
  readonly key: string;
}

/** What is remembered of a disk that is served, so that a restarted Cairn finds its process again, or starts another in its place. */
export interface ExporterRecord {
  readonly version: 1;
  readonly diskId: string;
  readonly port: number;
  readonly uid?: number;
  readonly shared: boolean;
  readonly waits: boolean;
  /** As stored: with the header of an encrypted disk. */
  readonly sizeBytes: number;
  readonly keyId?: string;
  readonly exports: readonly Export[];
  readonly process?: ProcessIdentity;
  /** As they are open, top first; empty while it waits. */
  readonly layers: Readonly<Record<string, readonly DiskLayer[]>>;
}

/** The part of a holder's id by which guests and exporters are told apart. */
const PREFIX = 'export:';
export const exporterId = (diskId: string): string => `${PREFIX}${diskId}`;
export const isExporter = (holder: string): boolean => holder.startsWith(PREFIX);

export interface ExporterParts {
  readonly context: HypervisorContext;
  /** root's: its record. */
  readonly dir: string;
  /** Its own: socket and keys. */
  readonly runDir: string;
  /** Where it listens. */
  readonly between: { readonly netns?: string; readonly address: string };
  /** True of a guest that has gone to another host and stands still here. */
  readonly hasGone: (guestId: string) => boolean;
}

/**
 * One disk that is served to other hosts: a qemu-storage-daemon that holds its layers and exports them over NBD. It is to Disks what a guest is: a
 * holder, through which an open disk is changed. It lives on when Cairn ends, and is started again when it ends by itself.
 */
export class Exporter {
  readonly guestId: string;
  readonly context: HypervisorContext;
  readonly life = new Mutex();
  readonly #parts: ExporterParts;
  #record: ExporterRecord;
  #machine: { readonly process: QemuProcess; readonly qmp: Qmp } | undefined;
  /** Nobody wants it to run: it is being changed, let go of, or its host is off. */
  #isResting = true;
  #failures = 0;

  constructor(parts: ExporterParts, record: ExporterRecord) {
    this.#parts = parts;
    this.context = parts.context;
    this.#record = record;
    this.guestId = exporterId(record.diskId);
  }

  get record(): ExporterRecord {
    return this.#record;
  }

  get machine(): { readonly process: QemuProcess; readonly qmp: Qmp } | undefined {
    return this.#machine;
  }

  get #qmpSocket(): string {
    return join(this.#parts.runDir, 'qmp');
  }

  location(exportId: string): NbdLocation | undefined {
    const { port, keyId, exports } = this.#record;
    const found = exports.find((one) => one.exportId === exportId);
    const { address } = this.#parts.between;
    return found && { kind: 'nbd', address, port, exportName: found.name, user: userOf(found), key: found.key, ...(keyId !== undefined && { keyId }) };
  }

  async update(patch: Partial<ExporterRecord>): Promise<void> {
    this.#record = { ...this.#record, ...patch };
    const file = recordFile(this.#parts.dir);
    await writeFile(`${file}.new`, JSON.stringify(this.#record), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  /** Makes the ways to the disk those that are asked for, and holds the disk or waits for it. */
  change(wanted: { readonly exports: readonly Export[]; readonly waits: boolean; readonly shared: boolean }): Promise<void> {
    return this.life.run(async () => {
      const before = this.#record;
      if (!this.#machine || before.waits !== wanted.waits || before.shared !== wanted.shared) {
        await this.#rest();
        await this.update(wanted);
        await this.#start().catch(async (error: unknown) => {
          const { process: _, ...record } = before;
          await this.update({ ...record, layers: {} });
          if (before.exports.length > 0) await this.#start().catch((again: unknown) => this.context.log.error({ err: again }, 'a disk is not served any more'));
          throw error;
        });
        return;
      }
      await this.update(wanted);
      await this.#writeKeys();
      const has = (list: readonly Export[], one: Export): boolean => list.some(({ name }) => name === one.name);
      for (const one of before.exports) if (!has(wanted.exports, one)) await this.#close(one);
      for (const one of wanted.exports) if (!has(before.exports, one)) await this.#open(one);
    });
  }

  /** Grows the disk as a guest sees it. Who has it open is cut off for a moment and comes again, since NBD tells a size only then. */
  async resize(sizeBytes: number): Promise<void> {
    const { exports, keyId } = this.#record;
    const wholeBytes = sizeBytes + (keyId === undefined ? 0 : LUKS_HEADER_BYTES);
    const qmp = this.#qmp();
    for (const one of exports) await this.#close(one);
    try {
      await qmp.execute('block_resize', { 'node-name': this.#topNode(), size: wholeBytes });
      await this.update({ sizeBytes: wholeBytes });
    } finally {
      for (const one of exports) await this.#open(one);
    }
  }

  /** The layers as the process has them open. */
  async inUse(): Promise<readonly DiskLayer[]> {
    const { diskId, layers } = this.#record;
    const known = layers[diskId] ?? [];
    if (known.some((layer) => !('path' in layer))) return known;
    const exported = await this.#qmp().execute<readonly { readonly 'node-name': string }[]>('query-block-exports');
    const top = exported[0]?.['node-name'];
    return (top === undefined ? undefined : await layersBelow(this.#qmp(), top, known)) ?? known;
  }

  /** Ends the process; the disk is nobody's. The record stays. */
  halt(): Promise<void> {
    return this.life.run(() => this.#rest());
  }

  /** Starts the process where none runs. */
  wake(): Promise<void> {
    return this.life.run(async () => {
      if (!this.#machine) await this.#start();
    });
  }

  /** Ends and forgets it. */
  remove(): Promise<void> {
    return this.life.run(async () => {
      await this.#rest();
      await Promise.all([this.#parts.dir, this.#parts.runDir].map((dir) => rm(dir, { recursive: true, force: true })));
    });
  }

  /** Hangs up; the process runs on. */
  letGo(): void {
    this.#isResting = true;
    (this.#machine?.process as { stop?: () => void } | undefined)?.stop?.();
    this.#machine?.qmp.close();
    this.#machine = undefined;
  }

  /** After a restart of Cairn: takes charge of the process that an earlier run left. One that does not answer is ended; `wake` starts another. */
  recover(): Promise<void> {
    return this.life.run(async () => {
      const { clock, holders } = this.context;
      const { process: last, diskId, uid, waits } = this.#record;
      const [identity] = last && isAlive(last) ? [last] : await findByArgument(`path=${this.#qmpSocket},`, uid);
      if (!identity) return;
      const process = adoptProcess(identity, clock);
      try {
        const qmp = await Qmp.connect(this.#qmpSocket, {
          clock,
          timeoutMs: ANSWER_MS,
          hopeless: () => (process.hasEnded() ? unavailable('It ended.') : undefined),
        });
        if (!waits) holders.add(diskId, this.guestId);
        await clearJobs(qmp);
        this.#take(process, qmp);
        await this.update({ process: identity, ...(waits ? {} : { layers: { [diskId]: await this.inUse() } }) });
      } catch (error) {
        this.context.log.warn({ disk: diskId, err: error }, 'what serves a disk does not answer; it is started anew');
        this.#machine = undefined;
        await endQemu(process, undefined, clock);
        await this.#letDiskGo();
      }
    });
  }

  #qmp(): Qmp {
    if (!this.#machine) throw unavailable(`Disk ${this.#record.diskId} is not served at the moment: its process is being started again.`);
    return this.#machine.qmp;
  }

  #topNode(): string {
    const { diskId, layers } = this.#record;
    const [top] = layers[diskId] ?? [];
    if (!top) throw conflict(`Disk ${diskId} is not open.`);
    return nodeName(diskId, top);
  }

  async #open(one: Export): Promise<void> {
    await this.#qmp().execute('block-export-add', exportOptions(one, this.#record.waits ? HELD : this.#topNode()));
  }

  async #close(one: Export): Promise<void> {
    const qmp = this.#qmp();
    const gone = qmp.waitFor((e) => e.event === 'BLOCK_EXPORT_DELETED' && e.data.id === idOf(one), START_MS);
    gone.catch(() => {});
    try {
      await qmp.execute('block-export-del', { id: idOf(one), mode: 'hard' });
    } catch (error) {
      if (error instanceof QmpError) return;
      throw error;
    }
    await gone;
  }

  /** Ends the process and gives the disk back. */
  async #rest(): Promise<void> {
    this.#isResting = true;
    const machine = this.#machine;
    this.#machine = undefined;
    if (machine) {
      await endQemu(machine.process, machine.qmp, this.context.clock);
      machine.qmp.close();
    }
    await this.#letDiskGo();
  }

  async #letDiskGo(): Promise<void> {
    const { context, guestId } = this;
    const { diskId, layers, uid } = this.#record;
    const [top] = layers[diskId] ?? [];
    const others = context.holders.of(diskId).some((holder) => holder !== guestId);
    if (top && 'path' in top && !others) await takeBack(context.account, uid, top.path);
    context.holders.remove(diskId, guestId);
    const { process: _, ...record } = this.#record;
    this.#record = record;
    await this.update({ layers: {} });
  }

  async #start(): Promise<void> {
    const { context, guestId } = this;
    const { account, holders, clock } = context;
    const { diskId, waits, uid } = this.#record;
    let process: QemuProcess | undefined;
    try {
      const layers = waits ? [] : await this.#hold();
      await this.#writeKeys();
      await rm(this.#qmpSocket, { force: true });
      process = await spawnQemu({
        qemu: PROGRAM,
        args: this.#arguments(layers),
        netns: this.#parts.between.netns,
        user: account && uid !== undefined ? processUser(account, uid) : undefined,
        logPath: logFile(this.#parts.dir),
      });
      const running = process;
      const qmp = await Qmp.connect(this.#qmpSocket, {
        clock,
        timeoutMs: START_MS,
        hopeless: () => (running.hasEnded() ? unavailable('It ended at its start.') : undefined),
      });
      await this.update({ process: process.identity });
      this.#take(process, qmp);
      this.#failures = 0;
    } catch (error) {
      if (process) await endQemu(process, undefined, clock).catch(() => {});
      const said = await readFile(logFile(this.#parts.dir), 'utf8').catch(() => '');
      if (holders.of(diskId).includes(guestId)) await this.#letDiskGo();
      if (error instanceof Error && error.name === 'Conflict') throw error;
      throw unavailable(`Disk ${diskId} cannot be served to other hosts at the moment.`, {
        cause: error,
        detail: { error: String(error), said: said.slice(-2000) },
      });
    }
  }

  /** Becomes a holder of the disk, and makes its files its own. */
  async #hold(): Promise<readonly DiskLayer[]> {
    const { context, guestId } = this;
    const { account, holders } = context;
    const { diskId, shared, uid } = this.#record;
    const others = holders.of(diskId).filter((holder) => holder !== guestId && !this.#parts.hasGone(holder));
    if (others.length > 0 && !shared) throw conflict(`Disk ${diskId} is open in a server of this host and cannot be used on another.`);
    holders.add(diskId, guestId);
    const { layers } = await context.asking.ask(diskId, context.options.openDisk);
    await this.update({ layers: { [diskId]: layers } });
    for (const [depth, layer] of layers.entries()) {
      if (!('path' in layer)) continue;
      await checkReachable(account, layer.path);
      if (depth > 0) await shareWithGuests(account, layer.path);
      else if (others.length > 0) await shareWithGuests(account, layer.path, { write: true });
      else await giveToGuest(account, uid, layer.path);
    }
    return layers;
  }

  #arguments(layers: readonly DiskLayer[]): readonly string[] {
    const { diskId, port, exports, sizeBytes, waits } = this.#record;
    const { runDir, between } = this.#parts;
    // status as well: an NBD server that knows a block's status and cannot read the block hangs up, and clients would try for ever
    const errors = [
      { event: 'none', errno: 5 },
      { event: 'none', errno: 5, iotype: 'block-status' },
    ];
    const held = { driver: 'blkdebug', 'node-name': HELD, 'inject-error': errors, image: { driver: 'null-co', size: sizeBytes } };
    const [top] = layers;
    const node = top ? { ...diskNode(diskId, layers, { readOnly: false, shared: false }), 'node-name': nodeName(diskId, top) } : held;
    return [
      ...['--chardev', `socket,id=qmp,path=${this.#qmpSocket},server=on,wait=off`, '--monitor', 'chardev=qmp'],
      ...['--object', JSON.stringify({ 'qom-type': 'tls-creds-psk', id: 'tls', endpoint: 'server', dir: runDir })],
      ...['--blockdev', JSON.stringify(node)],
      ...['--nbd-server', `addr.type=inet,addr.host=${between.address},addr.port=${port},tls-creds=tls`],
      ...exports.flatMap((one) => ['--export', JSON.stringify(exportOptions(one, waits ? HELD : node['node-name']))]),
    ];
  }

  /** The keys of all who may come. The library reads the file anew for each. */
  async #writeKeys(): Promise<void> {
    const { account } = this.context;
    const { uid, exports } = this.#record;
    const { runDir } = this.#parts;
    await mkdir(runDir, { recursive: true, mode: 0o700 });
    if (account && uid !== undefined) await chown(runDir, uid, account.gid);
    const file = join(runDir, 'keys.psk');
    // its own file is root's again before it is written: what the process made of it in its place is not followed
    await rm(file, { force: true });
    await writeFile(file, exports.map((one) => `${userOf(one)}:${one.key}\n`).join(''), { mode: 0o600, flag: 'wx' });
    await giveToGuest(account, uid, file);
  }

  #take(process: QemuProcess, qmp: Qmp): void {
    const machine = { process, qmp };
    this.#machine = machine;
    this.#isResting = false;
    void process.ended.then(() => {
      if (this.#machine !== machine || this.#isResting) return;
      const { diskId } = this.#record;
      this.context.log.error({ disk: diskId }, 'what serves a disk to other hosts has ended by itself; it is started again');
      this.context.options.onEvent({
        kind: 'trouble',
        subject: `disk ${diskId}`,
        message: 'What serves the disk to other hosts ended by itself and is started again.',
      });
      this.#machine = undefined;
      qmp.close();
      void this.#again();
    });
  }

  async #again(): Promise<void> {
    await this.life
      .run(async () => {
        if (this.#isResting || this.#machine) return;
        await this.#letDiskGo();
        await this.#start();
      })
      .catch((error: unknown) => {
        if (this.#isResting) return;
        this.context.log.error({ disk: this.#record.diskId, err: error }, 'a disk could not be served again');
        this.#failures++;
        this.context.clock.after(Math.min(LONGEST_MS, AGAIN_MS * 2 ** this.#failures), () => void this.#again());
      });
  }
}

export const newExport = (exportId: string): Export => ({ exportId, name: randomBytes(16).toString('hex'), key: randomBytes(32).toString('hex') });

export const recordFile = (dir: string): string => join(dir, 'export.json');
const logFile = (dir: string): string => join(dir, 'qemu.log');
const idOf = (one: Export): string => `e${one.name}`;
const userOf = (one: Export): string => `u${one.name.slice(0, 16)}`;
const exportOptions = (one: Export, node: string) => ({ type: 'nbd', id: idOf(one), 'node-name': node, name: one.name, writable: true });
