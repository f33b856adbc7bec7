import { invalid, mappingBroken } from '../errors.ts';
import { projectFaults, type SchemaVersion } from './mapping-schema.ts';
import { literalList, NoSuchPlace, pythonFormat, pythonRegex, pythonRepr } from './python.ts';

/**
 * The mapping language (keystone/federation/utils.py, RuleProcessor): what an identity provider says of somebody becomes a user, groups and
 * projects here. Pure: nothing is looked up.
 */

/**
 * What an identity provider says, by attribute. A list holds one value each. A text is upstream's form, in which a semicolon separates values;
 * verified assertions come as lists, so that no value can pass for two.
 */
export type Assertion = Readonly<Record<string, string | readonly string[]>>;

export interface DomainName {
  readonly id?: string;
  readonly name?: string;
}

export interface Requirement {
  readonly type: string;
  readonly any_one_of?: readonly unknown[];
  readonly not_any_of?: readonly unknown[];
  readonly blacklist?: readonly unknown[];
  readonly whitelist?: readonly unknown[];
  readonly regex?: boolean;
}

export interface Rule {
  readonly local: readonly Readonly<Record<string, unknown>>[];
  readonly remote: readonly Requirement[];
}

export interface Mapping {
  readonly id: string;
  readonly rules: readonly Rule[];
  readonly schemaVersion: SchemaVersion;
}

export interface MappedUser {
  readonly id?: string;
  readonly name?: string;
  readonly email?: string;
  readonly domain?: DomainName;
  /** `local`: a user who is here already. `ephemeral`: one made at the first log-in. */
  readonly type: 'ephemeral' | 'local';
}

export interface MappedGroup {
  readonly name: string;
  readonly domain: DomainName;
}

export interface MappedProject {
  readonly name: string;
  readonly roles: readonly { readonly name: string }[];
  readonly domain?: DomainName;
}

export interface Mapped {
  readonly user: MappedUser;
  readonly groupIds: readonly string[];
  readonly groups: readonly MappedGroup[];
  readonly projects: readonly MappedProject[];
}

/** One `local` part of a rule with its places filled. */
interface Identity {
  readonly user?: Partial<MappedUser>;
  readonly group?: { readonly id?: string; readonly name?: string; readonly domain?: DomainName };
  readonly groups?: string;
  readonly group_ids?: string;
  readonly domain?: DomainName;
  readonly projects?: readonly MappedProject[];
  readonly projects_json?: readonly MappedProject[];
}

type Values = readonly (string | readonly string[])[];

/**
 * Applies a mapping. Throws InvalidInput where no rule fits or what comes out makes no sense, and Internal where the mapping itself is broken
 * (a place that is not there, an expression that is none).
 */
export function applyMapping(mapping: Mapping, assertion: Assertion): Mapped {
  const attributes = new Map(Object.entries(assertion).map(([name, value]) => [name, typeof value === 'string' ? value.split(';') : value]));
  const identities: Identity[] = [];
  for (const rule of mapping.rules) {
    const values = meet(mapping, rule.remote, attributes);
    if (!values) continue;
    for (const local of rule.local) identities.push(fill(mapping, local, values) as Identity);
  }
  return transform(mapping, identities);
}

/** The values for the places of a rule; undefined where the assertion does not meet its requirements. */
function meet(mapping: Mapping, requirements: readonly Requirement[], attributes: ReadonlyMap<string, readonly string[]>): Values | undefined {
  const values: (string | readonly string[])[] = [];
  for (const requirement of requirements) {
    const given = attributes.get(requirement.type);
    if (!given || given.length === 0) return undefined;
    const matches = (wanted: readonly unknown[]): ((value: string) => boolean) => matcher(mapping, wanted, requirement.regex === true);
    if (requirement.any_one_of) {
      if (!given.some(matches(requirement.any_one_of))) return undefined;
      continue;
    }
    if (requirement.not_any_of) {
      if (given.some(matches(requirement.not_any_of))) return undefined;
      continue;
    }
    let chosen = given;
    if (requirement.blacklist) {
      const barred = matches(requirement.blacklist);
      chosen = unique(given.filter((value) => !barred(value)));
    } else if (requirement.whitelist) {
      const wanted = given.filter(matches(requirement.whitelist));
      chosen = requirement.regex ? wanted : unique(wanted);
    }
    values.push(chosen.length === 1 ? (chosen[0] as string) : chosen);
  }
  return values;
}

function matcher(mapping: Mapping, wanted: readonly unknown[], regex: boolean): (value: string) => boolean {
  if (!regex) return (value) => wanted.includes(value);
  const expressions = wanted.map((source) => {
    try {
      return pythonRegex(String(source));
    } catch {
      throw mappingBroken(mapping.id, `${String(source)} is not a regular expression`);
    }
  });
  return (value) => expressions.some((expression) => expression.test(value));
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];

function fill(mapping: Mapping, local: unknown, values: Values, key = ''): unknown {
  if (Array.isArray(local)) return local.map((item) => fill(mapping, item, values));
  if (local !== null && typeof local === 'object')
    return Object.fromEntries(Object.entries(local).map(([name, item]) => [name, fill(mapping, item, values, name)]));
  const template = String(local);
  if (mapping.schemaVersion === '3.0' && key === 'projects_json') return projectsOf(mapping, template, values);
  try {
    return pythonFormat(template, values);
  } catch (error) {
    if (error instanceof NoSuchPlace) throw mappingBroken(mapping.id, `it refers to a remote match that does not exist: ${error.message}`);
    throw error;
  }
}

/** Projects that an attribute holds as JSON (version 3.0). */
function projectsOf(mapping: Mapping, template: string, values: Values): unknown {
  const place = /^\{?(\d+)\}?/.exec(template)?.[1];
  if (place === undefined) throw invalid(`The rule [${template}] for key [projects_json] does not match the expected pattern [\\{?(\\d+)\\}?].`);
  const given = values[Number(place)];
  if (given === undefined) throw mappingBroken(mapping.id, `it refers to a remote match that does not exist: '${template}'`);
  let projects: unknown;
  try {
    projects = typeof given === 'string' ? JSON.parse(given) : given;
  } catch {
    throw invalid('The attribute for projects_json is not JSON.');
  }
  const faults = projectFaults(projects);
  if (faults.length > 0) throw invalid(`${faults.join('\n')}\n`);
  return projects;
}

const NOTHING_MAPPED = 'Could not map any federated user properties to identity values. Check debug logs or the mapping used for additional details.';

function transform(mapping: Mapping, identities: readonly Identity[]): Mapped {
  const last = identities.at(-1);
  if (!last) throw invalid(NOTHING_MAPPED);
  const groupIds = new Set<string>();
  const groups: MappedGroup[] = [];
  let user: Partial<MappedUser> | undefined;
  let projects: readonly MappedProject[] = [];
  for (const identity of identities) {
    // the first one counts
    if (!user || Object.keys(user).length === 0) user = identity.user ?? user;
    const { group } = identity;
    if (group?.id !== undefined) groupIds.add(group.id);
    else if (group?.name !== undefined && group.domain) groups.push({ name: group.name, domain: group.domain });
    if (identity.groups !== undefined) groups.push(...namedGroups(identity, identity.groups));
    if (identity.group_ids !== undefined) for (const id of literalList(identity.group_ids) ?? [identity.group_ids]) groupIds.add(id);
    if (identity.projects ?? identity.projects_json) projects = mappedProjects(mapping, identity);
  }
  return { user: mappedUser(mapping, user ?? {}, last.domain), groupIds: [...groupIds], groups: uniqueGroups(groups), projects };
}

/** `groups`: a name, a list of names, or names with their domains as `JSON:{...}`. */
function namedGroups(identity: Identity, groups: string): MappedGroup[] {
  const bothNeeded = (): Error => invalid(`Invalid rule: ${pythonRepr(identity)}. Both 'groups' and 'domain' keywords must be specified.`);
  const names = literalList(groups) ?? [groups];
  if (!groups.includes('name')) {
    const { domain } = identity;
    if (!domain) throw bothNeeded();
    return names.map((name) => ({ name, domain }));
  }
  return names.map((name) => {
    const group = name.startsWith('JSON:') ? groupOfJson(name.slice('JSON:'.length)) : identity.domain && { name, domain: identity.domain };
    if (!group) throw bothNeeded();
    return group;
  });
}

function groupOfJson(json: string): MappedGroup | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalid('A group of the assertion begins with JSON: and is not JSON.');
  }
  const { name, domain } = (value ?? {}) as { name?: unknown; domain?: unknown };
  if (typeof name !== 'string' || domain === null || typeof domain !== 'object') return undefined;
  const { id, name: domainName } = domain as { id?: unknown; name?: unknown };
  if (typeof id !== 'string' && typeof domainName !== 'string') return undefined;
  return { name, domain: { ...(typeof id === 'string' && { id }), ...(typeof domainName === 'string' && { name: domainName }) } };
}

function uniqueGroups(groups: readonly MappedGroup[]): MappedGroup[] {
  const seen = new Set<string>();
  return groups.filter((group) => {
    const key = JSON.stringify([group.name, group.domain.id ?? '', group.domain.name ?? '']);
    return !seen.has(key) && seen.add(key);
  });
}

/** From version 2.0 on a project without a domain is of the domain beside it. */
function mappedProjects(mapping: Mapping, identity: Identity): MappedProject[] {
  const projects = [...(identity.projects ?? []), ...(identity.projects_json ?? [])];
  const { domain } = identity;
  return mapping.schemaVersion === '1.0' || !domain ? projects : projects.map((project) => ({ ...project, domain: project.domain ?? domain }));
}

function mappedUser(mapping: Mapping, user: Partial<MappedUser>, domain: DomainName | undefined): MappedUser {
  const type = user.type ?? 'ephemeral';
  if (type !== 'ephemeral' && type !== 'local') throw invalid(`User type ${String(type)} not supported`);
  const own = user.domain ?? (mapping.schemaVersion === '1.0' ? undefined : domain);
  return { ...user, type, ...(own && { domain: own }) };
}
