import type { Ground, GroundAnswer } from './ground.ts';
import { NEWEST, type State } from './state.ts';

// what the APIs answer
export type Json = any;

/** What walks find in every cloud, or made at its beginning. */
export interface Place {
  readonly imageId: string;
  readonly networkId: string;
  readonly publicId: string;
}

/** What a walk's steps see: the cloud as it was at the last rest, and names for what they make. */
export interface Scene extends Place {
  readonly cloud: Ground;
  readonly state: State;
  /** Chooses one; the same number chooses the same of the same list. */
  pick<T>(list: readonly T[]): T | undefined;
  readonly name: string;
  /** What this step makes, of this scene's name, has the content of that volume, snapshot or backup; without one it is blank. */
  makes(kind: Contained, of?: { readonly kind: Contained; readonly id: string }): void;
  /** This step gives a volume the content of that snapshot or backup. */
  overwrites(volumeId: string, by: { readonly kind: Contained; readonly id: string }): void;
}

/** What has a content that a walk knows. */
export type Contained = 'volume' | 'snapshot' | 'backup';

export type Call = Promise<GroundAnswer> | undefined;
/** One kind of step: undefined where the state has nothing to do it to. */
export type Action = (scene: Scene) => Call;
export type Actions = Readonly<Record<string, readonly [weight: number, action: Action]>>;

export const call = (scene: Scene, method: string, path: string, body?: unknown): Promise<GroundAnswer> =>
  scene.cloud.call(method, path, body, { headers: NEWEST });

/** A walk made it by name, and not the cloud for itself. */
export const mine = (row: Json): boolean => typeof row.name === 'string' && row.name.startsWith('walk-');
