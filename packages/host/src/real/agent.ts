import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import { LocalDisks } from '../disks/local-disks.ts';
import { KernelFabric } from '../fabric/fabric.ts';
import { checkReachable, detectAccount, type GuestAccount, tapGroup } from '../hypervisor/account.ts';
import { QemuGuests } from '../hypervisor/guests.ts';
import type { HostAgent, HostCallbacks, HostEvent, HostFacts } from '../interface/agent.ts';

export interface RealAgentOptions {
  /** Name of the host; the machine's own when absent. */
  readonly host?: string;
  /** Short and unique among the clouds of this machine: it names namespaces, links and control groups. */
  readonly instance: string;
  /** Disks, guests' records, DHCP files. */
  readonly dataDir: string;
  /** Sockets; a short path. */
  readonly runDir: string;
  /** Physical networks by name: the one link that joins Cairn's networks to this machine, and the machine's address there. */
  readonly physicalNetworks: Readonly<Record<string, { readonly linkName: string; readonly hostCidr: string }>>;
  readonly callbacks: HostCallbacks;
  readonly clock: Clock;
  readonly log: Logger;
}

/** This machine as a host: QEMU guests on disks in files and networks in namespaces. */
export class RealAgent implements HostAgent {
  readonly host: string;
  readonly guests: QemuGuests;
  readonly fabric: KernelFabric;
  readonly disks: LocalDisks;
  readonly #options: RealAgentOptions;
  readonly #listeners: Set<(event: HostEvent) => void>;
  readonly #account: GuestAccount | undefined;

  private constructor(options: RealAgentOptions, account: GuestAccount | undefined) {
    this.host = options.host || hostname();
    this.#options = options;
    this.#account = account;
    this.#listeners = new Set();
    const onEvent = (event: HostEvent): void => {
      for (const listener of this.#listeners) listener(event);
    };
    const { instance, dataDir, runDir, physicalNetworks, callbacks, clock, log } = options;
    this.fabric = new KernelFabric({
      instance,
      dataDir: join(dataDir, 'fabric'),
      runDir: join(runDir, 'fabric'),
      tapGroupGid: tapGroup(account) ?? 0,
      physicalNetworks,
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
      openDisk: (diskId) => this.disks.resolve(diskId),
      imagePath: (imageId) => this.disks.imageFile(imageId),
      clock,
      log: log.child({ room: 'hypervisor' }),
      onEvent,
    });
    this.disks = new LocalDisks({
      dataDir: join(dataDir, 'disks'),
      openDisks: this.guests.openDisks,
      openImage: (imageId) => callbacks.openImage(imageId),
      ...(account && { user: { uid: account.uids > 1 ? account.gid : account.firstUid, gid: account.gid } }),
      log: log.child({ room: 'disks' }),
    });
  }

  static async create(options: RealAgentOptions): Promise<RealAgent> {
    return new RealAgent(options, await detectAccount());
  }

  async start(): Promise<void> {
    const { dataDir, runDir } = this.#options;
    await Promise.all([mkdir(dataDir, { recursive: true, mode: 0o711 }), mkdir(runDir, { recursive: true, mode: 0o711 })]);
    // before anything is made: a closed directory above the data stops every guest
    await checkReachable(this.#account, join(dataDir, 'guests'));
    await this.fabric.start();
    await this.guests.recover();
    await this.disks.start();
  }

  async stop(): Promise<void> {
    await this.disks.stop();
    await this.guests.stop();
    await this.fabric.stop();
  }

  async destroy(): Promise<void> {
    await this.guests.destroy();
    await this.disks.stop();
    await this.fabric.destroy();
    await rm(this.#options.dataDir, { recursive: true, force: true });
    await rm(this.#options.runDir, { recursive: true, force: true });
  }

  async describe(): Promise<HostFacts> {
    const [{ notes: _, ...facts }, capacity] = await Promise.all([this.guests.describe(), this.disks.capacity()]);
    return {
      ...facts,
      host: this.host,
      diskGb: capacity.totalGb,
      diskFreeGb: capacity.freeGb,
      hostIp: '127.0.0.1',
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
