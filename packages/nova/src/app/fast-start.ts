import { invalidInput } from '@cairn/kit/errors/errors';
import type { StoredFlavor, StoredImage } from '../store/server.ts';

/** Cairn's own: servers of this flavor start from a template (docs/fast-starts.md). */
export const FAST_START_SPEC = 'cairn:fast_start';
/** The same said by an image. Where both speak the flavor decides, since it is the operator's. */
export const FAST_START_PROPERTY = 'cairn_fast_start';

const YES = /^(1|t|true|on|y|yes)$/i;
const NO = /^(0|f|false|off|n|no)$/i;

/** Refuses an image whose property is neither yes nor no, before anything is made of it. */
export function checkFastStart(image: Pick<StoredImage, 'properties'>): void {
  const value = image.properties[FAST_START_PROPERTY]?.trim();
  if (value !== undefined && !YES.test(value) && !NO.test(value))
    throw invalidInput(`Invalid image property ${FAST_START_PROPERTY}: '${value}' is not a valid boolean-like value.`);
}

/** Whether a server of this flavor and image is to start from a template. */
export function wantsFastStart(flavor: Pick<StoredFlavor, 'extraSpecs'>, image: Pick<StoredImage, 'properties'>): boolean {
  const value = flavor.extraSpecs[FAST_START_SPEC] ?? image.properties[FAST_START_PROPERTY];
  return value !== undefined && YES.test(value.trim());
}
