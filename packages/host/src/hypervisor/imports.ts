import { createHash } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import type { NbdLocation } from '../interface/disks.ts';
import { giveToGuest, type GuestAccount } from './account.ts';
import type { HypervisorContext } from './context.ts';
import { Mutex } from './mutex.ts';
import type { OpenableDisk } from './open-disks.ts';
import { type ProcessIdentity, findByArgument } from './process-identity.ts';
import { adoptProcess, endQemu, type QemuProcess, spawnQemu } from './qemu-process.ts';

/** How long QEMU tries to reach a disk again before its requests fail; the guest stands still then and is sent on (Guest). */
const RECONNECT_SECONDS = 10;
const OPEN_SECONDS = 5;
const LISTEN_MS = 10_000;
const AGAIN_MS = 500;

/**
 * Joins sockets of this host to ports of others. It runs where the other hosts are reached, and hands bytes on. What it is to join stands in a file,
 * which it reads again at SIGHUP. It needs no right but to reach the others.
 */
const RELAY = `
const net = require('node:net'), fs = require('node:fs');
process.umask(0o177);
const config = process.argv[1], servers = new Map();
const apply = () => {
  const wanted = new Map(JSON.parse(fs.readFileSync(config, 'utf8')).map((one) => [one.socket, one]));
  for (const [path, server] of servers) {
    if (wanted.has(path)) continue;
    server.close();
    for (const socket of server.open) socket.destroy();
    servers.delete(path);
  }
  for (const [path, { address, port }] of wanted) {
    if (servers.has(path)) continue;
    fs.rmSync(path, { force: true });
    const server = net.createServer({ noDelay: true }, (near) => {
      const far = net.connect({ host: address, port, noDelay: true });
      for (const [one, other] of [[near, far], [far, near]]) {
        server.open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => { server.open.delete(one); other.destroy(); });
        one.pipe(other);
      }
    });
    server.open = new Set();
    server.on('error', () => servers.delete(path));
    server.listen(path);
    servers.set(path, server);
  }
};
process.on('SIGHUP', apply);
setInterval(() => {}, 1 << 30);
apply();
`;

interface Import {
  readonly id: string;
  readonly socket: string;
  readonly address: string;
  readonly port: number;
  readonly uid?: number;
}

/** How guests of this host reach disks that other hosts serve: each through a socket of its own, and with its own key. */
export class Imports {
  readonly #context: Omit<HypervisorContext, 'imports'>;
  readonly #dir: string;
  readonly #netns: string | undefined;
  readonly #turn = new Mutex();
  #all: readonly Import[] = [];
  #relay: QemuProcess | undefined;
  #isResting = false;

  constructor(context: Omit<HypervisorContext, 'imports'>, dir: string, netns: string | undefined) {
    this.#context = context;
    this.#dir = dir;
    this.#netns = netns;
  }

  get #config(): string {
    return join(this.#dir, 'imports.json');
  }

  get #log(): string {
    return join(this.#dir, 'relay.log');
  }

  /** Makes a way to a disk for a guest, and says how QEMU opens it. `uid` is the guest's. */
  async open(guestId: string, uid: number | undefined, diskId: string, location: NbdLocation): Promise<OpenableDisk> {
    const id = idOf(guestId, diskId);
    const { address, port } = location;
    const wanted: Import = { id, socket: join(this.#dir, id, `${address}-${port}`), address, port, ...(uid !== undefined && { uid }) };
    await this.#turn.run(async () => {
      await mkdir(join(this.#dir, id), { recursive: true, mode: 0o711 });
      await writeKey(this.#context.account, uid, join(this.#dir, id), location);
      await this.#apply([...this.#all.filter((one) => one.id !== id), wanted]);
    });
    return {
      layers: [
        {
          format: 'raw',
          protocol: {
            driver: 'nbd',
            server: { type: 'unix', path: wanted.socket },
            export: location.exportName,
            'tls-creds': credentialsId(diskId),
            'reconnect-delay': RECONNECT_SECONDS,
            'open-timeout': OPEN_SECONDS,
          },
        },
      ],
      ...(location.keyId !== undefined && { keyId: location.keyId }),
    };
  }

  /** QEMU's object that holds the key of a disk. */
  credentials(guestId: string, diskId: string, location: NbdLocation): object {
    return { 'qom-type': 'tls-creds-psk', id: credentialsId(diskId), endpoint: 'client', dir: join(this.#dir, idOf(guestId, diskId)), username: location.user };
  }

  /** The guest does not use the disk any more. */
  close(guestId: string, diskId: string): Promise<void> {
    const id = idOf(guestId, diskId);
    if (!this.#all.some((one) => one.id === id)) return Promise.resolve();
    return this.#turn.run(async () => {
      await this.#apply(this.#all.filter((one) => one.id !== id));
      await rm(join(this.#dir, id), { recursive: true, force: true });
    });
  }

  /** Finds the relay of an earlier run of Cairn, or starts another. */
  recover(): Promise<void> {
    return this.#turn.run(async () => {
      this.#isResting = false;
      const text = await readFile(this.#config, 'utf8').catch(() => '[]');
      this.#all = JSON.parse(text) as readonly Import[];
      const [identity] = await findByArgument(this.#config);
      if (identity) this.#take(adoptProcess(identity, this.#context.clock));
      if (this.#all.length > 0) await this.#apply(this.#all);
    });
  }

  /** Ends the relay, as switching the host off does. */
  async halt(): Promise<void> {
    await this.#turn.run(async () => {
      await this.#end();
      this.#all = [];
      await rm(this.#dir, { recursive: true, force: true });
    });
  }

  letGo(): void {
    this.#isResting = true;
    (this.#relay as { stop?: () => void } | undefined)?.stop?.();
    this.#relay = undefined;
  }

  async #end(): Promise<void> {
    const relay = this.#relay;
    this.#relay = undefined;
    if (relay) await endQemu(relay, undefined, this.#context.clock);
  }

  async #apply(all: readonly Import[]): Promise<void> {
    this.#all = all;
    if (all.length === 0) {
      await this.#end();
      await Promise.all([this.#config, this.#log].map((file) => rm(file, { force: true })));
      return;
    }
    await mkdir(this.#dir, { recursive: true, mode: 0o711 });
    await writeFile(`${this.#config}.new`, JSON.stringify(all), { mode: 0o600 });
    await rename(`${this.#config}.new`, this.#config);
    if (this.#relay && !this.#relay.hasEnded()) signal(this.#relay.identity);
    else await this.#start();
    await Promise.all(all.map((one) => this.#listening(one)));
  }

  async #start(): Promise<void> {
    for (const { socket } of this.#all) await rm(socket, { force: true });
    this.#take(await spawnQemu({ qemu: process.execPath, args: ['-e', RELAY, this.#config], netns: this.#netns, user: undefined, logPath: this.#log }));
  }

  /** Its socket is the guest's. */
  async #listening({ socket, uid }: Import): Promise<void> {
    const { clock, account } = this.#context;
    for (const endMs = clock.nowMs() + LISTEN_MS; ; await clock.sleep(5)) {
      if (await stat(socket).catch(() => undefined)) break;
      if (clock.nowMs() > endMs) throw unavailable('The way to a disk of another host could not be opened.', { detail: socket });
    }
    if (account && uid !== undefined) await chown(socket, uid, account.gid);
  }

  #take(relay: QemuProcess): void {
    this.#relay = relay;
    void relay.ended.then(() => {
      if (this.#relay !== relay || this.#isResting) return;
      this.#context.log.error({}, 'what joins guests to disks of other hosts has ended by itself; it is started again');
      this.#relay = undefined;
      this.#again();
    });
  }

  #again(): void {
    void this.#turn
      .run(async () => {
        if (!this.#isResting && !this.#relay) await this.#apply(this.#all);
      })
      .catch((error: unknown) => {
        this.#context.log.error({ err: error }, 'guests could not be joined to disks of other hosts again');
        this.#context.clock.after(AGAIN_MS, () => {
          if (!this.#isResting) this.#again();
        });
      });
  }
}

const idOf = (guestId: string, diskId: string): string => createHash('sha256').update(`${guestId}\0${diskId}`).digest('hex').slice(0, 16);
/** The name of QEMU's object with the key of a disk. */
export const credentialsId = (diskId: string): string => `tls-${createHash('sha256').update(diskId).digest('hex').slice(0, 16)}`;

async function writeKey(account: GuestAccount | undefined, uid: number | undefined, dir: string, { user, key }: NbdLocation): Promise<void> {
  const file = join(dir, 'keys.psk');
  await rm(file, { force: true });
  await writeFile(file, `${user}:${key}\n`, { mode: 0o600, flag: 'wx' });
  await giveToGuest(account, uid, file);
}

function signal({ pid }: ProcessIdentity): void {
  try {
    process.kill(pid, 'SIGHUP');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
