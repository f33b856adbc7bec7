import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';
import type { PlacedTopology } from '../topology/fit.ts';

const placed = (json: string): PlacedTopology => JSON.parse(json) as PlacedTopology;

/** What is held on each of these hosts. */
export async function topologiesOn(db: Db, hosts: readonly string[]): Promise<ReadonlyMap<string, readonly PlacedTopology[]>> {
  if (hosts.length === 0) return new Map();
  const rows = await on<NovaTables>(db).selectFrom('nova_topology').select(['host', 'placed_json']).where('host', 'in', hosts).execute();
  return new Map([...Map.groupBy(rows, (row) => row.host)].map(([host, all]) => [host, all.map((row) => placed(row.placed_json))]));
}

/** What a server, and a move of it, hold on a host. */
export async function topologiesOfServer(
  db: Db,
  serverId: string,
  host: string,
): Promise<readonly { readonly consumerId: string; readonly placed: PlacedTopology }[]> {
  const rows = await on<NovaTables>(db)
    .selectFrom('nova_topology')
    .select(['consumer_id', 'placed_json'])
    .where('server_id', '=', serverId)
    .where('host', '=', host)
    .orderBy('consumer_id')
    .execute();
  return rows.map((row) => ({ consumerId: row.consumer_id, placed: placed(row.placed_json) }));
}

export async function putTopology(
  tx: Tx,
  row: { readonly consumerId: string; readonly serverId: string; readonly host: string; readonly placed: PlacedTopology },
): Promise<void> {
  const json = JSON.stringify(row.placed);
  await on<NovaTables>(tx)
    .insertInto('nova_topology')
    .values({ consumer_id: row.consumerId, server_id: row.serverId, host: row.host, placed_json: json })
    .onConflict((conflict) => conflict.columns(['consumer_id', 'host']).doUpdateSet({ placed_json: json }))
    .execute();
}

/** Lets go of what a consumer holds, on this host alone where one is named. */
export async function removeTopologies(tx: Tx, consumerId: string, host?: string): Promise<void> {
  let gone = on<NovaTables>(tx).deleteFrom('nova_topology').where('consumer_id', '=', consumerId);
  if (host !== undefined) gone = gone.where('host', '=', host);
  await gone.execute();
}

/** What one consumer holds is the other's from now on. */
export async function handTopologies(tx: Tx, from: string, to: string): Promise<void> {
  await on<NovaTables>(tx).updateTable('nova_topology').set({ consumer_id: to }).where('consumer_id', '=', from).execute();
}
