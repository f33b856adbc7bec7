import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit, toJson } from '@cairn/kit/store/values';
import { CATALOG } from '../cache/changes.ts';
import { Facts } from '../cache/facts.ts';
import { conflicting, endpointNotFound, expecting, invalid, refused, regionNotFound, serviceNotFound } from '../errors.ts';
import * as store from '../store/catalog.ts';
import { deleteEndpointFilters } from '../store/endpoint-filters.ts';
import type { ListFilter } from '../store/lists.ts';
import { deleteAssociationsOf } from '../store/policy-associations.ts';
import type { EndpointTable, RegionTable, ServiceTable } from '../store/tables.ts';
import { type Core, type Extra, type Initiator, notify, touch, writeUnique } from './core.ts';
import { endpointsChosenFor } from './chosen-endpoints.ts';
import { checkUrl, substituteUrl } from './endpoint-url.ts';

export interface Region {
  readonly id: string;
  readonly description: string;
  readonly parentRegionId: string | null;
  readonly extra: Extra;
}

export interface Service {
  readonly id: string;
  readonly type: string;
  /** undefined where none was ever given. */
  readonly name: string | undefined;
  readonly enabled: boolean;
  readonly extra: Extra;
}

export interface Endpoint {
  readonly id: string;
  readonly serviceId: string;
  readonly regionId: string | null;
  readonly interface: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly extra: Extra;
}

/** The catalog as a token carries it. */
export type CatalogView = readonly {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly endpoints: readonly Readonly<Record<string, unknown>>[];
}[];

type Change<T> = { readonly [K in keyof Omit<T, 'id'>]?: T[K] | undefined };

export type Catalog = ReturnType<typeof createCatalog>;

const regionModel = (row: RegionTable): Region => ({
  id: row.id,
  description: row.description,
  parentRegionId: row.parent_region_id,
  extra: fromJson<Extra>(row.extra),
});
const serviceModel = (row: ServiceTable): Service => ({
  id: row.id,
  type: row.type,
  name: row.name ?? undefined,
  enabled: row.enabled !== 0,
  extra: fromJson<Extra>(row.extra),
});
export const endpointModel = (row: EndpointTable): Endpoint => ({
  id: row.id,
  serviceId: row.service_id,
  regionId: row.region_id,
  interface: row.interface,
  url: row.url,
  enabled: row.enabled !== 0,
  extra: fromJson<Extra>(row.extra),
});

export function createCatalog(core: Core) {
  const { env } = core;
  const { read } = env.store;
  const views = new Facts<CatalogView>(core.changes, 2000);

  const regionRow = async (db: Db, id: string): Promise<RegionTable> => found(await store.findRegion(db, id), () => regionNotFound(id));
  const serviceRow = async (db: Db, id: string): Promise<ServiceTable> => found(await store.findService(db, id), () => serviceNotFound(id));
  const endpointRow = async (db: Db, id: string): Promise<EndpointTable> => found(await store.findEndpoint(db, id), () => endpointNotFound(id));

  async function createRegion(
    region: { readonly id?: string; readonly description?: string | null; readonly parentRegionId?: string | null; readonly extra?: Extra },
    who: Initiator,
  ): Promise<Region> {
    const row: RegionTable = {
      id: region.id ?? env.ids.hex(),
      description: region.description ?? '',
      parent_region_id: region.parentRegionId ?? null,
      extra: toJson(region.extra ?? {}),
    };
    const conflict = (): CairnError => conflicting('region', `Duplicate ID, ${row.id}.`);
    await writeUnique(core, conflict, async (tx) => {
      if (await store.findRegion(tx, row.id)) throw conflict();
      if (row.parent_region_id !== null) await regionRow(tx, row.parent_region_id);
      await store.insertRegion(tx, row);
      await changed(tx, who, 'created', 'region', row.id);
    });
    return regionModel(row);
  }

  async function updateRegion(id: string, change: Change<Region>, who: Initiator): Promise<Region> {
    return await env.store.write(async (tx) => {
      if (change.parentRegionId) await regionRow(tx, change.parentRegionId);
      const row = await regionRow(tx, id);
      const next = {
        description: change.description === undefined ? row.description : (change.description ?? ''),
        parent_region_id: change.parentRegionId === undefined ? row.parent_region_id : change.parentRegionId,
        extra: toJson({ ...fromJson<Extra>(row.extra), ...change.extra }),
      };
      await refuseCircle(tx, id, next.parent_region_id);
      await store.updateRegion(tx, id, next);
      await changed(tx, who, 'updated', 'region', id);
      return regionModel({ ...row, ...next });
    });
  }

  async function refuseCircle(tx: Tx, id: string, parentId: string | null): Promise<void> {
    for (let at = parentId; at !== null; at = (await regionRow(tx, at)).parent_region_id) {
      if (at === id) throw invalid(`The specified parent region ${parentId} would create a circular region hierarchy.`, 'parent_region_id');
    }
  }

  async function deleteRegion(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      await regionRow(tx, id);
      const ids = [id, ...(await store.regionsBelow(tx, id))];
      if (await store.endpointsInRegions(tx, ids)) throw refused(`Unable to delete region ${id} because it or its child regions have associated endpoints.`);
      await store.deleteRegions(tx, ids);
      await deleteAssociationsOf(tx, 'region_id', ids);
      await changed(tx, who, 'deleted', 'region', id);
    });
  }

  async function createService(
    service: { readonly type: string; readonly name?: string; readonly enabled?: boolean; readonly extra?: Extra },
    who: Initiator,
  ): Promise<Service> {
    const row: ServiceTable = {
      id: env.ids.hex(),
      type: service.type,
      name: service.name ?? '',
      enabled: toBit(service.enabled ?? true),
      extra: toJson(service.extra ?? {}),
    };
    await env.store.write(async (tx) => {
      await store.insertService(tx, row);
      await changed(tx, who, 'created', 'service', row.id);
    });
    return serviceModel(row);
  }

  async function updateService(id: string, change: Change<Service>, who: Initiator): Promise<Service> {
    return await env.store.write(async (tx) => {
      const row = await serviceRow(tx, id);
      const next = {
        type: change.type ?? row.type,
        name: change.name ?? row.name,
        enabled: change.enabled === undefined ? row.enabled : toBit(change.enabled),
        extra: toJson({ ...fromJson<Extra>(row.extra), ...change.extra }),
      };
      await store.updateService(tx, id, next);
      await changed(tx, who, 'updated', 'service', id);
      return serviceModel({ ...row, ...next });
    });
  }

  async function deleteService(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      await serviceRow(tx, id);
      const endpointIds = await store.deleteService(tx, id);
      await deleteEndpointFilters(tx, { endpointIds });
      await deleteAssociationsOf(tx, 'endpoint_id', endpointIds);
      await deleteAssociationsOf(tx, 'service_id', [id]);
      for (const endpointId of endpointIds) await changed(tx, who, 'deleted', 'endpoint', endpointId);
      await changed(tx, who, 'deleted', 'service', id);
    });
  }

  async function createEndpoint(
    endpoint: {
      readonly serviceId: string;
      readonly regionId?: string | null;
      readonly interface: string;
      readonly url: string;
      readonly enabled?: boolean;
      readonly extra?: Extra;
    },
    who: Initiator,
  ): Promise<Endpoint> {
    checkUrl(endpoint.url);
    const row: EndpointTable = {
      id: env.ids.hex(),
      service_id: endpoint.serviceId,
      region_id: endpoint.regionId ?? null,
      interface: endpoint.interface,
      url: endpoint.url,
      enabled: toBit(endpoint.enabled ?? true),
      extra: toJson(endpoint.extra ?? {}),
    };
    await env.store.write(async (tx) => {
      await checkEndpoint(tx, row);
      await store.insertEndpoint(tx, row);
      await changed(tx, who, 'created', 'endpoint', row.id);
    });
    return endpointModel(row);
  }

  async function updateEndpoint(id: string, change: Change<Endpoint>, who: Initiator): Promise<Endpoint> {
    if (change.url !== undefined) checkUrl(change.url);
    return await env.store.write(async (tx) => {
      const row = await endpointRow(tx, id);
      const next = {
        service_id: change.serviceId ?? row.service_id,
        region_id: change.regionId === undefined ? row.region_id : change.regionId,
        interface: change.interface ?? row.interface,
        url: change.url ?? row.url,
        enabled: change.enabled === undefined ? row.enabled : toBit(change.enabled),
        extra: toJson({ ...fromJson<Extra>(row.extra), ...change.extra }),
      };
      await checkEndpoint(tx, next);
      await store.updateEndpoint(tx, id, next);
      await changed(tx, who, 'updated', 'endpoint', id);
      return endpointModel({ ...row, ...next });
    });
  }

  async function deleteEndpoint(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      await endpointRow(tx, id);
      await store.deleteEndpoint(tx, id);
      await deleteEndpointFilters(tx, { endpointIds: [id] });
      await deleteAssociationsOf(tx, 'endpoint_id', [id]);
      await changed(tx, who, 'deleted', 'endpoint', id);
    });
  }

  async function changed(
    tx: Tx,
    who: Initiator,
    operation: 'created' | 'updated' | 'deleted',
    resource: 'region' | 'service' | 'endpoint',
    id: string,
  ): Promise<void> {
    await touch(core, tx, [CATALOG]);
    await notify(core, tx, who, operation, resource, id);
  }

  /**
   * The catalog for a scope. Endpoints whose URL needs a project are left out where there is none, as are malformed ones. A project for
   * which endpoints were chosen sees those alone, and no service without endpoints.
   */
  async function view(userId: string, projectId: string | undefined): Promise<CatalogView> {
    const known = await views.get(`${projectId ?? ''}/${userId}`, async () => {
      const { services, endpoints } = await store.enabledCatalog(read);
      const chosen = projectId === undefined ? [] : (await endpointsChosenFor(read, projectId)).map((row) => row.id);
      const shown = chosen.length === 0 ? endpoints : endpoints.filter((row) => chosen.includes(row.id));
      const byService = Map.groupBy(shown, (row) => row.service_id);
      const all = services.map((service) => ({
        endpoints: (byService.get(service.id) ?? []).flatMap((row) => {
          const url = substituteUrl(row.url, { userId, projectId });
          return url === undefined
            ? []
            : [{ ...fromJson<Extra>(row.extra), id: row.id, interface: row.interface, region_id: row.region_id, url, region: row.region_id }];
        }),
        id: service.id,
        type: service.type,
        name: service.name ?? '',
      }));
      return { value: chosen.length === 0 ? all : all.filter((service) => service.endpoints.length > 0), keys: [CATALOG] };
    });
    return known ?? [];
  }

  return {
    createRegion,
    updateRegion,
    deleteRegion,
    getRegion: async (id: string): Promise<Region> => regionModel(await regionRow(read, id)),
    findRegion: async (id: string): Promise<Region | undefined> => {
      const row = await store.findRegion(read, id);
      return row && regionModel(row);
    },
    listRegions: async (filters: readonly ListFilter[]): Promise<Region[]> => (await store.listRegions(read, filters)).map(regionModel),
    createService,
    updateService,
    deleteService,
    getService: async (id: string): Promise<Service> => serviceModel(await serviceRow(read, id)),
    listServices: async (filters: readonly ListFilter[]): Promise<Service[]> => (await store.listServices(read, filters)).map(serviceModel),
    createEndpoint,
    updateEndpoint,
    deleteEndpoint,
    getEndpoint: async (id: string): Promise<Endpoint> => endpointModel(await endpointRow(read, id)),
    listEndpoints: async (filters: readonly ListFilter[]): Promise<Endpoint[]> => (await store.listEndpoints(read, filters)).map(endpointModel),
    view,
  };
}

async function checkEndpoint(tx: Tx, row: Pick<EndpointTable, 'region_id' | 'service_id'>): Promise<void> {
  if (row.region_id !== null && !(await store.findRegion(tx, row.region_id))) throw expecting('endpoint region_id', 'region table');
  if (!(await store.findService(tx, row.service_id))) throw expecting('endpoint service_id', 'service table');
}

const found = <T>(row: T | undefined, missing: () => CairnError): T => {
  if (row === undefined) throw missing();
  return row;
};
