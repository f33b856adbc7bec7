import type { Context } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { networkNotFound } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { mustCidr } from '../net/cidr.ts';
import { availabilityLists, floatingIpPoolLists } from '../store/availability.ts';
import { countBySubnet, countInPools } from '../store/ipam.ts';
import { EVERYTHING, selectOne, selectPage } from '../store/select.ts';
import { fullSubnetsOfNetworks } from '../store/subnets.ts';
import type { NetworkRow, SubnetRow } from '../store/tables.ts';
import type { Loaded } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { poolsOf } from './port-addresses.ts';
import { zoneOf, zonesOf } from './zones.ts';

/** How many addresses networks have and use (neutron/db/network_ip_availability_db.py, network_ip_availability_details_db.py). */
export async function listIpAvailabilities(app: NeutronApp, _ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  const versions = input.filters.get('ip_version');
  return views(db, await selectPage(db, availabilityLists, input, EVERYTHING), versions);
}

export async function getIpAvailability(app: NeutronApp, _ctx: Context, id: string): Promise<Loaded> {
  const db = app.env.store.read;
  const row = await selectOne<NetworkRow>(db, availabilityLists, id, EVERYTHING);
  if (!row) throw networkNotFound(id);
  const [loaded] = await views(db, [row], undefined);
  return loaded as Loaded;
}

async function views(db: Db, rows: readonly NetworkRow[], versions: readonly unknown[] | undefined): Promise<Loaded[]> {
  const all = await fullSubnetsOfNetworks(
    db,
    rows.map((row) => row.id),
  );
  const subnets = versions ? all.filter((subnet) => versions.includes(subnet.ip_version)) : all;
  const used = await countBySubnet(
    db,
    subnets.map((subnet) => subnet.id),
  );
  const usedInPools = await countInPools(
    db,
    subnets.flatMap((subnet) => poolsOf(subnet).map((range) => ({ subnetId: subnet.id, range }))),
  );
  const byNetwork = Map.groupBy(subnets, (subnet) => subnet.network_id);
  return rows.map((row) => {
    const own = (byNetwork.get(row.id) ?? []).map((subnet) => {
      const pools = poolsOf(subnet);
      const counts = { used: used.get(subnet.id) ?? 0, usedInPools: usedInPools.get(subnet.id) ?? 0 };
      const amounts: Amounts = { inSubnet: subnetSize(subnet), inPools: sizeOf(pools), ...counts };
      return { subnet, total: sizeOf(pools.length > 0 ? pools : [mustCidr(subnet.cidr)]), amounts };
    });
    const amounts = sumOf(own.map((each) => each.amounts));
    return {
      view: {
        network_id: row.id,
        network_name: row.name,
        tenant_id: row.project_id,
        project_id: row.project_id,
        total_ips: jsonNumber(own.reduce((sum, each) => sum + each.total, 0n)),
        used_ips: amounts.used,
        subnet_ip_availability: own.map(({ subnet, total, amounts: parts }) => ({
          subnet_id: subnet.id,
          ip_version: subnet.ip_version,
          cidr: subnet.cidr,
          subnet_name: subnet.name,
          used_ips: parts.used,
          total_ips: jsonNumber(total),
          ip_availability_details: detailsView(parts),
        })),
        ip_availability_details: detailsView(amounts),
      },
    };
  });
}

/** Addresses of a subnet, or of all subnets of a network. */
interface Amounts {
  readonly inSubnet: bigint;
  readonly inPools: bigint;
  readonly used: number;
  readonly usedInPools: number;
}

const sizeOf = (ranges: readonly { readonly first: bigint; readonly last: bigint }[]): bigint =>
  ranges.reduce((sum, range) => sum + range.last - range.first + 1n, 0n);

/** The network's own address and that of broadcasts are not counted, whatever the length of the prefix. */
const subnetSize = ({ cidr, ip_version }: SubnetRow): bigint => sizeOf([mustCidr(cidr)]) - (ip_version === 4 ? 2n : 0n);

const sumOf = (amounts: readonly Amounts[]): Amounts => ({
  inSubnet: amounts.reduce((sum, each) => sum + each.inSubnet, 0n),
  inPools: amounts.reduce((sum, each) => sum + each.inPools, 0n),
  used: amounts.reduce((sum, each) => sum + each.used, 0),
  usedInPools: amounts.reduce((sum, each) => sum + each.usedInPools, 0),
});

const detailsView = (amounts: Amounts): object => ({
  total_ips_in_subnet: jsonNumber(amounts.inSubnet),
  total_ips_in_allocation_pool: jsonNumber(amounts.inPools),
  used_ips_in_subnet: amounts.used,
  used_ips_in_allocation_pool: amounts.usedInPools,
});

/** IPv6 subnets have more addresses than a double holds; the answer has them all. */
const jsonNumber = (value: bigint): unknown =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : (JSON as JSON & { rawJSON(text: string): unknown }).rawJSON(String(value));

/** The zones that networks and routers may be in; in service while a host of theirs is there. */
export async function listAvailabilityZones(app: NeutronApp, _ctx: Context, input: ListInput): Promise<Loaded[]> {
  const alive = new Set(app.hosts.names().map((host) => zoneOf(app.settings, host)));
  const zones = zonesOf(app.settings).flatMap((name) =>
    ['network', 'router'].map((resource) => ({ view: { name, resource, state: alive.has(name) ? 'available' : 'unavailable' } })),
  );
  return zones.filter(({ view }) => [...input.filters].every(([field, values]) => values.includes(view[field as keyof typeof view])));
}

/** The subnets that floating IPs may be had from. */
export async function listFloatingIpPools(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const rows = await selectPage<SubnetRow>(app.env.store.read, floatingIpPoolLists, input, EVERYTHING);
  return rows.map((row) => ({
    view: { subnet_id: row.id, subnet_name: row.name, network_id: row.network_id, cidr: row.cidr, tenant_id: ctx.projectId, project_id: ctx.projectId },
  }));
}
