import type { Context } from '@cairn/kit/context/context';

/** Who asks an app function, with the policy at hand. A kit/http Request is one. */
export interface Caller {
  readonly ctx: Context;
  readonly requestId: string;
  /** Throws Forbidden unless the rule lets the caller at the target. */
  authorize(rule: string, target?: Readonly<Record<string, unknown>>): void;
  allowed(rule: string, target?: Readonly<Record<string, unknown>>): boolean;
}

/** A server as policy targets see it. */
export const targetOf = (server: { readonly project_id: string; readonly user_id: string }): Readonly<Record<string, unknown>> => ({
  project_id: server.project_id,
  user_id: server.user_id,
});
