import type { NeutronApp } from './deps.ts';

/** The host that serves routers and DHCP. One for now: the first by name. */
export function chassisOf(app: Pick<NeutronApp, 'hosts'>): string | undefined {
  let first: string | undefined;
  for (const name of app.hosts.names()) if (first === undefined || name < first) first = name;
  return first;
}

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
