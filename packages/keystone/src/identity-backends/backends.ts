import type { Core } from '../app/core.ts';
import type { DomainConfigs, FullDomainConfig } from '../app/domain-config.ts';
import { directoryUnavailable } from '../errors.ts';
import { type EntityType, findMapping } from '../store/id-mappings.ts';
import type { ListFilter } from '../store/lists.ts';
import type { IdentityBackend } from './backend.ts';
import { LdapSettingsError } from './ldap-options.ts';

export type Backends = ReturnType<typeof createBackends>;

interface Opened {
  readonly config: FullDomainConfig;
  readonly backend: IdentityBackend & { close(): Promise<void> };
}

/** Which back end has a domain's users, by the domain's own configuration: `identity.driver` is `sql`, or `ldap`. */
export function createBackends(core: Core, parts: { readonly domainConfigs: DomainConfigs; readonly sql: IdentityBackend }) {
  const { env, options } = core;
  const opened = new Map<string, Opened>();

  async function ofDomain(domainId: string): Promise<IdentityBackend> {
    const config = await parts.domainConfigs.full(domainId);
    const before = opened.get(domainId);
    // the same object until the configuration changes
    if (before?.config === config) return before.backend;
    if (before) {
      opened.delete(domainId);
      await before.backend.close();
    }
    const driver = config.identity?.driver ?? 'sql';
    if (driver === 'sql') return parts.sql;
    if (driver !== 'ldap') throw directoryUnavailable(`The identity driver of domain ${domainId} is unknown.`);
    const backend = await open(domainId, config);
    opened.set(domainId, { config, backend });
    return backend;
  }

  async function open(domainId: string, config: FullDomainConfig): Promise<Opened['backend']> {
    // clouds without a directory never load the library
    const { LdapBackend } = await import('./ldap.ts');
    const listLimit = Number(config.identity?.list_limit ?? 0);
    try {
      return new LdapBackend({
        env,
        domainId,
        config: config.ldap ?? {},
        listLimit: Number.isInteger(listLimit) && listLimit > 0 ? Math.min(listLimit, options.maxListLimit) : options.maxListLimit,
        cacheMs: options.directoryCacheMs,
      });
    } catch (error) {
      if (error instanceof LdapSettingsError) throw directoryUnavailable(`The configuration of domain ${domainId} cannot be used.`, error.message);
      throw error;
    }
  }

  return {
    sql: parts.sql,
    ofDomain,
    /** The back end that knows a public id, if that is not keystone's own. */
    async elsewhere(type: EntityType, publicId: string): Promise<IdentityBackend | undefined> {
      const row = await findMapping(env.store.read, publicId);
      if (row?.entity_type !== type) return undefined;
      const backend = await ofDomain(row.domain_id);
      return backend === parts.sql ? undefined : backend;
    },
    async close(): Promise<void> {
      for (const { backend } of opened.values()) await backend.close();
      opened.clear();
    },
  };
}

/** Where a list comes from: a group's back end, that of the domain that a filter names, or that of the caller's domain where it is not keystone's own. */
export async function listedBackend(
  backends: Backends,
  of: { readonly filters: readonly ListFilter[]; readonly groupId?: string | undefined; readonly homeDomainId?: string | undefined },
): Promise<IdentityBackend> {
  if (of.groupId !== undefined) return (await backends.elsewhere('group', of.groupId)) ?? backends.sql;
  const named = of.filters.find((filter) => filter.field === 'domain_id' && filter.comparator === 'equals')?.value;
  const domainId = typeof named === 'string' ? named : of.homeDomainId;
  return domainId === undefined ? backends.sql : await backends.ofDomain(domainId);
}
