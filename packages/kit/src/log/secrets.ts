/** Field names whose values never reach a log, in the fields of a line and one level below. */
const SECRETS = ['password', 'token', 'secret', 'adminPass', 'x-auth-token', 'x-subject-token', 'authorization', 'private_key'];
const CENSORED = '[secret]';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const hasSecret = (fields: object): boolean => SECRETS.some((name) => name in fields);

/** The fields themselves where nothing in them is secret by its name, as nearly always; else a copy that is censored. */
export function withoutSecrets(fields: object): object {
  let tainted = hasSecret(fields);
  for (const value of Object.values(fields)) tainted ||= isObject(value) && hasSecret(value);
  if (!tainted) return fields;
  return censor(fields, (value) => (isObject(value) && hasSecret(value) ? censor(value, (inner) => inner) : value));
}

function censor(fields: object, below: (value: unknown) => unknown): object {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) copy[name] = SECRETS.includes(name) ? CENSORED : below(value);
  return copy;
}
