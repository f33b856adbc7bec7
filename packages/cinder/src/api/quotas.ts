import { isAdmin } from '@cairn/kit/context/context';
import { type AnyBody, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import { changeQuotaClass, changeQuotaSet, defaultLimits, quotaSet, resetQuotaSet } from '../app/quota-sets.ts';
import { invalid } from '../errors.ts';
import { ChangedQuotaClassSet, ChangedQuotaSet, Limits, QuotaClassSet, QuotaSet } from './answers/services.ts';
import { op, schema } from './op.ts';
import { queryBoolean } from './values.ts';

const projectOf = (request: Request): string => request.params['for_project_id'] ?? '';
const target = (_app: unknown, request: Request): Readonly<Record<string, unknown>> => ({ project_id: projectOf(request) });

function checkName(name: string, what: string): void {
  if (name.length < 1 || name.length > 255) throw invalid(`${what} has ${name.length} characters, more than 255.`);
}

const quotaSets = [
  op({
    id: 'cinder.quota-set.show',
    method: 'GET',
    path: '/v3/os-quota-sets/{for_project_id}',
    summary: "Show a project's limits, with `usage` also its use",
    policy: 'volume_extension:quotas:show',
    answer: QuotaSet,
    target,
    async handle(app, request) {
      const usage = queryBoolean(request.query, 'usage');
      const lines = await quotaSet(app, app.deps.env.store.read, projectOf(request));
      return {
        quota_set: {
          ...Object.fromEntries(lines.map((line) => [line.name, usage ? { limit: line.limit, in_use: line.inUse, reserved: line.reserved } : line.limit])),
          id: projectOf(request),
        },
      };
    },
  }),
  op({
    id: 'cinder.quota-set.defaults',
    method: 'GET',
    path: '/v3/os-quota-sets/{for_project_id}/defaults',
    summary: 'Show the limits of projects without their own',
    policy: 'volume_extension:quotas:show',
    answer: QuotaSet,
    target,
    handle: async (app, request) => ({ quota_set: { ...(await defaultLimits(app, app.deps.env.store.read)), id: projectOf(request) } }),
  }),
  op({
    id: 'cinder.quota-set.update',
    method: 'PUT',
    path: '/v3/os-quota-sets/{for_project_id}',
    summary: "Set a project's limits",
    policy: 'volume_extension:quotas:update',
    answer: ChangedQuotaSet,
    target,
    body: schema({ type: 'object', properties: { quota_set: { type: 'object', minProperties: 1 } }, required: ['quota_set'], additionalProperties: false }),
    async handle(app, request) {
      checkName(projectOf(request), 'quota_set_name');
      return { quota_set: await changeQuotaSet(app, projectOf(request), (request.body as AnyBody).quota_set) };
    },
  }),
  op({
    id: 'cinder.quota-set.delete',
    method: 'DELETE',
    path: '/v3/os-quota-sets/{for_project_id}',
    summary: 'Give a project the default limits again',
    policy: 'volume_extension:quotas:delete',
    answer: 'none',
    target,
    async handle(app, request) {
      await resetQuotaSet(app, projectOf(request));
      return new Reply();
    },
  }),
];

const quotaClasses = [
  op({
    id: 'cinder.quota-class-set.show',
    method: 'GET',
    path: '/v3/os-quota-class-sets/{class_name}',
    summary: 'Show the limits of a class',
    policy: 'volume_extension:quota_classes:get',
    answer: QuotaClassSet,
    async handle(app, request) {
      const name = request.params['class_name'] ?? '';
      return { quota_class_set: { ...(await defaultLimits(app, app.deps.env.store.read, name)), id: name } };
    },
  }),
  op({
    id: 'cinder.quota-class-set.update',
    method: 'PUT',
    path: '/v3/os-quota-class-sets/{class_name}',
    summary: 'Set the limits of a class',
    policy: 'volume_extension:quota_classes:update',
    answer: ChangedQuotaClassSet,
    body: schema({ type: 'object', properties: { quota_class_set: { type: 'object' } }, required: ['quota_class_set'], additionalProperties: false }),
    async handle(app, request) {
      const name = request.params['class_name'] ?? '';
      checkName(name, 'quota_class_name');
      return { quota_class_set: await changeQuotaClass(app, name, (request.body as AnyBody).quota_class_set) };
    },
  }),
];

/** Names of limits and of use in `GET /limits`. */
const ABSOLUTE = {
  gigabytes: 'maxTotalVolumeGigabytes',
  backup_gigabytes: 'maxTotalBackupGigabytes',
  volumes: 'maxTotalVolumes',
  snapshots: 'maxTotalSnapshots',
  backups: 'maxTotalBackups',
};
const USED = {
  volumes: 'totalVolumesUsed',
  gigabytes: 'totalGigabytesUsed',
  snapshots: 'totalSnapshotsUsed',
  backups: 'totalBackupsUsed',
  backup_gigabytes: 'totalBackupGigabytesUsed',
};

const limits = op({
  id: 'cinder.limits.show',
  method: 'GET',
  path: '/v3/limits',
  summary: "Show the project's limits and use",
  policy: AUTHENTICATED,
  answer: Limits,
  async handle(app, request) {
    const { ctx, version, query } = request;
    const other = version.atLeast('3.39') && isAdmin(ctx) ? (query.get('project_id') ?? query.get('tenant_id')) : null;
    const lines = await quotaSet(app, app.deps.env.store.read, other ?? ctx.projectId ?? '');
    const named = (names: Readonly<Record<string, string>>, value: (line: (typeof lines)[number]) => number): [string, number][] =>
      lines.flatMap((line) => (names[line.name] === undefined ? [] : [[names[line.name] as string, value(line)]]));
    return {
      limits: {
        rate: [],
        absolute: Object.fromEntries([
          ...named(ABSOLUTE, (line) => line.limit),
          ...(request.allowed('limits_extension:used_limits') ? named(USED, (line) => line.inUse) : []),
        ]),
      },
    };
  },
});

export const quotaOperations = [...quotaSets, ...quotaClasses, limits];
