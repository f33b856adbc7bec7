import type { ChildProcess } from 'node:child_process';
import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import type { LoggedPacket, SecurityLogRecord } from '../../interface/fabric.ts';
import { run, start } from '../../process/run.ts';
import { LOG_GROUP } from '../plan/logs.ts';
import { type NflogRecord, NflogReader } from './nflog.ts';
import { summaryOf, summaryText } from './packet-summary.ts';

const RESTART_MS = 1000;
/** Records are handed on together, at most this often. */
const GATHER_MS = 1000;
/** The file that is full is kept until the next one is. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The name of the file, below the fabric's data directory. */
export const LOG_FILE = 'security-groups.log';

export interface PacketLogOptions {
  readonly netns: string;
  /** Where the file is. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whose packet it is and who asked; undefined for what nobody asks about any more. */
  readonly explain: (record: NflogRecord) => Omit<SecurityLogRecord, 'atMs' | 'packet'> | undefined;
  readonly onRecords: (records: readonly SecurityLogRecord[]) => void;
}

/**
 * Reads what the rules of logs tell (plan/logs.ts), and writes it to a file and to the cloud. The kernel hands packets to a netlink socket,
 * which a program of JavaScript cannot open; tcpdump can, in the namespace, and writes what it gets to its standard output.
 */
export class PacketLog {
  readonly #options: PacketLogOptions;
  #isWanted = false;
  #child: ChildProcess | undefined;
  #retry: Timer | undefined;
  #timer: Timer | undefined;
  #gathered: SecurityLogRecord[] = [];
  #writing: Promise<void> = Promise.resolve();
  #canRead: Promise<boolean> | undefined;
  #listening: Promise<void> = Promise.resolve();

  constructor(options: PacketLogOptions) {
    this.#options = options;
  }

  /** Whether this host has the program that reads packets. */
  canRead(): Promise<boolean> {
    this.#canRead ??= run('tcpdump', ['--version']).then(
      () => true,
      () => false,
    );
    return this.#canRead;
  }

  /** Listens while something is to be told; resolves when it does. */
  async keep(isWanted: boolean): Promise<void> {
    this.#isWanted = isWanted;
    if (!isWanted) this.#end();
    else if (!this.#child && (await this.canRead())) this.#start();
    await this.#listening;
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    this.#end();
    this.#timer?.cancel();
    this.#flush();
    await this.#writing;
  }

  #end(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    this.#listening = Promise.resolve();
  }

  #start(): void {
    if (this.#child || !this.#isWanted) return;
    const { netns, clock, log } = this.#options;
    const args = ['-i', `nflog:${LOG_GROUP}`, '--immediate-mode', '-U', '-n', '-s', '0', '-Z', 'root', '-w', '-'];
    const child = start('tcpdump', args, { netns, stdio: ['ignore', 'pipe', 'pipe'], dieWithParent: true });
    this.#child = child;
    child.unref();
    const reader = new NflogReader();
    let complaints = '';
    this.#listening = new Promise((resolve) => {
      // it says so once it does
      child.stderr?.on('data', (chunk: Buffer) => {
        complaints = `${complaints}${chunk.toString()}`.slice(-1000);
        if (/listening on/.test(complaints)) resolve();
      });
      child.on('error', () => resolve());
      child.on('close', () => resolve());
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      try {
        for (const record of reader.read(chunk)) this.#take(record);
      } catch (error) {
        log.error({ err: error }, 'what is logged of packets cannot be read; beginning anew');
        child.kill('SIGKILL');
      }
    });
    child.on('error', (error) => log.warn({ err: error }, 'packets are not logged'));
    child.on('close', () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      log.warn({ complaints }, 'the program that reads logged packets has ended; starting it again');
      this.#retry = clock.after(RESTART_MS, () => this.#start());
    });
  }

  #take(record: NflogRecord): void {
    const about = this.#options.explain(record);
    const packet: LoggedPacket | undefined = summaryOf(record.payload);
    if (!about || !packet) return;
    this.#gathered.push({ ...about, atMs: record.atMs, packet });
    this.#timer ??= this.#options.clock.after(GATHER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer = undefined;
    const records = this.#gathered;
    this.#gathered = [];
    if (records.length === 0) return;
    this.#options.onRecords(records);
    this.#writing = this.#writing
      .then(() => this.#write(records))
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'the log of security groups cannot be written'));
  }

  async #write(records: readonly SecurityLogRecord[]): Promise<void> {
    const path = join(this.#options.dir, LOG_FILE);
    await mkdir(this.#options.dir, { recursive: true, mode: 0o700 });
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size > MAX_FILE_BYTES) await rename(path, `${path}.1`);
    await appendFile(path, records.map((record) => `${lineOf(record)}\n`).join(''), { mode: 0o600 });
  }
}

/** A line of the file, with the fields of upstream's. */
export const lineOf = ({ atMs, action, direction, projectId, logIds, portId, packet }: SecurityLogRecord): string =>
  `${new Date(atMs).toISOString()} action=${action} direction=${direction} project_id=${projectId} log_resource_ids=[${logIds
    .map((id) => `'${id}'`)
    .join(', ')}] vm_port=${portId} pkt=${summaryText(packet)}`;
