import { rowsAmong } from '@cairn/kit/store/among';
import { findRow } from '@cairn/kit/store/rows';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { qosPolicyNotFound, qosRuleNotFound } from '../errors.ts';
import { sharedIds } from './rbac.ts';
import type { ListMaker } from './select.ts';
import type { FloatingIpRow, NeutronTables, PortRow, QosPolicyRow, QosRuleRow, RouterRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const qosPolicyLists: ListMaker<QosPolicyRow> = {
  spec: {
    table: 'neutron_qos_policy',
    id: 'id',
    unknownMarker: (marker) => qosPolicyNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      is_default: { column: 'is_default', type: 'boolean' },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [
    sql<boolean>`neutron_qos_policy.project_id = ${projectId}`,
    sql<boolean>`(neutron_qos_policy.id in ${sharedIds('qos_policy', projectId)} and neutron_qos_policy.project_id <> ${projectId})`,
  ],
  special(_db, field, values, scope) {
    if (field !== 'shared') return undefined;
    const shared = sql<boolean>`neutron_qos_policy.id in ${sharedIds('qos_policy', scope.projectId ?? '*')}`;
    return values[0] ? shared : sql<boolean>`not ${shared}`;
  },
};

/** The rules of one type. */
export const qosRuleLists = (type: string): ListMaker<QosRuleRow> => ({
  spec: {
    table: 'neutron_qos_rule',
    id: 'id',
    unknownMarker: (marker) => qosRuleNotFound(String(marker), ''),
    columns: {
      id: 'id',
      direction: { column: 'direction', nullable: true },
      max_kbps: { column: 'max_kbps', nullable: true, type: 'integer' },
      max_burst_kbps: { column: 'max_burst_kbps', nullable: true, type: 'integer' },
      dscp_mark: { column: 'dscp_mark', nullable: true, type: 'integer' },
      min_kbps: { column: 'min_kbps', nullable: true, type: 'integer' },
      min_kpps: { column: 'min_kpps', nullable: true, type: 'integer' },
      max_kpps: { column: 'max_kpps', nullable: true, type: 'integer' },
      max_burst_kpps: { column: 'max_burst_kpps', nullable: true, type: 'integer' },
    },
  },
  always: sql<boolean>`neutron_qos_rule.type = ${type}`,
  visible: () => [],
});

export const rulesOfPolicies = (db: Db, policyIds: readonly string[]): Promise<QosRuleRow[]> =>
  rowsAmong<QosRuleRow>(db, 'neutron_qos_rule', 'policy_id', policyIds, ['id']);

export const defaultPolicyOf = (db: Db, projectId: string): Promise<{ id: string } | undefined> =>
  findRow<{ id: string }>(db, 'neutron_qos_policy', { project_id: projectId, is_default: 1 }, { columns: ['id'] });

/** What a policy is laid on, in the order in which upstream looks: the kind and id of one. */
export async function userOfPolicy(db: Db, policyId: string): Promise<{ kind: string; id: string } | undefined> {
  for (const [kind, table] of [
    ['network', 'neutron_network'],
    ['port', 'neutron_port'],
    ['floating_ip', 'neutron_floatingip'],
    ['router', 'neutron_router'],
  ] as const) {
    const row = await tables(db).selectFrom(table).select('id').where('qos_policy_id', '=', policyId).limit(1).executeTakeFirst();
    if (row) return { kind, id: row.id };
  }
  return undefined;
}

/** The ports that a policy holds for: its own, and those of its networks that have none of their own. */
export async function portsUnderPolicy(db: Db, policyId: string): Promise<Pick<PortRow, 'id' | 'device_owner' | 'device_id'>[]> {
  const columns = sql`id, device_owner, device_id`;
  const { rows } = await sql<Pick<PortRow, 'id' | 'device_owner' | 'device_id'>>`
    select ${columns} from neutron_port where qos_policy_id = ${policyId}
    union all select ${columns} from neutron_port where network_qos_policy_id = ${policyId} and qos_policy_id is null`.execute(db.kysely);
  return rows;
}

/** The routers whose gateway or floating IPs a policy holds for. */
export async function routersUnderPolicy(db: Db, policyId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string | null }>`
    select id from neutron_router where qos_policy_id = ${policyId}
    union select router_id as id from neutron_floatingip where qos_policy_id = ${policyId}
    union select router_id as id from neutron_floatingip where network_qos_policy_id = ${policyId}`.execute(db.kysely);
  return rows.flatMap((row) => row.id ?? []);
}

/** Tells a network's ports and floating IPs its policy. */
export async function layOnNetwork(tx: Tx, networkId: string, policyId: string | null): Promise<{ ports: string[]; routers: string[] }> {
  const ports = await sql<Pick<PortRow, 'id' | 'device_id' | 'device_owner'>>`
    update neutron_port set network_qos_policy_id = ${policyId} where network_id = ${networkId} returning id, device_id, device_owner`.execute(tx.kysely);
  const floating = await sql<Pick<FloatingIpRow, 'router_id'>>`
    update neutron_floatingip set network_qos_policy_id = ${policyId} where floating_network_id = ${networkId} returning router_id`.execute(tx.kysely);
  const gateways = ports.rows.filter((port) => port.device_owner === 'network:router_gateway').map((port) => port.device_id);
  return { ports: ports.rows.map((port) => port.id), routers: [...new Set([...gateways, ...floating.rows.flatMap((row) => row.router_id ?? [])])] };
}

/** Which policy holds for what a row is of. */
export const effectivePolicy = (row: Pick<PortRow, 'qos_policy_id' | 'network_qos_policy_id'>): string | null => row.qos_policy_id ?? row.network_qos_policy_id;

/** The policy of a router's gateway. */
export const gatewayPolicy = (router: Pick<RouterRow, 'qos_policy_id'>, port: Pick<PortRow, 'network_qos_policy_id'> | undefined): string | null =>
  router.qos_policy_id ?? port?.network_qos_policy_id ?? null;
