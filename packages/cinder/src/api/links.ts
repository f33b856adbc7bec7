import type { Context } from '@cairn/kit/context/context';

/** What links are made of. A kit/http Request is one. */
export interface LinkRequest {
  readonly ctx: Context;
  readonly baseUrl: string;
  readonly url: string;
  readonly query: URLSearchParams;
}

/** The project's id where the request's own URL has it; links are then like it. */
const projectOf = (request: LinkRequest): string =>
  request.ctx.projectId !== undefined && request.url.startsWith(`/v3/${request.ctx.projectId}`) ? `/${request.ctx.projectId}` : '';

/** `self` with the API version, and the `bookmark` without (cinder/api/common.py, ViewBuilder). */
export function linksTo(request: LinkRequest, collection: string, id: string): object[] {
  const project = projectOf(request);
  return [
    { rel: 'self', href: `${request.baseUrl}/v3${project}/${collection}/${id}` },
    { rel: 'bookmark', href: `${request.baseUrl}${project}/${collection}/${id}` },
  ];
}

/** The link to the page after `lastId`: the same query with another marker. */
export function nextLink(request: LinkRequest, collection: string, lastId: string): object[] {
  const query = new URLSearchParams(request.query);
  query.delete('marker');
  query.append('marker', lastId);
  return [{ rel: 'next', href: `${request.baseUrl}/v3${projectOf(request)}/${collection}?${query}` }];
}
