import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { conflict, unavailable } from '@cairn/kit/errors/errors';
import type { GuestInfo, GuestLayout, GuestSpec, LiveChannel, LiveHurry, LiveProgress, LiveReceive, LiveSend } from '../interface/guests.ts';
import { giveToGuest } from './account.ts';
import { rootNodeName } from './blockdev.ts';
import { asFault } from './faults.ts';
import type { Guest, Machine } from './guest.ts';
import { launch } from './launch.ts';
import type { DiskLayer } from './open-disks.ts';
import { allowPostCopy, beginSending, broken, canGoOn, isParted, mayPostCopy, migrationStatus, sendingBegun, startPostCopy } from './post-copy.ts';
import { type Qmp, QmpError } from './qmp.ts';

/** Memory and disks of a large guest over a slow network; the caller sets its own, shorter limits. */
const MOVE_MS = 14_400_000;
const BYTES_PER_SECOND = 2 ** 40;
const DOWNTIME_MS = 300;
/** From QEMU's last word on one side to its last on the other. */
const OVER_MS = 60_000;
const MOVED = 'moved to another host';
const PARTED = 'goes on at another host, to which the rest of its memory follows';

/**
 * Live migration: memory by QEMU's own migration, disks by mirrors to NBD exports of the other side. QEMU's sockets stay each guest's own:
 * between them are Cairn's two ends, which can be on two machines. Nothing here decides where a guest may run: until `finish` the CPUs of the
 * other side have not run, and after it the caller removes this side. With post-copy (post-copy.ts) the guest goes on over there before all of
 * its memory has come.
 */

/** True of a guest that has gone to another host and stands still here. */
export const hasGone = (guest: Guest): boolean => guest.record?.reason === MOVED || guest.record?.reason === PARTED;

/** The names of a guest's devices' places: a machine that takes over a running one must be laid out alike. */
export function layout(guest: Guest): GuestLayout {
  const { slots, ports, places, machineType, accelerator, cpuModel, fastStart } = guest.known();
  return { slots, ports, places, machineType, accelerator, cpuModel, ...(fastStart ? { fastStart: true } : {}) };
}

/** The other side: starts a machine that waits, with exports of the disks that are to be mirrored. Returns the exports' names by disk id. */
export function receive(
  guest: Guest,
  spec: GuestSpec,
  source: GuestLayout,
  mirrored: readonly string[],
  options: LiveReceive = {},
): Promise<Readonly<Record<string, string>>> {
  return guest.life.run(async () => {
    if (guest.machine) throw conflict('The server runs on this host already.');
    const machine = await launch(guest, spec, { incoming: true, layout: source });
    try {
      const { qmp } = machine;
      // disks that both sides open are the other side's until it has let go of them, and ours from the guest's going on
      const handedOver = spec.disks.some((disk) => !disk.location && !mirrored.includes(disk.diskId));
      await qmp.execute('migrate-set-capabilities', {
        capabilities: [
          { capability: 'events', state: true },
          { capability: 'late-block-activate', state: handedOver },
        ],
      });
      if (options.mayPostCopy) await allowPostCopy(guest, qmp);
      const exports: Record<string, string> = {};
      if (mirrored.length > 0) await qmp.execute('nbd-server-start', { addr: { type: 'unix', data: { path: guest.files.nbdSocket } } });
      for (const diskId of mirrored) {
        // whoever reaches the socket must still know the name
        const name = randomBytes(16).toString('hex');
        exports[diskId] = name;
        await qmp.execute('block-export-add', { type: 'nbd', id: `live-${name.slice(0, 8)}`, 'node-name': topNode(guest, diskId), name, writable: true });
      }
      await qmp.execute('migrate-incoming', { uri: `unix:${guest.files.incomingSocket}` });
      return exports;
    } catch (error) {
      await guest.end('absent', 'the server did not come');
      await guest.forget();
      throw asFault(error, 'The server cannot be received');
    }
  });
}

/** The other side: a way in for memory or for disks. */
export async function channel(guest: Guest, which: LiveChannel): Promise<Duplex> {
  guest.running('receive the server');
  const path = which === 'memory' ? guest.files.incomingSocket : guest.files.nbdSocket;
  return await new Promise((resolve, reject) => {
    const socket = net.connect(path, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** This side: mirrors the disks, sends the memory, and stops the guest when the other side has all. */
export async function send(guest: Guest, options: LiveSend, signal: AbortSignal | undefined): Promise<void> {
  const machine = guest.running('migrate the server');
  const { qmp } = machine;
  const before = await migrationStatus(qmp);
  if (before === 'completed' && hasGone(guest)) return await guest.update({ reason: MOVED });
  if (isParted(before)) return await sendRest(guest, machine, options);
  const wasRunning = (await qmp.execute<{ status: string }>('query-status')).status === 'running';
  const relays: Relay[] = [];
  const jobs: Mirror[] = [];
  let stopSending = (): void => {};
  let parted = false;
  try {
    signal?.throwIfAborted();
    await qmp.execute('migrate-set-capabilities', {
      capabilities: [
        { capability: 'events', state: true },
        { capability: 'pause-before-switchover', state: true },
        { capability: 'postcopy-ram', state: options.switched !== undefined },
      ],
    });
    stopSending = beginSending(machine);
    if (options.mirror.length > 0) relays.push(await Relay.open(guest, guest.files.disksSocket, () => options.channel('disks')));
    for (const [at, mirror] of options.mirror.entries()) jobs.push(await Mirror.start(guest, qmp, at, mirror));
    await Promise.all(jobs.map((job) => job.ready(signal)));
    relays.push(await Relay.open(guest, guest.files.memorySocket, () => options.channel('memory')));
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': BYTES_PER_SECOND, 'downtime-limit': DOWNTIME_MS });
    const paused = status(qmp, ['pre-switchover'], signal);
    await qmp.execute('migrate', { uri: `unix:${guest.files.memorySocket}` });
    await paused;
    // the guest stands still: the mirrors have nothing more to come
    for (const job of jobs) await job.finish();
    const sent = status(qmp, ['completed', 'postcopy-active'], undefined);
    await qmp.execute('migrate-continue', { state: 'pre-switchover' });
    if ((await sent) === 'postcopy-active') {
      parted = true;
      await guest.update({ state: 'paused', reason: PARTED });
      const rest = allSent(qmp);
      rest.catch(() => {});
      await options.switched?.();
      await rest;
    }
    // QEMU has written the last of it; the other side is still to read it
    for (const relay of relays) await relay.drained();
    await guest.update({ state: 'paused', reason: MOVED });
  } catch (error) {
    if (parted) throw asFault(error, 'The rest of the memory of the server did not arrive');
    await takeBack(guest, machine, jobs, wasRunning);
    if (signal?.aborted) throw signal.reason;
    throw asFault(error, 'The server cannot be moved while it runs');
  } finally {
    stopSending();
    for (const relay of relays) await relay.close();
  }
}

/** This side, after the channel broke in the middle of post-copy and the other side listens again. */
async function sendRest(guest: Guest, { qmp }: Machine, options: LiveSend): Promise<void> {
  if (await broken(guest, qmp)) {
    const relay = await Relay.open(guest, guest.files.memorySocket, () => options.channel('memory'));
    try {
      const rest = allSent(qmp);
      rest.catch(() => {});
      await qmp.execute('migrate', { uri: `unix:${guest.files.memorySocket}`, resume: true });
      await rest;
      await relay.drained();
    } catch (error) {
      throw asFault(error, 'The rest of the memory of the server did not arrive');
    } finally {
      await relay.close();
    }
  }
  await guest.update({ state: 'paused', reason: MOVED });
}

/** Post-copy, to its end. Ask before what brings it about. */
const allSent = async (qmp: Qmp): Promise<string> => await status(qmp, ['completed'], undefined, ['failed', 'postcopy-paused']);

/** This side: the guest goes on here, whatever had been sent. */
export async function cancel(guest: Guest): Promise<void> {
  const { machine } = guest;
  if (!machine) return;
  const { qmp } = machine;
  const now = await migrationStatus(qmp);
  if (!['completed', 'cancelled', 'failed', 'none'].includes(now)) {
    await qmp.execute('migrate_cancel');
    await over(guest, qmp);
  }
  const { status: run } = await qmp.execute<{ status: string }>('query-status');
  if (['postmigrate', 'finish-migrate', 'paused'].includes(run) && guest.state !== 'paused') await qmp.execute('cont');
}

/**
 * This side, after it has sent all and the other side is not to have it: the guest goes on where it was stopped. One whose memory is on two hosts
 * cannot go on at all: it is ended.
 */
export async function goOn(guest: Guest, run: boolean): Promise<void> {
  const parted = guest.machine;
  if (parted && isParted(await migrationStatus(parted.qmp))) {
    await guest.life.run(() => guest.end('crashed', 'part of its memory was lost with another host'));
    return;
  }
  await cancel(guest);
  const { machine } = guest;
  if (!machine || guest.record?.reason !== MOVED) return;
  if (run) await machine.qmp.execute('cont');
  await guest.update({ state: run ? 'running' : 'paused', reason: 'it did not move' });
}

/** This side: the guest goes on over there where that may be; else nothing more changes here, so that what is left goes over. */
export async function hasten(guest: Guest): Promise<LiveHurry> {
  const machine = guest.running('migrate the server');
  await sendingBegun(guest, machine);
  if (!(await mayPostCopy(machine.qmp))) {
    await machine.qmp.execute('stop');
    return 'paused';
  }
  await startPostCopy(machine);
  return 'post-copy';
}

export async function progress(guest: Guest): Promise<LiveProgress> {
  const { qmp } = guest.running('migrate the server');
  const { status: state, ram } = await qmp.execute<{
    readonly status?: string;
    readonly ram?: { readonly total: number; readonly remaining: number; readonly transferred: number };
  }>('query-migrate');
  const jobs = await qmp.execute<readonly { id: string; 'current-progress': number; 'total-progress': number }[]>('query-jobs');
  const sums = jobs.filter((job) => job.id.startsWith(JOB)).map((job) => [job['total-progress'], job['current-progress']] as const);
  const total = sums.reduce((sum, [all]) => sum + all, 0);
  const done = sums.reduce((sum, [, part]) => sum + part, 0);
  return {
    isSent: state === 'completed' && hasGone(guest),
    postCopy: isParted(state ?? 'none') ? 'running' : (await mayPostCopy(qmp)) ? 'possible' : 'no',
    memoryTotal: ram?.total ?? 0,
    memoryProcessed: ram?.transferred ?? 0,
    memoryRemaining: ram?.remaining ?? 0,
    diskTotal: total,
    diskProcessed: done,
    diskRemaining: total - done,
  };
}

/** The other side: all is there, or enough of it; the CPUs run from now on (`run`), or stay paused as they were. */
export function finish(guest: Guest, run: boolean): Promise<GuestInfo> {
  return guest.life.run(async () => {
    const machine = guest.running('take over the server');
    const { qmp } = machine;
    if (!(await canGoOn(guest, qmp))) throw unavailable('The server did not arrive.');
    await qmp.execute('nbd-server-stop').catch(ignoreRefusal);
    if (run) await qmp.execute('cont');
    await guest.update({ state: run ? 'running' : 'paused', reason: 'came from another host' });
    // switches on the way learn where the guest is now
    await qmp
      .execute('announce-self', { initial: 50, max: 550, rounds: 5, step: 100 })
      .catch((error: unknown) => guest.context.log.debug({ guest: guest.guestId, err: error }, 'a guest that moved was not announced'));
    return guest.info();
  });
}

async function takeBack(guest: Guest, machine: Machine, jobs: readonly Mirror[], wasRunning: boolean): Promise<void> {
  const { log } = guest.context;
  const warn = (error: unknown): void => log.warn({ guest: guest.guestId, err: error }, 'a move that failed could not be taken back whole');
  if (guest.machine !== machine) return;
  await cancel(guest).catch(warn);
  for (const job of jobs) await job.cancel().catch(warn);
  if (wasRunning) await machine.qmp.execute('cont').catch(ignoreRefusal).catch(warn);
}

/** Waits for a migration's end. Asked again and again: its event may be past. */
async function over(guest: Guest, qmp: Qmp): Promise<void> {
  const { clock } = guest.context;
  for (const endMs = clock.nowMs() + OVER_MS; ; await clock.sleep(20)) {
    const { status: state } = await qmp.execute<{ status?: string }>('query-migrate');
    if (state !== undefined && ['completed', 'cancelled', 'failed'].includes(state)) return;
    if (clock.nowMs() > endMs) throw unavailable('The migration of the server does not end.', { detail: state });
  }
}

/** Resolves when the migration is in one of these states; rejects when it failed. Ask before what brings it about. */
async function status(
  qmp: Qmp,
  wanted: readonly string[],
  signal: AbortSignal | undefined,
  unwanted: readonly string[] = ['failed', 'cancelled'],
): Promise<string> {
  const ends = [...wanted, ...unwanted];
  const event = await qmp.waitFor((e) => e.event === 'MIGRATION' && ends.includes(String(e.data.status)), MOVE_MS, signal);
  const state = String(event?.data.status);
  if (wanted.includes(state)) return state;
  throw unavailable('The memory of the server could not be moved.', { detail: await qmp.execute('query-migrate').catch(() => event) });
}

function topNode(guest: Guest, diskId: string): string {
  const [top] = (guest.record?.layers[diskId] ?? []) as readonly DiskLayer[];
  if (!top) throw conflict(`Disk ${diskId} is not open in the server.`);
  return rootNodeName(diskId, top, guest.record?.encrypted);
}

async function ignoreRefusal(error: unknown): Promise<void> {
  if (!(error instanceof QmpError)) throw error;
}

const JOB = 'cairn-live-';

/** One disk on its way over. */
class Mirror {
  readonly #qmp: Qmp;
  readonly #id: string;
  readonly #node: string;
  readonly #states: string[] = [];
  readonly #stop: () => void;
  #wake: () => void = () => {};

  private constructor(qmp: Qmp, id: string, node: string) {
    this.#qmp = qmp;
    this.#id = id;
    this.#node = node;
    this.#stop = qmp.onEvent(({ event, data }) => {
      if (event !== 'JOB_STATUS_CHANGE' || data.id !== id) return;
      this.#states.push(String(data.status));
      this.#wake();
    });
  }

  static async start(guest: Guest, qmp: Qmp, at: number, mirror: LiveSend['mirror'][number]): Promise<Mirror> {
    const job = new Mirror(qmp, `${JOB}${at}`, `live${at}`);
    // of an earlier try that nobody ended
    await job.cancel();
    await qmp.execute('blockdev-add', {
      driver: 'nbd',
      'node-name': job.#node,
      server: { type: 'unix', path: guest.files.disksSocket },
      export: mirror.exportName,
    });
    await qmp.execute('blockdev-mirror', {
      'job-id': job.#id,
      device: topNode(guest, mirror.diskId),
      target: job.#node,
      sync: 'full',
      'copy-mode': 'write-blocking',
      'auto-dismiss': false,
    });
    return job;
  }

  /** Resolves when both sides hold the same, and every write goes to both. */
  async ready(signal: AbortSignal | undefined): Promise<void> {
    await this.#until(['ready'], signal);
  }

  /** The other side has all; the guest stands still. */
  async finish(): Promise<void> {
    await this.#qmp.execute('block-job-cancel', { device: this.#id });
    await this.#until(['concluded'], undefined);
    await this.#clear();
  }

  async cancel(): Promise<void> {
    const jobs = await this.#qmp.execute<readonly { id: string; status: string }[]>('query-jobs');
    const job = jobs.find(({ id }) => id === this.#id);
    if (job !== undefined && job.status !== 'concluded') {
      await this.#qmp.execute('block-job-cancel', { device: this.#id, force: true }).catch(ignoreRefusal);
      await this.#until(['concluded'], undefined).catch(() => undefined);
    }
    if (job !== undefined) await this.#qmp.execute('job-dismiss', { id: this.#id }).catch(ignoreRefusal);
    await this.#qmp.execute('blockdev-del', { 'node-name': this.#node }).catch(ignoreRefusal);
  }

  async #clear(): Promise<void> {
    const job = (await this.#qmp.execute<readonly { id: string; error?: string }[]>('query-jobs')).find(({ id }) => id === this.#id);
    await this.#qmp.execute('job-dismiss', { id: this.#id });
    await this.#qmp.execute('blockdev-del', { 'node-name': this.#node });
    this.#stop();
    if (job?.error !== undefined) throw unavailable('A disk of the server could not be moved.', { detail: job.error });
  }

  async #until(wanted: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      signal?.throwIfAborted();
      const state = this.#states.shift();
      if (state === undefined) {
        const gone = this.#qmp.waitFor((e) => e.event === 'JOB_STATUS_CHANGE' && e.data.id === this.#id, MOVE_MS, signal);
        gone.catch(() => {});
        await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), gone]);
        continue;
      }
      if (wanted.includes(state)) return;
      if (state === 'concluded' || state === 'null') {
        const job = (await this.#qmp.execute<readonly { id: string; error?: string }[]>('query-jobs')).find(({ id }) => id === this.#id);
        throw unavailable('A disk of the server could not be moved.', { detail: job?.error ?? state });
      }
    }
  }
}

/** A socket of the guest's own that leads to the other side: QEMU opens nothing else. */
class Relay {
  readonly #server: net.Server;
  readonly #path: string;
  readonly #open = new Set<net.Socket>();
  readonly #flows = new Set<Promise<void>>();

  private constructor(server: net.Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  static async open(guest: Guest, path: string, connect: () => Promise<Duplex>): Promise<Relay> {
    await rm(path, { force: true });
    const server = net.createServer();
    const relay = new Relay(server, path);
    server.on('connection', (socket) => {
      relay.#open.add(socket);
      socket.once('close', () => relay.#open.delete(socket));
      socket.on('error', () => socket.destroy());
      connect().then(
        (other) => {
          other.on('error', () => socket.destroy());
          const flow = pipeline(socket, other)
            .catch(() => void socket.destroy())
            .finally(() => relay.#flows.delete(flow));
          relay.#flows.add(flow);
          pipeline(other, socket).catch(() => other.destroy());
        },
        () => socket.destroy(),
      );
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    await giveToGuest(guest.context.account, guest.record?.uid, path);
    return relay;
  }

  /** Resolves when all that QEMU sent has been handed on. */
  async drained(): Promise<void> {
    await Promise.all(this.#flows);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await rm(this.#path, { force: true });
  }
}
