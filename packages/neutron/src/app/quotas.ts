import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { authorizeAction } from '../attributes/authorize.ts';
import { toInt } from '../attributes/converters.ts';
import { range } from '../attributes/validators.ts';
import { adminRequired, httpBadRequest, projectQuotaNotFound } from '../errors.ts';
import { allLimits, clearLimits, countUsed, limitsOf, setLimit } from '../store/quota.ts';
import type { NeutronApp } from './deps.ts';

/** Limits of projects (neutron/extensions/quotasv2.py). What counts against them is counted where it is created. */

type Limits = Record<string, number>;

const MAX_LIMIT = 2_147_483_647;

/** What of another project only some may see. */
function requireSight(app: NeutronApp, ctx: Context, projectId: string): void {
  if (projectId !== ctx.projectId) authorizeAction(app.policy, ctx, 'get_quota', { project_id: ctx.projectId });
}

export async function showQuota(app: NeutronApp, ctx: Context, projectId: string): Promise<Limits> {
  requireSight(app, ctx, projectId);
  return quotaOf(app, app.env.store.read, projectId);
}

const quotaOf = async (app: NeutronApp, db: Db, projectId: string): Promise<Limits> => ({
  ...app.settings.quotas,
  ...Object.fromEntries(await limitsOf(db, projectId)),
});

export function defaultQuota(app: NeutronApp, ctx: Context, projectId: string): Limits {
  requireSight(app, ctx, projectId);
  return { ...app.settings.quotas };
}

/** Limits with what is in use. */
export async function quotaDetails(
  app: NeutronApp,
  ctx: Context,
  projectId: string,
): Promise<Record<string, { limit: number; used: number; reserved: number }>> {
  if (projectId !== ctx.projectId && !isAdmin(ctx)) throw adminRequired('Only admin is authorized to access quotas for another project');
  const db = app.env.store.read;
  const limits = Object.entries(await quotaOf(app, db, projectId));
  const details = await Promise.all(
    limits.map(async ([resource, limit]) => [resource, { limit, used: await countUsed(db, resource, projectId), reserved: 0 }] as const),
  );
  return Object.fromEntries(details);
}

/** The projects that have limits of their own. */
export async function listQuotas(app: NeutronApp, ctx: Context): Promise<object[]> {
  authorizeAction(app.policy, ctx, 'get_quota', { project_id: ctx.projectId });
  const byProject = Map.groupBy(await allLimits(app.env.store.read), (row) => row.project_id);
  return [...byProject].map(([projectId, rows]) => ({
    ...app.settings.quotas,
    ...Object.fromEntries(rows.map((row) => [row.resource, row.hard_limit])),
    project_id: projectId,
    tenant_id: projectId,
  }));
}

export async function updateQuota(app: NeutronApp, ctx: Context, projectId: string, body: unknown): Promise<Limits> {
  authorizeAction(app.policy, ctx, 'update_quota', { project_id: ctx.projectId });
  const { force, check_limit: _ignored, ...given } = quotaBody(body);
  const limits = Object.entries(given).map(([resource, value]) => [resource, limitOf(app, resource, value)] as const);
  return app.env.store.write(async (tx) => {
    for (const [resource, limit] of limits) {
      const used = force === true || limit === -1 ? 0 : await countUsed(tx, resource, projectId);
      if (used > limit && limit !== -1) {
        throw httpBadRequest(`Quota limit ${limit} for ${resource} must be greater than or equal to already used ${used}`);
      }
      await setLimit(tx, projectId, resource, limit);
    }
    return quotaOf(app, tx, projectId);
  });
}

function quotaBody(body: unknown): Record<string, unknown> {
  const quota = (body as { quota?: unknown } | null | undefined)?.quota;
  if (quota === undefined) throw httpBadRequest("Unable to find 'quota' in request body");
  if (quota === null || typeof quota !== 'object' || Array.isArray(quota)) throw httpBadRequest("Object 'quota' contains invalid data");
  return { ...quota };
}

function limitOf(app: NeutronApp, resource: string, value: unknown): number {
  if (!Object.hasOwn(app.settings.quotas, resource)) throw httpBadRequest(`Unrecognized attribute(s) '${resource}'`);
  const limit = toInt(value);
  const refusal = range(-1, MAX_LIMIT)(limit);
  if (refusal !== undefined) throw httpBadRequest(`Invalid input for ${resource}. Reason: ${refusal}.`);
  return Number(limit);
}

export function deleteQuota(app: NeutronApp, ctx: Context, projectId: string): Promise<void> {
  authorizeAction(app.policy, ctx, 'delete_quota', { project_id: ctx.projectId });
  return app.env.store.write(async (tx) => {
    if (!(await clearLimits(tx, projectId))) throw projectQuotaNotFound(projectId);
  });
}
