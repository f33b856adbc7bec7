import type { Context } from '@cairn/kit/context/context';
import { isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import { authorizeChange } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import { standardView } from '../attributes/times.ts';
import { duplicateRuleInPost, groupNotFound, invalidInputText, ruleExists, ruleNotFound } from '../errors.ts';
import { groupKey } from '../fabric/keys.ts';
import type { ListInput } from '../listing/query.ts';
import { networkText, parseCidr } from '../net/cidr.ts';
import { SECURITY_GROUP_RULE } from '../resources/security-group.ts';
import { PROTOCOLS } from '../resources/security-group-converters.ts';
import { deleteRule, findGroup, findRule, groupLists, insertRules, ruleLists, sameRule, updateGroup } from '../store/security-groups.ts';
import { selectOne, selectPage } from '../store/select.ts';
import type { SecurityGroupRow, SecurityGroupRuleRow } from '../store/tables.ts';
import { authorizeDelete, changed, checkRevision, type Loaded, newRow, notify, requireShown, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { checkQuotas } from './quota.ts';
import { ensureDefaultFor } from './security-groups.ts';

export function ruleView(row: SecurityGroupRuleRow): Record<string, unknown> {
  const view = standardView(row);
  view.security_group_id = row.security_group_id;
  view.ethertype = row.ethertype;
  view.direction = row.direction;
  view.protocol = row.protocol;
  view.port_range_min = row.port_range_min;
  view.port_range_max = row.port_range_max;
  view.remote_ip_prefix = row.remote_ip_prefix;
  view.normalized_cidr = normalized(row.remote_ip_prefix);
  view.remote_group_id = row.remote_group_id;
  view.belongs_to_default_sg = row.belongs_to_default_sg === 1;
  return view;
}

function normalized(prefix: string | null): string | null {
  const cidr = prefix === null ? undefined : parseCidr(prefix);
  return cidr ? networkText(cidr) : null;
}

const loadedRule = (row: SecurityGroupRuleRow): Loaded => ({ view: ruleView(row), parentProjectId: row.group_project_id });

type RuleParts = Pick<
  SecurityGroupRuleRow,
  'direction' | 'ethertype' | 'port_range_min' | 'port_range_max' | 'protocol' | 'remote_group_id' | 'remote_ip_prefix'
>;

const NUMBER_TO_NAME = new Map(
  Object.entries(PROTOCOLS)
    .filter(([name]) => name !== 'icmpv6')
    .map(([name, number]) => [String(number), name]),
);

/** Equal for rules that mean the same (upstream's _rule_to_key): protocol 6 is tcp, 0.0.0.0/0 is no prefix. */
export function ruleKey(rule: RuleParts): string {
  const prefix = rule.remote_ip_prefix === '0.0.0.0/0' || rule.remote_ip_prefix === '::/0' ? null : rule.remote_ip_prefix;
  const protocol = rule.protocol === null ? '+' : (NUMBER_TO_NAME.get(rule.protocol) ?? rule.protocol);
  return [rule.direction, rule.ethertype, rule.port_range_max ?? '+', rule.port_range_min ?? '+', protocol, rule.remote_group_id ?? '+', prefix ?? '+'].join(
    '_',
  );
}

const PORT_PROTOCOLS = ['dccp', 'sctp', 'tcp', 'udp', 'udplite'];
const IPV6_ONLY = ['ipv6-encap', 'ipv6-frag', 'ipv6-icmp', 'icmpv6', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route'];
const IPV6_ONLY_PROTOCOLS = new Set([...IPV6_ONLY, ...IPV6_ONLY.map((name) => String(PROTOCOLS[name]))]);

/** Checks what only the whole of a rule can tell, and brings it into its canonical form (db/securitygroups_db.py). */
function canonicalRule(values: Values): RuleParts {
  const rule = {
    direction: String(values.direction),
    ethertype: String(values.ethertype),
    protocol: values.protocol as string | null,
    port_range_min: values.port_range_min as number | null,
    port_range_max: values.port_range_max as number | null,
    remote_group_id: (values.remote_group_id as string | null) || null,
    remote_ip_prefix: values.remote_ip_prefix as string | null,
  };
  if (rule.ethertype === 'IPv6') {
    if (rule.protocol === 'icmp' || rule.protocol === 'icmpv6') rule.protocol = 'ipv6-icmp';
    else if (rule.protocol === '1') rule.protocol = '58';
  }
  if (rule.port_range_min === 1 && rule.port_range_max === 65535) rule.port_range_min = rule.port_range_max = null;
  checkPorts(rule);
  const cidr = rule.remote_ip_prefix === null ? undefined : parseCidr(rule.remote_ip_prefix);
  if (cidr && rule.ethertype !== `IPv${cidr.version}`) {
    throw invalidInputText('SecurityGroupRuleParameterConflict', `Conflicting value ethertype ${rule.ethertype} for CIDR ${rule.remote_ip_prefix}`);
  }
  if (rule.protocol !== null && rule.ethertype === 'IPv4' && IPV6_ONLY_PROTOCOLS.has(rule.protocol)) {
    throw invalidInputText('SecurityGroupEthertypeConflictWithProtocol', `Invalid ethertype ${rule.ethertype} for protocol ${rule.protocol}.`);
  }
  if (rule.remote_ip_prefix !== null && rule.remote_group_id !== null) {
    throw invalidInputText('SecurityGroupMultipleRemoteEntites', 'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.');
  }
  return rule;
}

function checkPorts(rule: RuleParts): void {
  const { port_range_min: min, port_range_max: max } = rule;
  if (min === null && max === null) return;
  if (rule.protocol === null) throw invalidInputText('SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.');
  const number = PROTOCOLS[rule.protocol] ?? Number(rule.protocol);
  if (PORT_PROTOCOLS.some((name) => PROTOCOLS[name] === number)) {
    if (min === 0 || max === 0) throw invalidInputText('SecurityGroupInvalidPortValue', 'Invalid value for port 0');
    if (min === null || max === null || min > max) {
      throw invalidInputText('SecurityGroupInvalidPortRange', 'For TCP/UDP protocols, port_range_min must be <= port_range_max');
    }
  } else if (number === PROTOCOLS.icmp || number === PROTOCOLS['ipv6-icmp']) {
    for (const [attribute, field, value] of [
      ['port_range_min', 'type', min],
      ['port_range_max', 'code', max],
    ] as const) {
      if (value !== null && value > 255)
        throw invalidInputText('SecurityGroupInvalidIcmpValue', `Invalid value for ICMP ${field} (${attribute}) ${value}. It must be 0 to 255.`);
    }
    if (min === null)
      throw invalidInputText('SecurityGroupMissingIcmpType', `ICMP code (port-range-max) ${max} is provided but ICMP type (port-range-min) is missing.`);
  } else {
    throw invalidInputText(
      'SecurityGroupInvalidProtocolForPort',
      `Ports cannot be specified for protocol ${number}. Ports are only supported for ${PORT_PROTOCOLS.map((name) => name.toUpperCase()).join(', ')}.`,
    );
  }
}

export async function createRules(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  const parts = items.map(canonicalRule);
  try {
    return await app.env.store.write((tx) => writeRules(app, tx, ctx, items, parts));
  } catch (error) {
    // another request made the same rule in the meantime (PostgreSQL)
    if (!isUniqueViolation(error, 'neutron_security_group_rule')) throw error;
    const found = await sameRule(app.env.store.read, String(items[0]?.security_group_id), ruleKey(parts[0] as RuleParts));
    throw ruleExists(found ?? '');
  }
}

async function writeRules(app: NeutronApp, tx: Tx, ctx: Context, items: readonly Values[], parts: readonly RuleParts[]): Promise<Loaded[]> {
  const groups = new Map<string, SecurityGroupRow>();
  const seen = new Set<string>();
  for (const values of items) {
    const groupId = String(values.security_group_id);
    // policy looks at the group as it is, so a group that is not there is told first
    const group = groups.get(groupId) ?? (await findGroup(tx, groupId));
    if (!group) throw groupNotFound(groupId);
    groups.set(groupId, group);
    authorizeChange(app.policy, ctx, SECURITY_GROUP_RULE, 'create', values, { ...values, 'security_group:project_id': group.project_id });
  }
  await checkQuotas(
    app,
    tx,
    'security_group_rule',
    items.map((values) => String(values.project_id)),
  );
  const rows: SecurityGroupRuleRow[] = [];
  for (const [i, values] of items.entries()) {
    const part = parts[i] as RuleParts;
    const group = groups.get(String(values.security_group_id)) as SecurityGroupRow;
    const projectId = String(values.project_id);
    if (part.remote_group_id !== null) await requireGroup(tx, ctx, part.remote_group_id, projectId);
    if (group.project_id !== projectId) await requireGroup(tx, ctx, group.id, projectId);
    const key = ruleKey(part);
    if (seen.has(`${group.id} ${key}`)) throw duplicateRuleInPost();
    seen.add(`${group.id} ${key}`);
    const same = await sameRule(tx, group.id, key);
    if (same !== undefined) throw ruleExists(same);
    rows.push({
      ...newRow(app, values),
      ...part,
      security_group_id: group.id,
      group_project_id: group.project_id,
      belongs_to_default_sg: group.is_default,
      rule_key: key,
    });
  }
  await insertRules(tx, rows);
  for (const group of groups.values()) await updateGroup(tx, group.id, changed(app, group));
  const made = rows.map(loadedRule);
  for (const loaded of made) await notify(app, tx, ctx, 'security_group_rule', 'create', loaded);
  app.pusher.touch(tx, [...groups.keys()].map(groupKey));
  return made;
}

/** The group must be one that the rule's project may use. */
async function requireGroup(db: Db, ctx: Context, groupId: string, projectId: string): Promise<void> {
  const scope = isAdmin(ctx) ? scopeOf(ctx) : { projectId };
  if (!(await selectOne<SecurityGroupRow>(db, groupLists, groupId, scope))) throw groupNotFound(groupId);
}

export async function listRules(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  await ensureDefaultFor(app, ctx, input);
  const rows = await selectPage<SecurityGroupRuleRow>(app.env.store.read, ruleLists, input, scopeOf(ctx));
  return rows.map(loadedRule);
}

export async function getRule(app: NeutronApp, ctx: Context, id: string): Promise<Loaded> {
  const row = await findRule(app.env.store.read, id);
  if (!row) throw ruleNotFound(id);
  const loaded = loadedRule(row);
  requireShown(app, ctx, SECURITY_GROUP_RULE, loaded);
  return loaded;
}

export function deleteRuleById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const row = await findRule(tx, id);
    if (!row) throw ruleNotFound(id);
    const loaded = loadedRule(row);
    authorizeDelete(app, ctx, SECURITY_GROUP_RULE, loaded);
    checkRevision(row, ifMatch);
    await deleteRule(tx, id);
    const group = await findGroup(tx, row.security_group_id);
    if (group) await updateGroup(tx, group.id, changed(app, group));
    await notify(app, tx, ctx, 'security_group_rule', 'delete', loaded);
    app.pusher.touch(tx, [groupKey(row.security_group_id)]);
  });
}
