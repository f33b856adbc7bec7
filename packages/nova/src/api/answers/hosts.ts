import { dictionary, inside, named, nullable } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { IntegerOrNull, page, TextOrNull, Time, TimeOrNull } from './common.ts';

/** Hypervisors, services, zones, aggregates and server groups. Until 2.52 hypervisors and services are known by numbers. */

const State = Type.Union([Type.Literal('up'), Type.Literal('down')]);
const Status = Type.Union([Type.Literal('enabled'), Type.Literal('disabled')]);
const line = {
  hypervisor_hostname: Type.String(),
  state: State,
  status: Status,
  servers: Type.Optional(Type.Array(Type.Object({ name: Type.String(), uuid: Type.String() }))),
};
const detail = { ...line, hypervisor_type: Type.String(), hypervisor_version: Type.Integer(), host_ip: Type.String() };
const service = { host: Type.String(), disabled_reason: TextOrNull };
const HypervisorSummary = named('HypervisorSummary', { id: Type.String(), ...line });
const OldHypervisorSummary = Type.Object({ id: Type.Union([Type.Integer(), Type.String()]), ...line });
const Hypervisor = named('Hypervisor', { id: Type.String(), ...detail, service: Type.Object({ id: Type.String(), ...service }), uptime: TextOrNull });
const cpuInfo = Type.Object({}, { additionalProperties: true });
const sizes = {
  vcpus: Type.Integer(),
  memory_mb: Type.Integer(),
  local_gb: Type.Integer(),
  vcpus_used: Type.Integer(),
  memory_mb_used: Type.Integer(),
  local_gb_used: Type.Integer(),
  free_ram_mb: Type.Integer(),
  free_disk_gb: Type.Integer(),
  current_workload: Type.Integer(),
  running_vms: Type.Integer(),
  disk_available_least: IntegerOrNull,
};
/** Until 2.87, with what the hypervisor has and what of it is used. */
const LoadedHypervisor = named('HypervisorWithLoad', {
  id: Type.String(),
  ...detail,
  ...sizes,
  service: Type.Object({ id: Type.String(), ...service }),
  cpu_info: cpuInfo,
});
const OldHypervisor = Type.Object({
  id: Type.Integer(),
  ...detail,
  ...sizes,
  service: Type.Object({ id: Type.Integer(), ...service }),
  cpu_info: Type.Union([Type.String(), cpuInfo]),
});
export const HypervisorList = [
  { from: '2.1', schema: page('hypervisors', OldHypervisorSummary) },
  { from: '2.53', schema: page('hypervisors', HypervisorSummary) },
];
export const HypervisorDetailList = [
  { from: '2.1', schema: page('hypervisors', OldHypervisor) },
  { from: '2.53', schema: page('hypervisors', LoadedHypervisor) },
  { from: '2.88', schema: page('hypervisors', Hypervisor) },
];
export const OneHypervisor = [
  { from: '2.1', schema: inside('hypervisor', OldHypervisor) },
  { from: '2.53', schema: inside('hypervisor', LoadedHypervisor) },
  { from: '2.88', schema: inside('hypervisor', Hypervisor) },
];
export const HypervisorsByName = inside('hypervisors', Type.Array(OldHypervisorSummary));
export const HypervisorUptime = inside('hypervisor', Type.Object({ id: Type.Union([Type.Integer(), Type.String()]), ...line, uptime: Type.String() }));
export const HypervisorStatistics = inside('hypervisor_statistics', Type.Object({ count: Type.Integer(), ...sizes }));

const known = {
  binary: Type.String(),
  host: Type.String(),
  zone: Type.String(),
  status: Status,
  state: State,
  updated_at: TimeOrNull,
  disabled_reason: TextOrNull,
  forced_down: Type.Boolean(),
};
const Service = named('ComputeService', { id: Type.String(), ...known });
export const ServiceList = [
  { from: '2.1', schema: inside('services', Type.Array(Type.Object({ id: Type.Integer(), ...known }))) },
  { from: '2.53', schema: inside('services', Type.Array(Service)) },
];
export const OneService = inside('service', Service);
export const ServiceByName = inside(
  'service',
  Type.Object({
    host: Type.String(),
    binary: Type.String(),
    status: Type.Optional(Type.String()),
    disabled_reason: Type.Optional(Type.String()),
    forced_down: Type.Optional(Type.Boolean()),
  }),
);

const ServiceState = Type.Object({ available: Type.Boolean(), active: Type.Boolean(), updated_at: TimeOrNull });
export const ZoneList = inside(
  'availabilityZoneInfo',
  Type.Array(
    named('ComputeZone', {
      zoneName: Type.String(),
      zoneState: Type.Object({ available: Type.Boolean() }),
      // by host and binary, in detailed lists
      hosts: nullable(dictionary(dictionary(ServiceState))),
    }),
  ),
);

const aggregate = {
  id: Type.Integer(),
  uuid: Type.String(),
  name: Type.String(),
  availability_zone: TextOrNull,
  created_at: Time,
  updated_at: TimeOrNull,
  deleted: Type.Boolean(),
  deleted_at: TimeOrNull,
};
const Aggregate = named('Aggregate', { ...aggregate, hosts: Type.Array(Type.String()), metadata: dictionary(Type.String()) });
export const AggregateList = inside('aggregates', Type.Array(Aggregate));
export const OneAggregate = inside('aggregate', Aggregate);
export const CreatedAggregate = inside('aggregate', named('CreatedAggregate', aggregate));

const ServerGroup = named('ServerGroup', {
  id: Type.String(),
  name: Type.String(),
  policy: Type.String(),
  rules: Type.Object({ max_server_per_host: Type.Optional(Type.Integer()) }),
  members: Type.Array(Type.String()),
  project_id: Type.String(),
  user_id: Type.String(),
});
export const ServerGroupList = inside('server_groups', Type.Array(ServerGroup));
export const OneServerGroup = inside('server_group', ServerGroup);

const Audit = Type.Object({
  period_beginning: Type.String(),
  period_ending: Type.String(),
  num_hosts: Type.Integer(),
  num_hosts_done: Type.Integer(),
  num_hosts_running: Type.Integer(),
  num_hosts_not_run: Type.Integer(),
  hosts_not_run: Type.Array(Type.String()),
  total_instances: Type.Integer(),
  total_errors: Type.Integer(),
  overall_status: Type.String(),
  log: dictionary(Type.Unknown()),
});
export const UsageAuditList = inside('instance_usage_audit_logs', Audit);
export const OneUsageAudit = inside('instance_usage_audit_log', Audit);

export const TakenEvents = inside(
  'events',
  Type.Array(
    Type.Object({
      name: Type.String(),
      server_uuid: Type.String(),
      status: Type.String(),
      tag: Type.Optional(Type.String()),
      code: Type.Integer(),
    }),
  ),
);
export const AssistedSnapshot = inside('snapshot', Type.Object({ id: TextOrNull, volumeId: Type.String() }));
