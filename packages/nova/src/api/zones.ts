import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import type { ServiceFacts } from '../app/zones.ts';
import { op } from './op.ts';

const isCompute = (service: ServiceFacts): boolean => service.row.binary === 'nova-compute';
const enabled = (service: ServiceFacts): boolean => service.row.disabled === 0;

export const zoneOperations = [
  op({
    id: 'nova.availability-zone.list',
    method: 'GET',
    path: '/v2.1/os-availability-zone',
    summary: 'List availability zones',
    policy: 'os_compute_api:os-availability-zone:list',
    async handle(app) {
      const compute = (await app.zones.services(app.deps.env.store.read)).filter(isCompute);
      const available = new Set(compute.filter(enabled).map((s) => s.zone));
      const not = new Set(compute.map((s) => s.zone).filter((zone) => !available.has(zone)));
      const line = (zone: string, is: boolean) => ({ zoneName: zone, zoneState: { available: is }, hosts: null });
      return { availabilityZoneInfo: [...[...available].sort().map((zone) => line(zone, true)), ...[...not].sort().map((zone) => line(zone, false))] };
    },
  }),
  op({
    id: 'nova.availability-zone.detail',
    method: 'GET',
    path: '/v2.1/os-availability-zone/detail',
    summary: 'List availability zones with their hosts',
    policy: 'os_compute_api:os-availability-zone:detail',
    async handle(app) {
      const services = await app.zones.services(app.deps.env.store.read);
      const zones = Map.groupBy(services.filter(enabled), (s) => s.zone);
      const dark = new Set(services.map((s) => s.zone).filter((zone) => !zones.has(zone)));
      const hostsOf = (members: readonly ServiceFacts[]): object => {
        const hosts: Record<string, Record<string, object>> = {};
        for (const s of members) (hosts[s.row.host] ??= {})[s.row.binary] = { available: s.up, active: true, updated_at: s.row.last_seen_at_ms === null ? null : isoNaiveMicros(s.row.last_seen_at_ms) };
        return hosts;
      };
      return {
        availabilityZoneInfo: [...[...zones].map(([zoneName, members]) => ({ zoneName, zoneState: { available: true }, hosts: hostsOf(members) })), ...[...dark].map((zoneName) => ({ zoneName, zoneState: { available: false }, hosts: null }))],
      };
    },
  }),
];
