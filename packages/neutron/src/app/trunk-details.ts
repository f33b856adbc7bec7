import type { Db } from '@cairn/kit/store/store';
import { portsByIds } from '../store/ports.ts';
import type { PortRow, SubportRow } from '../store/tables.ts';
import { subportsOfTrunks } from '../store/trunks.ts';

export const subportView = (row: SubportRow) => ({ port_id: row.port_id, segmentation_id: row.segmentation_id, segmentation_type: row.segmentation_type });

/** What trunk parents among ports show of their trunks. Costs nothing where there is none. */
export async function trunkDetails(db: Db, ports: readonly PortRow[]): Promise<ReadonlyMap<string, object>> {
  const parents = ports.filter((port) => port.trunk_id !== null);
  if (parents.length === 0) return NO_DETAILS;
  const subports = await subportsOfTrunks(
    db,
    parents.map((port) => port.trunk_id as string),
  );
  const macs = new Map(
    (
      await portsByIds(
        db,
        subports.map((subport) => subport.port_id),
      )
    ).map((port) => [port.id, port.mac_address]),
  );
  const byTrunk = Map.groupBy(subports, (subport) => subport.trunk_id);
  return new Map(
    parents.map((port) => [
      port.id,
      {
        trunk_id: port.trunk_id,
        sub_ports: (byTrunk.get(port.trunk_id as string) ?? []).map((subport) => ({ ...subportView(subport), mac_address: macs.get(subport.port_id) })),
      },
    ]),
  );
}

const NO_DETAILS: ReadonlyMap<string, object> = new Map();
