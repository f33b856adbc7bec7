import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';
import { RESOURCES, type ResourceName } from '../app/quota-sets.ts';
import { ChangedQuotaSet, QuotaSet, QuotaSetDetail } from './answers/projects.ts';
import { op } from './op.ts';
import { booleanOf, bounded, first, queryClosedFrom275, text } from './query.ts';
import { boolean, object } from './schemas/types.ts';

const limit = { type: ['integer', 'string'], pattern: '^-?[0-9]+$', minimum: -1, maximum: 0x7fffffff };
const NETWORK: readonly string[] = ['fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules'];
const INJECTED: readonly string[] = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes'];
const without = (...gone: readonly string[]): Record<string, object> =>
  Object.fromEntries(RESOURCES.filter((name) => !gone.includes(name)).map((name) => [name, limit]));
const update = (fields: Record<string, object>) => object({ quota_set: object({ ...fields, force: boolean }) }, ['quota_set']);
const UPDATE = [
  { from: '2.1', schema: update(without()) },
  { from: '2.36', schema: update(without(...NETWORK)) },
  { from: '2.57', schema: update(without(...NETWORK, ...INJECTED)) },
] as const;
const QUERY = queryClosedFrom275({ user_id: text });

/** Resources that a microversion shows: no network ones from 2.36, no injected files from 2.57. */
const shown = (req: Request<AnyBody>): readonly ResourceName[] =>
  RESOURCES.filter((name) => !(req.version.atLeast('2.36') && NETWORK.includes(name)) && !(req.version.atLeast('2.57') && INJECTED.includes(name)));

const idOf = (req: Request<AnyBody>): string => req.params.project_id as string;
const userOf = (req: Request<AnyBody>): string | undefined => first(req, 'user_id') || undefined;
const target = (_app: unknown, req: Request<AnyBody>): Readonly<Record<string, unknown>> => ({ project_id: idOf(req) });

async function limits(app: NovaApp, req: Request<AnyBody>): Promise<Record<string, number>> {
  const lines = await app.quotaSets.lines(app.deps.env.store.read, idOf(req), userOf(req));
  return Object.fromEntries(shown(req).map((name) => [name, lines[name].limit]));
}

export const quotaSetOperations = [
  op({
    id: 'nova.quota-set.show',
    method: 'GET',
    path: '/v2.1/os-quota-sets/{project_id}',
    summary: 'Show limits of a project',
    policy: 'os_compute_api:os-quota-sets:show',
    answer: QuotaSet,
    target,
    query: QUERY,
    async handle(app, req) {
      await app.quotaSets.verifyProject(idOf(req));
      return { quota_set: { id: idOf(req), ...(await limits(app, req)) } };
    },
  }),
  op({
    id: 'nova.quota-set.detail',
    method: 'GET',
    path: '/v2.1/os-quota-sets/{project_id}/detail',
    summary: 'Show limits and use of a project',
    policy: 'os_compute_api:os-quota-sets:detail',
    answer: QuotaSetDetail,
    target,
    query: QUERY,
    async handle(app, req) {
      await app.quotaSets.verifyProject(idOf(req));
      const lines = await app.quotaSets.lines(app.deps.env.store.read, idOf(req), userOf(req));
      return {
        quota_set: {
          id: idOf(req),
          ...Object.fromEntries(shown(req).map((name) => [name, { in_use: lines[name].in_use, limit: lines[name].limit, reserved: 0 }])),
        },
      };
    },
  }),
  op({
    id: 'nova.quota-set.defaults',
    method: 'GET',
    path: '/v2.1/os-quota-sets/{project_id}/defaults',
    summary: 'Show default limits',
    policy: 'os_compute_api:os-quota-sets:defaults',
    answer: QuotaSet,
    async handle(app, req) {
      await app.quotaSets.verifyProject(idOf(req));
      const all = await app.quotaSets.defaults(app.deps.env.store.read);
      return { quota_set: { id: idOf(req), ...Object.fromEntries(shown(req).map((name) => [name, all[name]])) } };
    },
  }),
  op({
    id: 'nova.quota-set.update',
    method: 'PUT',
    path: '/v2.1/os-quota-sets/{project_id}',
    summary: 'Set limits of a project',
    policy: 'os_compute_api:os-quota-sets:update',
    answer: ChangedQuotaSet,
    target,
    query: QUERY,
    body: UPDATE,
    async handle(app, req) {
      await app.quotaSets.verifyProject(idOf(req));
      const { force, ...wanted } = req.body.quota_set as Record<string, number | string>;
      const numbers = Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, bounded(name, value, -1)]));
      await app.quotaSets.set(idOf(req), userOf(req), numbers, booleanOf(force ?? false) === true);
      return { quota_set: await limits(app, req) };
    },
  }),
  op({
    id: 'nova.quota-set.delete',
    method: 'DELETE',
    path: '/v2.1/os-quota-sets/{project_id}',
    summary: 'Give a project the default limits again',
    policy: 'os_compute_api:os-quota-sets:delete',
    answer: 'none',
    target,
    query: QUERY,
    success: 202,
    async handle(app, req) {
      await app.quotaSets.clear(idOf(req), userOf(req));
      return new Reply(undefined);
    },
  }),
];
