import type { Context } from '@cairn/kit/context/context';
import { isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import { authorizeChange } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import { duplicateRuleInPost, groupNotFound, ruleExists, ruleNotFound } from '../errors.ts';
import { groupKey } from '../fabric/keys.ts';
import type { ListInput } from '../listing/query.ts';
import { SECURITY_GROUP_RULE } from '../resources/security-group.ts';
import { deleteRule, findGroup, findRule, groupLists, insertRules, ruleLists, sameRule, updateGroup } from '../store/security-groups.ts';
import { selectOne, selectPage } from '../store/select.ts';
import type { SecurityGroupRow, SecurityGroupRuleRow } from '../store/tables.ts';
import { requireAddressGroup } from './address-groups.ts';
import { authorizeDelete, changed, checkRevision, type Loaded, newRow, notify, requireShown, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { checkQuotas } from './quota.ts';
import { canonicalRule, type RuleParts, ruleKey, ruleView } from './rule-parts.ts';
import { ensureDefaultFor } from './security-groups.ts';

const loadedRule = (row: SecurityGroupRuleRow): Loaded => ({ view: ruleView(row), parentProjectId: row.group_project_id });

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
    if (part.remote_address_group_id !== null) await requireAddressGroup(tx, ctx, part.remote_address_group_id, projectId);
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
