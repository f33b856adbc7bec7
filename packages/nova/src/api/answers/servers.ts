import { dictionary, inside, named, nullable } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { IntegerOrNull, Links, page, TextOrNull, Time, TimeOrNull } from './common.ts';

const Address = named('ServerAddress', {
  version: Type.Integer(),
  addr: Type.String(),
  'OS-EXT-IPS:type': Type.Optional(Type.Union([Type.Literal('fixed'), Type.Literal('floating')])),
  'OS-EXT-IPS-MAC:mac_addr': Type.Optional(Type.String()),
});
const Addresses = dictionary(Type.Array(Address));

/** The flavor that a server was made with; before 2.47 its id and links alone. */
const ServerFlavor = named('ServerFlavor', {
  vcpus: Type.Integer(),
  ram: Type.Integer(),
  disk: Type.Integer(),
  ephemeral: Type.Integer(),
  swap: Type.Integer(),
  original_name: Type.String(),
  extra_specs: Type.Optional(dictionary(Type.String())),
});

const ServerFault = named('ServerFault', { code: Type.Integer(), created: Time, message: Type.String(), details: Type.Optional(Type.String()) });

const properties = {
  id: Type.String(),
  name: Type.String(),
  status: Type.String(),
  tenant_id: Type.String(),
  user_id: Type.String(),
  metadata: dictionary(Type.String()),
  hostId: Type.String(),
  image: Type.Union([
    // a server that was made from a volume
    Type.Literal(''),
    Type.Object({ id: Type.String(), links: Links, properties: dictionary(Type.String()) }),
  ]),
  flavor: ServerFlavor,
  created: Time,
  updated: Time,
  addresses: Addresses,
  accessIPv4: Type.String(),
  accessIPv6: Type.String(),
  links: Links,
  'OS-DCF:diskConfig': Type.String(),
  fault: Type.Optional(ServerFault),
  progress: Type.Optional(Type.Integer()),
  'OS-EXT-AZ:availability_zone': Type.String(),
  config_drive: Type.String(),
  key_name: TextOrNull,
  'OS-SRV-USG:launched_at': TimeOrNull,
  'OS-SRV-USG:terminated_at': TimeOrNull,
  security_groups: Type.Optional(Type.Array(Type.Object({ name: Type.String() }))),
  'OS-EXT-STS:task_state': TextOrNull,
  'OS-EXT-STS:vm_state': Type.String(),
  'OS-EXT-STS:power_state': Type.Integer(),
  'os-extended-volumes:volumes_attached': Type.Array(Type.Object({ id: Type.String(), delete_on_termination: Type.Boolean() })),
  locked: Type.Boolean(),
  host_status: Type.Optional(Type.String()),
  description: TextOrNull,
  tags: Type.Array(Type.String()),
  trusted_image_certificates: nullable(Type.Array(Type.String())),
  // not in lists
  server_groups: Type.Optional(Type.Array(Type.String())),
  locked_reason: TextOrNull,
  pinned_availability_zone: TextOrNull,
  scheduler_hints: dictionary(Type.Array(Type.Unknown())),
  'OS-EXT-SRV-ATTR:hostname': Type.String(),
  // for administrators
  'OS-EXT-SRV-ATTR:host': Type.Optional(TextOrNull),
  'OS-EXT-SRV-ATTR:instance_name': Type.Optional(Type.String()),
  'OS-EXT-SRV-ATTR:hypervisor_hostname': Type.Optional(TextOrNull),
  'OS-EXT-SRV-ATTR:kernel_id': Type.Optional(Type.String()),
  'OS-EXT-SRV-ATTR:launch_index': Type.Optional(Type.Integer()),
  'OS-EXT-SRV-ATTR:ramdisk_id': Type.Optional(Type.String()),
  'OS-EXT-SRV-ATTR:reservation_id': Type.Optional(Type.String()),
  'OS-EXT-SRV-ATTR:root_device_name': Type.Optional(TextOrNull),
  'OS-EXT-SRV-ATTR:user_data': Type.Optional(TextOrNull),
};
const Server = named('Server', properties);
const ServerSummary = named('ServerSummary', { id: Type.String(), name: Type.String(), links: Links });
const { 'OS-EXT-SRV-ATTR:user_data': _data, ...rebuilt } = properties;

export const ServerList = page('servers', ServerSummary);
export const ServerDetailList = page('servers', Server);
export const OneServer = inside('server', Server);
/** A reservation where one was asked for. */
export const CreatedServer = Type.Object({
  server: Type.Optional(
    named('CreatedServer', {
      id: Type.String(),
      links: Links,
      'OS-DCF:diskConfig': Type.String(),
      security_groups: Type.Array(Type.Object({ name: Type.String() })),
      adminPass: Type.String(),
    }),
  ),
  reservation_id: Type.Optional(Type.String()),
});
export const RebuiltServer = inside('server', named('RebuiltServer', { ...rebuilt, adminPass: Type.String(), user_data: TextOrNull }));
export const MadeImage = inside('image_id', Type.String());
export const AdminPassword = inside('adminPass', Type.String());
export const ConsoleOutput = inside('output', Type.String());

export const ServerAddresses = inside('addresses', Addresses);
/** By the network's name. */
export const NetworkAddresses = dictionary(Type.Array(Address));
export const Metadata = inside('metadata', dictionary(Type.String()));
export const MetadataItem = inside('meta', dictionary(Type.String()));
export const Tags = inside('tags', Type.Array(Type.String()));
export const ServerPassword = inside('password', Type.String());

export const RemoteConsole = inside('remote_console', named('RemoteConsole', { protocol: Type.String(), type: Type.String(), url: Type.String() }));
export const OldConsole = inside('console', Type.Object({ type: Type.String(), url: Type.String() }));
export const ConsoleFacts = inside(
  'console',
  Type.Object({ instance_uuid: Type.String(), host: TextOrNull, port: Type.Integer(), internal_access_path: TextOrNull }),
);

export const Topology = Type.Object({
  nodes: Type.Array(
    Type.Object({
      vcpu_set: Type.Array(Type.Integer()),
      siblings: Type.Array(Type.Array(Type.Integer())),
      memory_mb: Type.Integer(),
      host_node: Type.Optional(IntegerOrNull),
      cpu_pinning: Type.Optional(dictionary(Type.Integer())),
    }),
  ),
  pagesize_kb: IntegerOrNull,
});
export const Shares = inside('shares', Type.Array(Type.Unknown()));
