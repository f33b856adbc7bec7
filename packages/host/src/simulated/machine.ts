import { backendOfDisk } from '../interface/backends.ts';
import type { HostNumaCell } from '../interface/agent.ts';
import type { DiskFormat } from '../interface/disks.ts';
import type { FabricObject } from '../interface/fabric.ts';
import type { GuestSpec, GuestState } from '../interface/guests.ts';

export interface SimulatedGuest {
  spec: GuestSpec;
  state: GuestState;
  startedAtMs: number;
  console: string;
  /** What it was started from, this time. */
  templateId?: string | undefined;
  /** It is on its way: it waits here to come, or everything of it has gone. */
  live?: 'coming' | 'parted' | 'sent' | undefined;
  mayPostCopy?: boolean;
  /** What its TPM remembers. */
  tpm?: string | undefined;
}

export interface SimulatedDisk {
  diskId: string;
  format: DiskFormat;
  sizeBytes: number;
  snapshots: string[];
  /** How large the disk was when each snapshot was taken. */
  snapshotSizes?: Readonly<Record<string, number>>;
  pool: 'ephemeral' | 'volume' | 'template';
  /** A word for what the disk holds; none: zeroes. Copies hold the same, and what is exported says it. */
  content?: string;
  snapshotContents?: Readonly<Record<string, string | undefined>>;
  /** Several guests may have it. */
  shared?: boolean;
  /** Of an encrypted disk. */
  keyId?: string;
}

/** A disk that guests of other machines use. */
export interface SimulatedExports {
  waits: boolean;
  shared: boolean;
  /** The names of exports, by who they are for. */
  names: Record<string, string>;
}

/** All machines of this process: the network between them. */
const network = new Set<WeakRef<SimulatedMachine>>();

/** The machine that answers to the name of an export, with what it serves there. */
export function findExport(exportName: string): { readonly machine: SimulatedMachine; readonly served: SimulatedExports } | undefined {
  for (const ref of network) {
    const machine = ref.deref();
    if (!machine) network.delete(ref);
    for (const served of machine?.served.values() ?? []) if (machine && Object.values(served.names).includes(exportName)) return { machine, served };
  }
  return undefined;
}

export interface SimulatedTemplate {
  templateId: string;
  imageId: string;
  memoryMb: number;
  atMs: number;
}

/** What a simulated host is made of. */
export interface MachineSize {
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
  readonly numa?: readonly HostNumaCell[];
}

export interface SharedStorage {
  readonly backends: ReadonlySet<string>;
  readonly machine: SimulatedMachine;
}

/**
 * The physical truth of one simulated host. It outlives the agent, as real guests outlive Cairn: a test drops the agent ("crash"),
 * makes a new one over the same machine, and finds again what was there.
 */
export class SimulatedMachine {
  readonly host: string;
  readonly size: MachineSize;
  readonly guests = new Map<string, SimulatedGuest>();
  readonly disks = new Map<string, SimulatedDisk>();
  readonly images = new Map<string, number>();
  readonly served = new Map<string, SimulatedExports>();
  /** Switched off: nothing of it can be reached. */
  isHalted = false;
  readonly fabric = new Map<string, FabricObject>();
  /** What the meters of routers are to have counted, by `ROUTER METER`; for tests to set. */
  readonly metered = new Map<string, { readonly packets: number; readonly bytes: number }>();
  /** Storage that several machines reach: the back ends by name, and a machine that stands for it. */
  readonly shared: SharedStorage | undefined;
  readonly templates = new Map<string, SimulatedTemplate>();
  /** Told of every guest, disk, cached image and template that has changed. */
  keep: ((kind: 'guests' | 'disks' | 'images' | 'templates' | 'served', id: string) => void) | undefined;

  constructor(host: string, size: MachineSize = { vcpus: 64, memoryMb: 262_144, diskGb: 4_000 }, shared?: SharedStorage) {
    this.host = host;
    this.shared = shared;
    this.size = size;
    network.add(new WeakRef(this));
  }

  /** The machine that has a disk of this id: this one, or what stands for shared storage. */
  keeperOf(diskId: string): SimulatedMachine {
    return this.shared?.backends.has(backendOfDisk(diskId)) ? this.shared.machine : this;
  }

  /** Everything that exists on the machine, as sorted lines, for leak checks: `guest <id> running`, `disk <id>`, `port <id>` ... */
  inspect(): string[] {
    return [
      ...[...this.guests.values()].map(
        (g) => `guest ${g.spec.guestId} ${g.state} disks=${g.spec.disks.map((d) => d.diskId).sort()} nics=${g.spec.nics.map((n) => n.portId).sort()}`,
      ),
      ...[...this.disks.values()].map(
        (d) => `disk ${d.diskId} ${d.pool} ${d.sizeBytes}${d.snapshots.map((s) => ` snapshot ${s}`).join('')}${d.keyId === undefined ? '' : ' encrypted'}`,
      ),
      ...[...this.served].map(([diskId, { names }]) => `served ${diskId} to ${Object.keys(names).sort()}`),
      ...[...this.fabric.keys()],
    ].sort();
  }

  /** Plain data for a file, so that a simulated cloud survives a restart. */
  toJSON(): object {
    return {
      guests: [...this.guests],
      disks: [...this.disks],
      images: [...this.images],
      templates: [...this.templates],
      served: [...this.served],
      fabric: [...this.fabric],
    };
  }

  /** Takes in what `toJSON` gave. */
  load(data: unknown): void {
    const saved = data as {
      guests: [string, SimulatedGuest][];
      disks: [string, SimulatedDisk][];
      images: [string, number][];
      served?: [string, SimulatedExports][];
      templates?: [string, SimulatedTemplate][];
      fabric: [string, FabricObject][];
    };
    for (const [key, value] of saved.guests) this.guests.set(key, value);
    for (const [key, value] of saved.disks) this.disks.set(key, value);
    for (const [key, value] of saved.images) this.images.set(key, value);
    for (const [key, value] of saved.served ?? []) this.served.set(key, value);
    for (const [key, value] of saved.templates ?? []) this.templates.set(key, value);
    for (const [key, value] of saved.fabric) this.fabric.set(key, value);
  }
}
