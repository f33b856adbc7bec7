import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit, toJson } from '@cairn/kit/store/values';
import { trustKey } from '../cache/changes.ts';
import { conflicting, forbiddenSilently, invalid, projectNotFound, refused, roleNotFound, trustNotFound, userNotFound } from '../errors.ts';
import { findProject } from '../store/projects.ts';
import type { TrustTable } from '../store/tables.ts';
import * as store from '../store/trusts.ts';
import { userIsThere } from '../store/users.ts';
import { type Core, type Extra, type Initiator, notify, touch } from './core.ts';
import type { EffectiveRoles } from './effective-roles.ts';
import type { Lookups } from './lookups.ts';
import type { Revocations } from './revocations.ts';

/** One user's (the trustor's) roles on a project, lent to another (the trustee). */
export interface Trust {
  readonly id: string;
  readonly trustorUserId: string;
  readonly trusteeUserId: string;
  readonly projectId: string | null;
  /** Do the trustee's tokens name the trustor as their user? */
  readonly impersonation: boolean;
  readonly expiresAtMs: number | null;
  readonly remainingUses: number | null;
  readonly redelegatedTrustId: string | null;
  readonly redelegationCount: number;
  readonly roleIds: readonly string[];
  readonly extra: Extra;
}

export interface NewTrust {
  readonly trustorUserId: string;
  readonly trusteeUserId: string;
  readonly projectId: string | null;
  readonly impersonation: boolean;
  readonly expiresAtMs: number | null;
  readonly remainingUses: number | null;
  readonly allowRedelegation: boolean;
  /** As asked for; undefined and null both mean as many as allowed. */
  readonly redelegationCount: number | null | undefined;
  readonly roleIds: readonly string[];
  readonly extra?: Extra;
}

export type Trusts = ReturnType<typeof createTrusts>;

const modelOf = (row: TrustTable & { readonly roleIds?: readonly string[] }): Trust => ({
  id: row.id,
  trustorUserId: row.trustor_user_id,
  trusteeUserId: row.trustee_user_id,
  projectId: row.project_id,
  impersonation: row.impersonation !== 0,
  expiresAtMs: row.expires_at_ms,
  remainingUses: row.remaining_uses,
  redelegatedTrustId: row.redelegated_trust_id,
  redelegationCount: row.redelegation_count,
  roleIds: row.roleIds ?? [],
  extra: fromJson<Extra>(row.extra),
});

export function createTrusts(core: Core, parts: { readonly effectiveRoles: EffectiveRoles; readonly revocations: Revocations; readonly lookups: Lookups }) {
  const { env, options } = core;
  const { read } = env.store;
  const { lookups } = parts;

  /** A trust that stands: neither deleted nor expired, nor used up (which does not end the tokens that were got through it). */
  async function usable(db: Db, id: string, allowSpent = false): Promise<Trust> {
    const row = await store.findTrust(db, id);
    if (!row || (row.expires_at_ms !== null && env.clock.nowMs() > row.expires_at_ms)) throw trustNotFound(id);
    if (!allowSpent && row.remaining_uses !== null && row.remaining_uses <= 0) throw trustNotFound(id);
    return modelOf(row);
  }

  /** The trust and those it was redelegated from, the first one last. */
  async function pedigree(db: Db, id: string, allowSpent = false): Promise<Trust[]> {
    const chain = [await usable(db, id, allowSpent)];
    for (let parent = chain[0]?.redelegatedTrustId; parent; parent = chain.at(-1)?.redelegatedTrustId) chain.push(await usable(db, parent));
    return chain;
  }

  /** Like `usable`, and every trust that it was redelegated from still stands and allows it. */
  async function get(id: string, options: { readonly allowSpent: boolean } = { allowSpent: false }, db: Db = read): Promise<Trust> {
    const chain = await pedigree(db, id, options.allowSpent);
    for (const [i, child] of chain.entries()) {
      const parent = chain[i + 1];
      if (!parent) break;
      checkRedelegation(parent, { ...child, remainingUses: null });
      const trustee = await lookups.userById(parent.trusteeUserId);
      const domain = trustee && (await findProject(db, trustee.user.domainId));
      if (!trustee?.user.enabled || !domain?.enabled) throw forbiddenSilently('one of the trust agents is disabled or deleted');
    }
    return chain[0] as Trust;
  }

  /** May `parent` be passed on as `trust`? (keystone/trust/core.py) */
  function checkRedelegation(parent: Trust, trust: Pick<Trust, 'expiresAtMs' | 'remainingUses' | 'roleIds' | 'impersonation'>): void {
    if (!(parent.redelegationCount > 0 && parent.redelegationCount <= options.maxRedelegationCount))
      throw forbiddenSilently('the remaining redelegation depth is out of range');
    if (trust.remainingUses !== null) throw forbiddenSilently('remaining_uses must not be set in order to redelegate a trust');
    if (trust.expiresAtMs !== null && parent.expiresAtMs !== null && parent.expiresAtMs < trust.expiresAtMs)
      throw forbiddenSilently('the requested expiry is later than that of the redelegated trust');
    if (!trust.roleIds.every((role) => parent.roleIds.includes(role))) throw forbiddenSilently('some of the requested roles are not in the redelegated trust');
    if (!parent.impersonation && trust.impersonation) throw forbiddenSilently('the redelegated trust does not allow impersonation');
  }

  /** `via` is the trust of the token that asks: the new trust passes that one on. */
  async function create(trust: NewTrust, via: string | undefined, who: Initiator): Promise<Trust> {
    const duplicateTrust = (): CairnError => conflicting('trust', 'Duplicate entry');
    const parents = via === undefined ? [] : await pedigree(read, via);
    const parent = parents[0];
    const redelegable = trust.allowRedelegation && trust.redelegationCount !== 0;
    let count: number;
    if (redelegable) {
      if (trust.redelegationCount && trust.redelegationCount > options.maxRedelegationCount)
        throw forbiddenSilently('the requested redelegation depth is greater than allowed');
      if (trust.remainingUses !== null) throw invalid('remaining_uses must not be set if redelegation is allowed', 'remaining_uses');
      const left = parent ? parent.redelegationCount - 1 : options.maxRedelegationCount;
      if (parent && trust.redelegationCount && trust.redelegationCount !== left)
        throw forbiddenSilently('redelegation_count cannot be changed upon redelegation');
      count = trust.redelegationCount ?? left;
    } else {
      if (trust.remainingUses !== null && trust.remainingUses <= 0) throw invalid('remaining_uses must be a positive integer or null.', 'remaining_uses');
      count = 0;
    }
    const expiresAtMs = trust.expiresAtMs ?? parent?.expiresAtMs ?? null;
    for (const ancestor of parents) checkRedelegation(ancestor, { ...trust, expiresAtMs });
    if (!(await userIsThere(read, trust.trusteeUserId))) throw userNotFound(trust.trusteeUserId);
    await checkRoles(trust, parents.at(-1));
    const row: TrustTable = {
      id: env.ids.hex(),
      trustor_user_id: trust.trustorUserId,
      trustee_user_id: trust.trusteeUserId,
      project_id: trust.projectId,
      impersonation: toBit(trust.impersonation),
      expires_at_ms: expiresAtMs,
      remaining_uses: trust.remainingUses,
      redelegated_trust_id: parent?.id ?? null,
      redelegation_count: count,
      deleted_at_ms: null,
      extra: toJson(trust.extra ?? {}),
    };
    await env.store.write(async (tx) => {
      if (expiresAtMs !== null && (await hasTwin(tx, row))) throw duplicateTrust();
      await store.insertTrust(tx, row, [...new Set(trust.roleIds)]);
      await notify(core, tx, who, 'created', 'OS-TRUST:trust', row.id);
    });
    return modelOf({ ...row, roleIds: [...new Set(trust.roleIds)] });
  }

  /** The trustor (of the first trust of a chain) must hold what is lent. */
  async function checkRoles(trust: NewTrust, original: Trust | undefined): Promise<void> {
    let held: readonly string[] = [];
    if (trust.projectId) {
      const project = await findProject(read, trust.projectId);
      if (!project) throw projectNotFound(trust.projectId);
      const scope = original?.projectId ? await findProject(read, original.projectId) : project;
      const userId = original?.trustorUserId ?? trust.trustorUserId;
      if (scope) held = (await parts.effectiveRoles.onProject(read, userId, scope, { stripDomainRoles: false })).roleIds;
    }
    for (const roleId of trust.roleIds) if (!held.includes(roleId)) throw roleNotFound(roleId);
  }

  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.findTrust(tx, id))) throw trustNotFound(id);
      await removeChain(tx, id, who);
    });
  }

  async function removeChain(tx: Tx, id: string, who: Initiator): Promise<void> {
    for (const child of await store.listTrusts(tx, { redelegatedFrom: id })) await removeChain(tx, child.id, who);
    await store.deleteTrust(tx, id, env.clock.nowMs());
    await parts.revocations.ofTrust(tx, id);
    await notify(core, tx, who, 'deleted', 'OS-TRUST:trust', id);
  }

  /** Takes one of a limited trust's uses. */
  async function consume(id: string): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.consumeTrust(tx, id))) throw refused(`No remaining uses for trust: ${id}.`);
      await touch(core, tx, [trustKey(id)]);
    });
  }

  return {
    create,
    get,
    pedigree,
    remove,
    consume,
    list: async (of: { readonly trustorId?: string; readonly trusteeId?: string } = {}): Promise<Trust[]> => (await store.listTrusts(read, of)).map(modelOf),
  };
}

/** The same trust once more: unique over both users, project, impersonation and expiry. */
async function hasTwin(tx: Tx, row: TrustTable): Promise<boolean> {
  const rows = await store.listTrusts(tx, { trustorId: row.trustor_user_id, trusteeId: row.trustee_user_id });
  return rows.some((other) => other.project_id === row.project_id && other.impersonation === row.impersonation && other.expires_at_ms === row.expires_at_ms);
}
