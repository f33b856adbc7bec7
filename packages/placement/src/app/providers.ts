import type { Env } from '@cairn/kit/env';
import { notFound } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { hasAllocations } from '../store/allocations.ts';
import {
  aggregatesOf,
  bumpGeneration,
  deleteProvider,
  hasChildren,
  insertProvider,
  listProviders,
  type ProviderFilters,
  providerById,
  providerByName,
  providersOfTree,
  setAggregates,
  updateProvider,
} from '../store/providers.ts';
import type { ProviderRow } from '../store/tables.ts';
import { bad, CODES, checkGeneration, clash, duplicate, noProvider } from './errors.ts';

/** The provider, or 404. */
export async function getProvider(db: Db, id: string): Promise<ProviderRow> {
  const row = await providerById(db, id);
  if (!row) throw noProvider(id);
  return row;
}

/** Filters as the API takes them: `inTree` names any provider of the tree. */
export type ListFilters = Omit<ProviderFilters, 'rootId'> & { readonly inTree?: string };

/** Rules of resource providers, their trees and aggregates (placement/objects/resource_provider.py). */
export type Providers = ReturnType<typeof createProviders>;

export function createProviders(env: Env) {
  const { store, clock, ids } = env;
  return {
    get: (id: string): Promise<ProviderRow> => getProvider(store.read, id),
    async list({ inTree, ...filters }: ListFilters): Promise<ProviderRow[]> {
      if (inTree === undefined) return listProviders(store.read, filters);
      const member = await providerById(store.read, inTree);
      return member ? listProviders(store.read, { ...filters, rootId: member.root_id }) : [];
    },
    create(provider: { readonly id?: string; readonly name: string; readonly parentId: string | null }): Promise<ProviderRow> {
      const id = provider.id === undefined ? ids.uuid() : dashed(provider.id);
      const refuse = (reason: string) => bad(`Unable to create resource provider "${provider.name}", ${id}: Object action create failed because: ${reason}`);
      return store.write(async (tx) => {
        if (provider.name === '') throw refuse('name is required');
        if (provider.parentId === id)
          throw refuse('parent provider UUID cannot be same as UUID. Please set parent provider UUID to None if there is no parent.');
        const parent = provider.parentId === null ? undefined : await providerById(tx, provider.parentId);
        if (provider.parentId !== null && !parent) throw refuse('parent provider UUID does not exist.');
        const taken = [(await providerById(tx, id)) && `uuid: ${id}`, (await providerByName(tx, provider.name)) && `name: ${provider.name}`].filter(Boolean);
        if (taken.length > 0) throw duplicate(`Conflicting resource provider ${taken.join(', ')} already exists.`);
        const nowMs = clock.nowMs();
        const row: ProviderRow = {
          id,
          name: provider.name,
          generation: 0,
          parent_id: parent?.id ?? null,
          root_id: parent?.root_id ?? id,
          created_at_ms: nowMs,
          updated_at_ms: nowMs,
        };
        await insertProvider(tx, row);
        return row;
      });
    },
    /** `parentId` undefined leaves the parent as it is, null makes the provider a root. Moving is allowed from microversion 1.37 on. */
    update(id: string, change: { readonly name: string; readonly parentId?: string | null; readonly mayMove: boolean }): Promise<ProviderRow> {
      return store.write(async (tx) => {
        const row = await getProvider(tx, id);
        const nowMs = clock.nowMs();
        const place = change.parentId === undefined || change.parentId === row.parent_id ? undefined : await newPlace(tx, row, change.parentId, change.mayMove);
        const namesake = await providerByName(tx, change.name);
        if (namesake && namesake.id !== id) throw duplicate(`Conflicting resource provider ${change.name} already exists.`);
        await updateProvider(tx, id, { name: change.name, ...(place && { parent_id: place.parentId, root_id: place.rootId }) }, nowMs);
        for (const below of place?.subtree ?? []) await updateProvider(tx, below, { root_id: (place as Place).rootId }, nowMs);
        return getProvider(tx, id);
      });
    },
    remove(id: string): Promise<void> {
      return store.write(async (tx) => {
        if (!(await providerById(tx, id))) throw notFound(`No resource provider with uuid ${id} found for delete`);
        if (await hasChildren(tx, id))
          throw clash(`Unable to delete parent resource provider ${id}: It has child resource providers.`, CODES.cannotDeleteParent);
        if (await hasAllocations(tx, id)) throw clash(`Unable to delete resource provider ${id}: Resource provider has allocations.`, CODES.providerInUse);
        await deleteProvider(tx, id);
      });
    },
    async aggregates(id: string): Promise<{ readonly provider: ProviderRow; readonly aggregates: readonly string[] }> {
      return { provider: await getProvider(store.read, id), aggregates: await aggregatesOf(store.read, id) };
    },
    /** Sets the aggregates. With a generation (from microversion 1.19 on) it must be the provider's, and grows. */
    setAggregates(id: string, aggregates: readonly string[], generation: number | undefined): Promise<number> {
      return store.write(async (tx) => {
        const row = await getProvider(tx, id);
        if (generation !== undefined)
          checkGeneration(row.generation, generation, "Resource provider's generation already changed. Please update the generation and try again.");
        await setAggregates(tx, id, aggregates);
        if (generation === undefined) return row.generation;
        await bumpGeneration(tx, id, clock.nowMs());
        return row.generation + 1;
      });
    },
  };
}

interface Place {
  readonly parentId: string | null;
  readonly rootId: string;
  /** Ids of what moves along. */
  readonly subtree: readonly string[];
}

async function newPlace(tx: Tx, row: ProviderRow, parentId: string | null, mayMove: boolean): Promise<Place> {
  const refuse = (reason: string, action = 'update') => bad(`Unable to save resource provider ${row.id}: Object action ${action} failed because: ${reason}`);
  const parent = parentId === null ? undefined : await providerById(tx, parentId);
  if (parentId !== null && !parent) throw refuse('parent provider UUID does not exist.', 'create');
  if (row.parent_id !== null && !mayMove)
    throw refuse(parentId === null ? 'un-parenting a provider is not currently allowed.' : 're-parenting a provider is not currently allowed.');
  const subtree = await below(tx, row);
  if (parent && (parent.id === row.id || subtree.includes(parent.id))) throw refuse('creating loop in the provider tree is not allowed.');
  return { parentId, rootId: parent?.root_id ?? row.id, subtree };
}

async function below(tx: Tx, row: ProviderRow): Promise<string[]> {
  const children = new Map<string, string[]>();
  for (const member of await providersOfTree(tx, row.root_id))
    if (member.parent_id !== null) children.set(member.parent_id, [...(children.get(member.parent_id) ?? []), member.id]);
  const found: string[] = [];
  for (let at = children.get(row.id) ?? []; at.length > 0; at = at.flatMap((id) => children.get(id) ?? [])) found.push(...at);
  return found;
}

const dashed = (uuid: string): string =>
  uuid
    .toLowerCase()
    .replaceAll('-', '')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
