import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import type { ServiceFacts } from '../app/zones.ts';
import { ZoneList } from './answers/hosts.ts';
import { op } from './op.ts';

/** Zones that have an enabled service, and those that have disabled ones alone; both in order. */
function zonesOf(services: readonly ServiceFacts[]): { readonly available: readonly string[]; readonly not: readonly string[] } {
  const available = new Set(services.filter(({ row }) => row.disabled === 0).map(({ zone }) => zone));
  const all = new Set(services.map(({ zone }) => zone));
  return { available: [...available].toSorted(), not: [...all].filter((zone) => !available.has(zone)).toSorted() };
}

/** Host → binary → state, of enabled services. */
function hostsOf(services: readonly ServiceFacts[], zone: string): object {
  const hosts: Record<string, Record<string, object>> = {};
  for (const { row, up, zone: at } of services) {
    if (at !== zone || row.disabled !== 0) continue;
    const host = (hosts[row.host] ??= {});
    host[row.binary] = { available: up, active: true, updated_at: row.last_seen_at_ms === null ? null : isoNaiveMicros(row.last_seen_at_ms) };
  }
  return hosts;
}

const line = (zoneName: string, available: boolean, hosts: object | null = null): object => ({ zoneName, zoneState: { available }, hosts });

export const zoneOperations = [
  op({
    id: 'nova.availability-zone.list',
    method: 'GET',
    path: '/v2.1/os-availability-zone',
    summary: 'List availability zones',
    policy: 'os_compute_api:os-availability-zone:list',
    answer: ZoneList,
    async handle(app) {
      const { available, not } = zonesOf(await app.zones.services(app.deps.env.store.read));
      const seen = (zone: string): boolean => zone !== app.deps.options.internalAvailabilityZone;
      return { availabilityZoneInfo: [...available.filter(seen).map((zone) => line(zone, true)), ...not.filter(seen).map((zone) => line(zone, false))] };
    },
  }),
  op({
    id: 'nova.availability-zone.detail',
    method: 'GET',
    path: '/v2.1/os-availability-zone/detail',
    summary: 'List availability zones with their hosts',
    policy: 'os_compute_api:os-availability-zone:detail',
    answer: ZoneList,
    async handle(app) {
      const services = await app.zones.services(app.deps.env.store.read);
      const { available, not } = zonesOf(services);
      return { availabilityZoneInfo: [...available.map((zone) => line(zone, true, hostsOf(services, zone))), ...not.map((zone) => line(zone, false))] };
    },
  }),
];
