import { forbiddenAction, forbiddenSilently } from '../errors.ts';
import type { AnyRequest } from './common.ts';

/** Limits of tokens that were delegated: what they make must not outgrow them (OSSA-2020-003, -004, OSSA-2026-005). */

const isDelegated = ({ ctx }: AnyRequest): boolean => ctx.trustId !== undefined || ctx.applicationCredentialId !== undefined || ctx.accessTokenId !== undefined;

/** What only users themselves do, not who acts for them. */
export function requireUndelegated(req: AnyRequest, reason: string): void {
  if (isDelegated(req) || req.ctx.methods.includes('application_credential')) throw forbiddenSilently(`${reason} with a token issued via delegation`);
}

/** A restricted application credential makes no further credentials of the kind. */
export function requireUnrestricted(req: AnyRequest, what: string): void {
  if (req.ctx.methods.includes('application_credential') && req.ctx.applicationCredentialRestricted !== false) {
    throw forbiddenAction(`Using method 'application_credential' is not allowed for managing ${what}.`);
  }
}

/** No token of an application credential manages trusts, restricted or not. */
export function refuseApplicationCredential(req: AnyRequest): void {
  if (req.ctx.methods.includes('application_credential')) throw forbiddenAction("Using method 'application_credential' is not allowed for managing trusts.");
}

/** Tokens of a trust or of an OAuth1 access manage no application credentials: those would outlive it. */
export function refuseTrustToken(req: AnyRequest): void {
  if (req.ctx.trustId !== undefined || req.ctx.accessTokenId !== undefined)
    throw forbiddenSilently('application credentials cannot be managed with a token issued via delegation');
}

/** A delegated token sees and makes credentials of its own project alone. */
export const reachesProject = (req: AnyRequest, projectId: string | null | undefined): boolean =>
  !isDelegated(req) || (projectId ?? undefined) === req.ctx.projectId;

export function requireOwnProject(
  req: AnyRequest,
  projectId: string | null | undefined,
  message = 'Credential project does not match the project scope of the delegated token',
): void {
  if (!reachesProject(req, projectId)) throw forbiddenAction(message);
}
