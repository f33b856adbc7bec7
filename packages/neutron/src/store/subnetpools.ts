import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { subnetPoolNotFound, addressScopeNotFound } from '../errors.ts';
import { sharedIds } from './rbac.ts';
import { among, type ListMaker } from './select.ts';
import type { AddressScopeRow, NeutronTables, SubnetPoolRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

const sharing = (table: string, objectType: string): Pick<ListMaker<never>, 'visible' | 'special'> => ({
  visible: (_db, projectId) => [
    sql<boolean>`${sql.ref(`${table}.project_id`)} = ${projectId}`,
    sql<boolean>`(${sql.ref(`${table}.id`)} in ${sharedIds(objectType, projectId)} and ${sql.ref(`${table}.project_id`)} <> ${projectId})`,
  ],
  special(_db, field, values, scope) {
    if (field !== 'shared') return undefined;
    const shared = sql<boolean>`${sql.ref(`${table}.id`)} in ${sharedIds(objectType, scope.projectId ?? '*')}`;
    return values[0] ? shared : sql<boolean>`not ${shared}`;
  },
});

export const subnetPoolLists: ListMaker<SubnetPoolRow> = {
  ...sharing('neutron_subnetpool', 'subnetpool'),
  spec: {
    table: 'neutron_subnetpool',
    id: 'id',
    unknownMarker: (marker) => subnetPoolNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      ip_version: { column: 'ip_version', type: 'integer' },
      default_prefixlen: { column: 'default_prefixlen', type: 'integer' },
      min_prefixlen: { column: 'min_prefixlen', type: 'integer' },
      max_prefixlen: { column: 'max_prefixlen', type: 'integer' },
      default_quota: { column: 'default_quota', nullable: true, type: 'integer' },
      is_default: { column: 'is_default', type: 'boolean' },
      address_scope_id: { column: 'address_scope_id', nullable: true },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
};

export const addressScopeLists: ListMaker<AddressScopeRow> = {
  ...sharing('neutron_address_scope', 'address_scope'),
  spec: {
    table: 'neutron_address_scope',
    id: 'id',
    unknownMarker: (marker) => addressScopeNotFound(String(marker)),
    columns: { id: 'id', name: 'name', tenant_id: 'project_id', project_id: 'project_id', ip_version: { column: 'ip_version', type: 'integer' } },
  },
};

export const insertSubnetPool = (tx: Tx, row: SubnetPoolRow) => tables(tx).insertInto('neutron_subnetpool').values(row).execute();
export const updateSubnetPool = (tx: Tx, id: string, columns: Partial<SubnetPoolRow>) =>
  tables(tx).updateTable('neutron_subnetpool').set(columns).where('id', '=', id).execute();
export const deleteSubnetPool = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_subnetpool').where('id', '=', id).execute();
export const findDefaultPool = (db: Db, version: number): Promise<SubnetPoolRow | undefined> =>
  tables(db).selectFrom('neutron_subnetpool').selectAll().where('is_default', '=', 1).where('ip_version', '=', version).executeTakeFirst();

/** The CIDRs that are given out of a pool, in order. */
export const cidrsOfPool = (db: Db, poolId: string): Promise<{ id: string; cidr: string; project_id: string; network_id: string }[]> =>
  tables(db).selectFrom('neutron_subnet').select(['id', 'cidr', 'project_id', 'network_id']).where('subnetpool_id', '=', poolId).orderBy('first_key').execute();

export const poolIsUsed = async (db: Db, poolId: string): Promise<boolean> =>
  (await tables(db).selectFrom('neutron_subnet').select('id').where('subnetpool_id', '=', poolId).limit(1).executeTakeFirst()) !== undefined;

export const poolsOfScope = (db: Db, scopeId: string): Promise<SubnetPoolRow[]> =>
  tables(db).selectFrom('neutron_subnetpool').selectAll().where('address_scope_id', '=', scopeId).execute();

/** Pool → address scope, for the pools that have one. */
export async function scopesOfPools(db: Db, poolIds: readonly string[]): Promise<Map<string, string>> {
  if (poolIds.length === 0) return new Map();
  const { rows } = await sql<{
    id: string;
    address_scope_id: string;
  }>`select id, address_scope_id from neutron_subnetpool where ${among(db, sql.ref('id'), poolIds)} and address_scope_id is not null`.execute(db.kysely);
  return new Map(rows.map((row) => [row.id, row.address_scope_id]));
}

export const insertAddressScope = (tx: Tx, row: AddressScopeRow) => tables(tx).insertInto('neutron_address_scope').values(row).execute();
export const updateAddressScope = (tx: Tx, id: string, columns: Partial<AddressScopeRow>) =>
  tables(tx).updateTable('neutron_address_scope').set(columns).where('id', '=', id).execute();
export const deleteAddressScope = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_address_scope').where('id', '=', id).execute();
