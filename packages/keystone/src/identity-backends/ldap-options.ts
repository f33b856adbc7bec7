/** upstream's options of the groups `identity` and `ldap` that a domain may have of its own (keystone/conf/ldap.py, keystone/resource/core.py). */

type Kind = 'text' | 'flag' | 'integer' | 'number' | 'list';
type Value = string | boolean | number | readonly string[] | null;

interface Option {
  readonly kind: Kind;
  readonly default: Value;
  /** The only texts that it may be. */
  readonly choices?: readonly string[];
}

const text = (value: string | null, choices?: readonly string[]): Option => ({ kind: 'text', default: value, ...(choices && { choices }) });
const flag = (value: boolean | null): Option => ({ kind: 'flag', default: value });
const integer = (value: number | null): Option => ({ kind: 'integer', default: value });
const list = (...value: string[]): Option => ({ kind: 'list', default: value });

const IDENTITY = { driver: text('sql'), list_limit: integer(null) };

const LDAP = {
  url: text('ldap://localhost'),
  user: text(null),
  suffix: text('cn=example,cn=com'),
  query_scope: text('one', ['one', 'sub']),
  page_size: integer(0),
  alias_dereferencing: text('default', ['never', 'searching', 'always', 'finding', 'default']),
  debug_level: integer(null),
  chase_referrals: flag(null),
  user_tree_dn: text(null),
  user_filter: text(null),
  user_objectclass: text('inetOrgPerson'),
  user_id_attribute: text('cn'),
  user_name_attribute: text('sn'),
  user_mail_attribute: text('mail'),
  user_description_attribute: text('description'),
  user_pass_attribute: text('userPassword'),
  user_enabled_attribute: text('enabled'),
  user_enabled_invert: flag(false),
  user_enabled_mask: integer(0),
  user_enabled_default: text('True'),
  user_attribute_ignore: list('default_project_id'),
  user_default_project_id_attribute: text(null),
  user_enabled_emulation: flag(false),
  user_enabled_emulation_dn: text(null),
  user_enabled_emulation_use_group_config: flag(false),
  user_additional_attribute_mapping: list(),
  group_tree_dn: text(null),
  group_filter: text(null),
  group_objectclass: text('groupOfNames'),
  group_id_attribute: text('cn'),
  group_name_attribute: text('ou'),
  group_members_are_ids: flag(false),
  group_member_attribute: text('member'),
  group_desc_attribute: text('description'),
  group_attribute_ignore: list(),
  group_additional_attribute_mapping: list(),
  tls_cacertfile: text(null),
  tls_cacertdir: text(null),
  use_tls: flag(false),
  tls_req_cert: text('demand', ['demand', 'never', 'allow']),
  use_pool: flag(true),
  pool_size: integer(10),
  pool_retry_max: integer(3),
  pool_retry_delay: { kind: 'number', default: 0.1 } as Option,
  pool_connection_timeout: integer(-1),
  pool_connection_lifetime: integer(600),
  use_auth_pool: flag(true),
  auth_pool_size: integer(100),
  auth_pool_connection_lifetime: integer(60),
};

export type LdapOptionName = keyof typeof LDAP;

type Group = Readonly<Record<string, Option>>;

/** Options that are shown; `SENSITIVE` are kept and never shown. */
export const WHITELISTED: Readonly<Record<string, Group>> = { identity: IDENTITY, ldap: LDAP };
export const SENSITIVE: Readonly<Record<string, readonly string[]>> = { identity: [], ldap: ['password'] };

export const isWhitelisted = (group: string, option: string): boolean =>
  Object.hasOwn(WHITELISTED, group) && Object.hasOwn(WHITELISTED[group] as Group, option);
export const isSensitive = (group: string, option: string): boolean =>
  Object.hasOwn(SENSITIVE, group) && (SENSITIVE[group] as readonly string[]).includes(option);

/** The options of the `ldap` group with their types, the domain's own values before the defaults. */
export interface LdapSettings {
  text(name: LdapOptionName): string | undefined;
  flag(name: LdapOptionName): boolean;
  integer(name: LdapOptionName): number;
  list(name: LdapOptionName): readonly string[];
  readonly password: string | undefined;
}

/** A domain's configuration is wrong; the message is for the log. */
export class LdapSettingsError extends Error {}

/** Reads a domain's `ldap` group. Throws LdapSettingsError where a value is not of its option's kind. */
export function ldapSettings(given: Readonly<Record<string, unknown>>): LdapSettings {
  const valueOf = (name: LdapOptionName): Value => {
    const option: Option = LDAP[name];
    return Object.hasOwn(given, name) ? convert(name, option, given[name]) : option.default;
  };
  // every option is read once, so that what is wrong is found when the domain is opened
  for (const name of Object.keys(LDAP) as LdapOptionName[]) valueOf(name);
  const password = given.password;
  return {
    text: (name) => {
      const value = valueOf(name);
      return typeof value === 'string' && value !== '' ? value : undefined;
    },
    flag: (name) => valueOf(name) === true,
    integer: (name) => Number(valueOf(name) ?? 0),
    list: (name) => {
      const value = valueOf(name);
      return Array.isArray(value) ? (value as readonly string[]) : [];
    },
    password: typeof password === 'string' && password !== '' ? password : undefined,
  };
}

const TRUE = ['true', '1', 'yes', 'on'];
const FALSE = ['false', '0', 'no', 'off'];

/** oslo.config's reading: texts stand for flags, numbers and lists too. */
function convert(name: string, option: Option, value: unknown): Value {
  const wrong = (): LdapSettingsError => new LdapSettingsError(`option ${name} of the domain's ldap configuration should be a ${option.kind}`);
  if (value === null || value === undefined) return option.default;
  switch (option.kind) {
    case 'text':
      if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') throw wrong();
      if (option.choices && !option.choices.includes(String(value))) throw new LdapSettingsError(`option ${name} is none of ${option.choices.join(', ')}`);
      return String(value);
    case 'flag': {
      if (typeof value === 'boolean') return value;
      const word = String(value).trim().toLowerCase();
      if (TRUE.includes(word)) return true;
      if (FALSE.includes(word)) return false;
      throw wrong();
    }
    case 'integer':
    case 'number': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number) || (option.kind === 'integer' && !Number.isInteger(number))) throw wrong();
      return number;
    }
    case 'list': {
      const items = typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value;
      if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) throw wrong();
      return items.filter((item) => item !== '');
    }
  }
}
