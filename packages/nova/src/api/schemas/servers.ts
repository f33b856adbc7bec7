import { IGNORED_SORT_KEYS } from '../../app/server-list.ts';
import * as t from './types.ts';

const legacyMapping = {
  virtual_name: { type: 'string', maxLength: 255 },
  volume_id: t.uuid,
  snapshot_id: t.uuid,
  volume_size: t.volumeSize,
  device_name: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._/\\-]*$' },
  delete_on_termination: t.boolean,
  no_device: {},
  connection_info: { type: 'string', maxLength: 16_777_215 },
};

const mappingV2 = {
  ...legacyMapping,
  source_type: { type: 'string', enum: ['volume', 'image', 'snapshot', 'blank'] },
  uuid: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9._\\-]*$' },
  image_id: t.uuid,
  destination_type: { type: 'string', enum: ['local', 'volume'] },
  guest_format: { type: 'string', maxLength: 255 },
  device_type: { type: 'string', maxLength: 255 },
  disk_bus: { type: 'string', maxLength: 255 },
  boot_index: { type: ['integer', 'string', 'null'], pattern: '^-?[0-9]+$' },
};

const idOrIds = { oneOf: [t.uuid, { type: 'array', items: t.uuid }] };
const hints = {
  type: 'object',
  properties: {
    group: idOrIds,
    different_host: idOrIds,
    same_host: { type: ['string', 'array'], items: t.uuid },
    query: { type: ['string', 'object'] },
    target_cell: t.name,
    different_cell: { type: ['string', 'array'], items: { type: 'string' } },
    build_near_host_ip: t.ipAddress,
    cidr: { type: 'string', pattern: '^/[0-9a-f.:]+$' },
  },
  additionalProperties: true,
};

const list = (items: object): object => ({ type: 'array', items });
const closed = (properties: object): object => ({ type: 'object', properties, additionalProperties: false });

/** What each microversion changed in the body of POST /servers: `networks`, mappings and further fields. */
interface CreateForm {
  readonly from: string;
  readonly networks: object;
  readonly networksRequired?: boolean;
  readonly mapping: object;
  readonly personality: boolean;
  readonly more: Readonly<Record<string, object>>;
}

const network = { fixed_ip: t.ipAddress, port: { type: ['string', 'null'], format: 'uuid' }, uuid: { type: 'string' } };
const networkV237 = { ...network, uuid: t.uuid };
const autoOr = (items: object): object => ({ oneOf: [list(closed(items)), { type: 'string', enum: ['none', 'auto'] }] });
const withTag = { tag: t.tag };
const withType = { volume_type: { type: ['string', 'null'], minLength: 0, maxLength: 255 } };
const trustedCerts = { type: ['array', 'null'], minItems: 1, maxItems: 50, uniqueItems: true, items: { type: 'string', minLength: 1 } };
const tags = { type: 'array', items: t.tag, maxItems: 50 };

const described = { description: t.description };
const tagged = { ...described, tags };
const certified = { ...tagged, trusted_image_certificates: trustedCerts };
const placed = { ...certified, host: t.fqdn, hypervisor_hostname: t.fqdn };

const CREATE_FORMS: readonly CreateForm[] = [
  { from: '2.1', networks: list(closed(network)), mapping: mappingV2, personality: true, more: {} },
  { from: '2.19', networks: list(closed(network)), mapping: mappingV2, personality: true, more: described },
  { from: '2.32', networks: list(closed({ ...network, ...withTag })), mapping: { ...mappingV2, ...withTag }, personality: true, more: described },
  // tags of disks were taken back by mistake until 2.42, those of networks from 2.37 to 2.42
  { from: '2.33', networks: list(closed({ ...network, ...withTag })), mapping: mappingV2, personality: true, more: described },
  { from: '2.37', networks: autoOr(networkV237), networksRequired: true, mapping: mappingV2, personality: true, more: described },
  {
    from: '2.42',
    networks: autoOr({ ...networkV237, ...withTag }),
    networksRequired: true,
    mapping: { ...mappingV2, ...withTag },
    personality: true,
    more: described,
  },
  {
    from: '2.52',
    networks: autoOr({ ...networkV237, ...withTag }),
    networksRequired: true,
    mapping: { ...mappingV2, ...withTag },
    personality: true,
    more: tagged,
  },
  {
    from: '2.57',
    networks: autoOr({ ...networkV237, ...withTag }),
    networksRequired: true,
    mapping: { ...mappingV2, ...withTag },
    personality: false,
    more: tagged,
  },
  {
    from: '2.63',
    networks: autoOr({ ...networkV237, ...withTag }),
    networksRequired: true,
    mapping: { ...mappingV2, ...withTag },
    personality: false,
    more: certified,
  },
  {
    from: '2.67',
    networks: autoOr({ ...networkV237, ...withTag }),
    networksRequired: true,
    mapping: { ...mappingV2, ...withTag, ...withType },
    personality: false,
    more: certified,
  },
  {
    from: '2.74',
    networks: autoOr({ ...networkV237, ...withTag }),
    networksRequired: true,
    mapping: { ...mappingV2, ...withTag, ...withType },
    personality: false,
    more: placed,
  },
  {
    from: '2.90',
    networks: autoOr({ ...networkV237, ...withTag }),
    networksRequired: true,
    mapping: { ...mappingV2, ...withTag, ...withType },
    personality: false,
    more: { ...placed, hostname: t.hostname },
  },
  {
    from: '2.94',
    networks: autoOr({ ...networkV237, ...withTag }),
    networksRequired: true,
    mapping: { ...mappingV2, ...withTag, ...withType },
    personality: false,
    more: { ...placed, hostname: t.fqdn },
  },
];

/** Body of POST /servers (nova/api/openstack/compute/schemas/servers.py). */
export const createServer = CREATE_FORMS.map((form) => ({
  from: form.from,
  schema: t.object(
    {
      server: t.object(
        {
          name: t.name,
          imageRef: { oneOf: [t.uuid, { type: 'string', maxLength: 0 }] },
          flavorRef: { type: ['string', 'integer'], minLength: 1 },
          adminPass: { type: 'string' },
          metadata: t.metadata,
          networks: form.networks,
          'OS-DCF:diskConfig': t.diskConfig,
          accessIPv4: t.ipv4,
          accessIPv6: t.ipv6,
          ...(form.personality ? { personality: list(closed({ path: { type: 'string' }, contents: t.base64 })) } : {}),
          availability_zone: t.name,
          block_device_mapping: list(closed(legacyMapping)),
          block_device_mapping_v2: list(closed(form.mapping)),
          config_drive: t.boolean,
          key_name: t.name,
          min_count: t.positiveInteger,
          max_count: t.positiveInteger,
          return_reservation_id: t.boolean,
          security_groups: list(closed({ name: t.name })),
          user_data: { ...t.base64, maxLength: 65_535 },
          ...form.more,
        },
        ['name', 'flavorRef', ...(form.networksRequired === true ? ['networks'] : [])],
      ),
      'os:scheduler_hints': hints,
      'OS-SCH-HNT:scheduler_hints': hints,
    },
    ['server'],
  ),
}));

const update = (more: Readonly<Record<string, object>>) =>
  t.object({ server: t.object({ name: t.name, 'OS-DCF:diskConfig': t.diskConfig, accessIPv4: t.ipv4, accessIPv6: t.ipv6, ...more }) }, ['server']);

/** Body of PUT /servers/{id}. */
export const updateServer = [
  { from: '2.1', schema: update({}) },
  { from: '2.19', schema: update(described) },
  { from: '2.90', schema: update({ ...described, hostname: t.hostname }) },
  { from: '2.94', schema: update({ ...described, hostname: t.fqdn }) },
  { from: '2.104', schema: update({ ...described, hostname: t.fqdn, pinned_availability_zone: t.nameOrNull }) },
];

const SORT_KEYS = [
  'access_ip_v4',
  'access_ip_v6',
  'auto_disk_config',
  'availability_zone',
  'config_drive',
  'created_at',
  'display_description',
  'display_name',
  'host',
  'hostname',
  'image_ref',
  'instance_type_id',
  'kernel_id',
  'key_name',
  'launch_index',
  'launched_at',
  'locked_by',
  'node',
  'power_state',
  'progress',
  'project_id',
  'ramdisk_id',
  'root_device_name',
  'task_state',
  'terminated_at',
  'updated_at',
  'user_id',
  'uuid',
  'vm_state',
];

const text = t.multi({ type: 'string' });
const FILTERS = [
  'user_id',
  'project_id',
  'tenant_id',
  'launch_index',
  'image_ref',
  'image',
  'kernel_id',
  'ramdisk_id',
  'hostname',
  'key_name',
  'power_state',
  'vm_state',
  'task_state',
  'host',
  'node',
  'flavor',
  'reservation_id',
  'launched_at',
  'terminated_at',
  'availability_zone',
  'name',
  'display_name',
  'description',
  'display_description',
  'locked_by',
  'uuid',
  'root_device_name',
  'config_drive',
  'access_ip_v4',
  'access_ip_v6',
  'auto_disk_config',
  'progress',
  'sort_dir',
  'all_tenants',
  'soft_deleted',
  'deleted',
  'status',
  'ip',
  'ip6',
  'created_at',
  // parts of a server that no list can be filtered by; they are let through to be refused in words
  'block_device_mapping',
  'services',
  'metadata',
  'system_metadata',
  'info_cache',
  'security_groups',
  'pci_devices',
];
const base = {
  ...Object.fromEntries(FILTERS.map((filter) => [filter, text])),
  'changes-since': t.multi({ type: 'string', format: 'date-time' }),
  limit: t.multi(t.nonNegativeInteger),
  marker: text,
};
const query = (more: object, sortKeys: readonly string[], open: boolean) =>
  t.json({
    type: 'object',
    properties: { ...base, ...more, sort_key: t.multi({ type: 'string', enum: sortKeys }) },
    patternProperties: { '^_': text },
    additionalProperties: open,
  });
const tagFilters = { tags: text, 'tags-any': text, 'not-tags': text, 'not-tags-any': text };
const before = { ...tagFilters, 'changes-before': t.multi({ type: 'string', format: 'date-time' }) };

/** Query of GET /servers and /servers/detail. */
export const listServersQuery = [
  { from: '2.1', schema: query({}, [...SORT_KEYS, ...IGNORED_SORT_KEYS], true) },
  { from: '2.26', schema: query(tagFilters, [...SORT_KEYS, ...IGNORED_SORT_KEYS], true) },
  { from: '2.66', schema: query(before, [...SORT_KEYS, ...IGNORED_SORT_KEYS], true) },
  { from: '2.73', schema: query({ ...before, locked: text }, [...SORT_KEYS, ...IGNORED_SORT_KEYS], true) },
  { from: '2.75', schema: query({ ...before, locked: text }, [...SORT_KEYS, 'locked'], false) },
];
