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
  userExists(db: Db, userId: string): Promise<boolean>;
}
