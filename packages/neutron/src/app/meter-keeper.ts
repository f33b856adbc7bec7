import type { MeterReading } from '@cairn/host/interface/fabric';
import type { Timer } from '@cairn/kit/clock/clock';
import type { Tx } from '@cairn/kit/store/store';
import { keepReading, keepSum, labelsByIds, readingsOfHost, sumsOfHost } from '../store/metering.ts';
import { deleteRow } from '../store/rows.ts';
import type { MeteringLabelRow, MeterSumRow } from '../store/tables-data-plane.ts';
import type { NeutronApp } from './deps.ts';

/** neutron/conf/services/metering_agent.py: measure_interval and report_interval. */
const MEASURE_EVERY_MS = 30_000;
const REPORT_EVERY_MS = 300_000;

/**
 * Reads what the routers' meters have counted and tells what each label has come to: the event `l3.meter`, with the fields of upstream's
 * notification. Both what was read last and what was not told yet are rows, so neither a restart of this program nor one of a host makes
 * traffic count twice, or takes away what was measured.
 */
export class MeterKeeper {
  readonly #app: NeutronApp;
  #timer: Timer | undefined;
  #stopped = false;
  #working: Promise<void> = Promise.resolve();
  #reportedMs = 0;

  constructor(app: NeutronApp) {
    this.#app = app;
  }

  start(): void {
    this.#stopped = false;
    this.#timer = this.#app.env.clock.after(MEASURE_EVERY_MS, () => {
      this.#working = this.#tick().finally(() => {
        if (!this.#stopped) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#working;
  }

  async #tick(): Promise<void> {
    const { env } = this.#app;
    try {
      await this.measure();
      if (env.clock.nowMs() - this.#reportedMs < REPORT_EVERY_MS) return;
      this.#reportedMs = env.clock.nowMs();
      await this.report();
    } catch (err) {
      env.log.warn({ err }, 'the meters of routers could not be read');
    }
  }

  /** Adds what was counted since the last time. */
  async measure(): Promise<void> {
    const { hosts, env } = this.#app;
    for (const host of hosts.names()) {
      let readings: readonly MeterReading[];
      try {
        readings = await hosts.get(host).fabric.meters();
      } catch (err) {
        env.log.warn({ err, host }, 'the meters of a host could not be read');
        continue;
      }
      if (readings.length > 0) await env.store.write((tx) => this.#add(tx, host, readings));
    }
  }

  async #add(tx: Tx, host: string, readings: readonly MeterReading[]): Promise<void> {
    const nowMs = this.#app.env.clock.nowMs();
    const labels = new Set((await labelsByIds(tx, [...new Set(readings.map((reading) => reading.meterId))])).map((label) => label.id));
    const known = new Map((await readingsOfHost(tx, host)).map((row) => [row.id, row]));
    const gained = new Map<string, { packets: number; bytes: number }>();
    for (const { routerId, meterId, packets, bytes } of readings) {
      // a label that was deleted meanwhile
      if (!labels.has(meterId)) continue;
      const id = `${host} ${routerId} ${meterId}`;
      const last = known.get(id);
      // a counter that is behind has begun anew
      const isAnew = !last || packets < Number(last.packets) || bytes < Number(last.bytes);
      const sum = gained.get(meterId) ?? { packets: 0, bytes: 0 };
      sum.packets += isAnew ? packets : packets - Number(last.packets);
      sum.bytes += isAnew ? bytes : bytes - Number(last.bytes);
      gained.set(meterId, sum);
      await keepReading(tx, { id, host, router_id: routerId, label_id: meterId, packets, bytes }, last === undefined);
    }
    const sums = new Map((await sumsOfHost(tx, host)).map((row) => [row.label_id, row]));
    for (const [labelId, { packets, bytes }] of gained) {
      const sum = sums.get(labelId);
      const row: MeterSumRow = {
        id: `${host} ${labelId}`,
        host,
        label_id: labelId,
        packets: Number(sum?.packets ?? 0) + packets,
        bytes: Number(sum?.bytes ?? 0) + bytes,
        measured_ms: sum ? Number(sum.measured_ms) + nowMs - Number(sum.last_at_ms) : 0,
        first_at_ms: Number(sum?.first_at_ms ?? nowMs),
        last_at_ms: nowMs,
      };
      await keepSum(tx, row, sum === undefined);
    }
  }

  /** Tells what each label has come to since the last report, and begins anew. */
  async report(): Promise<void> {
    const { hosts, env } = this.#app;
    for (const host of hosts.names()) {
      if ((await sumsOfHost(env.store.read, host)).length === 0) continue;
      await env.store.write(async (tx) => {
        const sums = await sumsOfHost(tx, host);
        const labels = new Map(
          (
            await labelsByIds(
              tx,
              sums.map((sum) => sum.label_id),
            )
          ).map((label) => [label.id, label]),
        );
        for (const sum of sums) {
          const label = labels.get(sum.label_id);
          if (label) await this.#tell(tx, label, sum);
          // one that no router is metered for any more
          if (!label || Number(sum.last_at_ms) < env.clock.nowMs() - REPORT_EVERY_MS) await deleteRow(tx, 'neutron_meter_sum', sum.id);
          else await keepSum(tx, { ...sum, packets: 0, bytes: 0, measured_ms: 0 }, false);
        }
      });
    }
  }

  async #tell(tx: Tx, label: MeteringLabelRow, sum: MeterSumRow): Promise<void> {
    const seconds = (ms: number): number => Math.floor(Number(ms) / 1000);
    await this.#app.env.events.emit(tx, {
      type: 'l3.meter',
      projectId: label.project_id,
      resource: 'metering_label',
      resourceId: label.id,
      payload: {
        pkts: Number(sum.packets),
        bytes: Number(sum.bytes),
        time: seconds(sum.measured_ms),
        first_update: seconds(sum.first_at_ms),
        last_update: seconds(sum.last_at_ms),
        host: sum.host,
        label_id: label.id,
        project_id: label.project_id,
      },
    });
  }
}
