import { type Context, isAdmin } from '@cairn/kit/context/context';

/** Who asks an app function, with the policy at hand. A kit/http Request is one. */
export interface Caller {
  readonly ctx: Context;
  /** Throws Forbidden unless the rule lets the caller at the target. */
  authorize(rule: string, target?: Readonly<Record<string, unknown>>): void;
  allowed(rule: string, target?: Readonly<Record<string, unknown>>): boolean;
}

/** Another service that asks in a user's name: what the user may do there it has asked its own policy; the project still binds. */
export const serviceCaller = (ctx: Context): Caller => ({ ctx, authorize: () => {}, allowed: () => true });

/** A resource as policy targets see it. */
export const targetOf = (row: { readonly project_id: string; readonly user_id?: string }): Readonly<Record<string, unknown>> => ({
  project_id: row.project_id,
  user_id: row.user_id,
});

/** Other projects' resources do not exist for those who are no administrators. */
export const isVisible = (ctx: Context, row: { readonly project_id: string }): boolean =>
  isAdmin(ctx) || (ctx.projectId !== undefined && ctx.projectId === row.project_id);

/** The part of a caller that sagas keep. */
export interface Requester {
  readonly requestId: string;
  readonly userId: string;
  readonly projectId: string | null;
}

export const requesterOf = (ctx: Context): Requester => ({ requestId: ctx.requestId, userId: ctx.userId, projectId: ctx.projectId ?? null });
