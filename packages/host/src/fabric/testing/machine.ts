import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@cairn/kit/clock/clock';
import { silentLog } from '@cairn/kit/log/log';
import type { HostEvent, MetadataReply, MetadataRequest } from '../../interface/agent.ts';
import { killGroup, run, start } from '../../process/run.ts';
import { KernelFabric } from '../fabric.ts';
import type { KernelFabricOptions } from '../options.ts';

/** The user that holds the taps in tests. */
export const TAP_OWNER = 65534;

/** Why real packet tests cannot run here; false when they can. */
export const cannotRun: string | false = process.getuid?.() === 0 ? false : 'needs root';

/** Why VLANs cannot be tried here; false when they can. */
export async function cannotDoVlans(): Promise<string | false> {
  if (cannotRun) return cannotRun;
  // not of the loopback link, which takes none in any kernel
  const input = 'link add v1 type veth peer name v2\nlink add link v1 name v3 type vlan id 1\n';
  const { code } = await run('unshare', ['-n', 'ip', '-batch', '-'], { input, okCodes: [1, 2] });
  return code === 0 ? false : 'this kernel has no VLAN devices (CONFIG_VLAN_8021Q)';
}

/**
 * A machine of the test's own: an outer namespace in place of the host's, guests that are namespaces behind real taps, and any number of
 * fabrics that follow each other on it. Nothing touches the namespace in which the test runs.
 */
export class Machine {
  readonly instance = `t${randomBytes(4).toString('hex')}`;
  readonly outer = `${this.instance}-outer`;
  readonly events: HostEvent[] = [];
  readonly metadataRequests: MetadataRequest[] = [];
  readonly guests: Guest[] = [];
  #dir = '';
  #guestCount = 0;
  readonly #beside: Background[] = [];
  #fabrics: KernelFabric[] = [];

  static async create(): Promise<Machine> {
    const machine = new Machine();
    machine.#dir = await mkdtemp(join(tmpdir(), 'cairn-fabric-'));
    await chmod(machine.#dir, 0o755);
    await run('ip', ['netns', 'add', machine.outer]);
    await run('ip', ['-n', machine.outer, 'link', 'set', 'lo', 'up']);
    return machine;
  }

  get runDir(): string {
    return this.#dir;
  }

  fabric(more: Partial<KernelFabricOptions> = {}): KernelFabric {
    const fabric = new KernelFabric({
      instance: this.instance,
      dataDir: this.#dir,
      runDir: this.#dir,
      tapGroupGid: TAP_OWNER,
      physicalNetworks: { public: { linkName: 'pub0', hostCidr: '172.24.4.1/24' } },
      callbacks: { metadata: async (request) => this.#metadata(request) },
      clock: systemClock,
      log: silentLog,
      onEvent: (event) => this.events.push(event),
      outerNetns: this.outer,
      ...more,
    });
    this.#fabrics.push(fabric);
    return fabric;
  }

  #metadata(request: MetadataRequest): MetadataReply {
    this.metadataRequests.push(request);
    return { status: 200, contentType: 'text/plain', body: `port=${request.portId} path=${request.path} body=${request.body ?? ''}` };
  }

  /** A guest at the port's tap. Without an address it has to ask DHCP. */
  async guest(
    fabric: KernelFabric,
    options: { readonly tap: string; readonly mac: string; readonly cidr?: string; readonly gateway?: string },
  ): Promise<Guest> {
    const guest = await Guest.start(`${this.instance}-g${this.#guestCount++}`, fabric.switchNamespace, this.#dir, options);
    this.guests.push(guest);
    return guest;
  }

  /** Runs a program in the outer namespace. */
  async outside(command: string, ...args: string[]): Promise<{ code: number; stdout: string }> {
    return await inside(this.outer, command, args);
  }

  /** A program that runs beside in the outer namespace. */
  outsideSpawn(command: string, ...args: string[]): Background {
    return this.spawnIn(this.outer, command, ...args);
  }

  /** A program that runs beside in some namespace. */
  spawnIn(netns: string, command: string, ...args: string[]): Background {
    const background = new Background(start(command, args, { netns, stdio: ['pipe', 'pipe', 'pipe'], dieWithParent: true }));
    this.#beside.push(background);
    return background;
  }

  /** Ends guests, what runs beside, and the fabrics; what these built stays. */
  async settle(): Promise<void> {
    for (const background of this.#beside.splice(0)) await background.end();
    await Promise.all(this.guests.splice(0).map((guest) => guest.stop()));
    for (const fabric of this.#fabrics.splice(0)) await fabric.stop();
  }

  async destroy(): Promise<void> {
    await this.settle();
    await this.fabric().destroy();
    await run('ip', ['netns', 'delete', this.outer]);
    await rm(this.#dir, { recursive: true, force: true });
  }
}

async function inside(netns: string, command: string, args: readonly string[], timeoutMs = 15_000): Promise<{ code: number; stdout: string }> {
  const all = Array.from({ length: 256 }, (_, i) => i);
  const { code, stdout, stderr } = await run(command, args, { netns, okCodes: all, timeoutMs });
  return { code, stdout: stdout + stderr };
}

/**
 * A namespace whose one link is what a guest's card would be: frames go through the tap of the port, held by a QEMU without a machine
 * that joins the tap to another one, as a cable would.
 */
export class Guest {
  readonly netns: string;
  /** Every frame that went over the cable, in either direction. */
  readonly frames: Buffer[] = [];
  readonly #cable: ChildProcess;
  readonly #processes: ChildProcess[] = [];
  #wire: Socket | undefined;

  private constructor(netns: string, cable: ChildProcess) {
    this.netns = netns;
    this.#cable = cable;
  }

  static async start(
    netns: string,
    switchNamespace: string,
    dir: string,
    { tap, mac, cidr, gateway }: { readonly tap: string; readonly mac: string; readonly cidr?: string; readonly gateway?: string },
  ): Promise<Guest> {
    const card = `c${randomBytes(5).toString('hex')}`;
    await run('ip', ['netns', 'add', netns]);
    await run('ip', ['-n', switchNamespace, 'tuntap', 'add', 'dev', card, 'mode', 'tap', 'user', String(TAP_OWNER)]);
    const hub = (id: string, backend: string): string[] => ['-netdev', `${backend},id=${id}`, '-netdev', `hubport,id=h${id},hubid=1,netdev=${id}`];
    const end = (id: string, ifname: string): string[] => hub(id, `tap,ifname=${ifname},script=no,downscript=no,vnet_hdr=off`);
    const path = join(dir, `${netns}.wire`);
    const wire = createServer();
    await new Promise<void>((resolve) => wire.listen(path, resolve));
    await chmod(path, 0o777);
    const connected = new Promise<Socket>((resolve) => wire.once('connection', resolve));
    const cable = start(
      'qemu-system-x86_64',
      [
        '-machine',
        'none',
        '-nodefaults',
        '-display',
        'none',
        '-monitor',
        'none',
        ...end('a', tap),
        ...end('b', card),
        ...hub('c', `stream,server=off,addr.type=unix,addr.path=${path}`),
      ],
      {
        netns: switchNamespace,
        user: { uid: TAP_OWNER, gid: TAP_OWNER },
        dieWithParent: true,
      },
    );
    const guest = new Guest(netns, cable);
    // The card has a carrier once QEMU holds it; QEMU keeps it wherever it goes.
    guest.#listen(await connected);
    wire.close();
    await until(async () => {
      if (cable.exitCode !== null) throw new Error('QEMU, which is the cable of a test guest, has ended');
      return (await run('ip', ['-n', switchNamespace, '-br', 'link', 'show', 'dev', card])).stdout !== '' && (await heldBy(cable, 2));
    });
    await run('ip', ['-n', switchNamespace, 'link', 'set', 'dev', card, 'netns', netns, 'name', 'eth0']);
    const setup = [`link set lo up`, `link set eth0 address ${mac} up`];
    if (cidr) setup.push(`addr add ${cidr} dev eth0${cidr.includes(':') ? ' nodad' : ''}`);
    if (gateway) setup.push(`route add default via ${gateway}`);
    await run('ip', ['-n', netns, '-batch', '-'], { input: `${setup.join('\n')}\n` });
    return guest;
  }

  #listen(wire: Socket): void {
    this.#wire = wire;
    let rest = Buffer.alloc(0);
    wire.on('error', () => {});
    wire.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
        const length = rest.readUInt32BE(0);
        this.frames.push(rest.subarray(4, 4 + length));
        rest = rest.subarray(4 + length);
      }
    });
  }

  /** Sends a frame as it is. */
  send(frame: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    this.#wire?.write(Buffer.concat([length, frame]));
  }

  /** Whether a frame that holds these bytes arrives within a while. */
  async hears(bytes: string | Buffer, timeoutMs = 3000): Promise<boolean> {
    return await until(async () => this.frames.some((frame) => frame.includes(bytes)), timeoutMs).then(
      () => true,
      () => false,
    );
  }

  async run(command: string, ...args: string[]): Promise<{ code: number; stdout: string }> {
    return await inside(this.netns, command, args);
  }

  async ip(...args: string[]): Promise<void> {
    await run('ip', ['-n', this.netns, ...args]);
  }

  /** Whether an echo request is answered; tries for some seconds. */
  async pings(address: string, ...more: string[]): Promise<boolean> {
    return (await this.run('ping', '-n', '-c', '1', '-i', '0.2', '-w', '4', ...more, address)).stdout.includes(' bytes from ');
  }

  /** Whether echo requests go unanswered, as far as a second tells. */
  async cannotPing(address: string, ...more: string[]): Promise<boolean> {
    return !(await this.run('ping', '-n', '-c', '3', '-i', '0.2', '-W', '0.5', ...more, address)).stdout.includes(' bytes from ');
  }

  /** A program that runs beside. Lines of its output are collected. */
  spawn(command: string, ...args: string[]): Background {
    const child = start(command, args, { netns: this.netns, stdio: ['pipe', 'pipe', 'pipe'], dieWithParent: true });
    this.#processes.push(child);
    return new Background(child);
  }

  async stop(): Promise<void> {
    for (const child of [...this.#processes, this.#cable]) await endOf(child);
    this.#wire?.destroy();
    await run('ip', ['netns', 'delete', this.netns], { okCodes: [1] });
  }

  /** Takes the cable away: the guest has ended. */
  async unplug(): Promise<void> {
    await endOf(this.#cable);
  }
}

export class Background {
  readonly child: ChildProcess;
  output = '';

  constructor(child: ChildProcess) {
    this.child = child;
    const collect = (chunk: Buffer): void => void (this.output += chunk.toString());
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
  }

  write(text: string): void {
    this.child.stdin?.write(text);
  }

  async says(pattern: RegExp, timeoutMs = 5000): Promise<boolean> {
    return await until(async () => pattern.test(this.output), timeoutMs).then(
      () => true,
      () => false,
    );
  }

  async end(): Promise<void> {
    await endOf(this.child);
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  const hasEnded = child.exitCode !== null || child.signalCode !== null;
  const gone = hasEnded ? undefined : new Promise((resolve) => child.once('exit', resolve));
  // Its children, too: they hold the pipes.
  killGroup(child.pid);
  await gone;
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
}

/** Whether the process holds `count` open tun devices. */
async function heldBy(child: ChildProcess, count: number): Promise<boolean> {
  const { stdout } = await run('ls', ['-l', `/proc/${child.pid}/fd`], { okCodes: [1, 2] });
  return stdout.split('\n').filter((line) => line.endsWith('/dev/net/tun')).length >= count;
}

export async function until(condition: () => Promise<boolean>, timeoutMs = 5000): Promise<void> {
  for (const end = Date.now() + timeoutMs; ; ) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`not so after ${timeoutMs} ms`);
    await systemClock.sleep(20);
  }
}
