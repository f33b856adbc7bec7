import { conflict, notFound, unavailable } from '@cairn/kit/errors/errors';
import type { GuestInfo, GuestState } from '../interface/guests.ts';
import { takeBack } from './account.ts';
import { cryptNodeName, nodeName } from './blockdev.ts';
import type { HypervisorContext } from './context.ts';
import { Mutex } from './mutex.ts';
import { adoptProcess, endQemu, type ProcessEnd, type QemuProcess } from './qemu-process.ts';
import { Qmp, type QmpEvent } from './qmp.ts';
import { GuestFiles, type GuestRecord, removeDirs, writeRecord } from './record.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** A running QEMU of a guest, and what it told about its guest. */
export interface Machine {
  readonly process: QemuProcess;
  /** Replaced when the connection is lost and the process lives. */
  qmp: Qmp;
  /** The guest powered off or panicked by itself; the process waits for a decision. */
  over: 'shutdown' | 'crashed' | undefined;
  /** Somebody outside (the host's shutdown, an operator) asked QEMU to end. */
  endedFromOutside: boolean;
  /** Cairn is ending the process: its end is no news. */
  ending: boolean;
}

type Patch = { -readonly [K in keyof GuestRecord]?: GuestRecord[K] | undefined };

/** How quickly a lost connection is tried again while the process lives. */
const RECONNECT_MS = 1000;
/** How soon a guest whose disk on another host could not be reached tries again. */
const SEND_ON_MS = 1000;

/**
 * One guest: its record, its process, and what it does by itself. The verbs are in other files and run one after the other in `life`;
 * plugging devices and work on disks do not queue there.
 */
export class Guest {
  readonly guestId: string;
  readonly context: HypervisorContext;
  readonly files: GuestFiles;
  readonly life = new Mutex();
  #record: GuestRecord | undefined;
  #machine: Machine | undefined;
  readonly #writes = new Mutex();
  readonly #waits = new Set<AbortController>();
  readonly #hurried = new WeakSet<Machine>();
  #letGo = false;

  constructor(context: HypervisorContext, guestId: string, record?: GuestRecord) {
    this.context = context;
    this.guestId = guestId;
    this.files = new GuestFiles(context.options.dataDir, context.options.runDir, guestId);
    this.#record = record;
  }

  get record(): GuestRecord | undefined {
    return this.#record;
  }

  get machine(): Machine | undefined {
    return this.#machine;
  }

  get state(): GuestState {
    return this.#record?.state ?? 'absent';
  }

  info(): GuestInfo {
    const record = this.#record;
    const alive = this.#machine !== undefined;
    return {
      guestId: this.guestId,
      state: this.state,
      ...(alive && record?.process ? { pid: record.process.pid } : {}),
      ...(alive && record?.startedAtMs !== undefined ? { startedAtMs: record.startedAtMs } : {}),
    };
  }

  /** The record of a guest that is known here; throws NotFound otherwise. */
  known(): GuestRecord {
    if (!this.#record) throw notFound(`This host has no server ${this.guestId}.`);
    return this.#record;
  }

  /** The process of a guest that has one; throws Conflict otherwise. `doing` names the verb for the user. */
  running(doing: string): Machine {
    this.known();
    if (!this.#machine) throw conflict(`Cannot ${doing}: the server is not running (its state is ${this.state}).`);
    return this.#machine;
  }

  /** Begins or replaces the record. Resolves when it is on disk. */
  remember(record: GuestRecord): Promise<void> {
    this.#record = record;
    return this.#write();
  }

  /** Remembers a change. A key that is undefined is forgotten. Of a guest that is gone nothing is remembered. */
  async update(patch: Patch): Promise<void> {
    if (!this.#record) return;
    const next: Record<string, unknown> = { ...this.#record, ...patch };
    for (const [key, value] of Object.entries(next)) if (value === undefined) delete next[key];
    this.#record = next as unknown as GuestRecord;
    await this.#write();
  }

  #write(): Promise<void> {
    // Writes queue, and one that has been overtaken writes the newest.
    return this.#writes.run(async () => {
      if (!this.#record) return;
      await writeRecord(this.files, this.#record).catch((error: NodeJS.ErrnoException) => {
        // Somebody removed the guest's directory: it must still be possible to end the guest.
        if (error.code !== 'ENOENT') throw error;
        this.context.log.error({ guest: this.guestId, err: error }, 'the directory of a guest is gone');
      });
    });
  }

  /** A signal for a wait within a verb that must give way when the guest is to end now. */
  async waiting<T>(wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    this.#waits.add(abort);
    try {
      return await wait(abort.signal);
    } finally {
      this.#waits.delete(abort);
    }
  }

  /** Cuts the waits of verbs under way short: somebody wants the guest's end now. */
  hurry(): void {
    if (this.#machine && this.#waits.size > 0) this.#hurried.add(this.#machine);
    for (const wait of this.#waits) wait.abort(conflict('The server was stopped meanwhile.'));
  }

  /** True when waits on that process were cut short. */
  hurried(machine: Machine): boolean {
    return this.#hurried.has(machine);
  }

  /** Takes charge of a process that answers on `qmp`. */
  take(process: QemuProcess, qmp: Qmp): Machine {
    const machine: Machine = { process, qmp, over: undefined, endedFromOutside: false, ending: false };
    this.#machine = machine;
    this.#watch(machine, qmp);
    process.ended.then((end) => this.#onGone(machine, end));
    return machine;
  }

  /**
   * Takes charge of the process of an earlier run. Resolves with undefined when it ended meanwhile. One that does not answer within
   * `timeoutMs` is taken nevertheless, with a dead connection, and tried again until it answers or ends.
   */
  async adopt(identity: ProcessIdentity, timeoutMs: number): Promise<Machine | undefined> {
    const { clock } = this.context;
    const process = adoptProcess(identity, clock);
    try {
      return this.take(process, await this.#connect(process, timeoutMs));
    } catch (error) {
      if (process.hasEnded()) return undefined;
      this.#trouble(`The process of the server does not answer: ${error instanceof Error ? error.message : String(error)}`);
      return this.take(process, Qmp.dead(clock));
    }
  }

  /** Ends the process, where there is one, and settles in `state`. No event: it was asked for. */
  async end(state: GuestState, reason: string): Promise<void> {
    const machine = this.#machine;
    if (machine) {
      machine.ending = true;
      await endQemu(machine.process, machine.qmp, this.context.clock);
    }
    await this.#afterEnd(state, reason);
  }

  /** The disk is no longer open here: its file is root's again, unless another guest still writes to it, before others are told. */
  async releaseDisk(diskId: string): Promise<void> {
    const { holders, account } = this.context;
    const [top] = this.#record?.layers[diskId] ?? [];
    const others = holders.of(diskId).some((guestId) => guestId !== this.guestId);
    if (top && 'path' in top && !others) await takeBack(account, this.#record?.uid, top.path);
    await this.context.imports.close(this.guestId, diskId);
    holders.remove(diskId, this.guestId);
  }

  /** Forgets the guest: record, logs, sockets, saved memory. Its process has ended. */
  async forget(): Promise<void> {
    const groups = await this.context.controlGroups();
    await groups.release(this.guestId);
    this.context.holders.removeGuest(this.guestId);
    await this.#writes.run(async () => {
      this.#record = undefined;
      await removeDirs(this.files);
    });
  }

  /** Hangs up without ending the guest. */
  letGo(): void {
    this.#letGo = true;
    this.hurry();
    const process = this.#machine?.process as { stop?: () => void } | undefined;
    process?.stop?.();
    this.#machine?.qmp.close();
  }

  async #connect(process: QemuProcess, timeoutMs: number): Promise<Qmp> {
    const qmp = await Qmp.connect(this.files.qmpSocket, {
      clock: this.context.clock,
      timeoutMs,
      hopeless: () => (process.hasEnded() ? unavailable('The server ended meanwhile.') : undefined),
    });
    try {
      // A process that was taken over from inside could have put another's socket in the place of its own.
      const { UUID } = await qmp.execute<{ UUID: string }>('query-uuid');
      if (UUID.toLowerCase() !== this.guestId.toLowerCase()) throw unavailable('The control socket of the server belongs to another server.', { detail: UUID });
      return qmp;
    } catch (error) {
      qmp.close();
      throw error;
    }
  }

  #watch(machine: Machine, qmp: Qmp): void {
    qmp.onEvent((event) => this.#onEvent(machine, event));
    qmp.onClose(() => void this.#onHangUp(machine));
  }

  #onEvent(machine: Machine, { event, data }: QmpEvent): void {
    this.context.log.debug({ guest: this.guestId, event, data }, 'event of a guest');
    if (event === 'SHUTDOWN') {
      if (data.guest === true) this.#guestIsOver(machine, 'shutdown', 'the guest powered off');
      else if (data.reason === 'host-signal') machine.endedFromOutside = true;
    } else if (event === 'GUEST_PANICKED') {
      this.#guestIsOver(machine, 'crashed', 'the guest panicked');
    } else if (event === 'BLOCK_IO_ERROR' && data.action === 'stop') {
      if (this.#isElsewhere(String(data['node-name']))) this.sendOn(machine);
      else void this.#onStopped(machine, `a disk failed: ${String(data.reason ?? 'unknown error')}`);
    }
  }

  /** Queued behind verbs under way: a soft reboot or a shutdown that waits for just this deals with it itself. */
  #guestIsOver(machine: Machine, how: 'shutdown' | 'crashed', reason: string): void {
    machine.over = how;
    void this.life
      .run(async () => {
        if (this.#machine !== machine || machine.over === undefined || this.#letGo) return;
        await this.end(how, reason);
        this.#tell(how, reason);
      })
      .catch((error: unknown) => this.#trouble(`The server powered off, and its process cannot be ended: ${String(error)}`));
  }

  /** QEMU stops a guest whose disk has no room left; it can go on (`unpause`) when there is some. */
  async #onStopped(machine: Machine, reason: string): Promise<void> {
    this.#trouble(`The server was paused: ${reason}.`);
    if (this.#machine !== machine || this.state !== 'running') return;
    await this.update({ state: 'paused', reason });
    this.#tell('paused', reason);
  }

  #isElsewhere(node: string): boolean {
    const { spec, layers } = this.known();
    return spec.disks.some(
      ({ diskId, location }) => location && [cryptNodeName(diskId), ...(layers[diskId] ?? []).map((l) => nodeName(diskId, l))].includes(node),
    );
  }

  /** The guest stands still since a disk of another host could not be reached. It does what failed once more, until that succeeds: nothing is lost. */
  sendOn(machine: Machine): void {
    const { clock, log } = this.context;
    log.warn({ guest: this.guestId }, 'a disk on another host cannot be reached; the guest stands still until it can');
    clock.after(SEND_ON_MS, async () => {
      if (this.#machine !== machine || machine.ending || this.#letGo || this.state !== 'running') return;
      try {
        const { status } = await machine.qmp.execute<{ status: string }>('query-status');
        if (status === 'io-error') await machine.qmp.execute('cont');
      } catch (error) {
        log.debug({ guest: this.guestId, err: error }, 'a guest could not be sent on');
      }
    });
  }

  async #onHangUp(machine: Machine): Promise<void> {
    if (machine.ending || this.#letGo) return;
    // Closing is how the end of the process shows first: give the kernel a moment before trying to reconnect.
    const { clock } = this.context;
    for (let i = 0; i < 40 && !machine.process.hasEnded(); i++) await clock.sleep(5);
    while (!machine.process.hasEnded() && !machine.ending && !this.#letGo) {
      try {
        const qmp = await this.#connect(machine.process, RECONNECT_MS);
        machine.qmp = qmp;
        this.#watch(machine, qmp);
        await this.#catchUp(machine);
        return;
      } catch (error) {
        this.context.log.debug({ guest: this.guestId, err: error }, 'cannot reach a guest');
        await clock.sleep(RECONNECT_MS);
      }
    }
  }

  /** Learns what happened while nobody listened. */
  async #catchUp(machine: Machine): Promise<void> {
    const { status } = await machine.qmp.execute<{ status: string }>('query-status');
    this.notice(machine, status);
  }

  /** Acts on a run state that was found and not told by an event. */
  notice(machine: Machine, status: string): void {
    if (status === 'shutdown') this.#guestIsOver(machine, 'shutdown', 'the guest powered off');
    else if (status === 'guest-panicked') this.#guestIsOver(machine, 'crashed', 'the guest panicked');
    else if (status === 'io-error' && this.known().spec.disks.some(({ location }) => location)) this.sendOn(machine);
  }

  #onGone(machine: Machine, end: ProcessEnd): void {
    if (this.#machine !== machine || machine.ending || this.#letGo) return;
    machine.ending = true;
    machine.qmp.close();
    const byRequest = end.code === 0 || machine.endedFromOutside;
    const state: GuestState = machine.over ?? (byRequest ? 'shutdown' : 'crashed');
    const reason = byRequest
      ? 'the process was asked to end'
      : `the process ended unexpectedly${end.signal ? ` (${end.signal})` : end.code === undefined ? '' : ` (status ${end.code})`}`;
    // Verbs under way find it gone at once, and end; what is to be recorded comes behind them.
    this.#machine = undefined;
    this.hurry();
    void this.life
      .run(async () => {
        if (this.#machine || this.#record?.process?.pid !== machine.process.identity.pid) return;
        await this.#afterEnd(state, reason);
        this.#tell(state, reason);
      })
      .catch((error: unknown) => this.#trouble(`The end of the server could not be recorded: ${String(error)}`));
  }

  async #afterEnd(state: GuestState, reason: string): Promise<void> {
    const machine = this.#machine;
    this.#machine = undefined;
    machine?.qmp.close();
    const record = this.#record;
    if (!record) return;
    // Files first: should Cairn end in between, the process that is remembered and gone brings it here again.
    await Promise.all(Object.keys(record.layers).map((diskId) => this.releaseDisk(diskId)));
    await this.update({ state, reason, process: undefined, startedAtMs: undefined });
    const groups = await this.context.controlGroups();
    await groups.release(this.guestId);
  }

  #tell(state: GuestState, reason: string): void {
    this.context.log.info({ guest: this.guestId, state, reason }, 'a guest changed its state by itself');
    this.context.options.onEvent({ kind: 'guest', guestId: this.guestId, state, reason });
  }

  /** Tells of a change that is found at a restart. */
  tell(state: GuestState, reason: string): void {
    this.#tell(state, reason);
  }

  #trouble(message: string): void {
    this.context.log.warn({ guest: this.guestId }, message);
    this.context.options.onEvent({ kind: 'trouble', subject: `server ${this.guestId}`, message });
  }
}
