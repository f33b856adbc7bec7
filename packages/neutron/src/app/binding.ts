import type { NeutronApp } from './deps.ts';

/** How a port is plugged once it is on a host: by a tap there, or not at all where there is no such host. */
export function vifTypeOf(app: Pick<NeutronApp, 'hosts'>, host: string): string {
  if (host === '') return 'unbound';
  try {
    app.hosts.get(host);
    return 'tap';
  } catch {
    return 'binding_failed';
  }
}
