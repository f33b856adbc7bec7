import { called, type FloatingIp, type Network, type Port, type Router, type Subnet } from './queries.ts';

export type NodeKind = 'network' | 'router' | 'server';
export interface TopologyNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  readonly status: string;
  /** Ranges of a network, outer addresses of a router. */
  readonly facts: readonly string[];
  /** The floating IPs of a server. */
  readonly floating: readonly { readonly id: string; readonly address: string }[];
  readonly x: number;
  readonly y: number;
}
interface TopologyEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly up: boolean;
}
interface Graph {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
}

export interface TopologyFacts {
  readonly networks: readonly Pick<Network, 'id' | 'name' | 'status' | 'router:external'>[];
  readonly subnets: readonly Pick<Subnet, 'network_id' | 'cidr'>[];
  readonly routers: readonly Pick<Router, 'id' | 'name' | 'status' | 'external_gateways'>[];
  readonly ports: readonly Pick<Port, 'id' | 'network_id' | 'status' | 'device_id' | 'device_owner' | 'fixed_ips'>[];
  readonly servers: readonly { readonly id: string; readonly name: string; readonly status: string }[];
  readonly floatingIps: readonly Pick<FloatingIp, 'id' | 'floating_ip_address' | 'port_id'>[];
}

export const COLUMN = 290;
export const ROW = 120;
/** Between what hangs on one network and on the next. */
const GAP = 40;
const ROUTER_OWNERS = /^network:(router_interface|ha_router|router_gateway|router_interface_distributed)/;

/** The address of a line, IPv4 where there is one: `10.0.0.5 +1` where there are two. */
function labelOf(addresses: readonly string[]): string {
  const first = addresses.find((address) => !address.includes(':')) ?? addresses[0] ?? '';
  return addresses.length > 1 ? `${first} +${addresses.length - 1}` : first;
}

/** The lines of the graph: each port between two things that are there, and each gateway. */
function edgesOf({ networks, routers, ports, servers }: TopologyFacts): TopologyEdge[] {
  const there = new Set([...networks, ...routers, ...servers].map(({ id }) => id));
  const edges: TopologyEdge[] = [];
  for (const router of routers) {
    const outer = new Set(router.external_gateways.map(({ network_id }) => network_id));
    for (const network of outer)
      if (there.has(network)) edges.push({ id: `gateway ${router.id} ${network}`, from: network, to: router.id, label: '', up: true });
  }
  for (const port of ports) {
    if (!there.has(port.device_id) || !there.has(port.network_id) || port.device_owner === 'network:router_gateway') continue;
    const isRouter = ROUTER_OWNERS.test(port.device_owner);
    edges.push({
      id: port.id,
      from: isRouter ? port.device_id : port.network_id,
      to: isRouter ? port.network_id : port.device_id,
      label: labelOf(port.fixed_ips.map(({ ip_address }) => ip_address)),
      up: port.status === 'ACTIVE',
    });
  }
  return edges;
}

/** What is left of the facts when only a network is looked at: its servers and routers, and where those lead outside. */
function around(facts: TopologyFacts, networkId: string): TopologyFacts {
  const edges = edgesOf(facts);
  const beside = new Set(edges.filter(({ from, to }) => from === networkId || to === networkId).flatMap(({ from, to }) => [from, to]));
  const outer = new Set(
    facts.routers
      .filter(({ id }) => beside.has(id))
      .flatMap(({ external_gateways }) => external_gateways)
      .map(({ network_id }) => network_id),
  );
  return {
    ...facts,
    networks: facts.networks.filter(({ id }) => id === networkId || outer.has(id)),
    routers: facts.routers.filter(({ id }) => beside.has(id)),
    servers: facts.servers.filter(({ id }) => beside.has(id)),
  };
}

/** How many stand side by side, so that many are about as wide as high. */
const columnsFor = (count: number): number => (count <= 6 ? 1 : Math.ceil(Math.sqrt(count / 1.6)));

/** Moves what would lie on another down, in the order of where each wants to be. */
function spread(wishes: readonly { readonly id: string; readonly y: number }[]): Map<string, number> {
  const places = new Map<string, number>();
  let free = 0;
  for (const { id, y } of [...wishes].sort((a, b) => a.y - b.y)) {
    const place = Math.max(y, free);
    places.set(id, place);
    free = place + ROW;
  }
  return places;
}

const average = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Who is connected to what: outer networks, routers, the project's networks and servers in columns from the left, each port a line. What hangs
 * on one network stands together beside it, many in a block; networks without servers stand in a block too. A port of something that is not
 * shown has no line. With `networkId` only what is around that network.
 */
export function topologyOf(all: TopologyFacts, networkId?: string): Graph {
  const facts = networkId === undefined ? all : around(all, networkId);
  const edges = edgesOf(facts);
  const ranges = Map.groupBy(facts.subnets, ({ network_id }) => network_id);
  const deviceOf = new Map(facts.ports.map(({ id, device_id }) => [id, device_id]));
  const floating = Map.groupBy(facts.floatingIps, ({ port_id }) => deviceOf.get(port_id ?? '') ?? '');
  const outer = facts.networks.filter((network) => network['router:external']);
  const neighbours = Map.groupBy(
    edges.flatMap(({ from, to }) => [
      [from, to],
      [to, from],
    ]) as [string, string][],
    ([id]) => id,
  );
  const besideOf = (id: string): string[] => (neighbours.get(id) ?? []).map(([, other]) => other);

  // servers by the first network that they are on, or by none
  const inner = new Set(facts.networks.filter((network) => !network['router:external']).map(({ id }) => id));
  const homes = Map.groupBy(facts.servers, ({ id }) => besideOf(id).find((other) => inner.has(other)) ?? besideOf(id)[0] ?? '');
  // networks of one router stand together, those with servers first
  const rank = new Map(facts.routers.map(({ id }, index) => [id, index]));
  const rankOf = (id: string): number => Math.min(facts.routers.length, ...besideOf(id).flatMap((other) => rank.get(other) ?? []));
  const ordered = facts.networks.filter(({ id }) => inner.has(id)).sort((a, b) => rankOf(a.id) - rankOf(b.id));
  const full = ordered.filter(({ id }) => homes.has(id));
  const bare = ordered.filter(({ id }) => !homes.has(id));

  const places = new Map<string, { readonly x: number; readonly y: number }>();
  const bareColumns = columnsFor(bare.length);
  const serverX = (2 + Math.max(1, bare.length === 0 ? 1 : bareColumns)) * COLUMN;
  let top = 0;
  const block = (rows: readonly { readonly id: string }[], x: number): number => {
    const columns = columnsFor(rows.length);
    rows.forEach(({ id }, index) => places.set(id, { x: x + (index % columns) * COLUMN, y: top + Math.floor(index / columns) * ROW }));
    return Math.ceil(rows.length / columns) * ROW;
  };
  for (const { id } of full) {
    const height = block(homes.get(id) ?? [], serverX);
    places.set(id, { x: 2 * COLUMN, y: top + (height - ROW) / 2 });
    top += height + GAP;
  }
  if (bare.length > 0) top += block(bare, 2 * COLUMN) + GAP;
  // servers on no network that stands in the third column
  for (const [home, servers] of homes) if (!inner.has(home)) top += block(servers, serverX) + GAP;

  const near = (id: string): number => average(besideOf(id).flatMap((other) => places.get(other)?.y ?? [])) ?? top;
  for (const [id, y] of spread(facts.routers.map(({ id }) => ({ id, y: near(id) })))) places.set(id, { x: COLUMN, y });
  for (const [id, y] of spread(outer.map(({ id }) => ({ id, y: near(id) })))) places.set(id, { x: 0, y });

  const node = (kind: NodeKind, row: { readonly id: string; readonly name: string; readonly status: string }, own: readonly string[]): TopologyNode => ({
    id: row.id,
    kind,
    name: called(row),
    status: row.status,
    facts: own,
    floating: kind === 'server' ? (floating.get(row.id) ?? []).map(({ id, floating_ip_address: address }) => ({ id, address })) : [],
    ...(places.get(row.id) ?? { x: 0, y: 0 }),
  });
  const networkNode = (row: (typeof facts.networks)[number]): TopologyNode =>
    node(
      'network',
      row,
      (ranges.get(row.id) ?? []).map(({ cidr }) => cidr),
    );
  return {
    nodes: [
      ...outer.map(networkNode),
      ...facts.routers.map((row) =>
        node(
          'router',
          row,
          row.external_gateways.flatMap(({ external_fixed_ips }) => external_fixed_ips.map(({ ip_address }) => ip_address)),
        ),
      ),
      ...ordered.map(networkNode),
      ...facts.servers.map((row) => node('server', row, [])),
    ],
    edges,
  };
}
