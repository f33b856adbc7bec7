import { toBit } from '@cairn/kit/store/values';
import { SERVICE_PROVIDERS } from '../../cache/changes.ts';
import { Facts } from '../../cache/facts.ts';
import { conflicting, serviceProviderNotFound } from '../../errors.ts';
import * as store from '../../store/federation.ts';
import type { ListFilter, Paging } from '../../store/lists.ts';
import type { ServiceProviderTable } from '../../store/tables.ts';
import { type Core, touch, writeUnique } from '../core.ts';

/** Another keystone, for which this one is the identity provider. */
export interface ServiceProvider {
  readonly id: string;
  readonly enabled: boolean;
  readonly description: string | null;
  /** Where one of its tokens is got. */
  readonly authUrl: string;
  /** Where it takes assertions. */
  readonly spUrl: string;
  readonly relayStatePrefix: string;
}

export type ServiceProviders = ReturnType<typeof createServiceProviders>;

/** `[saml] relay_state_prefix`. */
const RELAY_STATE_PREFIX = 'ss:mem:';

const modelOf = (row: ServiceProviderTable): ServiceProvider => ({
  id: row.id,
  enabled: row.enabled !== 0,
  description: row.description,
  authUrl: row.auth_url,
  spUrl: row.sp_url,
  relayStatePrefix: row.relay_state_prefix,
});

/** A change as the row takes it: a prefix that is taken away is the usual one. */
const changeOf = (change: Partial<Omit<ServiceProvider, 'id' | 'relayStatePrefix'>> & { readonly relayStatePrefix?: string | null }) => ({
  ...(change.enabled !== undefined && { enabled: toBit(change.enabled) }),
  ...(change.description !== undefined && { description: change.description }),
  ...(change.authUrl !== undefined && { auth_url: change.authUrl }),
  ...(change.spUrl !== undefined && { sp_url: change.spUrl }),
  ...(change.relayStatePrefix !== undefined && { relay_state_prefix: change.relayStatePrefix ?? RELAY_STATE_PREFIX }),
});

export type ServiceProviderChange = Parameters<typeof changeOf>[0];

export function createServiceProviders(core: Core) {
  const { env, options } = core;
  const { read } = env.store;
  const known = new Facts<readonly ServiceProvider[]>(core.changes, 1);

  async function create(id: string, wanted: ServiceProviderChange & Pick<ServiceProvider, 'authUrl' | 'spUrl'>): Promise<ServiceProvider> {
    const conflict = () => conflicting('service_provider', `Duplicate entry found with ID ${id}`);
    const row: ServiceProviderTable = {
      id,
      enabled: 0,
      description: null,
      relay_state_prefix: RELAY_STATE_PREFIX,
      auth_url: wanted.authUrl,
      sp_url: wanted.spUrl,
      ...changeOf(wanted),
    };
    await writeUnique(core, conflict, async (tx) => {
      if (await store.findSp(tx, id)) throw conflict();
      await store.insertSp(tx, row);
      await touch(core, tx, [SERVICE_PROVIDERS]);
    });
    return modelOf(row);
  }

  async function update(id: string, wanted: ServiceProviderChange): Promise<ServiceProvider> {
    return await env.store.write(async (tx) => {
      const row = await store.findSp(tx, id);
      if (!row) throw serviceProviderNotFound(id);
      const change = changeOf(wanted);
      await store.updateSp(tx, id, change);
      await touch(core, tx, [SERVICE_PROVIDERS]);
      return modelOf({ ...row, ...change });
    });
  }

  async function get(id: string): Promise<ServiceProvider> {
    const row = await store.findSp(read, id);
    if (!row) throw serviceProviderNotFound(id);
    return modelOf(row);
  }

  async function remove(id: string): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.findSp(tx, id))) throw serviceProviderNotFound(id);
      await store.deleteSp(tx, id);
      await touch(core, tx, [SERVICE_PROVIDERS]);
    });
  }

  return {
    create,
    update,
    get,
    remove,
    list: async (filters: readonly ListFilter[], paging: Paging): Promise<{ providers: ServiceProvider[]; hasMore: boolean }> => {
      const page = await store.listSps(read, filters, { ...paging, maxLimit: options.maxListLimit });
      return { providers: page.rows.map(modelOf), hasMore: page.hasMore };
    },
    /** Those that every token names. */
    enabled: async (): Promise<readonly ServiceProvider[]> =>
      (await known.get('', async () => ({ value: (await store.enabledSps(read)).map(modelOf), keys: [SERVICE_PROVIDERS] }))) ?? [],
  };
}
