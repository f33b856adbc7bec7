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
  volume: [['volumes']],
  snapshot: [['snapshots']],
  image: [['images']],
  keypair: [['keypairs']],
  flavor: [['flavors']],
};

/** What has to be asked for anew after a change. */
export function keysOf(change: Pick<Change, 'resource' | 'id'>): readonly Key[] {
  const lists = LISTS[change.resource] ?? [];
  const own: Key[] = change.resource === 'server' ? [['server', change.id]] : [];
  return [...lists, ...own];
}
