import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type ListFilter, listPage, listSpec, type Page, type Paging } from './lists.ts';
import type { FederationProtocolTable, IdentityProviderTable, KeystoneTables, MappingTable, ServiceProviderTable } from './tables.ts';

const db = (handle: Db) => on<KeystoneTables>(handle);
type Limited = Paging & { readonly maxLimit: number };

// identity providers

const idpSpec = listSpec<IdentityProviderTable>('keystone_identity_provider', {
  id: 'id',
  enabled: { column: 'enabled', type: 'boolean' },
  domain_id: 'domain_id',
});

export const findIdp = (handle: Db, id: string): Promise<IdentityProviderTable | undefined> =>
  db(handle).selectFrom('keystone_identity_provider').selectAll().where('id', '=', id).executeTakeFirst();

export const listIdps = (handle: Db, filters: readonly ListFilter[], paging: Limited): Promise<Page<IdentityProviderTable>> =>
  listPage(handle, idpSpec, filters, paging, { maxLimit: paging.maxLimit });

export async function idpIdsOfDomain(handle: Db, domainId: string): Promise<string[]> {
  const rows = await db(handle).selectFrom('keystone_identity_provider').select('id').where('domain_id', '=', domainId).orderBy('id').execute();
  return rows.map((row) => row.id);
}

/** Remote ids by identity provider, each sorted. */
export async function remoteIdsOf(handle: Db, idpIds: readonly string[]): Promise<Map<string, string[]>> {
  if (idpIds.length === 0) return new Map();
  const rows = await db(handle).selectFrom('keystone_remote_id').selectAll().where('idp_id', 'in', idpIds).orderBy('remote_id').execute();
  return new Map([...Map.groupBy(rows, (row) => row.idp_id)].map(([idpId, of]) => [idpId, of.map((row) => row.remote_id)]));
}

/** Which of these remote ids belong to another identity provider already. */
export async function takenRemoteIds(handle: Db, remoteIds: readonly string[], butOf: string): Promise<string[]> {
  if (remoteIds.length === 0) return [];
  const rows = await db(handle).selectFrom('keystone_remote_id').select('remote_id').where('remote_id', 'in', remoteIds).where('idp_id', '<>', butOf).execute();
  return rows.map((row) => row.remote_id);
}

export async function insertIdp(tx: Tx, row: IdentityProviderTable): Promise<void> {
  await db(tx).insertInto('keystone_identity_provider').values(row).execute();
}

export async function updateIdp(tx: Tx, id: string, change: Partial<Omit<IdentityProviderTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length > 0) await db(tx).updateTable('keystone_identity_provider').set(change).where('id', '=', id).execute();
}

export async function setRemoteIds(tx: Tx, idpId: string, remoteIds: readonly string[]): Promise<void> {
  await db(tx).deleteFrom('keystone_remote_id').where('idp_id', '=', idpId).execute();
  if (remoteIds.length > 0)
    await db(tx)
      .insertInto('keystone_remote_id')
      .values(remoteIds.map((remote_id) => ({ remote_id, idp_id: idpId })))
      .execute();
}

/** With its remote ids and protocols. */
export async function deleteIdp(tx: Tx, id: string): Promise<void> {
  await db(tx).deleteFrom('keystone_federation_protocol').where('idp_id', '=', id).execute();
  await db(tx).deleteFrom('keystone_remote_id').where('idp_id', '=', id).execute();
  await db(tx).deleteFrom('keystone_identity_provider').where('id', '=', id).execute();
}

// protocols

export const findProtocol = (handle: Db, idpId: string, id: string): Promise<FederationProtocolTable | undefined> =>
  db(handle).selectFrom('keystone_federation_protocol').selectAll().where('idp_id', '=', idpId).where('id', '=', id).executeTakeFirst();

export const protocolsOf = (handle: Db, idpId: string): Promise<FederationProtocolTable[]> =>
  db(handle).selectFrom('keystone_federation_protocol').selectAll().where('idp_id', '=', idpId).orderBy('id').execute();

export async function insertProtocol(tx: Tx, row: FederationProtocolTable): Promise<void> {
  await db(tx).insertInto('keystone_federation_protocol').values(row).execute();
}

export async function updateProtocol(tx: Tx, row: FederationProtocolTable): Promise<void> {
  const { idp_id, id, ...change } = row;
  await db(tx).updateTable('keystone_federation_protocol').set(change).where('idp_id', '=', idp_id).where('id', '=', id).execute();
}

export async function deleteProtocol(tx: Tx, idpId: string, id: string): Promise<void> {
  await db(tx).deleteFrom('keystone_federation_protocol').where('idp_id', '=', idpId).where('id', '=', id).execute();
}

// mappings

const mappingSpec = listSpec<MappingTable>('keystone_mapping', { id: 'id' });

export const findMapping = (handle: Db, id: string): Promise<MappingTable | undefined> =>
  db(handle).selectFrom('keystone_mapping').selectAll().where('id', '=', id).executeTakeFirst();

export const listMappings = (handle: Db, paging: Limited): Promise<Page<MappingTable>> =>
  listPage(handle, mappingSpec, [], paging, { maxLimit: paging.maxLimit });

export async function insertMapping(tx: Tx, row: MappingTable): Promise<void> {
  await db(tx).insertInto('keystone_mapping').values(row).execute();
}

export async function updateMapping(tx: Tx, row: MappingTable): Promise<void> {
  await db(tx).updateTable('keystone_mapping').set({ rules: row.rules, schema_version: row.schema_version }).where('id', '=', row.id).execute();
}

export async function deleteMapping(tx: Tx, id: string): Promise<void> {
  await db(tx).deleteFrom('keystone_mapping').where('id', '=', id).execute();
}

// service providers

const spSpec = listSpec<ServiceProviderTable>('keystone_service_provider', { id: 'id', enabled: { column: 'enabled', type: 'boolean' } });

export const findSp = (handle: Db, id: string): Promise<ServiceProviderTable | undefined> =>
  db(handle).selectFrom('keystone_service_provider').selectAll().where('id', '=', id).executeTakeFirst();

export const listSps = (handle: Db, filters: readonly ListFilter[], paging: Limited): Promise<Page<ServiceProviderTable>> =>
  listPage(handle, spSpec, filters, paging, { maxLimit: paging.maxLimit });

export const enabledSps = (handle: Db): Promise<ServiceProviderTable[]> =>
  db(handle).selectFrom('keystone_service_provider').selectAll().where('enabled', '=', 1).orderBy('id').execute();

export async function insertSp(tx: Tx, row: ServiceProviderTable): Promise<void> {
  await db(tx).insertInto('keystone_service_provider').values(row).execute();
}

export async function updateSp(tx: Tx, id: string, change: Partial<Omit<ServiceProviderTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length > 0) await db(tx).updateTable('keystone_service_provider').set(change).where('id', '=', id).execute();
}

export async function deleteSp(tx: Tx, id: string): Promise<void> {
  await db(tx).deleteFrom('keystone_service_provider').where('id', '=', id).execute();
}
