import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Logger } from '@cairn/kit/log/log';
import type { HostCallbacks } from '../../interface/agent.ts';

const MAX_BODY_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 256;
/** A guest that opens more is told to wait by being refused; others on the same network keep their share. */
const MAX_CONNECTIONS_PER_CLIENT = 16;

/** No guest takes all connections of a namespace, nor keeps one for ever. */
export function limitConnections(server: Server): void {
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = 100;
  // small clients (netcat, busybox) end their side of the connection after the request, and still want the answer
  Object.assign(server, { httpAllowHalfOpen: true });
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const client = socket.remoteAddress ?? '';
    const count = (open.get(client) ?? 0) + 1;
    open.set(client, count);
    socket.on('close', () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left > 0) open.set(client, left);
      else open.delete(client);
    });
    if (count > MAX_CONNECTIONS_PER_CLIENT) socket.destroy();
  });
}

/**
 * Answers a guest's request. Who asks is told by the address it asks from and by nothing in the request: whatever it says in headers
 * (X-Instance-ID, X-Forwarded-For ...) is not looked at.
 */
export function metadataHandler(identify: (ip: string) => string | undefined, callbacks: Pick<HostCallbacks, 'metadata'>, log: Logger): RequestListener {
  return (request, response) => {
    void answer(request, response, identify, callbacks).catch((error: unknown) => {
      log.error({ err: error, path: request.url }, 'a metadata request failed');
      plain(response, 500, 'An unknown error has occurred. Please try your request again.');
    });
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  identify: (ip: string) => string | undefined,
  callbacks: Pick<HostCallbacks, 'metadata'>,
): Promise<void> {
  const method = request.method ?? 'GET';
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    response.setHeader('allow', 'GET, HEAD, POST');
    plain(response, 405, 'Method Not Allowed');
    return;
  }
  const path = request.url ?? '/';
  const portId = identify((request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''));
  if (portId === undefined || !path.startsWith('/')) {
    plain(response, 404, 'Not Found');
    return;
  }
  const body = await readBody(request);
  if (body === undefined) {
    response.setHeader('connection', 'close');
    plain(response, 413, 'Request Entity Too Large');
    return;
  }
  const reply = await callbacks.metadata({ portId, method: method === 'HEAD' ? 'GET' : method, path, ...(body === '' ? {} : { body }) });
  const content = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  response.writeHead(reply.status, { 'content-type': reply.contentType, 'content-length': content.length });
  response.end(content);
}

/** Undefined when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function plain(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
