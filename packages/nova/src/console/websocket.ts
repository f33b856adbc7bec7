import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { isCairnError } from '@cairn/kit/errors/errors';
import { refuseUpgrade } from '@cairn/kit/http/upgrade';
import type { Logger } from '@cairn/kit/log/log';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Consoles } from '../app/consoles.ts';

/** What a viewer may send in one message: keys, pointers and pasted text. */
const MESSAGE_BYTES = 1_048_576;
/** Consoles open at the same time. */
const MOST = 1_000;

/**
 * Consoles by WebSocket (upstream's nova-novncproxy and nova-serialproxy): a pass opens one stream of bytes to a guest. Web pages of other
 * origins are refused, so that no page opens a console in a user's browser with a pass that leaked to it.
 */
export class ConsoleGate {
  readonly #consoles: Consoles;
  readonly #log: Logger;
  readonly #open = new Set<WebSocket>();
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has('binary') ? 'binary' : false),
  });

  constructor(consoles: Consoles, log: Logger) {
    this.#consoles = consoles;
    this.#log = log.child({ part: 'nova.consoles' });
  }

  /** Takes a connection over. Refusals: 403 for a foreign origin or a bad pass, 409 for a guest that is off, 503 for too many. */
  take(kind: 'novnc' | 'serial', request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
    if (!sameOrigin(request)) return refuseUpgrade(socket, 403);
    if (this.#open.size >= MOST) return refuseUpgrade(socket, 503);
    const token = url.searchParams.get('token') ?? '';
    this.#consoles.open(token, kind).then(
      ({ serverId, stream }) => {
        if (socket.destroyed) {
          stream.destroy();
          return;
        }
        // ws answers a handshake that is none by itself, and then never calls back
        socket.once('close', () => stream.destroy());
        this.#server.handleUpgrade(request, socket, head, (peer) => this.#join(serverId, peer, stream));
      },
      (error: unknown) => {
        if (!isCairnError(error)) this.#log.error({ err: error }, 'a console could not be opened');
        refuseUpgrade(socket, isCairnError(error) ? error.status : 500);
      },
    );
  }

  /** Ends all consoles. */
  close(): void {
    for (const peer of this.#open) peer.terminate();
    this.#open.clear();
  }

  #join(serverId: string, peer: WebSocket, stream: Duplex): void {
    this.#open.add(peer);
    this.#log.info({ serverId }, 'a console is open');
    const ends = createWebSocketStream(peer);
    const over = (): void => {
      this.#open.delete(peer);
      stream.destroy();
      ends.destroy();
    };
    pipeline(stream, ends, over);
    pipeline(ends, stream, over);
    peer.once('close', over);
  }
}

/** A browser tells the page's origin, and then it must be this host's own; what is no browser tells none. */
function sameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  try {
    return new URL(origin).hostname === new URL(`http://${host ?? ''}`).hostname;
  } catch {
    return false;
  }
}
