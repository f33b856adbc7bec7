import { type AnyBody, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import type { ServerGroupFacts, ServerGroupRules } from '../app/server-groups.ts';
import { OneServerGroup, ServerGroupList } from './answers/hosts.ts';
import { op } from './op.ts';
import { bounded, queryClosedFrom275, sliceOf, text } from './query.ts';
import { multi, name, nonNegativeInteger, object, positiveInteger } from './schemas/types.ts';

const HARD = ['anti-affinity', 'affinity'];
const SOFT = ['soft-anti-affinity', 'soft-affinity'];
const policies = (values: readonly string[]) => ({ type: 'array', items: { type: 'string', enum: values }, uniqueItems: true, minItems: 1, maxItems: 1 });
const create = (properties: Readonly<Record<string, object>>, required: string) =>
  object({ server_group: object({ name, ...properties }, ['name', required]) }, ['server_group']);
const CREATE = [
  { from: '2.1', schema: create({ policies: policies(HARD) }, 'policies') },
  { from: '2.15', schema: create({ policies: policies([...HARD, ...SOFT]) }, 'policies') },
  { from: '2.64', schema: create({ policy: { type: 'string', enum: [...HARD, ...SOFT] }, rules: object({ max_server_per_host: positiveInteger }) }, 'policy') },
] as const;
const LIST = queryClosedFrom275({ all_projects: text, limit: multi(nonNegativeInteger), offset: multi(nonNegativeInteger) });

const view = (req: Request<AnyBody>, { row, rules, members }: ServerGroupFacts): object => ({
  id: row.id,
  name: row.name,
  ...(req.version.atLeast('2.64') ? { policy: row.policy, rules } : { policies: [row.policy], metadata: {} }),
  members,
  ...(req.version.atLeast('2.13') && { project_id: row.project_id, user_id: row.user_id }),
});

function rulesOf(given: { readonly max_server_per_host?: number | string } | undefined): ServerGroupRules {
  const max = given?.max_server_per_host;
  return max === undefined ? {} : { max_server_per_host: bounded('max_server_per_host', max, 1, Number.MAX_SAFE_INTEGER) };
}

export const serverGroupOperations = [
  op({
    id: 'nova.server-group.list',
    method: 'GET',
    path: '/v2.1/os-server-groups',
    summary: 'List server groups',
    policy: 'os_compute_api:os-server-groups:index',
    answer: ServerGroupList,
    query: LIST,
    async handle(app, req) {
      // whoever is no administrator gets their own project's
      const all = req.query.has('all_projects') && req.allowed('context_is_admin');
      if (all) req.authorize('os_compute_api:os-server-groups:index:all_projects');
      const groups = await app.serverGroups.list(all ? undefined : (req.ctx.projectId ?? ''), sliceOf(app, req));
      return { server_groups: groups.map((facts) => view(req, facts)) };
    },
  }),
  op({
    id: 'nova.server-group.create',
    method: 'POST',
    path: '/v2.1/os-server-groups',
    summary: 'Create a server group',
    policy: 'os_compute_api:os-server-groups:create',
    answer: OneServerGroup,
    body: CREATE,
    async handle(app, req) {
      const { server_group: wish } = req.body as {
        server_group: { name: string; policies?: readonly string[]; policy?: string; rules?: { max_server_per_host?: number | string } };
      };
      const policy = wish.policy ?? (wish.policies?.[0] as string);
      return { server_group: view(req, await app.serverGroups.create(req.ctx, { name: wish.name, policy, rules: rulesOf(wish.rules) })) };
    },
  }),
  op({
    id: 'nova.server-group.show',
    method: 'GET',
    path: '/v2.1/os-server-groups/{group_id}',
    summary: 'Show a server group',
    policy: AUTHENTICATED,
    answer: OneServerGroup,
    asks: 'os_compute_api:os-server-groups:show',
    handle: async (app, req) => ({ server_group: view(req, await app.serverGroups.get(req, req.params.group_id as string)) }),
  }),
  op({
    id: 'nova.server-group.delete',
    method: 'DELETE',
    path: '/v2.1/os-server-groups/{group_id}',
    summary: 'Delete a server group',
    policy: AUTHENTICATED,
    answer: 'none',
    asks: 'os_compute_api:os-server-groups:delete',
    success: 204,
    async handle(app, req) {
      await app.serverGroups.delete(req, req.params.group_id as string);
      return new Reply(undefined);
    },
  }),
];
