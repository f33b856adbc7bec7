import { Reply, type Request } from '@cairn/kit/http/operation';
import { resourceClass, resourceClassesAnswer } from './answers/providers.ts';
import { cacheHeaders, bodyOf, latest, mountOf, op, param } from './op.ts';
import { RESOURCE_CLASS_NAME } from './schemas.ts';

const ONE = '/resource_classes/{name}' as const;

const view = (request: Request, name: string) => ({ name, links: [{ rel: 'self', href: `${mountOf(request)}/resource_classes/${name}` }] });

export const resourceClassOperations = [
  op({
    id: 'placement.resource_class.list',
    method: 'GET',
    path: '/resource_classes',
    answer: resourceClassesAnswer,
    summary: 'List resource classes',
    policy: 'placement:resource_classes:list',
    since: '1.2',
    input: 'none',
    async handle(app, request) {
      const classes = await app.resourceClasses.list();
      const modified = latest(
        classes.map((c) => c.updatedAtMs),
        undefined,
      );
      return new Reply({ resource_classes: classes.map((c) => view(request, c.name)) }, { headers: cacheHeaders(request, modified) });
    },
  }),
  op({
    id: 'placement.resource_class.create',
    method: 'POST',
    path: '/resource_classes',
    answer: 'none',
    summary: 'Create a resource class',
    policy: 'placement:resource_classes:create',
    since: '1.2',
    success: 201,
    body: RESOURCE_CLASS_NAME,
    validation: 'handler',
    async handle(app, request) {
      const { name } = bodyOf<{ name: string }>(request, RESOURCE_CLASS_NAME);
      await app.resourceClasses.create(name);
      return new Reply(undefined, { headers: { location: `${request.baseUrl}/resource_classes/${name}` } });
    },
  }),
  op({
    id: 'placement.resource_class.show',
    method: 'GET',
    path: ONE,
    answer: resourceClass,
    summary: 'Show a resource class',
    policy: 'placement:resource_classes:show',
    since: '1.2',
    input: 'none',
    async handle(app, request) {
      const found = await app.resourceClasses.get(param(request, 'name'));
      return new Reply(view(request, found.name), { headers: cacheHeaders(request, found.updatedAtMs) });
    },
  }),
  op({
    id: 'placement.resource_class.rename',
    method: 'PUT',
    path: ONE,
    answer: resourceClass,
    summary: 'Rename a resource class',
    policy: 'placement:resource_classes:update',
    since: '1.2',
    until: '1.6',
    body: RESOURCE_CLASS_NAME,
    validation: 'handler',
    async handle(app, request) {
      const { name } = bodyOf<{ name: string }>(request, RESOURCE_CLASS_NAME);
      await app.resourceClasses.rename(param(request, 'name'), name);
      return view(request, name);
    },
  }),
  op({
    id: 'placement.resource_class.ensure',
    method: 'PUT',
    path: ONE,
    answer: 'none',
    summary: 'Make sure that a resource class exists',
    policy: 'placement:resource_classes:update',
    since: '1.7',
    success: 201,
    input: 'none',
    async handle(app, request) {
      const name = param(request, 'name');
      bodyOf({ ...request, body: { name } }, RESOURCE_CLASS_NAME);
      const created = await app.resourceClasses.ensure(name);
      return new Reply(undefined, { status: created ? 201 : 204, headers: { location: `${request.baseUrl}/resource_classes/${name}` } });
    },
  }),
  op({
    id: 'placement.resource_class.delete',
    method: 'DELETE',
    path: ONE,
    summary: 'Delete a resource class',
    policy: 'placement:resource_classes:delete',
    since: '1.2',
    success: 204,
    answer: 'none',
    input: 'none',
    handle: (app, request) => app.resourceClasses.remove(param(request, 'name')),
  }),
];
