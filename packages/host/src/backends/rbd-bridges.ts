import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import { escapeOption } from '../process/command.ts';
import type { OpenableDisk, OpenDisks } from '../hypervisor/open-disks.ts';
import { findByArgument } from '../hypervisor/process-identity.ts';
import { Mutex } from '../hypervisor/mutex.ts';
import { adoptProcess, endQemu, type QemuProcess, spawnQemu } from '../hypervisor/qemu-process.ts';

export interface RbdBridgesOptions {
  /** Which bridges there are, for the next run of Cairn. */
  readonly dataDir: string;
  /** Sockets; a short path. */
  readonly runDir: string;
  readonly openDisks: OpenDisks;
  readonly clock: Clock;
  readonly log: Logger;
}

type RbdNode = Readonly<Record<string, string>>;

interface Bridge {
  readonly token: string;
  readonly diskId: string;
  readonly node: RbdNode;
  process: QemuProcess | undefined;
  /** The guest's user, which its socket belongs to. */
  owner: { readonly uid: number; readonly gid: number } | undefined;
  /** It was not in use when it was last looked at. */
  idle: boolean;
}

/** How long a guest's QEMU tries to reach a bridge again before its requests fail. */
const RECONNECT_SECONDS = 60;
const LISTEN_MS = 30_000;
const LOOK_MS = 3_000;

/**
 * How guests open images of Ceph: `qemu-nbd` has the image, and gives it to one guest by a socket that is that guest's alone. So a guest has neither
 * a network that reaches the cluster nor its key. It ends by itself when the guest has let go; one that ends before is started again, and the
 * guest's QEMU finds it. They live on when Cairn ends, as guests do.
 */
export class RbdBridges {
  readonly #options: RbdBridgesOptions;
  readonly #all = new Map<string, Bridge>();
  readonly #turn = new Mutex();
  #looking: Promise<void> | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: RbdBridgesOptions) {
    this.#options = options;
  }

  /** Finds what an earlier run of Cairn started. */
  async start(): Promise<void> {
    const { dataDir, runDir, clock } = this.#options;
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await mkdir(runDir, { recursive: true, mode: 0o711 });
    for (const name of await readdir(dataDir)) {
      const { diskId, node } = JSON.parse(await readFile(join(dataDir, name), 'utf8').catch(() => '{}')) as Partial<Bridge>;
      const token = name.replace(/\.json$/, '');
      if (diskId === undefined || node === undefined) {
        await rm(join(dataDir, name), { force: true });
        continue;
      }
      const [identity] = await findByArgument(this.#socket(token));
      this.#all.set(token, { token, diskId, node, process: identity && adoptProcess(identity, clock), owner: undefined, idle: false });
    }
    this.#lookSoon();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** A new bridge to an image, for the guest that is about to open it. */
  async open(diskId: string, node: RbdNode): Promise<OpenableDisk> {
    const bridge: Bridge = { token: randomBytes(6).toString('hex'), diskId, node, process: undefined, owner: undefined, idle: false };
    // an earlier one is being let go of: it is not to be started again
    for (const other of this.#all.values()) if (other.diskId === diskId) other.idle = true;
    await writeFile(this.#record(bridge.token), JSON.stringify({ diskId, node }), { mode: 0o600 });
    this.#all.set(bridge.token, bridge);
    try {
      await this.#run(bridge);
    } catch (error) {
      await this.#forget(bridge);
      throw error;
    }
    this.#lookSoon();
    const server = { type: 'unix', path: this.#socket(bridge.token) };
    return { layers: [{ format: 'raw', protocol: { driver: 'nbd', server, export: EXPORT, 'reconnect-delay': RECONNECT_SECONDS } }] };
  }

  /** An image has grown: what has it is started again, and says the new size to whoever comes to it again. */
  renew(diskId: string): Promise<void> {
    return this.#turn.run(async () => {
      for (const bridge of this.#all.values()) {
        if (bridge.diskId !== diskId || bridge.idle || !bridge.process) continue;
        await this.#own(bridge);
        await endQemu(bridge.process, undefined, this.#options.clock);
        await this.#run(bridge);
      }
    });
  }

  /** Ends what still has an image that no guest has: it is to be removed. */
  close(diskId: string): Promise<void> {
    return this.#turn.run(async () => {
      for (const bridge of [...this.#all.values()]) if (bridge.diskId === diskId) await this.#forget(bridge);
    });
  }

  async #run(bridge: Bridge): Promise<void> {
    const { clock, dataDir } = this.#options;
    const socket = this.#socket(bridge.token);
    await rm(socket, { force: true });
    // nothing is held back here: what a guest was told is written is in Ceph, however this process ends
    const image = ['driver=raw', 'file.discard=unmap', ...Object.entries(bridge.node).map(([key, value]) => `file.${key}=${escapeOption(value)}`)].join();
    const args = ['--image-opts', image, '-k', socket, '-x', EXPORT, '--discard=unmap', '--cache=none'];
    const started = await spawnQemu({ qemu: 'qemu-nbd', args, netns: undefined, user: undefined, logPath: join(dataDir, '..', 'qemu-nbd.log') });
    bridge.process = started;
    for (const endMs = clock.nowMs() + LISTEN_MS; !(await stat(socket).catch(() => undefined)); await clock.sleep(10)) {
      if (started.hasEnded() || clock.nowMs() > endMs) {
        await endQemu(started, undefined, clock);
        throw unavailable('The Ceph cluster of the disk does not answer.', { detail: bridge.diskId });
      }
    }
    if (bridge.owner) await chown(socket, bridge.owner.uid, bridge.owner.gid);
  }

  /** Starts again what a guest needs, and ends what none does. */
  async #look(): Promise<void> {
    const { openDisks, log } = this.#options;
    for (const bridge of [...this.#all.values()]) {
      const isOpen = openDisks.holder(bridge.diskId) !== undefined;
      const hasEnded = bridge.process?.hasEnded() ?? true;
      if (!hasEnded) await this.#own(bridge);
      if (hasEnded && isOpen && !bridge.idle) {
        log.warn({ disk: bridge.diskId }, 'what connects a guest with a disk in Ceph has ended; it is started again');
        await this.#run(bridge).catch((error: unknown) => log.error({ disk: bridge.diskId, err: error }, 'a guest cannot reach its disk in Ceph'));
      } else if (hasEnded || (!isOpen && bridge.idle)) await this.#forget(bridge);
      else if (!isOpen) bridge.idle = true;
    }
  }

  /** Remembers whose its socket is. */
  async #own(bridge: Bridge): Promise<void> {
    bridge.owner = (await stat(this.#socket(bridge.token)).catch(() => undefined)) ?? bridge.owner;
  }

  #lookSoon(): void {
    if (this.#stopped || this.#timer || this.#all.size === 0) return;
    this.#timer = this.#options.clock.after(LOOK_MS, () => {
      this.#looking = this.#turn
        .run(() => this.#look())
        .catch((error: unknown) => this.#options.log.error({ err: error }, 'bridges to disks in Ceph could not be looked after'))
        .finally(() => {
          this.#timer = undefined;
          this.#lookSoon();
        });
    });
  }

  async #forget(bridge: Bridge): Promise<void> {
    this.#all.delete(bridge.token);
    if (bridge.process && !bridge.process.hasEnded()) await endQemu(bridge.process, undefined, this.#options.clock);
    await rm(this.#socket(bridge.token), { force: true });
    await rm(this.#record(bridge.token), { force: true });
  }

  #socket(token: string): string {
    return join(this.#options.runDir, token);
  }

  #record(token: string): string {
    return join(this.#options.dataDir, `${token}.json`);
  }
}

const EXPORT = 'disk';
