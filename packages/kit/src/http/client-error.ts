import type { Socket } from 'node:net';
import { CairnError } from '../errors/errors.ts';
import type { Logger } from '../log/log.ts';
import { fail, type MountedService } from './pipeline.ts';

/** What Node tells of bytes that it could not read as a request. */
interface ParseError extends Error {
  readonly code?: string;
  /** A Buffer; fastify's types and Node's differ. */
  readonly rawPacket?: unknown;
}

/**
 * Answers what Node's parser refuses before any service sees it: in the envelope of the service that the path names, where one can be
 * read (placement's tests expect its own words for a bad Content-Length), and without a body otherwise. The connection ends.
 * @param prefixOf what stands before the path on a service's own port
 */
export function clientErrorOf(
  mounted: readonly MountedService[],
  prefixOf: (socket: Socket) => string | undefined,
  requestId: () => string,
  log: Logger,
): (error: ParseError, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const line = /^([A-Z]{1,20}) (\/\S{0,2000}) HTTP\/1\.[01]\r?\n/.exec(
      Buffer.isBuffer(error.rawPacket) ? error.rawPacket.subarray(0, 2100).toString('latin1') : '',
    );
    const url = line ? (prefixOf(socket) ?? '') + (line[2] as string) : '';
    const found = line && mounted.find(({ service }) => url === service.prefix || url.startsWith(`${service.prefix}/`) || url.startsWith(`${service.prefix}?`));
    const refused =
      error.code === 'HPE_INVALID_CONTENT_LENGTH'
        ? new CairnError('InvalidInput', 'content-length header must be an integer')
        : error.code === 'HPE_HEADER_OVERFLOW'
          ? new CairnError('InvalidInput', 'The headers of the request are too long.', { status: 431 })
          : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
            ? new CairnError('InvalidInput', 'The request took too long to arrive.', { status: 408 })
            : new CairnError('InvalidInput', 'The request is malformed.');
    const answer = found
      ? fail(
          refused,
          found.service,
          { requestId: requestId(), version: undefined, method: line[1] as string, url: url.slice(found.service.prefix.length), accept: 'application/json' },
          log,
          undefined,
        )
      : { status: refused.status, headers: {}, body: undefined };
    const body = typeof answer.body === 'string' ? answer.body : '';
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    for (const [name, value] of Object.entries(answer.headers)) headers[name.toLowerCase()] = String(value);
    const head = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' });
    socket.end(
      `HTTP/1.1 ${answer.status} ${REASON[answer.status] ?? 'Bad Request'}\r\n${head.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${body}`,
    );
  };
}

const REASON: Readonly<Record<number, string>> = { 400: 'Bad Request', 408: 'Request Timeout', 431: 'Request Header Fields Too Large' };
