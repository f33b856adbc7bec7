import { access, chown, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { Clock } from '@cairn/kit/clock/clock';
import { unavailable } from '@cairn/kit/errors/errors';
import type { GuestTpm } from '../interface/hardware.ts';
import type { ProcessUser } from '../process/command.ts';
import { start } from '../process/run.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';
import type { GuestFiles } from './record.ts';

const READY_MS = 20_000;
const LOOK_MS = 5;

/** Where the program is; undefined where it is not installed. */
export async function findSwtpm(program: string): Promise<string | undefined> {
  const places = program.includes('/') ? [program] : (process.env.PATH ?? '/usr/bin').split(':').map((dir) => join(dir, program));
  for (const place of places) {
    const found = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return place;
  }
  return undefined;
}

export interface TpmStart {
  readonly program: string;
  readonly files: GuestFiles;
  readonly tpm: GuestTpm;
  readonly user: ProcessUser | undefined;
  readonly clock: Clock;
}

/**
 * Starts the process that is a guest's TPM. Resolves when QEMU can connect to it. It ends by itself when QEMU goes. Its state is encrypted; the
 * secret reaches it by a pipe and is on no disk of this host.
 */
export async function startTpm({ program, files, tpm, user, clock }: TpmStart): Promise<ProcessIdentity> {
  await mkdir(files.tpmDir, { recursive: true, mode: 0o700 });
  if (tpm.state !== undefined && (await readdir(files.tpmDir)).length === 0) await unpack(files.tpmDir, tpm.state);
  if (user) {
    for (const path of [files.tpmDir, ...(await readdir(files.tpmDir)).map((name) => join(files.tpmDir, name))]) await chown(path, user.uid, user.gid);
  }
  await rm(files.tpmSocket, { force: true });
  const log = await open(files.qemuLog, 'a', 0o600);
  try {
    const child = start(
      program,
      [
        'socket',
        ...(tpm.version === '2.0' ? ['--tpm2'] : []),
        '--tpmstate',
        `dir=${files.tpmDir},mode=0600`,
        '--ctrl',
        `type=unixio,path=${files.tpmSocket},mode=0600`,
        '--key',
        'fd=3,format=hex,mode=aes-256-cbc',
        '--terminate',
      ],
      { user, powerless: !user && process.geteuid?.() === 0, stdio: ['ignore', log.fd, log.fd, 'pipe'], cwd: '/' },
    );
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(unavailable('The TPM of the server could not be started.', { detail: cause, cause })));
    });
    child.unref();
    const pipe = child.stdio[3] as Writable;
    pipe.on('error', () => {});
    pipe.end(tpm.secret);
    const pid = child.pid ?? 0;
    const identity = identify(pid) ?? { pid, startTicks: 0, bootId: '' };
    const deadlineMs = clock.nowMs() + READY_MS;
    for (;;) {
      const listens = await access(files.tpmSocket).then(
        () => true,
        () => false,
      );
      if (listens) return identity;
      if (ended || clock.nowMs() > deadlineMs) {
        if (!ended) endTpm(identity);
        throw unavailable('The TPM of the server could not be started.', { detail: await readFile(files.qemuLog, 'utf8').catch(() => '') });
      }
      await clock.sleep(LOOK_MS);
    }
  } finally {
    await log.close();
  }
}

/** Ends a TPM's process, where it did not end with its QEMU. */
export function endTpm(identity: ProcessIdentity | undefined): void {
  if (identity === undefined || !isAlive(identity)) return;
  try {
    process.kill(identity.pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Files that a TPM's state may consist of; the lock is the process's. */
const STATE_FILE = /^tpm(2?)-[0-9a-z]{2}\.[a-z]{1,16}$/;
const STATE_BYTES = 512 * 1024;

/** The encrypted state, base64; undefined where there is none. */
export async function packTpm(dir: string): Promise<string | undefined> {
  const names = await readdir(dir).catch(() => []);
  const files: Record<string, string> = {};
  for (const name of names) if (STATE_FILE.test(name)) files[name] = (await readFile(join(dir, name))).toString('base64');
  return Object.keys(files).length === 0 ? undefined : Buffer.from(JSON.stringify(files)).toString('base64');
}

async function unpack(dir: string, state: string): Promise<void> {
  const files = JSON.parse(Buffer.from(state, 'base64').toString('utf8')) as Readonly<Record<string, string>>;
  for (const [name, content] of Object.entries(files)) {
    if (!STATE_FILE.test(name) || content.length > STATE_BYTES) throw unavailable('The state of the TPM of the server cannot be read.');
    await writeFile(join(dir, name), Buffer.from(content, 'base64'), { mode: 0o600 });
  }
}
