import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { type MetadefObject, propertyDefinitions } from '../../metadefs/model.ts';
import { op } from '../op.ts';
import { metadefObject, objectsAnswer } from '../answers/metadefs.ts';
import { limitOf, NAMESPACE, nameOf, namespaceTarget, objectView, sortOf, storedObjectView, visibilityOf } from './common.ts';
import * as schemas from './schemas.ts';

const OBJECTS = `${NAMESPACE}/objects` as const;
const OBJECT = `${OBJECTS}/{object_name}` as const;
const READ_ONLY = ['self', 'schema', 'created_at', 'updated_at'];
const objectOf = (req: Request<AnyBody>): string => req.params.object_name as string;

function readBody(body: unknown): MetadefObject {
  schemas.checkBody(schemas.OBJECT, body, READ_ONLY);
  const given = body as MetadefObject;
  for (const property of Object.values(given.properties ?? {})) schemas.checkAgainst(schemas.NAMELESS_PROPERTY, property);
  return { ...given, ...(given.properties && { properties: propertyDefinitions(given.properties) }) };
}

export const objectOperations = [
  op({
    id: 'glance.metadef.object.list',
    method: 'GET',
    path: OBJECTS,
    answer: objectsAnswer,
    summary: 'List the objects of a metadata definition namespace',
    policy: 'get_metadef_objects',
    target: namespaceTarget,
    async handle(app, req) {
      // upstream checks these and shows everything all the same
      limitOf(req.query, 1);
      sortOf(req.query, [req.query.get('sort_key') ?? 'created_at']);
      visibilityOf(req.query, ['public', 'private', 'shared']);
      const target = await namespaceTarget(app, req);
      const rows = req.allowed('get_metadef_object', target) ? await app.metadefContents.all(req.ctx, nameOf(req), 'object') : [];
      // without the leading slash, as upstream has it
      return { objects: rows.map((row) => storedObjectView(nameOf(req), row)), schema: 'v2/schemas/metadefs/objects' };
    },
  }),
  op({
    id: 'glance.metadef.object.create',
    method: 'POST',
    path: OBJECTS,
    answer: metadefObject,
    summary: 'Add an object to a metadata definition namespace',
    policy: 'add_metadef_object',
    target: namespaceTarget,
    body: schemas.bodyOf(schemas.OBJECT),
    validation: 'handler',
    success: 201,
    async handle(app, req) {
      const given = readBody(req.body);
      return objectView(nameOf(req), await app.metadefContents.addObject(req.ctx, nameOf(req), given), given.required, given.properties !== undefined);
    },
  }),
  op({
    id: 'glance.metadef.object.get',
    method: 'GET',
    path: OBJECT,
    answer: metadefObject,
    summary: 'Show an object of a metadata definition namespace',
    policy: 'get_metadef_object',
    target: namespaceTarget,
    handle: async (app, req) => storedObjectView(nameOf(req), await app.metadefContents.get(app.env.store.read, req.ctx, nameOf(req), 'object', objectOf(req))),
  }),
  op({
    id: 'glance.metadef.object.update',
    method: 'PUT',
    path: OBJECT,
    answer: metadefObject,
    summary: 'Change an object of a metadata definition namespace',
    policy: 'modify_metadef_object',
    target: namespaceTarget,
    body: schemas.bodyOf(schemas.OBJECT),
    validation: 'handler',
    async handle(app, req) {
      const given = readBody(req.body);
      const row = await app.metadefContents.updateObject(req.ctx, nameOf(req), objectOf(req), given);
      return objectView(nameOf(req), row, given.required, given.properties !== undefined);
    },
  }),
  op({
    id: 'glance.metadef.object.delete',
    method: 'DELETE',
    path: OBJECT,
    summary: 'Delete an object of a metadata definition namespace',
    policy: 'delete_metadef_object',
    target: namespaceTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.metadefContents.remove(req.ctx, nameOf(req), 'object', objectOf(req)),
  }),
];
