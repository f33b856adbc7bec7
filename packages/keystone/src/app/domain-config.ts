import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit, toJson } from '@cairn/kit/store/values';
import { domainConfigKey, domainKey } from '../cache/changes.ts';
import { Facts } from '../cache/facts.ts';
import { domainConfigNotFound, domainNotFound, invalidDomainConfig } from '../errors.ts';
import { isSensitive, isWhitelisted, SENSITIVE, WHITELISTED } from '../identity-backends/ldap-options.ts';
import { DEFAULT_DOMAIN_ID } from '../options.ts';
import * as store from '../store/domain-options.ts';
import { findProject } from '../store/projects.ts';
import type { DomainOptionTable } from '../store/tables.ts';
import { type Core, touch } from './core.ts';

/** `{ldap: {url: ...}}`; where one option was asked for, `{url: ...}`. */
export type DomainConfig = Readonly<Record<string, unknown>>;
/** A domain's options with the sensitive ones and with references replaced; for back ends alone. */
export type FullDomainConfig = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export type DomainConfigs = ReturnType<typeof createDomainConfigs>;

const COMPLIANCE = ['password_regex', 'password_regex_description'];

/** Options of domains (keystone/resource/core.py, DomainConfigManager). */
export function createDomainConfigs(core: Core) {
  const { env, options } = core;
  const { read } = env.store;
  const known = new Facts<FullDomainConfig>(core.changes, 500);

  async function put(domainId: string, given: unknown): Promise<{ readonly config: DomainConfig; readonly created: boolean }> {
    await checkDomain(read, domainId);
    const rows = rowsOf(domainId, checkConfig(given));
    return await env.store.write(async (tx) => {
      await checkDomain(tx, domainId);
      const created = (await store.domainOptions(tx, domainId)).length === 0;
      await store.deleteDomainOptions(tx, domainId);
      await store.putDomainOptions(tx, rows);
      await changed(tx, domainId);
      return { config: configOf(await store.domainOptions(tx, domainId)), created };
    });
  }

  async function get(domainId: string, group?: string, option?: string, db: Db = read): Promise<DomainConfig> {
    checkNames(group, option);
    const shown = (await store.domainOptions(db, domainId, group, option)).filter((row) => !row.sensitive);
    if (shown.length === 0) throw domainConfigNotFound(domainId, wordsFor(group, option));
    const domain = await findProject(db, domainId);
    if (!domain?.is_domain) throw domainNotFound(domainId);
    return configOf(shown, option);
  }

  async function update(domainId: string, given: unknown, group?: string, option?: string): Promise<DomainConfig> {
    await checkDomain(read, domainId);
    const config = checkConfig(group !== undefined && option !== undefined ? { [group]: given } : given);
    checkNames(group, option);
    if (group !== undefined) checkOnly(config, group, option);
    return await env.store.write(async (tx) => {
      await checkDomain(tx, domainId);
      if (group !== undefined && (await store.domainOptions(tx, domainId, group, option)).length === 0) {
        throw domainConfigNotFound(domainId, wordsFor(group, option));
      }
      await store.putDomainOptions(tx, rowsOf(domainId, config));
      await changed(tx, domainId);
      return await get(domainId, undefined, undefined, tx);
    });
  }

  async function remove(domainId: string, group?: string, option?: string): Promise<void> {
    await checkDomain(read, domainId);
    checkNames(group, option);
    await env.store.write(async (tx) => {
      await checkDomain(tx, domainId);
      if (group !== undefined) {
        if ((await store.domainOptions(tx, domainId, group)).length === 0) throw domainConfigNotFound(domainId, wordsFor(group));
        if ((await store.domainOptions(tx, domainId, group, option)).length === 0) throw domainConfigNotFound(domainId, wordsFor(group, option));
      }
      await store.deleteDomainOptions(tx, domainId, group, option);
      await changed(tx, domainId);
    });
  }

  /** With the domain that goes. */
  async function removeAll(tx: Tx, domainId: string): Promise<void> {
    await store.deleteDomainOptions(tx, domainId);
    await changed(tx, domainId);
  }

  const changed = (tx: Tx, domainId: string): Promise<void> => touch(core, tx, [domainConfigKey(domainId), domainKey(domainId)]);

  /** What of the rules for passwords everybody may read; they hold for the whole cloud, and are shown for the default domain alone. */
  function securityCompliance(domainId: string, option?: string): DomainConfig {
    if (domainId !== DEFAULT_DOMAIN_ID) {
      throw invalidDomainConfig('Reading security compliance information for any domain other than the default domain is not allowed or supported.');
    }
    if (option !== undefined && !COMPLIANCE.includes(option)) {
      throw invalidDomainConfig('Reading security compliance values other than password_regex and password_regex_description is not allowed.');
    }
    const { passwordRegex, passwordRegexDescription } = options.securityCompliance;
    const values: DomainConfig = { password_regex: passwordRegex, password_regex_description: passwordRegexDescription };
    return option === undefined ? { security_compliance: values } : { [option]: values[option] };
  }

  function defaults(group?: string, option?: string): DomainConfig {
    checkNames(group, option);
    if (group !== undefined && option !== undefined) {
      if (!isWhitelisted(group, option)) throw invalidDomainConfig(`Reading the default for option ${option} in group ${group} is not supported`);
      return { [option]: WHITELISTED[group]?.[option]?.default };
    }
    const of = (name: string): DomainConfig => Object.fromEntries(Object.entries(WHITELISTED[name] ?? {}).map(([key, value]) => [key, value.default]));
    return Object.fromEntries((group === undefined ? Object.keys(WHITELISTED) : [group]).map((name) => [name, of(name)]));
  }

  /** Everything, for back ends; empty where the domain has no options. Kept until they change. */
  async function full(domainId: string): Promise<FullDomainConfig> {
    const found = await known.get(domainId, async () => ({ value: substituted(await store.domainOptions(read, domainId)), keys: [domainConfigKey(domainId)] }));
    return found ?? {};
  }

  return { put, get, update, remove, removeAll, securityCompliance, defaults, full };
}

async function checkDomain(db: Db, domainId: string): Promise<void> {
  if (!(await findProject(db, domainId))?.is_domain) throw domainNotFound(domainId);
}

const wordsFor = (group?: string, option?: string): string =>
  option !== undefined ? `option ${option} in group ${group}` : group !== undefined ? `group ${group}` : 'any options';

function checkNames(group: string | undefined, option: string | undefined): void {
  if (group === undefined) return;
  if (!Object.hasOwn(WHITELISTED, group) && !Object.hasOwn(SENSITIVE, group)) throw unsupported(group);
  if (option !== undefined && !isWhitelisted(group, option) && !isSensitive(group, option)) throw unsupported(group, option);
}

const unsupported = (group: string, option?: string): CairnError =>
  invalidDomainConfig(
    option === undefined
      ? `Group ${group} is not supported for domain specific configurations`
      : `Option ${option} in group ${group} is not supported for domain specific configurations`,
  );

type Groups = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Groups of options that may be set. */
function checkConfig(given: unknown): Groups {
  if (!isObject(given) || Object.keys(given).length === 0) throw invalidDomainConfig('No options specified');
  for (const [group, values] of Object.entries(given)) {
    if (!isObject(values) || Object.keys(values).length === 0) {
      throw invalidDomainConfig(`The value of group ${group} specified in the config should be a dictionary of options`);
    }
    for (const option of Object.keys(values)) checkNames(group, option);
  }
  return given as Groups;
}

/** An update of one group or option may hold nothing else. */
function checkOnly(config: Groups, group: string, option: string | undefined): void {
  const groups = Object.keys(config);
  const names = Object.keys(config[group] ?? {});
  if (groups.length !== 1 || (option !== undefined && names.length !== 1)) {
    throw invalidDomainConfig(
      option === undefined
        ? `Trying to update group ${group}, so that, and only that, group must be specified in the config`
        : `Trying to update option ${option} in group ${group}, so that, and only that, option must be specified  in the config`,
    );
  }
  if (groups[0] !== group) throw invalidDomainConfig(`request to update group ${group}, but config provided contains group ${groups[0]} instead`);
  if (option !== undefined && names[0] !== option) {
    throw invalidDomainConfig(`Trying to update option ${option} in group ${group}, but config provided contains option ${names[0]} instead`);
  }
}

const rowsOf = (domainId: string, config: Groups): DomainOptionTable[] =>
  Object.entries(config).flatMap(([group, values]) =>
    Object.entries(values).map(([option, value]) => ({
      domain_id: domainId,
      option_group: group,
      option_name: option,
      value: toJson(value),
      sensitive: toBit(isSensitive(group, option)),
    })),
  );

/** What may be shown of the rows. */
function configOf(rows: readonly DomainOptionTable[], option?: string): DomainConfig {
  const shown = rows.filter((row) => !row.sensitive);
  if (option !== undefined) return Object.fromEntries(shown.map((row) => [row.option_name, fromJson<unknown>(row.value)]));
  return groupsOf(shown.map((row) => [row, fromJson<unknown>(row.value)]));
}

function groupsOf(entries: readonly (readonly [DomainOptionTable, unknown])[]): FullDomainConfig {
  const groups: Record<string, Record<string, unknown>> = {};
  for (const [row, value] of entries) {
    const group = groups[row.option_group] ?? {};
    group[row.option_name] = value;
    groups[row.option_group] = group;
  }
  return groups;
}

/** `ldap://%(password)s@host`: a text may name sensitive options. */
function substituted(rows: readonly DomainOptionTable[]): FullDomainConfig {
  const secrets = new Map(rows.filter((row) => row.sensitive).map((row) => [row.option_name, String(fromJson<unknown>(row.value))]));
  return groupsOf(
    rows.map((row) => {
      const value = fromJson<unknown>(row.value);
      return [row, typeof value === 'string' && !row.sensitive ? substitute(value, secrets) : value] as const;
    }),
  );
}

/** Python's `text % secrets`. A text that Python would refuse, or that names what is not there, stays as it is. */
export function substitute(text: string, secrets: ReadonlyMap<string, string>): string {
  let broken = false;
  const result = text.replace(/%(?:%|\(([^)]*)\)s|)/g, (part, name: string | undefined) => {
    if (part === '%%') return '%';
    const secret = name === undefined ? undefined : secrets.get(name);
    if (secret === undefined) broken = true;
    return secret ?? '';
  });
  return broken ? text : result;
}
