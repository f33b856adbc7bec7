import { findRow, findRows, updateRows } from '@cairn/kit/store/rows';
import { insertRow } from '@cairn/kit/store/insert';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { prepared } from '@cairn/kit/store/prepared';
import { rowsOf } from '@cairn/kit/store/kept-rows';
import { type RawBuilder, sql } from 'kysely';
import { portNotFound } from '../errors.ts';
import { canonicalIp } from '../net/ip.ts';
import { canonicalMac } from '../net/mac.ts';
import { among, type ListMaker } from './select.ts';
import type { NeutronTables, PortRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

/** Ports that go with their network or subnet by themselves. */
export const AUTO_DELETE_OWNERS = ['network:dhcp', 'network:distributed', 'network:floatingip_agent_gateway'];
/** Ports by which routers are on networks. */
export const ROUTER_INTERFACE_OWNERS = ['network:router_interface', 'network:ha_router_replicated_interface', 'network:router_interface_distributed'];

const addressFilter = (condition: RawBuilder<boolean>): RawBuilder<boolean> =>
  sql`neutron_port.id in (select port_id from neutron_ip_allocation where ${condition})`;

export const portLists: ListMaker<PortRow> = {
  spec: {
    table: 'neutron_port',
    id: 'id',
    unknownMarker: (marker) => portNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      network_id: 'network_id',
      admin_state_up: { column: 'admin_state_up', type: 'boolean' },
      mac_address: 'mac_address',
      device_id: 'device_id',
      device_owner: 'device_owner',
      status: 'status',
      'binding:host_id': 'binding_host',
      ip_allocation: 'ip_allocation',
      qos_policy_id: { column: 'qos_policy_id', nullable: true },
      qos_network_policy_id: { column: 'network_qos_policy_id', nullable: true },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  // a network's owner sees all ports on it
  visible: (_db, projectId) => [
    sql<boolean>`neutron_port.project_id = ${projectId}`,
    sql<boolean>`(neutron_port.network_project_id = ${projectId} and neutron_port.project_id <> neutron_port.network_project_id)`,
  ],
  special(db, field, values) {
    if (field === 'security_groups') {
      return sql`neutron_port.id in (select port_id from neutron_port_security_group where ${among(db, sql.ref('security_group_id'), values.map(String))})`;
    }
    if (field === 'mac_address')
      return among(
        db,
        sql.ref('neutron_port.mac_address'),
        values.map((value) => canonicalMac(String(value)) ?? String(value)),
      );
    return undefined;
  },
  pairs(db, field, pairs) {
    if (field !== 'fixed_ips') return undefined;
    const conditions: RawBuilder<boolean>[] = [];
    if (pairs.ip_address) conditions.push(addressFilter(among(db, sql.ref('ip_address'), pairs.ip_address.map(canonicalIp))));
    if (pairs.subnet_id) conditions.push(addressFilter(among(db, sql.ref('subnet_id'), pairs.subnet_id)));
    if (pairs.ip_address_substr)
      conditions.push(
        addressFilter(
          sql`(${sql.join(
            pairs.ip_address_substr.map((part) => contains(db, part)),
            sql` or `,
          )})`,
        ),
      );
    return conditions.length === 0 ? undefined : sql`(${sql.join(conditions, sql` and `)})`;
  },
};

/** A port with what its view shows besides: subnet and address of each of its addresses, and its security groups. */
export interface ListedPort extends PortRow {
  readonly addresses: readonly (readonly [subnetId: string, ipAddress: string])[];
  readonly groups: readonly string[];
}

/** Pages of ports, as they are listed again and again. */
export const portPages: ListMaker<ListedPort> = {
  ...portLists,
  spec: {
    ...portLists.spec,
    kept: {
      parts: {
        addresses: rowsOf(['subnet_id', 'ip_address'], 'neutron_ip_allocation where port_id = neutron_port.id', 'position'),
        groups: rowsOf(['security_group_id'], 'neutron_port_security_group where port_id = neutron_port.id', 'security_group_id'),
      },
    },
  },
};

const contains = (db: Db, part: string): RawBuilder<boolean> =>
  db.engine === 'sqlite' ? sql`instr(ip_address, ${part}) > 0` : sql`strpos(ip_address, ${part}) > 0`;

/** Inserts a port; false where its id or its MAC is taken. */
export async function insertPort(tx: Tx, row: PortRow): Promise<boolean> {
  return (await insertRow(tx, 'neutron_port', row, 'skip')) > 0;
}

export const findPort = (db: Db, id: string): Promise<PortRow | undefined> => findRow<PortRow>(db, 'neutron_port', { id });
export const portsByIds = (db: Db, ids: readonly string[]): Promise<PortRow[]> => rowsAmong<PortRow>(db, 'neutron_port', 'id', ids, ['id']);
export const updatePort = (tx: Tx, id: string, columns: Partial<PortRow>) => updateRows<PortRow>(tx, 'neutron_port', columns, { id });
export const deletePortRow = async (tx: Tx, id: string): Promise<void> => {
  await tables(tx).deleteFrom('neutron_port_security_group').where('port_id', '=', id).execute();
  await tables(tx).deleteFrom('neutron_port').where('id', '=', id).execute();
};

export async function macIsUsed(db: Db, networkId: string, mac: string): Promise<boolean> {
  return (await findRow(db, 'neutron_port', { network_id: networkId, mac_address: mac }, { columns: ['id'] })) !== undefined;
}

export const portsOfDevices = (db: Db, deviceIds: readonly string[]): Promise<PortRow[]> =>
  rowsAmong<PortRow>(db, 'neutron_port', 'device_id', deviceIds, ['created_at_ms']);
export const portsOfNetworks = (db: Db, networkIds: readonly string[]): Promise<PortRow[]> =>
  rowsAmong<PortRow>(db, 'neutron_port', 'network_id', networkIds, ['id']);

/** A network's ports of some owners. */
export async function portsOfOwners(db: Db, networkIds: readonly string[], owners: readonly string[]): Promise<PortRow[]> {
  if (networkIds.length === 0) return [];
  return findRows<PortRow>(db, 'neutron_port', { network_id: networkIds, device_owner: owners }, { orderBy: ['id'] });
}

/** Ids of ports that keep a network from being deleted. */
export async function portsBlockingNetwork(db: Db, networkId: string): Promise<string[]> {
  const rows = await tables(db)
    .selectFrom('neutron_port')
    .select('id')
    .where('network_id', '=', networkId)
    .where('device_owner', 'not in', AUTO_DELETE_OWNERS)
    .orderBy('id')
    .limit(100)
    .execute();
  return rows.map((row) => row.id);
}

export const anyPortOf = async (db: Db, networkId: string, owner: string): Promise<boolean> =>
  (await tables(db)
    .selectFrom('neutron_port')
    .select('id')
    .where('network_id', '=', networkId)
    .where('device_owner', '=', owner)
    .limit(1)
    .executeTakeFirst()) !== undefined;

/** The projects that have ports of their own or subnets on a network. */
export async function projectsOnNetwork(db: Db, networkId: string): Promise<string[]> {
  const { rows } = await sql<{ project_id: string }>`
    select distinct project_id from neutron_port where network_id = ${networkId} and device_owner not like 'network:%'
    union select distinct project_id from neutron_subnet where network_id = ${networkId}`.execute(db.kysely);
  return rows.map((row) => row.project_id);
}

/** Is there a port that holds addresses of this subnet and is of none of these owners (`others`), or of one of them? */
export async function portOnSubnet(db: Db, subnetId: string, owners: readonly string[], others: boolean): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    select p.id from neutron_ip_allocation a join neutron_port p on p.id = a.port_id
    where a.subnet_id = ${subnetId} and p.device_owner ${others ? sql`not in` : sql`in`} (${sql.join([...owners])}) limit 1`.execute(db.kysely);
  return rows[0]?.id;
}

/** Ports on a host, a page at a time. */
export const portsOfHost = (db: Db, host: string, after: string, limit: number): Promise<PortRow[]> =>
  tables(db)
    .selectFrom('neutron_port')
    .selectAll()
    .where((e) => e.or([e('binding_host', '=', host), e.and([e('coming_host', '=', host), e('coming_host', '<>', '')])]))
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
/** How many ports of a network are read at once. */
export const NETWORK_PAGE = 500;

const networkPage = prepared<NeutronTables, { network: string; after: string }, PortRow>((db, place) =>
  db.selectFrom('neutron_port').selectAll().where('network_id', '=', place('network')).where('id', '>', place('after')).orderBy('id').limit(NETWORK_PAGE),
);

/** Ports of a network, a page at a time. */
export const portsOfNetworkAfter = async (db: Db, networkId: string, after: string): Promise<PortRow[]> =>
  (await networkPage(db, { network: networkId, after })).rows;

/** The ports of a network that have allowed address pairs. */
export const portsWithPairs = (db: Db, networkId: string): Promise<PortRow[]> =>
  tables(db).selectFrom('neutron_port').selectAll().where('network_id', '=', networkId).where('allowed_address_pairs_json', '<>', '[]').orderBy('id').execute();

/** Has a network ports that are bound to a host, or coming there? */
export async function networkHasPorts(db: Db, networkId: string, host: string): Promise<boolean> {
  const bound = await findRow(db, 'neutron_port', { network_id: networkId, binding_host: host }, { columns: ['id'] });
  if (bound !== undefined) return true;
  const coming = tables(db)
    .selectFrom('neutron_port')
    .select('id')
    .where('coming_host', '=', host)
    .where('coming_host', '<>', '')
    .where('network_id', '=', networkId);
  return (await coming.limit(1).executeTakeFirst()) !== undefined;
}

/** The hosts that have ports of these networks. */
export async function hostsOfNetworks(db: Db, networkIds: readonly string[]): Promise<Map<string, Set<string>>> {
  const hosts = new Map<string, Set<string>>(networkIds.map((id) => [id, new Set()]));
  for (let at = 0; at < networkIds.length; at += 500) {
    const { rows } = await sql<{ network_id: string; binding_host: string }>`
      select distinct network_id, binding_host from neutron_port
      where ${among(db, sql.ref('network_id'), networkIds.slice(at, at + 500))} and binding_host <> ''`.execute(db.kysely);
    const coming = await sql<{ network_id: string; coming_host: string }>`
      select distinct network_id, coming_host from neutron_port
      where coming_host <> '' and ${among(db, sql.ref('network_id'), networkIds.slice(at, at + 500))}`.execute(db.kysely);
    for (const row of rows) hosts.get(row.network_id)?.add(row.binding_host);
    for (const row of coming.rows) hosts.get(row.network_id)?.add(row.coming_host);
  }
  return hosts;
}

/** Ports that list one of these groups, in pages. */
export async function portsOfGroups(db: Db, groupIds: readonly string[], after: string, limit: number): Promise<PortRow[]> {
  const { rows } = await sql<PortRow>`
    select * from neutron_port where id > ${after} and id in (
      select port_id from neutron_port_security_group where ${among(db, sql.ref('security_group_id'), groupIds)})
    order by id limit ${sql.lit(limit)}`.execute(db.kysely);
  return rows;
}

/** Marks plugged ports of a host as ACTIVE; gives those that were not yet. */
export async function activatePorts(tx: Tx, host: string, ids: readonly string[], nowMs: number): Promise<PortRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<PortRow>`
    update neutron_port set status = 'ACTIVE', updated_at_ms = ${nowMs}, revision_number = revision_number + 1
    where ${among(tx, sql.ref('id'), ids)} and binding_host = ${host} and binding_vif_type = 'tap' and admin_state_up = 1
      and status = 'DOWN' and (device_owner like 'compute:%' or device_owner like 'network:%' or device_owner = 'trunk:subport')
    returning *`.execute(tx.kysely);
  return rows;
}

export const deactivatePort = (tx: Tx, host: string, id: string, nowMs: number) =>
  sql`update neutron_port set status = 'DOWN', updated_at_ms = ${nowMs}, revision_number = revision_number + 1 where id = ${id} and binding_host = ${host} and status = 'ACTIVE'`.execute(
    tx.kysely,
  );

/** The ports of a network that are plugged on some host. */
export const boundPortsOf = (db: Db, networkId: string): Promise<PortRow[]> =>
  tables(db)
    .selectFrom('neutron_port')
    .selectAll()
    .where('network_id', '=', networkId)
    .where('binding_host', '<>', '')
    .where('binding_vif_type', '=', 'tap')
    .execute();
