import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type ListFilter, listPage, listSpec } from './lists.ts';
import type { EndpointTable, KeystoneTables, RegionTable, ServiceTable } from './tables.ts';

const regionSpec = listSpec<RegionTable>('keystone_region', { id: 'id', parent_region_id: { column: 'parent_region_id', nullable: true } });
const serviceSpec = listSpec<ServiceTable>('keystone_service', { id: 'id', type: 'type', name: { column: 'name', nullable: true } });
const endpointSpec = listSpec<EndpointTable>('keystone_endpoint', {
  id: 'id',
  interface: 'interface',
  service_id: 'service_id',
  region_id: { column: 'region_id', nullable: true },
});

export function findRegion(db: Db, id: string): Promise<RegionTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_region').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listRegions(db: Db, filters: readonly ListFilter[]): Promise<RegionTable[]> {
  return (await listPage(db, regionSpec, filters)).rows;
}

export async function insertRegion(tx: Tx, row: RegionTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_region').values(row).execute();
}

export async function updateRegion(tx: Tx, id: string, change: Partial<Omit<RegionTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_region').set(change).where('id', '=', id).execute();
}

export async function deleteRegions(tx: Tx, ids: readonly string[]): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_region').where('id', 'in', ids).execute();
}

/** Ids of the regions below, level by level; a circle ends the search. */
export async function regionsBelow(db: Db, id: string): Promise<string[]> {
  const found = new Set<string>();
  let level = [id];
  while (level.length > 0) {
    const rows = await on<KeystoneTables>(db).selectFrom('keystone_region').select('id').where('parent_region_id', 'in', level).execute();
    level = rows.map((row) => row.id).filter((child) => child !== id && !found.has(child));
    for (const child of level) found.add(child);
  }
  return [...found];
}

export async function endpointsInRegions(db: Db, ids: readonly string[]): Promise<boolean> {
  const row = await on<KeystoneTables>(db).selectFrom('keystone_endpoint').select('id').where('region_id', 'in', ids).limit(1).executeTakeFirst();
  return row !== undefined;
}

export function findService(db: Db, id: string): Promise<ServiceTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_service').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listServices(db: Db, filters: readonly ListFilter[]): Promise<ServiceTable[]> {
  return (await listPage(db, serviceSpec, filters)).rows;
}

export async function insertService(tx: Tx, row: ServiceTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_service').values(row).execute();
}

export async function updateService(tx: Tx, id: string, change: Partial<Omit<ServiceTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_service').set(change).where('id', '=', id).execute();
}

/** Its endpoints go with it; their ids are returned. */
export async function deleteService(tx: Tx, id: string): Promise<string[]> {
  const endpoints = await on<KeystoneTables>(tx).deleteFrom('keystone_endpoint').where('service_id', '=', id).returning('id').execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_service').where('id', '=', id).execute();
  return endpoints.map((row) => row.id);
}

export function findEndpoint(db: Db, id: string): Promise<EndpointTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_endpoint').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listEndpoints(db: Db, filters: readonly ListFilter[]): Promise<EndpointTable[]> {
  return (await listPage(db, endpointSpec, filters)).rows;
}

export async function insertEndpoint(tx: Tx, row: EndpointTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_endpoint').values(row).execute();
}

export async function updateEndpoint(tx: Tx, id: string, change: Partial<Omit<EndpointTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_endpoint').set(change).where('id', '=', id).execute();
}

export async function deleteEndpoint(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_endpoint').where('id', '=', id).execute();
}

/** What the catalog is made of: enabled services and enabled endpoints. */
export async function enabledCatalog(db: Db): Promise<{ services: ServiceTable[]; endpoints: EndpointTable[] }> {
  const services = await on<KeystoneTables>(db).selectFrom('keystone_service').selectAll().where('enabled', '=', 1).orderBy('type').orderBy('id').execute();
  const endpoints = await on<KeystoneTables>(db)
    .selectFrom('keystone_endpoint')
    .selectAll()
    .where('enabled', '=', 1)
    .orderBy('interface')
    .orderBy('id')
    .execute();
  return { services, endpoints };
}
