import { conflict } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import { LocalDisks, type LocalDisksOptions } from '../disks/local-disks.ts';
import type { CopyOptions, DiskLayer, DiskResolver, OpenDisks } from '../hypervisor/open-disks.ts';
import { Lease } from './lease.ts';
import type { DiskRoom } from './room.ts';

/** A host that has the directory: who of its guests has what open. */
interface Member {
  readonly openDisks: OpenDisks;
}

/**
 * Disks in a directory that several hosts see. What guests of any host have open is changed through that guest, everything else here: the
 * records of all disks are in this process's memory, so one process manages a directory, and a lease in it keeps others out.
 */
export class SharedDirectory implements DiskRoom {
  readonly disks: LocalDisks;
  readonly #members: Member[] = [];
  readonly #expected: number;
  readonly #lease: Lease;
  #loading: Promise<void> | undefined;
  #started = 0;
  #left = 0;

  /** `hosts`: how many will join. */
  constructor(options: Omit<LocalDisksOptions, 'openDisks'> & { readonly hosts: number; readonly log: Logger }) {
    this.#expected = options.hosts;
    this.#lease = new Lease(options.dataDir, options.log);
    this.disks = new LocalDisks({ ...options, openDisks: new OpenAnywhere(this.#members) });
  }

  join(member: Member): void {
    this.#members.push(member);
  }

  readonly resolve: DiskResolver = (diskId) => this.disks.resolve(diskId);

  /** Called by each host when it has found its guests again. Chains are made short when the last has: then it is known what is open. */
  async start(): Promise<void> {
    this.#loading ??= this.#load();
    await this.#loading;
    this.#started++;
    if (this.#started === this.#expected) this.disks.tidy();
  }

  async #load(): Promise<void> {
    await this.#lease.take();
    await this.disks.load();
  }

  /** The last host that leaves ends it. */
  async stop(): Promise<void> {
    this.#left++;
    if (this.#left !== this.#expected) return;
    await this.disks.stop();
    await this.#lease.giveBack();
  }
}

/** The directories that the hosts of one process share, each made by the first host that asks. */
export class SharedDirectories {
  readonly hosts: number;
  readonly #byName = new Map<string, SharedDirectory>();

  constructor(hosts: number) {
    this.hosts = hosts;
  }

  of(name: string, make: (hosts: number) => SharedDirectory): SharedDirectory {
    const found = this.#byName.get(name) ?? make(this.hosts);
    this.#byName.set(name, found);
    return found;
  }
}

/** The guests of several hosts as one: each disk's work goes to the host whose guest has it. */
class OpenAnywhere implements OpenDisks {
  readonly #members: readonly Member[];

  constructor(members: readonly Member[]) {
    this.#members = members;
  }

  holder(diskId: string): string | undefined {
    return this.holders(diskId)[0];
  }

  holders(diskId: string): readonly string[] {
    return this.#members.flatMap(({ openDisks }) => openDisks.holders(diskId));
  }

  layers(diskId: string): Promise<readonly DiskLayer[]> {
    return this.#with(diskId, (open) => open.layers(diskId));
  }

  async resize(diskId: string, sizeBytes: number): Promise<void> {
    const holding = this.#holding(diskId);
    if (holding.length === 0) throw notOpen(diskId);
    for (const { openDisks } of holding) await openDisks.resize(diskId, sizeBytes);
  }

  snapshotTo(diskId: string, overlay: DiskLayer): Promise<void> {
    return this.#with(diskId, (open) => open.snapshotTo(diskId, overlay));
  }

  async snapshotAllTo(overlays: readonly { readonly diskId: string; readonly overlay: DiskLayer }[]): Promise<void> {
    const [first] = overlays;
    if (first) await this.#with(first.diskId, (open) => open.snapshotAllTo(overlays));
  }

  backupTo(diskId: string, target: DiskLayer, options?: CopyOptions): Promise<void> {
    return this.#with(diskId, (open) => open.backupTo(diskId, target, options));
  }

  commit(diskId: string, range: { readonly top: DiskLayer; readonly base: DiskLayer }, options?: CopyOptions): Promise<void> {
    return this.#with(diskId, (open) => open.commit(diskId, range, options));
  }

  pull(diskId: string, range: { readonly top: DiskLayer; readonly base?: DiskLayer }, options?: CopyOptions): Promise<void> {
    return this.#with(diskId, (open) => open.pull(diskId, range, options));
  }

  moveTo(diskId: string, target: DiskLayer, options?: CopyOptions): Promise<void> {
    return this.#with(diskId, (open) => open.moveTo(diskId, target, options));
  }

  #holding(diskId: string): readonly Member[] {
    return this.#members.filter(({ openDisks }) => openDisks.holder(diskId) !== undefined);
  }

  async #with<T>(diskId: string, work: (open: OpenDisks) => Promise<T>): Promise<T> {
    const [member] = this.#holding(diskId);
    if (!member) throw notOpen(diskId);
    return work(member.openDisks);
  }
}

const notOpen = (diskId: string): Error => conflict(`No guest has disk ${diskId} open.`);
