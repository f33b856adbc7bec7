import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import Type from 'typebox';
import type { NovaApp } from '../app/app.ts';
import { RESOURCES, type ResourceName } from '../app/quota-sets.ts';
import { op } from './op.ts';

const closed = { additionalProperties: false };
const limit = Type.Optional(Type.Unsafe<number | string>({ type: ['integer', 'string'], pattern: '^-?[0-9]+$', minimum: -1, maximum: 2_147_483_647 }));
const NETWORK: readonly string[] = ['fixed_ips', 'floating_ips', 'security_groups', 'security_group_rules'];
const INJECTED: readonly string[] = ['injected_files', 'injected_file_content_bytes', 'injected_file_path_bytes'];
const without = (...gone: readonly string[]): Record<string, typeof limit> => Object.fromEntries(RESOURCES.filter((name) => !gone.includes(name)).map((name) => [name, limit]));
const force = Type.Optional(Type.Unsafe<boolean | string>({ enum: [true, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', 'y', 't', false, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no', 'n', 'f'] }));
const update = (fields: Record<string, typeof limit>) => Type.Object({ quota_set: Type.Object({ ...fields, force }, closed) }, closed);
const UPDATE = [
  { from: '2.1', schema: update({ ...without(), networks: limit }) },
  { from: '2.36', schema: update(without(...NETWORK)) },
  { from: '2.57', schema: update(without(...NETWORK, ...INJECTED)) },
] as const;
const classUpdate = (fields: Record<string, typeof limit>) => Type.Object({ quota_class_set: Type.Object(fields, closed) }, closed);
const CLASS_UPDATE = [
  { from: '2.1', schema: classUpdate(without()) },
  { from: '2.50', schema: classUpdate(without(...NETWORK)) },
  { from: '2.57', schema: classUpdate(without(...NETWORK, ...INJECTED)) },
] as const;

/** Resources that a microversion shows: no network ones from 2.36, no injected files from 2.57. */
const shown = (req: Request<AnyBody>): readonly ResourceName[] => RESOURCES.filter((name) => !(req.version.atLeast('2.36') && NETWORK.includes(name)) && !(req.version.atLeast('2.57') && INJECTED.includes(name)));

const idOf = (req: Request<AnyBody>): string => req.params.project_id as string;
const userOf = (req: Request<AnyBody>): string | undefined => req.query.get('user_id') || undefined;

async function limits(app: NovaApp, req: Request<AnyBody>): Promise<Record<string, number>> {
  const lines = await app.quotaSets.lines(app.deps.env.store.read, idOf(req), userOf(req));
  return Object.fromEntries(shown(req).map((name) => [name, lines[name].limit]));
}

const truthy = (value: unknown): boolean => /^(true|1|on|yes|y|t)$/i.test(String(value));

/** Class sets leave out server groups before 2.50 and network resources from it on. */
const classShown = (req: Request<AnyBody>): readonly ResourceName[] =>
  RESOURCES.filter((name) => (req.version.atLeast('2.50') ? !NETWORK.includes(name) : !name.startsWith('server_group')) && !(req.version.atLeast('2.57') && INJECTED.includes(name)));

export const quotaSetOperations = [
  op({
    id: 'nova.quota-set.show',
    method: 'GET',
    path: '/v2.1/os-quota-sets/{project_id}',
    summary: 'Show limits of a project',
    policy: 'os_compute_api:os-quota-sets:defaults',
    async handle(app, req) {
      req.authorize('os_compute_api:os-quota-sets:show', { project_id: idOf(req) });
      await app.quotaSets.verifyProject(idOf(req));
      return { quota_set: { id: idOf(req), ...(await limits(app, req)) } };
    },
  }),
  op({
    id: 'nova.quota-set.detail',
    method: 'GET',
    path: '/v2.1/os-quota-sets/{project_id}/detail',
    summary: 'Show limits and use of a project',
    policy: 'os_compute_api:os-quota-sets:defaults',
    async handle(app, req) {
      req.authorize('os_compute_api:os-quota-sets:detail', { project_id: idOf(req) });
      await app.quotaSets.verifyProject(idOf(req));
      const lines = await app.quotaSets.lines(app.deps.env.store.read, idOf(req), userOf(req));
      return { quota_set: { id: idOf(req), ...Object.fromEntries(shown(req).map((name) => [name, { in_use: lines[name].in_use, limit: lines[name].limit, reserved: 0 }])) } };
    },
  }),
  op({
    id: 'nova.quota-set.defaults',
    method: 'GET',
    path: '/v2.1/os-quota-sets/{project_id}/defaults',
    summary: 'Show default limits',
    policy: 'os_compute_api:os-quota-sets:defaults',
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
    body: UPDATE,
    async handle(app, req) {
      await app.quotaSets.verifyProject(idOf(req));
      const { force: forced, networks: _, ...wanted } = req.body.quota_set as Record<string, number | string>;
      await app.quotaSets.set(idOf(req), userOf(req), Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, Number(value)])), truthy(forced));
      return { quota_set: await limits(app, req) };
    },
  }),
  op({
    id: 'nova.quota-set.delete',
    method: 'DELETE',
    path: '/v2.1/os-quota-sets/{project_id}',
    summary: 'Give a project the default limits again',
    policy: 'os_compute_api:os-quota-sets:delete',
    async handle(app, req) {
      await app.quotaSets.verifyProject(idOf(req));
      await app.quotaSets.clear(idOf(req), userOf(req));
      return new Reply(undefined, { status: 202 });
    },
  }),
  op({
    id: 'nova.quota-class-set.show',
    method: 'GET',
    path: '/v2.1/os-quota-class-sets/{class_name}',
    summary: 'Show limits of a quota class',
    policy: 'os_compute_api:os-quota-class-sets:show',
    async handle(app, req) {
      const all = await app.quotaSets.classLimits(req.params.class_name as string);
      return { quota_class_set: { id: req.params.class_name, ...Object.fromEntries(classShown(req).map((name) => [name, all[name]])) } };
    },
  }),
  op({
    id: 'nova.quota-class-set.update',
    method: 'PUT',
    path: '/v2.1/os-quota-class-sets/{class_name}',
    summary: 'Set limits of a quota class',
    policy: 'os_compute_api:os-quota-class-sets:update',
    body: CLASS_UPDATE,
    async handle(app, req) {
      const name = req.params.class_name as string;
      await app.quotaSets.setClass(name, Object.fromEntries(Object.entries(req.body.quota_class_set as Record<string, number | string>).map(([key, value]) => [key, Number(value)])));
      const all = await app.quotaSets.classLimits(name);
      return { quota_class_set: Object.fromEntries(classShown(req).map((key) => [key, all[key]])) };
    },
  }),
];
