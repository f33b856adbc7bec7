import { uuid5Of } from '../net/uuid5.ts';
import type { ResourceRequest } from '../face.ts';
import type { Db } from '@cairn/kit/store/store';
import { networksByIds } from '../store/networks.ts';
import { effectivePolicy, rulesOfPolicies } from '../store/qos.ts';
import type { NetworkRow, PortRow, QosRuleRow } from '../store/tables.ts';

export const BANDWIDTH: Readonly<Record<string, string>> = { egress: 'NET_BW_EGR_KILOBIT_PER_SEC', ingress: 'NET_BW_IGR_KILOBIT_PER_SEC' };
export const PACKETS: Readonly<Record<string, string>> = {
  egress: 'NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC',
  ingress: 'NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC',
  any: 'NET_PACKET_RATE_KILOPACKET_PER_SEC',
};

type RequestingPort = Pick<PortRow, 'id' | 'network_id' | 'binding_vnic_type' | 'qos_policy_id' | 'network_qos_policy_id'>;

/** The requests of those ports that have minimums. Costs nothing where no port has a policy. */
export async function resourceRequests(db: Db, ports: readonly RequestingPort[]): Promise<ReadonlyMap<string, ResourceRequest>> {
  const requests = new Map<string, ResourceRequest>();
  const policies = [...new Set(ports.flatMap((port) => effectivePolicy(port) ?? []))];
  if (policies.length === 0) return requests;
  const minimums = (await rulesOfPolicies(db, policies)).filter((rule) => rule.min_kbps !== null || rule.min_kpps !== null);
  if (minimums.length === 0) return requests;
  const rules = Map.groupBy(minimums, (rule) => rule.policy_id);
  const asking = ports.filter((port) => rules.has(effectivePolicy(port) ?? ''));
  const networks = new Map((await networksByIds(db, [...new Set(asking.map((port) => port.network_id))])).map((network) => [network.id, network]));
  for (const port of asking) requests.set(port.id, requestOf(port, rules.get(effectivePolicy(port) ?? '') ?? [], networks.get(port.network_id)));
  return requests;
}

function requestOf(port: RequestingPort, rules: readonly QosRuleRow[], network: NetworkRow | undefined): ResourceRequest {
  const vnic = `CUSTOM_VNIC_TYPE_${traitText(port.binding_vnic_type)}`;
  const where = network?.physical_network ? `CUSTOM_PHYSNET_${traitText(network.physical_network)}` : 'CUSTOM_NETWORK_TUNNEL_PROVIDER';
  const group = (ofType: readonly QosRuleRow[], required: readonly string[], resources: Record<string, number>) =>
    ofType.length === 0 ? [] : [{ id: uuid5Of(port.id, ofType.map((rule) => rule.id).join(':')), required, resources }];
  const bandwidth = rules.filter((rule) => rule.min_kbps !== null);
  const packets = rules.filter((rule) => rule.min_kpps !== null);
  const groups = [
    ...group(bandwidth, [where, vnic], Object.fromEntries(bandwidth.map((rule) => [BANDWIDTH[rule.direction ?? ''], Number(rule.min_kbps)]))),
    ...group(packets, [vnic], Object.fromEntries(packets.map((rule) => [PACKETS[rule.direction ?? ''], Number(rule.min_kpps)]))),
  ];
  return { request_groups: groups, same_subtree: groups.map((each) => each.id) };
}

export const traitText = (text: string): string => text.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
