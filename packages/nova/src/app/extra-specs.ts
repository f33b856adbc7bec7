import { invalidInput } from '@cairn/kit/errors/errors';

/** What an extra spec's value may be. */
type Value =
  | { readonly type: 'text'; readonly pattern?: string; readonly of?: readonly string[] }
  | { readonly type: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly type: 'boolean' };

const TEXT: Value = { type: 'text' };
const FLAG: Value = { type: 'boolean' };
const oneOf = (...of: readonly string[]): Value => ({ type: 'text', of });
const like = (pattern: string): Value => ({ type: 'text', pattern });
const whole = (min?: number, max?: number): Value => ({ type: 'integer', ...(min !== undefined && { min }), ...(max !== undefined && { max }) });
const spread = (names: readonly string[], value: Value, prefix: string): readonly (readonly [string, Value])[] =>
  names.map((name) => [`${prefix}${name}`, value] as const);

// The same languages as upstream's patterns, written so that no text makes them backtrack.
const CPU_SET = '\\^?\\d+(-\\d+|,\\^?\\d+)*';
const NAMES = '[a-zA-Z0-9_]+(,[a-zA-Z0-9_]+)*,?';
const LEVELS = oneOf('custom', 'high', 'normal', 'low');

/** Names without parameters (nova/api/validation/extra_specs). */
const BY_NAME: ReadonlyMap<string, Value> = new Map<string, Value>([
  ['accel:device_profile', TEXT],
  // Cairn's own (fast-start.ts)
  ['cairn:fast_start', FLAG],
  ...spread(
    [
      ...['id', 'uuid', 'service_id', 'host', 'vcpus', 'memory_mb', 'local_gb', 'vcpus_used', 'memory_mb_used', 'local_gb_used', 'hypervisor_type'],
      ...['hypervisor_version', 'hypervisor_hostname', 'free_ram_mb', 'free_disk_gb', 'current_workload', 'running_vms', 'disk_available_least', 'host_ip'],
      ...['mapped', 'cpu_allocation_ratio', 'ram_allocation_ratio', 'disk_allocation_ratio', 'total_usable_ram_mb', 'total_usable_disk_gb', 'disk_mb_used'],
      ...['free_disk_mb', 'vcpus_total', 'num_instances', 'num_io_ops', 'failed_builds', 'aggregates', 'cell_uuid', 'updated'],
    ],
    TEXT,
    'capabilities:',
  ),
  ['group_policy', oneOf('isolate', 'none')],
  ['hide_hypervisor_id', FLAG],
  ...spread(
    [
      'cpu_realtime',
      'hide_hypervisor_id',
      'locked_memory',
      'boot_menu',
      'vif_multiqueue_enabled',
      'mem_encryption',
      'pmu',
      'virtio_packed_ring',
      'ephemeral_encryption',
    ],
    FLAG,
    'hw:',
  ),
  ...spread(['numa_nodes', 'cpu_sockets', 'cpu_cores', 'cpu_threads', 'cpu_max_sockets', 'cpu_max_cores', 'cpu_max_threads'], whole(1), 'hw:'),
  ['hw:cpu_realtime_mask', like(CPU_SET)],
  ['hw:cpu_policy', oneOf('dedicated', 'shared', 'mixed')],
  ['hw:cpu_thread_policy', oneOf('prefer', 'isolate', 'require')],
  ['hw:emulator_threads_policy', oneOf('isolate', 'share')],
  ['hw:cpu_dedicated_mask', like(CPU_SET)],
  ['hw:mem_page_size', like('(large|small|any|\\d+([kKMGT]i?)?(b|bit|B)?)')],
  ['hw:pci_numa_affinity_policy', oneOf('required', 'preferred', 'legacy', 'socket')],
  ['hw:mem_encryption_model', oneOf('amd-sev', 'amd-sev-es', 'amd-sev-snp')],
  ['hw:pmem', like(NAMES)],
  ['hw:serial_port_count', whole(0)],
  ['hw:tpm_model', oneOf('tpm-tis', 'tpm-crb')],
  ['hw:tpm_version', oneOf('1.2', '2.0')],
  ['hw:tpm_secret_security', oneOf('user', 'host', 'deployment')],
  ['hw:watchdog_action', oneOf('none', 'pause', 'poweroff', 'reset', 'disabled')],
  ['hw:viommu_model', oneOf('intel', 'smmuv3', 'virtio', 'auto')],
  ['hw:sound_model', oneOf('sb16', 'es1370', 'pcspk', 'ac97', 'ich6', 'ich9', 'usb', 'virtio')],
  ['hw:usb_model', oneOf('none', 'nec-xhci', 'qemu-xhci')],
  ['hw:redirected_usb_ports', whole(0, 15)],
  ['hw:ephemeral_encryption_format', oneOf('plain', 'luks', 'luksv2')],
  ['hw_rng:allowed', FLAG],
  ['hw_rng:rate_bytes', whole(0)],
  ['hw_rng:rate_period', whole(0)],
  ['hw_video:ram_max_mb', whole(0)],
  ['os:secure_boot', oneOf('disabled', 'required')],
  ['pci_passthrough:alias', like('[^:]+:\\d+(?:\\s*,\\s*[^:]+:\\d+)*')],
  ...spread(['cpu_limit', 'memory_limit', 'disk_io_limit', 'vif_limit', 'cpu_shares', 'cpu_period'], whole(0), 'quota:'),
  ...spread(['cpu_reservation', 'memory_reservation', 'disk_io_reservation', 'vif_reservation', 'cpu_quota'], whole(), 'quota:'),
  ...spread(['cpu_shares_level', 'memory_shares_level', 'disk_io_shares_level', 'vif_shares_level'], LEVELS, 'quota:'),
  ...spread(['cpu_shares_share', 'memory_shares_share', 'disk_io_shares_share', 'vif_shares_share'], whole(0), 'quota:'),
  ...spread(['read_bytes_sec', 'read_iops_sec', 'write_bytes_sec', 'write_iops_sec', 'total_bytes_sec', 'total_iops_sec'], whole(0), 'quota:disk_'),
  ...spread(['inbound_average', 'inbound_peak', 'inbound_burst', 'outbound_average', 'outbound_peak', 'outbound_burst'], whole(0), 'quota:vif_'),
  ['vmware:hw_version', TEXT],
  ['vmware:storage_policy', TEXT],
]);

const CLASSES = [
  ...['VCPU', 'MEMORY_MB', 'DISK_GB', 'PCI_DEVICE', 'SRIOV_NET_VF', 'NUMA_SOCKET', 'NUMA_CORE', 'NUMA_THREAD', 'NUMA_MEMORY_MB', 'IPV4_ADDRESS', 'VGPU'],
  ...['VGPU_DISPLAY_HEAD', 'NET_BW_EGR_KILOBIT_PER_SEC', 'NET_BW_IGR_KILOBIT_PER_SEC', 'PCPU', 'MEM_ENCRYPTION_CONTEXT', 'FPGA', 'PGPU'],
  ...['NET_PACKET_RATE_KILOPACKET_PER_SEC', 'NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC', 'NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC', 'CUSTOM_[A-Z0-9_]+'],
].join('|');
const GROUP = '([a-zA-Z0-9_-]{1,64})?';

/** Names with parameters. Upstream lists every standard trait; here their name spaces stand for them. */
const BY_PATTERN: readonly (readonly [RegExp, Value])[] = [
  [/^aggregate_instance_extra_specs:.+$/, TEXT],
  [
    /^capabilities:(cpu_info|metrics|stats|numa_topology|supported_hv_specs|pci_device_pools|nodename|pci_stats|supported_instances|limits|instances)(:\w+)*$/,
    TEXT,
  ],
  [/^hw:numa_cpus.\d+$/, like(CPU_SET)],
  [/^hw:numa_mem.\d+$/, whole(1)],
  [new RegExp(`^resources${GROUP}:(${CLASSES})$`), whole()],
  [new RegExp(`^trait${GROUP}:(COMPUTE|HW|MISC|OWNER|STORAGE|CUSTOM)_[A-Z0-9_]+$`), oneOf('required', 'forbidden')],
];

/** Name spaces that are nova's or Cairn's own: an unknown name in one is a mistake. */
const OWN = new RegExp(
  `^(accel|aggregate_instance_extra_specs|cairn|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota|vmware|resources${GROUP}|trait${GROUP})$`,
);

const refuse = (why: string, field: string): Error => invalidInput(`Validation failed; ${why}`, { type: 'ValidationError', field });

/**
 * Judges an extra spec as upstream does from microversion 2.86 on: names of nova's own name spaces must be known and their values fit.
 * Throws InvalidInput. Nothing is known of other names, so they may be anything.
 */
export function checkExtraSpec(name: string, value: string): void {
  const rule = BY_NAME.get(name) ?? BY_PATTERN.find(([pattern]) => pattern.test(name))?.[1];
  if (rule !== undefined) return checkValue(rule, name, value);
  const colon = name.indexOf(':');
  if (colon >= 0 && OWN.test(name.slice(0, colon))) throw refuse(`extra spec '${name}' does not appear to be a valid extra spec.`, name);
}

function checkValue(rule: Value, name: string, value: string): void {
  switch (rule.type) {
    case 'boolean':
      if (!/^(1|t|true|on|y|yes|0|f|false|off|n|no)$/i.test(value.trim())) throw refuse(`'${value}' is not a valid boolean-like value.`, name);
      return;
    case 'integer': {
      if (!/^\s*[+-]?\d+\s*$/.test(value)) throw refuse(`'${value}' is not a valid integer value.`, name);
      const amount = Number(value);
      if (rule.max !== undefined && amount > rule.max) throw refuse(`'${amount}' is greater than the max value of '${rule.max}'.`, name);
      if (rule.min !== undefined && amount < rule.min) throw refuse(`'${amount}' is less than the min value of '${rule.min}'.`, name);
      return;
    }
    case 'text':
      if (rule.pattern !== undefined && !new RegExp(`^(?:${rule.pattern})$`).test(value))
        throw refuse(`'${value}' is not of the format '${rule.pattern}'.`, name);
      if (rule.of !== undefined && !rule.of.includes(value)) throw refuse(`'${value}' is not one of: ${rule.of.join(', ')}.`, name);
  }
}
