import type { LaunchBody } from './request.ts';

/** A text as HCL writes it, in which nothing is a template. */
export const quoted = (text: string): string => JSON.stringify(text).replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);

const list = (values: readonly string[]): string => `[${values.map(quoted).join(', ')}]`;
const block = (name: string, lines: readonly (string | undefined)[]): string =>
  `  ${name} {\n${lines
    .filter(Boolean)
    .map((line) => `    ${line}\n`)
    .join('')}  }`;
/** A name that Terraform takes for a resource. */
const labelOf = (name: string): string => name.replaceAll(/[^\w-]+/g, '_').replace(/^(?![A-Za-z_])/, '_') || 'server';

interface Disk {
  readonly uuid: string;
  readonly source_type: string;
  readonly destination_type: string;
  readonly volume_size?: number;
  readonly boot_index: number;
  readonly delete_on_termination: boolean;
}

/** The same server as the OpenStack provider of Terraform makes it (resource openstack_compute_instance_v2). */
export function terraformOf(body: LaunchBody): string {
  const { server } = body;
  const text = (key: string): string | undefined => (typeof server[key] === 'string' ? (server[key] as string) : undefined);
  const networks = server['networks'];
  const metadata = Object.entries((server['metadata'] ?? {}) as Readonly<Record<string, string>>);
  const disks = (server['block_device_mapping_v2'] ?? []) as readonly Disk[];
  const groups = ((server['security_groups'] ?? []) as readonly { readonly name: string }[]).map(({ name }) => name);
  const count = Number(server['max_count'] ?? 1);
  const line = (key: string, value: string | undefined): string | undefined => (value === undefined ? undefined : `  ${key} = ${quoted(value)}`);
  const group = body['os:scheduler_hints']?.group;
  return [
    `resource "openstack_compute_instance_v2" ${quoted(labelOf(text('name') ?? ''))} {`,
    count > 1 ? `  count = ${count}` : undefined,
    count > 1 ? `  name = "${quoted(text('name') ?? '').slice(1, -1)}-\${count.index + 1}"` : line('name', text('name')),
    line('flavor_id', text('flavorRef')),
    line('image_id', text('imageRef')),
    line('key_pair', text('key_name')),
    line('availability_zone', text('availability_zone')),
    groups.length > 0 ? `  security_groups = ${list(groups)}` : undefined,
    text('user_data') === undefined ? undefined : '  user_data = file("user-data.txt")',
    networks === 'auto' ? '  network_mode = "auto"' : undefined,
    Array.isArray(server['tags']) ? `  tags = ${list(server['tags'] as readonly string[])}` : undefined,
    metadata.length > 0 ? `  metadata = {\n${metadata.map(([key, value]) => `    ${quoted(key)} = ${quoted(value)}\n`).join('')}  }` : undefined,
    ...disks.map((disk) =>
      block('block_device', [
        `uuid = ${quoted(disk.uuid)}`,
        `source_type = ${quoted(disk.source_type)}`,
        `destination_type = ${quoted(disk.destination_type)}`,
        disk.volume_size === undefined ? undefined : `volume_size = ${disk.volume_size}`,
        `boot_index = ${disk.boot_index}`,
        `delete_on_termination = ${disk.delete_on_termination}`,
      ]),
    ),
    ...(Array.isArray(networks) ? (networks as readonly { readonly uuid?: string; readonly port?: string }[]) : []).map(({ uuid, port }) =>
      block('network', [uuid === undefined ? undefined : `uuid = ${quoted(uuid)}`, port === undefined ? undefined : `port = ${quoted(port)}`]),
    ),
    group === undefined ? undefined : block('scheduler_hints', [`group = ${quoted(group)}`]),
    '}',
  ]
    .filter((part) => part !== undefined)
    .join('\n');
}
