import { AndFilter, EqualityFilter, type Filter, FilterParser, PresenceFilter, SubstringFilter } from 'ldapts';
import type { ListFilter } from '../store/lists.ts';
import { dnKey, isBelow, parseDn } from './dn.ts';
import type { LdapConnections, LdapEntry, Scope } from './ldap-connections.ts';
import { type LdapSettings, LdapSettingsError } from './ldap-options.ts';

/** A user as the directory has it. */
export interface LdapUser {
  /** What the directory calls the user: the value of `user_id_attribute`. */
  readonly localId: string;
  readonly dn: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly email: string | undefined;
  readonly description: string | undefined;
  readonly defaultProjectId: string | undefined;
}

export interface LdapGroup {
  readonly localId: string;
  readonly dn: string;
  readonly name: string;
  readonly description: string | undefined;
}

/** What a search for users or groups has in common. */
interface Kind {
  readonly treeDn: string;
  readonly objectClass: string;
  readonly idAttribute: string;
  readonly nameAttribute: string;
  readonly filter: Filter | undefined;
  readonly attributes: readonly string[];
  /** Attributes of the API that a filter may name, and the directory's names of them. */
  readonly searchable: Readonly<Record<string, string | undefined>>;
}

const equals = (attribute: string, value: string): Filter => new EqualityFilter({ attribute, value });
const first = (entry: LdapEntry, attribute: string | undefined): string | undefined =>
  attribute === undefined ? undefined : entry.attributes.get(attribute.toLowerCase())?.[0];
/** Members read one after another in this many searches at a time. */
const MEMBERS_AT_ONCE = 8;

/** Users and groups in an LDAP directory, by the directory's own ids (keystone/identity/backends/ldap). Nothing is ever written. */
export class LdapDirectory {
  readonly #settings: LdapSettings;
  readonly #connections: LdapConnections;
  readonly #scope: Scope;
  readonly #users: Kind;
  readonly #groups: Kind;
  readonly #memberAttribute: string;
  readonly #ignored: readonly string[];

  constructor(settings: LdapSettings, connections: LdapConnections) {
    this.#settings = settings;
    this.#connections = connections;
    this.#scope = settings.text('query_scope') === 'sub' ? 'sub' : 'one';
    this.#ignored = settings.list('user_attribute_ignore');
    this.#memberAttribute = settings.text('group_member_attribute') ?? 'member';
    const suffix = settings.text('suffix') ?? '';
    const userNames = {
      name: settings.text('user_name_attribute'),
      email: this.#unlessIgnored('email', settings.text('user_mail_attribute')),
      description: this.#unlessIgnored('description', settings.text('user_description_attribute')),
      enabled: this.#unlessIgnored('enabled', settings.text('user_enabled_attribute')),
      default_project_id: this.#unlessIgnored('default_project_id', settings.text('user_default_project_id_attribute')),
    };
    const groupIgnored = settings.list('group_attribute_ignore');
    const groupNames = {
      name: settings.text('group_name_attribute'),
      description: groupIgnored.includes('description') ? undefined : settings.text('group_desc_attribute'),
    };
    this.#users = kindOf({
      treeDn: settings.text('user_tree_dn') ?? `ou=Users,${suffix}`,
      objectClass: settings.text('user_objectclass') ?? 'inetOrgPerson',
      idAttribute: settings.text('user_id_attribute') ?? 'cn',
      filter: settings.text('user_filter'),
      names: userNames,
    });
    this.#groups = kindOf({
      treeDn: settings.text('group_tree_dn') ?? `ou=UserGroups,${suffix}`,
      objectClass: settings.text('group_objectclass') ?? 'groupOfNames',
      idAttribute: settings.text('group_id_attribute') ?? 'cn',
      filter: settings.text('group_filter'),
      names: groupNames,
    });
  }

  async user(localId: string): Promise<LdapUser | undefined> {
    const [entry] = await this.#find(this.#users, [equals(this.#users.idAttribute, localId)]);
    return entry && (await this.#userOf(entry));
  }

  async userByName(name: string): Promise<LdapUser | undefined> {
    const [entry] = await this.#find(this.#users, [equals(this.#users.nameAttribute, name)]);
    return entry && (await this.#userOf(entry));
  }

  /** Users whom the filters let through; those that LDAP cannot judge are left to the caller. */
  async users(filters: readonly ListFilter[]): Promise<LdapUser[]> {
    const entries = await this.#find(this.#users, pushedDown(this.#users, filters));
    const emulation = this.#emulationDn();
    const enabled = emulation === undefined ? undefined : await this.#emulated(emulation);
    return entries.filter((entry) => emulation === undefined || dnKey(entry.dn) !== dnKey(emulation)).map((entry) => this.#modelOf(entry, enabled));
  }

  async isPassword(localId: string, password: string): Promise<boolean> {
    const user = await this.user(localId);
    return user !== undefined && (await this.#connections.isPassword(user.dn, password));
  }

  async group(localId: string): Promise<LdapGroup | undefined> {
    const [entry] = await this.#find(this.#groups, [equals(this.#groups.idAttribute, localId)]);
    return entry && this.#groupOf(entry);
  }

  async groups(filters: readonly ListFilter[]): Promise<LdapGroup[]> {
    return (await this.#find(this.#groups, pushedDown(this.#groups, filters))).map((entry) => this.#groupOf(entry));
  }

  async groupsOf(user: LdapUser, filters: readonly ListFilter[] = []): Promise<LdapGroup[]> {
    const member = this.#settings.flag('group_members_are_ids') ? user.localId : user.dn;
    return (await this.#find(this.#groups, [...pushedDown(this.#groups, filters), equals(this.#memberAttribute, member)])).map((entry) => this.#groupOf(entry));
  }

  /** Members that are users of this directory; others are passed over, as upstream does. */
  async membersOf(group: LdapGroup): Promise<LdapUser[]> {
    const [entry] = await this.#connections.search(group.dn, 'base', new PresenceFilter({ attribute: 'objectClass' }), [this.#memberAttribute]);
    const members = [...(entry?.attributes.get(this.#memberAttribute.toLowerCase()) ?? [])];
    const found: LdapUser[] = [];
    for (let at = 0; at < members.length; at += MEMBERS_AT_ONCE) {
      const users = await Promise.all(members.slice(at, at + MEMBERS_AT_ONCE).map((member) => this.#member(member)));
      found.push(...users.filter((user) => user !== undefined));
    }
    return found;
  }

  async #member(member: string): Promise<LdapUser | undefined> {
    if (this.#settings.flag('group_members_are_ids')) return await this.user(member);
    if (!parseDn(member)?.length || !isBelow(member, this.#users.treeDn)) return undefined;
    const [entry] = await this.#find(this.#users, [], member);
    return entry && (await this.#userOf(entry));
  }

  /** Entries of a kind that have an id and a name. `dn` looks at that one alone. */
  async #find(kind: Kind, more: readonly Filter[], dn?: string): Promise<LdapEntry[]> {
    const filters = [
      equals('objectClass', kind.objectClass),
      new PresenceFilter({ attribute: kind.idAttribute }),
      ...(kind.filter ? [kind.filter] : []),
      ...more,
    ];
    const filter = new AndFilter({ filters });
    const entries = await this.#connections.search(dn ?? kind.treeDn, dn === undefined ? this.#scope : 'base', filter, kind.attributes, kind.idAttribute);
    return entries.filter((entry) => first(entry, kind.nameAttribute)?.trim() && idOf(kind, entry) !== undefined);
  }

  async #userOf(entry: LdapEntry): Promise<LdapUser> {
    const emulation = this.#emulationDn();
    return this.#modelOf(entry, emulation === undefined ? undefined : await this.#emulated(emulation, entry));
  }

  #modelOf(entry: LdapEntry, enabledKeys: ReadonlySet<string> | undefined): LdapUser {
    const localId = idOf(this.#users, entry) as string;
    const { name, email, description, default_project_id: project } = this.#users.searchable;
    return {
      localId,
      dn: entry.dn,
      name: first(entry, name) ?? '',
      enabled: enabledKeys ? enabledKeys.has(this.#emulationKey(entry)) : this.#isEnabled(entry),
      email: first(entry, email),
      description: first(entry, description),
      defaultProjectId: first(entry, project),
    };
  }

  #groupOf(entry: LdapEntry): LdapGroup {
    const { name, description } = this.#groups.searchable;
    return { localId: idOf(this.#groups, entry) as string, dn: entry.dn, name: first(entry, name) ?? '', description: first(entry, description) };
  }

  /**
   * Only a plain `true` is true, in any case; whatever else the directory says keeps the user out (OSSA-2026-007). With a mask, the bits of it
   * that are all set mean disabled.
   */
  #isEnabled(entry: LdapEntry): boolean {
    if (this.#ignored.includes('enabled')) return true;
    const value = first(entry, this.#users.searchable.enabled) ?? this.#settings.text('user_enabled_default') ?? '';
    const mask = this.#settings.integer('user_enabled_mask');
    if (mask !== 0) {
      const bits = /^\s*-?\d+\s*$/.test(value) ? Number(value) : Number.NaN;
      return Number.isSafeInteger(bits) && (BigInt(bits) & BigInt(mask)) !== BigInt(mask);
    }
    const word = value.trim().toLowerCase();
    if (!this.#settings.flag('user_enabled_invert')) return word === 'true';
    // the attribute says "disabled": what cannot be read does not let anybody in
    return word === 'false';
  }

  /** The group whose members are the enabled users, where the directory has no attribute for it. */
  #emulationDn(): string | undefined {
    if (!this.#settings.flag('user_enabled_emulation') || this.#ignored.includes('enabled')) return undefined;
    return this.#settings.text('user_enabled_emulation_dn') ?? `cn=enabled_users,${this.#users.treeDn}`;
  }

  #emulationUsesIds(): boolean {
    return this.#settings.flag('user_enabled_emulation_use_group_config') && this.#settings.flag('group_members_are_ids');
  }

  #emulationKey(entry: LdapEntry): string {
    return this.#emulationUsesIds() ? (idOf(this.#users, entry) as string) : dnKey(entry.dn);
  }

  /** Keys of the enabled users; asked about one entry, of that one alone. */
  async #emulated(dn: string, only?: LdapEntry): Promise<ReadonlySet<string>> {
    const attribute = this.#settings.flag('user_enabled_emulation_use_group_config') ? this.#memberAttribute : 'member';
    const ids = this.#emulationUsesIds();
    if (only) {
      const value = ids ? (idOf(this.#users, only) as string) : only.dn;
      const found = await this.#connections.search(dn, 'base', equals(attribute, value), ['1.1']);
      return new Set(found.length > 0 ? [this.#emulationKey(only)] : []);
    }
    const [group] = await this.#connections.search(dn, 'base', new PresenceFilter({ attribute: 'objectClass' }), [attribute]);
    return new Set((group?.attributes.get(attribute.toLowerCase()) ?? []).map((member) => (ids ? member : dnKey(member))));
  }

  #unlessIgnored(name: string, attribute: string | undefined): string | undefined {
    return this.#ignored.includes(name) ? undefined : attribute;
  }
}

/** The entry's id; of several values the one in the DN, if it is there. */
function idOf(kind: Kind, entry: LdapEntry): string | undefined {
  const values = entry.attributes.get(kind.idAttribute.toLowerCase()) ?? [];
  if (values.length <= 1) return values[0];
  const [own] = parseDn(entry.dn) ?? [];
  const named = own?.find((ava) => ava.type.toLowerCase() === kind.idAttribute.toLowerCase());
  return named?.value ?? values[0];
}

function kindOf(given: {
  readonly treeDn: string;
  readonly objectClass: string;
  readonly idAttribute: string;
  readonly filter: string | undefined;
  readonly names: Readonly<Record<string, string | undefined>>;
}): Kind {
  const { name } = given.names;
  if (name === undefined) throw new LdapSettingsError('the name of users and groups needs an attribute');
  const attributes = new Set([given.idAttribute, ...Object.values(given.names).filter((attribute) => attribute !== undefined)]);
  return {
    ...given,
    nameAttribute: name,
    searchable: given.names,
    attributes: [...attributes],
    filter: given.filter === undefined ? undefined : parsedFilter(given.filter),
  };
}

function parsedFilter(text: string): Filter {
  try {
    return FilterParser.parseString(text);
  } catch (error) {
    throw new LdapSettingsError(`the filter ${text} cannot be read: ${(error as Error).message}`);
  }
}

/** Conditions that the directory can judge: by any case, as most of its attributes compare; `enabled` is judged by the caller. */
function pushedDown(kind: Kind, filters: readonly ListFilter[]): Filter[] {
  const pushed: Filter[] = [];
  for (const { field, comparator, ignoreCase, value } of filters) {
    const attribute = kind.searchable[field];
    if (attribute === undefined || field === 'enabled' || typeof value !== 'string' || value === '') continue;
    if (comparator === 'equals') pushed.push(equals(attribute, value));
    else if (ignoreCase)
      pushed.push(
        new SubstringFilter({ attribute, ...{ contains: { any: [value] }, startswith: { initial: value }, endswith: { final: value } }[comparator] }),
      );
  }
  return pushed;
}
