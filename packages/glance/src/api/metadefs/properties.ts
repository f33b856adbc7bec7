import { notFound } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { type PropertyDefinition, propertyDefinition } from '../../metadefs/model.ts';
import type { ChildRow } from '../../store/metadefs.ts';
import { op } from '../op.ts';
import { propertiesAnswer, property } from '../answers/metadefs.ts';
import { definitionOf, NAMESPACE, nameOf, namespaceTarget } from './common.ts';
import * as schemas from './schemas.ts';

const PROPERTIES = `${NAMESPACE}/properties` as const;
const PROPERTY = `${PROPERTIES}/{property_name}` as const;
const propertyOf = (req: Request<AnyBody>): string => req.params.property_name as string;
const view = (row: ChildRow<'property'>): object => ({ ...definitionOf(row), name: row.name });

function readBody(body: unknown): { name: string; definition: PropertyDefinition } {
  schemas.checkBody(schemas.PROPERTY, body);
  return { name: (body as { name: string }).name, definition: propertyDefinition(body) };
}

export const propertyOperations = [
  op({
    id: 'glance.metadef.property.list',
    method: 'GET',
    path: PROPERTIES,
    answer: propertiesAnswer,
    summary: 'List the properties of a metadata definition namespace',
    policy: 'get_metadef_properties',
    target: namespaceTarget,
    async handle(app, req) {
      const rows = await app.metadefContents.all(req.ctx, nameOf(req), 'property');
      return { properties: Object.fromEntries(rows.map((row) => [row.name, definitionOf(row)])) };
    },
  }),
  op({
    id: 'glance.metadef.property.create',
    method: 'POST',
    path: PROPERTIES,
    answer: property,
    summary: 'Add a property to a metadata definition namespace',
    policy: 'add_metadef_property',
    target: namespaceTarget,
    body: schemas.bodyOf(schemas.PROPERTY),
    validation: 'handler',
    success: 201,
    async handle(app, req) {
      const { name, definition } = readBody(req.body);
      return view(await app.metadefContents.addProperty(req.ctx, nameOf(req), name, definition));
    },
  }),
  op({
    id: 'glance.metadef.property.get',
    method: 'GET',
    path: PROPERTY,
    answer: property,
    summary: 'Show a property of a metadata definition namespace',
    policy: 'get_metadef_property',
    target: namespaceTarget,
    async handle(app, req) {
      let name = propertyOf(req);
      const type = req.query.get('resource_type');
      if (type !== null) {
        req.authorize('get_metadef_resource_type', await namespaceTarget(app, req));
        const association = (await app.metadefContents.associations(req.ctx, nameOf(req))).find((a) => a.resource_type === type);
        if (!association)
          throw notFound(`The metadata definition resource-type association of resource-type=${type} to namespace=${nameOf(req)}, was not found.`);
        const { prefix } = association;
        if (!prefix || !name.startsWith(prefix))
          throw notFound(`Property ${name} does not start with the expected resource type association prefix of '${prefix ?? 'None'}'.`);
        name = name.slice(prefix.length);
      }
      return view(await app.metadefContents.get(app.env.store.read, req.ctx, nameOf(req), 'property', name));
    },
  }),
  op({
    id: 'glance.metadef.property.update',
    method: 'PUT',
    path: PROPERTY,
    answer: property,
    summary: 'Change a property of a metadata definition namespace',
    policy: 'modify_metadef_property',
    target: namespaceTarget,
    body: schemas.bodyOf(schemas.PROPERTY),
    validation: 'handler',
    async handle(app, req) {
      const { name, definition } = readBody(req.body);
      return view(await app.metadefContents.updateProperty(req.ctx, nameOf(req), propertyOf(req), name, definition));
    },
  }),
  op({
    id: 'glance.metadef.property.delete',
    method: 'DELETE',
    path: PROPERTY,
    summary: 'Delete a property of a metadata definition namespace',
    policy: 'remove_metadef_property',
    target: namespaceTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.metadefContents.remove(req.ctx, nameOf(req), 'property', propertyOf(req)),
  }),
];
