import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { notFound } from '@cairn/kit/errors/errors';
import { silentLog } from '@cairn/kit/log/log';
import type { HostEvent } from '../interface/agent.ts';
import type { GuestDisk, GuestNic, GuestSpec } from '../interface/guests.ts';
import { run } from '../process/run.ts';
import { detectAccount, tapGroup } from './account.ts';
import { bootDisk, type Program } from './boot-sector.fixture.ts';
import type { QemuOptions } from './context.ts';
import { QemuGuests } from './guests.ts';
import type { DiskLayer } from './open-disks.ts';

const onPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** Why tests with real QEMU are skipped here, or false. */
export const noQemu: string | false = onPath('qemu-system-x86_64') && onPath('qemu-img') ? false : 'needs qemu-system-x86_64 and qemu-img';
/** Why tests that make network namespaces are skipped here, or false. */
export const noNetns: string | false = noQemu || (process.getuid?.() === 0 ? false : 'needs root');

/** A network namespace of the test's own, with taps for guests. */
export class TestNetwork {
  readonly netns: string;
  #taps = 0;

  private constructor(netns: string) {
    this.netns = netns;
  }

  static async make(t: TestContext): Promise<TestNetwork> {
    const network = new TestNetwork(`cairn-hv-${process.pid}-${randomUUID().slice(0, 8)}`);
    await run('ip', ['netns', 'add', network.netns]);
    t.after(async () => {
      await run('ip', ['netns', 'del', network.netns]);
    });
    return network;
  }

  /** A tap that guests may open, as Fabric makes it. */
  async nic(more: Partial<GuestNic> = {}): Promise<GuestNic> {
    const portId = more.portId ?? randomUUID();
    const tap = `tap${portId.slice(0, 11)}`;
    const group = tapGroup(await detectAccount());
    await run('ip', ['-n', this.netns, 'tuntap', 'add', tap, 'mode', 'tap', 'vnet_hdr', ...(group === undefined ? [] : ['group', String(group)])]);
    await run('ip', ['-n', this.netns, 'link', 'set', tap, 'up']);
    return { portId, tap, mac: `fa:16:3e:00:00:${(++this.#taps).toString(16).padStart(2, '0')}`, mtu: 1442, model: 'virtio', ...more };
  }
}

/** A host with real QEMU in directories of its own, and the disks it opens. */
export class TestHost {
  readonly dir: string;
  readonly events: HostEvent[] = [];
  readonly chains = new Map<string, readonly DiskLayer[]>();
  readonly options: QemuOptions;
  guests: QemuGuests;

  private constructor(dir: string, options: Omit<QemuOptions, 'onEvent' | 'openDisk'>) {
    this.dir = dir;
    this.options = {
      ...options,
      onEvent: (event) => this.events.push(event),
      openDisk: async (diskId) => {
        const layers = this.chains.get(diskId);
        if (!layers) throw notFound(`There is no disk ${diskId}.`);
        return { layers };
      },
    };
    this.guests = new QemuGuests(this.options);
  }

  static async make(t: TestContext, extra: Partial<QemuOptions> = {}): Promise<TestHost> {
    const dir = await mkdtemp(join(tmpdir(), 'cairn-hv-'));
    await chmod(dir, 0o711);
    const host = new TestHost(dir, {
      dataDir: join(dir, 'data'),
      runDir: join(dir, 'run'),
      name: dir.slice(-6),
      account: await detectAccount(),
      imagePath: async (imageId) => imageId,
      clock: systemClock,
      log: silentLog,
      accelerator: process.env.CAIRN_TEST_ACCELERATOR === 'kvm' ? 'kvm' : 'tcg',
      ...extra,
    });
    t.after(async () => {
      await host.guests.destroy();
      await rm(dir, { recursive: true, force: true });
    });
    await host.guests.recover();
    return host;
  }

  /** As after a crash of Cairn: another object finds what the first left running. */
  async restart(): Promise<void> {
    await this.guests.stop();
    this.guests = new QemuGuests(this.options);
    await this.guests.recover();
  }

  /** Waits until an event is there that `matches`. */
  async event(matches: (event: HostEvent) => boolean, withinMs = 10_000): Promise<HostEvent> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const found = this.events.find(matches);
      if (found) return found;
      if (Date.now() > deadline) throw new Error(`no such event among ${JSON.stringify(this.events)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** An empty disk of `sizeMb`. */
  async disk(format: 'raw' | 'qcow2' = 'qcow2', sizeMb = 16): Promise<string> {
    const diskId = randomUUID();
    const path = join(this.dir, `${diskId}.${format}`);
    await run('qemu-img', ['create', '-q', '-f', format, path, `${sizeMb}M`]);
    await chmod(path, 0o600);
    this.chains.set(diskId, [{ format, path }]);
    return diskId;
  }

  /** A disk with a guest of one sector, and the guest's spec. */
  async guest(program: Program, more: Partial<GuestSpec> = {}, says = 'hello'): Promise<GuestSpec> {
    const diskId = randomUUID();
    const path = join(this.dir, `${diskId}.raw`);
    await writeFile(path, bootDisk(program, says), { mode: 0o600 });
    this.chains.set(diskId, [{ format: 'raw', path }]);
    return smallSpec({ disks: [virtioDisk(diskId, 'vda', { bootIndex: 0 })], ...more });
  }

  /** Waits until the guest has printed what `pattern` says. */
  async printed(guestId: string, pattern: RegExp, withinMs = 20_000): Promise<string> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const log = await this.guests.consoleLog(guestId);
      if (pattern.test(log)) return log;
      if (Date.now() > deadline) throw new Error(`the guest printed ${JSON.stringify(log.slice(-500))}, not ${pattern}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** A new layer above a file: what Disks makes before it asks for a snapshot. */
  async overlay(backing: DiskLayer, sizeMb = 16): Promise<DiskLayer & { readonly path: string }> {
    if (!('path' in backing)) throw new Error('a file is needed');
    const path = join(this.dir, `${randomUUID()}.qcow2`);
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', backing.path, '-F', backing.format, path, `${sizeMb}M`]);
    return { format: 'qcow2', path };
  }

  async file(name: string, content: string | Buffer): Promise<string> {
    const path = join(this.dir, name);
    await writeFile(path, content);
    return path;
  }
}

export const virtioDisk = (diskId: string, device = 'vda', more: Partial<GuestDisk> = {}): GuestDisk => ({
  diskId,
  device,
  bus: 'virtio',
  kind: 'disk',
  serial: diskId,
  ...more,
});

/** A small guest; without a bootable disk its firmware finds nothing and waits. */
export const smallSpec = (more: Partial<GuestSpec> = {}): GuestSpec => ({
  guestId: randomUUID(),
  name: 'a guest',
  vcpus: 1,
  memoryMb: 64,
  firmware: 'bios',
  disks: [],
  nics: [],
  ...more,
});
