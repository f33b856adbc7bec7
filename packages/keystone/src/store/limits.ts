import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { KeystoneTables, LimitTable, RegisteredLimitTable } from './tables.ts';

/** What both kinds of limit are filtered by. */
export interface LimitQuery {
  readonly serviceId?: string;
  readonly regionId?: string;
  readonly resourceName?: string;
  readonly projectId?: string;
  readonly domainId?: string;
}

/** A limit with the facts of the registered limit that it overrides. */
export interface LimitWithResource extends LimitTable {
  readonly service_id: string;
  readonly region_id: string;
  readonly resource_name: string;
}

export function findRegisteredLimit(db: Db, id: string): Promise<RegisteredLimitTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_registered_limit').selectAll().where('id', '=', id).executeTakeFirst();
}

export function findRegisteredLimitFor(db: Db, serviceId: string, resourceName: string, regionId: string): Promise<RegisteredLimitTable | undefined> {
  return on<KeystoneTables>(db)
    .selectFrom('keystone_registered_limit')
    .selectAll()
    .where('service_id', '=', serviceId)
    .where('resource_name', '=', resourceName)
    .where('region_id', '=', regionId)
    .executeTakeFirst();
}

export function listRegisteredLimits(db: Db, query: LimitQuery): Promise<RegisteredLimitTable[]> {
  let select = on<KeystoneTables>(db).selectFrom('keystone_registered_limit').selectAll();
  if (query.serviceId !== undefined) select = select.where('service_id', '=', query.serviceId);
  if (query.regionId !== undefined) select = select.where('region_id', '=', query.regionId);
  if (query.resourceName !== undefined) select = select.where('resource_name', '=', query.resourceName);
  return select.orderBy('id').execute();
}

export async function insertRegisteredLimit(tx: Tx, row: RegisteredLimitTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_registered_limit').values(row).execute();
}

export async function updateRegisteredLimit(tx: Tx, id: string, change: Partial<Omit<RegisteredLimitTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_registered_limit').set(change).where('id', '=', id).execute();
}

export async function deleteRegisteredLimit(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_registered_limit').where('id', '=', id).execute();
}

export async function hasLimits(db: Db, registeredLimitId: string): Promise<boolean> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_limit')
    .select('id')
    .where('registered_limit_id', '=', registeredLimitId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

const withResource = (db: Db) =>
  on<KeystoneTables>(db)
    .selectFrom('keystone_limit')
    .innerJoin('keystone_registered_limit as registered', 'registered.id', 'keystone_limit.registered_limit_id')
    .selectAll('keystone_limit')
    .select(['registered.service_id', 'registered.region_id', 'registered.resource_name']);

export function findLimit(db: Db, id: string): Promise<LimitWithResource | undefined> {
  return withResource(db).where('keystone_limit.id', '=', id).executeTakeFirst();
}

/** The limit of a project, or else of a domain, for one registered limit. */
export function findLimitOf(
  db: Db,
  registeredLimitId: string,
  owner: { readonly projectId?: string; readonly domainId?: string },
): Promise<LimitTable | undefined> {
  let select = on<KeystoneTables>(db).selectFrom('keystone_limit').selectAll().where('registered_limit_id', '=', registeredLimitId);
  select = owner.projectId === undefined ? select.where('domain_id', '=', owner.domainId ?? '') : select.where('project_id', '=', owner.projectId);
  return select.executeTakeFirst();
}

/** True when a project of the domain has a limit above `value`; 0 counts for no limit. */
export async function hasProjectLimitAbove(db: Db, registeredLimitId: string, domainId: string, value: number): Promise<boolean> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_limit')
    .innerJoin('keystone_project as project', 'project.id', 'keystone_limit.project_id')
    .select('keystone_limit.id')
    .where('keystone_limit.registered_limit_id', '=', registeredLimitId)
    .where('project.domain_id', '=', domainId)
    .where('keystone_limit.resource_limit', '>', value)
    .where('keystone_limit.resource_limit', '<>', 0)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export function listLimits(db: Db, query: LimitQuery): Promise<LimitWithResource[]> {
  let select = withResource(db);
  if (query.serviceId !== undefined) select = select.where('registered.service_id', '=', query.serviceId);
  if (query.regionId !== undefined) select = select.where('registered.region_id', '=', query.regionId);
  if (query.resourceName !== undefined) select = select.where('registered.resource_name', '=', query.resourceName);
  if (query.projectId !== undefined) select = select.where('keystone_limit.project_id', '=', query.projectId);
  if (query.domainId !== undefined) select = select.where('keystone_limit.domain_id', '=', query.domainId);
  return select.orderBy('keystone_limit.id').execute();
}

export async function insertLimit(tx: Tx, row: LimitTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_limit').values(row).execute();
}

export async function updateLimit(tx: Tx, id: string, change: Partial<Omit<LimitTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_limit').set(change).where('id', '=', id).execute();
}

export async function deleteLimit(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_limit').where('id', '=', id).execute();
}

export async function deleteLimitsOf(tx: Tx, owner: { readonly projectId: string } | { readonly domainId: string }): Promise<void> {
  const remove = on<KeystoneTables>(tx).deleteFrom('keystone_limit');
  await ('projectId' in owner ? remove.where('project_id', '=', owner.projectId) : remove.where('domain_id', '=', owner.domainId)).execute();
}

/** What a project may have of some resources of a service, by its own limits or else the registered ones; a resource without either is missing. */
export async function limitsOfProject(db: Db, serviceType: string, projectId: string, resourceNames: readonly string[]): Promise<Map<string, number>> {
  const rows = await on<KeystoneTables>(db)
    .selectFrom('keystone_registered_limit as registered')
    .innerJoin('keystone_service as service', 'service.id', 'registered.service_id')
    .leftJoin('keystone_limit as own', (join) => join.onRef('own.registered_limit_id', '=', 'registered.id').on('own.project_id', '=', projectId))
    .select(['registered.resource_name', 'registered.default_limit', 'own.resource_limit'])
    .where('service.type', '=', serviceType)
    .where('registered.resource_name', 'in', [...resourceNames])
    .orderBy('registered.region_id')
    .execute();
  // of a limit for every region and one for this region, the latter comes last
  return new Map(rows.map((row) => [row.resource_name, row.resource_limit ?? row.default_limit]));
}
