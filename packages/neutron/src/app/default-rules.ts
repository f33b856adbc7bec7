import type { Context } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import { authorizeAction, authorizeChange } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import { defaultRuleExists, defaultRuleNotFound } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { DEFAULT_SECURITY_GROUP_RULE } from '../resources/security-group.ts';
import { defaultRuleLists, deleteDefaultRule, insertDefaultRule, sameDefaultRule } from '../store/default-rules.ts';
import { EVERYTHING, selectOne, selectPage } from '../store/select.ts';
import type { DefaultRuleRow } from '../store/tables.ts';
import { type Loaded, notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { canonicalRule, ruleKey } from './rule-parts.ts';

/** A change here holds for groups that are made later; it changes none that is there. */
function loadedOf(row: DefaultRuleRow): Loaded {
  return {
    view: {
      id: row.id,
      description: row.description,
      direction: row.direction,
      ethertype: row.ethertype,
      protocol: row.protocol,
      port_range_min: row.port_range_min,
      port_range_max: row.port_range_max,
      remote_group_id: row.remote_group_id,
      remote_address_group_id: row.remote_address_group_id,
      remote_ip_prefix: row.remote_ip_prefix,
      used_in_default_sg: row.used_in_default_sg === 1,
      used_in_non_default_sg: row.used_in_non_default_sg === 1,
    },
  };
}

export async function createDefaultRules(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) authorizeChange(app.policy, ctx, DEFAULT_SECURITY_GROUP_RULE, 'create', values, values);
  return app.env.store.write(async (tx) => {
    const made: Loaded[] = [];
    for (const values of items) {
      const parts = canonicalRule(values);
      const row: DefaultRuleRow = {
        ...parts,
        id: app.env.ids.uuid(),
        description: String(values.description),
        used_in_default_sg: toBit(values.used_in_default_sg === true),
        used_in_non_default_sg: toBit(values.used_in_non_default_sg === true),
        rule_key: ruleKey(parts),
      };
      for (const use of ['used_in_default_sg', 'used_in_non_default_sg'] as const) {
        const same = row[use] === 1 ? await sameDefaultRule(tx, use, row.rule_key) : undefined;
        if (same !== undefined) throw defaultRuleExists(same);
      }
      await insertDefaultRule(tx, row);
      const loaded = loadedOf(row);
      await notify(app, tx, ctx, 'default_security_group_rule', 'create', loaded);
      made.push(loaded);
    }
    return made;
  });
}

export async function listDefaultRules(app: NeutronApp, _ctx: Context, input: ListInput): Promise<Loaded[]> {
  return (await selectPage(app.env.store.read, defaultRuleLists, input, EVERYTHING)).map(loadedOf);
}

export const getDefaultRule = (app: NeutronApp, _ctx: Context, id: string): Promise<Loaded> => load(app.env.store.read, id);

async function load(db: Db, id: string): Promise<Loaded> {
  const row = await selectOne<DefaultRuleRow>(db, defaultRuleLists, id, EVERYTHING);
  if (!row) throw defaultRuleNotFound(id);
  return loadedOf(row);
}

export function deleteDefaultRuleById(app: NeutronApp, ctx: Context, id: string): Promise<void> {
  return app.env.store.write(async (tx) => {
    const loaded = await load(tx, id);
    authorizeAction(app.policy, ctx, 'delete_default_security_group_rule', loaded.view);
    await deleteDefaultRule(tx, id);
    await notify(app, tx, ctx, 'default_security_group_rule', 'delete', loaded);
  });
}
