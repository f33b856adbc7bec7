import { dictionary, inside, named } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { IntegerOrNull, Link, Links, page, TextOrNull } from './common.ts';

/** Version documents, extensions, and what nova once did for other services. */

const version = { id: Type.String(), status: Type.String(), version: Type.String(), min_version: Type.String(), updated: Type.String(), links: Links };
export const Versions = inside('versions', Type.Array(Type.Object(version)));
export const OneVersion = inside('version', Type.Object({ ...version, 'media-types': Type.Array(Type.Object({ base: Type.String(), type: Type.String() })) }));

const Extension = named('ComputeExtension', {
  alias: Type.String(),
  description: Type.String(),
  links: Type.Array(Link),
  name: Type.String(),
  namespace: Type.String(),
  updated: Type.String(),
});
export const Extensions = inside('extensions', Type.Array(Extension));
export const OneExtension = inside('extension', Extension);

const Rule = named('ComputeSecurityGroupRule', {
  id: Type.String(),
  parent_group_id: Type.String(),
  ip_protocol: TextOrNull,
  from_port: IntegerOrNull,
  to_port: IntegerOrNull,
  // one of them is empty
  group: Type.Object({ name: Type.Optional(Type.String()), tenant_id: Type.Optional(Type.String()) }),
  ip_range: Type.Object({ cidr: Type.Optional(Type.String()) }),
});
const Group = named('ComputeSecurityGroup', {
  id: Type.String(),
  name: Type.String(),
  description: TextOrNull,
  tenant_id: Type.String(),
  rules: Type.Array(Rule),
});
export const SecurityGroups = inside('security_groups', Type.Array(Group));
export const OneSecurityGroup = inside('security_group', Group);
export const OneSecurityGroupRule = inside('security_group_rule', Rule);

const FloatingIp = Type.Object({ id: Type.String(), ip: Type.String(), fixed_ip: TextOrNull, instance_id: TextOrNull, pool: Type.String() });
export const FloatingIps = inside('floating_ips', Type.Array(FloatingIp));
export const OneFloatingIp = inside('floating_ip', FloatingIp);
export const FloatingIpPools = inside('floating_ip_pools', Type.Array(Type.Object({ name: Type.String() })));

/** Of the fields of nova-network only these two have values. */
const Network = Type.Object({ id: Type.String(), label: Type.String() }, { additionalProperties: Type.Null() });
export const Networks = inside('networks', Type.Array(Network));
export const OneNetwork = inside('network', Network);
const TenantNetwork = Type.Object({ id: Type.String(), cidr: Type.String(), label: Type.String() });
export const TenantNetworks = inside('networks', Type.Array(TenantNetwork));
export const OneTenantNetwork = inside('network', TenantNetwork);

const image = { id: Type.String(), name: TextOrNull, links: Links };
const Image = Type.Object({
  ...image,
  minRam: Type.Integer(),
  minDisk: Type.Integer(),
  metadata: dictionary(Type.Unknown()),
  created: Type.String(),
  updated: Type.String(),
  status: Type.String(),
  progress: Type.Integer(),
  'OS-EXT-IMG-SIZE:size': Type.Integer(),
  server: Type.Optional(Type.Object({ id: Type.String(), links: Links })),
  'OS-DCF:diskConfig': Type.Optional(Type.String()),
});
export const Images = page('images', Type.Object(image));
export const ImageDetails = page('images', Image);
export const OneImage = inside('image', Image);
export const ImageMetadata = inside('metadata', dictionary(Type.Unknown()));
export const ImageMetadataItem = inside('meta', dictionary(Type.Unknown()));

export const Hosts = inside('hosts', Type.Array(Type.Object({ host_name: Type.String(), service: Type.String(), zone: Type.String() })));
export const HostResources = inside(
  'host',
  Type.Array(
    inside('resource', Type.Object({ host: Type.String(), project: Type.String(), cpu: Type.Integer(), memory_mb: Type.Integer(), disk_gb: Type.Integer() })),
  ),
);

const OldVolume = Type.Object({
  id: Type.String(),
  status: Type.String(),
  size: Type.Integer(),
  availabilityZone: TextOrNull,
  createdAt: TextOrNull,
  attachments: Type.Array(
    Type.Object({
      id: Type.Optional(Type.String()),
      volumeId: Type.Optional(Type.String()),
      serverId: Type.Optional(Type.String()),
      device: Type.Optional(Type.String()),
    }),
  ),
  displayName: TextOrNull,
  displayDescription: TextOrNull,
  volumeType: TextOrNull,
  snapshotId: TextOrNull,
  metadata: dictionary(Type.String()),
});
export const OldVolumes = inside('volumes', Type.Array(OldVolume));
export const OneOldVolume = inside('volume', OldVolume);
const OldSnapshot = Type.Object({
  id: Type.String(),
  status: Type.String(),
  size: Type.Integer(),
  createdAt: TextOrNull,
  displayName: TextOrNull,
  displayDescription: TextOrNull,
  volumeId: Type.String(),
});
export const OldSnapshots = inside('snapshots', Type.Array(OldSnapshot));
export const OneOldSnapshot = inside('snapshot', OldSnapshot);
export const BaremetalNodes = inside('nodes', Type.Array(Type.Unknown()));
