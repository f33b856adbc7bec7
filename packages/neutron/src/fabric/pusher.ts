import type { FabricObject } from '@cairn/host/interface/fabric';
import type { Hosts } from '@cairn/host/interface/hosts';
import type { Env } from '@cairn/kit/env';
import { unavailable } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { tunnelEnds } from '../store/agents.ts';
import { networkHasPorts, portsOfDevices } from '../store/ports.ts';
import { distributedOnNetworks, guestHostsOfRouters } from '../store/router-parts.ts';
import { routersByIds } from '../store/routers.ts';
import { hostsOfRouters } from '../store/service-hosts.ts';
import { HostQueue } from './host-queue.ts';
import { type FabricKey, groupKey, idOf, kindOf, networkKey, portKey, routerKey } from './keys.ts';
import type { Settings } from '../options.ts';
import { loadDistributions } from './distribution.ts';
import { loadGroups, loadNetworks, loadSegmented, type LoadedPort, loadPorts, loadRouters } from './load.ts';
import { routerOn } from './router-places.ts';
import { membersOf, networkOn, remotesOf } from './several-hosts.ts';
import { hostSnapshot, membersOfGroups, portsOn } from './snapshot.ts';
import type { PortRow } from '../store/tables.ts';
import { StatusWriter } from './status-writer.ts';

/**
 * Brings the hosts' networks to what the database says. Whoever changes rows names the objects they are part of; after the commit the
 * truth of those is read anew and what differs from what a host was told is sent to it, until it takes it. Nothing waits for that but
 * who wants to (makeLive). Losing all of this loses nothing: a host that comes, and every host now and then, is given the whole.
 */
export class Pusher {
  readonly #env: Env;
  readonly #hosts: Hosts;
  readonly #settings: Settings;
  readonly #queues = new Map<string, HostQueue>();
  /** Which hosts may have an object, so that a change costs the same with one host and with a thousand. */
  readonly #holders = new Map<FabricKey, Set<string>>();
  /** Hosts that are being given the whole. */
  readonly #unsure = new Set<HostQueue>();
  readonly #statuses: StatusWriter;
  /** Where tunnels to hosts end, of hosts that are there or were. */
  #ends: Map<string, string> | undefined;
  /** By group, the hosts that must know its members wherever they are, for rules that ask for them. */
  readonly #watchers = new Map<string, Set<string>>();
  /** Those of them that have not been given the members yet. */
  readonly #newWatchers = new Map<string, Set<string>>();
  #dirty = new Set<FabricKey>();
  #flushing: Promise<void> | undefined;
  #stops: (() => void)[] = [];
  #stopped = false;
  /** By network, the hosts that serve it with DHCP or a router, and have been given its ports. */
  readonly #servers = new Map<string, ReadonlySet<string>>();
  /** Networks that other hosts serve than did, and whose ports are to be told to them. */
  readonly #reserved = new Set<string>();
  /** By distributed router: the hosts of its parts and its networks, as hosts were last told. */
  readonly #spread = new Map<string, string>();
  readonly #beforeHost: () => Promise<void>;

  /** `beforeHost` settles what waited for a host, before one that came is told what it has. */
  constructor(env: Env, hosts: Hosts, settings: Settings, beforeHost: () => Promise<void>) {
    this.#env = env;
    this.#beforeHost = beforeHost;
    this.#settings = settings;
    this.#hosts = hosts;
    this.#statuses = new StatusWriter(env, settings);
  }

  /** Begins to serve the hosts that are there and those that come. */
  start(reconcileEveryMs: number): void {
    this.#stopped = false;
    this.#stops.push(
      this.#hosts.onHost((agent) => {
        this.#queues.get(agent.host)?.stop();
        const queue = new HostQueue(agent, {
          clock: this.#env.clock,
          log: this.#env.log,
          snapshot: (host) => this.#snapshot(host),
          retouch: (keys) => this.#touch(keys),
          live: (host, objects) => this.#statuses.live(host, objects),
          holds: (host, key, may) => this.#holds(host, key, may),
          unsure: (one, unsure) => void (unsure ? this.#unsure.add(one) : this.#unsure.delete(one)),
        });
        this.#queues.set(agent.host, queue);
        void this.#arrived(queue);
      }),
      this.#hosts.onEvent((host, event) => {
        if (event.kind === 'port' && event.status === 'down') void this.#statuses.down(host, event.portId);
      }),
    );
    // one host after the other, so that each has its turn once in that time
    let turn = 0;
    const tick = (): void => {
      const queues = [...this.#queues.values()];
      queues[turn++ % Math.max(1, queues.length)]?.resync();
      timer = this.#env.clock.after(reconcileEveryMs / Math.max(1, queues.length), tick);
    };
    let timer = this.#env.clock.after(reconcileEveryMs, tick);
    this.#stops.push(() => timer.cancel());
  }

  /** A host is there: it is given the whole, after what waited for a host has got one. */
  async #arrived(queue: HostQueue): Promise<void> {
    const isNew = await this.#meet(queue);
    await this.#beforeHost();
    if (isNew) for (const other of this.#queues.values()) if (other !== queue) other.resync();
    queue.resync();
  }

  /** Notes where the tunnels of a host end that came. True where others have to know. */
  async #meet(queue: HostQueue): Promise<boolean> {
    if (this.#ends === undefined) {
      const known = await tunnelEnds(this.#env.store.read).catch((): Map<string, string> => new Map());
      this.#ends ??= known;
    }
    const { host, tunnelIp } = queue;
    if (tunnelIp === undefined || this.#ends.get(host) === tunnelIp) return false;
    this.#ends.set(host, tunnelIp);
    return true;
  }

  async #snapshot(host: string): Promise<Map<FabricKey, FabricObject>> {
    const { objects, watched, served } = await hostSnapshot(this.#env.store.read, this.#settings, host, this.#watches(host), this.#ends ?? NO_ENDS);
    for (const [group, hosts] of this.#watchers) if (!watched.has(group)) hosts.delete(host);
    for (const group of watched) add(this.#watchers, group, host);
    for (const [network, hosts] of this.#servers) if (hosts.has(host) && !served.has(network)) this.#setServers(network, hosts.difference(new Set([host])));
    for (const network of served) this.#setServers(network, new Set([...(this.#servers.get(network) ?? NOWHERE), host]));
    return objects;
  }

  /** Lets go of the hosts; their networks stay as they are. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const stop of this.#stops.splice(0)) stop();
    for (const queue of this.#queues.values()) queue.stop();
    this.#queues.clear();
    await this.#flushing;
    await this.#statuses.stop();
  }

  /** Names objects that a transaction changed. */
  touch(tx: Tx, keys: readonly FabricKey[]): void {
    if (keys.length > 0) tx.afterCommit(() => this.#touch(keys));
  }

  /**
   * Resolves when hosts have all that these objects' rows say now. Hosts that are away are not waited for. Throws Unavailable, with the
   * host's reason, when one of the objects cannot be had.
   */
  async settled(keys: readonly FabricKey[]): Promise<void> {
    this.#touch(keys);
    await this.#flushing;
    const reachable = new Set(this.#hosts.names());
    const concerned = new Set(keys.flatMap((key) => this.#mayHave(key)).filter((queue) => reachable.has(queue.host)));
    await Promise.all([...concerned].map((queue) => queue.drained()));
    for (const queue of concerned) {
      const flaw = keys.map((key) => queue.flawOf(key)).find((text) => text !== undefined);
      if (flaw !== undefined) throw unavailable(flaw);
    }
  }

  /** Why some host cannot have an object as it is wanted; undefined where none has said so. */
  flawOf(key: FabricKey): string | undefined {
    for (const queue of this.#queues.values()) {
      const flaw = queue.flawOf(key);
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }

  /** Resolves when nothing is left to be told; for tests and for an orderly end. */
  async idle(): Promise<void> {
    await this.#flushing;
    await Promise.all([...this.#queues.values()].map((queue) => queue.drained()));
    await this.#statuses.idle();
    if (this.#flushing) await this.idle();
  }

  #touch(keys: Iterable<FabricKey>): void {
    for (const key of keys) if (!this.#isNowhere(key)) this.#dirty.add(key);
    if (this.#dirty.size === 0 || this.#flushing || this.#stopped) return;
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
    });
  }

  /**
   * A group that no host has, and no port is bringing to one just now: who comes to need it reads it then. Making rules in a group without ports is
   * nothing to any host.
   */
  #isNowhere(key: FabricKey): boolean {
    return !this.#flushing && kindOf(key) === 'securityGroup' && this.#mayHave(key).length === 0;
  }

  async #flush(): Promise<void> {
    // what is touched in the same turn is read together
    await Promise.resolve();
    while (this.#dirty.size > 0 && !this.#stopped) {
      const keys = this.#dirty;
      this.#dirty = new Set();
      if (this.#queues.size === 0) continue;
      try {
        await this.#place(keys);
      } catch (err) {
        this.#env.log.error({ err, keys: keys.size }, 'changed networks could not be read; trying again');
        for (const key of keys) this.#dirty.add(key);
        await this.#env.clock.sleep(500).catch(() => undefined);
      }
    }
  }

  /** Reads the truth of some objects and tells each host what is new to it. */
  async #place(keys: ReadonlySet<FabricKey>): Promise<void> {
    const db = this.#env.store.read;
    const idsOf = (kind: string): string[] => [...keys].filter((key) => kindOf(key) === kind).map(idOf);
    const ports = await loadPorts(db, idsOf('port'));
    // a port needs its network and its groups; what a host lacks of them comes with it
    const networkHosts = new Map<string, Set<string>>();
    const groupHosts = new Map<string, Set<string>>();
    for (const port of ports) {
      for (const host of placesOf(port)) {
        const queue = this.#queues.get(host);
        if (!queue) continue;
        if (!queue.has(networkKey(port.row.network_id))) add(networkHosts, port.row.network_id, host);
        for (const id of port.groupIds) if (!queue.has(groupKey(id))) add(groupHosts, id, host);
      }
    }
    const touched = new Set([...idsOf('network'), ...networkHosts.keys()]);
    const spread = await this.#spreadRouters(db, idsOf('router'), new Set([...touched, ...ports.map((port) => port.row.network_id)]));
    await this.#placeNetworks(db, touched.union(spread.networks), networkHosts);
    await this.#placeGroups(db, new Set([...idsOf('securityGroup'), ...groupHosts.keys()]), groupHosts);
    this.#placePorts(ports, idsOf('port'));
    await this.#placeMembers(db);
    await this.#placeServed(db, new Set(ports.map((port) => port.row.id)));
    await this.#placeRouters(db, [...new Set([...idsOf('router'), ...spread.routers])]);
    for (const [id, text] of spread.noted) this.#spread.set(id, text);
  }

  /**
   * The distributed routers on networks that changed, or whose guests did: their parts, and what is answered for where, may differ. Where parts are on
   * other hosts than before, or on other networks, those networks are to be placed anew, too.
   */
  async #spreadRouters(
    db: Db,
    ids: readonly string[],
    networkIds: ReadonlySet<string>,
  ): Promise<{ readonly routers: ReadonlySet<string>; readonly networks: ReadonlySet<string>; readonly noted: ReadonlyMap<string, string> }> {
    const routers = new Set((await distributedOnNetworks(db, [...networkIds])).flatMap((row) => (row.device_owner === GATEWAY_OWNER ? [] : [row.router_id])));
    const networks = new Set<string>();
    const noted = new Map<string, string>();
    const concerned = [...new Set([...ids, ...routers])];
    const guests = await guestHostsOfRouters(db, concerned);
    const moving = concerned.filter((id) => guests.has(id) || (this.#spread.get(id) ?? '') !== '');
    const portsOf = Map.groupBy(await portsOfDevices(db, moving), (port) => port.device_id);
    for (const id of moving) {
      const own = [...new Set((portsOf.get(id) ?? []).map((port) => port.network_id))].toSorted();
      const text = guests.has(id) ? [...(guests.get(id) ?? NOWHERE)].toSorted().concat('', own).join('\n') : '';
      if (this.#spread.get(id) === text) continue;
      for (const network of own) networks.add(network);
      noted.set(id, text);
    }
    return { routers, networks, noted };
  }

  #placePorts(ports: readonly LoadedPort[], ids: readonly string[]): void {
    const byId = new Map(ports.map((port) => [port.row.id, port]));
    for (const id of ids) {
      const port = byId.get(id);
      if (port) this.#placePort(port);
      else this.#removeElsewhere(portKey(id), NOWHERE);
    }
  }

  #placePort(port: LoadedPort): void {
    const key = portKey(port.row.id);
    const hosts = this.#hostsOf(port);
    for (const host of hosts) this.#queues.get(host)?.put(key, port.objectFor(host), isToComeUp(port.row, host));
    this.#removeElsewhere(key, hosts);
  }

  async #placeNetworks(db: Db, ids: ReadonlySet<string>, wanted: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    const networks = await loadNetworks(db, [...ids]);
    const ends = this.#ends ?? NO_ENDS;
    const members = await membersOf(db, [...ids], ends);
    const segmented = await loadSegmented(db, this.#settings, networks.values());
    for (const id of ids) {
      const key = networkKey(id);
      const loaded = networks.get(id);
      const hosts = new Set<string>();
      if (loaded) {
        for (const queue of this.#candidates(key, new Set([...(wanted.get(id) ?? NOWHERE), ...loaded.servers, ...loaded.standbys]))) {
          // who serves it has a port of it
          const isSure = loaded.standbys.has(queue.host) || loaded.servers.has(queue.host);
          if (!isSure && !(await networkHasPorts(db, id, queue.host))) continue;
          hosts.add(queue.host);
          queue.put(key, networkOn(this.#settings, loaded, segmented.get(id), queue.host, members.get(id) ?? NOWHERE, ends));
        }
      }
      this.#removeElsewhere(key, hosts);
      const before = this.#servers.get(id) ?? NOWHERE;
      const servers = loaded?.servers ?? NOWHERE;
      if (before.symmetricDifference(servers).size === 0) continue;
      this.#setServers(id, servers);
      this.#reserved.add(id);
    }
  }

  #setServers(networkId: string, hosts: ReadonlySet<string>): void {
    if (hosts.size > 0) this.#servers.set(networkId, hosts);
    else this.#servers.delete(networkId);
  }

  /**
   * Hosts that came to serve a network are given its ports, and those that no longer do are rid of what they had for that alone. `placed`: ports
   * that have been just now, when it was known already who serves.
   */
  async #placeServed(db: Db, placed: ReadonlySet<string>): Promise<void> {
    for (const id of this.#reserved) {
      this.#reserved.delete(id);
      for await (const port of portsOn(db, id, placed)) this.#placePort(port);
    }
  }

  /** Gives hosts the members of the groups that their rules came to ask for, wherever they are. */
  async #placeMembers(db: Db): Promise<void> {
    for (const [group, hosts] of this.#newWatchers) {
      this.#newWatchers.delete(group);
      for await (const port of membersOfGroups(db, [group])) for (const host of hosts) this.#queues.get(host)?.put(portKey(port.row.id), port.objectFor(host));
    }
  }

  /** Filters the host, as far as is known? One that is alone, or that tunnels reach, does; simulated ones would each hear of every port. */
  #watches(host: string): boolean {
    return this.#ends?.has(host) === true || this.#queues.size < 2;
  }

  #watch(object: FabricObject, host: string): void {
    if (!this.#watches(host)) return;
    for (const group of remotesOf(object)) {
      if (this.#watchers.get(group)?.has(host)) continue;
      add(this.#watchers, group, host);
      add(this.#newWatchers, group, host);
    }
  }

  /** The hosts that know a port: where it is bound, those that serve its network, and those with rules that ask for its groups' members. */
  #hostsOf(port: LoadedPort): ReadonlySet<string> {
    const hosts = placesOf(port);
    for (const host of this.#servers.get(port.row.network_id) ?? NOWHERE) hosts.add(host);
    for (const group of port.groupIds) for (const host of this.#watchers.get(group) ?? NOWHERE) hosts.add(host);
    return hosts;
  }

  /** Groups stay on a host that has them until they are deleted, or the host is given the whole: they do nothing without ports. */
  async #placeGroups(db: Db, touched: ReadonlySet<string>, wanted: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    // a group that no host has or needs is not read: making many rules in a new group would read them all for each
    const ids = [...touched].filter((id) => wanted.has(id) || this.#mayHave(groupKey(id)).length > 0);
    const objects = await loadGroups(db, ids);
    for (const id of ids) {
      const key = groupKey(id);
      const object = objects.get(id);
      if (!object) {
        this.#removeElsewhere(key, NOWHERE);
        continue;
      }
      for (const queue of this.#candidates(key, wanted.get(id))) {
        queue.put(key, object);
        this.#watch(object, queue.host);
      }
    }
  }

  async #placeRouters(db: Db, ids: readonly string[]): Promise<void> {
    const objects = await loadRouters(db, ids);
    const gone = ids.filter((id) => !objects.has(id));
    const away = new Set((await routersByIds(db, gone)).map((row) => row.id));
    const homes = Map.groupBy(await hostsOfRouters(db, ids), (row) => row.router_id);
    const distributions = await loadDistributions(db, this.#settings, ids);
    for (const id of ids) {
      const object = objects.get(id);
      const distribution = distributions.get(id);
      const active = new Set((homes.get(id) ?? []).flatMap((row) => (row.active === 1 ? [row.host] : [])));
      const hosts = new Set<string>();
      for (const host of object ? active.union(distribution?.guestHosts ?? NOWHERE) : NOWHERE) {
        const own = object && routerOn(object, distribution, host, active.has(host));
        if (!own) continue;
        hosts.add(host);
        this.#queues.get(host)?.put(routerKey(id), own);
      }
      this.#removeElsewhere(routerKey(id), hosts, !object && !away.has(id));
    }
  }

  #removeElsewhere(key: FabricKey, hosts: ReadonlySet<string>, isGone = false): void {
    for (const queue of this.#mayHave(key)) if (!hosts.has(queue.host)) queue.remove(key, isGone);
  }

  #holds(host: string, key: FabricKey, may: boolean): void {
    const holders = this.#holders.get(key);
    if (may) {
      if (holders) holders.add(host);
      else this.#holders.set(key, new Set([host]));
    } else if (holders?.delete(host) && holders.size === 0) this.#holders.delete(key);
  }

  /** The hosts that have an object, are being told of it, or are being given the whole, whatever that will be. */
  #mayHave(key: FabricKey): HostQueue[] {
    const holders = [...(this.#holders.get(key) ?? NOWHERE)].flatMap((host) => this.#queues.get(host) ?? []);
    return this.#unsure.size === 0 ? holders : [...new Set([...holders, ...this.#unsure])];
  }

  #candidates(key: FabricKey, wanted: ReadonlySet<string> = NOWHERE): Set<HostQueue> {
    return new Set([...this.#mayHave(key), ...[...wanted].flatMap((host) => this.#queues.get(host) ?? [])]);
  }
}

const NOWHERE: ReadonlySet<string> = new Set();
const GATEWAY_OWNER = 'network:router_gateway';
const NO_ENDS: ReadonlyMap<string, string> = new Map();

/** The hosts that a port is at work on. */
const placesOf = ({ row }: LoadedPort): Set<string> => new Set([row.binding_host, row.coming_host].filter((host) => host !== ''));

/** A port that the host may have been told before it was marked as down: it is told again, so that it counts as live again. */
const isToComeUp = (row: PortRow, host: string): boolean => row.status === 'DOWN' && row.binding_host === host && row.admin_state_up === 1;

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const known = map.get(key);
  if (known) known.add(value);
  else map.set(key, new Set([value]));
}
