import type { ConntrackHelperSpec, MeterRuleSpec, MeterSpec, NdpProxySpec } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import { ipVersionOf } from '../net/ip.ts';
import { mustCidr, networkText } from '../net/cidr.ts';
import { helpersOfRouters } from '../store/conntrack-helpers.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { labelsOfProjects, rulesOfLabels } from '../store/metering.ts';
import { ipv6Scopes, proxiesOfRouters, proxyingRouters } from '../store/ndp-proxies.ts';
import { portsOfDevices, ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';
import { subnetsByIds } from '../store/subnets.ts';
import type { RouterRow } from '../store/tables.ts';
import type { ConntrackHelperRow, MeteringRuleRow } from '../store/tables-data-plane.ts';

/** What service plugins add to a router's object; nothing for a router that they say nothing of. */
export interface RouterParts {
  readonly conntrackHelpers?: readonly ConntrackHelperSpec[];
  readonly meters?: readonly MeterSpec[];
  readonly ndpProxy?: NdpProxySpec;
}

/** Reads the parts of many routers, in a few statements for all. */
export async function loadRouterParts(db: Db, routers: readonly RouterRow[]): Promise<(router: RouterRow) => RouterParts> {
  const ids = routers.map((router) => router.id);
  const helpers = Map.groupBy(await helpersOfRouters(db, ids), (row) => row.router_id);
  const labels = await labelsOfProjects(db, [...new Set(routers.map((router) => router.project_id))]);
  const rules = Map.groupBy(
    await rulesOfLabels(
      db,
      labels.map((label) => label.id),
    ),
    (rule) => rule.metering_label_id,
  );
  const proxies = await loadProxies(db, routers);
  return (router) => {
    const ndpProxy = proxies.get(router.id);
    const own = helpers.get(router.id) ?? [];
    const meters = labels.filter((label) => label.shared === 1 || label.project_id === router.project_id);
    return {
      ...(own.length > 0 && { conntrackHelpers: own.map(helperSpec) }),
      ...(ndpProxy && { ndpProxy }),
      // nothing is counted of a router that leads nowhere
      ...(meters.length > 0 &&
        router.gw_port_id !== null && { meters: meters.map(({ id }) => ({ id, rules: (rules.get(id) ?? []).flatMap(meterRuleSpecs) })) }),
    };
  };
}

/** The proxies of the routers that may have some, with the networks that they hide: those inside of the address scope outside. */
async function loadProxies(db: Db, routers: readonly RouterRow[]): Promise<ReadonlyMap<string, NdpProxySpec>> {
  const outside = routers.filter((router) => router.gw_network_id !== null);
  const proxying = await proxyingRouters(
    db,
    outside.map((router) => router.id),
  );
  const concerned = outside.filter((router) => proxying.has(router.id));
  if (concerned.length === 0) return new Map();
  const ids = concerned.map((router) => router.id);
  const proxies = Map.groupBy(await proxiesOfRouters(db, ids), (proxy) => proxy.router_id);
  const ports = (await portsOfDevices(db, ids)).filter((port) => ROUTER_INTERFACE_OWNERS.includes(port.device_owner));
  const addresses = await allocationsOfPorts(
    db,
    ports.map((port) => port.id),
  );
  const subnets = new Map((await subnetsByIds(db, [...new Set(addresses.map((address) => address.subnet_id))])).map((subnet) => [subnet.id, subnet]));
  const scopes = await ipv6Scopes(db, [...new Set([...ports.map((port) => port.network_id), ...concerned.flatMap((router) => router.gw_network_id ?? [])])]);
  return new Map(
    concerned.map((router) => {
      const scope = scopes.get(router.gw_network_id ?? '') ?? null;
      const own = ports.filter((port) => port.device_id === router.id && scope !== null && scopes.get(port.network_id) === scope);
      const near = addresses.filter((address) => own.some((port) => port.id === address.port_id)).map((address) => subnets.get(address.subnet_id));
      return [
        router.id,
        {
          addresses: (proxies.get(router.id) ?? []).map((proxy) => proxy.ip_address).toSorted(),
          cidrs: near.flatMap((subnet) => (subnet?.ip_version === 6 ? [subnet.cidr] : [])).toSorted(),
        },
      ];
    }),
  );
}

const helperSpec = ({ id, helper, protocol, port }: ConntrackHelperRow): ConntrackHelperSpec => ({
  id,
  helper,
  protocol: protocol === 'tcp' ? 'tcp' : 'udp',
  port,
});

/**
 * A remote prefix names addresses inside, whatever its name says: the source of what leaves, the destination of what comes
 * (prepare_source_and_destination_rule_legacy). Rules of IPv6 are kept and count nothing, as upstream's driver has it.
 */
function meterRuleSpecs(row: MeteringRuleRow): readonly MeterRuleSpec[] {
  const direction = row.direction === 'egress' ? 'egress' : 'ingress';
  const source = row.source_ip_prefix ?? (direction === 'egress' ? row.remote_ip_prefix : null);
  const destination = row.destination_ip_prefix ?? (direction === 'ingress' ? row.remote_ip_prefix : null);
  if ([source, destination].some((prefix) => prefix !== null && ipVersionOf(prefix.split('/')[0] ?? '') !== 4)) return [];
  return [
    {
      direction,
      excluded: row.excluded === 1,
      ...(source !== null && { source: networkText(mustCidr(source)) }),
      ...(destination !== null && { destination: networkText(mustCidr(destination)) }),
    },
  ];
}
