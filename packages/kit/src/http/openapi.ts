import type { TSchema } from 'typebox';
import { AnswerTypes } from './openapi-types.ts';
import { ANYONE, AUTHENTICATED, type AnyOperation, type Versioned } from './operation.ts';
import type { HttpService } from './service.ts';

type Responses = Readonly<Record<string, { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: object }>> }>>;

/** The OpenAPI 3.1 document of mounted services, from the same table that serves them. Actions of one path are one operation with a choice of bodies. */
export function openApiOf(services: readonly HttpService[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  const types = new AnswerTypes();
  for (const service of services) {
    const calls = new Map<string, AnyOperation[]>();
    for (const operation of service.operations) {
      const key = `${operation.path} ${operation.method}`;
      calls.set(key, [...(calls.get(key) ?? []), operation]);
    }
    for (const [first, ...more] of calls.values() as Iterable<[AnyOperation, ...AnyOperation[]]>) {
      const path = (paths[service.prefix + first.path.replace('*}', '}')] ??= {});
      const described = more.reduce((before, operation) => withAction(before, operation, types), describe(service, first, types));
      path[first.method.toLowerCase()] = { ...described, ...rangesOf([first, ...more], types), responses: responsesOf([first, ...more], types) };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Cairn', version },
    paths,
    components: { schemas: types.named(), securitySchemes: { token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token' } } },
  };
}

function describe(service: HttpService, operation: AnyOperation, types: AnswerTypes): object {
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
    ...(operation.action !== undefined && { 'x-actions': [actionOf(operation, types)] }),
    ...(operation.input === 'stream'
      ? { requestBody: { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } } }
      : body
        ? { requestBody: { required: !operation.bodyOptional, content: { 'application/json': { schema: body } } } }
        : {}),
  };
}

function withAction(before: object, operation: AnyOperation, types: AnswerTypes): object {
  const body = newest(operation.body) ?? { type: 'object', required: [operation.action] };
  const found = before as { requestBody?: { content: { 'application/json': { schema: { oneOf?: object[] } } } }; 'x-actions'?: object[] };
  const schema = found.requestBody?.content['application/json']?.schema ?? {};
  const oneOf = schema.oneOf ?? (Object.keys(schema).length > 0 ? [schema] : []);
  return {
    ...before,
    'x-actions': [...(found['x-actions'] ?? []), actionOf(operation, types)],
    requestBody: { required: true, content: { 'application/json': { schema: { oneOf: [...oneOf, body] } } } },
  };
}

const actionOf = (operation: AnyOperation, types: AnswerTypes): object => ({
  action: operation.action,
  operationId: operation.id,
  policy: typeof operation.policy === 'string' ? operation.policy : 'any valid token',
  'min-ver': operation.since,
  'max-ver': operation.until,
  success: operation.success ?? 200,
  ...(typeof operation.answer === 'object' && { answer: types.schemaOf(operation.answer) }),
});

/** What the operations of one call answer, by code. Where one has taken the place of another, the newest speaks. */
function responsesOf(operations: readonly AnyOperation[], types: AnswerTypes): Responses {
  const lasting = operations.filter((o) => o.until === undefined);
  const responses: Record<string, { description: string; content?: Record<string, { schema: object }> }> = {};
  const answers = new Map<string, object[]>();
  for (const operation of lasting.length > 0 ? lasting : operations) {
    const code = String(operation.success ?? 200);
    const response = (responses[code] ??= { description: operation.summary });
    if (operation.answer === 'stream') response.content = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };
    if (typeof operation.answer !== 'object') continue;
    const known = answers.get(code) ?? [];
    answers.set(code, known);
    const schema = types.schemaOf(operation.answer);
    if (!known.some((other) => JSON.stringify(other) === JSON.stringify(schema))) known.push(schema);
    response.content = { 'application/json': { schema: known.length === 1 ? schema : { anyOf: known } } };
  }
  return { ...responses, default: { description: 'A fault in the form of the service' } };
}

/** By operation, answers that are of several types, each from a microversion on. */
function rangesOf(operations: readonly AnyOperation[], types: AnswerTypes): { readonly 'x-answers'?: object } {
  const ranged = operations.flatMap(({ id, answer }) =>
    Array.isArray(answer)
      ? [
          [
            id,
            (answer as readonly { from: string; schema: TSchema }[]).map(({ from, schema }) => ({ 'min-ver': from, answer: types.schemaOf(schema) })),
          ] as const,
        ]
      : [],
  );
  return ranged.length === 0 ? {} : { 'x-answers': Object.fromEntries(ranged) };
}

function newest(schema: Versioned | undefined): object | undefined {
  if (!schema) return undefined;
  return Array.isArray(schema) ? (schema as readonly { schema: object }[]).at(-1)?.schema : (schema as object);
}
