import type { PortLogSpec, PortSpec } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import { ipVersionOf } from '../net/ip.ts';
import { associationsOfPorts } from '../store/local-ips.ts';
import { logsAbout } from '../store/logs.ts';
import type { PortRow } from '../store/tables.ts';

/** What service plugins add to a port's object; nothing for a port that they say nothing of. */
export type PortParts = Pick<PortSpec, 'logs' | 'localIps'>;

/** Reads the parts of many ports, in a few statements for all. */
export async function loadPortParts(db: Db, ports: readonly PortRow[], groupsOf: (portId: string) => readonly string[]): Promise<(port: PortRow) => PortParts> {
  const logs = await logsAbout(db, {
    portIds: ports.map((port) => port.id),
    groupIds: [...new Set(ports.flatMap((port) => groupsOf(port.id)))],
    projectIds: [...new Set(ports.map((port) => port.project_id))],
  });
  const associations = await associationsOfPorts(
    db,
    ports.map((port) => port.id),
  );
  if (logs.length === 0 && associations.length === 0) return () => NOTHING;
  const ledTo = Map.groupBy(
    associations.filter((row) => [row.local_ip_address, row.fixed_ip].every((ip) => ipVersionOf(ip) === 4)),
    (row) => row.fixed_port_id,
  );
  return (port) => {
    const groups = groupsOf(port.id);
    const own = logs.filter((log) => {
      if (groups.length === 0 || (log.target_id !== null && log.target_id !== port.id)) return false;
      if (log.resource_id !== null) return groups.includes(log.resource_id);
      return log.target_id !== null || log.project_id === port.project_id;
    });
    const local = ledTo.get(port.id) ?? [];
    if (own.length === 0 && local.length === 0) return NOTHING;
    return {
      ...(local.length > 0 && { localIps: local.map((row) => ({ id: row.local_ip_id, ip: row.local_ip_address, fixedIp: row.fixed_ip })) }),
      ...(own.length > 0 && {
        logs: own.map((log) => ({
          id: log.id,
          projectId: log.project_id,
          event: log.event as PortLogSpec['event'],
          ...(log.resource_id !== null && { groupId: log.resource_id }),
        })),
      }),
    };
  };
}

const NOTHING: PortParts = {};
