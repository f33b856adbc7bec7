/** What a form asks for, as data: first values, what is missing or wrong, and what was changed. Without React. */

interface Base {
  readonly label: string;
  readonly help?: string | undefined;
  /** Why the field cannot be changed; it is shown and left as it is. */
  readonly fixed?: string;
  /** Is it asked for, after what else was chosen? What is not asked for is no part of the values. */
  readonly when?: (values: Readonly<Record<string, unknown>>) => boolean;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
  readonly description?: string | undefined;
  /** Why it cannot be chosen. */
  readonly disabled?: string;
}

export type Field =
  | (Base & {
      readonly kind: 'text' | 'lines' | 'password' | 'email';
      readonly initial?: string | null | undefined;
      readonly required?: boolean;
      readonly placeholder?: string;
    })
  /** A whole number, at least 0 when nothing else is said. */
  | (Base & {
      readonly kind: 'number';
      readonly initial?: number | null | undefined;
      readonly required?: boolean;
      readonly least?: number;
      readonly most?: number;
    })
  /** Asked for unless `required: false` says otherwise. */
  | (Base & {
      readonly kind: 'choice';
      readonly options: readonly Choice[];
      readonly initial?: string | null | undefined;
      readonly required?: boolean;
      readonly placeholder?: string;
    })
  | (Base & {
      readonly kind: 'choices';
      readonly options: readonly Choice[];
      readonly initial?: readonly string[] | undefined;
      readonly required?: boolean;
      readonly placeholder?: string;
    })
  | (Base & { readonly kind: 'check'; readonly initial?: boolean | undefined })
  /** Names with values, such as metadata. */
  | (Base & { readonly kind: 'pairs'; readonly initial?: Readonly<Record<string, string>> })
  /** Words without order, such as tags. */
  | (Base & { readonly kind: 'words'; readonly initial?: readonly string[] | undefined; readonly placeholder?: string });

export type Fields = Readonly<Record<string, Field>>;

type ValueOfKind = {
  text: string;
  lines: string;
  email: string;
  password: string;
  /** Undefined when nothing was entered. */
  number: number | undefined;
  /** Empty when nothing was chosen. */
  choice: string;
  choices: readonly string[];
  check: boolean;
  pairs: Readonly<Record<string, string>>;
  words: readonly string[];
};
export type Values<F extends Fields> = { readonly [K in keyof F]: ValueOfKind[F[K]['kind']] };
type Loose = Readonly<Record<string, unknown>>;

function firstOf(field: Field): unknown {
  switch (field.kind) {
    case 'number':
      return field.initial ?? undefined;
    case 'check':
      return field.initial ?? false;
    case 'pairs':
      return field.initial ?? {};
    case 'choices':
    case 'words':
      return field.initial ?? [];
    default:
      return field.initial ?? '';
  }
}

/** What the fields hold before anybody types. */
export const firstValues = (fields: Fields): Loose => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, firstOf(field)]));

/** The fields that are asked for now. */
export const askedFor = (fields: Fields, values: Loose): readonly (readonly [string, Field])[] =>
  Object.entries(fields).filter(([, field]) => field.when?.(values) ?? true);

export type Problem =
  | { readonly kind: 'missing' }
  | { readonly kind: 'range'; readonly least: number; readonly most: number | undefined }
  | { readonly kind: 'words'; readonly words: string };

/** What is missing or wrong, by field; `wrong` is what the form itself says of what is there. */
export function problemsOf(fields: Fields, values: Loose, wrong: Readonly<Record<string, string | undefined>> = {}): ReadonlyMap<string, Problem> {
  const problems = new Map<string, Problem>();
  for (const [name, field] of askedFor(fields, values)) {
    const value = values[name];
    if ('required' in field ? field.required === true : field.kind === 'choice') {
      const missing = value === undefined || (typeof value === 'string' && value.trim() === '') || (Array.isArray(value) && value.length === 0);
      if (missing) {
        problems.set(name, { kind: 'missing' });
        continue;
      }
    }
    if (field.kind === 'number' && typeof value === 'number') {
      const { least = 0, most } = field;
      if (!Number.isInteger(value) || value < least || value > (most ?? Number.POSITIVE_INFINITY)) problems.set(name, { kind: 'range', least, most });
    }
    const words = wrong[name];
    if (words !== undefined && !problems.has(name)) problems.set(name, { kind: 'words', words });
  }
  return problems;
}

const same = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [x, y] = [Object.entries(a), Object.entries(b)];
  return x.length === y.length && x.every(([key, value]) => same(value, (b as Loose)[key]));
};

/**
 * The values that are not as they were at first, for calls that change only what they name. `first` is what the fields held when the form was opened: what
 * somebody else has changed since is not the form's to change back.
 */
export function changesOf(fields: Fields, values: Loose, first: Loose): Loose {
  return Object.fromEntries(askedFor(fields, values).flatMap(([name]) => (same(values[name], first[name]) ? [] : [[name, values[name]]])));
}
