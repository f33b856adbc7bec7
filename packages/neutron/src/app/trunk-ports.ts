import type { Tx } from '@cairn/kit/store/store';
import { portIsSubport, portIsTrunkParent } from '../errors.ts';
import { networkKey, portKey } from '../fabric/keys.ts';
import { portsByIds, updatePort } from '../store/ports.ts';
import { deleteRow } from '../store/rows.ts';
import { EVERYTHING, selectOne } from '../store/select.ts';
import type { PortRow, SubportRow, TrunkRow } from '../store/tables.ts';
import { deleteSubports, moveSubports, setTrunkStatus, subportsByPorts, subportsOfTrunks, tieSubports, trunkLists } from '../store/trunks.ts';
import type { NeutronApp } from './deps.ts';

/** What ports and trunks have to do with each other, for those who know ports alone. */

/** Makes sub-ports plain ports again. */
export async function freeSubports(app: NeutronApp, tx: Tx, subports: readonly SubportRow[]): Promise<void> {
  const ids = subports.map((subport) => subport.port_id);
  if (ids.length === 0) return;
  await deleteSubports(tx, ids);
  await tieSubports(tx, ids, undefined);
  app.pusher.touch(tx, [...ids.map(portKey), ...(await portsByIds(tx, ids)).map((port) => networkKey(port.network_id))]);
}

export async function untie(app: NeutronApp, tx: Tx, trunk: TrunkRow): Promise<void> {
  await freeSubports(app, tx, await subportsOfTrunks(tx, [trunk.id]));
  await updatePort(tx, trunk.port_id, { trunk_id: null });
}

/** A port that is part of a trunk is not deleted. */
export async function requireNoTrunk(tx: Tx, port: PortRow): Promise<void> {
  if (port.trunk_id !== null) throw portIsTrunkParent(port.id, port.trunk_id);
  if (port.device_owner !== 'trunk:subport') return;
  const [subport] = await subportsByPorts(tx, [port.id]);
  if (subport) throw portIsSubport(port.id, subport.trunk_id);
}

/** A port that goes whatever speaks against it (with its server) takes its trunk along. */
export async function dropTrunkOf(app: NeutronApp, tx: Tx, port: PortRow): Promise<void> {
  if (port.device_owner === 'trunk:subport') await deleteSubports(tx, [port.id]);
  if (port.trunk_id === null) return;
  const trunk = await selectOne<TrunkRow>(tx, trunkLists, port.trunk_id, EVERYTHING);
  if (!trunk) return;
  await untie(app, tx, trunk);
  await deleteRow(tx, 'neutron_trunk', trunk.id);
}

/** Sub-ports are where their parent is. `parent` is the port as it is now. */
export async function followParent(app: NeutronApp, tx: Tx, parent: PortRow): Promise<void> {
  if (parent.trunk_id === null) return;
  if (parent.status !== 'ACTIVE') await setTrunkStatus(tx, parent.trunk_id, 'DOWN');
  const moved = await moveSubports(tx, parent);
  app.pusher.touch(tx, [...moved.map((port) => portKey(port.id)), ...new Set(moved.map((port) => networkKey(port.network_id)))]);
}
