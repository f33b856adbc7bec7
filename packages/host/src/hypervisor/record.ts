import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GuestDisk, GuestSpec, GuestState } from '../interface/guests.ts';
import type { DiskLayer } from './open-disks.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { Slots } from './slots.ts';

/** What is remembered of a guest on disk, so that a restarted Cairn finds it again. */
export interface GuestRecord {
  readonly version: 1;
  /** As started, with what was plugged since. */
  readonly spec: GuestSpec;
  /** The last state seen. `absent` while a first start is under way. */
  readonly state: GuestState;
  readonly reason: string;
  readonly process?: ProcessIdentity;
  readonly startedAtMs?: number;
  /** The guest's own user id; absent where guests run as Cairn's user. */
  readonly uid?: number;
  readonly slots: Slots;
  /** Hot-plug ports the running machine was started with. */
  readonly ports: number;
  readonly places: Readonly<Record<string, number>>;
  /** The layers of each disk as they are open (or were last), top first, by disk id. */
  readonly layers: Readonly<Record<string, readonly DiskLayer[]>>;
  /** Which of the disks are encrypted, and opened through a node that decrypts them. */
  readonly encrypted?: readonly string[];
  /** A disk that is being copied to another one, which takes its place at the end (swap.ts). */
  readonly swap?: { readonly diskId: string; readonly disk: GuestDisk };
  /** The versioned machine type, accelerator and CPU: a saved memory fits no other. */
  readonly machineType: string;
  readonly accelerator: 'kvm' | 'tcg';
  readonly cpuModel: string;
  /** A template in the making: no server, and nothing to keep after a crash. */
  readonly isTemplate?: boolean;
  /**
   * The machine was started from a template and has the devices for it. `coming`: its CPUs have not run yet, and whatever is there is taken
   * away after a crash; `there`: nothing is missing but that they run.
   */
  readonly fastStart?: 'coming' | 'there' | 'started';
  /** Of a guest with a virtual TPM: the process that is it. */
  readonly tpm?: ProcessIdentity;
}

/** The paths of one guest below the data and run directories. */
export class GuestFiles {
  readonly dir: string;
  readonly record: string;
  readonly consoleLog: string;
  /** What the console log held before it was cut. */
  readonly consoleLogBefore: string;
  readonly qemuLog: string;
  readonly firmwareVariables: string;
  readonly memory: string;
  /** A guest's own copy of a template's memory, while it starts. */
  readonly templateMemory: string;
  /** The encrypted state of the guest's TPM. */
  readonly tpmDir: string;
  readonly tpmSocket: string;
  /** root's: Cairn's own sockets. */
  readonly runDir: string;
  /** The guest's own: QEMU makes its sockets here. */
  readonly socketDir: string;
  readonly qmpSocket: string;
  readonly serialSocket: string;
  readonly vncSocket: string;
  readonly agentSocket: string;
  /** The channel between Cairn and a guest that becomes a template or was started from one. */
  readonly fastStartSocket: string;
  readonly memorySocket: string;
  /** Secrets of disks while QEMU starts. */
  readonly secretsDir: string;
  /** Cairn's end of a live migration's disks. */
  readonly disksSocket: string;
  /** QEMU's end of disks that come. */
  readonly nbdSocket: string;
  /** QEMU's end of a resume: it listens there. */
  readonly incomingSocket: string;

  constructor(dataDir: string, runDir: string, guestId: string) {
    this.dir = join(guestsDir(dataDir), guestId);
    this.record = join(this.dir, 'guest.json');
    this.consoleLog = join(this.dir, 'console.log');
    this.consoleLogBefore = join(this.dir, 'console.log.1');
    this.qemuLog = join(this.dir, 'qemu.log');
    this.firmwareVariables = join(this.dir, 'firmware.vars');
    this.memory = join(this.dir, 'memory');
    this.templateMemory = join(this.dir, 'template-memory');
    this.tpmDir = join(this.dir, 'tpm');
    this.runDir = join(runDir, guestId);
    this.socketDir = join(this.runDir, 'q');
    this.qmpSocket = join(this.socketDir, 'qmp');
    this.serialSocket = join(this.socketDir, 'serial');
    this.vncSocket = join(this.socketDir, 'vnc');
    this.agentSocket = join(this.socketDir, 'agent');
    this.secretsDir = join(this.runDir, 's');
    this.fastStartSocket = join(this.socketDir, 'fast');
    this.tpmSocket = join(this.socketDir, 'tpm');
    this.memorySocket = join(this.runDir, 'memory');
    this.disksSocket = join(this.runDir, 'disks');
    this.nbdSocket = join(this.socketDir, 'nbd');
    this.incomingSocket = join(this.socketDir, 'incoming');
  }
}

export const guestsDir = (dataDir: string): string => join(dataDir, 'guests');

/** The kernel takes socket paths of 107 bytes; the longest here is the run directory with a UUID and `/q/incoming`. */
export const RUN_DIR_BYTES = 107 - '/00000000-0000-0000-0000-000000000000/q/incoming'.length;

/** Replaces the record in one step: a crash leaves the old one or the new one. */
export async function writeRecord(files: GuestFiles, record: GuestRecord): Promise<void> {
  const next = `${files.record}.new`;
  await writeFile(next, JSON.stringify(withoutSecrets(record), undefined, 1), { mode: 0o600 });
  await rename(next, files.record);
}

/** Nothing is started from a record: what encrypts a TPM's state is no business of the disk that the state is on. */
function withoutSecrets(record: GuestRecord): GuestRecord {
  const { hardware } = record.spec;
  if (hardware?.tpm === undefined) return record;
  const { version, model } = hardware.tpm;
  return { ...record, spec: { ...record.spec, hardware: { ...hardware, tpm: { version, model, secret: '' } } } };
}

/** The record, or nothing where there is none that can be read. */
export async function readRecord(files: GuestFiles): Promise<GuestRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(files.record, 'utf8')) as GuestRecord;
    return record.version === 1 ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Ids of the guests that have a directory. */
export async function recordedGuests(dataDir: string): Promise<readonly string[]> {
  try {
    return await readdir(guestsDir(dataDir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export async function makeDirs(files: GuestFiles): Promise<void> {
  // Passing through is allowed so that the guest's user reaches the files that are its own; reading the directory is not.
  await Promise.all([mkdir(files.dir, { recursive: true, mode: 0o711 }), mkdir(files.socketDir, { recursive: true, mode: 0o711 })]);
}

export async function removeDirs(files: GuestFiles): Promise<void> {
  await Promise.all([rm(files.runDir, { recursive: true, force: true }), rm(files.dir, { recursive: true, force: true })]);
}
