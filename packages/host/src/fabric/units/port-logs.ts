import type { SecurityLogRecord } from '../../interface/fabric.ts';
import type { NflogRecord } from '../kernel/nflog.ts';
import type { FabricView } from '../objects.ts';
import { hasAccepts, hasDrops, PORT_MASK } from '../plan/logs.ts';
import { policyOf } from '../plan/security-group.ts';

/** Says whose packet a record is about, and which logs asked for it. */
export function explainRecord(
  view: Pick<FabricView, 'guestPorts' | 'groups'>,
  portIdOf: (mark: number) => string | undefined,
  { mark, prefix }: NflogRecord,
): Omit<SecurityLogRecord, 'atMs' | 'packet'> | undefined {
  const [action, direction, groupId] = prefix.split(' ');
  const port = view.guestPorts.get(portIdOf((mark & PORT_MASK) >>> 0) ?? '');
  if (!port || (action !== 'ACCEPT' && action !== 'DROP') || (direction !== 'ingress' && direction !== 'egress')) return undefined;
  const stateful = policyOf(view, port.securityGroups).stateful;
  const logs = (port.logs ?? []).filter((log) =>
    action === 'DROP'
      ? hasDrops(log)
      : hasAccepts(log) && (groupId === undefined ? log.groupId === undefined : log.groupId === groupId || (log.groupId === undefined && !stateful)),
  );
  const [first] = logs;
  return first && { action, direction, portId: port.id, projectId: first.projectId, logIds: logs.map((log) => log.id) };
}
