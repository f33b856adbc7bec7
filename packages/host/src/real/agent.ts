import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import { LocalDisks } from '../disks/local-disks.ts';
import { BackendDisks } from '../backends/backend-disks.ts';
import { makeRooms } from '../backends/rooms.ts';
import { SharedDirectories } from '../backends/shared-directory.ts';
import { KernelFabric } from '../fabric/fabric.ts';
import type { PhysicalNetwork, TunnelEndpoint } from '../fabric/plan/switch.ts';
import { checkReachable, detectAccount, type GuestAccount, shareOf, tapGroup } from '../hypervisor/account.ts';
import { QemuGuests } from '../hypervisor/guests.ts';
import type { CpuSets } from '../hypervisor/pinning.ts';
import type { BackendSpec } from '../interface/backends.ts';
import { LocalTemplates } from '../templates/templates.ts';
import type { HostAgent, HostCallbacks, HostEvent, HostFacts } from '../interface/agent.ts';
import type { Disks } from '../interface/disks.ts';
import { withServing } from './served-disks.ts';

export interface RealAgentOptions {
  /** Name of the host; the machine's own when absent. */
  readonly host?: string;
  /** Short and unique among the clouds of this machine: it names namespaces, links and control groups. */
  readonly instance: string;
  /** The same for all hosts of a cloud, and of no other cloud of this machine: what they have together is marked by it. `instance` when absent. */
  readonly cloud?: string;
  /** Disks, guests' records, DHCP files. */
  readonly dataDir: string;
  /** Sockets; a short path. */
  readonly runDir: string;
  /** Physical networks by name: the one link that joins Cairn's networks to this machine, and the machine's address there. */
  readonly physicalNetworks: Readonly<Record<string, PhysicalNetwork>>;
  /** Which processors guests have; by default they float over all. */
  readonly cpus?: CpuSets;
  /** Storage beside the host's own disks. */
  readonly backends?: readonly BackendSpec[];
  /** The directories that this host has together with the others of this process. */
  readonly shared?: SharedDirectories;
  /** One of several hosts on this machine: what joins them, and how many share what the machine has. */
  readonly among?: HostAmongOthers;
  readonly callbacks: HostCallbacks;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface HostAmongOthers {
  /** Counted from 1. */
  readonly index: number;
  readonly count: number;
  readonly tunnels: TunnelEndpoint;
  /** The named namespace that the physical networks' links lead to. */
  readonly outerNetns: string;
}

/** This machine as a host: QEMU guests on disks in files and networks in namespaces. */
export class RealAgent implements HostAgent {
  readonly host: string;
  readonly tunnelIp: string | undefined;
  readonly guests: QemuGuests;
  readonly fabric: KernelFabric;
  readonly disks: Disks;
  readonly #kept: BackendDisks;
  readonly #home: LocalDisks;
  readonly templates: LocalTemplates;
  readonly #options: RealAgentOptions;
  readonly #listeners: Set<(event: HostEvent) => void>;
  readonly #account: GuestAccount | undefined;

  private constructor(options: RealAgentOptions, account: GuestAccount | undefined) {
    this.host = options.host || hostname();
    this.tunnelIp = options.among?.tunnels.localIp;
    this.#options = options;
    this.#account = account;
    this.#listeners = new Set();
    const onEvent = (event: HostEvent): void => {
      for (const listener of this.#listeners) listener(event);
    };
    const { instance, dataDir, runDir, physicalNetworks, callbacks, clock, log } = options;
    const diskKey = callbacks.diskKey?.bind(callbacks);
    this.fabric = new KernelFabric({
      instance,
      dataDir: join(dataDir, 'fabric'),
      runDir: join(runDir, 'fabric'),
      tapGroupGid: tapGroup(account) ?? 0,
      physicalNetworks,
      ...(options.among && { tunnels: options.among.tunnels, outerNetns: options.among.outerNetns }),
      callbacks,
      clock,
      log: log.child({ room: 'fabric' }),
      onEvent,
    });
    this.guests = new QemuGuests({
      dataDir: join(dataDir, 'guests'),
      runDir: join(runDir, 'g'),
      name: instance,
      netns: this.fabric.switchNamespace,
      account,
      ...(options.cpus && { cpus: options.cpus }),
      ...(options.among && { between: { netns: options.among.tunnels.netns, address: options.among.tunnels.localIp } }),
      openDisk: (diskId) => this.#kept.resolve(diskId),
      ...(diskKey && { diskKey }),
      imagePath: (imageId) => this.#home.imageFile(imageId),
      openTemplate: (templateId, guest) => this.templates.open(templateId, guest),
      clock,
      log: log.child({ room: 'hypervisor' }),
      onEvent,
    });
    const common = {
      openDisks: this.guests.openDisks,
      openImage: (imageId: string) => callbacks.openImage(imageId),
      ...(diskKey && { diskKey }),
      ...(account && { user: { uid: account.uids > 1 ? account.gid : account.firstUid, gid: account.gid } }),
      log: log.child({ room: 'disks' }),
    };
    const home = new LocalDisks({ ...common, dataDir: join(dataDir, 'disks') });
    this.#home = home;
    const shared = options.shared ?? new SharedDirectories(1);
    const places = { host: this.host, cloud: options.cloud ?? instance, dataDir: join(dataDir, 'backends'), runDir: join(runDir, 'b') };
    this.#kept = new BackendDisks(
      { disks: home, resolve: home.resolve, start: () => home.start(), stop: () => home.stop() },
      makeRooms(options.backends ?? [], {
        ...{ ...common, ...places, home, shared, clock },
        showGrown: (guestId, diskId, sizeBytes) => this.guests.diskHasGrown(guestId, diskId, sizeBytes),
      }),
    );
    this.disks = withServing(this.#kept, this.guests.exporters);
    this.templates = new LocalTemplates({
      dataDir: join(dataDir, 'templates'),
      guests: this.guests,
      disks: home,
      clock,
      log: log.child({ room: 'templates' }),
    });
  }

  static async create(options: RealAgentOptions): Promise<RealAgent> {
    const account = await detectAccount();
    return new RealAgent(options, account && options.among ? shareOf(account, options.among) : account);
  }

  async start(): Promise<void> {
    const { dataDir, runDir } = this.#options;
    await Promise.all([mkdir(dataDir, { recursive: true, mode: 0o711 }), mkdir(runDir, { recursive: true, mode: 0o711 })]);
    // before anything is made: a closed directory above the data stops every guest
    await checkReachable(this.#account, join(dataDir, 'guests'));
    for (const backend of this.#options.backends ?? [])
      if ('path' in backend && backend.path) await checkReachable(this.#account, join(backend.path, 'volumes'));
    await this.fabric.start();
    await this.guests.recover();
    await this.#kept.start();
    await this.guests.exporters.wake();
    await this.templates.start();
  }

  async stop(): Promise<void> {
    await this.templates.stop();
    await this.#kept.stop();
    await this.guests.stop();
    await this.fabric.stop();
  }

  halt(): Promise<void> {
    return this.guests.halt();
  }

  wake(): Promise<void> {
    return this.guests.exporters.wake();
  }

  async destroy(): Promise<void> {
    await this.templates.stop();
    await this.guests.destroy();
    await this.#kept.stop();
    await this.fabric.destroy();
    await rm(this.#options.dataDir, { recursive: true, force: true });
    await rm(this.#options.runDir, { recursive: true, force: true });
  }

  async describe(): Promise<HostFacts> {
    const share = this.#options.among?.count ?? 1;
    const [{ notes: _, ...facts }, capacity] = await Promise.all([this.guests.describe(), this.disks.capacity()]);
    return {
      ...facts,
      host: this.host,
      // hosts that share a machine share its memory and its disk; processors serve all of them in turn
      memoryMb: Math.floor(facts.memoryMb / share),
      memoryUsedMb: Math.floor(facts.memoryUsedMb / share),
      diskGb: Math.floor(capacity.totalGb / share),
      diskFreeGb: Math.floor(capacity.freeGb / share),
      hostIp: this.tunnelIp ?? '127.0.0.1',
      traits: [...facts.traits, 'COMPUTE_VOLUME_ATTACH', 'COMPUTE_IMAGE_TYPE_QCOW2', 'COMPUTE_IMAGE_TYPE_RAW'],
    };
  }

  onEvent(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
