import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import type { NeutronFace, PortFacts, SecurityGroupFacts } from '../face.ts';
import { floatingIpsOfPorts } from '../store/floatingips.ts';
import { allocationsOfPorts, devicesWithAddress } from '../store/ipam.ts';
import { networksByIds } from '../store/networks.ts';
import { portsByIds, portsOfDevices } from '../store/ports.ts';
import { groupsByIds, groupsOfPorts, rulesOfGroups } from '../store/security-groups.ts';
import { subnetsByIds } from '../store/subnets.ts';
import type { PortRow, SubnetRow } from '../store/tables.ts';
import { byAddress } from './port-view.ts';

type ServerFacts = Pick<NeutronFace, 'portsOfDevice' | 'portsOfDevices' | 'port' | 'devicesByAddress' | 'securityGroupsOfDevice'>;

/** What nova reads about the ports of its servers. */
export const serverFacts: ServerFacts = {
  portsOfDevice: async (db, deviceId) => factsOf(db, await portsOfDevices(db, [deviceId])),

  async portsOfDevices(db, deviceIds) {
    const facts = await factsOf(db, await portsOfDevices(db, deviceIds));
    return Map.groupBy(facts, (port) => port.deviceId);
  },

  port: async (db, portId) => (await factsOf(db, await portsByIds(db, [portId])))[0],

  devicesByAddress: (db, part, projectId) => devicesWithAddress(db, part, projectId),

  async securityGroupsOfDevice(db, deviceId) {
    const ports = await portsOfDevices(db, [deviceId]);
    const memberships = await groupsOfPorts(
      db,
      ports.map((port) => port.id),
    );
    return groupFacts(db, [...new Set(memberships.map((member) => member.security_group_id))]);
  },
};

/** Facts about ports, read in a few statements for all of them. */
async function factsOf(db: Db, ports: readonly PortRow[]): Promise<PortFacts[]> {
  if (ports.length === 0) return [];
  const ids = ports.map((port) => port.id);
  const [allocations, memberships, floating, networks] = await Promise.all([
    allocationsOfPorts(db, ids),
    groupsOfPorts(db, ids),
    floatingIpsOfPorts(db, ids),
    networksByIds(db, [...new Set(ports.map((port) => port.network_id))]),
  ]);
  const [subnets, groups] = await Promise.all([
    subnetsByIds(db, [...new Set(allocations.map((allocation) => allocation.subnet_id))]),
    groupsByIds(db, [...new Set(memberships.map((member) => member.security_group_id))]),
  ]);
  const subnetOf = new Map(subnets.map((subnet) => [subnet.id, subnetFacts(subnet)]));
  const nameOf = new Map(groups.map((group) => [group.id, group.name]));
  const networkOf = new Map(networks.map((network) => [network.id, network]));
  const addresses = Map.groupBy(allocations, (allocation) => allocation.port_id);
  const members = Map.groupBy(memberships, (member) => member.port_id);
  const floatingOf = Map.groupBy(floating, (row) => `${row.fixed_port_id} ${row.fixed_ip_address}`);
  return ports.map((port) => {
    const network = networkOf.get(port.network_id);
    return {
      id: port.id,
      name: port.name,
      networkId: port.network_id,
      networkName: network?.name ?? '',
      networkMtu: network?.mtu ?? 0,
      projectId: port.project_id,
      mac: port.mac_address,
      adminUp: port.admin_state_up === 1,
      status: port.status,
      deviceId: port.device_id,
      deviceOwner: port.device_owner,
      host: port.binding_host,
      fixedIps: (addresses.get(port.id) ?? []).toSorted(byAddress).flatMap((address) => {
        const subnet = subnetOf.get(address.subnet_id);
        const floatingIps = (floatingOf.get(`${port.id} ${address.ip_address}`) ?? []).map((row) => row.floating_ip_address);
        return subnet ? [{ ip: address.ip_address, ...subnet, floatingIps }] : [];
      }),
      securityGroups: (members.get(port.id) ?? []).map((member) => ({ id: member.security_group_id, name: nameOf.get(member.security_group_id) ?? '' })),
    };
  });
}

const subnetFacts = (subnet: SubnetRow) => ({
  subnetId: subnet.id,
  cidr: subnet.cidr,
  ipVersion: subnet.ip_version as 4 | 6,
  gatewayIp: subnet.gateway_ip,
  dhcp: subnet.enable_dhcp === 1,
  ipv6AddressMode: subnet.ipv6_address_mode,
  dnsServers: fromJson<string[]>(subnet.dns_nameservers_json),
  hostRoutes: fromJson<{ destination: string; nexthop: string }[]>(subnet.host_routes_json),
});

async function groupFacts(db: Db, ids: readonly string[]): Promise<SecurityGroupFacts[]> {
  const [groups, rules] = await Promise.all([groupsByIds(db, ids), rulesOfGroups(db, ids)]);
  const remotes = await groupsByIds(db, [...new Set(rules.flatMap((rule) => (rule.remote_group_id === null ? [] : [rule.remote_group_id])))]);
  const remoteOf = new Map(remotes.map((group) => [group.id, { id: group.id, name: group.name, projectId: group.project_id }]));
  const rulesOf = Map.groupBy(rules, (rule) => rule.security_group_id);
  return groups.map((group) => ({
    id: group.id,
    name: group.name,
    description: group.description ?? '',
    projectId: group.project_id,
    rules: (rulesOf.get(group.id) ?? []).map((rule) => ({
      id: rule.id,
      direction: rule.direction as 'ingress' | 'egress',
      ethertype: rule.ethertype as 'IPv4' | 'IPv6',
      protocol: rule.protocol,
      portMin: rule.port_range_min,
      portMax: rule.port_range_max,
      remoteCidr: rule.remote_ip_prefix,
      remoteGroup: (rule.remote_group_id === null ? undefined : remoteOf.get(rule.remote_group_id)) ?? null,
    })),
  }));
}
