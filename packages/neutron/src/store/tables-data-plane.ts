import type { StandardColumns } from './tables.ts';

/** The tables of what service plugins add to routers, ports and groups; as tables.ts. */
export interface DataPlaneTables {
  neutron_conntrack_helper: ConntrackHelperRow;
  neutron_metering_label: MeteringLabelRow;
  neutron_metering_rule: MeteringRuleRow;
  neutron_meter_reading: MeterReadingRow;
  neutron_meter_sum: MeterSumRow;
  neutron_log: LogRow;
  neutron_ndp_proxy: NdpProxyRow;
  neutron_delegated_prefix: DelegatedPrefixRow;
  neutron_local_ip: LocalIpRow;
  neutron_local_ip_association: LocalIpPortRow;
}

/** Connections through a router to a port that one of the kernel's helpers reads. */
export interface ConntrackHelperRow {
  id: string;
  router_id: string;
  protocol: string;
  port: number;
  helper: string;
}

export interface MeteringLabelRow {
  id: string;
  project_id: string;
  name: string;
  description: string;
  shared: number;
}

export interface MeteringRuleRow {
  id: string;
  metering_label_id: string;
  direction: string;
  excluded: number;
  remote_ip_prefix: string | null;
  source_ip_prefix: string | null;
  destination_ip_prefix: string | null;
}

/** What a meter of a router on a host showed last. */
export interface MeterReadingRow {
  /** `HOST ROUTER LABEL`. */
  id: string;
  host: string;
  router_id: string;
  label_id: string;
  packets: number;
  bytes: number;
}

/** What a label has come to on a host since the last report. */
export interface MeterSumRow {
  /** `HOST LABEL`. */
  id: string;
  host: string;
  label_id: string;
  packets: number;
  bytes: number;
  measured_ms: number;
  first_at_ms: number;
  last_at_ms: number;
}

/** Who wants to know what security groups let through and drop: of a group, of a port, or of all of the project's ports. */
export interface LogRow extends StandardColumns {
  name: string;
  /** `security_group`. */
  resource_type: string;
  resource_id: string | null;
  event: string;
  target_id: string | null;
  enabled: number;
}

/** What a provider has delegated to a subnet, whose id the row has. */
export interface DelegatedPrefixRow {
  id: string;
  router_id: string;
  prefix: string;
  valid_until_ms: number;
  /** What it has replaced: guests are told to use that no longer, until then. Empty where it has replaced nothing, or long ago. */
  before_prefix: string;
  before_until_ms: number;
}

/** An IPv6 address inside that a router answers for outside. */
export interface NdpProxyRow extends StandardColumns {
  name: string;
  router_id: string;
  port_id: string;
  ip_address: string;
}

/** An address that each host leads to a port of its own. */
export interface LocalIpRow extends StandardColumns {
  name: string;
  /** The port that has the address in truth. */
  local_port_id: string;
  network_id: string;
  local_ip_address: string;
  ip_mode: string;
}

/** A port that a local IP leads to on the port's host. */
export interface LocalIpPortRow {
  /** `LOCAL_IP PORT`. */
  id: string;
  local_ip_id: string;
  local_ip_address: string;
  fixed_port_id: string;
  fixed_ip: string;
}
