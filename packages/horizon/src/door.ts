import type { IncomingMessage } from 'node:http';
import type { Passage } from '@cairn/kit/http/passage';
import { tokenInCookie } from './cookie.ts';
import { DATA_HEADERS } from './headers.ts';
import { API_PATH, BASE } from './paths.ts';
import { isOwnPage } from './same-origin.ts';

/** Nothing is served here, so that whoever comes by a refused request gets the answer of `refused` in service.ts. */
export const REFUSED_PATH = `${BASE}/refused`;

/**
 * Where requests of the console's page become requests to the services: `/console/api/compute/...` with the session's cookie is `/compute/...`
 * with its token. The services see an ordinary request of that user; the page never sees the token.
 */
export function doorOf(options: { readonly trustProxy: boolean; readonly prefixes: readonly string[] }): (request: IncomingMessage) => Passage | undefined {
  return (request) => {
    const url = request.url ?? '/';
    if (!url.startsWith(`${API_PATH}/`)) return undefined;
    const inside = url.slice(API_PATH.length);
    const known = options.prefixes.some((prefix) => inside.startsWith(`${prefix}/`) || inside.startsWith(`${prefix}?`) || inside === prefix);
    if (!known || !isOwnPage(request.headers, options.trustProxy)) return { url: REFUSED_PATH, token: undefined, headers: DATA_HEADERS };
    return { url: inside, token: tokenInCookie(request.headers.cookie), headers: DATA_HEADERS };
  };
}
