import type { Answer } from '../../api/client.ts';

export type ConsoleKind = 'vnc' | 'serial';

/** `url` holds a pass that opens the console once, and soon. */
type RemoteConsole = Answer<'nova.remote_console.create'>['remote_console'];

/** How each kind is called in the API. */
export const TYPES: Readonly<Record<ConsoleKind, string>> = { vnc: 'novnc', serial: 'serial' };

/**
 * The WebSocket that a console's URL leads to, at this page's own origin: the page's policy allows no other, and whatever the URL says, the pass
 * goes nowhere else. The URL of a display is that of a viewer's page, with the socket's path as its `path`. Throws for what is no such URL.
 */
export function socketUrlOf(remote: RemoteConsole, page: { readonly protocol: string; readonly host: string }): string {
  const url = new URL(remote.url);
  const path = remote.type === 'novnc' ? `/${url.searchParams.get('path') ?? ''}` : url.pathname + url.search;
  // a path alone: `//elsewhere/x` and `\\elsewhere` would name another host
  if (!/^\/[\w-]+\/[\w./-]*\?token=[\w%-]+$/.test(path)) throw new Error(`this is no console's address: ${url.pathname}`);
  return `${page.protocol === 'https:' ? 'wss:' : 'ws:'}//${page.host}${path}`;
}
