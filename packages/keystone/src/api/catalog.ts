import type { AnyOperation } from '@cairn/kit/http/operation';
import type { Endpoint, Region, Service } from '../app/catalog.ts';
import { extraOf } from '../app/core.ts';
import { invalid } from '../errors.ts';
import { endpoint, region, service } from './answers/catalog.ts';
import { many, one } from './answers/envelope.ts';
import { type AnyRequest, collection, filtersOf, type KeystoneApp, member, noTarget, op, param, requireSameId, who } from './common.ts';
import { bodyOf, description255, flagValue, queryOf, regionId, type Schema, shortText, text, textOrNull, url } from './schemas.ts';

interface RegionBody {
  readonly id?: string | null;
  readonly description?: string | null;
  readonly parent_region_id?: string | null;
}
interface ServiceBody {
  readonly id?: string;
  readonly type?: string;
  readonly name?: string;
  readonly enabled?: boolean;
}
interface EndpointBody {
  readonly id?: string;
  readonly interface?: string;
  readonly service_id?: string;
  readonly region_id?: string | null;
  readonly region?: string | null;
  readonly url?: string;
  readonly enabled?: boolean;
}

const REGION = ['id', 'description', 'parent_region_id'];
const SERVICE = ['id', 'type', 'name', 'enabled'];
const ENDPOINT = ['id', 'interface', 'service_id', 'region_id', 'region', 'url', 'enabled', 'legacy_endpoint_id'];

const regionProperties = { description: description255, parent_region_id: regionId };
const newRegion = bodyOf<RegionBody>()('region', { ...regionProperties, id: { ...regionId, minLength: 0 } }, { openRoot: true });
const changedRegion = bodyOf<RegionBody>()('region', { ...regionProperties, id: regionId }, { minProperties: 1 });
const serviceProperties = { type: shortText, name: shortText, enabled: flagValue };
const newService = bodyOf<ServiceBody & { readonly type: string }>()('service', serviceProperties, { required: ['type'], openRoot: true });
const changedService = bodyOf<ServiceBody>()('service', serviceProperties, { minProperties: 1, openRoot: true });
const interfaces: Schema = { type: 'string', enum: ['admin', 'internal', 'public'] };
const endpointProperties = {
  interface: interfaces,
  service_id: text,
  region_id: textOrNull,
  region: textOrNull,
  url,
  enabled: flagValue,
  name: text,
  description: textOrNull,
};
const newEndpoint = bodyOf<EndpointBody & { readonly interface: string; readonly service_id: string; readonly url: string }>()('endpoint', endpointProperties, {
  required: ['interface', 'service_id', 'url'],
});
const changedEndpoint = bodyOf<EndpointBody>()('endpoint', endpointProperties, { minProperties: 1 });

const regionView = (region: Region) => ({ ...region.extra, id: region.id, description: region.description, parent_region_id: region.parentRegionId });
const serviceView = (service: Service) => ({
  ...service.extra,
  id: service.id,
  type: service.type,
  enabled: service.enabled,
  ...(service.name !== undefined && { name: service.name }),
});
export const endpointView = (endpoint: Endpoint) => ({
  ...endpoint.extra,
  id: endpoint.id,
  interface: endpoint.interface,
  region_id: endpoint.regionId,
  region: endpoint.regionId,
  service_id: endpoint.serviceId,
  url: endpoint.url,
  enabled: endpoint.enabled,
});

const extraChange = (body: object, known: readonly string[]) => {
  const extra = extraOf({ ...body }, known);
  return Object.keys(extra).length > 0 ? { extra } : {};
};

const regionFields = (body: RegionBody) => ({
  ...(body.description !== undefined && { description: body.description }),
  ...(body.parent_region_id !== undefined && { parentRegionId: body.parent_region_id }),
});

/** `region` is the old name of `region_id`; a region that it names is made where it is missing. */
async function regionOf(app: KeystoneApp, req: AnyRequest, body: EndpointBody): Promise<{ readonly regionId?: string | null }> {
  if (body.region_id !== undefined && body.region_id !== null) return { regionId: body.region_id };
  if (body.region === undefined || body.region === null) return body.region_id === undefined ? {} : { regionId: null };
  if (body.region.length > 255 || body.region === '') throw invalid(`Invalid input for field/attribute region. Value: ${body.region}.`, 'region');
  if (!(await app.catalog.findRegion(body.region))) await app.catalog.createRegion({ id: body.region }, who(req));
  return { regionId: body.region };
}

const regions: readonly AnyOperation[] = [
  op({
    id: 'keystone.region.list',
    method: 'GET',
    path: '/v3/regions',
    answer: many('regions', region),
    summary: 'List regions',
    policy: 'identity:list_regions',
    target: noTarget,
    query: queryOf({ parent_region_id: { ...regionId, type: 'string' } }, { closed: true }),
    handle: async (app, req) => collection(req, 'regions', (await app.catalog.listRegions(filtersOf(req, ['parent_region_id']))).map(regionView)),
  }),
  op({
    id: 'keystone.region.create',
    method: 'POST',
    path: '/v3/regions',
    answer: one('region', region),
    summary: 'Create a region',
    policy: 'identity:create_region',
    target: noTarget,
    success: 201,
    body: newRegion,
    handle: async (app, req) => {
      const body = req.body.region;
      const region = await app.catalog.createRegion(
        { ...regionFields(body), ...(body.id && { id: body.id }), extra: extraOf({ ...body }, REGION, true) },
        who(req),
      );
      return member(req, 'region', 'regions', regionView(region));
    },
  }),
  op({
    id: 'keystone.region.create_with_id',
    method: 'PUT',
    path: '/v3/regions/{region_id}',
    answer: one('region', region),
    summary: 'Create a region with the id of the path',
    policy: 'identity:create_region',
    target: noTarget,
    success: 201,
    body: newRegion,
    handle: async (app, req) => {
      const id = param(req, 'region_id');
      const body = req.body.region;
      if (body.id !== undefined && body.id !== id) throw invalid(`Conflicting region IDs specified: "${id}" != "${body.id}"`, 'id');
      if (id.length > 255) throw invalid(`Invalid input for field/attribute id. Value: ${id.slice(0, 40)}... is too long`, 'id');
      const region = await app.catalog.createRegion({ ...regionFields(body), id, extra: extraOf({ ...body }, REGION, true) }, who(req));
      return member(req, 'region', 'regions', regionView(region));
    },
  }),
  op({
    id: 'keystone.region.show',
    method: 'GET',
    path: '/v3/regions/{region_id}',
    answer: one('region', region),
    summary: 'Show a region',
    policy: 'identity:get_region',
    target: noTarget,
    handle: async (app, req) => member(req, 'region', 'regions', regionView(await app.catalog.getRegion(param(req, 'region_id')))),
  }),
  op({
    id: 'keystone.region.update',
    method: 'PATCH',
    path: '/v3/regions/{region_id}',
    answer: one('region', region),
    summary: 'Update a region',
    policy: 'identity:update_region',
    target: noTarget,
    body: changedRegion,
    handle: async (app, req) => {
      const body = req.body.region;
      requireSameId(req, 'region_id', { ...body });
      const change = {
        ...(body.description !== undefined && { description: body.description ?? '' }),
        ...(body.parent_region_id !== undefined && { parentRegionId: body.parent_region_id }),
        ...extraChange(body, REGION),
      };
      return member(req, 'region', 'regions', regionView(await app.catalog.updateRegion(param(req, 'region_id'), change, who(req))));
    },
  }),
  op({
    id: 'keystone.region.delete',
    method: 'DELETE',
    path: '/v3/regions/{region_id}',
    summary: 'Delete a region and those below it',
    policy: 'identity:delete_region',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.catalog.deleteRegion(param(req, 'region_id'), who(req)),
  }),
];

const services: readonly AnyOperation[] = [
  op({
    id: 'keystone.service.list',
    method: 'GET',
    path: '/v3/services',
    answer: many('services', service),
    summary: 'List services',
    policy: 'identity:list_services',
    target: noTarget,
    handle: async (app, req) => collection(req, 'services', (await app.catalog.listServices(filtersOf(req, ['type', 'name']))).map(serviceView)),
  }),
  op({
    id: 'keystone.service.create',
    method: 'POST',
    path: '/v3/services',
    answer: one('service', service),
    summary: 'Create a service',
    policy: 'identity:create_service',
    target: noTarget,
    success: 201,
    body: newService,
    handle: async (app, req) => {
      const { type, name, enabled } = req.body.service;
      const extra = extraOf({ ...req.body.service }, SERVICE, true);
      const service = await app.catalog.createService(
        { type, extra, ...(name !== undefined && { name }), ...(enabled !== undefined && { enabled }) },
        who(req),
      );
      return member(req, 'service', 'services', serviceView(service));
    },
  }),
  op({
    id: 'keystone.service.show',
    method: 'GET',
    path: '/v3/services/{service_id}',
    answer: one('service', service),
    summary: 'Show a service',
    policy: 'identity:get_service',
    target: noTarget,
    handle: async (app, req) => member(req, 'service', 'services', serviceView(await app.catalog.getService(param(req, 'service_id')))),
  }),
  op({
    id: 'keystone.service.update',
    method: 'PATCH',
    path: '/v3/services/{service_id}',
    answer: one('service', service),
    summary: 'Update a service',
    policy: 'identity:update_service',
    target: noTarget,
    body: changedService,
    handle: async (app, req) => {
      const body = req.body.service;
      requireSameId(req, 'service_id', body);
      const change = { type: body.type, name: body.name, enabled: body.enabled, ...extraChange(body, SERVICE) };
      return member(req, 'service', 'services', serviceView(await app.catalog.updateService(param(req, 'service_id'), change, who(req))));
    },
  }),
  op({
    id: 'keystone.service.delete',
    method: 'DELETE',
    path: '/v3/services/{service_id}',
    summary: 'Delete a service and its endpoints',
    policy: 'identity:delete_service',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.catalog.deleteService(param(req, 'service_id'), who(req)),
  }),
];

const endpoints: readonly AnyOperation[] = [
  op({
    id: 'keystone.endpoint.list',
    method: 'GET',
    path: '/v3/endpoints',
    answer: many('endpoints', endpoint),
    summary: 'List endpoints',
    policy: 'identity:list_endpoints',
    target: noTarget,
    query: queryOf({ interface: interfaces, region_id: text, service_id: text }),
    handle: async (app, req) =>
      collection(req, 'endpoints', (await app.catalog.listEndpoints(filtersOf(req, ['interface', 'service_id', 'region_id']))).map(endpointView)),
  }),
  op({
    id: 'keystone.endpoint.create',
    method: 'POST',
    path: '/v3/endpoints',
    answer: one('endpoint', endpoint),
    summary: 'Create an endpoint',
    policy: 'identity:create_endpoint',
    target: noTarget,
    success: 201,
    body: newEndpoint,
    handle: async (app, req) => {
      const body = req.body.endpoint;
      const endpoint = await app.catalog.createEndpoint(
        {
          serviceId: body.service_id,
          interface: body.interface,
          url: body.url,
          ...(await regionOf(app, req, body)),
          ...(body.enabled !== undefined && { enabled: body.enabled }),
          extra: extraOf({ ...body }, ENDPOINT, true),
        },
        who(req),
      );
      return member(req, 'endpoint', 'endpoints', endpointView(endpoint));
    },
  }),
  op({
    id: 'keystone.endpoint.show',
    method: 'GET',
    path: '/v3/endpoints/{endpoint_id}',
    answer: one('endpoint', endpoint),
    summary: 'Show an endpoint',
    policy: 'identity:get_endpoint',
    target: noTarget,
    handle: async (app, req) => member(req, 'endpoint', 'endpoints', endpointView(await app.catalog.getEndpoint(param(req, 'endpoint_id')))),
  }),
  op({
    id: 'keystone.endpoint.update',
    method: 'PATCH',
    path: '/v3/endpoints/{endpoint_id}',
    answer: one('endpoint', endpoint),
    summary: 'Update an endpoint',
    policy: 'identity:update_endpoint',
    target: noTarget,
    body: changedEndpoint,
    handle: async (app, req) => {
      const body = req.body.endpoint;
      requireSameId(req, 'endpoint_id', body);
      const change = {
        serviceId: body.service_id,
        interface: body.interface,
        url: body.url,
        enabled: body.enabled,
        ...(await regionOf(app, req, body)),
        ...extraChange(body, ENDPOINT),
      };
      return member(req, 'endpoint', 'endpoints', endpointView(await app.catalog.updateEndpoint(param(req, 'endpoint_id'), change, who(req))));
    },
  }),
  op({
    id: 'keystone.endpoint.delete',
    method: 'DELETE',
    path: '/v3/endpoints/{endpoint_id}',
    summary: 'Delete an endpoint',
    policy: 'identity:delete_endpoint',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.catalog.deleteEndpoint(param(req, 'endpoint_id'), who(req)),
  }),
];

/** Regions, services and endpoints. */
export const catalogOperations: readonly AnyOperation[] = [...regions, ...services, ...endpoints];
