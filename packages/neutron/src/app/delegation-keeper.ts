import type { HostEvent } from '@cairn/host/interface/agent';
import { systemContext } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { routerKey } from '../fabric/keys.ts';
import { covers, mustCidr, networkText, overlaps, parseCidr } from '../net/cidr.ts';
import { isProvisional, PROVISIONAL_PREFIX } from '../net/delegated.ts';
import { delegationsOfSubnets, keepDelegation } from '../store/delegated-prefixes.ts';
import { findRouter } from '../store/routers.ts';
import { activeHostOf } from '../store/service-hosts.ts';
import { fullSubnetsOfNetworks, subnetsByIds } from '../store/subnets.ts';
import type { RouterRow, SubnetRow } from '../store/tables.ts';
import type { DelegatedPrefixRow } from '../store/tables-data-plane.ts';
import { delegatedSubnetsOf, losePrefix, setPrefix } from './delegated-prefixes.ts';
import type { NeutronApp } from './deps.ts';
import { HostWords } from './host-words.ts';
import { portsOfRouter } from './router-subnets.ts';

type PrefixEvent = Extract<HostEvent, { kind: 'prefix' }>;

/** How long guests are told of a prefix that was replaced (RFC 7084, L-13): no longer do they keep its addresses. */
const TELL_MS = 2 * 3_600_000;

/** Puts down what prefixes hosts were delegated for the subnets of their routers (upstream's process_prefix_update). */
export const delegationKeeper = (app: NeutronApp): HostWords<'prefix'> =>
  new HostWords(app, {
    kind: 'prefix',
    take: (host, word) => app.env.store.write((tx) => put(app, tx, host, word)),
    failure: ({ subnetId }) => ({ message: 'a delegated prefix could not be put down', about: { subnetId } }),
  });

async function put(app: NeutronApp, tx: Tx, host: string, { routerId, subnetId, lease }: PrefixEvent): Promise<void> {
  const router = await findRouter(tx, routerId);
  // a late word of a host that the router has left, or of a subnet that has left the router
  if (!router || router.gw_port_id === null || (await activeHostOf(tx, routerId)) !== host) return;
  const row = (await delegatedSubnetsOf(tx, routerId)).find((subnet) => subnet.id === subnetId);
  if (!row) return;
  const ctx = systemContext(`req-${app.env.ids.uuid()}`);
  if (!lease) return losePrefix(app, tx, ctx, row);
  const cidr = parseCidr(lease.prefix);
  if (!cidr || cidr.version !== 6 || cidr.prefixLength !== 64 || covers(mustCidr(PROVISIONAL_PREFIX), cidr)) return;
  const other = (await neighbours(tx, router, row)).find((subnet) => overlaps(mustCidr(subnet.cidr), cidr));
  if (other) {
    const about = { host, subnetId, prefix: lease.prefix, other: other.id };
    app.env.log.warn(about, `the prefix ${lease.prefix} that was delegated to the subnet ${subnetId} is not used: the subnet ${other.id} has it`);
    return;
  }
  const prefix = networkText(cidr);
  const [known] = await delegationsOfSubnets(tx, [subnetId]);
  const before = replaced(known, routerId, prefix, app.env.clock.nowMs());
  await keepDelegation(tx, { id: subnetId, router_id: routerId, prefix, valid_until_ms: lease.validUntilMs, ...before });
  if (known && known.before_prefix !== before.before_prefix) app.pusher.touch(tx, [routerKey(routerId)]);
  await setPrefix(app, tx, ctx, row, prefix);
}

type Before = Pick<DelegatedPrefixRow, 'before_prefix' | 'before_until_ms'>;

/** What guests are told not to use any longer: the prefix that this one replaces, or has replaced a while ago. Hosts tell what they hold often enough for it to end. */
function replaced(known: DelegatedPrefixRow | undefined, routerId: string, prefix: string, nowMs: number): Before {
  if (known?.router_id === routerId && known.prefix !== prefix) return { before_prefix: known.prefix, before_until_ms: nowMs + TELL_MS };
  if (known?.router_id === routerId && Number(known.before_until_ms) > nowMs)
    return { before_prefix: known.before_prefix, before_until_ms: Number(known.before_until_ms) };
  return { before_prefix: '', before_until_ms: 0 };
}

/** The other subnets that a router or a network is on: none may have the same addresses. */
async function neighbours(tx: Tx, router: RouterRow, row: SubnetRow): Promise<SubnetRow[]> {
  const { addresses } = await portsOfRouter(tx, router.id);
  const networks = [row.network_id, ...(router.gw_network_id === null ? [] : [router.gw_network_id])];
  const around = [...(await fullSubnetsOfNetworks(tx, networks)), ...(await subnetsByIds(tx, [...new Set(addresses.map((address) => address.subnet_id))]))];
  return around.filter((subnet) => subnet.id !== row.id && !isProvisional(subnet));
}
