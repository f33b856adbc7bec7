import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Insertable, Selectable, Updateable } from 'kysely';
import type { NovaTables, ServerTable } from './tables.ts';

export type ServerRow = Selectable<ServerTable>;
export type NewServer = Insertable<ServerTable>;
export type ServerPatch = Updateable<ServerTable>;

/** The flavor as it was when the server was accepted or resized. */
export interface StoredFlavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly rootGb: number;
  readonly ephemeralGb: number;
  readonly swapMb: number;
  readonly rxtxFactor: number;
  readonly extraSpecs: Readonly<Record<string, string>>;
}

/** What the server's image was like; for a volume-backed server what cinder knows of the volume's image. */
export interface StoredImage {
  readonly diskFormat: string | null;
  readonly containerFormat: string | null;
  readonly minDiskGb: number;
  readonly minRamMb: number;
  readonly properties: Readonly<Record<string, string>>;
}

/** The key pair as it was at acceptance. */
export interface StoredKey {
  readonly name: string;
  readonly type: string;
  readonly publicKey: string;
}

/** Why the server is in error. `code` 500 keeps `details` from its owner. */
export interface StoredFault {
  readonly code: number;
  readonly message: string;
  readonly details?: string;
  readonly createdAtMs: number;
}

export const flavorOf = (row: Pick<ServerRow, 'flavor_json'>): StoredFlavor => JSON.parse(row.flavor_json) as StoredFlavor;
export const imageOf = (row: Pick<ServerRow, 'image_json'>): StoredImage => JSON.parse(row.image_json) as StoredImage;
export const keyOf = (row: Pick<ServerRow, 'key_json'>): StoredKey | undefined => (row.key_json === null ? undefined : (JSON.parse(row.key_json) as StoredKey));
export const faultOf = (row: Pick<ServerRow, 'fault_json'>): StoredFault | undefined =>
  row.fault_json === null ? undefined : (JSON.parse(row.fault_json) as StoredFault);
export const metadataOf = (row: Pick<ServerRow, 'metadata_json'>): Record<string, string> => JSON.parse(row.metadata_json) as Record<string, string>;
/** `instance-0000002a`, the name that hypervisors know upstream. */
export const instanceName = (row: Pick<ServerRow, 'seq'>): string => `instance-${row.seq.toString(16).padStart(8, '0')}`;

export async function findServer(db: Db, serverId: string): Promise<ServerRow | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_server').selectAll().where('id', '=', serverId).executeTakeFirst();
}

export async function insertServers(tx: Tx, rows: readonly NewServer[]): Promise<void> {
  await on<NovaTables>(tx).insertInto('nova_server').values(rows).execute();
}

/** Writes some columns; `updated_at_ms` must be among them. */
export async function patchServer(tx: Tx, serverId: string, patch: ServerPatch & { readonly updated_at_ms: number }): Promise<void> {
  await on<NovaTables>(tx).updateTable('nova_server').set(patch).where('id', '=', serverId).execute();
}

/** What a saga asks again and again. */
export interface ServerBrief {
  readonly id: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly vm_state: string;
  readonly task_state: string | null;
  readonly power_state: number;
  readonly host: string | null;
  readonly deleted: number;
}
const BRIEF = ['id', 'project_id', 'user_id', 'vm_state', 'task_state', 'power_state', 'host', 'deleted'] as const;

export async function findServerBrief(db: Db, serverId: string): Promise<ServerBrief | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_server').select(BRIEF).where('id', '=', serverId).executeTakeFirst();
}

/** Live servers of a host. */
export async function serversOfHost(db: Db, host: string): Promise<readonly ServerBrief[]> {
  return await on<NovaTables>(db).selectFrom('nova_server').select(BRIEF).where('host', '=', host).where('deleted', '=', 0).orderBy('seq').execute();
}

/** Hosts of live servers, for affinity hints. A server that is gone or not placed is left out. */
export async function hostsOfServers(db: Db, serverIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (serverIds.length === 0) return new Map();
  const rows = await on<NovaTables>(db).selectFrom('nova_server').select(['id', 'host']).where('id', 'in', serverIds).where('deleted', '=', 0).execute();
  return new Map(rows.flatMap((row) => (row.host === null ? [] : [[row.id, row.host] as const])));
}

/** Live servers among these, of one project where that is given, with the host that each is on. */
export async function placesOfServers(
  db: Db,
  serverIds: readonly string[],
  projectId: string | undefined,
): Promise<readonly Pick<ServerRow, 'id' | 'host' | 'project_id' | 'user_id'>[]> {
  if (serverIds.length === 0) return [];
  let query = on<NovaTables>(db)
    .selectFrom('nova_server')
    .select(['id', 'host', 'project_id', 'user_id'])
    .where('id', 'in', serverIds)
    .where('deleted', '=', 0);
  if (projectId !== undefined) query = query.where('project_id', '=', projectId);
  return await query.execute();
}

/** Servers whose task has outlived its deadline, oldest first. */
export async function overdueServers(
  db: Db,
  nowMs: number,
  limit: number,
): Promise<readonly (ServerBrief & { readonly task_deadline_at_ms: number | null })[]> {
  return await on<NovaTables>(db)
    .selectFrom('nova_server')
    .select([...BRIEF, 'task_deadline_at_ms'])
    .where('task_deadline_at_ms', '<', nowMs)
    .orderBy('task_deadline_at_ms')
    .limit(limit)
    .execute();
}

/** Number of live servers per host, for hypervisors' `running_vms` and the scheduler. */
export async function serverCountByHost(db: Db): Promise<ReadonlyMap<string, number>> {
  const rows = await on<NovaTables>(db)
    .selectFrom('nova_server')
    .select(({ fn }) => ['host', fn.countAll<number>().as('count')])
    .where('host', 'is not', null)
    .where('deleted', '=', 0)
    .groupBy('host')
    .execute();
  return new Map(rows.map((row) => [row.host as string, Number(row.count)]));
}

/** Tasks that keep a host's disks busy (nova/scheduler/host_manager.py, num_io_ops). */
const IO_TASKS = ['resize_migrating', 'rebuilding', 'resize_prep', 'image_snapshot_pending', 'image_backup'];

/** How many servers of each host are being built, copied or moved. */
export async function ioOperationsByHost(db: Db): Promise<ReadonlyMap<string, number>> {
  const rows = await on<NovaTables>(db)
    .selectFrom('nova_server')
    .select(({ fn }) => ['host', fn.countAll<number>().as('count')])
    // only servers in a task have a deadline, and those are few
    .where('task_deadline_at_ms', 'is not', null)
    .where('host', 'is not', null)
    .where((eb) => eb.or([eb('vm_state', '=', 'building'), eb('task_state', 'in', IO_TASKS)]))
    .groupBy('host')
    .execute();
  return new Map(rows.map((row) => [row.host as string, Number(row.count)]));
}

/** Keeps the password that a guest posted, unless it has posted one; false then. */
export async function setPasswordOnce(tx: Tx, serverId: string, password: string): Promise<boolean> {
  const done = await on<NovaTables>(tx).updateTable('nova_server').set({ password }).where('id', '=', serverId).where('password', '=', '').executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

export async function clearPassword(tx: Tx, serverId: string): Promise<void> {
  await on<NovaTables>(tx).updateTable('nova_server').set({ password: '' }).where('id', '=', serverId).execute();
}
