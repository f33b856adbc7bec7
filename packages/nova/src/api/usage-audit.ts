import type { UsageAudit } from '../app/usage-audit.ts';
import { OneUsageAudit, UsageAuditList } from './answers/hosts.ts';
import { op } from './op.ts';

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

const view = ({ beginMs, endMs, hosts }: UsageAudit): object => ({
  period_beginning: day(beginMs),
  period_ending: day(endMs),
  num_hosts: hosts.length,
  num_hosts_done: 0,
  num_hosts_running: 0,
  num_hosts_not_run: hosts.length,
  hosts_not_run: hosts,
  total_instances: 0,
  total_errors: 0,
  overall_status: `${hosts.length === 0 ? 'ALL' : `0 of ${hosts.length}`} hosts done. 0 errors.`,
  log: {},
});

export const usageAuditOperations = [
  op({
    id: 'nova.usage-audit.list',
    method: 'GET',
    path: '/v2.1/os-instance_usage_audit_log',
    summary: 'Show how the audit of usage went on all hosts',
    policy: 'os_compute_api:os-instance-usage-audit-log:list',
    answer: UsageAuditList,
    handle: async (app) => ({ instance_usage_audit_logs: view(await app.usageAudits.before(undefined)) }),
  }),
  op({
    id: 'nova.usage-audit.show',
    method: 'GET',
    path: '/v2.1/os-instance_usage_audit_log/{before}',
    summary: 'Show how an earlier audit of usage went on all hosts',
    policy: 'os_compute_api:os-instance-usage-audit-log:show',
    answer: OneUsageAudit,
    handle: async (app, req) => ({ instance_usage_audit_log: view(await app.usageAudits.before(req.params.before as string)) }),
  }),
];
