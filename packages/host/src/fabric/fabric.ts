import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CairnError, conflict, unavailable } from '@cairn/kit/errors/errors';
import {
  type Fabric,
  type FabricChange,
  type FabricFlaw,
  FabricFlaws,
  type FabricObject,
  type FabricStatus,
  type MeterReading,
  type NetworkSpec,
  type PortSpec,
} from '../interface/fabric.ts';
import { DelegationKeeper } from './delegation/keeper.ts';
import { Announcer } from './kernel/announce.ts';
import { DnsmasqKeeper } from './kernel/dnsmasq.ts';
import { Kernel } from './kernel/kernel.ts';
import type { KernelLinks } from './kernel/links.ts';
import { PacketLog } from './kernel/packet-log.ts';
import { TapMonitor } from './kernel/monitor.ts';
import { Lane } from './lane.ts';
import { MetadataListeners } from './metadata/listeners.ts';
import { type Names, namesOf, uplinkName } from './names.ts';
import { objectKey, Objects } from './objects.ts';
import { checkOptions, type KernelFabricOptions } from './options.ts';
import { readMeters } from './plan/meters.ts';
import type { NamespacePlan } from './plan/namespace.ts';
import { builtOf } from './plan/router-part.ts';
import { TABLE } from './ruleset/read.ts';
import type { UnitContext } from './units/context.ts';
import { HelperKnowledge } from './units/helpers.ts';
import { explainRecord } from './units/port-logs.ts';
import { NamespaceUnit } from './units/namespace.ts';
import { dhcpKey, dhcpSubject, routerKey, routerSubject } from './units/subjects.ts';
import { SwitchUnit } from './units/switch.ts';
import { validate } from './validate.ts';

interface Running {
  readonly unit: { run(): Promise<void>; distrust(): void };
  readonly lane: Lane;
}

const SWITCH = 'switch';

/**
 * The network of this host in the Linux kernel: namespaces, bridges, taps, nftables, dnsmasq. How it is laid out and why:
 * docs/design/0006-fabric.md.
 *
 * What is wanted is kept in memory (Objects). It is cut into units: the switch, each router, each network's DHCP server. Each unit has a
 * lane, in which it compares the wanted with the kernel and makes up the difference; a patch waits for the lanes that it touches. Two
 * patches meet in one run, and a router that cannot be built holds up no port.
 */
export class KernelFabric implements Fabric {
  readonly #options: KernelFabricOptions;
  readonly #names: Names;
  readonly #kernel: Kernel;
  readonly #objects = new Objects();
  readonly #units = new Map<string, Running>();
  readonly #switch: SwitchUnit;
  readonly #metadata: MetadataListeners;
  readonly #announcer: Announcer;
  readonly #delegations: DelegationKeeper;
  readonly #monitor: TapMonitor;
  readonly #helpers: HelperKnowledge;
  readonly #packetLog: PacketLog;
  readonly #dnsmasq: DnsmasqKeeper;
  #started: Promise<void> | undefined;
  /** Until the whole wanted state is known, what an earlier run built must not be judged. */
  #isComplete = false;
  #isClosed = false;
  /** The last status that was told of each port. */
  readonly #reported = new Map<string, 'up' | 'down'>();
  /** Parts of routers that can route more than the switch knows. */
  readonly #grown = new Set<string>();
  #switchLinks: Promise<KernelLinks> | undefined;

  constructor(options: KernelFabricOptions) {
    checkOptions(options);
    this.#options = options;
    this.#kernel = new Kernel(join(options.runDir, 'scratch'));
    const { clock, callbacks } = options;
    const log = options.log;
    this.#names = namesOf(options.instance);
    this.#dnsmasq = new DnsmasqKeeper({
      dir: join(options.runDir, 'dnsmasq'),
      user: options.dhcpUser,
      kernel: this.#kernel,
      clock,
      log,
      onEnd: (key) => this.#revive(key),
    });
    this.#helpers = new HelperKnowledge(this.#kernel, this.switchNamespace);
    this.#metadata = new MetadataListeners({ callbacks, clock, log });
    this.#packetLog = new PacketLog({
      netns: this.switchNamespace,
      dir: options.dataDir,
      clock,
      log,
      explain: (record) => explainRecord(this.#objects, (mark) => this.#switch.portOf(mark), record),
      onRecords: (records) => options.onEvent?.({ kind: 'securityLog', records }),
    });
    this.#announcer = new Announcer(log);
    this.#delegations = new DelegationKeeper({ clock, log, onEvent: (event) => options.onEvent?.(event) });
    this.#monitor = new TapMonitor({
      netns: this.switchNamespace,
      links: () => this.#kernel.links(this.switchNamespace),
      onCarrier: (tap, carrier) => this.#onCarrier(tap, carrier),
      clock,
      log,
    });
    this.#switch = new SwitchUnit(
      this.#context(),
      { tapGroupGid: options.tapGroupGid, physicalNetworks: options.physicalNetworks, tunnels: options.tunnels, outerNetns: options.outerNetns },
      () => this.#distrust(),
    );
    this.#units.set(SWITCH, { unit: this.#switch, lane: new Lane(() => this.#runSwitch()) });
  }

  /** The namespace of all bridges and taps, as in /run/netns: guests are started in it. It is there once `start` has resolved. */
  get switchNamespace(): string {
    return this.#names.switchNamespace;
  }

  /** How many processes have changed the host's network since construction. */
  get changes(): number {
    return this.#kernel.changes;
  }

  /** Finds out what an earlier run left, or makes the switch namespace. Called by the other methods when it was not. */
  start(): Promise<void> {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = undefined;
      throw this.#public(error);
    });
    return this.#started;
  }

  async apply(objects: readonly FabricObject[]): Promise<void> {
    await this.start();
    const flaws: FabricFlaw[] = [];
    const wanted = new Map<string, FabricObject>();
    for (const object of objects) {
      try {
        validate(object);
        wanted.set(objectKey(object.kind, object.id), await this.#helpers.fit(object, flaws));
      } catch (error) {
        if (!(error instanceof CairnError)) throw error;
        // One object that cannot be built must not keep all others from being built. What was built of it before stays.
        flaws.push({ kind: object?.kind, id: object?.id, message: error.message });
        const before = object && this.#objects.get(object.kind, object.id);
        if (before) wanted.set(objectKey(before.kind, before.id), before);
      }
    }
    flaws.push(...this.#objects.replace(wanted));
    this.#isComplete = true;
    for (const portId of this.#reported.keys()) if (!this.#objects.guestPorts.has(portId)) this.#reported.delete(portId);
    for (const port of this.#objects.guestPorts.values())
      if (port.attachment.kind !== 'none' && this.#monitor.hasCarrier(port.attachment.tap)) this.#report(port.id, 'up');
    this.#distrust();
    this.#switch.distrust();
    this.#dnsmasq.distrust();
    for (const id of this.#objects.parts.keys()) if (!this.#objects.routers.get(id)?.isPart) this.#objects.parts.delete(id);
    this.#delegations.report();
    for (const netns of await this.#kernel.namespaces(this.#names.prefix)) await this.#adopt(netns);
    for (const key of await this.#dnsmasq.keys()) if (!this.#unitOf(key)) await this.#dnsmasq.stop(key);
    for (const id of this.#objects.routers.keys()) this.#unitOf(routerKey(id));
    for (const id of this.#objects.networks.keys()) this.#unitOf(dhcpKey(id));
    await this.#request(new Set(this.#units.keys()));
    for (const port of this.#objects.guestPorts.values()) flaws.push(...this.#unplugged(port), ...(await this.#unlogged(port)));
    for (const network of this.#objects.networks.values()) flaws.push(...this.#unjoined(network));
    if (flaws.length === 0) return;
    for (const flaw of flaws) this.#options.onEvent?.({ kind: 'trouble', subject: 'fabric', message: flaw.message });
    throw new FabricFlaws(flaws);
  }

  async patch(changes: readonly FabricChange[]): Promise<void> {
    await this.start();
    if (!this.#isComplete) throw unavailable('The networks of this host are not changed before their whole wanted state is known. Try again in a moment.');
    for (const change of changes) if (change.op === 'put') validate(change.object);
    this.#refuseOrphans(changes);
    const flaws: FabricFlaw[] = [];
    const fitting = await Promise.all(
      changes.map(async (change) => (change.op === 'put' ? { op: change.op, object: await this.#helpers.fit(change.object, flaws) } : change)),
    );
    const touched = new Set<string>();
    this.#touch(changes, touched);
    this.#objects.change(fitting);
    for (const change of changes) if (change.op === 'remove' && change.isGone && change.kind === 'router') this.#delegations.end(routerKey(change.id));
    for (const change of changes) if (change.op === 'remove' && change.kind === 'port') this.#reported.delete(change.id);
    this.#touch(changes, touched);
    await this.#request(touched);
    for (const change of changes)
      if (change.op === 'put' && change.object.kind === 'port') flaws.push(...this.#unplugged(change.object), ...(await this.#unlogged(change.object)));
    for (const change of changes) if (change.op === 'put' && change.object.kind === 'network') flaws.push(...this.#unjoined(change.object));
    if (flaws.length > 0) throw new FabricFlaws(flaws);
  }

  /** A network without the physical one that carries it: it ends at this host. */
  #unjoined(network: NetworkSpec): FabricFlaw[] {
    const why = this.#switch.whyUnjoined(network);
    if (why === undefined) return [];
    const message = `The network ${network.id} is not joined to the physical network ${network.segment.physicalNetwork}: ${why}.`;
    return [{ kind: 'network', id: network.id, isPartial: true, message }];
  }

  /** What the kernel refuses of a port. */
  #unplugged({ id, attachment }: PortSpec): FabricFlaw[] {
    if (attachment.kind === 'none' || !this.#switch.isRefused(attachment.tap)) return [];
    const message =
      attachment.kind === 'subport'
        ? `The sub-port ${id} could not be plugged: the kernel of this host refuses the VLAN ${attachment.vlan} of ${attachment.parentTap}. Sub-ports need VLAN devices (the module 8021q).`
        : `The port ${id} could not be plugged: the kernel of this host refuses its tap ${attachment.tap}. A network takes at most 1023 ports on one host.`;
    return [{ kind: 'port', id, message }];
  }

  /** What is asked to be logged and cannot be. */
  async #unlogged({ id, attachment, logs }: PortSpec): Promise<FabricFlaw[]> {
    if (attachment.kind === 'none' || !logs?.length || (await this.#packetLog.canRead())) return [];
    const message = `What the security groups of the port ${id} let through and drop is not logged: this host has no tcpdump, which reads it.`;
    return [{ kind: 'port', id, isPartial: true, message }];
  }

  /** A guest's port without its network would get no tap, and nobody would know before the guest starts. */
  #refuseOrphans(changes: readonly FabricChange[]): void {
    const coming = new Set(changes.flatMap((change) => (change.op === 'put' && change.object.kind === 'network' ? [change.object.id] : [])));
    for (const change of changes) {
      if (change.op !== 'put' || change.object.kind !== 'port' || change.object.attachment.kind === 'none') continue;
      if (this.#objects.networks.has(change.object.networkId) || coming.has(change.object.networkId)) continue;
      throw conflict(`The port ${change.object.id} cannot be plugged on this host yet: its network ${change.object.networkId} is not known here.`);
    }
  }

  async status(): Promise<FabricStatus> {
    const { networks, ports, routers } = this.#objects;
    return { namespaces: await this.#kernel.namespaces(this.#names.prefix), networks: networks.size, ports: ports.size, routers: routers.size };
  }

  async meters(): Promise<readonly MeterReading[]> {
    await this.start();
    const readings: MeterReading[] = [];
    for (const { id, meters, adminUp } of this.#objects.routers.values()) {
      if (!meters?.length || !adminUp) continue;
      const netns = this.#names.router(id);
      // one that is being made or taken away has nothing to tell yet
      const json = await this.#kernel.counters(netns, 'ip', TABLE).catch((error: unknown) => {
        this.#options.log.debug({ err: error, netns }, 'the meters of a router cannot be read now');
        return undefined;
      });
      if (json !== undefined) readings.push(...readMeters(json, id, meters));
    }
    return readings;
  }

  /** Lets go of everything. Bridges, taps, rules, routers and DHCP servers go on; the metadata service pauses. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    await this.#started?.catch(() => {});
    await Promise.all([...this.#units.values()].map(({ lane }) => lane.idle()));
    this.#dnsmasq.release();
    this.#monitor.stop();
    await this.#packetLog.stop();
    this.#metadata.closeAll();
    this.#delegations.closeAll();
    await this.#announcer.stop();
  }

  /** Removes every trace on this machine, of this run or an earlier one. Guests are to be gone before. */
  async destroy(): Promise<void> {
    await this.#delegations.yieldAll();
    await this.stop();
    for (const key of await this.#dnsmasq.keys()) await this.#dnsmasq.stop(key);
    if (await this.#kernel.namespaceExists(this.switchNamespace)) {
      // Namespaces that die take their links along in their own time; the outer end shall be gone when this returns.
      for (const name of Object.keys(this.#options.physicalNetworks).map(uplinkName)) {
        if ((await this.#kernel.link(this.switchNamespace, name)).size) await this.#kernel.ip(this.switchNamespace, [`link delete dev ${name}`]);
      }
    }
    for (const netns of await this.#kernel.namespaces(this.#names.prefix)) await this.#kernel.deleteNamespace(netns);
    for (const dir of ['dnsmasq', 'scratch']) await rm(join(this.#options.runDir, dir), { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    if (this.#isClosed) throw unavailable('The network of this host has been let go of.');
    if (!(await this.#kernel.namespaceExists(this.switchNamespace))) {
      // Nothing to judge: no earlier run, or all its work was removed (or the machine has booted since).
      this.#isComplete = true;
      await this.#switch.run();
    }
    this.#monitor.start();
  }

  /** Starts a DHCP server again that ended by itself; after a moment, lest it end and start without pause. */
  #revive(key: string): void {
    this.#options.clock.after(1000, () => {
      if (!this.#isClosed)
        void this.#unitOf(key)
          ?.lane.request()
          .catch((error: unknown) => this.#options.log.error({ err: error, key }, 'a DHCP server cannot be started again'));
    });
  }

  #context(): UnitContext {
    return {
      kernel: this.#kernel,
      view: this.#objects,
      names: this.#names,
      metadata: this.#metadata,
      announcer: this.#announcer,
      delegations: this.#delegations,
      clock: this.#options.clock,
      log: this.#options.log,
      dnsmasq: this.#dnsmasq,
      ensureBridges: async (bridges) => {
        for (const bridge of bridges) if (!this.#switch.hasBridge(bridge)) return await this.#units.get(SWITCH)?.lane.request();
      },
      switchLinks: (isFresh) => {
        if (isFresh || !this.#switchLinks) {
          this.#switchLinks = this.#kernel.links(this.switchNamespace);
          // Good for the units that read in the same sweep; the next sweep looks again.
          this.#options.clock.after(1000, () => (this.#switchLinks = undefined));
        }
        return this.#switchLinks;
      },
    };
  }

  async #runSwitch(): Promise<void> {
    // who listens is there before there is something to hear
    const isLogged = [...this.#objects.guestPorts.values()].some((port) => port.logs?.length);
    if (isLogged && (await this.#kernel.namespaceExists(this.switchNamespace))) await this.#packetLog.keep(true);
    await this.#switch.run();
    await this.#packetLog.keep(isLogged);
  }

  /** Routers and DHCP servers read the kernel anew at their next run. */
  #distrust(): void {
    this.#switchLinks = undefined;
    for (const [key, { unit }] of this.#units) if (key !== SWITCH) unit.distrust();
  }

  /** A namespace with our prefix gets its unit, which removes it when nothing wants it; what has no unit is removed here. */
  async #adopt(netns: string): Promise<void> {
    if (netns === this.switchNamespace) return;
    const rest = netns.slice(this.#names.prefix.length);
    const key = rest.startsWith('qrouter-') ? routerKey(rest.slice('qrouter-'.length)) : rest.startsWith('qdhcp-') ? dhcpKey(rest.slice('qdhcp-'.length)) : '';
    if (!this.#unitOf(key)) await this.#kernel.deleteNamespace(netns);
    const routerId = rest.slice('qrouter-'.length);
    if (this.#objects.routers.get(routerId)?.isPart && !this.#objects.parts.has(routerId)) this.#objects.parts.set(routerId, 'found');
  }

  #unitOf(key: string): Running | undefined {
    const known = this.#units.get(key);
    if (known) return known;
    const [, kind, id] = /^(router|dhcp)-(.+)$/.exec(key) ?? [];
    if (kind === undefined || id === undefined) return undefined;
    const unit = new NamespaceUnit(
      this.#context(),
      kind === 'router' ? routerSubject(this.#objects, id, this.#names, (plan) => this.#onRouterBuilt(id, plan)) : dhcpSubject(this.#objects, id, this.#names),
    );
    const lane = new Lane(async () => {
      await unit.run();
      if (!this.#objects.routers.get(id)?.adminUp) this.#objects.parts.delete(id);
      // the switch gives a part what it can route by now
      if (this.#grown.delete(id)) await this.#units.get(SWITCH)?.lane.request();
      const isGone = kind === 'router' ? !this.#objects.routers.has(id) : !this.#objects.networks.has(id);
      if (!isGone || running.lane.isRequested) return;
      this.#units.delete(key);
      this.#dnsmasq.forget(key);
    });
    const running: Running = { unit, lane };
    this.#units.set(key, running);
    return running;
  }

  /** Notes what a part can route, which is more than before where it `#grown`. */
  #onRouterBuilt(id: string, plan: NamespacePlan): void {
    const before = this.#objects.parts.get(id);
    if (plan.neighbours === undefined) return void this.#objects.parts.delete(id);
    const built = builtOf(plan);
    this.#objects.parts.set(id, built);
    if (before === 'found') return;
    if (!before || !built.neighbours.isSubsetOf(before.neighbours) || !built.fixed.isSubsetOf(before.fixed)) this.#grown.add(id);
  }

  /** Adds the units that the objects of these changes, as they are now, have a part in. */
  #touch(changes: readonly FabricChange[], touched: Set<string>): void {
    for (const change of changes) {
      const [kind, id] = change.op === 'put' ? [change.object.kind, change.object.id] : [change.kind, change.id];
      if (kind === 'router') touched.add(routerKey(id));
      if (kind !== 'router' || this.#objects.routers.get(id)?.isPart) touched.add(SWITCH);
      const networkId = kind === 'network' ? id : kind === 'port' ? this.#objects.ports.get(id)?.networkId : undefined;
      if (networkId !== undefined) touched.add(dhcpKey(networkId));
      if (kind === 'port' && networkId !== undefined)
        for (const routerId of this.#objects.routersOf(networkId)) if (this.#objects.routers.get(routerId)?.isPart) touched.add(routerKey(routerId));
      if (kind === 'network') for (const routerId of this.#objects.routersOf(id)) touched.add(routerKey(routerId));
    }
  }

  async #request(keys: ReadonlySet<string>): Promise<void> {
    if (this.#isClosed) throw unavailable('The network of this host has been let go of.');
    const results = await Promise.allSettled([...keys].map((key) => this.#unitOf(key)?.lane.request()));
    const failures = results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown);
    if (failures.length === 0) return;
    for (const error of failures) this.#options.log.error({ err: error }, 'the network of this host could not be changed');
    throw this.#public(failures.find((error) => error instanceof CairnError) ?? failures[0]);
  }

  #public(error: unknown): CairnError {
    if (error instanceof CairnError) return error;
    return unavailable('The network of this host could not be changed as wanted. The cause is in the log of the host.', {
      cause: error,
      detail: error instanceof Error ? error.message : error,
    });
  }

  #onCarrier(tap: string, carrier: boolean): void {
    if (this.#isClosed) return;
    for (const port of this.#objects.guestPorts.values()) {
      if (port.attachment.kind !== 'none' && port.attachment.tap === tap) this.#report(port.id, carrier ? 'up' : 'down');
    }
  }

  #report(portId: string, status: 'up' | 'down'): void {
    if ((this.#reported.get(portId) ?? 'down') === status) return;
    this.#reported.set(portId, status);
    this.#options.onEvent?.({ kind: 'port', portId, status });
  }
}
