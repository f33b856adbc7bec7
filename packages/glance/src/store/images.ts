import { findRow } from '@cairn/kit/store/rows';
import { insertRow } from '@cairn/kit/store/insert';
import { rowsAmong } from '@cairn/kit/store/among';
import { rowsOf } from '@cairn/kit/store/kept-rows';
import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { DataTables, LocationRow } from './data-tables.ts';
import type { GlanceTables, ImageRow, MemberRow, PropertyRow, TagRow } from './tables.ts';

const q = (db: Db) => on<GlanceTables>(db);

export const imageById = (db: Db, id: string): Promise<ImageRow | undefined> => findRow<ImageRow>(db, 'glance_image', { id });

export async function insertImage(tx: Tx, row: ImageRow, properties: Readonly<Record<string, string>>, tags: readonly string[]): Promise<void> {
  await insertRow(tx, 'glance_image', row);
  await addProperties(tx, row.id, properties);
  await addTags(tx, row.id, tags);
}

/** Changes an image; with `from` only while it has that status. Returns whether it did. */
export async function updateImage(tx: Tx, id: string, set: Partial<ImageRow>, from?: readonly string[]): Promise<boolean> {
  let update = q(tx).updateTable('glance_image').set(set).where('id', '=', id);
  if (from) update = update.where('status', 'in', [...from] as ImageRow['status'][]);
  return Number((await update.executeTakeFirst()).numUpdatedRows) > 0;
}

export async function deleteImage(tx: Tx, id: string): Promise<void> {
  for (const table of ['glance_image_property', 'glance_image_tag', 'glance_image_member'] as const)
    await q(tx).deleteFrom(table).where('image_id', '=', id).execute();
  await q(tx).deleteFrom('glance_image').where('id', '=', id).execute();
}

/** Ids are never given twice, not even to admins: what else names an image by its id must not find another one. */
export async function rememberDeleted(tx: Tx, id: string, deletedAtMs: number): Promise<void> {
  await q(tx)
    .insertInto('glance_deleted_image')
    .values({ id, deleted_at_ms: deletedAtMs })
    .onConflict((c) => c.doNothing())
    .execute();
}

export async function wasDeleted(db: Db, id: string): Promise<boolean> {
  return (await q(db).selectFrom('glance_deleted_image').select('id').where('id', '=', id).executeTakeFirst()) !== undefined;
}

async function addProperties(tx: Tx, imageId: string, properties: Readonly<Record<string, string>>): Promise<void> {
  const rows = Object.entries(properties).map(([name, value]) => ({ image_id: imageId, name, value }));
  if (rows.length > 0)
    await q(tx)
      .insertInto('glance_image_property')
      .values(rows)
      .onConflict((c) => c.columns(['image_id', 'name']).doUpdateSet((e) => ({ value: e.ref('excluded.value') })))
      .execute();
}

/** Sets properties; null removes one. */
export async function changeProperties(tx: Tx, imageId: string, changes: Readonly<Record<string, string | null>>): Promise<void> {
  const gone = Object.keys(changes).filter((name) => changes[name] === null);
  if (gone.length > 0) await q(tx).deleteFrom('glance_image_property').where('image_id', '=', imageId).where('name', 'in', gone).execute();
  await addProperties(tx, imageId, Object.fromEntries(Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== null)));
}

async function addTags(tx: Tx, imageId: string, tags: readonly string[]): Promise<void> {
  const rows = [...new Set(tags)].map((tag) => ({ image_id: imageId, tag }));
  if (rows.length > 0)
    await q(tx)
      .insertInto('glance_image_tag')
      .values(rows)
      .onConflict((c) => c.doNothing())
      .execute();
}

/** Makes the tags exactly these. */
export async function setTags(tx: Tx, imageId: string, tags: readonly string[]): Promise<void> {
  await q(tx).deleteFrom('glance_image_tag').where('image_id', '=', imageId).execute();
  await addTags(tx, imageId, tags);
}

export const addTag = (tx: Tx, imageId: string, tag: string): Promise<void> => addTags(tx, imageId, [tag]);

export async function removeTag(tx: Tx, imageId: string, tag: string): Promise<boolean> {
  const result = await q(tx).deleteFrom('glance_image_tag').where('image_id', '=', imageId).where('tag', '=', tag).executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}

/** Properties and tags of a page of images, in two statements. */
export async function detailsOf(
  db: Db,
  imageIds: readonly string[],
): Promise<{ properties: Map<string, Record<string, string>>; tags: Map<string, string[]> }> {
  const properties = new Map<string, Record<string, string>>();
  const tags = new Map<string, string[]>();
  if (imageIds.length === 0) return { properties, tags };
  for (const row of await rowsAmong<PropertyRow>(db, 'glance_image_property', 'image_id', imageIds, ['image_id', 'name'])) {
    const found = properties.get(row.image_id);
    if (found) found[row.name] = row.value;
    else properties.set(row.image_id, { [row.name]: row.value });
  }
  for (const row of await rowsAmong<TagRow>(db, 'glance_image_tag', 'image_id', imageIds, ['image_id', 'tag'])) {
    const found = tags.get(row.image_id);
    if (found) found.push(row.tag);
    else tags.set(row.image_id, [row.tag]);
  }
  return { properties, tags };
}

const IMAGES: ListSpec<ImageRow> = {
  table: 'glance_image',
  id: 'id',
  maxLimit: 1_000,
  columns: {
    id: 'id',
    name: { column: 'name', nullable: true },
    status: 'status',
    visibility: 'visibility',
    owner: { column: 'owner', nullable: true },
    protected: { column: 'protected', type: 'boolean' },
    os_hidden: { column: 'hidden', type: 'boolean' },
    disk_format: { column: 'disk_format', nullable: true },
    container_format: { column: 'container_format', nullable: true },
    size: { column: 'size_bytes', nullable: true, type: 'integer' },
    min_disk: { column: 'min_disk_gb', type: 'integer' },
    min_ram: { column: 'min_ram_mb', type: 'integer' },
    checksum: { column: 'checksum', nullable: true },
    os_hash_value: { column: 'os_hash_value', nullable: true },
    os_hash_algo: { column: 'os_hash_algo', nullable: true },
    virtual_size: { column: 'virtual_size_bytes', nullable: true, type: 'integer' },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'desc' }],
};

export const listImages = (db: Db, request: ListRequest): Promise<ListPage<ImageRow>> => listRows(db, IMAGES, request);

/** An image with all that its view shows: properties by name, tags, where its data is. */
export interface ListedImage extends ImageRow {
  readonly properties: readonly (readonly [name: string, value: string])[];
  readonly tags: readonly string[];
  readonly locations: readonly LocationValues[];
}

/** The values of a location's columns. */
type LocationValues = readonly (string | number | null)[];
const LOCATION = ['id', 'image_id', 'position', 'store', 'data_key', 'url', 'metadata', 'created_at_ms'] as const;

export const locationOf = (values: LocationValues): LocationRow =>
  Object.fromEntries(LOCATION.map((column, i) => [column, values[i]])) as unknown as LocationRow;

/** A page of images, as they are listed again and again. */
export const imagePage = (db: Db, request: ListRequest): Promise<ListPage<ListedImage>> => listRows(db, PAGES, request);

const PAGES: ListSpec<ListedImage> = {
  ...IMAGES,
  kept: {
    parts: {
      properties: rowsOf(['name', 'value'], 'glance_image_property where image_id = glance_image.id', 'name'),
      tags: rowsOf(['tag'], 'glance_image_tag where image_id = glance_image.id', 'tag'),
      locations: rowsOf(LOCATION, 'glance_image_location where image_id = glance_image.id', 'position, id'),
    },
  },
};

export const memberOf = (db: Db, imageId: string, memberId: string): Promise<MemberRow | undefined> =>
  q(db).selectFrom('glance_image_member').selectAll().where('image_id', '=', imageId).where('member_id', '=', memberId).executeTakeFirst();

export const membersOf = (db: Db, imageId: string): Promise<MemberRow[]> =>
  q(db).selectFrom('glance_image_member').selectAll().where('image_id', '=', imageId).orderBy('created_at_ms').orderBy('member_id').execute();

export async function insertMember(tx: Tx, row: MemberRow): Promise<void> {
  await q(tx).insertInto('glance_image_member').values(row).execute();
}

export async function setMemberStatus(tx: Tx, imageId: string, memberId: string, status: MemberRow['status'], nowMs: number): Promise<void> {
  await q(tx)
    .updateTable('glance_image_member')
    .set({ status, updated_at_ms: nowMs })
    .where('image_id', '=', imageId)
    .where('member_id', '=', memberId)
    .execute();
}

export async function deleteMember(tx: Tx, imageId: string, memberId: string): Promise<boolean> {
  const result = await q(tx).deleteFrom('glance_image_member').where('image_id', '=', imageId).where('member_id', '=', memberId).executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}

/** Images whose data was being taken in by a request when the process ended: sagas (`importing`) go on by themselves. */
export const unfinishedUploads = (db: Db): Promise<ImageRow[]> =>
  on<GlanceTables & DataTables>(db)
    .selectFrom('glance_image')
    .selectAll()
    .where('status', 'in', ['saving', 'uploading'])
    .where((e) =>
      e.or([e('status', '=', 'saving'), e.not(e.exists(e.selectFrom('glance_staging').select('image_id').whereRef('image_id', '=', 'glance_image.id')))]),
    )
    .execute();
