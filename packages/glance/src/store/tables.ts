/** Glance's tables. */
export interface GlanceTables {
  glance_image: ImageRow;
  glance_image_property: PropertyRow;
  glance_image_tag: TagRow;
  glance_image_member: MemberRow;
  glance_deleted_image: DeletedImageRow;
}

/** Images that were deleted by a user. */
export interface DeletedImageRow {
  id: string;
  deleted_at_ms: number;
}

export type ImageStatus = 'queued' | 'saving' | 'uploading' | 'importing' | 'active' | 'deactivated' | 'killed' | 'pending_delete' | 'deleted';
export type Visibility = 'public' | 'private' | 'shared' | 'community';

export interface ImageRow {
  id: string;
  name: string | null;
  status: ImageStatus;
  visibility: Visibility;
  owner: string | null;
  protected: number;
  hidden: number;
  disk_format: string | null;
  container_format: string | null;
  size_bytes: number | null;
  virtual_size_bytes: number | null;
  min_disk_gb: number;
  min_ram_mb: number;
  /** md5, hex. */
  checksum: string | null;
  os_hash_algo: string | null;
  os_hash_value: string | null;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface PropertyRow {
  image_id: string;
  name: string;
  value: string;
}

export interface TagRow {
  image_id: string;
  tag: string;
}

export interface MemberRow {
  image_id: string;
  member_id: string;
  status: 'pending' | 'accepted' | 'rejected';
  created_at_ms: number;
  updated_at_ms: number;
}
