import type { Request } from '@cairn/kit/http/operation';

type Base = Pick<Request, 'baseUrl'>;

/** `http://host/compute/v2.1/servers/ID`. */
export const selfHref = (request: Base, collection: string, id: string): string => `${request.baseUrl}/v2.1/${collection}/${id}`;
/** The same without the version. */
export const bookmarkHref = (request: Base, collection: string, id: string): string => `${request.baseUrl}/${collection}/${id}`;

/** The two links that nova's resources carry. */
export const linksOf = (request: Base, collection: string, id: string) => [
  { rel: 'self', href: selfHref(request, collection, id) },
  { rel: 'bookmark', href: bookmarkHref(request, collection, id) },
];

/** The link to the next page, where a full page was given (nova/api/openstack/common.py, _get_collection_links). */
export function nextLinks(
  request: Pick<Request, 'baseUrl' | 'query'>,
  collection: string,
  ids: readonly string[],
  maxLimit: number,
): readonly { readonly rel: 'next'; readonly href: string }[] {
  const limit = request.query.get('limit');
  const full = Math.min(limit === null ? maxLimit : Number(limit), maxLimit);
  const last = ids.at(-1);
  if (last === undefined || full !== ids.length) return [];
  const query = new URLSearchParams([...request.query].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  query.set('marker', last);
  return [{ rel: 'next', href: `${request.baseUrl}/v2.1/${collection}?${query}` }];
}
