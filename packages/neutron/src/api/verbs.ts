import type { Context } from '@cairn/kit/context/context';
import { AUTHENTICATED, JsonText, type Operation, type Request } from '@cairn/kit/http/operation';
import { type Loaded, requireShown, targetOf } from '../app/common.ts';
import type { NeutronApp } from '../app/deps.ts';
import { createAnswer, listAnswer, oneAnswer } from '../attributes/answer.ts';
import { visibilityOf } from '../attributes/authorize.ts';
import { prepareCreate, prepareUpdate, type Resource, type Values } from '../attributes/resource.ts';
import { createSchema, listSchema, showSchema, updateSchema } from '../attributes/schema.ts';
import { badRequest, httpBadRequest } from '../errors.ts';
import { type ListInput, pageLinks, readListQuery } from '../listing/query.ts';
import { op } from './op.ts';

/**
 * The five standard verbs of a resource: they read the request, call the resource's app and show what it gives. The rule that each
 * names in `asks` is asked by the app, which knows the resource that the rule is about. A resource below another has its parent's id as
 * a parameter of its path; the app gets all of those.
 */

/** The parameters of a request's path. */
type Params = Readonly<Record<string, string>>;

const shortName = (resource: Resource): string => (resource.alias ?? resource.ruleName).replaceAll('_', '-');
const paramsOf = (req: Request): Params => req.params as Params;

export function listOf(
  resource: Resource,
  summary: string,
  list: (app: NeutronApp, ctx: Context, input: ListInput, params: Params) => Promise<Loaded[]>,
): Operation<NeutronApp> {
  return op({
    id: `neutron.${shortName(resource)}.list`,
    method: 'GET',
    path: `/v2.0/${resource.path}`,
    summary,
    policy: AUTHENTICATED,
    asks: `get_${resource.ruleName}`,
    query: listSchema(resource),
    answer: listAnswer(resource),
    trimmedBy: 'fields',
    validation: 'handler',
    async handle(app, req) {
      const input = readListQuery(resource, req.query);
      return renderList(app, resource, req, input, await list(app, req.ctx, input, paramsOf(req)));
    },
  });
}

/** A page as upstream shows it: what policy lets through, without what it hides, with links to the pages beside it. */
export function renderList(app: NeutronApp, resource: Resource, req: Request, input: ListInput, loaded: readonly Loaded[]): JsonText {
  const visibility = visibilityOf(app.policy, resource);
  const shown = visibleOf(app, resource, req.ctx, loaded);
  const first = shown[0];
  const hidden = first && visibility.hidden(req.ctx, targetOf(first));
  const without = hidden ? [...hidden].join() : '';
  const textOf = (view: Record<string, unknown>): string => `,${JSON.stringify(visibility.trim(view, hidden, input.fields))}`;
  const pieces: string[] = [`{"${resource.collection}":[`];
  for (const { view, kept } of shown) {
    if (!kept || input.fields) pieces.push(textOf(kept ? { ...view } : view));
    else {
      if (kept.hidden !== without) Object.assign(kept, { hidden: without, text: textOf({ ...view }) });
      pieces.push(kept.text);
    }
  }
  if (first) pieces[1] = (pieces[1] as string).slice(1);
  const links = pageLinks(input, `${req.baseUrl}${req.url.split('?')[0]}`, req.query, shown.length, (at) => String(shown[at]?.view[resource.key]));
  pieces.push(links.length > 0 ? `],"${resource.collection}_links":${JSON.stringify(links)}}` : ']}');
  return new JsonText(pieces);
}

/** Resources of one owner under one parent pass or fail together, so the rule is asked once for each such group. */
function visibleOf(app: NeutronApp, resource: Resource, ctx: Context, loaded: readonly Loaded[]): readonly Loaded[] {
  const visibility = visibilityOf(app.policy, resource);
  if (app.settings.hasPolicyOverrides) return loaded.filter((each) => visibility.shown(ctx, targetOf(each)));
  const known = new Map<string, boolean>();
  let last: Loaded | undefined;
  let passes = false;
  return loaded.filter((each) => {
    if (last && sameGroup(last, each)) return passes;
    last = each;
    const { view, parentProjectId } = each;
    const key = `${view.project_id} ${parentProjectId} ${view.shared} ${view['router:external']}`;
    let shown = known.get(key);
    if (shown === undefined) {
      shown = visibility.shown(ctx, targetOf(each));
      known.set(key, shown);
    }
    passes = shown;
    return shown;
  });
}

const sameGroup = (a: Loaded, b: Loaded): boolean =>
  a.view.project_id === b.view.project_id &&
  a.parentProjectId === b.parentProjectId &&
  a.view.shared === b.view.shared &&
  a.view['router:external'] === b.view['router:external'];

/** One resource as upstream shows it. */
export function renderOne(app: NeutronApp, resource: Resource, ctx: Context, loaded: Loaded, fields?: readonly string[]): object {
  return { [resource.name]: trimmed(app, resource, ctx, loaded, fields) };
}

function trimmed(app: NeutronApp, resource: Resource, ctx: Context, loaded: Loaded, fields?: readonly string[]): object {
  const visibility = visibilityOf(app.policy, resource);
  const hidden = visibility.hidden(ctx, targetOf(loaded));
  return visibility.trim(loaded.view, hidden, fields);
}

export function showOf(
  resource: Resource,
  summary: string,
  get: (app: NeutronApp, ctx: Context, id: string, params: Params) => Promise<Loaded>,
): Operation<NeutronApp> {
  return op({
    id: `neutron.${shortName(resource)}.show`,
    method: 'GET',
    path: `/v2.0/${resource.path}/{id}`,
    summary,
    policy: AUTHENTICATED,
    asks: `get_${resource.ruleName}`,
    query: showSchema,
    validation: 'handler',
    answer: oneAnswer(resource),
    trimmedBy: 'fields',
    async handle(app, req) {
      const loaded = await get(app, req.ctx, req.params.id as string, paramsOf(req));
      requireShown(app, req.ctx, resource, loaded);
      const fields = req.query.getAll('fields').filter((field) => field !== '');
      return renderOne(app, resource, req.ctx, loaded, fields.length > 0 ? fields : undefined);
    },
  });
}

export function createOf(
  resource: Resource,
  summary: string,
  create: (app: NeutronApp, ctx: Context, items: readonly Values[], params: Params) => Promise<Loaded[]>,
): Operation<NeutronApp> {
  return op({
    id: `neutron.${shortName(resource)}.create`,
    method: 'POST',
    path: `/v2.0/${resource.path}`,
    summary,
    policy: AUTHENTICATED,
    asks: `create_${resource.ruleName}`,
    success: 201,
    body: createSchema(resource),
    answer: createAnswer(resource),
    validation: 'handler',
    async handle(app, req) {
      const { items, bulk } = prepareCreate(resource, req.ctx, req.body);
      const made = await create(app, req.ctx, items, paramsOf(req));
      if (bulk) return { [resource.collection]: made.map((loaded) => trimmed(app, resource, req.ctx, loaded)) };
      return renderOne(app, resource, req.ctx, made[0] as Loaded);
    },
  });
}

export function updateOf(
  resource: Resource,
  summary: string,
  update: (app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined, params: Params) => Promise<Loaded>,
): Operation<NeutronApp> {
  return op({
    id: `neutron.${shortName(resource)}.update`,
    method: 'PUT',
    path: `/v2.0/${resource.path}/{id}`,
    summary,
    policy: AUTHENTICATED,
    asks: `update_${resource.ruleName}`,
    body: updateSchema(resource),
    answer: oneAnswer(resource),
    validation: 'handler',
    async handle(app, req) {
      const values = prepareUpdate(resource, req.ctx, req.body);
      return renderOne(app, resource, req.ctx, await update(app, req.ctx, req.params.id as string, values, readIfMatch(req), paramsOf(req)));
    },
  });
}

export function deleteOf(
  resource: Resource,
  summary: string,
  remove: (app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined, params: Params) => Promise<void>,
): Operation<NeutronApp> {
  return op({
    id: `neutron.${shortName(resource)}.delete`,
    method: 'DELETE',
    path: `/v2.0/${resource.path}/{id}`,
    summary,
    policy: AUTHENTICATED,
    asks: `delete_${resource.ruleName}`,
    success: 204,
    answer: 'none',
    async handle(app, req) {
      if (req.body !== undefined) throw httpBadRequest('Request body is not supported in DELETE.');
      await remove(app, req.ctx, req.params.id as string, readIfMatch(req), paramsOf(req));
    },
  });
}

/** `If-Match: revision_number=3` (neutron/api/api_common.py). */
export function readIfMatch(req: Request): number | undefined {
  const header = req.headers['if-match'];
  let found: number | undefined;
  for (const part of (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',')) {
    const tag = part
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    if (!tag.startsWith('revision_number=')) continue;
    if (found !== undefined) throw badRequest('if-match', 'Multiple revision_number etags are not supported.');
    const text = tag.slice('revision_number='.length);
    if (!/^\d{1,15}$/.test(text)) throw badRequest('if-match', 'Revision number etag must be in the format of revision_number=<int>');
    found = Number(text);
  }
  return found;
}
