import type { Context } from '@cairn/kit/context/context';
import { isAdmin } from '@cairn/kit/context/context';
import { httpBadRequest } from '../errors.ts';
import { type Attribute, type AttributeMap, NOT_SPECIFIED } from './attribute.ts';

/** What a client sent for one resource, checked, converted and (when creating) with its defaults. */
export type Values = Record<string, unknown>;

/** One kind of resource: its names on the wire and its attributes, with what the engine derives from them. */
export interface Resource {
  /** `security_group`: the key of one in a body. */
  readonly name: string;
  /** The middle of its policy rules: its name, after its parent's where it is below one (`policy_dscp_marking_rule`). */
  readonly ruleName: string;
  /** Tells apart the operations of a resource that is at several paths. */
  readonly alias?: string;
  /** `SecurityGroup`: the name of its type in the API's description. No other type of the cloud has it. */
  readonly title: string;
  /** `security_groups`: the key of many. */
  readonly collection: string;
  /** `security-groups`: the path. */
  readonly path: string;
  readonly attributes: AttributeMap;
  readonly list: readonly (readonly [string, Attribute])[];
  readonly visible: ReadonlySet<string>;
  readonly sortable: ReadonlySet<string>;
  /** Attributes whose setting asks a rule, in the map's order. */
  readonly enforced: readonly (readonly [string, Attribute])[];
  readonly bulk: boolean;
  /** The attribute that names one. */
  readonly key: string;
}

export interface ResourceOptions {
  readonly name: string;
  /** Default: the name. */
  readonly ruleName?: string;
  readonly alias?: string;
  /** Default: the name in capitals. */
  readonly title?: string;
  readonly collection?: string;
  readonly path?: string;
  readonly attributes: AttributeMap;
  /** May many be created in one request? Default true. */
  readonly bulk?: boolean;
  /** The attribute that names one. Default `id`. */
  readonly key?: string;
}

/** Declares a resource. Owned ones get `project_id` beside `tenant_id`, as upstream's populate_project_info does. */
export function defineResource(options: ResourceOptions): Resource {
  const tenant = options.attributes.tenant_id;
  const attributes: AttributeMap = tenant && !options.attributes.project_id ? { ...options.attributes, project_id: tenant } : options.attributes;
  const list = Object.entries(attributes);
  const collection = options.collection ?? `${options.name}s`;
  return {
    name: options.name,
    ruleName: options.ruleName ?? options.name,
    ...(options.alias !== undefined && { alias: options.alias }),
    title: options.title ?? capitals(options.name),
    collection,
    path: options.path ?? collection,
    attributes,
    list,
    visible: new Set(list.filter(([, a]) => a.visible !== false).map(([name]) => name)),
    sortable: new Set(list.filter(([, a]) => a.sort).map(([name]) => name)),
    enforced: list.filter(([, a]) => a.enforcePolicy),
    bulk: options.bulk ?? true,
    key: options.key ?? 'id',
  };
}

/** `security_group` as `SecurityGroup`. */
export const capitals = (name: string): string => name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

export interface PreparedCreate {
  readonly items: readonly Values[];
  /** True where the answer is a list. */
  readonly bulk: boolean;
}

/** Reads the body of a POST: `{network: {...}}` or `{networks: [...]}` (neutron/api/v2/base.py prepare_request_body). */
export function prepareCreate(resource: Resource, ctx: Context, body: unknown): PreparedCreate {
  const object = bodyObject(resource, body);
  if (hasMany(resource, object)) {
    if (!resource.bulk) throw httpBadRequest('Bulk operation not supported');
    const items = object[resource.collection];
    if (!items || (Array.isArray(items) && items.length === 0)) throw httpBadRequest('Resources required');
    if (!Array.isArray(items) || items.some((item) => item === null || typeof item !== 'object')) throw httpBadRequest('Body contains invalid data');
    return { bulk: true, items: items.map((item) => createValues(resource, ctx, Object.hasOwn(item, resource.name) ? item[resource.name] : item)) };
  }
  return { bulk: false, items: [createValues(resource, ctx, object[resource.name])] };
}

/** Reads the body of a PUT. The result holds only what the client gave. */
export function prepareUpdate(resource: Resource, ctx: Context, body: unknown): Values {
  const object = bodyObject(resource, body);
  if (hasMany(resource, object)) throw httpBadRequest('Bulk operation not supported');
  const values = resourceValues(resource, object[resource.name]);
  populateProject(resource, ctx, values, false);
  refuseUnknown(resource, values);
  for (const [name, attribute] of resource.list)
    if (Object.hasOwn(values, name) && !attribute.put) throw httpBadRequest(`Cannot update read-only attribute ${name}`);
  convert(resource, values);
  return values;
}

/** One that is called as many are is never many. */
const hasMany = (resource: Resource, object: object): boolean => resource.collection !== resource.name && Object.hasOwn(object, resource.collection);

function bodyObject(resource: Resource, body: unknown): Record<string, unknown> {
  if (body === undefined) throw httpBadRequest(`Unable to find '${resource.name}' in request body`);
  if (body === null || typeof body !== 'object' || Array.isArray(body)) throw httpBadRequest('Body contains invalid data');
  const object = body as Record<string, unknown>;
  if (!Object.hasOwn(object, resource.name) && !Object.hasOwn(object, resource.collection))
    throw httpBadRequest(`Unable to find '${resource.name}' in request body`);
  return object;
}

function resourceValues(resource: Resource, value: unknown): Values {
  if (value === null || value === undefined) throw httpBadRequest(`Unable to find '${resource.name}' in request body`);
  if (typeof value !== 'object' || Array.isArray(value)) throw httpBadRequest(`Object '${resource.name}' contains invalid data`);
  return { ...(value as Values) };
}

function createValues(resource: Resource, ctx: Context, value: unknown): Values {
  const values = resourceValues(resource, value);
  populateProject(resource, ctx, values, true);
  refuseUnknown(resource, values);
  for (const [name, attribute] of resource.list) {
    const given = Object.hasOwn(values, name);
    if (!attribute.post) {
      if (given) throw httpBadRequest(`Attribute '${name}' not allowed in POST`);
    } else if (!given) {
      if (!('default' in attribute)) throw httpBadRequest(`Failed to parse request. Required attribute '${name}' not specified`);
      values[name] = attribute.default;
    }
  }
  convert(resource, values);
  return values;
}

function refuseUnknown(resource: Resource, values: Values): void {
  const unknown = Object.keys(values).filter((name) => !Object.hasOwn(resource.attributes, name));
  if (unknown.length > 0) throw httpBadRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
}

function convert(resource: Resource, values: Values): void {
  for (const [name, attribute] of resource.list) {
    if (!Object.hasOwn(values, name)) continue;
    let value = values[name];
    if (value === NOT_SPECIFIED) continue;
    if (attribute.convert) value = values[name] = attribute.convert(value);
    const reason = attribute.validate?.(value);
    if (reason !== undefined) throw httpBadRequest(`Invalid input for ${name}. Reason: ${reason}.`);
  }
}

/** Who may act for other projects when making things (neutron_lib.context.can_set_project_id). */
const mayActForOthers = (ctx: Context): boolean => isAdmin(ctx) || ctx.roles.includes('advsvc') || ctx.roles.includes('service');

function populateProject(resource: Resource, ctx: Context, values: Values, create: boolean): void {
  if (!resource.attributes.tenant_id) return;
  if (Object.hasOwn(values, 'tenant_id') && !Object.hasOwn(values, 'project_id')) values.project_id = values.tenant_id;
  else if (Object.hasOwn(values, 'project_id') && !Object.hasOwn(values, 'tenant_id')) values.tenant_id = values.project_id;
  if (values.project_id !== values.tenant_id) throw httpBadRequest("'project_id' and 'tenant_id' do not match");
  if (Object.hasOwn(values, 'project_id')) {
    if (values.project_id !== ctx.projectId && !mayActForOthers(ctx)) {
      throw httpBadRequest("Specifying 'project_id' other than the authenticated project in request is not allowed for the current user.");
    }
  } else if (create) {
    if (ctx.projectId === undefined) throw httpBadRequest('Running without keystone AuthN requires that project_id is specified');
    values.project_id = values.tenant_id = ctx.projectId;
  }
}
