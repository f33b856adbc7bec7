import type { DiskLimits } from '@cairn/host/interface/guests';

/** Front-end QoS specs of volume types, as upstream's libvirt driver knows them (nova/virt/libvirt/volume/volume.py), and cinder's per GiB. */
const NAMES: Readonly<Record<string, keyof DiskLimits>> = {
  total_bytes_sec: 'bytesPerSecond',
  read_bytes_sec: 'readBytesPerSecond',
  write_bytes_sec: 'writeBytesPerSecond',
  total_iops_sec: 'operationsPerSecond',
  read_iops_sec: 'readOperationsPerSecond',
  write_iops_sec: 'writeOperationsPerSecond',
  total_bytes_sec_max: 'burstBytesPerSecond',
  read_bytes_sec_max: 'readBurstBytesPerSecond',
  write_bytes_sec_max: 'writeBurstBytesPerSecond',
  total_iops_sec_max: 'burstOperationsPerSecond',
  read_iops_sec_max: 'readBurstOperationsPerSecond',
  write_iops_sec_max: 'writeBurstOperationsPerSecond',
  size_iops_sec: 'operationBytes',
};

/** The limits in QoS specs; keys that name none are for others. A volume of `sizeGb` has that many times the limits `..._per_gb`. */
export function diskLimits(specs: Readonly<Record<string, string>> | undefined, sizeGb: number): DiskLimits | undefined {
  if (!specs) return undefined;
  const found: Record<string, number> = {};
  for (const [key, text] of Object.entries(specs)) {
    const value = /^\d+$/.test(text.trim()) ? Number(text) : undefined;
    if (value === undefined || !Number.isSafeInteger(value)) continue;
    const perGb = /^(.*)_per_gb$/.exec(key)?.[1];
    const name = NAMES[perGb ?? key];
    if (!name) continue;
    if (perGb === undefined) found[name] = value;
    else found[name] = Math.max(value * sizeGb, Number(specs[`${perGb}_per_gb_min`] ?? 0) || 0);
  }
  // QEMU refuses a total beside its parts: the total is what holds
  for (const [total, ...parts] of [
    ['bytesPerSecond', 'readBytesPerSecond', 'writeBytesPerSecond'],
    ['operationsPerSecond', 'readOperationsPerSecond', 'writeOperationsPerSecond'],
    ['burstBytesPerSecond', 'readBurstBytesPerSecond', 'writeBurstBytesPerSecond'],
    ['burstOperationsPerSecond', 'readBurstOperationsPerSecond', 'writeBurstOperationsPerSecond'],
  ] as const) {
    if (found[total]) for (const part of parts) delete found[part];
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
