import type { AnyOperation } from '@cairn/kit/http/operation';
import type { Project } from '../app/projects.ts';
import { invalid } from '../errors.ts';
import { many, one } from './answers/envelope.ts';
import { domain } from './answers/people.ts';
import { type AnyRequest, collection, equals, filtersOf, type KeystoneApp, member, noTarget, op, pagingOf, param, targetOf, who } from './common.ts';
import { newProject, projectChange } from './projects.ts';
import { bodyOf, description255, flagValue, id64, immutableOption, name64, paging, queryFlag, queryOf, tags } from './schemas.ts';

interface DomainBody {
  readonly name?: string;
  readonly description?: string | null;
  readonly enabled?: boolean;
  readonly tags?: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly explicit_domain_id?: string;
}

const properties = { name: name64, description: description255, enabled: flagValue, tags, options: immutableOption };
const createBody = bodyOf<DomainBody & { readonly name: string }>()('domain', { ...properties, explicit_domain_id: id64 }, { required: ['name'] });
const updateBody = bodyOf<DomainBody>()('domain', properties, { minProperties: 1 });
const listQuery = queryOf({ enabled: queryFlag, name: name64, ...paging });

const domainView = (domain: Project) => ({
  ...domain.extra,
  id: domain.id,
  name: domain.name,
  description: domain.description,
  enabled: domain.enabled,
  tags: domain.tags,
  options: domain.options,
});

async function domainTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const domain = await app.projects.find(param(req, 'domain_id'));
  return targetOf(req, domain?.isDomain ? { domain: domainView(domain) } : {});
}

export const domainOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.domain.list',
    method: 'GET',
    path: '/v3/domains',
    answer: many('domains', domain),
    summary: 'List domains',
    policy: 'identity:list_domains',
    target: (_app, req) => targetOf(req, req.ctx.domainId === undefined ? {} : { domain: { id: req.ctx.domainId } }),
    query: listQuery,
    handle: async (app, req) => {
      const filters = filtersOf(req, ['name', 'enabled'], ['enabled']);
      if (req.ctx.domainId !== undefined) filters.push(equals('id', req.ctx.domainId));
      const page = pagingOf(req);
      const { domains, hasMore } = await app.domains.list(filters, page);
      return collection(req, 'domains', domains.map(domainView), { hasMore, ...page });
    },
  }),
  op({
    id: 'keystone.domain.create',
    method: 'POST',
    path: '/v3/domains',
    answer: one('domain', domain),
    summary: 'Create a domain',
    policy: 'identity:create_domain',
    target: noTarget,
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const body = req.body.domain;
      const id = body.explicit_domain_id;
      if (id !== undefined && !/^[0-9a-f]{32}$/.test(id)) throw invalid('Domain ID does not conform to required UUID format.', 'explicit_domain_id');
      const domain = await app.domains.create({ ...newProject(body), ...(id !== undefined && { id }) }, who(req));
      return member(req, 'domain', 'domains', domainView(domain));
    },
  }),
  op({
    id: 'keystone.domain.show',
    method: 'GET',
    path: '/v3/domains/{domain_id}',
    answer: one('domain', domain),
    summary: 'Show a domain',
    policy: 'identity:get_domain',
    target: domainTarget,
    handle: async (app, req) => member(req, 'domain', 'domains', domainView(await app.domains.get(param(req, 'domain_id')))),
  }),
  op({
    id: 'keystone.domain.update',
    method: 'PATCH',
    path: '/v3/domains/{domain_id}',
    answer: one('domain', domain),
    summary: 'Update a domain',
    policy: 'identity:update_domain',
    target: noTarget,
    body: updateBody,
    handle: async (app, req) => {
      const domain = await app.domains.update(param(req, 'domain_id'), projectChange(req.body.domain), who(req));
      return member(req, 'domain', 'domains', domainView(domain));
    },
  }),
  op({
    id: 'keystone.domain.delete',
    method: 'DELETE',
    path: '/v3/domains/{domain_id}',
    summary: 'Delete a disabled domain and everything in it',
    policy: 'identity:delete_domain',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      await app.domains.remove(param(req, 'domain_id'), who(req));
    },
  }),
];
