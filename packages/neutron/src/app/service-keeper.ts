import type { Tx } from '@cairn/kit/store/store';
import { systemContext } from '@cairn/kit/context/context';
import { findNetwork } from '../store/networks.ts';
import { findRouter } from '../store/routers.ts';
import { homelessNetworks, homelessRouters, loadsOf, networksOfDhcpHost, routersOfHost } from '../store/service-hosts.ts';
import type { NeutronApp } from './deps.ts';
import { moveDhcp, settleDhcpPort } from './dhcp-ports.ts';
import { hostForRouter, moveRouter } from './router-hosts.ts';

/** How often hosts are looked at, and how long one is away before others do its work: what a restart of its agent takes is no reason to move. */
const LOOK_EVERY_MS = 1000;
const GONE_MS = 3000;
/** How long after the start a host may take to come that has not been seen since. */
const NEVER_SEEN_MS = 60_000;
/** What nobody else can have is tried again after this long, then twice as long, up to the other; at once when a host comes or an agent is switched. */
const AGAIN_MS = 2000;
const SELDOM_MS = 60_000;
/** Moved or given a host in one transaction. */
const BATCH = 50;

/**
 * Keeps routers and DHCP on hosts that are there (allow_automatic_l3agent_failover, allow_automatic_dhcp_failover): what a host that is gone
 * had goes to others, and what no host could have gets one when one comes. Nothing is moved back: a host that returns is chosen for what is new.
 */
export class ServiceKeeper {
  readonly #app: NeutronApp;
  /** When hosts were last there, of those that were seen. */
  readonly #seenAtMs = new Map<string, number>();
  /** Hosts that are gone and have nothing any more. */
  readonly #empty = new Set<string>();
  /** Hosts that are gone and have what no other host can have: when that is tried again. */
  readonly #again = new Map<string, { readonly atMs: number; readonly pauseMs: number }>();
  #startedAtMs = 0;
  #timer: { cancel(): void } | undefined;
  #stopHosts: () => void = () => undefined;
  #working: Promise<void> = Promise.resolve();
  #looking: Promise<void> | undefined;
  #isStopped = false;
  #areStrangersKnown = false;

  constructor(app: NeutronApp) {
    this.#app = app;
  }

  start(): void {
    const { hosts, env } = this.#app;
    this.#isStopped = false;
    this.#startedAtMs = env.clock.nowMs();
    const every = (): void => {
      void this.#tick();
      this.#timer = env.clock.after(LOOK_EVERY_MS, every);
    };
    this.#timer = env.clock.after(LOOK_EVERY_MS, every);
    this.#stopHosts = hosts.onHost(({ host }) => {
      this.#empty.delete(host);
      this.#again.delete(host);
      this.#seenAtMs.set(host, env.clock.nowMs());
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#stopHosts();
    await this.#working;
  }

  /** What has no host is given one now, as far as one can have it. Resolves when that is so; who asks at the same time waits for the same. */
  look(): Promise<void> {
    this.#app.scheduler.forget();
    for (const [host, { pauseMs }] of this.#again) this.#again.set(host, { atMs: 0, pauseMs });
    this.#looking ??= this.#next(() => {
      this.#looking = undefined;
      return this.#settleHomeless();
    });
    return this.#looking;
  }

  /** One after the other; a failure is tried again with the next look. */
  #next(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working
      .then(() => (this.#isStopped ? undefined : work()))
      .catch((err: unknown) => this.#app.env.log.error({ err }, 'routers and DHCP could not be given hosts; trying again'));
    return this.#working;
  }

  async #tick(): Promise<void> {
    const { hosts, env } = this.#app;
    const nowMs = env.clock.nowMs();
    const alive = new Set(hosts.names());
    for (const host of alive) this.#seenAtMs.set(host, nowMs);
    if (alive.size === 0) return;
    const isDue = (host: string): boolean => !this.#empty.has(host) && (this.#again.get(host)?.atMs ?? 0) <= nowMs;
    const gone = [...this.#seenAtMs].filter(([host, atMs]) => !alive.has(host) && nowMs - atMs >= GONE_MS && isDue(host)).map(([host]) => host);
    if (gone.length > 0) await this.#next(() => this.#leave(gone));
    if (this.#areStrangersKnown || nowMs - this.#startedAtMs < NEVER_SEEN_MS) return;
    this.#areStrangersKnown = true;
    await this.#next(() => this.#meetStrangers());
  }

  /** Hosts that had something and did not come since the start count as gone. */
  async #meetStrangers(): Promise<void> {
    const db = this.#app.env.store.read;
    const having = new Set([...(await loadsOf(db, 'l3')).keys(), ...(await loadsOf(db, 'dhcp')).keys()]);
    for (const host of having) if (!this.#seenAtMs.has(host)) this.#seenAtMs.set(host, 0);
  }

  /** Moves away what these hosts have. What nobody else can have stays, and is tried again: less and less often. */
  async #leave(gone: readonly string[]): Promise<void> {
    const { store, log } = this.#app.env;
    this.#app.scheduler.forget();
    for (const host of gone) {
      if (this.#app.hosts.names().includes(host)) continue;
      const routers = await inBatches(
        (after) => routersOfHost(store.read, host, after, BATCH),
        (rows) => store.write((tx) => eachOf(rows, (router) => moveRouter(this.#app, tx, router, host))),
      );
      const networks = await inBatches(
        (after) => networksOfDhcpHost(store.read, host, after, BATCH),
        (rows) => store.write((tx) => eachOf(rows, (network) => moveDhcp(this.#app, tx, network, host))),
      );
      if (routers.moved + networks.moved > 0)
        log.warn({ host, routers: routers.moved, networks: networks.moved }, 'routers and DHCP of a host that is gone are on others now');
      if (routers.left + networks.left === 0) {
        this.#empty.add(host);
        this.#again.delete(host);
      } else this.#tryAgain(host, { routers: routers.left, networks: networks.left });
    }
  }

  #tryAgain(host: string, left: { readonly routers: number; readonly networks: number }): void {
    const { clock, log } = this.#app.env;
    const known = this.#again.get(host);
    const pauseMs = Math.min(SELDOM_MS, known ? known.pauseMs * 2 : AGAIN_MS);
    this.#again.set(host, { atMs: clock.nowMs() + pauseMs, pauseMs });
    if (known) return;
    const why = 'of the hosts that are there none has their availability zone and physical network and an agent that is switched on';
    log.warn({ host, ...left }, `routers and DHCP of a host that is gone stay there: ${why}; they are tried again when one comes, and now and then`);
  }

  async #settleHomeless(): Promise<void> {
    const { store } = this.#app.env;
    if (this.#app.hosts.names().length === 0) return;
    await inBatches(
      (after) => homelessRouters(store.read, after, BATCH),
      (rows) => store.write((tx) => eachOf(rows, (router) => this.#house(tx, router.id))),
    );
    await inBatches(
      (after) => homelessNetworks(store.read, after, BATCH),
      (rows) =>
        store.write((tx) =>
          eachOf(rows, async ({ id }) => {
            const network = await findNetwork(tx, id);
            if (network) await settleDhcpPort(this.#app, tx, systemContext('req-dhcp'), network);
            return true;
          }),
        ),
    );
  }

  async #house(tx: Tx, routerId: string): Promise<boolean> {
    const router = await findRouter(tx, routerId);
    return router !== undefined && (await hostForRouter(this.#app, tx, router)) !== '';
  }
}

interface Outcome {
  readonly moved: number;
  readonly left: number;
}

/** How many of these were moved. */
async function eachOf<T>(rows: readonly T[], move: (row: T) => Promise<boolean>): Promise<number> {
  let moved = 0;
  for (const row of rows) if (await move(row)) moved += 1;
  return moved;
}

async function inBatches<T extends { readonly id: string }>(
  page: (after: string) => Promise<readonly T[]>,
  work: (rows: readonly T[]) => Promise<number>,
): Promise<Outcome> {
  const outcome = { moved: 0, left: 0 };
  for (let rows = await page(''); rows.length > 0; rows = await page(rows.at(-1)?.id ?? '')) {
    const moved = await work(rows);
    outcome.moved += moved;
    outcome.left += rows.length - moved;
  }
  return outcome;
}
