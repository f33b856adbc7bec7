import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { toBit, toJson } from '@cairn/kit/store/values';
import { authorizeChange } from '../attributes/authorize.ts';
import { isSet, NOT_SPECIFIED, type NotSpecified } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { badRequest, invalidInput, mtuConflict, networkNotFound, subnetNotFound } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { type Cidr, mustCidr, networkText, overlaps } from '../net/cidr.ts';
import { DELEGATION_POOL, isProvisional, PROVISIONAL_PREFIX } from '../net/delegated.ts';
import { type IpVersion, keyOfValue } from '../net/ip.ts';
import { SUBNET } from '../resources/subnet.ts';
import { openPools } from '../store/ipam.ts';
import { findNetwork } from '../store/networks.ts';
import { selectOne, selectPage } from '../store/select.ts';
import { insertSubnet, subnetLists, subnetsOfNetwork } from '../store/subnets.ts';
import type { NetworkRow, SubnetRow } from '../store/tables.ts';
import { changed, type Loaded, newRow, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { settleDhcpPort } from './dhcp-ports.ts';
import { giveAutoAddresses } from './auto-addresses.ts';
import { updateNetwork } from '../store/networks.ts';
import { checkedPeerRoutes, settlePeerRoutes } from './peer-routes.ts';
import { checkQuotas } from './quota.ts';
import { extendGateways } from './router-gateway.ts';
import type { Route } from './routers.ts';
import { allocateFromPool, checkPoolAffinity, chosenPool, type PoolChoice } from './subnet-allocation.ts';
import {
  checkIpv6Modes,
  checkPools,
  checkSubnet,
  defaultGateway,
  defaultPools,
  poolTexts,
  requireGatewayOutside,
  type SubnetFacts,
  toRanges,
} from './subnet-rules.ts';
import { segmentOfNewSubnet } from './subnet-segments.ts';
import { subnetViews } from './subnet-view.ts';

export function createSubnets(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  return app.env.store.write(async (tx) => {
    const networks = new Map<string, NetworkRow>();
    for (const values of items) {
      const id = String(values.network_id);
      const network = networks.get(id) ?? (await findNetwork(tx, id));
      if (!network) throw networkNotFound(id);
      networks.set(id, network);
      authorizeChange(app.policy, ctx, SUBNET, 'create', values, { ...values, 'network:project_id': network.project_id });
    }
    await checkQuotas(
      app,
      tx,
      'subnet',
      items.map((values) => String(values.project_id)),
    );
    const made: SubnetRow[] = [];
    const before = new Map<string, readonly SubnetRow[]>();
    for (const id of networks.keys()) before.set(id, await subnetsOfNetwork(tx, id));
    for (const values of items) {
      const network = networks.get(String(values.network_id)) as NetworkRow;
      const others = made.filter((row) => row.network_id === network.id);
      made.push(await createSubnet(app, tx, ctx, network, { before: before.get(network.id) ?? [], others }, values));
    }
    const loaded = await subnetViews(tx, made, ctx.projectId);
    for (const each of loaded) await notify(app, tx, ctx, 'subnet', 'create', each);
    // the answer is the subnets as they were asked for; what leads to peers comes after it, also to them (as upstream)
    for (const id of new Set(made.flatMap((row) => (row.segment_id === null ? [] : [row.network_id])))) await settlePeerRoutes(app, tx, ctx, id);
    return loaded;
  });
}

/** `before`: what the network had before the request; `others`: what the request has made on it. */
async function createSubnet(
  app: NeutronApp,
  tx: Tx,
  ctx: Context,
  network: NetworkRow,
  { before, others }: { readonly before: readonly SubnetRow[]; readonly others: readonly SubnetRow[] },
  values: Values,
): Promise<SubnetRow> {
  const beside = [...before, ...others];
  const given = isSet(values.cidr) ? mustCidr(String(values.cidr)) : undefined;
  if (given && isSet(values.prefixlen)) throw badRequest('subnets', 'cidr and prefixlen must not be supplied together');
  const choice = await chosenPool(tx, ctx, values, given, app.settings.ipv6PrefixDelegation);
  const isToBeDelegated = choice === DELEGATION_POOL;
  const facts = factsOf(values, given);
  checkSubnet(facts);
  checkIpv6Modes(facts);
  checkNetworkMtu(network, facts.ipVersion);
  const id = app.env.ids.uuid();
  const cidr = await cidrOfNew(tx, values, choice, given);
  const isAllocated = choice !== undefined && !isToBeDelegated && !given;
  const gatewayIp = values.gateway_ip === NOT_SPECIFIED ? (isAllocated ? poolGateway(cidr) : defaultGateway(cidr)) : (values.gateway_ip as string | null);
  const pools = isSet(values.allocation_pools) ? toRanges(values.allocation_pools as { start: string; end: string }[]) : defaultPools(cidr, gatewayIp);
  const text = networkText(cidr);
  if (isSet(values.allocation_pools)) {
    checkPools(pools, text);
    if (gatewayIp !== null) requireGatewayOutside(gatewayIp, pools);
  }
  await checkAgainstOthers(tx, network, beside, cidr, facts.ipVersion, choice);
  const auto = facts.ipVersion === 6 && values.enable_dhcp === true;
  const segmentId = values.segment_id as string | null;
  const routes = isSet(values.host_routes) ? (values.host_routes as readonly Route[]) : [];
  const leadsToPeers = segmentId !== null && isSet(values.gateway_ip);
  const row: SubnetRow = {
    ...newRow(app, values, id),
    name: String(values.name),
    network_id: network.id,
    network_project_id: network.project_id,
    ip_version: facts.ipVersion,
    cidr: text,
    first_key: keyOfValue(cidr.version, cidr.first),
    last_key: keyOfValue(cidr.version, cidr.last),
    gateway_ip: gatewayIp,
    enable_dhcp: toBit(values.enable_dhcp === true),
    ipv6_ra_mode: auto && isSet(values.ipv6_ra_mode) ? String(values.ipv6_ra_mode) : null,
    ipv6_address_mode: auto && isSet(values.ipv6_address_mode) ? String(values.ipv6_address_mode) : null,
    subnetpool_id: isToBeDelegated ? choice : (choice?.pool.id ?? null),
    segment_id: await segmentOfNewSubnet(tx, network.id, beside, segmentId, isSet(values.service_types) ? (values.service_types as string[]) : []),
    dns_nameservers_json: toJson(isSet(values.dns_nameservers) ? values.dns_nameservers : []),
    host_routes_json: toJson(
      leadsToPeers ? checkedPeerRoutes(routes, { ip_version: facts.ipVersion, segment_id: segmentId, gateway_ip: gatewayIp }, before) : routes,
    ),
    allocation_pools_json: toJson(poolTexts(pools)),
    service_types_json: toJson(isSet(values.service_types) ? values.service_types : []),
    next_key: keyOfValue(cidr.version, cidr.first),
    tags_json: '[]',
  };
  await insertSubnet(tx, row);
  await openPools(tx, id, pools);
  await settle(app, tx, ctx, network, row, [...beside, row]);
  return row;
}

async function cidrOfNew(tx: Tx, values: Values, choice: PoolChoice | typeof DELEGATION_POOL | undefined, given: Cidr | undefined): Promise<Cidr> {
  if (choice === DELEGATION_POOL) return mustCidr(PROVISIONAL_PREFIX);
  if (!choice) return given as Cidr;
  return allocateFromPool(tx, choice, {
    given,
    prefixLength: values.prefixlen as number | NotSpecified,
    projectId: String(values.project_id),
    gateway: values.gateway_ip as string | null | NotSpecified,
  });
}

/** What a new subnet changes around it: the network's revision, its DHCP port, automatic addresses, gateways of an external network. `all`: the network's subnets. */
async function settle(app: NeutronApp, tx: Tx, ctx: Context, network: NetworkRow, row: SubnetRow, all: readonly SubnetRow[]): Promise<void> {
  const bumped = changed(app, network);
  await updateNetwork(tx, network.id, bumped);
  Object.assign(network, bumped);
  await giveAutoAddresses(app, tx, row);
  if (row.enable_dhcp === 1) await settleDhcpPort(app, tx, ctx, network, all);
  if (network.external === 1) await extendGateways(app, tx, ctx, network, row);
}

export const factsOf = (values: Values, cidr: Cidr | undefined): SubnetFacts => ({
  ipVersion: values.ip_version as IpVersion,
  cidr,
  enableDhcp: values.enable_dhcp as boolean,
  dhcpWasOn: false,
  gatewayIp: values.gateway_ip as string | null | NotSpecified,
  dnsServers: values.dns_nameservers as readonly string[] | NotSpecified,
  hostRoutes: values.host_routes as SubnetFacts['hostRoutes'],
  raMode: values.ipv6_ra_mode as string | NotSpecified,
  addressMode: values.ipv6_address_mode as string | NotSpecified,
});

/** Of a subnet that a pool chose, the gateway is the address after the first, in IPv6 too (ipam/subnet_alloc.py). */
const poolGateway = (cidr: Cidr): string => defaultGateway(cidr.version === 6 ? { ...cidr, first: cidr.first + 1n } : cidr);

function checkNetworkMtu(network: NetworkRow, version: IpVersion): void {
  if (network.mtu === 0 || network.mtu >= 1280) return;
  if (network.mtu < 68) throw mtuConflict(network.id, 68);
  if (version === 6) throw mtuConflict(network.id, 1280);
}

async function checkAgainstOthers(
  tx: Tx,
  network: NetworkRow,
  others: readonly SubnetRow[],
  cidr: Cidr,
  version: IpVersion,
  choice: PoolChoice | typeof DELEGATION_POOL | undefined,
): Promise<void> {
  if (cidr.prefixLength === 0) throw invalidInput('0 is not allowed as CIDR prefix length');
  // those that wait for a prefix are all on the same placeholder
  if (others.some((other) => !isProvisional(other) && overlaps(mustCidr(other.cidr), cidr))) {
    throw invalidInput(`Requested subnet with cidr: ${networkText(cidr)} for network: ${network.id} overlaps with another subnet`);
  }
  await checkPoolAffinity(tx, others, version, choice);
}

export async function listSubnets(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  return subnetViews(db, await selectPage(db, subnetLists, input, scopeOf(ctx)), ctx.projectId);
}

export async function getSubnet(app: NeutronApp, ctx: Context, id: string): Promise<Loaded> {
  return (await loadSubnet(app.env.store.read, ctx, id)).loaded;
}

/** A subnet that the caller may see. */
export async function loadSubnet(db: Db, ctx: Context, id: string): Promise<{ row: SubnetRow; loaded: Loaded }> {
  const row = await selectOne<SubnetRow>(db, subnetLists, id, scopeOf(ctx));
  if (!row) throw subnetNotFound(id);
  const [loaded] = await subnetViews(db, [row], ctx.projectId);
  return { row, loaded: loaded as Loaded };
}
