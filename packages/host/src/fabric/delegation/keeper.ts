import type { Socket } from 'node:dgram';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import type { HostEvent } from '../../interface/agent.ts';
import type { PrefixDelegationSpec } from '../../interface/fabric.ts';
import { Gate } from '../kernel/kernel.ts';
import { type Lease, PrefixClient } from './client.ts';
import { decode } from './message.ts';
import { socketAt } from './socket.ts';

const CLIENT_PORT = 546;
const SERVER_PORT = 547;
/** All servers and relays of a link. */
const SERVERS = 'ff02::1:2';
/** Helpers at a time: each costs a good part of a processor for a tenth of a second. */
const HELPERS = 2;
const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 60_000;
/** How long a router's change waits for the provider to hear that a prefix is given back. */
const RELEASE_MS = 1500;

/** What a router asks for, and by which way. */
export interface DelegationPlan {
  readonly routerId: string;
  readonly link: string;
  /** Names the network that the link leads to, and the router there. Another one is another provider. */
  readonly way: string;
  readonly subnets: readonly PrefixDelegationSpec[];
}

interface Router {
  readonly routerId: string;
  readonly netns: string;
  readonly link: string;
  readonly way: string;
  readonly clients: Map<string, PrefixClient>;
  socket: Socket | undefined;
  retry: Timer | undefined;
  retryMs: number;
  isClosed: boolean;
}

export interface DelegationKeeperOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent: (event: HostEvent) => void;
}

/**
 * Asks providers for the prefixes of subnets, one client for each, all of a router by one socket in its namespace (docs/design/0028-prefix-delegation.md).
 * Nothing of it is on disk: what is wanted says what was held before, and a client that comes new asks to keep it.
 */
export class DelegationKeeper {
  readonly #options: DelegationKeeperOptions;
  readonly #routers = new Map<string, Router>();
  /** Routers that are no more: their prefixes are given back when they go. */
  readonly #ending = new Set<string>();
  readonly #gate = new Gate(HELPERS);

  constructor(options: DelegationKeeperOptions) {
    this.#options = options;
  }

  /** The router is deleted, not moved. */
  end(key: string): void {
    if (this.#routers.has(key)) this.#ending.add(key);
  }

  /** Before a router changes, or goes (no plan): gives back what it no longer asks for, by the link that there still is. */
  async yield(key: string, plan: DelegationPlan | undefined): Promise<void> {
    const router = this.#routers.get(key);
    if (!router) return;
    // a router that is switched off or goes to another host keeps what it has
    const isMoved = !plan && !this.#ending.has(key);
    const wanted = new Set(plan?.way === router.way ? plan.subnets.map(({ subnetId }) => subnetId) : []);
    const leaving = isMoved ? [] : [...router.clients].filter(([subnetId]) => !wanted.has(subnetId));
    await Promise.all(leaving.map(([, client]) => client.release(RELEASE_MS)));
    for (const [subnetId] of leaving) router.clients.delete(subnetId);
    if (plan?.way === router.way && router.clients.size > 0) return;
    this.close(key);
  }

  /** A socket would keep its namespace alive, so this comes before the namespace goes. */
  close(key: string): void {
    const router = this.#routers.get(key);
    this.#ending.delete(key);
    if (!router) return;
    this.#routers.delete(key);
    router.isClosed = true;
    router.retry?.cancel();
    for (const client of router.clients.values()) client.stop();
    router.socket?.close();
  }

  closeAll(): void {
    for (const key of [...this.#routers.keys()]) this.close(key);
  }

  /** Gives back all that is held. */
  async yieldAll(): Promise<void> {
    for (const key of this.#routers.keys()) this.#ending.add(key);
    await Promise.all([...this.#routers.keys()].map((key) => this.yield(key, undefined)));
  }

  /** Sees to it that each of these subnets has a client. */
  keep(key: string, netns: string, plan: DelegationPlan): void {
    let router = this.#routers.get(key);
    if (!router) {
      router = {
        routerId: plan.routerId,
        netns,
        link: plan.link,
        way: plan.way,
        clients: new Map(),
        socket: undefined,
        retry: undefined,
        retryMs: FIRST_RETRY_MS,
        isClosed: false,
      };
      this.#routers.set(key, router);
      void this.#open(router);
    }
    for (const spec of plan.subnets) if (!router.clients.has(spec.subnetId)) this.#add(router, spec);
  }

  /** Tells again what is held. */
  report(): void {
    for (const router of this.#routers.values()) {
      for (const [subnetId, { lease }] of router.clients) if (lease) this.#tell(router, subnetId, lease);
    }
  }

  #add(router: Router, { subnetId, prefix, validUntilMs }: PrefixDelegationSpec): void {
    const client = new PrefixClient({
      subnetId,
      clock: this.#options.clock,
      before: prefix === undefined ? undefined : { prefix, validUntilMs },
      send: (message) => this.#send(router, message),
      onLease: (lease) => this.#tell(router, subnetId, lease),
    });
    router.clients.set(subnetId, client);
    if (router.socket) client.start();
  }

  #tell({ routerId }: Router, subnetId: string, lease: Lease | undefined): void {
    this.#options.log.info({ routerId, subnetId, lease: lease?.prefix }, lease ? 'a prefix is delegated' : 'a delegated prefix is lost');
    this.#options.onEvent({
      kind: 'prefix',
      routerId,
      subnetId,
      ...(lease && { lease: { prefix: lease.prefix, validUntilMs: Math.round(lease.validUntilMs) } }),
    });
  }

  #send(router: Router, message: Buffer): void {
    // what cannot be sent is said again
    router.socket?.send(message, SERVER_PORT, SERVERS, (error) => {
      if (error && !router.isClosed) this.#options.log.debug({ err: error, netns: router.netns }, 'a provider cannot be asked for a prefix now');
      // the link was made anew under the same name
      if ((error as NodeJS.ErrnoException | null)?.code === 'ENODEV') this.#reopen(router);
    });
  }

  #reopen(router: Router): void {
    if (router.isClosed || !router.socket) return;
    router.socket.close();
    router.socket = undefined;
    void this.#open(router);
  }

  async #open(router: Router): Promise<void> {
    await this.#gate.pass(async () => {
      if (router.isClosed) return;
      let socket: Socket;
      try {
        socket = await socketAt(router.netns, router.link, CLIENT_PORT);
      } catch (error) {
        if (router.isClosed) return;
        this.#options.log.warn({ err: error, netns: router.netns }, 'a provider cannot be asked for prefixes yet; trying again');
        router.retry = this.#options.clock.after(router.retryMs, () => void this.#open(router));
        router.retryMs = Math.min(router.retryMs * 2, LAST_RETRY_MS);
        return;
      }
      socket.on('error', (error) => this.#options.log.warn({ err: error, netns: router.netns }, 'the socket to a provider fails'));
      if (router.isClosed) {
        socket.close();
        return;
      }
      socket.unref();
      router.socket = socket;
      router.retryMs = FIRST_RETRY_MS;
      socket.on('message', (data, { port }) => {
        if (port === SERVER_PORT) this.#receive(router, data);
      });
      for (const client of router.clients.values()) if (!client.isStarted) client.start();
    });
  }

  #receive(router: Router, data: Buffer): void {
    const message = decode(data);
    if (!message) return;
    for (const client of router.clients.values()) if (client.clientId.equals(message.clientId)) client.receive(message);
  }
}
