// The part of JSONPath (jsonpath-rw-ext) that gabbi files use: fields, indexes, `*`, `..`, `[?path = "value"]`, `len` and `sorted`.

type Step = (found: unknown[]) => unknown[];

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

const field =
  (name: string): Step =>
  (found) =>
    found.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []));
const index =
  (at: number): Step =>
  (found) =>
    found.flatMap((value) => (Array.isArray(value) && at < value.length ? [value[at]] : []));
const children = (value: unknown): unknown[] => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []);
const every: Step = (found) => found.flatMap(children);
const descend = (value: unknown): unknown[] => [value, ...children(value).flatMap(descend)];
const COMPARE: Readonly<Record<string, (a: unknown, b: string | number) => boolean>> = {
  '=': (a, b) => a === b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<=': (a, b) => typeof a === 'number' && a <= Number(b),
  '>=': (a, b) => typeof a === 'number' && a >= Number(b),
  '<': (a, b) => typeof a === 'number' && a < Number(b),
  '>': (a, b) => typeof a === 'number' && a > Number(b),
};

/** `a.'b'.c <= 1`: keeps the members of lists for which a path holds. */
function where(condition: string): Step {
  const match = /^\(?\s*(?<path>.+?)\s*(?<compare>==|!=|<=|>=|=|<|>)\s*(?:"(?<dq>[^"]*)"|'(?<sq>[^']*)'|(?<number>-?\d+))\s*\)?$/.exec(condition.trim());
  const groups = match?.groups;
  if (!groups) throw new Error(`JSON path: cannot read the condition "${condition}"`);
  const compare = COMPARE[groups['compare'] as string] as (a: unknown, b: string | number) => boolean;
  const wanted = groups['number'] === undefined ? (groups['dq'] ?? groups['sq'] ?? '') : Number(groups['number']);
  const path = (groups['path'] as string).replace(/'([^']+)'/g, "['$1']");
  return (found) => found.flatMap((value) => (Array.isArray(value) ? value.filter((one) => findByPath(path, one).some((at) => compare(at, wanted))) : []));
}

const length: Step = (found) =>
  found.flatMap((value) => (typeof value === 'string' || Array.isArray(value) ? [value.length] : isObject(value) ? [Object.keys(value).length] : []));
const sorted: Step = (found) => found.map((value) => (Array.isArray(value) ? [...value].toSorted() : value));

const TOKEN =
  /^(?:\.\.|\.(?=\[)|\.)?(?:`(?<call>\w+)`|\[\?(?<where>[^\]]+)\]|\[\s*(?:"(?<bdq>[^"]*)"|'(?<bsq>[^']*)')\s*\]|\[(?<at>\d+)\]|\[(?<star>\*)\]|\[(?<bare>[\w-]+)\]|(?<any>\*)|(?<name>[\w-]+))/;

/** All values that the path finds. Throws for a path that it cannot read. */
export function findByPath(path: string, document: unknown): unknown[] {
  let rest = path.trim().replace(/^\$/, '');
  let found: unknown[] = [document];
  while (rest !== '') {
    const match = TOKEN.exec(rest);
    const groups = match?.groups;
    if (!match || !groups) throw new Error(`JSON path ${path}: cannot read "${rest}"`);
    if (rest.startsWith('..')) found = found.flatMap(descend);
    found = stepOf(groups)(found);
    rest = rest.slice(match[0].length);
  }
  return found;
}

function stepOf(groups: Record<string, string | undefined>): Step {
  if (groups['call'] === 'len') return length;
  if (groups['call'] === 'sorted') return sorted;
  if (groups['call'] !== undefined) throw new Error(`JSON path: unknown function ${groups['call']}`);
  if (groups['where'] !== undefined) return where(groups['where']);
  if (groups['at'] !== undefined) return index(Number(groups['at']));
  if (groups['star'] !== undefined || groups['any'] !== undefined) return every;
  return field(groups['bdq'] ?? groups['bsq'] ?? groups['bare'] ?? groups['name'] ?? '');
}

/** The one value of a path, or the list of them. Throws where there is none. */
export function valueAt(path: string, document: unknown): unknown {
  const found = findByPath(path, document);
  if (found.length === 0) throw new Error(`JSON path ${path} finds nothing`);
  return found.length === 1 ? found[0] : found;
}
