import { createServer, type Server } from 'node:http';
import type { Server as NetServer } from 'node:net';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import type { HostCallbacks } from '../../interface/agent.ts';
import { Gate } from '../kernel/kernel.ts';
import { METADATA_IP } from '../plan/address.ts';
import { limitConnections, metadataHandler } from './handler.ts';
import { listenIn } from './listen.ts';

/** Helpers at a time: each costs a good part of a processor for a tenth of a second. */
const HELPERS = 2;
const RETRY_MS = 2000;

interface Listener {
  identify: (ip: string) => string | undefined;
  closed: boolean;
  server: Server | undefined;
  retry: Timer | undefined;
}

/** The metadata service at 169.254.169.254 in each namespace that offers it. Listeners open in the background; a guest takes longer to boot. */
export class MetadataListeners {
  readonly #callbacks: Pick<HostCallbacks, 'metadata'>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listeners = new Map<string, Listener>();
  readonly #gate = new Gate(HELPERS);

  constructor(options: { readonly callbacks: Pick<HostCallbacks, 'metadata'>; readonly clock: Clock; readonly log: Logger }) {
    this.#callbacks = options.callbacks;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** `identify` gives the id of the port that has an address in this namespace. */
  open(netns: string, identify: (ip: string) => string | undefined): void {
    const known = this.#listeners.get(netns);
    if (known) {
      known.identify = identify;
      return;
    }
    const listener: Listener = { identify, closed: false, server: undefined, retry: undefined };
    this.#listeners.set(netns, listener);
    void this.#listen(netns, listener);
  }

  /** The socket would keep the namespace alive, so it is closed before the namespace goes. */
  close(netns: string): void {
    const listener = this.#listeners.get(netns);
    if (!listener) return;
    this.#listeners.delete(netns);
    listener.closed = true;
    listener.retry?.cancel();
    listener.server?.close();
    listener.server?.closeAllConnections();
  }

  closeAll(): void {
    for (const netns of this.#listeners.keys()) this.close(netns);
  }

  /** Resolves when the namespace's listener is open; for tests and diagnosis. */
  isOpen(netns: string): boolean {
    return this.#listeners.get(netns)?.server !== undefined;
  }

  async #listen(netns: string, listener: Listener): Promise<void> {
    await this.#gate.pass(async () => {
      if (listener.closed) return;
      let socket: NetServer;
      try {
        socket = await listenIn(netns, METADATA_IP, 80);
      } catch (error) {
        if (listener.closed) return;
        this.#log.warn({ err: error, netns }, 'the metadata service is not open yet; trying again');
        listener.retry = this.#clock.after(RETRY_MS, () => void this.#listen(netns, listener));
        return;
      }
      if (listener.closed) {
        socket.close();
        return;
      }
      const server = createServer(
        { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000 },
        metadataHandler((ip) => listener.identify(ip), this.#callbacks, this.#log),
      );
      limitConnections(server);
      server.on('error', (error) => this.#log.warn({ err: error, netns }, 'the metadata listener fails'));
      server.listen(socket);
      server.unref();
      listener.server = server;
    });
  }
}
