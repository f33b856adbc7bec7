import type { Context } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';

export interface ProjectFacts {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  readonly parentId: string | null;
  readonly enabled: boolean;
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
  userExists(db: Db, userId: string): Promise<boolean>;
  /** Unified limits of a project for resources of a service of this catalog type; what is not registered is missing. -1 is no limit. */
  unifiedLimits(db: Db, serviceType: string, projectId: string, resources: readonly string[]): Promise<ReadonlyMap<string, number>>;
}
