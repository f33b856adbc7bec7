import type { Env } from '@cairn/kit/env';
import type { GlanceOptions } from '../options.ts';
import type { Staging } from '../stores/staging.ts';
import type { Stores } from '../stores/stores.ts';
import type { Quotas } from './quotas.ts';
import type { Signatures } from './signatures.ts';

/** What the rules of images' data are made of. */
export interface DataDeps {
  readonly env: Env;
  readonly options: GlanceOptions;
  readonly stores: Stores;
  readonly staging: Staging;
  /** Cached data, one file for each image, named by its id. */
  readonly cached: Staging;
  readonly quotas: Quotas;
  readonly signatures: Signatures;
}

/** Sagas of one image run one after another. */
export const subjectOf = (imageId: string): string => `image:${imageId}`;
