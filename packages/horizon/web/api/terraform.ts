import type { CommandCall } from './commands.ts';

/** What Terraform works out; texts of the call are never one. */
class Expression {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
type Value = string | number | boolean | null | undefined | Expression | readonly Value[] | { readonly [key: string]: Value };
type Body = { readonly [key: string]: Value };
/** A block within a resource, such as `network { ... }`; it may stand there several times. */
interface Block {
  readonly block: string;
  readonly of: Body;
}

/** Text as HCL reads it back unchanged: its two ways to put expressions into text are escaped. */
const textOf = (text: string): string =>
  `"${text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll('${', () => '$${')
    .replaceAll('%{', () => '%%{')}"`;

function valueOf(value: Value, indent: string): string {
  if (typeof value === 'string') return textOf(value);
  if (value instanceof Expression) return value.text;
  if (Array.isArray(value)) return `[${value.map((one) => valueOf(one as Value, indent)).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const lines = Object.entries(value).map(([key, one]) => `${indent}  ${textOf(key)} = ${valueOf(one, `${indent}  `)}`);
    return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`;
  }
  return String(value);
}

const linesOf = (body: Body, indent: string): string[] => {
  const given = Object.entries(body).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(0, ...given.map(([key]) => key.length));
  return given.map(([key, value]) => `${indent}${key.padEnd(width)} = ${valueOf(value, indent)}`);
};

function render(type: string, name: string, body: Body, blocks: readonly Block[]): string {
  const inner = blocks.map(({ block, of }) => [`  ${block} {`, ...linesOf(of, '    '), '  }'].join('\n'));
  return [`resource ${textOf(type)} ${textOf(name)} {`, ...linesOf(body, '  '), ...inner, '}'].join('\n');
}

/** A name as Terraform's identifiers may be. */
const identifier = (name: Value): string => {
  const text = typeof name === 'string' ? name.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, '_') : '';
  return /^[a-z_]/.test(text) && text !== '_' ? text : `this${text === '_' ? '' : text}`;
};

const pick = (body: Body, ...names: readonly string[]): Body => Object.fromEntries(names.map((name) => [name, body[name]]));
const list = (value: Value): readonly Body[] => (Array.isArray(value) ? (value as readonly Body[]) : []);

interface Resource {
  readonly path: RegExp;
  readonly type: string;
  /** What is around the body: `server`; the image service has none. */
  readonly envelope?: string;
  readonly of: (body: Body) => Body;
  /** `hints` are the scheduler's, which stand beside the envelope. */
  readonly blocks?: (body: Body, hints: Body) => readonly Block[];
}

/** The name of one server, or of each of several. */
function namesOf(server: Body): Body {
  const count = Number(server['max_count'] ?? 1);
  const { name } = server;
  if (count <= 1 || typeof name !== 'string') return { name };
  return { count, name: new Expression(`${textOf(name).slice(0, -1)}-\${count.index + 1}"`) };
}

/** Resources of the OpenStack provider, with the attributes that the console's forms fill in. */
const RESOURCES: readonly Resource[] = [
  {
    path: /^\/v2\.1\/servers$/,
    type: 'openstack_compute_instance_v2',
    envelope: 'server',
    of: (server) => ({
      ...namesOf(server),
      image_id: server['imageRef'],
      flavor_id: server['flavorRef'],
      key_pair: server['key_name'],
      availability_zone: server['availability_zone'],
      security_groups: server['security_groups'] && list(server['security_groups']).map((group) => group['name']),
      // the call has it in base64, which nobody edits
      user_data: server['user_data'] && new Expression('file("user-data.txt")'),
      network_mode: typeof server['networks'] === 'string' ? server['networks'] : undefined,
      tags: server['tags'],
      metadata: server['metadata'],
    }),
    blocks: (server, hints) => [
      ...list(server['networks']).map((network) => ({ block: 'network', of: pick(network, 'uuid', 'port', 'fixed_ip_v4') })),
      ...list(server['block_device_mapping_v2']).map((device) => ({
        block: 'block_device',
        of: pick(device, 'uuid', 'source_type', 'destination_type', 'volume_size', 'boot_index', 'delete_on_termination'),
      })),
      ...(hints['group'] === undefined ? [] : [{ block: 'scheduler_hints', of: pick(hints, 'group') }]),
    ],
  },
  {
    path: /^\/v2\.1\/os-keypairs$/,
    type: 'openstack_compute_keypair_v2',
    envelope: 'keypair',
    of: (key) => pick(key, 'name', 'public_key'),
  },
  {
    path: /^\/v2\.1\/os-server-groups$/,
    type: 'openstack_compute_servergroup_v2',
    envelope: 'server_group',
    of: (group) => ({ name: group['name'], policies: [group['policy']] }),
    blocks: (group) => (group['rules'] ? [{ block: 'rules', of: group['rules'] as Body }] : []),
  },
  {
    path: /^\/v2\.1\/flavors$/,
    type: 'openstack_compute_flavor_v2',
    envelope: 'flavor',
    of: (flavor) => pick(flavor, 'name', 'ram', 'vcpus', 'disk'),
  },
  {
    path: /^\/v3\/volumes$/,
    type: 'openstack_blockstorage_volume_v3',
    envelope: 'volume',
    of: (volume) => ({
      ...pick(volume, 'name', 'description', 'size', 'volume_type', 'availability_zone', 'snapshot_id'),
      image_id: volume['imageRef'],
      source_vol_id: volume['source_volid'],
      metadata: volume['metadata'],
    }),
  },
  {
    path: /^\/v2\.1\/servers\/[^/]+\/os-volume_attachments$/,
    type: 'openstack_compute_volume_attach_v2',
    envelope: 'volumeAttachment',
    of: (attachment) => ({ volume_id: attachment['volumeId'], device: attachment['device'] }),
  },
  {
    path: /^\/v2\/images$/,
    type: 'openstack_images_image_v2',
    of: (image) => pick(image, 'name', 'disk_format', 'container_format', 'visibility', 'protected', 'tags'),
  },
  {
    path: /^\/v2\.0\/networks$/,
    type: 'openstack_networking_network_v2',
    envelope: 'network',
    of: (network) => ({
      ...pick(network, 'name', 'description', 'admin_state_up', 'shared', 'port_security_enabled', 'mtu'),
      external: network['router:external'],
    }),
  },
  {
    path: /^\/v2\.0\/subnets$/,
    type: 'openstack_networking_subnet_v2',
    envelope: 'subnet',
    of: (subnet) =>
      pick(subnet, 'name', 'network_id', 'cidr', 'ip_version', 'gateway_ip', 'enable_dhcp', 'dns_nameservers', 'ipv6_address_mode', 'ipv6_ra_mode'),
  },
  {
    path: /^\/v2\.0\/routers$/,
    type: 'openstack_networking_router_v2',
    envelope: 'router',
    of: (router) => ({
      ...pick(router, 'name', 'description', 'admin_state_up'),
      external_network_id: (router['external_gateway_info'] as Body | undefined)?.['network_id'],
    }),
  },
  {
    path: /^\/v2\.0\/ports$/,
    type: 'openstack_networking_port_v2',
    envelope: 'port',
    of: (port) => ({ ...pick(port, 'name', 'network_id', 'admin_state_up', 'mac_address'), security_group_ids: port['security_groups'] }),
    blocks: (port) => list(port['fixed_ips']).map((address) => ({ block: 'fixed_ip', of: pick(address, 'subnet_id', 'ip_address') })),
  },
  {
    path: /^\/v2\.0\/floatingips$/,
    type: 'openstack_networking_floatingip_v2',
    envelope: 'floatingip',
    // the provider names the pool; its id is what the call has
    of: (address) => ({ pool: address['floating_network_id'], port_id: address['port_id'], description: address['description'] }),
  },
  {
    path: /^\/v2\.0\/security-groups$/,
    type: 'openstack_networking_secgroup_v2',
    envelope: 'security_group',
    of: (group) => pick(group, 'name', 'description'),
  },
  {
    path: /^\/v2\.0\/security-group-rules$/,
    type: 'openstack_networking_secgroup_rule_v2',
    envelope: 'security_group_rule',
    of: (rule) =>
      pick(
        rule,
        'security_group_id',
        'direction',
        'ethertype',
        'protocol',
        'port_range_min',
        'port_range_max',
        'remote_ip_prefix',
        'remote_group_id',
        'description',
      ),
  },
  {
    path: /^\/v3\/projects$/,
    type: 'openstack_identity_project_v3',
    envelope: 'project',
    of: (project) => pick(project, 'name', 'description', 'domain_id', 'enabled'),
  },
];

/** What makes a thing with Terraform as this call does; undefined where the call makes nothing, or no resource stands for it. */
export function terraformOf(call: CommandCall): string | undefined {
  if (call.method !== 'POST' || call.body === null || typeof call.body !== 'object') return undefined;
  const resource = RESOURCES.find(({ path }) => path.test(call.path));
  if (resource === undefined) return undefined;
  const body = (resource.envelope === undefined ? call.body : (call.body as Body)[resource.envelope]) as Body | undefined;
  if (body === null || typeof body !== 'object') return undefined;
  const attributes = resource.of(body);
  const [, serverId] = /^\/v2\.1\/servers\/([^/]+)\/os-volume_attachments$/.exec(call.path) ?? [];
  return render(
    resource.type,
    identifier(body['name']),
    serverId === undefined ? attributes : { instance_id: decodeURIComponent(serverId), ...attributes },
    resource.blocks?.(body, ((call.body as Body)['os:scheduler_hints'] ?? {}) as Body) ?? [],
  );
}
