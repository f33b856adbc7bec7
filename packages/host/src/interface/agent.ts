import type { Readable } from 'node:stream';
import type { Disks } from './disks.ts';
import type { Fabric, SecurityLogRecord } from './fabric.ts';
import type { Guests, GuestState } from './guests.ts';
import type { Templates } from './templates.ts';

/**
 * What one machine does, physically. Two implementations from the first day: the real one (QEMU, namespaces, files) and the
 * simulated one (memory, virtual clock, injected faults). No other code starts a process, opens a device or touches a bridge.
 *
 * Every method is idempotent: asked twice it finds its own work. Removal tolerates absence. Arguments and results are plain
 * data (they cross the bus), streams excepted. Errors are CairnErrors whose text a user may read.
 */
export interface HostAgent {
  /** The host's name, as in `OS-EXT-SRV-ATTR:host`. */
  readonly host: string;
  /** The address that tunnels to this host end at; undefined for a host that no other one reaches. */
  readonly tunnelIp?: string | undefined;
  readonly guests: Guests;
  readonly fabric: Fabric;
  readonly disks: Disks;
  readonly templates: Templates;
  /** Prepares the host and finds again what an earlier run left behind: guests, namespaces, disks. */
  start(): Promise<void>;
  /** Lets go of everything without stopping guests or traffic. */
  stop(): Promise<void>;
  /** Ends all that runs, at once, as switching the machine off does: guests, and what serves disks to other hosts. */
  halt(): Promise<void>;
  /** The machine is on again: what serves disks to other hosts runs as before; guests are started one by one. */
  wake(): Promise<void>;
  /** Removes every trace: processes, namespaces, links, rules, mounts, files of this agent's data directory. */
  destroy(): Promise<void>;
  describe(): Promise<HostFacts>;
  /** Calls back on what happens by itself. Returns the way to stop. */
  onEvent(listener: (event: HostEvent) => void): () => void;
}

export interface HostFacts {
  readonly host: string;
  readonly architecture: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
  readonly memoryUsedMb: number;
  readonly diskFreeGb: number;
  /** `QEMU` or `simulated`. */
  readonly hypervisorType: string;
  /** As nova counts: 7.2.22 is 7002022. */
  readonly hypervisorVersion: number;
  readonly accelerator: 'kvm' | 'tcg' | 'simulated';
  readonly cpu: {
    readonly vendor: string;
    readonly model: string;
    readonly features: readonly string[];
    readonly sockets: number;
    readonly cores: number;
    readonly threads: number;
  };
  /** Placement traits the host offers: `COMPUTE_NODE`, `COMPUTE_VOLUME_ATTACH`, `HW_CPU_X86_AVX2` ... */
  readonly traits: readonly string[];
  readonly hostIp: string;
  readonly uptimeSeconds: number;
  /** Absent where all processors are shared and nothing is known of nodes. */
  readonly numa?: readonly HostNumaCell[];
}

/** A NUMA node of a host: processors and memory near to each other. */
export interface HostNumaCell {
  readonly id: number;
  /** Processors that guests float over, and those that are given to one guest's each. */
  readonly sharedCpus: readonly number[];
  readonly dedicatedCpus: readonly number[];
  /** Threads of each core; empty where no core has several. */
  readonly siblings: readonly (readonly number[])[];
  readonly memoryMb: number;
  /** Pages by their size. */
  readonly pages: readonly { readonly sizeKb: number; readonly total: number }[];
}

export type HostEvent =
  | { readonly kind: 'guest'; readonly guestId: string; readonly state: GuestState; readonly reason: string }
  | { readonly kind: 'port'; readonly portId: string; readonly status: 'up' | 'down' }
  /** A subnet's prefix was delegated, or renewed until a later time; without one, it may no longer be used. Told again with each `apply`. */
  | {
      readonly kind: 'prefix';
      readonly routerId: string;
      readonly subnetId: string;
      readonly lease?: { readonly prefix: string; readonly validUntilMs: number };
    }
  | { readonly kind: 'securityLog'; readonly records: readonly SecurityLogRecord[] }
  | { readonly kind: 'trouble'; readonly subject: string; readonly message: string };

/** What an agent asks of the cloud; given at construction. */
export interface HostCallbacks {
  /** Streams an image's data (glance), for hosts that cannot read it as a file. */
  openImage(imageId: string): Promise<Readable>;
  /** The secret (a passphrase) that opens an encrypted disk. Never to be kept, logged or put on a command line. */
  diskKey?(keyId: string): Promise<string>;
  /** Answers a guest's request to 169.254.169.254, identified by port and never by headers. */
  metadata(request: MetadataRequest): Promise<MetadataReply>;
}

export interface MetadataRequest {
  /** The port whose address asked, found by (network, source address). */
  readonly portId: string;
  readonly method: string;
  /** Path with query: `/openstack/latest/meta_data.json`. */
  readonly path: string;
  readonly body?: string;
}

export interface MetadataReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
}
