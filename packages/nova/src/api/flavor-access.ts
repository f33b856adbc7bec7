import type { AnyBody } from '@cairn/kit/http/operation';
import { FlavorAccess } from './answers/flavors.ts';
import { flavorId } from './flavors.ts';
import { op } from './op.ts';
import { actionBody, object } from './schemas/types.ts';

const project = object({ tenant: { type: 'string', minLength: 1, maxLength: 255 } }, ['tenant']);

const view = (id: string, projects: readonly string[]): object => ({ flavor_access: projects.map((projectId) => ({ flavor_id: id, tenant_id: projectId })) });

export const flavorAccessOperations = [
  op({
    id: 'nova.flavor-access.list',
    method: 'GET',
    path: '/v2.1/flavors/{flavor_id}/os-flavor-access',
    summary: 'List the projects that may use a flavor',
    policy: 'os_compute_api:os-flavor-access',
    answer: FlavorAccess,
    handle: async (app, req) => view(flavorId(req), await app.flavors.projects(req.ctx, flavorId(req))),
  }),
  op({
    id: 'nova.flavor-access.add',
    method: 'POST',
    path: '/v2.1/flavors/{flavor_id}/action',
    action: 'addTenantAccess',
    summary: 'Let a project use a flavor',
    policy: 'os_compute_api:os-flavor-access:add_tenant_access',
    answer: FlavorAccess,
    body: actionBody('addTenantAccess', project),
    async handle(app, req) {
      const projectId = (req.body as AnyBody).addTenantAccess.tenant as string;
      await app.quotaSets.verifyProject(projectId);
      return view(flavorId(req), await app.flavors.addProject(req.ctx, flavorId(req), projectId, { publicToo: req.version.before('2.7') }));
    },
  }),
  op({
    id: 'nova.flavor-access.remove',
    method: 'POST',
    path: '/v2.1/flavors/{flavor_id}/action',
    action: 'removeTenantAccess',
    summary: 'No longer let a project use a flavor',
    policy: 'os_compute_api:os-flavor-access:remove_tenant_access',
    answer: FlavorAccess,
    body: actionBody('removeTenantAccess', project),
    handle: async (app, req) => view(flavorId(req), await app.flavors.removeProject(req.ctx, flavorId(req), (req.body as AnyBody).removeTenantAccess.tenant)),
  }),
];
