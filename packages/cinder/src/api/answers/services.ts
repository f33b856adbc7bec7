import { dictionary, inside, named } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { Links, page, TextOrNull, Time, TimeOrNull } from './common.ts';

/** Services, hosts and pools, quotas, messages, extensions and version documents. */

const Service = named('VolumeService', {
  binary: Type.String(),
  host: Type.String(),
  zone: Type.String(),
  status: Type.Union([Type.Literal('enabled'), Type.Literal('disabled')]),
  state: Type.Union([Type.Literal('up'), Type.Literal('down')]),
  updated_at: TimeOrNull,
  cluster: TextOrNull,
  disabled_reason: TextOrNull,
  // of cinder-volume
  backend_state: Type.Optional(Type.String()),
  replication_status: Type.Optional(TextOrNull),
  active_backend_id: Type.Optional(TextOrNull),
  frozen: Type.Optional(Type.Boolean()),
});
export const ServiceList = inside('services', Type.Array(Service));
export const SwitchedService = Type.Object({
  host: Type.String(),
  service: Type.String(),
  binary: Type.String(),
  status: Type.String(),
  disabled: Type.Boolean(),
  disabled_reason: Type.Optional(TextOrNull),
});
export const LogLevelList = inside('log_levels', Type.Array(Type.Object({ binary: Type.String(), host: Type.String(), levels: dictionary(Type.String()) })));
export const Zones = inside(
  'availabilityZoneInfo',
  Type.Array(named('VolumeZone', { zoneName: Type.String(), zoneState: Type.Object({ available: Type.Boolean() }) })),
);

const PoolCapabilities = named('VolumePoolCapabilities', {
  volume_backend_name: Type.String(),
  vendor_name: Type.String(),
  driver_version: Type.String(),
  storage_protocol: Type.String(),
  pool_name: Type.String(),
  total_capacity_gb: Type.Number(),
  free_capacity_gb: Type.Number(),
  provisioned_capacity_gb: Type.Number(),
  allocated_capacity_gb: Type.Number(),
  total_volumes: Type.Integer(),
  reserved_percentage: Type.Number(),
  max_over_subscription_ratio: Type.String(),
  thin_provisioning_support: Type.Boolean(),
  thick_provisioning_support: Type.Boolean(),
  multiattach: Type.Boolean(),
  online_extend_support: Type.Boolean(),
  sparse_copy_volume: Type.Boolean(),
  QoS_support: Type.Boolean(),
  replication_enabled: Type.Boolean(),
  backend_state: Type.String(),
  timestamp: Type.String(),
});
export const PoolList = inside('pools', Type.Array(named('VolumePool', { name: Type.String(), capabilities: Type.Optional(PoolCapabilities) })));
export const BackendCapabilities = Type.Object({
  namespace: Type.String(),
  vendor_name: Type.String(),
  volume_backend_name: Type.String(),
  pool_name: Type.String(),
  driver_version: Type.String(),
  storage_protocol: Type.String(),
  display_name: Type.String(),
  description: Type.String(),
  visibility: Type.String(),
  replication_targets: Type.Array(Type.Unknown()),
  // the `title` of each is a property, and names no type
  properties: dictionary(Type.Unknown()),
});
export const HostList = inside(
  'hosts',
  Type.Array(
    Type.Object({
      host_name: Type.String(),
      service: Type.String(),
      zone: TextOrNull,
      'service-status': Type.String(),
      'service-state': Type.String(),
      'last-update': TimeOrNull,
    }),
  ),
);
export const HostUse = inside(
  'host',
  Type.Array(
    inside(
      'resource',
      Type.Object({
        host: Type.String(),
        project: Type.String(),
        volume_count: Type.String(),
        total_volume_gb: Type.String(),
        snapshot_count: Type.String(),
        total_snapshot_gb: Type.String(),
      }),
    ),
  ),
);
/** Empty where nothing was asked. */
export const SwitchedHost = Type.Object({ host: Type.Optional(Type.String()), status: Type.Optional(Type.String()) });
export const Clusters = inside('clusters', Type.Array(Type.Unknown()));
export const Cleaning = Type.Object({ cleaning: Type.Array(Type.Unknown()), unavailable: Type.Array(Type.Unknown()) });

/** Limits by name; each volume type has its own (`volumes_NAME`). The use of each instead, where it was asked for. */
const QuotaUse = named('VolumeQuotaUse', { limit: Type.Integer(), in_use: Type.Integer(), reserved: Type.Integer() });
const quotas = { additionalProperties: Type.Union([Type.Integer(), QuotaUse]) };
export const QuotaSet = inside('quota_set', Type.Object({ id: Type.String() }, quotas));
export const ChangedQuotaSet = inside('quota_set', dictionary(Type.Integer()));
export const QuotaClassSet = inside('quota_class_set', Type.Object({ id: Type.String() }, quotas));
export const ChangedQuotaClassSet = inside('quota_class_set', dictionary(Type.Integer()));
export const Limits = inside(
  'limits',
  named('VolumeLimits', {
    rate: Type.Array(Type.Unknown()),
    absolute: Type.Object({
      maxTotalVolumeGigabytes: Type.Integer(),
      maxTotalBackupGigabytes: Type.Integer(),
      maxTotalVolumes: Type.Integer(),
      maxTotalSnapshots: Type.Integer(),
      maxTotalBackups: Type.Integer(),
      totalVolumesUsed: Type.Optional(Type.Integer()),
      totalGigabytesUsed: Type.Optional(Type.Integer()),
      totalSnapshotsUsed: Type.Optional(Type.Integer()),
      totalBackupsUsed: Type.Optional(Type.Integer()),
      totalBackupGigabytesUsed: Type.Optional(Type.Integer()),
    }),
  }),
);

const Message = named('VolumeMessage', {
  id: Type.String(),
  event_id: Type.String(),
  user_message: Type.String(),
  message_level: Type.String(),
  created_at: Time,
  guaranteed_until: Time,
  request_id: TextOrNull,
  links: Links,
  resource_type: TextOrNull,
  resource_uuid: Type.Optional(Type.String()),
});
export const MessageList = page('messages', Message);
export const OneMessage = inside('message', Message);
export const ResourceFilters = inside('resource_filters', Type.Array(Type.Object({ resource: Type.String(), filters: Type.Array(Type.String()) })));

const Extension = named('VolumeExtension', {
  name: Type.String(),
  alias: Type.String(),
  description: Type.String(),
  updated: Type.String(),
  links: Type.Array(Type.Unknown()),
});
export const Extensions = inside('extensions', Type.Array(Extension));
export const OneExtension = inside('extension', Extension);

export const Versions = inside(
  'versions',
  Type.Array(
    Type.Object({
      id: Type.String(),
      status: Type.String(),
      version: Type.String(),
      min_version: Type.String(),
      updated: Type.String(),
      links: Type.Array(Type.Object({ rel: Type.String(), href: Type.String(), type: Type.Optional(Type.String()) })),
      'media-types': Type.Array(Type.Object({ base: Type.String(), type: Type.String() })),
    }),
  ),
);
