import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit } from '@cairn/kit/store/values';
import { standardView } from '../attributes/times.ts';
import { defaultQosPolicyExists, qosPolicyInUse, qosPolicyNotFound, qosRemoveNotAllowed } from '../errors.ts';
import { portKey, routerKey } from '../fabric/keys.ts';
import { QOS_POLICY } from '../resources/qos.ts';
import { defaultPolicyOf, layOnNetwork, portsUnderPolicy, qosPolicyLists, routersUnderPolicy, rulesOfPolicies, userOfPolicy } from '../store/qos.ts';
import { insertRbac, removeRbac, removeRbacOf, SHARED, sharedAmong, targetsOf } from '../store/rbac.ts';
import { deleteRowsOf } from '../store/rows.ts';
import { selectOne } from '../store/select.ts';
import type { QosPolicyRow, QosRuleRow } from '../store/tables.ts';
import { type Loaded, newRow, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, sameNamed, verbsOf, type Work } from './kinds.ts';
import { ruleView } from './qos-rule-view.ts';

async function views(_app: NeutronApp, db: Db, rows: readonly QosPolicyRow[], ctx: Context): Promise<Loaded[]> {
  const ids = rows.map((row) => row.id);
  const [shared, rules] = [await sharedAmong(db, ids, ctx.projectId), Map.groupBy(await rulesOfPolicies(db, ids), (rule) => rule.policy_id)];
  return rows.map((row) => ({ view: policyView(row, rules.get(row.id) ?? [], shared.has(row.id)) }));
}

function policyView(row: QosPolicyRow, rules: readonly QosRuleRow[], shared: boolean): Record<string, unknown> {
  const view = standardView(row);
  view.name = row.name;
  view.shared = shared;
  view.is_default = row.is_default === 1;
  view.rules = rules.map((rule) => ({ ...ruleView(rule), qos_policy_id: row.id, type: rule.type }));
  view.tags = fromJson(row.tags_json);
  return view;
}

const KIND: Kind<QosPolicyRow> = {
  resource: QOS_POLICY,
  lists: qosPolicyLists,
  notFound: qosPolicyNotFound,
  views,
  async create({ app, tx }, values) {
    const row = { ...newRow(app, values), name: String(values.name), is_default: toBit(values.is_default === true), tags_json: '[]' };
    if (row.is_default === 1) await requireNoDefault(tx, row.project_id);
    return row;
  },
  async update({ tx }, row, values) {
    if (values.is_default === true && row.is_default === 0) await requireNoDefault(tx, row.project_id);
    return sameNamed<QosPolicyRow>(values, ['name', 'description'], ['is_default']);
  },
  async remove({ tx }, row) {
    const user = await userOfPolicy(tx, row.id);
    if (user) throw qosPolicyInUse(row.id, user.kind, user.id);
    await deleteRowsOf(tx, 'neutron_qos_rule', 'policy_id', row.id);
    await removeRbacOf(tx, row.id);
  },
  async settle(work, after, _before, values) {
    if (after && 'shared' in values) await share(work, after, values.shared === true);
  },
};

export const qosPolicyVerbs = verbsOf(KIND);

async function requireNoDefault(tx: Tx, projectId: string): Promise<void> {
  if (await defaultPolicyOf(tx, projectId)) throw defaultQosPolicyExists(projectId);
}

async function share({ app, tx }: Work, row: QosPolicyRow, shared: boolean): Promise<void> {
  if (shared === (await targetsOf(tx, row.id, SHARED)).includes('*')) return;
  if (!shared) await removeRbac(tx, row.id, SHARED, '*');
  else
    await insertRbac(tx, {
      id: app.env.ids.uuid(),
      project_id: row.project_id,
      object_type: 'qos_policy',
      object_id: row.id,
      action: SHARED,
      target_project: '*',
    });
}

/** A policy that the caller sees, for a change of its rules. */
export async function requirePolicy(_app: NeutronApp, db: Db, ctx: Context, id: string): Promise<{ projectId: string }> {
  const row = await selectOne<QosPolicyRow>(db, qosPolicyLists, id, scopeOf(ctx));
  if (!row) throw qosPolicyNotFound(id);
  return { projectId: row.project_id };
}

/** The hosts hear of what a policy is laid on. */
export async function touchPolicy(app: NeutronApp, tx: Tx, policyId: string): Promise<void> {
  const ports = await portsUnderPolicy(tx, policyId);
  const gateways = ports.filter((port) => port.device_owner === 'network:router_gateway').map((port) => port.device_id);
  const routers = new Set([...(await routersUnderPolicy(tx, policyId)), ...gateways]);
  app.pusher.touch(tx, [...ports.map((port) => portKey(port.id)), ...[...routers].map(routerKey)]);
}

/**
 * The policy that a request lays on a port, network, floating IP or gateway: one that the caller may use. Taking away (or replacing) one that he may
 * not is refused (neutron/core_extensions/qos.py).
 */
export async function chosenPolicy(tx: Tx, ctx: Context, asked: string | null, before: string | null): Promise<string | null> {
  if (asked === before) return asked;
  const sees = async (id: string): Promise<boolean> => isAdmin(ctx) || (await selectOne(tx, qosPolicyLists, id, scopeOf(ctx))) !== undefined;
  if (before !== null && !(await sees(before))) throw qosRemoveNotAllowed(before);
  if (asked !== null && !(await selectOne(tx, qosPolicyLists, asked, scopeOf(ctx)))) throw qosPolicyNotFound(asked);
  return asked;
}

/** What new networks of projects get that name no policy. */
export async function defaultPolicies(tx: Tx, projectIds: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  const defaults = new Map<string, string>();
  for (const projectId of projectIds) {
    const found = await defaultPolicyOf(tx, projectId);
    if (found) defaults.set(projectId, found.id);
  }
  return defaults;
}

/** Lays a policy (null: none) on what a network has. */
export async function applyNetworkPolicy(app: NeutronApp, tx: Tx, networkId: string, policyId: string | null): Promise<void> {
  const { ports, routers } = await layOnNetwork(tx, networkId, policyId);
  app.pusher.touch(tx, [...ports.map(portKey), ...routers.map(routerKey)]);
}
