import type { Context } from '@cairn/kit/context/context';
import { isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit } from '@cairn/kit/store/values';
import { isSet } from '../attributes/attribute.ts';
import { authorizeChange } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import { standardView } from '../attributes/times.ts';
import { cannotRemoveDefaultGroup, cannotUpdateDefaultGroup, groupInUse, groupNotFound } from '../errors.ts';
import { groupKey } from '../fabric/keys.ts';
import type { ListInput } from '../listing/query.ts';
import { SECURITY_GROUP } from '../resources/security-group.ts';
import { defaultRulesFor } from '../store/default-rules.ts';
import { sharedAmong, removeRbacOf } from '../store/rbac.ts';
import {
  defaultGroupId,
  deleteGroup,
  dropRulesNaming,
  groupIsUsed,
  groupLists,
  insertGroup,
  insertRules,
  rulesOfGroups,
  updateGroup,
} from '../store/security-groups.ts';
import { dropLogsOf } from '../store/logs.ts';
import { selectOne, selectPage } from '../store/select.ts';
import type { DefaultRuleRow, SecurityGroupRow, SecurityGroupRuleRow } from '../store/tables.ts';
import { dropTags } from '../store/tags.ts';
import { authorizeDelete, authorizeUpdate, changed, checkRevision, type Loaded, newRow, notify, scopeOf } from './common.ts';
import { isStatefulByDefault } from './default-statefulness.ts';
import type { NeutronApp } from './deps.ts';
import { checkQuotas } from './quota.ts';
import { ruleKey, ruleView } from './rule-parts.ts';

function view(row: SecurityGroupRow, rules: readonly SecurityGroupRuleRow[], shared: boolean): Loaded {
  const view = standardView(row);
  view.name = row.name;
  view.stateful = row.stateful === 1;
  view.shared = shared;
  view.security_group_rules = rules.map(ruleView);
  view.tags = fromJson(row.tags_json);
  return { view };
}

async function views(db: Db, rows: readonly SecurityGroupRow[], viewer: string | undefined): Promise<Loaded[]> {
  const ids = rows.map((row) => row.id);
  const [rules, shared] = await Promise.all([rulesOfGroups(db, ids), sharedAmong(db, ids, viewer)]);
  const byGroup = Map.groupBy(rules, (rule) => rule.security_group_id);
  return rows.map((row) => view(row, byGroup.get(row.id) ?? [], shared.has(row.id)));
}

/** The rules that a new group begins with: those that the operator has set for such groups, at first upstream's. */
function initialRules(app: NeutronApp, group: SecurityGroupRow, templates: readonly DefaultRuleRow[]): SecurityGroupRuleRow[] {
  return templates.map(({ direction, ethertype, protocol, port_range_min, port_range_max, remote_group_id, remote_address_group_id, remote_ip_prefix }) => {
    const row = {
      ...newRow(app, { project_id: group.project_id }),
      description: null,
      security_group_id: group.id,
      group_project_id: group.project_id,
      direction,
      ethertype,
      protocol,
      port_range_min,
      port_range_max,
      remote_group_id: remote_group_id === 'PARENT' ? group.id : remote_group_id,
      remote_address_group_id,
      remote_ip_prefix,
      belongs_to_default_sg: group.is_default,
    };
    return { ...row, rule_key: ruleKey(row) };
  });
}

/** The project's default group, made on first use. Undefined where the caller may not make it for that project. */
export async function ensureDefaultGroup(app: NeutronApp, tx: Tx, ctx: Context, projectId: string): Promise<string | undefined> {
  const found = await defaultGroupId(tx, projectId);
  if (found !== undefined || projectId === '' || (projectId !== ctx.projectId && !isAdmin(ctx))) return found;
  const row: SecurityGroupRow = {
    ...newRow(app, { project_id: projectId, description: 'Default security group' }),
    name: 'default',
    stateful: 1,
    is_default: 1,
    tags_json: '[]',
  };
  await insertGroup(tx, row);
  const rules = initialRules(app, row, await defaultRulesFor(tx, 'used_in_default_sg'));
  if (rules.length > 0) await insertRules(tx, rules);
  await notify(app, tx, ctx, 'security_group', 'create', view(row, rules, false));
  return row.id;
}

export async function createGroups(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) authorizeChange(app.policy, ctx, SECURITY_GROUP, 'create', values, values);
  return app.env.store.write(async (tx) => {
    for (const projectId of new Set(items.map((values) => String(values.project_id)))) await ensureDefaultGroup(app, tx, ctx, projectId);
    const projects = items.map((values) => String(values.project_id));
    await checkQuotas(app, tx, 'security_group', projects);
    const templates = await defaultRulesFor(tx, 'used_in_non_default_sg');
    await checkQuotas(app, tx, 'security_group_rule', Array<string[]>(templates.length).fill(projects).flat());
    const made: Loaded[] = [];
    for (const values of items) {
      const row: SecurityGroupRow = {
        ...newRow(app, values),
        name: String(values.name),
        stateful: toBit(isSet(values.stateful) ? values.stateful === true : await isStatefulByDefault(tx, String(values.project_id))),
        is_default: 0,
        tags_json: '[]',
      };
      const rules = initialRules(app, row, templates);
      await insertGroup(tx, row);
      if (rules.length > 0) await insertRules(tx, rules);
      const loaded = view(row, rules, false);
      await notify(app, tx, ctx, 'security_group', 'create', loaded);
      made.push(loaded);
    }
    return made;
  });
}

/** Whoever lists groups finds the default one of their project there. */
async function makeSureOfDefault(app: NeutronApp, ctx: Context, projectId: string | undefined): Promise<void> {
  if (projectId === undefined || (projectId !== ctx.projectId && !isAdmin(ctx))) return;
  if ((await defaultGroupId(app.env.store.read, projectId)) === undefined) await app.env.store.write((tx) => ensureDefaultGroup(app, tx, ctx, projectId));
}

export const ensureDefaultFor = (app: NeutronApp, ctx: Context, input: ListInput): Promise<void> => {
  const asked = input.filters.get('project_id')?.[0] ?? input.filters.get('tenant_id')?.[0];
  return makeSureOfDefault(app, ctx, ctx.projectId === undefined ? undefined : asked === undefined ? ctx.projectId : String(asked));
};

export async function listGroups(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  await ensureDefaultFor(app, ctx, input);
  const db = app.env.store.read;
  return views(db, await selectPage(db, groupLists, input, scopeOf(ctx)), ctx.projectId);
}

export async function getGroup(app: NeutronApp, ctx: Context, id: string, db: Db = app.env.store.read): Promise<Loaded> {
  return (await loadGroup(db, ctx, id)).loaded;
}

async function loadGroup(db: Db, ctx: Context, id: string): Promise<{ row: SecurityGroupRow; loaded: Loaded }> {
  const row = await selectOne<SecurityGroupRow>(db, groupLists, id, scopeOf(ctx));
  if (!row) throw groupNotFound(id);
  const [loaded] = await views(db, [row], ctx.projectId);
  return { row, loaded: loaded as Loaded };
}

export function updateGroupById(app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadGroup(tx, ctx, id);
    authorizeUpdate(app, ctx, SECURITY_GROUP, loaded, values);
    checkRevision(row, ifMatch);
    if (row.name === 'default' && 'name' in values) throw cannotUpdateDefaultGroup();
    if ('stateful' in values && toBit(values.stateful === true) !== row.stateful && (await groupIsUsed(tx, id))) throw groupInUse(id);
    await updateGroup(tx, id, {
      ...changed(app, row),
      ...('name' in values && { name: String(values.name) }),
      ...('description' in values && { description: String(values.description) }),
      ...('stateful' in values && { stateful: toBit(values.stateful === true) }),
    });
    const after = await loadGroup(tx, ctx, id);
    await notify(app, tx, ctx, 'security_group', 'update', after.loaded);
    app.pusher.touch(tx, [groupKey(id)]);
    return after.loaded;
  });
}

export function deleteGroupById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadGroup(tx, ctx, id);
    authorizeDelete(app, ctx, SECURITY_GROUP, loaded);
    checkRevision(row, ifMatch);
    if (await groupIsUsed(tx, id)) throw groupInUse(id);
    if (row.name === 'default' && !isAdmin(ctx)) throw cannotRemoveDefaultGroup();
    const others = await dropRulesNaming(tx, id);
    await deleteGroup(tx, id);
    await dropLogsOf(tx, 'resource_id', id);
    if (row.tags_json !== '[]') await dropTags(tx, id);
    await removeRbacOf(tx, id);
    await notify(app, tx, ctx, 'security_group', 'delete', loaded);
    app.pusher.touch(tx, [groupKey(id), ...others.map(groupKey)]);
  });
}
