import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Insertable, Selectable, Updateable } from 'kysely';
import type { MigrationTable, NovaTables } from './tables.ts';

export type MigrationRow = Selectable<MigrationTable>;
export type MigrationPatch = Updateable<MigrationTable>;

/** A server's own disk on both sides of a move. */
export interface MovedDisk {
  readonly deviceId: string;
  readonly oldDiskId: string;
  readonly newDiskId: string;
}

export const disksOf = (row: Pick<MigrationRow, 'disks_json'>): readonly MovedDisk[] => JSON.parse(row.disks_json) as readonly MovedDisk[];

export async function insertMigration(tx: Tx, row: Insertable<MigrationTable>): Promise<void> {
  await on<NovaTables>(tx).insertInto('nova_migration').values(row).execute();
}

export async function findMigration(db: Db, id: string): Promise<MigrationRow | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_migration').selectAll().where('id', '=', id).executeTakeFirst();
}

/** By the number that users see, and its server. */
export async function findMigrationOf(db: Db, serverId: string, seq: number): Promise<MigrationRow | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_migration').selectAll().where('server_id', '=', serverId).where('seq', '=', seq).executeTakeFirst();
}

export async function patchMigration(tx: Tx, id: string, patch: MigrationPatch & { readonly updated_at_ms: number }): Promise<void> {
  await on<NovaTables>(tx).updateTable('nova_migration').set(patch).where('id', '=', id).execute();
}

/** A server's newest migration that is in one of these states. */
export async function migrationIn(db: Db, serverId: string, statuses: readonly string[]): Promise<MigrationRow | undefined> {
  return await on<NovaTables>(db)
    .selectFrom('nova_migration')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('status', 'in', statuses)
    .orderBy('seq', 'desc')
    .executeTakeFirst();
}

/** Moves that were made and neither confirmed nor taken back: they have a claim on the other side, and disks there unless all are volumes. */
export const UNCONFIRMED: readonly string[] = ['finished', 'confirming', 'reverting'];

/** A server's migrations whose other side may still hold something: disks or a claim. */
export async function migrationsWithRemains(db: Db, serverId: string): Promise<readonly MigrationRow[]> {
  return await on<NovaTables>(db)
    .selectFrom('nova_migration')
    .selectAll()
    .where('server_id', '=', serverId)
    .where((eb) => eb.or([eb('disks_json', '<>', '[]'), eb('status', 'in', UNCONFIRMED)]))
    .orderBy('seq')
    .execute();
}

/** Resizes that nobody confirmed or reverted since then. */
export async function unconfirmedSince(db: Db, beforeMs: number, limit: number): Promise<readonly MigrationRow[]> {
  return await on<NovaTables>(db)
    .selectFrom('nova_migration')
    .selectAll()
    .where('status', '=', 'finished')
    .where('type', 'in', ['resize', 'migration'])
    .where('updated_at_ms', '<=', beforeMs)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

/** Evacuations from a host that has not been back since. */
export async function evacuationsFrom(db: Db, host: string): Promise<readonly MigrationRow[]> {
  return await on<NovaTables>(db)
    .selectFrom('nova_migration')
    .selectAll()
    .where('source_host', '=', host)
    .where('type', '=', 'evacuation')
    .where('status', '=', 'done')
    .orderBy('seq')
    .execute();
}

/** Live migrations of a server that go on. */
export const IN_PROGRESS = ['queued', 'preparing', 'running', 'post-migrating'] as const;

export async function liveMigrationsOf(db: Db, serverId: string): Promise<readonly MigrationRow[]> {
  return await on<NovaTables>(db)
    .selectFrom('nova_migration')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('type', '=', 'live-migration')
    .where('status', 'in', [...IN_PROGRESS])
    .orderBy('seq')
    .execute();
}

export interface MigrationQuery {
  readonly status?: readonly string[];
  /** Source or destination. */
  readonly host?: string;
  readonly sourceHost?: string;
  readonly node?: string;
  readonly type?: string;
  readonly serverId?: string;
  readonly userId?: string;
  readonly projectId?: string;
  readonly changesSinceMs?: number;
  readonly changesBeforeMs?: number;
  /** With a page: newest first after the migration with this uuid. Without: all, oldest first. */
  readonly page?: { readonly limit: number; readonly marker: string | undefined };
}

/** Undefined for an unknown marker. */
export async function listMigrations(db: Db, query: MigrationQuery): Promise<readonly MigrationRow[] | undefined> {
  let select = on<NovaTables>(db).selectFrom('nova_migration').selectAll();
  const { status, host, sourceHost, node, type, serverId, userId, projectId, page } = query;
  if (status !== undefined) select = select.where('status', 'in', status);
  if (host !== undefined) select = select.where((e) => e.or([e('source_host', '=', host), e('dest_host', '=', host)]));
  else if (sourceHost !== undefined) select = select.where('source_host', '=', sourceHost);
  if (node !== undefined) select = select.where((e) => e.or([e('source_node', '=', node), e('dest_node', '=', node)]));
  if (type !== undefined) select = select.where('type', '=', type);
  if (serverId !== undefined) select = select.where('server_id', '=', serverId);
  if (userId !== undefined) select = select.where('user_id', '=', userId);
  if (projectId !== undefined) select = select.where('project_id', '=', projectId);
  // a migration that nothing happened to counts by its beginning, as upstream has it
  const { changesSinceMs: since, changesBeforeMs: before } = query;
  if (since !== undefined)
    select = select.where((e) => e.or([e('updated_at_ms', '>=', since), e.and([e('updated_at_ms', 'is', null), e('created_at_ms', '>=', since)])]));
  if (before !== undefined)
    select = select.where((e) => e.or([e('updated_at_ms', '<=', before), e.and([e('updated_at_ms', 'is', null), e('created_at_ms', '<=', before)])]));
  if (page === undefined) return await select.orderBy('seq').execute();
  if (page.marker !== undefined) {
    const marker = await findMigration(db, page.marker);
    if (marker === undefined) return undefined;
    select = select.where('seq', '<', marker.seq);
  }
  return await select.orderBy('seq', 'desc').limit(page.limit).execute();
}
