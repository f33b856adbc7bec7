import type { ServiceName } from './services.ts';

/** The body of a call. */
export type Body = Readonly<Record<string, unknown>>;

/** Which calls a command of the openstack client stands for, and its words. */
export interface Rule {
  readonly service: ServiceName;
  readonly method: string;
  readonly path: RegExp;
  /** The one key of the body that an action has. */
  readonly action?: string;
  /** Undefined where the client cannot say what this body asks for. */
  command(match: RegExpExecArray, body: Body): readonly (string | undefined)[] | undefined;
}

/** What is within the envelope: `{ server: {...} }`. */
export const inside = (body: Body, key: string): Body => (body[key] ?? {}) as Body;
/** An option of a command, left out when it has no value. */
export const flag = (name: string, value: unknown): readonly string[] => (value === undefined || value === null || value === '' ? [] : [name, String(value)]);

/** Lists, shows and deletes, which are alike everywhere. */
export const plain = (service: ServiceName, path: string, words: readonly string[], list = path): readonly Rule[] => [
  {
    service,
    method: 'GET',
    path: new RegExp(`^${list}(\\?.*)?$`),
    command: ([, query]) => [...words, 'list', ...(/[?&]all_tenants=(1|true)/i.test(query ?? '') ? ['--all-projects'] : [])],
  },
  { service, method: 'GET', path: new RegExp(`^${path}/([^/?]+)$`), command: ([, id]) => [...words, 'show', id] },
  { service, method: 'DELETE', path: new RegExp(`^${path}/([^/?]+)$`), command: ([, id]) => [...words, 'delete', id] },
];
