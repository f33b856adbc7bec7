import type { DataPlaneTables } from './tables-data-plane.ts';

/**
 * Neutron's tables as Kysely sees them. Times are epoch milliseconds, booleans 0/1, `..._json` columns JSON text. `..._key` columns hold
 * addresses as sortable hex text of fixed length (net/ip.ts).
 */
export interface NeutronTables extends DataPlaneTables {
  neutron_network: NetworkRow;
  neutron_rbac: RbacRow;
  neutron_subnet: SubnetRow;
  neutron_subnetpool: SubnetPoolRow;
  neutron_address_scope: AddressScopeRow;
  neutron_address_group: AddressGroupRow;
  neutron_default_rule: DefaultRuleRow;
  neutron_port: PortRow;
  neutron_ip_allocation: IpAllocationRow;
  neutron_ip_free: IpFreeRow;
  neutron_port_security_group: PortSecurityGroupRow;
  neutron_router: RouterRow;
  neutron_floatingip: FloatingIpRow;
  neutron_security_group: SecurityGroupRow;
  neutron_security_group_rule: SecurityGroupRuleRow;
  neutron_tag: TagRow;
  neutron_quota: QuotaRow;
  neutron_agent: AgentRow;
  neutron_router_host: RouterHostRow;
  neutron_dhcp_host: DhcpHostRow;
  neutron_qos_policy: QosPolicyRow;
  neutron_qos_rule: QosRuleRow;
  neutron_port_forwarding: PortForwardingRow;
  neutron_trunk: TrunkRow;
  neutron_subport: SubportRow;
  neutron_auto_topology: AutoTopologyRow;
  neutron_port_binding: PortBindingRow;
  neutron_segment: SegmentRow;
  neutron_segment_range: SegmentRangeRow;
  neutron_flavor: FlavorRow;
  neutron_service_profile: ServiceProfileRow;
  neutron_flavor_profile: FlavorProfileRow;
  neutron_default_statefulness: DefaultStatefulnessRow;
}

/** What every resource with standard attributes has. */
export interface StandardColumns {
  id: string;
  project_id: string;
  /** Null only for what upstream makes without one: the rules of a new security group. */
  description: string | null;
  created_at_ms: number;
  updated_at_ms: number;
  revision_number: number;
}

export interface NetworkRow extends StandardColumns {
  name: string;
  admin_state_up: number;
  status: string;
  mtu: number;
  external: number;
  is_default: number;
  port_security_enabled: number;
  dns_domain: string;
  /** `flat`, `vlan`, `vxlan`, `geneve` or `local`, as its first segment is; empty without segments. */
  network_type: string;
  /** Empty where the type has none. */
  physical_network: string;
  /** 0 where the type has none. */
  segmentation_id: number;
  az_hints_json: string;
  tags_json: string;
  qos_policy_id: string | null;
  segment_count: number;
  /** Taken off its DHCP agent: there is no DHCP. */
  dhcp_away: number;
}

/** Who else may use an object. `target_project` is `*` for everybody. */
export interface RbacRow {
  id: string;
  project_id: string;
  /** `network`, `subnetpool`, `address_scope`, `address_group`, `security_group` or `qos_policy`. */
  object_type: string;
  object_id: string;
  /** `access_as_shared` or `access_as_external`. */
  action: string;
  target_project: string;
}

export interface SubnetRow extends StandardColumns {
  name: string;
  network_id: string;
  /** The network's owner, which never changes. */
  network_project_id: string;
  ip_version: number;
  cidr: string;
  first_key: string;
  last_key: string;
  gateway_ip: string | null;
  enable_dhcp: number;
  ipv6_ra_mode: string | null;
  ipv6_address_mode: string | null;
  subnetpool_id: string | null;
  dns_nameservers_json: string;
  host_routes_json: string;
  allocation_pools_json: string;
  service_types_json: string;
  /** The segment that it is on, of networks whose segments are routed. */
  segment_id: string | null;
  /** Where the search for a free address starts, so that an address that was given back rests as long as others are free. */
  next_key: string;
  tags_json: string;
}

export interface SubnetPoolRow extends StandardColumns {
  name: string;
  ip_version: number;
  prefixes_json: string;
  min_prefixlen: number;
  max_prefixlen: number;
  default_prefixlen: number;
  default_quota: number | null;
  is_default: number;
  address_scope_id: string | null;
  tags_json: string;
}

export interface AddressScopeRow {
  id: string;
  project_id: string;
  name: string;
  ip_version: number;
}

export interface PortRow extends StandardColumns {
  name: string;
  network_id: string;
  /** The network's owner, which never changes: the owner sees all ports of the network. */
  network_project_id: string;
  mac_address: string;
  admin_state_up: number;
  status: string;
  device_id: string;
  device_owner: string;
  /** `immediate` or `none`. */
  ip_allocation: string;
  port_security_enabled: number;
  dns_name: string;
  dns_domain: string;
  propagate_uplink_status: number;
  /** null: nobody has said. */
  trusted: number | null;
  binding_host: string;
  /** The host that its server is on its way to while it runs; empty as a rule. */
  coming_host: string;
  binding_vnic_type: string;
  /** `unbound`, `ovs` or `binding_failed`. */
  binding_vif_type: string;
  binding_profile_json: string;
  allowed_address_pairs_json: string;
  extra_dhcp_opts_json: string;
  tags_json: string;
  qos_policy_id: string | null;
  /** Its network's, which holds where it has none of its own. */
  network_qos_policy_id: string | null;
  /** The trunk whose parent it is. */
  trunk_id: string | null;
}

/** An address in use. (network, address) is the key: that is what makes double use impossible. */
export interface IpAllocationRow {
  network_id: string;
  ip_key: string;
  ip_address: string;
  subnet_id: string;
  port_id: string;
  /** The order of a port's addresses. */
  position: number;
}

/** A run of free addresses of a subnet's pools. Runs neither touch nor overlap. */
export interface IpFreeRow {
  subnet_id: string;
  first_key: string;
  last_key: string;
}

export interface PortSecurityGroupRow {
  port_id: string;
  security_group_id: string;
}

export interface RouterRow extends StandardColumns {
  name: string;
  admin_state_up: number;
  status: string;
  enable_snat: number;
  distributed: number;
  ha: number;
  gw_port_id: string | null;
  gw_network_id: string | null;
  routes_json: string;
  az_hints_json: string;
  tags_json: string;
  /** Of its gateway. */
  qos_policy_id: string | null;
  /** Taken off its L3 agent: it is on no host. */
  l3_away: number;
  flavor_id: string | null;
  /** Do all gateways share what has no better route? */
  default_route_ecmp: number;
  default_route_bfd: number;
}

export interface FloatingIpRow extends StandardColumns {
  floating_network_id: string;
  floating_ip_address: string;
  floating_port_id: string;
  fixed_port_id: string | null;
  fixed_ip_address: string | null;
  router_id: string | null;
  status: string;
  dns_name: string;
  dns_domain: string;
  tags_json: string;
  qos_policy_id: string | null;
  /** Its network's, which holds where it has none of its own. */
  network_qos_policy_id: string | null;
}

export interface SecurityGroupRow extends StandardColumns {
  name: string;
  stateful: number;
  is_default: number;
  tags_json: string;
}

export interface SecurityGroupRuleRow extends StandardColumns {
  security_group_id: string;
  /** The group's owner. */
  group_project_id: string;
  direction: string;
  ethertype: string;
  protocol: string | null;
  port_range_min: number | null;
  port_range_max: number | null;
  remote_group_id: string | null;
  remote_ip_prefix: string | null;
  remote_address_group_id: string | null;
  belongs_to_default_sg: number;
  /** What makes a rule the same as another of its group. */
  rule_key: string;
}

/** A rule that new security groups begin with. */
export interface DefaultRuleRow {
  id: string;
  description: string | null;
  direction: string;
  ethertype: string;
  protocol: string | null;
  port_range_min: number | null;
  port_range_max: number | null;
  /** `PARENT`: the new group itself. */
  remote_group_id: string | null;
  remote_address_group_id: string | null;
  remote_ip_prefix: string | null;
  used_in_default_sg: number;
  used_in_non_default_sg: number;
  rule_key: string;
}

/** Addresses under one name, for rules of security groups. */
export interface AddressGroupRow extends StandardColumns {
  name: string;
  /** Networks in CIDR form, sorted. */
  addresses_json: string;
}

/** The index of tags, for filters; what is shown is the resource's own `tags_json`, written in the same transaction. */
export interface TagRow {
  resource_id: string;
  tag: string;
  /** The collection: `networks`. */
  resource_type: string;
}

export interface QuotaRow {
  project_id: string;
  resource: string;
  hard_limit: number;
}

/** An agent: what a host that was ever there does. */
export interface AgentRow {
  id: string;
  agent_type: string;
  binary: string;
  host: string;
  admin_state_up: number;
  description: string | null;
  created_at_ms: number;
  started_at_ms: number;
  heartbeat_ms: number;
  /** Where tunnels to the host end; empty for a host that has none. */
  tunnel_ip: string;
}

/** A host whose L3 agent has a router. */
export interface RouterHostRow {
  router_id: string;
  host: string;
  /** Does the router work there? Of a router's hosts one does, and the others stand by. */
  active: number;
}

/** A host whose DHCP agent has a network. */
export interface DhcpHostRow {
  network_id: string;
  host: string;
}

export interface QosPolicyRow extends StandardColumns {
  name: string;
  /** New networks of the project get it. One per project at most. */
  is_default: number;
  tags_json: string;
}

/** A rule of a QoS policy; columns that its type does not have are null. */
export interface QosRuleRow {
  id: string;
  policy_id: string;
  type: string;
  direction: string | null;
  max_kbps: number | null;
  max_burst_kbps: number | null;
  dscp_mark: number | null;
  min_kbps: number | null;
  min_kpps: number | null;
  max_kpps: number | null;
  max_burst_kpps: number | null;
}

/** Ports of a floating IP that lead to ports of a server's address: as many, or all to one. */
export interface PortForwardingRow {
  id: string;
  floatingip_id: string;
  internal_port_id: string;
  internal_ip_address: string;
  protocol: string;
  external_first: number;
  external_last: number;
  internal_first: number;
  internal_last: number;
  description: string;
}

export interface TrunkRow extends StandardColumns {
  name: string;
  /** The parent. */
  port_id: string;
  admin_state_up: number;
  status: string;
  tags_json: string;
}

/** A port that a VLAN of a trunk leads to. */
export interface SubportRow {
  port_id: string;
  trunk_id: string;
  /** The trunk's, which never changes. */
  parent_port_id: string;
  /** `vlan`. */
  segmentation_type: string;
  segmentation_id: number;
}

/** The network that was made for a project that had none, with its router. */
export interface AutoTopologyRow {
  project_id: string;
  network_id: string;
  router_id: string;
}

/** A host that a port is bound to beside the one where it is at work. */
export interface PortBindingRow {
  port_id: string;
  host: string;
  vnic_type: string;
  vif_type: string;
  profile_json: string;
}

/** A kind of router that the operator offers. */
export interface FlavorRow {
  id: string;
  name: string;
  description: string | null;
  service_type: string;
  enabled: number;
}

/** How a flavor is done. */
export interface ServiceProfileRow {
  id: string;
  description: string | null;
  /** Empty where `metainfo` says it all. */
  driver: string;
  metainfo: string;
  enabled: number;
}

export interface FlavorProfileRow {
  flavor_id: string;
  service_profile_id: string;
  tied_at_ms: number;
}

/** Whether new security groups are stateful where nobody says. */
export interface DefaultStatefulnessRow {
  id: string;
  /** Empty: of every project that has no say of its own. */
  project_id: string;
  stateful: number;
}

/** A part of a network, with what carries it; (type, physical network, id) is there once. */
export interface SegmentRow extends StandardColumns {
  network_id: string;
  name: string | null;
  network_type: string;
  /** Empty where the type has none. */
  physical_network: string;
  /** 0 where the type has none. */
  segmentation_id: number;
  /** The order of a network's segments. */
  segment_index: number;
}

/** Ids that new segments of a type may get. `project_id` is empty for shared ones. */
export interface SegmentRangeRow extends StandardColumns {
  name: string;
  /** Of the configuration. */
  is_default: number;
  shared: number;
  network_type: string;
  /** Empty for tunnels. */
  physical_network: string;
  minimum: number;
  maximum: number;
  tags_json: string;
}
