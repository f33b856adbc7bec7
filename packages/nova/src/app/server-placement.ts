import { invalidInput } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { allAggregates } from '../store/aggregate.ts';
import { allComputeNodes } from '../store/compute-node.ts';
import { isUp, servicesOf } from '../store/service.ts';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';

/** Where a server must go. */
export interface Destination {
  /** The zone that the request named and that holds. */
  readonly zone: string | undefined;
  readonly host: string | undefined;
  readonly node: string | undefined;
}

/** Reads `zone`, `zone:host`, `zone:host:node` and `zone::node`. */
export function parseZone(text: string | undefined, defaultZone: string | undefined): Destination {
  const parts = (text ?? '').split(':');
  if (parts.length > 3) throw invalidInput('Invalid input received: Unable to parse availability_zone');
  const [zone, host, node] = parts;
  return { zone: zone || defaultZone, host: host || undefined, node: node || undefined };
}

/**
 * Settles the destination of a request: `availability_zone` with or without a host (administrators), or `host` and `hypervisor_hostname`
 * (from 2.74). A forced host in another zone than the named one wins over the zone.
 */
export async function destinationOf(
  deps: NovaDeps,
  db: Db,
  caller: Caller,
  asked: { readonly availabilityZone?: string; readonly host?: string; readonly node?: string },
): Promise<Destination> {
  const { options } = deps;
  const parsed = parseZone(asked.availabilityZone, options.defaultScheduleZone);
  const target = { project_id: caller.ctx.projectId, user_id: caller.ctx.userId, availability_zone: asked.availabilityZone };
  const forced = parsed.host !== undefined || parsed.node !== undefined;
  if (forced) caller.authorize('os_compute_api:servers:create:forced_host', target);
  if (asked.host !== undefined || asked.node !== undefined) {
    caller.authorize('compute:servers:create:requested_destination', target);
    if (forced) throw invalidInput('One mechanism with host and/or hypervisor_hostname and another mechanism with zone:host:node are mutually exclusive.');
    await checkHostExists(db, asked.host, asked.node);
  }
  let { zone } = parsed;
  if (parsed.host !== undefined) {
    const actual = await zoneOfHost(db, parsed.host);
    if (zone !== undefined && zone !== (actual ?? options.defaultAvailabilityZone)) zone = undefined;
  } else if (zone !== undefined) await checkZoneAvailable(deps, db, zone);
  return { zone, host: parsed.host ?? asked.host, node: parsed.node ?? asked.node };
}

async function checkHostExists(db: Db, host: string | undefined, node: string | undefined): Promise<void> {
  const found = (await allComputeNodes(db)).some(
    (row) => (host === undefined || row.host === host) && (node === undefined || row.hypervisor_hostname === node),
  );
  if (!found) throw invalidInput(`Compute host ${host ?? node} could not be found.`);
}

/** The zone that an aggregate puts a host in. */
export async function zoneOfHost(db: Db, host: string): Promise<string | undefined> {
  for (const aggregate of await allAggregates(db)) {
    const zone = aggregate.metadata['availability_zone'];
    if (zone !== undefined && aggregate.hosts.includes(host)) return zone;
  }
  return undefined;
}

/** Throws upstream's 400 for a zone without a host that takes servers. */
export async function checkZoneAvailable(deps: NovaDeps, db: Db, zone: string): Promise<void> {
  if (!(await availableZones(deps, db)).has(zone)) throw invalidInput('The requested availability zone is not available');
}

/** Zones with a compute host that is enabled and up. */
async function availableZones(deps: NovaDeps, db: Db): Promise<ReadonlySet<string>> {
  const [services, aggregates] = await Promise.all([servicesOf(db, 'nova-compute'), allAggregates(db)]);
  const zones = new Map(
    aggregates.flatMap(({ metadata, hosts }) =>
      metadata['availability_zone'] === undefined ? [] : hosts.map((host) => [host, metadata['availability_zone'] as string] as const),
    ),
  );
  const nowMs = deps.env.clock.nowMs();
  const available = new Set<string>();
  for (const service of services.values()) {
    if (service.disabled === 0 && isUp(service, nowMs, deps.options.serviceDownMs))
      available.add(zones.get(service.host) ?? deps.options.defaultAvailabilityZone);
  }
  return available;
}
