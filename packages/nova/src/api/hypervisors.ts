import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { NovaApp } from '../app/app.ts';
import type { HypervisorFacts } from '../app/hypervisors.ts';
import type { HypervisorKey } from '../store/hypervisor.ts';
import { HypervisorDetailList, HypervisorList, HypervisorsByName, HypervisorStatistics, HypervisorUptime, OneHypervisor } from './answers/hosts.ts';
import { op } from './op.ts';
import { booleanOf, closedQuery, last, openQuery, pageOf, pagination } from './query.ts';
import { boolean, fqdn, nonNegativeInteger } from './schemas/types.ts';
import { hypervisorLine, hypervisorView, uptimeOf } from './views/hypervisor.ts';
import { nextLinks } from './views/links.ts';

const LIST = [
  { from: '2.1', schema: openQuery({}) },
  { from: '2.33', schema: openQuery(pagination) },
  { from: '2.53', schema: closedQuery({ limit: nonNegativeInteger, marker: { type: 'string' }, hypervisor_hostname_pattern: fqdn, with_servers: boolean }) },
] as const;
const ONE = [
  { from: '2.1', schema: openQuery({}) },
  { from: '2.53', schema: closedQuery({ with_servers: boolean }) },
] as const;

const byUuid = (req: Request<AnyBody>): boolean => req.version.atLeast('2.53');
const wantsServers = (req: Request<AnyBody>): boolean => byUuid(req) && booleanOf(last(req, 'with_servers') ?? false) === true;

/** The hypervisor of the path: from 2.53 a uuid, before a number. */
function keyOf(req: Request<AnyBody>): HypervisorKey {
  const id = req.params.id as string;
  if (byUuid(req)) {
    if (!isUuidLike(id)) throw invalidInput(`Invalid uuid ${id}`, { field: 'id' });
    return { id };
  }
  if (!/^\d{1,15}$/.test(id)) throw notFound(`Hypervisor with ID '${id}' could not be found.`);
  return { seq: Number(id) };
}

async function listed(app: NovaApp, req: Request<AnyBody>, detail: boolean): Promise<object> {
  const pattern = byUuid(req) ? last(req, 'hypervisor_hostname_pattern') : undefined;
  if (pattern !== undefined && (req.query.has('limit') || req.query.get('marker'))) {
    throw invalidInput('Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.', {
      field: 'hypervisor_hostname_pattern',
    });
  }
  const paged = req.version.atLeast('2.33') && pattern === undefined;
  const withServers = wantsServers(req);
  const found = await app.hypervisors.list({ withUse: detail && req.version.before('2.88'), withServers }, paged ? pageOf(app, req) : { pattern });
  const ids = found.map(({ node }) => (byUuid(req) ? node.id : String(node.seq)));
  const links = paged ? nextLinks(req, detail ? 'os-hypervisors/detail' : 'os-hypervisors', ids, app.deps.options.maxLimit) : [];
  const view = detail ? hypervisorView : hypervisorLine;
  return { hypervisors: found.map((facts) => view(req.version, facts, withServers)), ...(links.length > 0 && { hypervisors_links: links }) };
}

/** Sums over the hypervisors whose services are enabled. */
function sums(all: readonly HypervisorFacts[], view: (facts: HypervisorFacts) => Readonly<Record<string, unknown>>): object {
  const names = [
    'vcpus',
    'memory_mb',
    'local_gb',
    'vcpus_used',
    'memory_mb_used',
    'local_gb_used',
    'free_ram_mb',
    'free_disk_gb',
    'current_workload',
    'running_vms',
    'disk_available_least',
  ];
  const counted = all.filter(({ service }) => service.disabled === 0).map(view);
  return { count: counted.length, ...Object.fromEntries(names.map((name) => [name, counted.reduce((sum, each) => sum + Number(each[name]), 0)])) };
}

export const hypervisorOperations = [
  op({
    id: 'nova.hypervisor.list',
    method: 'GET',
    path: '/v2.1/os-hypervisors',
    summary: 'List hypervisors',
    policy: 'os_compute_api:os-hypervisors:list',
    answer: HypervisorList,
    query: LIST,
    handle: (app, req) => listed(app, req, false),
  }),
  op({
    id: 'nova.hypervisor.detail',
    method: 'GET',
    path: '/v2.1/os-hypervisors/detail',
    summary: 'List hypervisors with details',
    policy: 'os_compute_api:os-hypervisors:list-detail',
    answer: HypervisorDetailList,
    query: LIST,
    handle: (app, req) => listed(app, req, true),
  }),
  op({
    id: 'nova.hypervisor.statistics',
    method: 'GET',
    path: '/v2.1/os-hypervisors/statistics',
    summary: 'Sums over all hypervisors',
    until: '2.87',
    policy: 'os_compute_api:os-hypervisors:statistics',
    answer: HypervisorStatistics,
    async handle(app, req) {
      const all = await app.hypervisors.list({ withUse: true, withServers: false });
      return { hypervisor_statistics: sums(all, (facts) => hypervisorView(req.version, facts, false)) };
    },
  }),
  op({
    id: 'nova.hypervisor.show',
    method: 'GET',
    path: '/v2.1/os-hypervisors/{id}',
    summary: 'Show a hypervisor',
    policy: 'os_compute_api:os-hypervisors:show',
    answer: OneHypervisor,
    query: ONE,
    async handle(app, req) {
      const withServers = wantsServers(req);
      return {
        hypervisor: hypervisorView(req.version, await app.hypervisors.get(keyOf(req), { withUse: req.version.before('2.88'), withServers }), withServers),
      };
    },
  }),
  op({
    id: 'nova.hypervisor.uptime',
    method: 'GET',
    path: '/v2.1/os-hypervisors/{id}/uptime',
    summary: "Show a hypervisor's uptime",
    until: '2.87',
    policy: 'os_compute_api:os-hypervisors:uptime',
    answer: HypervisorUptime,
    async handle(app, req) {
      const facts = await app.hypervisors.get(keyOf(req), { withUse: false, withServers: false });
      if (!facts.up) throw invalidInput(`Compute service of ${facts.node.host} is unavailable at this time.`);
      return { hypervisor: { ...hypervisorLine(req.version, facts, false), uptime: uptimeOf(app.deps.env.clock.nowMs(), facts.node.uptime_seconds) } };
    },
  }),
  op({
    id: 'nova.hypervisor.search',
    method: 'GET',
    path: '/v2.1/os-hypervisors/{id}/search',
    summary: 'Search hypervisors by name',
    until: '2.52',
    policy: 'os_compute_api:os-hypervisors:search',
    answer: HypervisorsByName,
    async handle(app, req) {
      const found = await app.hypervisors.list({ withUse: false, withServers: false }, { pattern: req.params.id as string });
      return { hypervisors: found.map((facts) => hypervisorLine(req.version, facts, false)) };
    },
  }),
  op({
    id: 'nova.hypervisor.servers',
    method: 'GET',
    path: '/v2.1/os-hypervisors/{id}/servers',
    summary: 'List the servers of hypervisors by name',
    until: '2.52',
    policy: 'os_compute_api:os-hypervisors:servers',
    answer: HypervisorsByName,
    async handle(app, req) {
      const found = await app.hypervisors.list({ withUse: false, withServers: true }, { pattern: req.params.id as string });
      return { hypervisors: found.map((facts) => hypervisorLine(req.version, facts, true)) };
    },
  }),
];
