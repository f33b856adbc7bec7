/** Python's float(): undefined for what is no number. */
const number = (text: string | undefined): number | undefined => {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
};

const numbers =
  (holds: (value: number, wanted: number) => boolean) =>
  (value: string, [wanted]: readonly string[]): boolean => {
    const [a, b] = [number(value), number(wanted)];
    return a !== undefined && b !== undefined && holds(a, b);
  };
const texts =
  (holds: (value: string, wanted: string) => boolean) =>
  (value: string, [wanted]: readonly string[]): boolean =>
    wanted !== undefined && holds(value, wanted);

/** Operators of extra specs (nova/scheduler/filters/extra_specs_ops.py). `=` means at least, for history's sake. */
const OPERATORS: Readonly<Record<string, (value: string, words: readonly string[]) => boolean>> = {
  '=': numbers((value, wanted) => value >= wanted),
  '==': numbers((value, wanted) => value === wanted),
  '!=': numbers((value, wanted) => value !== wanted),
  '>=': numbers((value, wanted) => value >= wanted),
  '<=': numbers((value, wanted) => value <= wanted),
  's==': texts((value, wanted) => value === wanted),
  's!=': texts((value, wanted) => value !== wanted),
  's<': texts((value, wanted) => value < wanted),
  's<=': texts((value, wanted) => value <= wanted),
  's>': texts((value, wanted) => value > wanted),
  's>=': texts((value, wanted) => value >= wanted),
  '<in>': texts((value, wanted) => value.includes(wanted)),
  '<all-in>': (value, words) => words.length > 0 && words.every((word) => value.includes(word)),
  // <or> a <or> b
  '<or>': (value, words) => words.some((word, at) => at % 2 === 0 && word === value),
};

/** Whether what a host or aggregate says satisfies an extra spec: `>= 4`, `<or> a <or> b`, `s== x`, or plainly the same text. */
export function matchesSpec(value: string, wanted: string): boolean {
  const [first = '', ...words] = wanted.trim().split(/\s+/);
  const operator = OPERATORS[first];
  return operator === undefined ? value === wanted : operator(value, words);
}
