import type { Clock } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import type { HostEvent } from '../interface/agent.ts';
import type { GuestAccount } from './account.ts';
import type { Asking } from './asking.ts';
import type { ControlGroups } from './cgroups.ts';
import type { Imports } from './imports.ts';
import type { Inventory } from './inventory.ts';
import type { DiskResolver, ImageResolver } from './open-disks.ts';
import type { CpuSets } from './pinning.ts';
import type { TemplateResolver } from './open-template.ts';

/** What the hypervisor is built with. */
export interface QemuOptions {
  /** Guests' records, console logs, firmware variables and saved memories; survives a restart of the machine. */
  readonly dataDir: string;
  /** Sockets. A short path: the kernel limits the length of sockets' names. */
  readonly runDir: string;
  /** Tells this host's control groups from those of another Cairn on the same machine. */
  readonly name: string;
  /** Where other hosts are reached, for disks that they serve and this one does: a network namespace (absent: Cairn's own) and this host's address in it. */
  readonly between?: { readonly netns?: string; readonly address: string };
  /** The network namespace in which guests' taps are; QEMU is started in it. Absent: Cairn's own. */
  readonly netns?: string;
  /** Whom guests run as: `detectAccount()`. Undefined: Cairn's own user. */
  readonly account: GuestAccount | undefined;
  readonly openDisk: DiskResolver;
  readonly imagePath: ImageResolver;
  /** The secret of an encrypted disk. */
  readonly diskKey?: (keyId: string) => Promise<string>;
  /** Given by Templates; absent where there are none. */
  readonly openTemplate?: TemplateResolver;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent: (event: HostEvent) => void;
  /** The program; default `qemu-system-x86_64`. */
  readonly qemu?: string;
  /** Where to look for UEFI firmware, before the usual places. */
  readonly firmwareDirs?: readonly string[];
  /** By default guests float over all processors. */
  readonly cpus?: CpuSets;
  /** The program that is virtual TPMs; default `swtpm`. */
  readonly swtpm?: string;
  /** Settles what KVM can do instead of trying. */
  readonly accelerator?: 'kvm' | 'tcg';
}

/** Shared by all guests of a host. */
export interface HypervisorContext {
  readonly options: QemuOptions;
  readonly qemu: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly account: GuestAccount | undefined;
  inventory(): Promise<Inventory>;
  controlGroups(): Promise<ControlGroups>;
  /** Which guests have a disk open. */
  readonly holders: Holders;
  readonly asking: Asking;
  /** The ways to disks that other hosts serve. */
  readonly imports: Imports;
  /** A user id that no guest has. Undefined where guests have none of their own. */
  takeUid(): number | undefined;
}

/** Which guest holds which disk. */
export class Holders {
  readonly #byDisk = new Map<string, Set<string>>();

  add(diskId: string, guestId: string): void {
    const guests = this.#byDisk.get(diskId) ?? new Set();
    guests.add(guestId);
    this.#byDisk.set(diskId, guests);
  }

  remove(diskId: string, guestId: string): void {
    const guests = this.#byDisk.get(diskId);
    guests?.delete(guestId);
    if (guests?.size === 0) this.#byDisk.delete(diskId);
  }

  removeGuest(guestId: string): void {
    for (const diskId of Array.from(this.#byDisk.keys())) this.remove(diskId, guestId);
  }

  of(diskId: string): readonly string[] {
    return [...(this.#byDisk.get(diskId) ?? [])];
  }
}
