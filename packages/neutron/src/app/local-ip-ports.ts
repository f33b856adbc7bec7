import type { Tx } from '@cairn/kit/store/store';
import { localIpPortInUse } from '../errors-data-plane.ts';
import { associationsOfPorts, localIpsOfPorts } from '../store/local-ips.ts';
import { deleteRow } from '../store/rows.ts';
import type { PortRow } from '../store/tables.ts';

/** What ports have to do with local IPs, for those who know ports alone. */

/** The port that has a local IP's address is not deleted. */
export async function requireNoLocalIp(tx: Tx, port: PortRow): Promise<void> {
  if ((await localIpsOfPorts(tx, [port.id])).length > 0) throw localIpPortInUse(port.id);
}

/** Associations go with the port that they lead to. */
export async function dropAssociationsOf(tx: Tx, port: PortRow): Promise<void> {
  for (const row of await associationsOfPorts(tx, [port.id])) await deleteRow(tx, 'neutron_local_ip_association', row.id);
}
