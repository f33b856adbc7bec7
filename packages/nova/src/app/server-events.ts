import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import type { NewEvent } from '@cairn/kit/events/events';
import { faultOf, flavorOf, imageOf, metadataOf, type ServerRow } from '../store/server.ts';

const time = (ms: number | null): string => (ms === null ? '' : isoNaiveMicros(ms));

/** The fields that every notification about a server has (nova/notifications/base.py, info_from_instance), as far as this cloud has them. */
export type EventServer = Omit<ServerRow, 'seq' | 'password' | 'user_data' | 'files_json'>;

/** A notification about a server: `compute.instance.create.end`. */
export function serverEvent(type: string, row: EventServer, requestId: string, extra: object = {}): NewEvent {
  const flavor = flavorOf(row);
  const image = imageOf(row);
  return {
    type: `compute.instance.${type}`,
    projectId: row.project_id,
    userId: row.user_id,
    requestId,
    resource: 'server',
    resourceId: row.id,
    payload: {
      tenant_id: row.project_id,
      user_id: row.user_id,
      instance_id: row.id,
      display_name: row.name,
      hostname: row.hostname,
      reservation_id: row.reservation_id,
      instance_type: flavor.name,
      instance_type_id: flavor.id,
      instance_flavor_id: flavor.id,
      memory_mb: row.memory_mb,
      vcpus: row.vcpus,
      root_gb: row.root_gb,
      ephemeral_gb: row.ephemeral_gb,
      disk_gb: row.root_gb + row.ephemeral_gb,
      architecture: image.properties['hw_architecture'] ?? image.properties['architecture'] ?? null,
      os_type: image.properties['os_type'] ?? null,
      kernel_id: image.properties['kernel_id'] ?? '',
      ramdisk_id: image.properties['ramdisk_id'] ?? '',
      image_ref: row.image_id,
      image_meta: image.properties,
      host: row.host,
      node: row.node,
      availability_zone: row.availability_zone,
      cell_name: '',
      created_at: time(row.created_at_ms),
      launched_at: time(row.launched_at_ms),
      terminated_at: time(row.terminated_at_ms),
      deleted_at: time(row.deleted_at_ms),
      state: row.vm_state,
      state_description: row.task_state ?? '',
      progress: '',
      access_ip_v4: row.access_ip_v4,
      access_ip_v6: row.access_ip_v6,
      metadata: metadataOf(row),
      ...(row.fault_json === null ? {} : { message: faultOf(row)?.message }),
      ...extra,
    },
  };
}
