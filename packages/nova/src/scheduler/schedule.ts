import type { Db } from '@cairn/kit/store/store';
import type { Candidate, CandidateRequest } from '@cairn/placement/face';
import type { NovaDeps } from '../app/deps.ts';
import { DISABLED_TRAIT } from '../app/services.ts';
import { type AggregateFacts, allAggregates } from '../store/aggregate.ts';
import { allComputeNodes, type ComputeNodeRow, computeNodeOfHost } from '../store/compute-node.ts';
import { hostsOfServers, ioOperationsByHost, serverCountByHost } from '../store/server.ts';
import { groupMemberHosts } from '../store/server-group.ts';
import { isUp, servicesOf } from '../store/service.ts';
import { topologiesOn } from '../store/topology.ts';
import { fitOnHost } from '../topology/host.ts';
import { noValidHost } from './explain.ts';
import { filterHosts, type HostState, type Surroundings } from './filters.ts';
import type { HostRequest } from './request.ts';
import { weighHosts } from './weighers.ts';

/** Upstream's max_placement_results. */
const CANDIDATES = 1_000;

/** Promises made on providers that are not claimed yet, so that a burst spreads. In memory: it only steers, placement's claim decides. */
export class Pending {
  readonly #byServer = new Map<string, { readonly providerId: string; readonly resources: Readonly<Record<string, number>> }>();
  readonly #byProvider = new Map<string, Record<string, number>>();
  readonly #watchers = new Set<Map<string, Record<string, number>>>();
  /** How many builds in a row came to nothing on each host. */
  readonly failures = new Map<string, number>();

  /** Notes how a build on a host ended. */
  built(host: string, well: boolean): void {
    if (well) this.failures.delete(host);
    else this.failures.set(host, (this.failures.get(host) ?? 0) + 1);
  }

  add(serverId: string, providerId: string, resources: Readonly<Record<string, number>>): void {
    this.drop(serverId);
    this.#byServer.set(serverId, { providerId, resources });
    this.#change(providerId, resources, 1);
  }

  drop(serverId: string): void {
    const promise = this.#byServer.get(serverId);
    if (promise === undefined) return;
    this.#byServer.delete(serverId);
    this.#change(promise.providerId, promise.resources, -1);
    for (const kept of this.#watchers) add(kept, promise.providerId, promise.resources, 1);
  }

  /**
   * Watches promises until `end`. `of` tells what is promised now, with what turned into a claim since the beginning: candidates that were
   * read in between may not show that claim yet. So a promise may count twice, never not at all.
   */
  watch(): { of(providerId: string): Readonly<Record<string, number>>; end(): void } {
    const kept = new Map<string, Record<string, number>>();
    this.#watchers.add(kept);
    return {
      of: (providerId) => {
        const [now, gone] = [this.#byProvider.get(providerId), kept.get(providerId)];
        if (now === undefined || gone === undefined) return now ?? gone ?? NOTHING;
        return add(new Map([[providerId, { ...gone }]]), providerId, now, 1);
      },
      end: () => this.#watchers.delete(kept),
    };
  }

  #change(providerId: string, resources: Readonly<Record<string, number>>, sign: 1 | -1): void {
    const sums = add(this.#byProvider, providerId, resources, sign);
    if (Object.values(sums).every((amount) => amount === 0)) this.#byProvider.delete(providerId);
  }
}
const NOTHING: Readonly<Record<string, number>> = {};

function add(all: Map<string, Record<string, number>>, providerId: string, resources: Readonly<Record<string, number>>, sign: 1 | -1): Record<string, number> {
  const sums = all.get(providerId) ?? {};
  for (const [name, amount] of Object.entries(resources)) sums[name] = (sums[name] ?? 0) + sign * amount;
  all.set(providerId, sums);
  return sums;
}

/** Hosts that fit, best first, with the server promised to the first; throws NoCapacity with the whole reason when there is none. */
export async function selectHosts(deps: NovaDeps, db: Db, request: HostRequest, pending: Pending): Promise<readonly HostState[]> {
  const promised = pending.watch();
  try {
    return await rankedHosts(deps, db, request, pending, promised.of);
  } finally {
    promised.end();
  }
}

async function rankedHosts(
  deps: NovaDeps,
  db: Db,
  request: HostRequest,
  pending: Pending,
  promised: (providerId: string) => Readonly<Record<string, number>>,
): Promise<readonly HostState[]> {
  const [aggregates, wanted] = await Promise.all([allAggregates(db), request.host === undefined ? undefined : computeNodeOfHost(db, request.host)]);
  const ask = candidateRequest(deps, request, aggregates, wanted?.id);
  const roomy = await deps.faces.placement.candidates(db, ask);
  if (roomy.length === 0) throw noValidHost(await deps.faces.placement.explain(db, ask), []);
  const candidates = await withNetworkRoom(deps, db, roomy, request.portGroups);
  const [states, around] = await hostStates(deps, db, candidates, request, aggregates, pending);
  const { hosts, trace } = filterHosts(states, request, around);
  if (hosts.length === 0) throw noValidHost(undefined, trace);
  const ranked = weighHosts(hosts, request, around, promised, tieOf(request.serverId));
  // In the same turn as the weighing: nobody else weighs in between.
  pending.add(request.serverId, (ranked[0] as HostState).candidate.providerId, request.resources);
  return ranked;
}

/** The candidates whose network has what the server's ports ask. Throws NoCapacity where none has. */
async function withNetworkRoom(deps: NovaDeps, db: Db, candidates: readonly Candidate[], ask: HostRequest['portGroups']): Promise<readonly Candidate[]> {
  if (ask === undefined) return candidates;
  const ids = candidates.map((candidate) => candidate.providerId);
  const placed = await deps.faces.placement.placeGroups(db, ids, ask);
  if (placed.size === 0) throw noValidHost(await deps.faces.placement.explainGroups(db, ids, ask), []);
  return candidates.filter((candidate) => placed.has(candidate.providerId));
}

/** What placement is asked before any filter (nova/scheduler/request_filter.py): hosts in service, in the zone, not kept for others' traits. */
function candidateRequest(deps: NovaDeps, request: HostRequest, aggregates: readonly AggregateFacts[], inTree: string | undefined): CandidateRequest {
  const { isolateAggregates } = deps.options.scheduler;
  const inZone = aggregates.filter(({ metadata }) => request.zone !== undefined && metadata['availability_zone'] === request.zone);
  const required = new Set(request.requiredTraits);
  const isolated = !isolateAggregates
    ? []
    : aggregates.filter(({ metadata }) =>
        Object.entries(metadata).some(([key, value]) => key.startsWith('trait:') && value === 'required' && !required.has(key.slice('trait:'.length))),
      );
  const memberOf = [...(inZone.length === 0 ? [] : [inZone.map(({ id }) => id)]), ...request.networks.aggregates];
  return {
    resources: request.resources,
    ...(request.requiredTraits.length === 0 ? {} : { requiredTraits: request.requiredTraits }),
    forbiddenTraits: [...request.forbiddenTraits, DISABLED_TRAIT],
    ...(memberOf.length === 0 ? {} : { memberOf }),
    ...(isolated.length === 0 ? {} : { forbiddenAggregates: isolated.map(({ id }) => id) }),
    ...(inTree === undefined ? {} : { inTree }),
    limit: CANDIDATES,
  };
}

/** Counts that only some clouds' filters and weighers look at, so that others do not pay for them. */
async function loads(
  deps: NovaDeps,
  db: Db,
  aggregates: readonly AggregateFacts[],
): Promise<readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>]> {
  const { scheduler } = deps.options;
  const limitedBy = (key: string): boolean => aggregates.some(({ metadata }) => metadata[key] !== undefined);
  const busy = scheduler.maxIoOperations > 0 || scheduler.weights.ioOps !== 0 || limitedBy('max_io_ops_per_host') || limitedBy('io_ops_weight_multiplier');
  const many =
    scheduler.maxServers > 0 || scheduler.weights.servers !== 0 || limitedBy('max_instances_per_host') || limitedBy('num_instances_weight_multiplier');
  return await Promise.all([busy ? ioOperationsByHost(db) : NONE, many ? serverCountByHost(db) : NONE]);
}
const NONE: ReadonlyMap<string, number> = new Map();

async function hostStates(
  deps: NovaDeps,
  db: Db,
  candidates: readonly HostState['candidate'][],
  request: HostRequest,
  aggregates: readonly AggregateFacts[],
  pending: Pending,
): Promise<readonly [readonly HostState[], Surroundings]> {
  const [nodes, services, [ioOperations, servers], members, same, different] = await Promise.all([
    allComputeNodes(db),
    servicesOf(db, 'nova-compute'),
    loads(deps, db, aggregates),
    request.group === undefined ? [] : groupMemberHosts(db, request.group.id),
    hostsOfServers(db, request.sameHost),
    hostsOfServers(db, request.differentHost),
  ]);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const membersByHost = new Map<string, number>();
  for (const { host, serverId } of members) if (host !== null && serverId !== request.serverId) membersByHost.set(host, (membersByHost.get(host) ?? 0) + 1);
  const nowMs = deps.env.clock.nowMs();
  const held = request.topology === undefined ? new Map<string, never[]>() : await topologiesOn(db, hostsOf(candidates, byId));
  const states = candidates.flatMap((candidate): HostState[] => {
    const node = byId.get(candidate.providerId);
    if (node === undefined) return [];
    const service = services.get(node.host);
    const mine = aggregates.filter((aggregate) => aggregate.hosts.includes(node.host));
    return [
      {
        candidate,
        host: node.host,
        node: node.hypervisor_hostname,
        zone: mine.map(({ metadata }) => metadata['availability_zone']).find((zone) => zone !== undefined) ?? deps.options.defaultAvailabilityZone,
        enabled: service?.disabled === 0,
        up: service !== undefined && isUp(service, nowMs, deps.options.serviceDownMs),
        architecture: (JSON.parse(node.cpu_json) as { arch: string }).arch,
        hypervisorType: node.hypervisor_type,
        aggregates: mine,
        groupMembers: membersByHost.get(node.host) ?? 0,
        hostIp: node.host_ip,
        facts: node,
        ioOperations: ioOperations.get(node.host) ?? 0,
        servers: servers.get(node.host) ?? 0,
        failures: pending.failures.get(node.host) ?? 0,
        fitsTopology: request.topology === undefined || fitOnHost(deps.options, node, held.get(node.host) ?? [], request.topology) !== undefined,
      },
    ];
  });
  return [
    states,
    {
      sameHosts: request.sameHost.length === 0 ? undefined : new Set(same.values()),
      differentHosts: new Set(different.values()),
      groupPlaced: membersByHost.size > 0,
      aggregateKeys: new Set(aggregates.flatMap(({ metadata }) => Object.keys(metadata))),
      scheduler: deps.options.scheduler,
    },
  ];
}

const hostsOf = (candidates: readonly HostState['candidate'][], nodes: ReadonlyMap<string, ComputeNodeRow>): readonly string[] =>
  candidates.flatMap(({ providerId }) => nodes.get(providerId)?.host ?? []);

/** A number per host that differs from server to server, so that equal hosts share the load. */
function tieOf(serverId: string): (host: HostState) => number {
  return (host) => {
    let hash = 2_166_136_261;
    for (const text of [serverId, host.host]) for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619);
    return hash >>> 0;
  };
}
