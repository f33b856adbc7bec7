import { isoSeconds } from '@cairn/kit/clock/clock';
import type { GlanceApp } from '../app/app.ts';
import type { Image } from '../app/images.ts';
import type { MemberRow } from '../store/tables.ts';

/** An image as glance shows it (glance/api/v2/images.py, ResponseSerializer). Properties stand beside the base attributes. */
export function imageView(app: GlanceApp, { row, properties, tags, locations }: Image): Record<string, unknown> {
  const view: Record<string, unknown> = {
    ...properties,
    name: row.name,
    disk_format: row.disk_format,
    container_format: row.container_format,
    visibility: row.visibility,
    size: row.size_bytes,
    virtual_size: row.virtual_size_bytes,
    status: row.status,
    checksum: row.checksum,
    protected: row.protected !== 0,
    min_ram: row.min_ram_mb,
    min_disk: row.min_disk_gb,
    owner: row.owner,
    os_hidden: row.hidden !== 0,
    os_hash_algo: row.os_hash_algo,
    os_hash_value: row.os_hash_value,
    id: row.id,
    created_at: isoSeconds(row.created_at_ms),
    updated_at: isoSeconds(row.updated_at_ms),
    tags,
    self: `/v2/images/${row.id}`,
    file: `/v2/images/${row.id}/file`,
    schema: '/v2/schemas/image',
  };
  if (app.options.showLocations) view.locations = locations.map((l) => app.locations.shown(l));
  if (locations.length === 0) return view;
  const [first] = app.locations.bySuitability(locations);
  if (app.options.showDirectUrl && first) view.direct_url = app.locations.shown(first).url;
  const stores = locations.flatMap((l) => l.store ?? []);
  if (stores.length > 0) view.stores = stores.join(',');
  return view;
}

export const memberView = (member: MemberRow): object => ({
  member_id: member.member_id,
  image_id: member.image_id,
  status: member.status,
  created_at: isoSeconds(member.created_at_ms),
  updated_at: isoSeconds(member.updated_at_ms),
  schema: '/v2/schemas/member',
});
