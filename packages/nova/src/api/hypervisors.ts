import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';
import type { HypervisorFacts } from '../app/hypervisors.ts';
import { op } from './op.ts';

const byUuid = (req: Request<AnyBody>): boolean => req.version.atLeast('2.53');
const idOf = (req: Request<AnyBody>, facts: HypervisorFacts): number | string => (byUuid(req) ? facts.node.id : facts.node.seq);
const wantsServers = (req: Request<AnyBody>): boolean => byUuid(req) && /^(true|1|on|yes|y|t)$/i.test(req.query.get('with_servers') ?? '');

const serverList = (facts: HypervisorFacts): object => ({ servers: facts.servers.map((s) => ({ name: s.name, uuid: s.id })) });

const basic = (req: Request<AnyBody>, facts: HypervisorFacts, servers: boolean): object => ({
  id: idOf(req, facts),
  hypervisor_hostname: facts.node.hypervisor_hostname,
  state: facts.up ? 'up' : 'down',
  status: facts.service?.disabled ? 'disabled' : 'enabled',
  ...(servers && facts.servers.length > 0 && serverList(facts)),
});

const service = (req: Request<AnyBody>, facts: HypervisorFacts): object => ({ service: { host: facts.node.host, id: facts.service ? (byUuid(req) ? facts.service.id : facts.service.seq) : null, disabled_reason: facts.service?.disabled_reason ?? null } });

/** The view of detail and show (nova/api/openstack/compute/hypervisors.py): resources until 2.87, uptime within from 2.88. */
function full(req: Request<AnyBody>, facts: HypervisorFacts, servers: boolean): object {
  const { node } = facts;
  const cpu = JSON.parse(node.cpu_json) as Record<string, unknown>;
  const info = { arch: cpu.arch, model: cpu.model, vendor: cpu.vendor, features: cpu.features, topology: { sockets: cpu.sockets, cores: cpu.cores, threads: cpu.threads } };
  const old = req.version.before('2.88');
  return {
    ...basic(req, facts, servers),
    hypervisor_type: node.hypervisor_type,
    hypervisor_version: node.hypervisor_version,
    host_ip: node.host_ip,
    ...(old && {
      ...resources(facts),
      cpu_info: req.version.atLeast('2.28') ? info : JSON.stringify(info),
    }),
    ...(!old && { uptime: uptime(node.uptime_seconds) }),
    ...service(req, facts),
  };
}

/** Sizes and use, as told until 2.87. */
function resources({ node, used, servers }: HypervisorFacts): Record<string, number> {
  const disk = used.DISK_GB ?? 0;
  const memory = used.MEMORY_MB ?? 0;
  return {
    vcpus: node.vcpus,
    vcpus_used: used.VCPU ?? 0,
    memory_mb: node.memory_mb,
    memory_mb_used: memory,
    free_ram_mb: node.memory_mb - memory,
    local_gb: node.disk_gb,
    local_gb_used: disk,
    free_disk_gb: node.disk_gb - disk,
    disk_available_least: node.disk_free_gb,
    current_workload: 0,
    running_vms: servers.length,
  };
}

/** As `uptime` prints it. */
const uptime = (seconds: number): string => {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  return ` up ${days > 0 ? `${days} days, ` : ''}${hours}:${String(minutes).padStart(2, '0')}, 0 users, load average: 0.00, 0.00, 0.00`;
};

function pageOf(app: NovaApp, req: Request<AnyBody>): { limit?: number; marker?: string } {
  if (req.version.before('2.33')) return {};
  const limit = req.query.get('limit');
  if (limit !== null && !/^\d+$/.test(limit)) throw invalidInput(`Invalid input for query parameters limit. Value: ${limit}. '${limit}' does not match '^[0-9]*$'`, { field: 'limit' });
  const marker = req.query.get('marker');
  const max = app.deps.options.maxLimit;
  return { limit: Math.min(limit === null ? max : Number(limit), max), ...(marker !== null && { marker }) };
}

/** From 2.53 a pattern may choose by name; nothing found is a 404 then. */
async function listed(app: NovaApp, req: Request<AnyBody>, withUse: boolean): Promise<HypervisorFacts[]> {
  const pattern = byUuid(req) ? req.query.get('hypervisor_hostname_pattern') : null;
  const page = pageOf(app, req);
  if (pattern !== null && (req.query.has('limit') || req.query.has('marker'))) throw invalidInput('Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.');
  const found = await app.hypervisors.list({ withUse, withServers: wantsServers(req) }, pattern === null ? undefined : (node) => node.hypervisor_hostname.includes(pattern), page);
  if (pattern !== null && found.length === 0) throw notFound(`No hypervisor matching '${pattern}' could be found.`);
  return found;
}

function next(app: NovaApp, req: Request<AnyBody>, path: string, page: readonly HypervisorFacts[]): object {
  const { limit } = pageOf(app, req);
  const last = page.at(-1);
  if (limit === undefined || !last || page.length < limit || req.query.has('hypervisor_hostname_pattern')) return {};
  const query = new URLSearchParams(req.query);
  query.set('marker', String(idOf(req, last)));
  return { hypervisors_links: [{ rel: 'next', href: `${req.baseUrl}/v2.1/${path}?${query}` }] };
}

export const hypervisorOperations = [
  op({
    id: 'nova.hypervisor.list',
    method: 'GET',
    path: '/v2.1/os-hypervisors',
    summary: 'List hypervisors',
    policy: 'os_compute_api:os-hypervisors:list',
    async handle(app, req) {
      const page = await listed(app, req, false);
      return { hypervisors: page.map((facts) => basic(req, facts, wantsServers(req))), ...next(app, req, 'os-hypervisors', page) };
    },
  }),
  op({
    id: 'nova.hypervisor.detail',
    method: 'GET',
    path: '/v2.1/os-hypervisors/detail',
    summary: 'List hypervisors with details',
    policy: 'os_compute_api:os-hypervisors:list-detail',
    async handle(app, req) {
      const page = await listed(app, req, true);
      return { hypervisors: page.map((facts) => full(req, facts, wantsServers(req))), ...next(app, req, 'os-hypervisors/detail', page) };
    },
  }),
  op({
    id: 'nova.hypervisor.statistics',
    method: 'GET',
    path: '/v2.1/os-hypervisors/statistics',
    summary: 'Sums over all hypervisors',
    until: '2.87',
    policy: 'os_compute_api:os-hypervisors:statistics',
    async handle(app) {
      const all = (await app.hypervisors.list({ withUse: true, withServers: true })).filter((f) => !f.service?.disabled);
      const sums: Record<string, number> = { count: all.length };
      for (const facts of all) for (const [key, value] of Object.entries(resources(facts))) sums[key] = (sums[key] ?? 0) + value;
      return { hypervisor_statistics: sums };
    },
  }),
  op({ id: 'nova.hypervisor.show', method: 'GET', path: '/v2.1/os-hypervisors/{id}', summary: 'Show a hypervisor', policy: 'os_compute_api:os-hypervisors:show', handle: async (app, req) => ({ hypervisor: full(req, await app.hypervisors.get(req.params.id as string, byUuid(req), { withUse: true, withServers: true }), wantsServers(req)) }) }),
  op({
    id: 'nova.hypervisor.uptime',
    method: 'GET',
    path: '/v2.1/os-hypervisors/{id}/uptime',
    summary: "Show a hypervisor's uptime",
    until: '2.87',
    policy: 'os_compute_api:os-hypervisors:uptime',
    async handle(app, req) {
      const facts = await app.hypervisors.get(req.params.id as string, byUuid(req), { withUse: false, withServers: false });
      return { hypervisor: { ...basic(req, facts, false), uptime: uptime(facts.node.uptime_seconds) } };
    },
  }),
  op({
    id: 'nova.hypervisor.search',
    method: 'GET',
    path: '/v2.1/os-hypervisors/{id}/search',
    summary: 'Search hypervisors by name',
    until: '2.52',
    policy: 'os_compute_api:os-hypervisors:search',
    async handle(app, req) {
      const text = req.params.id as string;
      const found = await app.hypervisors.list({ withUse: false, withServers: false }, (node) => node.hypervisor_hostname.includes(text));
      if (found.length === 0) throw notFound(`No hypervisor matching '${text}' could be found.`);
      return { hypervisors: found.map((facts) => basic(req, facts, false)) };
    },
  }),
  op({
    id: 'nova.hypervisor.servers',
    method: 'GET',
    path: '/v2.1/os-hypervisors/{id}/servers',
    summary: 'List the servers of hypervisors by name',
    until: '2.52',
    policy: 'os_compute_api:os-hypervisors:servers',
    async handle(app, req) {
      const text = req.params.id as string;
      const found = await app.hypervisors.list({ withUse: false, withServers: true }, (node) => node.hypervisor_hostname.includes(text));
      if (found.length === 0) throw notFound(`No hypervisor matching '${text}' could be found.`);
      return { hypervisors: found.map((facts) => basic(req, facts, true)) };
    },
  }),
];
