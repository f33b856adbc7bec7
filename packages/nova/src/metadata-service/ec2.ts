import type { GuestFacts } from './facts.ts';
import { isEphemeral, isSwap } from '../app/block-devices.ts';
import type { BlockDeviceRow } from '../store/block-device.ts';

/** Versions of the EC2 tree. */
export const EC2_VERSIONS: readonly string[] = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
];

/** A node of the tree. `_name` is what a listing of its parent shows instead of its key. */
export type Ec2Node = string | number | Buffer | readonly string[] | { readonly [key: string]: Ec2Node };

/** The whole tree of one version, or undefined for an unknown one. */
export function ec2Tree(facts: GuestFacts, asked: string): { readonly 'meta-data': Ec2Node; readonly 'user-data'?: Buffer } | undefined {
  const version = asked === 'latest' ? (EC2_VERSIONS.at(-1) as string) : asked;
  if (!EC2_VERSIONS.includes(version)) return undefined;
  const since = (first: string): boolean => EC2_VERSIONS.indexOf(version) >= EC2_VERSIONS.indexOf(first);
  const { row, key, hostname } = facts;
  const fixed = facts.ports.flatMap((port) => port.fixedIps.filter((ip) => ip.ipVersion === 4));
  const floating = facts.ports.flatMap((port) => port.fixedIps.flatMap((ip) => ip.floatingIps));
  const kernelId = facts.image.properties['kernel_id'];
  const ramdiskId = facts.image.properties['ramdisk_id'];
  const tree = {
    'meta-data': {
      'ami-id': row.image_id === '' ? '' : ec2Id('ami', row.image_id),
      'ami-launch-index': row.launch_index,
      'ami-manifest-path': 'FIXME',
      'instance-id': `i-${row.seq.toString(16).padStart(8, '0')}`,
      hostname,
      'local-ipv4': fixed[0]?.ip ?? '',
      'reservation-id': row.reservation_id,
      'security-groups': [...new Set(facts.ports.flatMap((port) => port.securityGroups.map((group) => group.name)))],
      ...(key === undefined ? {} : { 'public-keys': { '0': { _name: `0=${key.name}`, 'openssh-key': key.publicKey } } }),
      ...(since('2007-01-19') ? { 'local-hostname': hostname, 'public-hostname': hostname, 'public-ipv4': floating[0] ?? '' } : {}),
      ...(since('2007-08-29') ? { 'instance-type': facts.flavor.name } : {}),
      ...(since('2007-12-15')
        ? {
            'block-device-mapping': mapping(facts.devices, row.root_device),
            ...(kernelId ? { 'kernel-id': ec2Id('aki', kernelId) } : {}),
            ...(ramdiskId ? { 'ramdisk-id': ec2Id('ari', ramdiskId) } : {}),
          }
        : {}),
      ...(since('2008-02-01') ? { placement: { 'availability-zone': row.availability_zone ?? '' } } : {}),
      ...(since('2008-09-01') ? { 'instance-action': 'none' } : {}),
    },
    ...(facts.userData === undefined ? {} : { 'user-data': facts.userData }),
  };
  return tree;
}

/** EC2's short ids stand for numbers that upstream deals out; here they are taken from the UUID. */
const ec2Id = (prefix: string, uuid: string): string => `${prefix}-${uuid.slice(0, 8)}`;

function mapping(devices: readonly BlockDeviceRow[], rootDevice: string | null): { readonly [key: string]: string } {
  const root = rootDevice ?? '/dev/vda';
  const names: Record<string, string> = { ami: root.replace(/^\/dev\//, ''), root };
  let ephemeral = 0;
  let volume = 0;
  for (const device of devices) {
    if (device.device_name === null || device.boot_index === 0) continue;
    const kind = {
      sourceType: device.source_type as 'blank',
      destinationType: device.destination_type as 'local',
      ...(device.guest_format === null ? {} : { guestFormat: device.guest_format }),
    };
    if (isSwap(kind)) names['swap'] = device.device_name;
    else if (isEphemeral(kind)) names[`ephemeral${ephemeral++}`] = device.device_name;
    else if (device.volume_id !== null) names[`ebs${volume++}`] = device.device_name;
  }
  return names;
}

/** A node as text: leaves as they are, directories as sorted listings. */
export function printEc2(node: Ec2Node): string | Buffer {
  if (typeof node === 'string' || Buffer.isBuffer(node)) return node;
  if (typeof node === 'number') return String(node);
  if (Array.isArray(node)) return node.join('\n');
  return Object.entries(node as { readonly [key: string]: Ec2Node })
    .filter(([key]) => key !== '_name')
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, child]) => {
      const isDirectory = typeof child === 'object' && !Array.isArray(child) && !Buffer.isBuffer(child);
      const name = isDirectory ? (child as { readonly [key: string]: Ec2Node })['_name'] : undefined;
      return name === undefined ? `${key}${isDirectory ? '/' : ''}` : String(name);
    })
    .join('\n');
}

/** The node at a path below `root`; undefined when there is none. */
export function findEc2(root: Ec2Node, path: readonly string[]): Ec2Node | undefined {
  let node: Ec2Node = root;
  for (const part of path) {
    if (typeof node !== 'object' || Array.isArray(node) || Buffer.isBuffer(node) || !Object.hasOwn(node, part)) return undefined;
    node = (node as { readonly [key: string]: Ec2Node })[part] as Ec2Node;
  }
  return node;
}
