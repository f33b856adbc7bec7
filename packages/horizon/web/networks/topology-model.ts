import type { Network, Port, Router } from './queries.ts';

export type NodeKind = 'network' | 'router' | 'server';
export interface TopologyNode {
  readonly id: string;
  readonly kind: NodeKind;
  readonly name: string;
  readonly status: string;
  readonly x: number;
  readonly y: number;
}
export interface TopologyEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly up: boolean;
}

const COLUMN = 260;
const ROW = 90;
const ROUTER_OWNERS = /^network:(router_interface|ha_router|router_gateway|router_interface_distributed)/;

/**
 * Who is connected to what: outer networks, routers, the project's networks and servers in columns from the left, each port a line. A port
 * of something that is not shown has no line.
 */
export function topologyOf(facts: {
  readonly networks: readonly Pick<Network, 'id' | 'name' | 'status' | 'router:external'>[];
  readonly routers: readonly Pick<Router, 'id' | 'name' | 'status' | 'external_gateway_info'>[];
  readonly ports: readonly Pick<Port, 'id' | 'network_id' | 'status' | 'device_id' | 'device_owner' | 'fixed_ips'>[];
  readonly servers: readonly { readonly id: string; readonly name: string; readonly status: string }[];
}): { readonly nodes: readonly TopologyNode[]; readonly edges: readonly TopologyEdge[] } {
  const outer = facts.networks.filter((network) => network['router:external']);
  const inner = facts.networks.filter((network) => !network['router:external']);
  const columns = [
    ['network', outer],
    ['router', facts.routers],
    ['network', inner],
    ['server', facts.servers],
  ] as const;
  const nodes = columns.flatMap(([kind, rows], column) =>
    rows.map(({ id, name, status }, row) => ({ id, kind, name: name || id, status, x: column * COLUMN, y: row * ROW })),
  );
  const shown = new Set(nodes.map(({ id }) => id));
  const edges: TopologyEdge[] = [];
  for (const { id, external_gateway_info: gateway } of facts.routers) {
    if (gateway !== null && shown.has(gateway.network_id)) edges.push({ id: `gateway ${id}`, from: gateway.network_id, to: id, label: '', up: true });
  }
  for (const port of facts.ports) {
    if (!shown.has(port.device_id) || !shown.has(port.network_id) || port.device_owner === 'network:router_gateway') continue;
    const isRouter = ROUTER_OWNERS.test(port.device_owner);
    edges.push({
      id: port.id,
      from: isRouter ? port.device_id : port.network_id,
      to: isRouter ? port.network_id : port.device_id,
      label: port.fixed_ips.map(({ ip_address }) => ip_address).join(', '),
      up: port.status === 'ACTIVE',
    });
  }
  return { nodes, edges };
}
