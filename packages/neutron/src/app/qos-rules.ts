import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { Resource, Values } from '../attributes/resource.ts';
import { notAuthorized, qosBackedByPlacement, qosParameterConflict, qosRuleNotFound, qosRulesConflict, qosRuleTypeNotFound } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { qosRule, type QosRuleType, RULE_ATTRIBUTES } from '../resources/qos.ts';
import { portsUnderPolicy, qosRuleLists, rulesOfPolicies } from '../store/qos.ts';
import { findRow } from '../store/rows.ts';
import type { QosRuleRow } from '../store/tables.ts';
import type { Loaded } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, type KindVerbs, verbsOf, type Work } from './kinds.ts';
import { requirePolicy, touchPolicy } from './qos-policies.ts';
import { ruleView } from './qos-rule-view.ts';

export const RULE_TYPES = Object.keys(RULE_ATTRIBUTES) as QosRuleType[];

/** Types of rules that placement keeps account of. */
const CLAIMED = new Set<string>(['minimum_bandwidth', 'minimum_packet_rate']);

const NOTHING: Omit<QosRuleRow, 'id' | 'policy_id' | 'type'> = {
  direction: null,
  max_kbps: null,
  max_burst_kbps: null,
  dscp_mark: null,
  min_kbps: null,
  min_kpps: null,
  max_kpps: null,
  max_burst_kpps: null,
};

function kindOf(type: QosRuleType, resource: Resource): Kind<QosRuleRow> {
  const columnsOf = (values: Values): Partial<QosRuleRow> =>
    Object.fromEntries(Object.keys(RULE_ATTRIBUTES[type]).flatMap((name) => (name in values ? [[name, values[name]]] : [])));
  return {
    resource,
    lists: qosRuleLists(type),
    includes: (row) => row.type === type,
    notFound: (id, params) => qosRuleNotFound(id, params.policy_id ?? ''),
    views: (_app, _db, rows) => rows.map((row) => ({ view: ruleView(row) })),
    parent: { param: 'policy_id', column: 'policy_id', require: requirePolicy },
    async create(work, values) {
      const row: QosRuleRow = { ...NOTHING, ...columnsOf(values), id: work.app.env.ids.uuid(), policy_id: String(work.params.policy_id), type };
      await check(work, row, values);
      return row;
    },
    async update(work, row, values) {
      const columns = columnsOf(values);
      await check(work, { ...row, ...columns }, values);
      return columns;
    },
    async remove({ tx }, row) {
      if (CLAIMED.has(type)) await refuseClaimed(tx, row.policy_id);
    },
    settle: async ({ app, tx }, after, before) => touchPolicy(app, tx, String((after ?? before)?.policy_id)),
  };
}

/** neutron/objects/qos/qos_policy_validator.py */
async function check({ tx }: Work, row: QosRuleRow, values: Values): Promise<void> {
  const others = (await rulesOfPolicies(tx, [row.policy_id])).filter((other) => other.id !== row.id);
  for (const other of others) {
    if (other.type === 'dscp_marking' || (values.direction !== undefined && other.direction !== values.direction)) continue;
    const conflict = (value: unknown, existing: unknown): Error => qosParameterConflict(value, row.policy_id, other.type, existing);
    if (other.type === 'minimum_bandwidth' && 'max_kbps' in values && Number(other.min_kbps) > Number(values.max_kbps)) {
      throw conflict(values.max_kbps, other.min_kbps);
    }
    if (other.type === 'bandwidth_limit' && 'min_kbps' in values && Number(other.max_kbps) < Number(values.min_kbps)) {
      throw conflict(values.min_kbps, other.max_kbps);
    }
  }
  for (const other of others.filter((candidate) => candidate.type === row.type)) {
    if (row.type === 'minimum_packet_rate' && (row.direction === 'any') !== (other.direction === 'any')) {
      throw qosParameterConflict(row.direction, row.policy_id, other.type, other.direction);
    }
    if (other.direction === row.direction) throw qosRulesConflict(row.type, other.id, row.policy_id);
  }
  if (CLAIMED.has(row.type)) await refuseClaimed(tx, row.policy_id);
}

/** What servers hold in placement by this policy cannot change under them. */
async function refuseClaimed(tx: Tx, policyId: string): Promise<void> {
  if ((await portsUnderPolicy(tx, policyId)).some((port) => port.device_owner.startsWith('compute:'))) throw qosBackedByPlacement();
}

/** The verbs of the rules of one type, below their policy. */
export const qosRuleVerbs = (type: QosRuleType): KindVerbs => verbsOf(kindOf(type, qosRule(type)));

/** The same by a rule's own id: whose policy the caller sees, he sees. */
export function qosRuleAliasVerbs(type: QosRuleType, alias: Resource): Pick<KindVerbs, 'get' | 'update' | 'remove'> {
  const verbs = verbsOf(kindOf(type, alias));
  const params = async (db: Db, id: string): Promise<{ policy_id: string }> => {
    const row = await findRow<QosRuleRow>(db, 'neutron_qos_rule', id);
    if (!row || row.type !== type) throw qosRuleNotFound(id, '');
    return { policy_id: row.policy_id };
  };
  return {
    get: async (app, ctx, id) => verbs.get(app, ctx, id, await params(app.env.store.read, id)),
    update: async (app, ctx, id, values, ifMatch) => verbs.update(app, ctx, id, values, ifMatch, await params(app.env.store.read, id)),
    remove: async (app, ctx, id, ifMatch) => verbs.remove(app, ctx, id, ifMatch, await params(app.env.store.read, id)),
  };
}

/** Limits and marks are kept by hosts, minimums by placement; all types are kept for all ports. */
export async function listRuleTypes(_app: NeutronApp, _ctx: Context, _input: ListInput): Promise<Loaded[]> {
  return RULE_TYPES.map((type) => ({ view: { type } }));
}

/** A type with what its parameters may be (qos-rule-type-details). */
export async function getRuleType(_app: NeutronApp, ctx: Context, type: string): Promise<Loaded> {
  if (!isAdmin(ctx)) throw notAuthorized();
  if (!RULE_TYPES.includes(type as QosRuleType)) throw qosRuleTypeNotFound(type);
  const supported_parameters = Object.entries(RULE_ATTRIBUTES[type as QosRuleType]).map(([name, attribute]) => {
    const choices = (attribute.schema as { enum?: readonly unknown[] }).enum;
    return choices
      ? { parameter_name: name, parameter_type: 'choices', parameter_values: choices }
      : { parameter_name: name, parameter_type: 'range', parameter_values: { start: 0, end: 2_147_483_647 } };
  });
  return { view: { type, drivers: [{ name: 'cairn', supported_parameters }] } };
}
