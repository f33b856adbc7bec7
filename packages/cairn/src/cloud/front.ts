import type { Metrics } from '@cairn/kit/metrics/metrics';
import type { HttpServer } from '@cairn/kit/http/server';
import { openApiOf } from '@cairn/kit/http/openapi';

/** Paths beside the services: the index, health, metrics, and the OpenAPI document that the cloud serves about itself. */
export function addFront(
  server: HttpServer,
  facts: {
    readonly name: string;
    readonly version: string;
    metrics: Metrics;
    ready(): { ready: boolean; reasons: readonly string[] };
    endpoints(): readonly { service: string; type: string; url: string }[];
    /** Where browsers go that ask for `/`; absent without a console. */
    readonly page?: string;
  },
): void {
  const { fastify } = server;
  fastify.get('/', (request, reply) => {
    void reply.header('vary', 'Accept');
    // browsers name text/html; clients of the APIs ask for anything, or for JSON
    if (facts.page !== undefined && (request.headers.accept ?? '').includes('text/html')) return reply.redirect(facts.page, 302);
    return reply.type('application/json').send(
      JSON.stringify({
        cloud: facts.name,
        version: facts.version,
        services: facts.endpoints(),
        links: { health: '/healthz', readiness: '/readyz', metrics: '/metrics', openapi: '/openapi.json', ...(facts.page && { console: facts.page }) },
      }),
    );
  });
  // alive: the process answers; ready: everything that a request needs is there
  fastify.get('/healthz', (_request, reply) => reply.type('application/json').send('{"status":"ok"}'));
  fastify.get('/readyz', (_request, reply) => {
    const { ready, reasons } = facts.ready();
    return reply
      .code(ready ? 200 : 503)
      .type('application/json')
      .send(JSON.stringify({ status: ready ? 'ready' : 'not ready', reasons }));
  });
  fastify.get('/metrics', async (_request, reply) => reply.type(facts.metrics.registry.contentType).send(await facts.metrics.text()));
  let document: string | undefined;
  fastify.get('/openapi.json', (_request, reply) => {
    document ??= JSON.stringify(openApiOf(server.services(), facts.version));
    return reply.type('application/json').send(document);
  });
}
