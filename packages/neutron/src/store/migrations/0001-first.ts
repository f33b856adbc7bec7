import type { EngineName } from '@cairn/kit/store/store';
import { type CreateTableBuilder, type Kysely, sql } from 'kysely';

type Columns = Readonly<Record<string, 'text' | 'text?' | 'integer' | 'integer?' | 'bigint'>>;

const STANDARD: Columns = {
  id: 'text',
  project_id: 'text',
  description: 'text?',
  created_at_ms: 'bigint',
  updated_at_ms: 'bigint',
  revision_number: 'integer',
};

/** The tables of the first release; see ../tables.ts for what each column means. */
export async function first(db: Kysely<any>, _engine: EngineName): Promise<void> {
  const create = (name: string, columns: Columns, key: readonly string[]): CreateTableBuilder<string, never> => {
    let table = db.schema.createTable(name) as CreateTableBuilder<string, any>;
    for (const [column, type] of Object.entries(columns)) {
      table = table.addColumn(column, type.replace('?', '') as 'text', (c) => (type.endsWith('?') ? c : c.notNull()));
    }
    return table.addPrimaryKeyConstraint(`${name}_pk`, [...key] as never[]) as unknown as CreateTableBuilder<string, never>;
  };
  const index = (name: string, table: string, columns: readonly string[]) =>
    db.schema
      .createIndex(name)
      .on(table)
      .columns([...columns]);

  await create(
    'neutron_network',
    {
      ...STANDARD,
      name: 'text',
      admin_state_up: 'integer',
      status: 'text',
      mtu: 'integer',
      external: 'integer',
      is_default: 'integer',
      port_security_enabled: 'integer',
      dns_domain: 'text',
      network_type: 'text',
      physical_network: 'text',
      segmentation_id: 'integer',
      az_hints_json: 'text',
      tags_json: 'text',
    },
    ['id'],
  ).execute();
  await index('neutron_network_project', 'neutron_network', ['project_id', 'id']).execute();
  await sql`create index neutron_network_external on neutron_network (id) where external = 1`.execute(db);
  await sql`create unique index neutron_network_segment on neutron_network (network_type, physical_network, segmentation_id) where network_type <> 'local'`.execute(
    db,
  );

  await create('neutron_rbac', { id: 'text', project_id: 'text', object_type: 'text', object_id: 'text', action: 'text', target_project: 'text' }, [
    'id',
  ]).execute();
  await index('neutron_rbac_object', 'neutron_rbac', ['object_id', 'action', 'target_project', 'object_type']).unique().execute();
  await index('neutron_rbac_target', 'neutron_rbac', ['object_type', 'target_project', 'action', 'object_id']).execute();
  await index('neutron_rbac_project', 'neutron_rbac', ['project_id', 'id']).execute();

  await create(
    'neutron_subnet',
    {
      ...STANDARD,
      name: 'text',
      network_id: 'text',
      network_project_id: 'text',
      ip_version: 'integer',
      cidr: 'text',
      first_key: 'text',
      last_key: 'text',
      gateway_ip: 'text?',
      enable_dhcp: 'integer',
      ipv6_ra_mode: 'text?',
      ipv6_address_mode: 'text?',
      subnetpool_id: 'text?',
      dns_nameservers_json: 'text',
      host_routes_json: 'text',
      allocation_pools_json: 'text',
      service_types_json: 'text',
      next_key: 'text',
      tags_json: 'text',
    },
    ['id'],
  ).execute();
  await index('neutron_subnet_project', 'neutron_subnet', ['project_id', 'id']).execute();
  await index('neutron_subnet_network', 'neutron_subnet', ['network_id', 'id']).execute();
  await index('neutron_subnet_pool', 'neutron_subnet', ['subnetpool_id', 'first_key']).execute();

  await create(
    'neutron_subnetpool',
    {
      ...STANDARD,
      name: 'text',
      ip_version: 'integer',
      prefixes_json: 'text',
      min_prefixlen: 'integer',
      max_prefixlen: 'integer',
      default_prefixlen: 'integer',
      default_quota: 'integer?',
      is_default: 'integer',
      address_scope_id: 'text?',
      tags_json: 'text',
    },
    ['id'],
  ).execute();
  await index('neutron_subnetpool_project', 'neutron_subnetpool', ['project_id', 'id']).execute();
  await index('neutron_subnetpool_scope', 'neutron_subnetpool', ['address_scope_id', 'id']).execute();
  await sql`create unique index neutron_subnetpool_default on neutron_subnetpool (ip_version) where is_default = 1`.execute(db);
  await create('neutron_address_scope', { id: 'text', project_id: 'text', name: 'text', ip_version: 'integer' }, ['id']).execute();
  await index('neutron_address_scope_project', 'neutron_address_scope', ['project_id', 'id']).execute();

  await create(
    'neutron_port',
    {
      ...STANDARD,
      name: 'text',
      network_id: 'text',
      network_project_id: 'text',
      mac_address: 'text',
      admin_state_up: 'integer',
      status: 'text',
      device_id: 'text',
      device_owner: 'text',
      ip_allocation: 'text',
      port_security_enabled: 'integer',
      dns_name: 'text',
      dns_domain: 'text',
      propagate_uplink_status: 'integer',
      binding_host: 'text',
      binding_vnic_type: 'text',
      binding_vif_type: 'text',
      binding_profile_json: 'text',
      allowed_address_pairs_json: 'text',
      extra_dhcp_opts_json: 'text',
      tags_json: 'text',
    },
    ['id'],
  ).execute();
  await index('neutron_port_mac', 'neutron_port', ['network_id', 'mac_address']).unique().execute();
  await index('neutron_port_project', 'neutron_port', ['project_id', 'id']).execute();
  // ports of others on a project's networks
  await sql`create index neutron_port_guest on neutron_port (network_project_id, id) where project_id <> network_project_id`.execute(db);
  await index('neutron_port_network', 'neutron_port', ['network_id', 'id']).execute();
  await index('neutron_port_network_host', 'neutron_port', ['network_id', 'binding_host']).execute();
  await index('neutron_port_network_owner', 'neutron_port', ['network_id', 'device_owner']).execute();
  await index('neutron_port_device', 'neutron_port', ['device_id', 'id']).execute();
  await index('neutron_port_host', 'neutron_port', ['binding_host', 'id']).execute();

  await create('neutron_ip_allocation', { network_id: 'text', ip_key: 'text', ip_address: 'text', subnet_id: 'text', port_id: 'text', position: 'integer' }, [
    'network_id',
    'ip_key',
  ]).execute();
  await index('neutron_ip_allocation_port', 'neutron_ip_allocation', ['port_id', 'position']).execute();
  await index('neutron_ip_allocation_subnet', 'neutron_ip_allocation', ['subnet_id', 'ip_key']).execute();
  await index('neutron_ip_allocation_address', 'neutron_ip_allocation', ['ip_address']).execute();
  await create('neutron_ip_free', { subnet_id: 'text', first_key: 'text', last_key: 'text' }, ['subnet_id', 'first_key']).execute();

  await create('neutron_port_security_group', { port_id: 'text', security_group_id: 'text' }, ['port_id', 'security_group_id']).execute();
  await index('neutron_port_security_group_group', 'neutron_port_security_group', ['security_group_id', 'port_id']).execute();

  await create(
    'neutron_router',
    {
      ...STANDARD,
      name: 'text',
      admin_state_up: 'integer',
      status: 'text',
      enable_snat: 'integer',
      distributed: 'integer',
      ha: 'integer',
      gw_port_id: 'text?',
      gw_network_id: 'text?',
      routes_json: 'text',
      az_hints_json: 'text',
      tags_json: 'text',
    },
    ['id'],
  ).execute();
  await index('neutron_router_project', 'neutron_router', ['project_id', 'id']).execute();
  await index('neutron_router_gateway', 'neutron_router', ['gw_network_id', 'id']).execute();

  await create(
    'neutron_floatingip',
    {
      ...STANDARD,
      floating_network_id: 'text',
      floating_ip_address: 'text',
      floating_port_id: 'text',
      fixed_port_id: 'text?',
      fixed_ip_address: 'text?',
      router_id: 'text?',
      status: 'text',
      dns_name: 'text',
      dns_domain: 'text',
      tags_json: 'text',
    },
    ['id'],
  ).execute();
  await index('neutron_floatingip_project', 'neutron_floatingip', ['project_id', 'id']).execute();
  await index('neutron_floatingip_network', 'neutron_floatingip', ['floating_network_id', 'id']).execute();
  await index('neutron_floatingip_address', 'neutron_floatingip', ['floating_ip_address', 'id']).execute();
  await index('neutron_floatingip_router', 'neutron_floatingip', ['router_id', 'id']).execute();
  await index('neutron_floatingip_fixed', 'neutron_floatingip', ['fixed_port_id', 'fixed_ip_address', 'floating_network_id']).unique().execute();

  await create('neutron_security_group', { ...STANDARD, name: 'text', stateful: 'integer', is_default: 'integer', tags_json: 'text' }, ['id']).execute();
  await index('neutron_security_group_project', 'neutron_security_group', ['project_id', 'id']).execute();
  await index('neutron_security_group_name', 'neutron_security_group', ['project_id', 'name', 'id']).execute();
  await sql`create unique index neutron_security_group_default on neutron_security_group (project_id) where is_default = 1`.execute(db);
  await create(
    'neutron_security_group_rule',
    {
      ...STANDARD,
      security_group_id: 'text',
      group_project_id: 'text',
      direction: 'text',
      ethertype: 'text',
      protocol: 'text?',
      port_range_min: 'integer?',
      port_range_max: 'integer?',
      remote_group_id: 'text?',
      remote_ip_prefix: 'text?',
      belongs_to_default_sg: 'integer',
      rule_key: 'text',
    },
    ['id'],
  ).execute();
  await index('neutron_security_group_rule_key', 'neutron_security_group_rule', ['security_group_id', 'rule_key']).unique().execute();
  await index('neutron_security_group_rule_project', 'neutron_security_group_rule', ['project_id', 'id']).execute();
  await index('neutron_security_group_rule_owner', 'neutron_security_group_rule', ['group_project_id', 'id']).execute();
  await index('neutron_security_group_rule_remote', 'neutron_security_group_rule', ['remote_group_id']).execute();

  await create('neutron_tag', { resource_id: 'text', tag: 'text', resource_type: 'text' }, ['resource_id', 'tag']).execute();
  await index('neutron_tag_tag', 'neutron_tag', ['resource_type', 'tag', 'resource_id']).execute();
  await create('neutron_quota', { project_id: 'text', resource: 'text', hard_limit: 'bigint' }, ['project_id', 'resource']).execute();
  await create(
    'neutron_agent',
    {
      id: 'text',
      agent_type: 'text',
      binary: 'text',
      host: 'text',
      admin_state_up: 'integer',
      description: 'text?',
      created_at_ms: 'bigint',
      started_at_ms: 'bigint',
      heartbeat_ms: 'bigint',
    },
    ['id'],
  ).execute();
  await index('neutron_agent_host', 'neutron_agent', ['host']).execute();
}
