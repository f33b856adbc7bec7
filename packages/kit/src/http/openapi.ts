import { ANYONE, AUTHENTICATED, type AnyOperation, type Versioned } from './operation.ts';
import type { HttpService } from './service.ts';

/** The OpenAPI 3.1 document of mounted services, from the same table that serves them. Actions of one path are one operation with a choice of bodies. */
export function openApiOf(services: readonly HttpService[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const service of services) {
    for (const operation of service.operations) {
      const path = service.prefix + operation.path.replace('*}', '}');
      const methods = (paths[path] ??= {});
      const method = operation.method.toLowerCase();
      methods[method] = methods[method] ? withAction(methods[method], operation) : describe(service, operation);
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Cairn', version },
    paths,
    components: { securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' } } },
  };
}

function describe(service: HttpService, operation: AnyOperation): object {
  const parameters = [...operation.path.matchAll(/\{(\w+)\*?\}/g)].map((m) => ({ name: m[1], in: 'path', required: true, schema: { type: 'string' } }));
  const query = newest(operation.query) as { properties?: Record<string, object> } | undefined;
  const queryParameters = Object.entries(query?.properties ?? {}).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
  const body = newest(operation.body);
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [service.type],
    parameters: [...parameters, ...queryParameters],
    ...(operation.policy !== ANYONE && { security: [{ token: [] }] }),
    'x-policy': operation.policy === ANYONE ? 'anyone' : operation.policy === AUTHENTICATED ? 'any valid token' : operation.policy,
    ...((operation.since || operation.until) && { 'x-openstack': { 'min-ver': operation.since, 'max-ver': operation.until } }),
    ...(operation.input === 'stream'
      ? { requestBody: { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } } }
      : body
        ? { requestBody: { required: !operation.bodyOptional, content: { 'application/json': { schema: body } } } }
        : {}),
    responses: { [String(operation.success ?? 200)]: { description: operation.summary }, default: { description: 'A fault in the form of the service' } },
  };
}

function withAction(before: object, operation: AnyOperation): object {
  const body = newest(operation.body) ?? { type: 'object', required: [operation.action] };
  const found = before as { requestBody?: { content: { 'application/json': { schema: { oneOf?: object[] } } } }; 'x-actions'?: object[] };
  const schema = found.requestBody?.content['application/json']?.schema ?? {};
  const oneOf = schema.oneOf ?? (Object.keys(schema).length > 0 ? [schema] : []);
  return {
    ...before,
    'x-actions': [
      ...(found['x-actions'] ?? []),
      {
        action: operation.action,
        operationId: operation.id,
        policy: typeof operation.policy === 'string' ? operation.policy : 'any valid token',
        'min-ver': operation.since,
        'max-ver': operation.until,
      },
    ],
    requestBody: { required: true, content: { 'application/json': { schema: { oneOf: [...oneOf, body] } } } },
  };
}

function newest(schema: Versioned | undefined): object | undefined {
  if (!schema) return undefined;
  return Array.isArray(schema) ? (schema as readonly { schema: object }[]).at(-1)?.schema : (schema as object);
}
