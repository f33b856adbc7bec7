import type { Association } from '../../metadefs/model.ts';
import { op } from '../op.ts';
import { association, associationsAnswer, resourceTypesAnswer } from '../answers/metadefs.ts';
import { NAMESPACE, nameOf, namespaceTarget, times } from './common.ts';
import { associationView } from './namespaces.ts';
import * as schemas from './schemas.ts';

const TYPES = `${NAMESPACE}/resource_types` as const;

export const resourceTypeOperations = [
  op({
    id: 'glance.metadef.resource_type.list',
    method: 'GET',
    path: '/v2/metadefs/resource_types',
    answer: resourceTypesAnswer,
    summary: 'List all resource types that metadata definitions go with',
    policy: 'list_metadef_resource_types',
    async handle(app) {
      return { resource_types: (await app.metadefContents.resourceTypes()).map((row) => ({ name: row.name, ...times(row) })) };
    },
  }),
  op({
    id: 'glance.metadef.association.list',
    method: 'GET',
    path: TYPES,
    answer: associationsAnswer,
    summary: 'List the resource types of a metadata definition namespace',
    policy: 'list_metadef_resource_types',
    target: namespaceTarget,
    async handle(app, req) {
      const rows = req.allowed('get_metadef_resource_type', await namespaceTarget(app, req))
        ? await app.metadefContents.associations(req.ctx, nameOf(req))
        : [];
      return { resource_type_associations: rows.map(associationView) };
    },
  }),
  op({
    id: 'glance.metadef.association.create',
    method: 'POST',
    path: TYPES,
    answer: association,
    summary: 'Associate a resource type with a metadata definition namespace',
    policy: 'add_metadef_resource_type_association',
    target: namespaceTarget,
    body: schemas.bodyOf(schemas.ASSOCIATION),
    validation: 'handler',
    success: 201,
    async handle(app, req) {
      schemas.checkBody(schemas.ASSOCIATION, req.body);
      return associationView(await app.metadefContents.associate(req.ctx, nameOf(req), req.body as Association));
    },
  }),
  op({
    id: 'glance.metadef.association.delete',
    method: 'DELETE',
    path: `${TYPES}/{resource_type}`,
    summary: 'Dissociate a resource type from a metadata definition namespace',
    policy: 'remove_metadef_resource_type_association',
    target: namespaceTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.metadefContents.dissociate(req.ctx, nameOf(req), req.params.resource_type as string),
  }),
];
