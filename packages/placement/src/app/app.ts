import type { Env } from '@cairn/kit/env';

/** Placement's rules, one member per resource. */
export interface PlacementApp {
  readonly env: Env;
}

export const createPlacementApp = (env: Env): PlacementApp => ({ env });
