import type { Change } from './stream.ts';

type Key = readonly unknown[];

/** Keys of what is shown: lists are `[resource]`, one resource is `[resource, id]`, and its parts are behind it. */
const LISTS: Readonly<Record<string, readonly Key[]>> = {
  server: [['servers']],
  port: [['ports'], ['path']],
  network: [['networks'], ['path']],
  subnet: [['subnets'], ['networks'], ['path']],
  subnetpool: [['subnetpools']],
  address_scope: [['address_scopes']],
  router: [['routers'], ['ports'], ['path']],
  floatingip: [['floatingips'], ['ports'], ['path']],
  port_forwarding: [['floatingips']],
  ndp_proxy: [['ndp_proxies'], ['path']],
  rbac_policy: [['rbac_policies'], ['networks'], ['security-groups']],
  policy: [['qos-policies']],
  trunk: [['trunks'], ['ports']],
  security_group: [['security-groups'], ['path']],
  security_group_rule: [['security-groups'], ['path']],
  address_group: [['address-groups'], ['path']],
  volume: [['volumes'], ['quota', 'volume']],
  snapshot: [['snapshots'], ['volumes'], ['quota', 'volume']],
  backup: [['backups'], ['volumes'], ['quota', 'volume']],
  // of volumes, and of users
  group: [['volume-groups'], ['groups']],
  image: [['images']],
  keypair: [['keypairs']],
  server_group: [['server-groups']],
  flavor: [['flavors']],
  project: [['projects']],
  domain: [['domains']],
  user: [['users']],
  role: [['roles']],
  role_assignment: [['role-assignments']],
  application_credential: [['application-credentials']],
  volume_type: [['volume-types']],
  aggregate: [['aggregates']],
};

/** Those that have a page of their own, under `[resource, id]`. */
const SHOWN = new Set(['server', 'volume', 'image']);

/** What has to be asked for anew after a change. */
export function keysOf(change: Pick<Change, 'resource' | 'id'>): readonly Key[] {
  const lists = LISTS[change.resource] ?? [];
  return [...lists, ...(SHOWN.has(change.resource) ? [[change.resource, change.id]] : [])];
}
