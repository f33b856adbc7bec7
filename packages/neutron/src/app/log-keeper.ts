import type { SecurityLogRecord } from '@cairn/host/interface/fabric';
import type { NeutronApp } from './deps.ts';
import { HostWords } from './host-words.ts';

/** Tells projects what their logs say: the event `security_group_log.packets`, for all packets that a host has told of together. */
export const logKeeper = (app: NeutronApp): HostWords<'securityLog'> =>
  new HostWords(app, {
    kind: 'securityLog',
    take: (host, { records }) => tell(app, host, records),
    failure: () => ({ message: 'what security groups let through and dropped could not be told' }),
  });

async function tell({ env }: NeutronApp, host: string, records: readonly SecurityLogRecord[]): Promise<void> {
  await env.store.write(async (tx) => {
    for (const [projectId, own] of Map.groupBy(records, (record) => record.projectId)) {
      await env.events.emit(tx, {
        type: 'security_group_log.packets',
        projectId,
        resource: 'log',
        resourceId: own[0]?.logIds[0] ?? '',
        payload: {
          host,
          packets: own.map(({ atMs, action, direction, portId, logIds, packet }) => ({
            timestamp: new Date(atMs).toISOString(),
            action,
            direction,
            vm_port: portId,
            log_resource_ids: logIds,
            ip_version: packet.version,
            protocol: packet.protocol,
            source_ip: packet.source,
            destination_ip: packet.destination,
            source_port: packet.sourcePort ?? null,
            destination_port: packet.destinationPort ?? null,
            icmp_type: packet.icmpType ?? null,
            icmp_code: packet.icmpCode ?? null,
          })),
        },
      });
    }
  });
}
