import type { Context } from '../context/context.ts';

/** A compiled check: does the caller pass for the target? `named` resolves `rule:` references. */
export type Check = (credentials: Credentials, target: Readonly<Record<string, unknown>>, named: (rule: string) => boolean) => boolean;

/** A Context in oslo.policy's names. */
export interface Credentials {
  readonly ctx: Context;
  readonly values: Readonly<Record<string, unknown>>;
  readonly roles: ReadonlySet<string>;
}

/** By the list of a token's roles, which is the same for all its requests; their Contexts are not. */
const rolesOf = new WeakMap<readonly string[], ReadonlySet<string>>();

function lowered(names: readonly string[]): ReadonlySet<string> {
  let roles = rolesOf.get(names);
  if (!roles) rolesOf.set(names, (roles = new Set(names.map((name) => name.toLowerCase()))));
  return roles;
}

/** The names that check strings may use on their left side. */
export const credentialsOf = (ctx: Context): Credentials => ({
  ctx,
  roles: lowered(ctx.roles),
  values: {
    user_id: ctx.userId,
    user_domain_id: ctx.userDomainId,
    project_id: ctx.projectId,
    tenant_id: ctx.projectId,
    tenant: ctx.projectId,
    project_domain_id: ctx.projectDomainId,
    domain_id: ctx.domainId,
    system_scope: ctx.systemScope,
    is_admin: ctx.roles.includes('admin'),
    is_admin_project: ctx.isAdminProject,
    trust_id: ctx.trustId,
    'trust.trustor_user_id': undefined,
    'token.project.domain.id': ctx.projectDomainId,
    'token.domain.id': ctx.domainId,
  },
});

/** Python's str() of the values that policies compare: True/False/None. */
function text(value: unknown): string {
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (value === null || value === undefined) return 'None';
  return String(value);
}

/** `target.user.id`: the flat key first, then the path. */
function pick(target: Readonly<Record<string, unknown>>, key: string): unknown {
  if (Object.hasOwn(target, key)) return target[key];
  let at: unknown = target;
  for (const part of key.split('.')) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

const TEMPLATE = /^%\(([^)]+)\)s$/;

function leaf(token: string): Check {
  if (token === '@') return () => true;
  if (token === '!') return () => false;
  const colon = splitAtColon(token);
  if (!colon) throw new SyntaxError(`"${token}" is not kind:match`);
  const [kind, match] = colon;
  if (kind === 'rule') return (_c, _t, named) => named(match);
  if (kind === 'role') {
    const role = match.toLowerCase();
    const template = TEMPLATE.exec(match);
    if (template) return (c, t) => c.roles.has(text(pick(t, template[1] as string)).toLowerCase());
    return (c) => c.roles.has(role);
  }
  if (kind === 'http' || kind === 'https') throw new SyntaxError(`"${token}": remote checks are not supported`);
  if (kind === 'field') return fieldCheck(match);
  const template = TEMPLATE.exec(match);
  const wanted = (t: Readonly<Record<string, unknown>>): string | undefined => {
    if (!template) return match;
    const value = pick(t, template[1] as string);
    return value === undefined ? undefined : text(value);
  };
  const literal = literalOf(kind);
  if (literal !== undefined) return (_c, t) => wanted(t) === literal;
  // `not domain_id:None`: a credential that is absent is None, but only where the rule itself says so and never where a target does
  if (match === 'None') return (c) => c.values[kind] === undefined;
  return (c, t) => {
    const want = wanted(t);
    const have = c.values[kind];
    return want !== undefined && have !== undefined && text(have) === want;
  };
}

/** neutron's `field:networks:shared=True` and `field:port:device_owner=~^network:`. */
function fieldCheck(match: string): Check {
  const parts = /^([^:]+):([^=]+)=(.*)$/.exec(match);
  if (!parts) throw new SyntaxError(`"field:${match}" is not field:resource:name=value`);
  const field = parts[2] as string;
  const value = parts[3] as string;
  if (value.startsWith('~')) {
    const pattern = new RegExp(value.slice(1));
    return (_c, t) => typeof t[field] === 'string' && pattern.test(t[field]);
  }
  return (_c, t) => text(t[field]) === value;
}

/** `'quoted'`, `True`, `12` on the left side are literals. */
function literalOf(kind: string): string | undefined {
  const quoted = /^'(.*)'$|^"(.*)"$/.exec(kind);
  if (quoted) return quoted[1] ?? quoted[2];
  if (/^(True|False|None|-?\d+)$/.test(kind)) return kind;
  return undefined;
}

function splitAtColon(token: string): [string, string] | undefined {
  const quoted = /^('[^']*'|"[^"]*"):(.*)$/.exec(token);
  if (quoted) return [quoted[1] as string, quoted[2] as string];
  const at = token.indexOf(':');
  return at < 1 ? undefined : [token.slice(0, at), token.slice(at + 1)];
}

/** The alternatives of a check, any of which is enough: what stands between the `or` that are in no parentheses. */
export function alternativesOf(source: string): readonly string[] {
  const parts: string[][] = [[]];
  let depth = 0;
  for (const token of tokenize(source)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (depth === 0 && token.toLowerCase() === 'or') parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts.map((words) => words.join(' ').replaceAll('( ', '(').replaceAll(' )', ')'));
}

/** Words, with parentheses as words of their own (not those of `%(name)s`). */
function tokenize(source: string): string[] {
  const tokens: string[] = [];
  for (const raw of source.trim().split(/\s+/)) {
    let word = raw;
    while (word.startsWith('(')) {
      tokens.push('(');
      word = word.slice(1);
    }
    let closing = 0;
    while (word.endsWith(')') && !/%\([^)]*\)$/.test(word)) {
      closing++;
      word = word.slice(0, -1);
    }
    if (word) tokens.push(word);
    for (; closing > 0; closing--) tokens.push(')');
  }
  return tokens;
}

/**
 * Compiles a check string of oslo.policy's language: `not` binds tighter than `and`, `and` tighter than `or`.
 * The empty string allows. Throws SyntaxError with the place.
 */
export function compileCheck(source: string): Check {
  const tokens = tokenize(source);
  if (source.trim() === '') return () => true;
  let at = 0;
  const isWord = (word: string): boolean => tokens[at]?.toLowerCase() === word;
  const or = (): Check => {
    const parts = [and()];
    while (isWord('or')) {
      at++;
      parts.push(and());
    }
    return parts.length === 1 ? (parts[0] as Check) : (c, t, n) => parts.some((p) => p(c, t, n));
  };
  const and = (): Check => {
    const parts = [not()];
    while (isWord('and')) {
      at++;
      parts.push(not());
    }
    return parts.length === 1 ? (parts[0] as Check) : (c, t, n) => parts.every((p) => p(c, t, n));
  };
  const not = (): Check => {
    if (isWord('not')) {
      at++;
      const inner = not();
      return (c, t, n) => !inner(c, t, n);
    }
    if (tokens[at] === '(') {
      at++;
      const inner = or();
      if (tokens[at] !== ')') throw new SyntaxError(`")" is missing in "${source}"`);
      at++;
      return inner;
    }
    const token = tokens[at++];
    if (token === undefined || token === ')') throw new SyntaxError(`a check is missing in "${source}"`);
    return leaf(token);
  };
  const check = or();
  if (at !== tokens.length) throw new SyntaxError(`"${tokens[at]}" is too much in "${source}"`);
  return check;
}
