import type { Context } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';

export interface ProjectFacts {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly parentId: string | null;
  readonly enabled: boolean;
}

/** Who is acted for. */
export interface ActingUser {
  readonly userId: string;
  readonly projectId: string;
  readonly trustId?: string;
  readonly applicationCredentialId?: string;
}

/** What other services may ask of keystone. */
export interface KeystoneFace {
  /** The validated token as a Context, or undefined when it is unknown, expired or revoked. Fast: cached proofs, revocation at once. */
  authenticate(token: string, requestId: string): Promise<Context | undefined>;
  project(db: Db, projectId: string): Promise<ProjectFacts | undefined>;
  /**
   * Encrypts a secret of another service as credentials are encrypted, for it to keep. `openSecret` with the same purpose reads it, as long as the key is there:
   * whoever keeps sealed secrets seals them anew before and after the credentials' keys are rotated.
   */
  sealSecret(purpose: string, text: string): string;
  openSecret(purpose: string, sealed: string): string;
  /**
   * A token in a user's name for a project, for work of the cloud that goes on when the user's own token has ended. It has the roles that the user has there now, and the
   * limits of the trust or application credential that the work was asked for with. Throws Conflict for a user who may not enter the project any more.
   */
  tokenFor(who: ActingUser): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
  /** The public URL of a service in a region for a project, by the catalog; undefined where there is none. */
  endpointFor(db: Db, serviceType: string, region: string, scope: { readonly userId: string; readonly projectId: string }): Promise<string | undefined>;
  userExists(db: Db, userId: string): Promise<boolean>;
  /** Unified limits of a project for resources of a service of this catalog type; what is not registered is missing. -1 is no limit. */
  unifiedLimits(db: Db, serviceType: string, projectId: string, resources: readonly string[]): Promise<ReadonlyMap<string, number>>;
}
