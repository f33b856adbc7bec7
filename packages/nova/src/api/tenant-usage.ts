import { isoNaiveExact, isoNaiveMicros } from '@cairn/kit/clock/clock';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';
import type { ProjectUse, ServerUse, UsagePeriod } from '../app/tenant-usage.ts';
import { OneUsage, UsageList } from './answers/projects.ts';
import { op } from './op.ts';
import { closedQuery, first, openQuery, pageOf, pagination, text } from './query.ts';
import { nextLinks } from './views/links.ts';

const PATH = '/v2.1/os-simple-tenant-usage';
const period = { start: text, end: text };
const queries = (parameters: Readonly<Record<string, object>>) => [
  { from: '2.1', schema: openQuery(parameters) },
  { from: '2.40', schema: openQuery({ ...parameters, ...pagination }) },
  { from: '2.75', schema: closedQuery({ ...parameters, ...pagination }) },
];

const serverView = ({ server, hours, flavorName, memoryMb, localGb, vcpus, uptimeSeconds }: ServerUse): object => ({
  ended_at: server.terminated_at_ms === null ? null : isoNaiveMicros(server.terminated_at_ms),
  flavor: flavorName,
  hours,
  instance_id: server.id,
  local_gb: localGb,
  memory_mb: memoryMb,
  name: server.name,
  started_at: isoNaiveMicros(server.launched_at_ms),
  state: server.terminated_at_ms === null ? server.vm_state : 'terminated',
  tenant_id: server.project_id,
  uptime: uptimeSeconds,
  vcpus,
});

function projectView({ projectId, servers }: ProjectUse, { beginMs, endMs }: UsagePeriod, detailed: boolean): object {
  const sum = (amount: (use: ServerUse) => number): number => servers.reduce((total, use) => total + amount(use) * use.hours, 0);
  return {
    ...(detailed ? { server_usages: servers.map(serverView) } : {}),
    start: isoNaiveExact(beginMs),
    stop: isoNaiveExact(endMs),
    tenant_id: projectId,
    total_hours: sum(() => 1),
    total_local_gb_usage: sum((use) => use.localGb),
    total_memory_mb_usage: sum((use) => use.memoryMb),
    total_vcpus_usage: sum((use) => use.vcpus),
  };
}

/** The period, the page of servers, and from 2.40 the link to the next. */
async function read(app: NovaApp, request: Request<AnyBody>, projectId?: string) {
  const paged = request.version.atLeast('2.40');
  const span = app.tenantUsages.period(first(request, 'start'), first(request, 'end'));
  const uses = await app.tenantUsages.of(span, paged ? pageOf(app, request) : { limit: app.deps.options.maxLimit, marker: undefined }, projectId);
  const ids = uses.flatMap(({ servers }) => servers.map(({ server }) => server.id));
  const links = paged ? nextLinks(request, `os-simple-tenant-usage${projectId === undefined ? '' : `/${projectId}`}`, ids, app.deps.options.maxLimit) : [];
  return { span, uses, links };
}

export const tenantUsageOperations = [
  op({
    id: 'nova.tenant_usage.list',
    method: 'GET',
    path: PATH,
    summary: 'Show what all projects used',
    policy: 'os_compute_api:os-simple-tenant-usage:list',
    answer: UsageList,
    query: queries({ ...period, detailed: text }),
    async handle(app, request) {
      const { span, uses, links } = await read(app, request);
      const detailed = first(request, 'detailed') === '1';
      return { tenant_usages: uses.map((use) => projectView(use, span, detailed)), ...(links.length === 0 ? {} : { tenant_usages_links: links }) };
    },
  }),
  op({
    id: 'nova.tenant_usage.show',
    method: 'GET',
    path: `${PATH}/{project_id}`,
    summary: 'Show what a project used',
    policy: 'os_compute_api:os-simple-tenant-usage:show',
    answer: OneUsage,
    target: (_app, request) => ({ project_id: request.params['project_id'] }),
    query: queries(period),
    async handle(app, request) {
      const { span, uses, links } = await read(app, request, request.params['project_id'] as string);
      const [use] = uses;
      return { tenant_usage: use === undefined ? {} : projectView(use, span, true), ...(links.length === 0 ? {} : { tenant_usage_links: links }) };
    },
  }),
];
