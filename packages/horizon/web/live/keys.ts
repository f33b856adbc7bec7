import type { Change } from './stream.ts';

type Key = readonly unknown[];

/** Keys of what is shown: lists are `[resource]`, one resource is `[resource, id]`, and its parts are behind it. */
const LISTS: Readonly<Record<string, readonly Key[]>> = {
  server: [['servers']],
  port: [['ports']],
  network: [['networks']],
  subnet: [['subnets'], ['networks']],
  router: [['routers'], ['ports']],
  floatingip: [['floatingips']],
  security_group: [['security-groups']],
  security_group_rule: [['security-groups']],
  volume: [['volumes'], ['quota', 'volume']],
  snapshot: [['snapshots'], ['volumes'], ['quota', 'volume']],
  backup: [['backups'], ['volumes'], ['quota', 'volume']],
  // of volumes, and of users
  group: [['volume-groups'], ['groups']],
  image: [['images']],
  keypair: [['keypairs']],
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
