import type { HostEvent } from '@cairn/host/interface/agent';
import type { SecurityLogRecord } from '@cairn/host/interface/fabric';
import type { NeutronApp } from './deps.ts';

/** Tells projects what their logs say: the event `security_group_log.packets`, for all packets that a host has told of together. */
export class LogKeeper {
  readonly #app: NeutronApp;
  #stop: () => void = () => undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(app: NeutronApp) {
    this.#app = app;
  }

  start(): void {
    this.#stop = this.#app.hosts.onEvent((host, event) => this.take(host, event));
  }

  async stop(): Promise<void> {
    this.#stop();
    await this.#writing;
  }

  /** Resolves when all that was taken is told; for tests. */
  idle(): Promise<void> {
    return this.#writing;
  }

  take(host: string, event: HostEvent): void {
    if (event.kind !== 'securityLog') return;
    const { env } = this.#app;
    this.#writing = this.#writing
      .then(() => this.#tell(host, event.records))
      .catch((err: unknown) => env.log.error({ err, host }, 'what security groups let through and dropped could not be told'));
  }

  async #tell(host: string, records: readonly SecurityLogRecord[]): Promise<void> {
    const { env } = this.#app;
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
}
