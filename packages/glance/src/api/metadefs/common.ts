import { isoSeconds } from '@cairn/kit/clock/clock';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import type { Sort } from '@cairn/kit/store/list';
import type { GlanceApp } from '../../app/app.ts';
import type { PropertyDefinition } from '../../metadefs/model.ts';
import type { ChildRow } from '../../store/metadefs.ts';
import type { NamespaceRow } from '../../store/metadef-tables.ts';

export const NAMESPACES = '/v2/metadefs/namespaces';
export const NAMESPACE = `${NAMESPACES}/{namespace_name}` as const;

export const nameOf = (req: Request<AnyBody>): string => req.params.namespace_name as string;

/** What policy is asked about: the namespace's owner and visibility. */
export const targetOf = (row: NamespaceRow): Readonly<Record<string, unknown>> => ({ project_id: row.owner, visibility: row.visibility });

/**
 * For operations on a namespace: looks it up before policy is asked. What the caller may not see, by upstream's rules or by the operator's, is
 * not found.
 */
export async function namespaceTarget(app: GlanceApp, req: Request): Promise<Readonly<Record<string, unknown>>> {
  const target = targetOf(await app.metadefs.visible(app.env.store.read, req.ctx, nameOf(req)));
  if (!req.allowed('get_metadef_namespace', target)) throw notFound('The resource could not be found.');
  return target;
}

export const times = (row: { readonly created_at_ms: number; readonly updated_at_ms: number }) => ({
  created_at: isoSeconds(row.created_at_ms),
  updated_at: isoSeconds(row.updated_at_ms),
});

/** The object without what is null: upstream's views leave that out. */
export function present(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));
}

export function objectView(
  namespace: string,
  row: ChildRow<'object'>,
  required: readonly string[] | undefined,
  withProperties: boolean,
): Record<string, unknown> {
  return present({
    name: row.name,
    required,
    description: row.description,
    properties: withProperties ? (row.properties === null ? {} : (JSON.parse(row.properties) as object)) : undefined,
    ...times(row),
    self: `${NAMESPACES}/${namespace}/objects/${row.name}`,
    schema: '/v2/schemas/metadefs/object',
  });
}

/** As it is stored: lists and absent sets show as empty ones. */
export const storedObjectView = (namespace: string, row: ChildRow<'object'>): Record<string, unknown> =>
  objectView(namespace, row, row.required === null ? [] : (JSON.parse(row.required) as string[]), true);

export const definitionOf = (row: ChildRow<'property'>): PropertyDefinition => JSON.parse(row.definition) as PropertyDefinition;

/** `sort_key` and `sort_dir`, descending by time of creation unless said; id breaks ties, as upstream's. */
export function sortOf(query: URLSearchParams, keys: readonly string[]): Sort[] {
  const direction = query.get('sort_dir') ?? 'desc';
  if (direction !== 'asc' && direction !== 'desc') throw invalidInput(`Invalid sort direction: ${direction}`, { field: 'sort_dir' });
  const key = query.get('sort_key') ?? 'created_at';
  if (!keys.includes(key)) throw invalidInput(`Invalid sort key: ${key}`, { field: 'sort_key' });
  return [key, 'created_at', 'id'].filter((field, at, all) => all.indexOf(field) === at).map((field) => ({ field, direction }));
}

export function limitOf(query: URLSearchParams, least: 0 | 1 = 0): number | undefined {
  const text = query.get('limit');
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d{1,15}$/.test(text)) throw invalidInput('limit param must be an integer', { field: 'limit' });
  if (Number(text) < least) throw invalidInput('limit param must be positive', { field: 'limit' });
  return Number(text);
}

export function visibilityOf(query: URLSearchParams, allowed: readonly string[]): string | undefined {
  const visibility = query.get('visibility');
  if (visibility === null || visibility === '') return undefined;
  if (!allowed.includes(visibility)) throw invalidInput(`Invalid visibility value: ${visibility}`, { field: 'visibility' });
  return visibility;
}
