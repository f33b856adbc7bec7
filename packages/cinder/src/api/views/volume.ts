import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { isAdmin } from '@cairn/kit/context/context';
import type { Version } from '@cairn/kit/http/microversion';
import { seesHosts } from '../../app/attachments.ts';
import { poolName } from '../../app/backend.ts';
import type { Caller } from '../../app/caller.ts';
import { type VolumeDetails, pairsOf } from '../../app/volumes.ts';
import type { VolumeRow } from '../../store/tables.ts';
import { type LinkRequest, linksTo } from '../links.ts';

export type ViewRequest = LinkRequest & Caller & { readonly version: Version };

const dateOrNull = (ms: number | null): string | null => (ms === null ? null : isoNaiveMicros(ms));

/** A volume in a list without details. */
export const volumeSummary = (request: LinkRequest, row: VolumeRow): object => ({ id: row.id, name: row.name, links: linksTo(request, 'volumes', row.id) });

/** A volume as it was asked for; see `volumeDetails` for what shows and detailed lists add. */
export function volumeView(request: ViewRequest, { row, typeName, attachments }: VolumeDetails, adminMetadata = true): Record<string, unknown> {
  const { ctx, version } = request;
  const admin = isAdmin(ctx);
  const view: Record<string, unknown> = {
    id: row.id,
    status: row.status,
    size: row.size_gb,
    availability_zone: row.availability_zone,
    created_at: isoNaiveMicros(row.created_at_ms),
    updated_at: dateOrNull(row.updated_at_ms),
    name: row.name,
    description: row.description,
    volume_type: typeName,
    snapshot_id: row.snapshot_id,
    source_volid: row.source_volume_id,
    metadata: adminMetadata ? visibleMetadata(row) : pairsOf(row.metadata),
    links: linksTo(request, 'volumes', row.id),
    user_id: row.user_id,
    bootable: row.bootable === 1 ? 'true' : 'false',
    encrypted: row.encryption_key_id !== null,
    replication_status: null,
    consistencygroup_id: null,
    multiattach: row.multiattach === 1,
    attachments: attachments
      .filter((one) => one.attach_status === 'attached')
      .map((one) => ({
        id: one.volume_id,
        attachment_id: one.id,
        volume_id: one.volume_id,
        server_id: one.server_id,
        host_name: seesHosts(ctx) ? one.attached_host : null,
        device: one.mountpoint,
        attached_at: dateOrNull(one.attached_at_ms),
      })),
  };
  if (admin) view['migration_status'] = row.migration_status;
  if (version.atLeast('3.13')) view['group_id'] = row.group_id;
  if (admin && version.atLeast('3.21')) view['provider_id'] = null;
  if (version.atLeast('3.48')) {
    view['shared_targets'] = row.shared_targets === null ? (version.atLeast('3.69') ? null : true) : row.shared_targets === 1;
    view['service_uuid'] = row.service_id;
  }
  if (admin && version.atLeast('3.61')) view['cluster_name'] = null;
  if (version.atLeast('3.64') && row.encryption_key_id !== null) view['encryption_key_id'] = row.encryption_key_id;
  if (version.atLeast('3.63')) view['volume_type_id'] = row.type_id;
  if (version.atLeast('3.65')) view['consumes_quota'] = row.use_quota === 1;
  return view;
}

/** How show and detailed lists have volumes, with the extensions' attributes; what the caller may see is asked once. */
export function volumeDetails(request: ViewRequest): (details: VolumeDetails) => Record<string, unknown> {
  const seesHost = request.allowed('volume_extension:volume_host_attribute');
  const seesProject = request.allowed('volume_extension:volume_tenant_attribute');
  const seesMigration = request.allowed('volume_extension:volume_mig_status_attribute');
  const seesImage = request.allowed('volume_extension:volume_image_metadata:show');
  return (details) => {
    const { row } = details;
    const view = volumeView(request, details);
    if (seesHost) view['os-vol-host-attr:host'] = row.host === null ? null : poolName(row.host);
    if (seesProject) view['os-vol-tenant-attr:tenant_id'] = row.project_id;
    if (seesMigration) {
      view['os-vol-mig-status-attr:migstat'] = row.migration_status;
      view['os-vol-mig-status-attr:name_id'] = null;
    }
    if (seesImage && row.image_metadata !== '{}') view['volume_image_metadata'] = pairsOf(row.image_metadata);
    return view;
  };
}

/** The user's metadata with what everybody may see of the administrators'. */
function visibleMetadata(row: VolumeRow): Record<string, string> {
  return {
    ...pairsOf(row.metadata),
    ...(row.readonly_flag !== null && { readonly: row.readonly_flag }),
    ...(row.attached_mode !== null && { attached_mode: row.attached_mode }),
  };
}
