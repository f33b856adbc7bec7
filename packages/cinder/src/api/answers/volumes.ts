import { dictionary, inside, named, nullable } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { Links, page, TextOrNull, Time, TimeOrNull } from './common.ts';
import { TypeRecord } from './types.ts';

const Metadata = dictionary(Type.String());

const Attached = named('VolumeAttached', {
  id: Type.String(),
  attachment_id: Type.String(),
  volume_id: Type.String(),
  server_id: TextOrNull,
  // for administrators
  host_name: TextOrNull,
  device: TextOrNull,
  attached_at: TimeOrNull,
});
const volume = {
  id: Type.String(),
  status: Type.String(),
  size: Type.Integer(),
  availability_zone: TextOrNull,
  created_at: Time,
  updated_at: TimeOrNull,
  name: TextOrNull,
  description: TextOrNull,
  volume_type: TextOrNull,
  volume_type_id: TextOrNull,
  snapshot_id: TextOrNull,
  source_volid: TextOrNull,
  metadata: Metadata,
  links: Links,
  user_id: Type.String(),
  bootable: Type.String(),
  encrypted: Type.Boolean(),
  replication_status: TextOrNull,
  consistencygroup_id: TextOrNull,
  multiattach: Type.Boolean(),
  attachments: Type.Array(Attached),
  group_id: TextOrNull,
  shared_targets: nullable(Type.Boolean()),
  service_uuid: TextOrNull,
  consumes_quota: Type.Boolean(),
  encryption_key_id: Type.Optional(Type.String()),
  // for administrators
  migration_status: Type.Optional(TextOrNull),
  provider_id: Type.Optional(TextOrNull),
  cluster_name: Type.Optional(TextOrNull),
};
const Volume = named('Volume', {
  ...volume,
  volume_image_metadata: Type.Optional(Metadata),
  'os-vol-host-attr:host': Type.Optional(TextOrNull),
  'os-vol-tenant-attr:tenant_id': Type.Optional(Type.String()),
  'os-vol-mig-status-attr:migstat': Type.Optional(TextOrNull),
  'os-vol-mig-status-attr:name_id': Type.Optional(TextOrNull),
});
export const VolumeList = page('volumes', named('VolumeSummary', { id: Type.String(), name: TextOrNull, links: Links }));
export const VolumeDetailList = page('volumes', Volume);
export const OneVolume = inside('volume', Volume);
export const CreatedVolume = inside('volume', named('CreatedVolume', volume));
export const VolumesSummary = inside(
  'volume-summary',
  named('VolumesSummary', { total_count: Type.Integer(), total_size: Type.Integer(), metadata: dictionary(Type.Array(Type.String())) }),
);

const snapshot = {
  id: Type.String(),
  created_at: Time,
  updated_at: TimeOrNull,
  name: TextOrNull,
  description: TextOrNull,
  volume_id: Type.String(),
  status: Type.String(),
  size: Type.Integer(),
  metadata: Metadata,
};
const created = { ...snapshot, group_snapshot_id: TextOrNull, user_id: TextOrNull, consumes_quota: Type.Boolean() };
const Snapshot = named('VolumeSnapshot', {
  ...created,
  'os-extended-snapshot-attributes:project_id': Type.Optional(Type.String()),
  'os-extended-snapshot-attributes:progress': Type.Optional(TextOrNull),
});
export const SnapshotList = page('snapshots', named('VolumeSnapshotSummary', snapshot));
export const SnapshotDetailList = page('snapshots', Snapshot);
export const OneSnapshot = inside('snapshot', Snapshot);
export const CreatedSnapshot = inside('snapshot', named('CreatedVolumeSnapshot', created));

export const AllMetadata = inside('metadata', Metadata);
export const MetadataItem = inside('meta', Metadata);

export const Uploaded = inside(
  'os-volume_upload_image',
  named('VolumeUpload', {
    id: Type.String(),
    updated_at: TimeOrNull,
    status: Type.String(),
    display_description: TextOrNull,
    size: Type.Integer(),
    volume_type: nullable(TypeRecord),
    image_id: Type.String(),
    container_format: TextOrNull,
    disk_format: Type.String(),
    image_name: Type.String(),
    protected: Type.Boolean(),
    visibility: Type.String(),
  }),
);
/** What is in it is between the block storage service and who attaches. */
const ConnectionData = Type.Object({}, { additionalProperties: true });
export const Connection = inside(
  'connection_info',
  Type.Object({ driver_volume_type: Type.String(), data: ConnectionData, enforce_multipath: Type.Boolean() }),
);
export const SavedVolume = inside('save_volume_id', Type.String());

const attachment = { id: Type.String(), status: Type.String(), instance: TextOrNull, volume_id: Type.String() };
const AttachmentSummary = named('VolumeAttachmentSummary', attachment);
const Attachment = named('VolumeAttachment', {
  ...attachment,
  // empty before it is attached
  attached_at: Type.String(),
  detached_at: Type.String(),
  attach_mode: TextOrNull,
  connection_info: ConnectionData,
});
export const AttachmentList = inside('attachments', Type.Array(AttachmentSummary));
export const AttachmentDetailList = inside('attachments', Type.Array(Attachment));
export const OneAttachment = inside('attachment', Attachment);

const Manageable = {
  reference: dictionary(Type.String()),
  size: Type.Integer(),
  safe_to_manage: Type.Boolean(),
  source_reference: Type.Optional(dictionary(Type.String())),
};
const ManageableDetail = { ...Manageable, reason_not_safe: TextOrNull, cinder_id: TextOrNull, extra_info: TextOrNull };
export const ManageableVolumes = inside('manageable-volumes', Type.Array(Type.Object(Manageable)));
export const ManageableVolumeDetails = inside('manageable-volumes', Type.Array(Type.Object(ManageableDetail)));
export const ManageableSnapshots = inside('manageable-snapshots', Type.Array(Type.Object(Manageable)));
export const ManageableSnapshotDetails = inside('manageable-snapshots', Type.Array(Type.Object(ManageableDetail)));
/** A managed volume is answered as a created one. */
export const VolumeEncryption = named('VolumeEncryption', {
  encryption_key_id: TextOrNull,
  control_location: Type.Optional(Type.String()),
  cipher: Type.Optional(TextOrNull),
  key_size: Type.Optional(nullable(Type.Integer())),
  provider: Type.Optional(Type.String()),
});
