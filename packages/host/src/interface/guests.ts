import type { Duplex } from 'node:stream';
import type { DiskLocation } from './disks.ts';
import type { GuestHardware } from './hardware.ts';

/** Power states as nova's `power_state` knows them; `absent`: this host has no such guest. */
export type GuestState = 'running' | 'paused' | 'shutdown' | 'crashed' | 'suspended' | 'absent';

/** How much of a disk a guest may use; absent and 0 are without limit. A total excludes the limits of reading and writing of its kind. */
export interface DiskLimits {
  readonly bytesPerSecond?: number;
  readonly readBytesPerSecond?: number;
  readonly writeBytesPerSecond?: number;
  readonly operationsPerSecond?: number;
  readonly readOperationsPerSecond?: number;
  readonly writeOperationsPerSecond?: number;
  /** What it may take for a moment; at least the limit of its kind. */
  readonly burstBytesPerSecond?: number;
  readonly readBurstBytesPerSecond?: number;
  readonly writeBurstBytesPerSecond?: number;
  readonly burstOperationsPerSecond?: number;
  readonly readBurstOperationsPerSecond?: number;
  readonly writeBurstOperationsPerSecond?: number;
  /** A larger request counts as several operations. */
  readonly operationBytes?: number;
}

/** A disk as a guest sees it; `diskId` names a disk of the host's Disks, or, with a location, one that is kept elsewhere. */
export interface GuestDisk {
  readonly diskId: string;
  readonly location?: DiskLocation;
  /** Name in the guest and in nova's records: `vda`. Decides the slot, so it stays the same across restarts. */
  readonly device: string;
  readonly bus: 'virtio' | 'scsi' | 'ide' | 'sata' | 'usb';
  readonly kind: 'disk' | 'cdrom';
  /** 0 boots first; absent never. */
  readonly bootIndex?: number;
  /** Shown in the guest as the disk's serial (the volume's id). */
  readonly serial?: string;
  readonly readOnly?: boolean;
  /** Several guests write to it at once. */
  readonly shared?: boolean;
  readonly limits?: DiskLimits;
}

/** A network card; the tap was made by Fabric for the port. */
export interface GuestNic {
  readonly portId: string;
  readonly mac: string;
  /** The tap's link name: `tap` + the first 11 characters of the port's id. */
  readonly tap: string;
  readonly mtu: number;
  readonly model: 'virtio' | 'e1000' | 'e1000e' | 'rtl8139';
}

/** Everything needed to start a guest. Starting twice with the same id finds the first. */
export interface GuestSpec {
  /** The server's UUID. */
  readonly guestId: string;
  /** For people: the process's name. Free text from users; never reaches argv unescaped. */
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly firmware: 'bios' | 'uefi';
  readonly machine?: 'q35' | 'pc';
  readonly cpuModel?: string;
  readonly disks: readonly GuestDisk[];
  readonly nics: readonly GuestNic[];
  /** Boots a kernel directly (AKI/ARI images): ids of cached images. */
  readonly kernel?: { readonly imageId: string; readonly ramdiskImageId?: string; readonly commandLine: string };
  readonly rng?: boolean;
  readonly vnc?: boolean;
  readonly hardware?: GuestHardware;
}

export interface GuestInfo {
  readonly guestId: string;
  readonly state: GuestState;
  readonly pid?: number;
  readonly startedAtMs?: number;
  /** Answers a start that was to be from a template: whether it was, and if not, why. */
  readonly fastStart?: { readonly used: true } | { readonly used: false; readonly reason: string };
}

export interface StartOptions {
  /** Starts from this template (Templates), where that can be; otherwise the guest boots. */
  readonly templateId?: string | undefined;
}

export interface GuestDiagnostics {
  readonly state: GuestState;
  readonly uptimeSeconds: number;
  readonly cpuTimeNs: number;
  readonly memoryMb: number;
  readonly memoryUsedMb: number;
  readonly disks: readonly {
    readonly device: string;
    readonly readBytes: number;
    readonly readRequests: number;
    readonly writeBytes: number;
    readonly writeRequests: number;
    readonly errors: number;
  }[];
  readonly nics: readonly {
    readonly mac: string;
    readonly rxBytes: number;
    readonly rxPackets: number;
    readonly rxErrors: number;
    readonly rxDrops: number;
    readonly txBytes: number;
    readonly txPackets: number;
    readonly txErrors: number;
    readonly txDrops: number;
  }[];
}

/** What a guest had used at a moment: sums since its process began, which begin anew with the next process. */
export interface UsageSample {
  readonly atMs: number;
  /** Processor time of the guest's whole process: its virtual processors, and what is done for its disks and network. */
  readonly cpuTimeNs: number;
  /** Resident on the host. */
  readonly memoryUsedMb: number;
}

/** The course of one guest, oldest first. */
export interface GuestUsage {
  readonly guestId: string;
  /** Virtual processors, as the guest has them at last. */
  readonly vcpus: number;
  readonly samples: readonly UsageSample[];
}

/** How often a host looks at what its guests use, and how long it remembers. */
export const USAGE_EVERY_MS = 10_000;
export const USAGE_KEPT_MS = 1_800_000;

export interface UsageQuestion {
  /** Of these guests; of all when absent. */
  readonly guestIds?: readonly string[];
  /** What came later, and the sample before it, so that every later one has one to be compared with. */
  readonly sinceMs: number;
}

/** How a guest's devices sit in its machine, so that another host can take it over while it runs. */
export interface GuestLayout {
  readonly slots: Readonly<Record<string, number>>;
  readonly ports: number;
  readonly places: Readonly<Record<string, number>>;
  readonly machineType: string;
  readonly accelerator: 'kvm' | 'tcg';
  readonly cpuModel: string;
  /** It has the devices of machines that were started from templates. */
  readonly fastStart?: boolean;
}

/** Where a device is in a guest's machine. */
export interface DevicePlace {
  readonly bus: 'pci' | 'scsi' | 'ide' | 'sata' | 'usb';
  /** As the guest's kernel names it, `0000:04:00.0`; only on `pci`. */
  readonly address?: string;
}

/** The places of a guest's devices, by disk id and by port id. */
export interface GuestPlaces {
  readonly disks: Readonly<Record<string, DevicePlace>>;
  readonly nics: Readonly<Record<string, DevicePlace>>;
}

/** What goes to the host that takes a guest over. */
export type LiveChannel = 'memory' | 'disks';

export interface LiveReceive {
  /** The guest may go on here before all of its memory has come (post-copy). Where this host cannot do that it comes without. */
  readonly mayPostCopy?: boolean;
}

export interface LiveSend {
  /** The guest's disks that go along, each to an export of the other host. */
  readonly mirror: readonly { readonly diskId: string; readonly exportName: string }[];
  /** Opens a stream to the other host; for disks several times. */
  channel(which: LiveChannel): Promise<Duplex>;
  /**
   * Allows post-copy, which the other host must be able to do; called when the guest has stopped here for good and is to go on over there
   * (`finishLive`) while the rest of its memory follows. From then on the signal is not heard any more.
   */
  switched?(): Promise<void>;
  readonly signal?: AbortSignal;
}

/** What was done for a guest that was in a hurry: it stands still, or goes on at the other host and fetches its memory from here. */
export type LiveHurry = 'paused' | 'post-copy';

/** In bytes. */
export interface LiveProgress {
  /** The other host has everything, and the guest stands still here. */
  readonly isSent: boolean;
  /** Whether the memory may be on two hosts at once, on either; `running`: it is, and the guest can go on nowhere else. */
  readonly postCopy: 'no' | 'possible' | 'running';
  readonly memoryTotal: number;
  readonly memoryProcessed: number;
  readonly memoryRemaining: number;
  readonly diskTotal: number;
  readonly diskProcessed: number;
  readonly diskRemaining: number;
}

/** The hypervisor. */
export interface Guests {
  /** Starts the guest; resolves when its CPUs run. Its disks and taps are there. */
  start(spec: GuestSpec, options?: StartOptions): Promise<GuestInfo>;
  /** Asks the guest to power off (ACPI), and after `graceMs` ends it. Resolves when it is shut down. `graceMs: 0` ends it at once. */
  shutDown(guestId: string, graceMs: number): Promise<GuestInfo>;
  /** Ends the guest and forgets it with its console log and sockets; not its disks. */
  remove(guestId: string): Promise<void>;
  /** Soft: powers down and starts again within the same process, falling back to a reset after `graceMs`. */
  rebootSoft(guestId: string, graceMs: number): Promise<GuestInfo>;
  /** Hard: the process is ended and started anew from `spec`. */
  rebootHard(spec: GuestSpec): Promise<GuestInfo>;
  pause(guestId: string): Promise<GuestInfo>;
  unpause(guestId: string): Promise<GuestInfo>;
  /** Saves the running guest's memory to a file and ends the process. */
  suspend(guestId: string): Promise<GuestInfo>;
  resume(spec: GuestSpec): Promise<GuestInfo>;
  attachDisk(guestId: string, disk: GuestDisk): Promise<void>;
  /** Resolves when the guest has let go. Rejects with Conflict when it does not within `waitMs`. */
  detachDisk(guestId: string, diskId: string, waitMs: number): Promise<void>;
  /** A disk has grown: the guest is told, if the disk is kept elsewhere. Does nothing to a guest that is off. */
  diskHasGrown(guestId: string, diskId: string, sizeBytes: number): Promise<void>;
  /**
   * Gives a running (or paused) guest another disk in the place of one that it has, with the same content: that is copied while the guest writes on, and from
   * then on it writes to the new one alone. `disk` is there, and of the same size for the guest (QEMU copies to no other); either may be encrypted. Rejects with
   * Conflict when the guest is off, or the size another. When it rejects (or the signal aborts) the guest has what it had; when the guest has the new disk already there is nothing to do.
   */
  swapDisk(guestId: string, diskId: string, disk: GuestDisk, signal?: AbortSignal): Promise<void>;
  attachNic(guestId: string, nic: GuestNic): Promise<void>;
  detachNic(guestId: string, portId: string, waitMs: number): Promise<void>;
  layout(guestId: string): Promise<GuestLayout>;
  /**
   * Where the devices of a guest are, or will be once it is started as `spec` says: no guest needs to be there yet. `anew`: whatever is there of the
   * guest is removed before.
   */
  places(spec: GuestSpec, anew?: boolean): Promise<GuestPlaces>;
  /**
   * Live migration, on the host that the guest comes to: a machine of the same layout that waits. Its disks are there, with the sizes of the
   * source's. Returns the names of the exports that `mirrored` disks are written to, by disk id.
   */
  receiveLive(spec: GuestSpec, layout: GuestLayout, mirrored: readonly string[], options?: LiveReceive): Promise<Readonly<Record<string, string>>>;
  /** On the host that the guest comes to, after the stream of memory broke in the middle of post-copy: takes another one. */
  reopenLive(guestId: string): Promise<void>;
  /** On the host that the guest comes to: a stream into the machine that waits. */
  liveChannel(guestId: string, which: LiveChannel): Promise<Duplex>;
  /**
   * On the host that the guest leaves. Resolves when the other host has everything; the guest stands still then and has not gone on there.
   * When it rejects (or the signal aborts) the guest goes on here. With post-copy the guest goes on there before; when it rejects then, the caller
   * opens the other host again (`reopenLive`) and asks again, which sends the rest.
   */
  sendLive(guestId: string, options: LiveSend): Promise<void>;
  liveProgress(guestId: string): Promise<LiveProgress>;
  /** Switches to post-copy where that is allowed; else stops the guest so that the rest goes over in one go. */
  hastenLive(guestId: string): Promise<LiveHurry>;
  /** On the host that the guest left or was leaving: it goes on here, or stays paused as it was. What it did on the other
   * host after `finishLive` is lost. In the middle of post-copy it can go on nowhere, and is ended as crashed. */
  resumeLive(guestId: string, run: boolean): Promise<void>;
  /** On the host that the guest came to: its CPUs run, or stay paused as they were. */
  finishLive(guestId: string, run: boolean): Promise<GuestInfo>;
  info(guestId: string): Promise<GuestInfo>;
  list(): Promise<readonly GuestInfo[]>;
  /** The end of the serial console's log: the last `lines`, or all that is kept. Bytes that are no UTF-8 become U+FFFD. */
  consoleLog(guestId: string, lines?: number): Promise<string>;
  diagnostics(guestId: string): Promise<GuestDiagnostics>;
  /**
   * What this host has sampled by itself, every 10 s, of the guests that ran: the last half hour, as long as the agent runs. Whoever asks (the API,
   * what measures for bills) gets the same samples, and asking costs the host no look at any guest. Guests that are not known are left out.
   */
  usage(question: UsageQuestion): Promise<readonly GuestUsage[]>;
  /** The encrypted state of the virtual TPM of a guest that does not run, base64, to take along to another host; undefined where it has none. */
  tpmState(guestId: string): Promise<string | undefined>;
  /** Injects a non-maskable interrupt (crash dump). */
  interrupt(guestId: string): Promise<void>;
  /** Sets a user's password by the agent inside the guest. Rejects with Conflict where none answers. */
  setPassword(guestId: string, userName: string, password: string): Promise<void>;
  /**
   * The bytes of a running guest's console: RFB of its display, or its serial line. The caller ends the stream. A guest takes one viewer of
   * each at a time; a later one waits or is let in as QEMU does. Rejects with Conflict while the guest is off.
   */
  console(guestId: string, which: 'vnc' | 'serial'): Promise<Duplex>;
}
