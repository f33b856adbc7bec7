/** A call that an application credential may make, as keystone wants it. */
export interface AccessRule {
  readonly method: string;
  readonly service: string;
  readonly path: string;
}

const METHODS = new Set(['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT']);
/** What a line of the form has to look like. */
export const RULE_EXAMPLE = 'GET compute /v2.1/servers/**';

/** Access rules as lines of `METHOD service path`; undefined when a line is no rule. */
export function accessRulesOf(text: string): readonly AccessRule[] | undefined {
  const rules: AccessRule[] = [];
  for (const line of text.split('\n').map((words) => words.trim())) {
    if (line === '') continue;
    const [method = '', service = '', path = '', ...more] = line.split(/\s+/);
    if (!METHODS.has(method.toUpperCase()) || service === '' || !path.startsWith('/') || path.length > 128 || more.length > 0) return undefined;
    rules.push({ method: method.toUpperCase(), service, path });
  }
  return rules;
}

export const LIFETIMES_DAYS = ['1', '30', '90', '365', 'never'] as const;

/** When a lifetime of days ends, as keystone reads it; undefined for one that never does. */
export const expiryOf = (lifetime: string, nowMs: number): string | undefined =>
  lifetime === 'never' ? undefined : new Date(nowMs + Number(lifetime) * 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z');

export interface CredentialForm {
  readonly name: string;
  readonly description: string;
  readonly lifetime: string;
  /** Names of roles; none are all that the session has. */
  readonly roles: readonly string[];
  readonly rules: string;
  readonly unrestricted: boolean;
}

/** The body that makes an application credential; undefined while a rule of the form is none. */
export function credentialBody(form: CredentialForm, nowMs: number): object | undefined {
  const rules = accessRulesOf(form.rules);
  if (rules === undefined) return undefined;
  const expiry = expiryOf(form.lifetime, nowMs);
  return {
    application_credential: {
      name: form.name.trim(),
      ...(form.description !== '' && { description: form.description }),
      ...(expiry !== undefined && { expires_at: expiry }),
      ...(form.roles.length > 0 && { roles: form.roles.map((name) => ({ name })) }),
      ...(rules.length > 0 && { access_rules: rules }),
      unrestricted: form.unrestricted,
    },
  };
}
