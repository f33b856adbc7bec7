import type { TFunction } from 'i18next';
import { en } from '../locales/en.ts';

const { reasons, remedies } = en.path;

/** What is said: in the reader's words where the code is known, and what the service says besides, where that is more. */
export interface SaidText {
  readonly words: string;
  readonly detail: string | undefined;
}

const straight = (text: string): string => text.replaceAll('’', "'");
const said = (words: string | undefined, original: string): SaidText =>
  words === undefined ? { words: original, detail: undefined } : { words, detail: straight(words) === original ? undefined : original };

/** Why a station judges as it does. */
export const reasonSaid = (t: TFunction, code: string, original: string): SaidText =>
  said(Object.hasOwn(reasons, code) ? t(`path.reasons.${code as keyof typeof reasons}`) : undefined, original);

/** What to do about it. */
export const remedySaid = (t: TFunction, code: string, original: string): SaidText =>
  said(Object.hasOwn(remedies, code) ? t(`path.remedies.${code as keyof typeof remedies}`) : undefined, original);
