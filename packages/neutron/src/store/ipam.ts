import { insertRow } from '@cairn/kit/store/insert';
import { prepared } from '@cairn/kit/store/prepared';
import { updateRows } from '@cairn/kit/store/rows';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { type IpRange, subtractRanges } from '../net/cidr.ts';
import { formatIp, keyOfValue, stepKey } from '../net/ip.ts';
import { among } from './select.ts';
import type { IpAllocationRow, IpFreeRow, NeutronTables, SubnetRow } from './tables.ts';

/**
 * Addresses. What is taken is a row of neutron_ip_allocation, whose key (network, address) makes double use impossible. What is free
 * of a subnet's pools is kept as runs in neutron_ip_free, so that taking the next address, a given one, or giving one back costs a
 * few index lookups whatever the size of the pool and the number of addresses in use. Both change in one transaction.
 */

const tables = (db: Db) => on<NeutronTables>(db);

export interface Allocation {
  readonly subnetId: string;
  readonly networkId: string;
  readonly ipKey: string;
  readonly ipAddress: string;
}

const toRow = (range: IpRange) => ({ first_key: keyOfValue(range.version, range.first), last_key: keyOfValue(range.version, range.last) });
const toRange = (version: 4 | 6, firstKey: string, lastKey: string): IpRange => ({ version, first: BigInt(`0x${firstKey}`), last: BigInt(`0x${lastKey}`) });

/** Writes the free runs of a new subnet. */
export async function openPools(tx: Tx, subnetId: string, pools: readonly IpRange[]): Promise<void> {
  const runs = subtractRanges(pools, []);
  for (const range of runs) await insertRow<IpFreeRow>(tx, 'neutron_ip_free', { subnet_id: subnetId, ...toRow(range) });
}

interface At {
  readonly subnetId: string;
  readonly key: string;
}
/** The free run that begins at a key or last before it. */
const runFrom = prepared<NeutronTables, At, IpFreeRow>((db, place) =>
  db
    .selectFrom('neutron_ip_free')
    .selectAll()
    .where('subnet_id', '=', place('subnetId'))
    .where('first_key', '<=', place('key'))
    .orderBy('first_key', 'desc')
    .limit(1),
);
/** The first free run after a key. */
const runAfter = prepared<NeutronTables, At, IpFreeRow>((db, place) =>
  db.selectFrom('neutron_ip_free').selectAll().where('subnet_id', '=', place('subnetId')).where('first_key', '>', place('key')).orderBy('first_key').limit(1),
);

/** Replaces a subnet's pools: the free runs are made anew from what is taken. The one operation that reads all addresses of a subnet. */
export async function replacePools(tx: Tx, subnetId: string, version: 4 | 6, pools: readonly IpRange[]): Promise<void> {
  await closePools(tx, [subnetId]);
  const taken = await tables(tx).selectFrom('neutron_ip_allocation').select('ip_key').where('subnet_id', '=', subnetId).execute();
  await openPools(
    tx,
    subnetId,
    subtractRanges(
      pools,
      taken.map((row) => toRange(version, row.ip_key, row.ip_key)),
    ),
  );
}

export async function closePools(tx: Tx, subnetIds: readonly string[]): Promise<void> {
  for (const subnetId of subnetIds) await tables(tx).deleteFrom('neutron_ip_free').where('subnet_id', '=', subnetId).execute();
}

/**
 * Takes the next free address of a subnet, from its `next_key` on and around; `first` takes the lowest instead (DHCP, as upstream prefers).
 * Undefined when none is left.
 */
export async function takeNext(tx: Tx, subnet: { readonly id: string; readonly next_key: string }, lowest = false): Promise<string | undefined> {
  const from = lowest ? '' : subnet.next_key;
  // the run that `from` lies in, else the first one after it, else the first of all
  const within = from === '' ? undefined : (await runFrom(tx, { subnetId: subnet.id, key: from })).rows[0];
  if (within && within.last_key >= from) return takeFromRun(tx, within, from);
  const after = (await runAfter(tx, { subnetId: subnet.id, key: from })).rows[0];
  const run = after ?? (from === '' ? undefined : (await runAfter(tx, { subnetId: subnet.id, key: '' })).rows[0]);
  return run && takeFromRun(tx, run, run.first_key);
}

/** Takes a given address out of the free runs, if it lies in one. */
export async function takeKey(tx: Tx, subnetId: string, key: string): Promise<void> {
  const run = (await runFrom(tx, { subnetId, key })).rows[0];
  if (run && run.last_key >= key) await takeFromRun(tx, run, key);
}

async function takeFromRun(tx: Tx, run: IpFreeRow, key: string): Promise<string> {
  const db = tables(tx);
  const isRun = { subnet_id: run.subnet_id, first_key: run.first_key };
  if (run.first_key === run.last_key) {
    await db.deleteFrom('neutron_ip_free').where('subnet_id', '=', isRun.subnet_id).where('first_key', '=', isRun.first_key).execute();
  } else if (key === run.first_key) {
    await updateRows<IpFreeRow>(tx, 'neutron_ip_free', { first_key: stepKey(key, 1) }, isRun);
  } else {
    await updateRows<IpFreeRow>(tx, 'neutron_ip_free', { last_key: stepKey(key, -1) }, isRun);
    if (key !== run.last_key)
      await db
        .insertInto('neutron_ip_free')
        .values({ subnet_id: run.subnet_id, first_key: stepKey(key, 1), last_key: run.last_key })
        .execute();
  }
  return key;
}

/** Gives an address of the pools back, joining it with the free runs beside it. */
async function giveBack(tx: Tx, subnetId: string, key: string): Promise<void> {
  const db = tables(tx);
  const before = await db
    .selectFrom('neutron_ip_free')
    .selectAll()
    .where('subnet_id', '=', subnetId)
    .where('first_key', '<=', key)
    .orderBy('first_key', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (before && before.last_key >= key) return;
  const after = await db
    .selectFrom('neutron_ip_free')
    .selectAll()
    .where('subnet_id', '=', subnetId)
    .where('first_key', '=', stepKey(key, 1))
    .executeTakeFirst();
  const joinsBefore = before !== undefined && stepKey(before.last_key, 1) === key;
  if (after) await db.deleteFrom('neutron_ip_free').where('subnet_id', '=', subnetId).where('first_key', '=', after.first_key).execute();
  const lastKey = after?.last_key ?? key;
  if (joinsBefore) {
    await db.updateTable('neutron_ip_free').set({ last_key: lastKey }).where('subnet_id', '=', subnetId).where('first_key', '=', before.first_key).execute();
  } else {
    await db.insertInto('neutron_ip_free').values({ subnet_id: subnetId, first_key: key, last_key: lastKey }).execute();
  }
}

export async function findAllocation(db: Db, networkId: string, ipKey: string): Promise<IpAllocationRow | undefined> {
  return tables(db).selectFrom('neutron_ip_allocation').selectAll().where('network_id', '=', networkId).where('ip_key', '=', ipKey).executeTakeFirst();
}

export async function insertAllocations(tx: Tx, portId: string, allocations: readonly Allocation[], firstPosition = 0): Promise<void> {
  for (const [i, a] of allocations.entries())
    await insertRow<IpAllocationRow>(tx, 'neutron_ip_allocation', {
      network_id: a.networkId,
      ip_key: a.ipKey,
      ip_address: a.ipAddress,
      subnet_id: a.subnetId,
      port_id: portId,
      position: firstPosition + i,
    });
}

/** Gives a port's address another text and key, in its place. */
export const moveAllocation = (tx: Tx, from: Pick<IpAllocationRow, 'network_id' | 'ip_key'>, to: Pick<IpAllocationRow, 'ip_key' | 'ip_address'>) =>
  updateRows<IpAllocationRow>(tx, 'neutron_ip_allocation', { ...to }, { network_id: from.network_id, ip_key: from.ip_key });

export const setNextKey = (tx: Tx, subnetId: string, key: string) => updateRows<SubnetRow>(tx, 'neutron_subnet', { next_key: key }, { id: subnetId });

/** Removes allocations and gives their addresses back to the pools that they lie in. `poolsOf` tells a subnet's pools. */
export async function removeAllocations(tx: Tx, rows: readonly IpAllocationRow[], poolsOf: (subnetId: string) => readonly IpRange[]): Promise<void> {
  for (const row of rows) {
    await tables(tx).deleteFrom('neutron_ip_allocation').where('network_id', '=', row.network_id).where('ip_key', '=', row.ip_key).execute();
    const value = BigInt(`0x${row.ip_key}`);
    if (poolsOf(row.subnet_id).some((pool) => pool.first <= value && value <= pool.last)) await giveBack(tx, row.subnet_id, row.ip_key);
  }
}

export const allocationsOfPorts = (db: Db, portIds: readonly string[]): Promise<IpAllocationRow[]> =>
  rowsAmong<IpAllocationRow>(db, 'neutron_ip_allocation', 'port_id', portIds, ['position']);

/** The addresses of ports as views show them, in the order that each port has them. */
export type PortAddress = Pick<IpAllocationRow, 'port_id' | 'subnet_id' | 'ip_address'>;

export async function addressesOfPorts(db: Db, portIds: readonly string[]): Promise<PortAddress[]> {
  if (portIds.length === 0) return [];
  const { rows } =
    await sql<PortAddress>`select port_id, subnet_id, ip_address from neutron_ip_allocation where ${among(db, sql.ref('port_id'), portIds)} order by port_id, position`.execute(
      db.kysely,
    );
  return rows;
}

export const allocationsOfSubnet = (db: Db, subnetId: string, limit: number): Promise<IpAllocationRow[]> =>
  tables(db).selectFrom('neutron_ip_allocation').selectAll().where('subnet_id', '=', subnetId).orderBy('ip_key').limit(limit).execute();

/** Addresses in use per subnet. */
export async function countBySubnet(db: Db, subnetIds: readonly string[]): Promise<Map<string, number>> {
  if (subnetIds.length === 0) return new Map();
  const { rows } = await sql<{
    subnet_id: string;
    used: number;
  }>`select subnet_id, count(*) as used from neutron_ip_allocation where ${among(db, sql.ref('subnet_id'), subnetIds)} group by subnet_id`.execute(db.kysely);
  return new Map(rows.map((row) => [row.subnet_id, Number(row.used)]));
}

/** Addresses in use per subnet that lie in its pools: one look into the index for each pool, in one statement. */
export async function countInPools(db: Db, pools: readonly { readonly subnetId: string; readonly range: IpRange }[]): Promise<Map<string, number>> {
  if (pools.length === 0) return new Map();
  const ids = pools.map(({ subnetId }) => subnetId);
  const rows = pools.map(({ range }) => toRow(range));
  const [firsts, lasts] = [rows.map((row) => row.first_key), rows.map((row) => row.last_key)];
  const asked =
    db.engine === 'sqlite'
      ? sql`(select value->>0 as subnet_id, value->>1 as first_key, value->>2 as last_key
          from json_each(${JSON.stringify(ids.map((id, i) => [id, firsts[i], lasts[i]]))})) as p`
      : sql`unnest(${ids}::text[], ${firsts}::text[], ${lasts}::text[]) as p(subnet_id, first_key, last_key)`;
  const counted = await sql<{ subnet_id: string; used: number }>`select p.subnet_id, count(*) as used from ${asked}
    join neutron_ip_allocation a on a.subnet_id = p.subnet_id and a.ip_key between p.first_key and p.last_key group by p.subnet_id`.execute(db.kysely);
  return new Map(counted.rows.map((row) => [row.subnet_id, Number(row.used)]));
}

/** Ids of devices with an address that has `part` in its text; all of them, or a project's. */
export async function devicesWithAddress(db: Db, part: string, projectId: string | undefined): Promise<string[]> {
  const within = db.engine === 'sqlite' ? sql`instr(a.ip_address, ${part}) > 0` : sql`strpos(a.ip_address, ${part}) > 0`;
  const owned = projectId === undefined ? sql`` : sql`p.project_id = ${projectId} and `;
  const { rows } = await sql<{ device_id: string }>`select distinct p.device_id from neutron_port p join neutron_ip_allocation a on a.port_id = p.id
    where ${owned}${within} and p.device_id <> ''`.execute(db.kysely);
  return rows.map((row) => row.device_id);
}

/** The free runs of a subnet, for tests and for the doctor. */
export const freeRuns = (db: Db, subnetId: string): Promise<IpFreeRow[]> =>
  tables(db).selectFrom('neutron_ip_free').selectAll().where('subnet_id', '=', subnetId).orderBy('first_key').execute();

export const addressOfKey = (version: 4 | 6, key: string): string => formatIp(version, BigInt(`0x${key}`));

/** Removes all addresses of a subnet that goes; gives the ports that held them. */
export async function dropAllocationsOfSubnet(tx: Tx, subnetId: string): Promise<string[]> {
  const rows = await tables(tx).selectFrom('neutron_ip_allocation').select('port_id').distinct().where('subnet_id', '=', subnetId).execute();
  if (rows.length > 0) await tables(tx).deleteFrom('neutron_ip_allocation').where('subnet_id', '=', subnetId).execute();
  return rows.map((row) => row.port_id);
}
