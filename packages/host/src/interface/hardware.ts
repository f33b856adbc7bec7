/** How a guest sits on its host's NUMA nodes and processors. */
export interface GuestNumaCell {
  readonly id: number;
  readonly hostNode: number;
  /** The guest's processors that float over the host's shared ones of the node. */
  readonly shared: readonly number[];
  /** The host's processor for each of the guest's dedicated ones. */
  readonly pins: Readonly<Record<string, number>>;
  readonly memoryMb: number;
  /** KiB; null: the host's usual pages. */
  readonly pageSizeKb: number | null;
}

/** A virtual TPM. */
export interface GuestTpm {
  readonly version: '1.2' | '2.0';
  readonly model: 'tpm-tis' | 'tpm-crb';
  /** 64 hexadecimal digits: what its state is encrypted with on the host's disk. */
  readonly secret: string;
  /** Its state from another host, base64 of what `tpmState` told there; used where this host has none. */
  readonly state?: string;
}

/** A guest's machine beyond disks and network cards. What is absent is as the hypervisor likes. */
export interface GuestHardware {
  readonly cpuTopology?: { readonly sockets: number; readonly cores: number; readonly threads: number };
  /** Performance counters for the guest. */
  readonly pmu?: boolean;
  /** The guest is not told that it is one. */
  readonly hidesHypervisor?: boolean;
  readonly hpet?: boolean;
  readonly bootMenu?: boolean;
  readonly watchdog?: 'none' | 'pause' | 'poweroff' | 'reset';
  /** How much randomness the guest may take. */
  readonly rngLimit?: { readonly bytes: number; readonly periodMs: number };
  readonly video?: { readonly model: 'vga' | 'cirrus' | 'qxl' | 'virtio' | 'bochs' | 'none'; readonly memoryMb?: number };
  readonly tablet?: 'usb' | 'virtio';
  readonly usb?: 'none' | 'qemu-xhci' | 'nec-xhci';
  readonly scsi?: 'virtio-scsi' | 'lsilogic' | 'lsisas1068' | 'lsisas1078';
  readonly sound?: 'sb16' | 'es1370' | 'ac97' | 'ich6' | 'ich9';
  readonly iommu?: 'intel' | 'virtio';
  /** Virtio devices with packed rings. */
  readonly packedRings?: boolean;
  /** Including the console. */
  readonly serialPorts?: number;
  /** UEFI alone. */
  readonly secureBoot?: boolean;
  readonly statelessFirmware?: boolean;
  readonly tpm?: GuestTpm;
  readonly numa?: { readonly cells: readonly GuestNumaCell[]; readonly emulatorCpus: readonly number[] };
}
