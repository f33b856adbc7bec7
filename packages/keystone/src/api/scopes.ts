import type { AnyOperation } from '@cairn/kit/http/operation';
import { forbiddenSilently } from '../errors.ts';
import Type from 'typebox';
import { catalog } from './answers/catalog.ts';
import { many, selfLink } from './answers/envelope.ts';
import { domain, project } from './answers/people.ts';
import { type AnyRequest, collection, type KeystoneApp, noTarget, op, v3 } from './common.ts';
import { projectView } from './projects.ts';

/** The groups that a federated user's token brings along. */
const groupsOfToken = async (app: KeystoneApp, req: AnyRequest): Promise<readonly string[] | undefined> =>
  req.ctx.token === undefined ? undefined : (await app.tokens.validate(req.ctx.token)).claims.groupIds;

/** What a token's user may scope to: /v3/auth/{projects,domains,system,catalog}. */
export const scopeOperations: readonly AnyOperation[] = [
  ...(['/v3/auth/projects', '/v3/OS-FEDERATION/projects'] as const).map((path) =>
    op({
      id: path.includes('FEDERATION') ? 'keystone.federation.projects' : 'keystone.auth.projects',
      method: 'GET',
      path,
      summary: 'List the projects that the caller may scope to',
      answer: many('projects', project),
      policy: 'identity:get_auth_projects',
      target: noTarget,
      handle: async (app, req) =>
        collection(req, 'projects', (await app.assignments.projectsOfUser(req.ctx.userId, await groupsOfToken(app, req))).map(projectView)),
    }),
  ),
  ...(['/v3/auth/domains', '/v3/OS-FEDERATION/domains'] as const).map((path) =>
    op({
      id: path.includes('FEDERATION') ? 'keystone.federation.domains' : 'keystone.auth.domains',
      method: 'GET',
      path,
      summary: 'List the domains that the caller may scope to',
      answer: many('domains', domain),
      policy: 'identity:get_auth_domains',
      target: noTarget,
      handle: async (app, req) => {
        const views = (await app.assignments.domainsOfUser(req.ctx.userId, await groupsOfToken(app, req))).map((domain) => {
          const { domain_id: _domain, parent_id: _parent, is_domain: _is, ...view } = projectView(domain);
          return view;
        });
        return collection(req, 'domains', views);
      },
    }),
  ),
  op({
    id: 'keystone.auth.system',
    method: 'GET',
    path: '/v3/auth/system',
    answer: Type.Object({ system: Type.Array(Type.Object({ all: Type.Literal(true) })), links: selfLink }),
    summary: 'Tell whether the caller may scope to the system',
    policy: 'identity:get_auth_system',
    target: noTarget,
    handle: async (app, req) => {
      const roles = await app.effectiveRoles.onSystem(app.core.env.store.read, req.ctx.userId, await groupsOfToken(app, req));
      return { system: roles.roleIds.length > 0 ? [{ all: true }] : [], links: { self: `${v3(req)}/auth/system` } };
    },
  }),
  op({
    id: 'keystone.auth.catalog',
    method: 'GET',
    path: '/v3/auth/catalog',
    answer: Type.Object({ catalog, links: selfLink }),
    summary: "Show the service catalog of the token's project",
    policy: 'identity:get_auth_catalog',
    target: noTarget,
    handle: async (app, req) => {
      if (req.ctx.projectId === undefined) throw forbiddenSilently('a project-scoped token is required to produce a service catalog');
      return { catalog: await app.catalog.view(req.ctx.userId, req.ctx.projectId), links: { self: `${v3(req)}/auth/catalog` } };
    },
  }),
];
