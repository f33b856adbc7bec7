import type { Context } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { isSet, type NotSpecified } from '../attributes/attribute.ts';
import { groupConflict, groupNotFound, groupsNeedPortSecurity } from '../errors.ts';
import { selectPage } from '../store/select.ts';
import { groupLists } from '../store/security-groups.ts';
import { NO_FILTERS } from '../listing/query.ts';
import type { NetworkRow, SecurityGroupRow } from '../store/tables.ts';
import { scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { ensureDefaultGroup } from './security-groups.ts';

/** Ports of the cloud's own routers and DHCP, on which no rule is enforced. */
export const isTrusted = (deviceOwner: string): boolean => deviceOwner.startsWith('network:');

/** Is port security on for a new port? */
export function portSecurityOf(
  network: Pick<NetworkRow, 'port_security_enabled'>,
  deviceOwner: string,
  asked: boolean | NotSpecified | null | undefined,
): boolean {
  if (isTrusted(deviceOwner)) return false;
  return isSet(asked) ? asked : network.port_security_enabled === 1;
}

/** The groups of a new port: those asked for, else the project's default one (plugins/ml2/plugin.py, db/securitygroups_db.py). */
export async function groupsOfNewPort(
  app: NeutronApp,
  tx: Tx,
  ctx: Context,
  port: { readonly projectId: string; readonly deviceOwner: string; readonly portSecurity: boolean },
  asked: readonly string[] | NotSpecified,
): Promise<string[]> {
  const defaultId = await ensureDefaultGroup(app, tx, ctx, port.projectId);
  if (isTrusted(port.deviceOwner)) return [];
  if (!port.portSecurity) {
    if (isSet(asked) && asked.length > 0) throw groupsNeedPortSecurity();
    return [];
  }
  if (!isSet(asked)) return defaultId === undefined ? [] : [defaultId];
  return requireGroups(tx, ctx, asked, port.projectId);
}

/** Checks that a project may use these groups, and that they go together. */
export async function requireGroups(tx: Tx, ctx: Context, ids: readonly string[], projectId: string): Promise<string[]> {
  if (ids.length === 0) return [];
  const scope = scopeOf(ctx).projectId === undefined || projectId === '' ? scopeOf(ctx) : { projectId };
  const found = await selectPage<SecurityGroupRow>(tx, groupLists, { ...NO_FILTERS, filters: new Map([['id', ids]]) }, scope);
  const known = new Set(found.map((group) => group.id));
  const missing = ids.filter((id) => !known.has(id));
  if (missing.length > 0) throw groupNotFound(missing.join(', '));
  if (new Set(found.map((group) => group.stateful)).size > 1) {
    throw groupConflict('Cannot apply both stateful and stateless security groups on the same port at the same time');
  }
  return [...new Set(ids)];
}
