import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import { NAMESPACE_SORT, type NamespaceDetail } from '../../app/metadef-namespaces.ts';
import { type Association, type NewNamespace, propertyDefinitions } from '../../metadefs/model.ts';
import type { ChildKind } from '../../store/metadefs.ts';
import type { AssociationRow, NamespaceRow } from '../../store/metadef-tables.ts';
import { op } from '../op.ts';
import { namespace, namespacesAnswer, newNamespace } from '../answers/metadefs.ts';
import {
  definitionOf,
  limitOf,
  NAMESPACE,
  NAMESPACES,
  nameOf,
  namespaceTarget,
  present,
  sortOf,
  storedObjectView,
  targetOf,
  times,
  visibilityOf,
} from './common.ts';
import * as schemas from './schemas.ts';

const PAGE_DEFAULT = 25;
const PAGE_MAX = 1_000;
const READ_ONLY = ['self', 'schema', 'created_at', 'updated_at'];

export const associationView = (row: AssociationRow): Record<string, unknown> =>
  present({ name: row.resource_type, prefix: row.prefix, properties_target: row.properties_target, ...times(row) });

const view = (row: NamespaceRow, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> =>
  present({
    namespace: row.namespace,
    display_name: row.display_name,
    description: row.description,
    visibility: row.visibility,
    protected: row.protected !== 0,
    owner: row.owner,
    ...times(row),
    ...more,
    self: `${NAMESPACES}/${row.namespace}`,
    schema: '/v2/schemas/metadefs/namespace',
  });

const some = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);
const prefixed = <T>(prefix: string, set: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(set).map(([name, value]) => [prefix + name, value]));

/** With all below it; the names of properties with the prefix that `resourceType` has here, if any. */
function detailView(detail: NamespaceDetail, resourceType: string | null): Record<string, unknown> {
  const { row } = detail;
  const prefix = detail.associations.find((a) => a.resource_type === resourceType)?.prefix ?? '';
  const properties = Object.fromEntries(detail.properties.map((property) => [prefix + property.name, definitionOf(property)]));
  const objects = detail.objects.map((object) => {
    const shown = storedObjectView(row.namespace, object);
    if (prefix === '') return shown;
    return {
      ...shown,
      properties: prefixed(prefix, shown.properties as Record<string, unknown>),
      required: (shown.required as string[]).map((name) => prefix + name),
    };
  });
  return view(row, {
    resource_type_associations: some(detail.associations.map(associationView)),
    properties: detail.properties.length > 0 ? properties : undefined,
    objects: some(objects),
    tags: some(detail.tags.map((tag) => ({ name: tag.name }))),
  });
}

/** The body of a namespace, checked and read. Lists within it are checked by what they become. */
function readBody(body: unknown): NewNamespace {
  schemas.checkBody(schemas.NAMESPACE, body, READ_ONLY);
  const given = body as NewNamespace;
  for (const association of given.resource_type_associations ?? []) schemas.checkAgainst(schemas.ASSOCIATION, association);
  for (const object of given.objects ?? []) schemas.checkAgainst(schemas.OBJECT, object);
  for (const tag of given.tags ?? []) schemas.checkAgainst(schemas.TAG, tag);
  return {
    ...given,
    ...(given.properties && { properties: propertyDefinitions(given.properties) }),
    ...(given.objects && { objects: given.objects.map((one) => ({ ...one, ...(one.properties && { properties: propertyDefinitions(one.properties) }) })) }),
  };
}

const clear = (kind: ChildKind, path: string, more?: string) =>
  op({
    id: `glance.metadef.${path}.clear`,
    method: 'DELETE',
    path: `${NAMESPACE}/${path}`,
    summary: `Delete all ${path} of a metadata definition namespace`,
    policy: 'delete_metadef_namespace',
    target: namespaceTarget,
    success: 204,
    answer: 'none',
    async handle(app, req) {
      if (more !== undefined) req.authorize(more, await namespaceTarget(app, req));
      await app.metadefs.clear(req.ctx, nameOf(req), kind);
    },
  });

export const namespaceOperations = [
  op({
    id: 'glance.metadef.namespace.list',
    method: 'GET',
    path: NAMESPACES,
    answer: namespacesAnswer,
    summary: 'List metadata definition namespaces',
    policy: 'get_metadef_namespaces',
    async handle(app, req) {
      const { query } = req;
      req.authorize('list_metadef_resource_types');
      const limit = Math.min(limitOf(query) ?? PAGE_DEFAULT, PAGE_MAX);
      const visibility = visibilityOf(query, ['public', 'private']);
      const types = query.get('resource_types');
      const marker = query.get('marker');
      const page = await app.metadefs.list(
        req.ctx,
        { ...(visibility !== undefined && { visibility }), ...(types !== null && { resourceTypes: types.split(',') }) },
        { limit, sort: sortOf(query, NAMESPACE_SORT), ...(marker !== null && marker !== '' && { marker }) },
      );
      const rows = page.rows.filter((row) => req.allowed('get_metadef_namespace', targetOf(row)));
      const namespaces = rows.map((row) => view(row, { resource_type_associations: page.associations.get(row.id)?.map(associationView) }));
      return { namespaces, ...links(req, rows.length === limit ? rows.at(-1)?.namespace : undefined), schema: '/v2/schemas/metadefs/namespaces' };
    },
  }),
  op({
    id: 'glance.metadef.namespace.create',
    method: 'POST',
    path: NAMESPACES,
    answer: newNamespace,
    summary: 'Create a metadata definition namespace',
    policy: 'add_metadef_namespace',
    body: schemas.bodyOf(schemas.NAMESPACE),
    validation: 'handler',
    success: 201,
    async handle(app, req) {
      const given = readBody(req.body);
      if (given.resource_type_associations?.length) req.authorize('add_metadef_resource_type_association');
      if (given.objects?.length) req.authorize('add_metadef_object');
      if (Object.keys(given.properties ?? {}).length > 0) req.authorize('add_metadef_property');
      if (given.tags?.length) req.authorize('add_metadef_tag');
      const row = await app.metadefs.create(req.ctx, given);
      const { properties, objects, tags, resource_type_associations } = given;
      return new Reply(view(row, { resource_type_associations: resource_type_associations as readonly Association[] | undefined, properties, objects, tags }), {
        headers: { location: encodeURI(`${req.baseUrl}${NAMESPACES}/${row.namespace}`) },
      });
    },
  }),
  op({
    id: 'glance.metadef.namespace.get',
    method: 'GET',
    path: NAMESPACE,
    answer: namespace,
    summary: 'Show a metadata definition namespace',
    policy: 'get_metadef_namespace',
    target: namespaceTarget,
    async handle(app, req) {
      visibilityOf(req.query, ['public', 'private']);
      const detail = await app.metadefs.detail(app.env.store.read, req.ctx, nameOf(req));
      for (const rule of ['list_metadef_resource_types', 'get_metadef_objects', 'get_metadef_properties', 'get_metadef_tags'])
        req.authorize(rule, targetOf(detail.row));
      return detailView(detail, req.query.get('resource_type'));
    },
  }),
  op({
    id: 'glance.metadef.namespace.update',
    method: 'PUT',
    path: NAMESPACE,
    answer: namespace,
    summary: 'Change a metadata definition namespace',
    policy: 'modify_metadef_namespace',
    target: namespaceTarget,
    body: schemas.bodyOf(schemas.NAMESPACE),
    validation: 'handler',
    async handle(app, req) {
      schemas.checkBody(schemas.NAMESPACE, req.body, READ_ONLY);
      return view(await app.metadefs.update(req.ctx, nameOf(req), req.body as NewNamespace));
    },
  }),
  op({
    id: 'glance.metadef.namespace.delete',
    method: 'DELETE',
    path: NAMESPACE,
    summary: 'Delete a metadata definition namespace',
    policy: 'delete_metadef_namespace',
    target: namespaceTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.metadefs.delete(req.ctx, nameOf(req)),
  }),
  clear('object', 'objects'),
  clear('property', 'properties'),
  clear('tag', 'tags', 'delete_metadef_tags'),
];

/** `first` always, `next` after a full page; both keep the other parameters. */
function links(req: Request<AnyBody>, next: string | undefined): object {
  const keep = new URLSearchParams(req.query);
  keep.delete('marker');
  const first = `${NAMESPACES}${keep.size > 0 ? `?${keep}` : ''}`;
  if (next === undefined) return { first };
  keep.set('marker', next);
  return { first, next: `${NAMESPACES}?${keep}` };
}
