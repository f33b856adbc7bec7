import { invalidInput } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { RESOURCES, type ResourceName } from '../app/quota-sets.ts';
import { ChangedQuotaClassSet, QuotaClassSet } from './answers/projects.ts';
import { op } from './op.ts';
import { bounded } from './query.ts';
import { object } from './schemas/types.ts';

const limit = { type: ['integer', 'string'], pattern: '^-?[0-9]+$', minimum: -1, maximum: 0x7fffffff };
const NETWORK: readonly string[] = ['fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules'];
const INJECTED: readonly string[] = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes'];
const update = (...gone: readonly string[]) =>
  object({ quota_class_set: object(Object.fromEntries(RESOURCES.filter((name) => !gone.includes(name)).map((name) => [name, limit]))) }, ['quota_class_set']);
const UPDATE = [
  { from: '2.1', schema: update() },
  { from: '2.50', schema: update(...NETWORK) },
  { from: '2.57', schema: update(...NETWORK, ...INJECTED) },
] as const;

const className = (req: Request<AnyBody>): string => req.params.class_name as string;

/** Server groups are told from 2.50, network resources until 2.49, injected files until 2.56. */
const shown = (req: Request<AnyBody>): readonly ResourceName[] =>
  RESOURCES.filter(
    (name) =>
      (req.version.atLeast('2.50') ? !NETWORK.includes(name) : !name.startsWith('server_group')) && !(req.version.atLeast('2.57') && INJECTED.includes(name)),
  );

const view = (req: Request<AnyBody>, limits: Readonly<Record<ResourceName, number>>): object =>
  Object.fromEntries(shown(req).map((name) => [name, limits[name]]));

export const quotaClassSetOperations = [
  op({
    id: 'nova.quota-class-set.show',
    method: 'GET',
    path: '/v2.1/os-quota-class-sets/{class_name}',
    summary: 'Show limits of a quota class',
    policy: 'os_compute_api:os-quota-class-sets:show',
    answer: QuotaClassSet,
    handle: async (app, req) => ({ quota_class_set: { id: className(req), ...view(req, await app.quotaSets.classLimits(className(req))) } }),
  }),
  op({
    id: 'nova.quota-class-set.update',
    method: 'PUT',
    path: '/v2.1/os-quota-class-sets/{class_name}',
    summary: 'Set limits of a quota class',
    policy: 'os_compute_api:os-quota-class-sets:update',
    answer: ChangedQuotaClassSet,
    body: UPDATE,
    async handle(app, req) {
      const name = className(req);
      if (name.length > 255) throw invalidInput('Invalid input received: quota_class_name has more than 255 characters.', { field: 'quota_class_name' });
      const wanted = Object.entries(req.body.quota_class_set as Record<string, number | string>).map(([key, value]) => [key, bounded(key, value, -1)] as const);
      await app.quotaSets.setClass(name, Object.fromEntries(wanted));
      return { quota_class_set: view(req, await app.quotaSets.classLimits(name)) };
    },
  }),
];
