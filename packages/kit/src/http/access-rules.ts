import type { AccessRule } from '../context/context.ts';

const compiled = new Map<string, RegExp>();

/** keystonemiddleware's path patterns: `*` and `{name}` stand for one segment, `**` for any number of them. */
function patternOf(path: string): RegExp {
  let pattern = compiled.get(path);
  if (!pattern) {
    const source = path.replace(/\*\*|\*|\{[^}/]*\}|[.+?^$()|[\]\\{}]/g, (part) => {
      if (part === '**') return '.*';
      return part === '*' || part.length > 1 ? '[^/]+' : `\\${part}`;
    });
    pattern = new RegExp(`^${source}$`);
    if (compiled.size < 10_000) compiled.set(path, pattern);
  }
  return pattern;
}

/**
 * Does a token that is limited by access rules allow this call? `path` is the path within the service, without query. Validating a token is
 * always allowed, as upstream's middleware has it.
 */
export function allowedByRules(rules: readonly AccessRule[], service: { readonly name: string; readonly type: string }, method: string, path: string): boolean {
  if (service.type === 'identity' && method === 'GET' && path === '/v3/auth/tokens') return true;
  return rules.some((rule) => (rule.service === service.type || rule.service === service.name) && rule.method === method && patternOf(rule.path).test(path));
}
