import { CairnError, conflict } from '@cairn/kit/errors/errors';
import type { FabricChange, FabricFlaw, FabricObject, NetworkSpec, PortSpec, RouterSpec, SecurityGroupSpec } from '../interface/fabric.ts';
import { gatewaysOf } from './plan/gateways.ts';
import { canonicalIp } from './plan/address.ts';
import type { PartBuilt } from './plan/router-part.ts';
import { bridgeName, gatewayLinkName, routerLinkName } from './names.ts';

/** The wanted state of one host as the planners read it: objects by kind and id, and the indexes that keep a change's cost its own. */
export interface FabricView {
  readonly networks: ReadonlyMap<string, NetworkSpec>;
  readonly ports: ReadonlyMap<string, PortSpec>;
  readonly routers: ReadonlyMap<string, RouterSpec>;
  readonly groups: ReadonlyMap<string, SecurityGroupSpec>;
  /** What parts of distributed routers can route by now; `found`: what an earlier run built, whatever that is. */
  readonly parts: ReadonlyMap<string, PartBuilt | 'found'>;
  /** Ports with a tap on this host, or a VLAN of one. */
  readonly guestPorts: ReadonlyMap<string, PortSpec>;
  portsOf(networkId: string): Iterable<PortSpec>;
  /** Ports, on whatever host, that list the group. */
  membersOf(groupId: string): Iterable<PortSpec>;
  /** Routers with an interface or a gateway on the network. */
  routersOf(networkId: string): Iterable<string>;
  /** The port that has this fixed address on this network. */
  portAt(networkId: string, ip: string): PortSpec | undefined;
}

export class Objects implements FabricView {
  readonly networks = new Map<string, NetworkSpec>();
  readonly ports = new Map<string, PortSpec>();
  readonly routers = new Map<string, RouterSpec>();
  readonly groups = new Map<string, SecurityGroupSpec>();
  readonly guestPorts = new Map<string, PortSpec>();
  /** Told by the units that build them. */
  readonly parts = new Map<string, PartBuilt | 'found'>();
  readonly #all = new Map<string, FabricObject>();
  readonly #portsOf = new Index<PortSpec>();
  readonly #membersOf = new Index<PortSpec>();
  readonly #routersOf = new Index<string>();
  readonly #portAt = new Map<string, PortSpec>();
  /** Link name -> the object it was made for; link names are shorter than ids. */
  readonly #links = new Map<string, string>();

  portsOf(networkId: string): Iterable<PortSpec> {
    return this.#portsOf.of(networkId);
  }

  membersOf(groupId: string): Iterable<PortSpec> {
    return this.#membersOf.of(groupId);
  }

  routersOf(networkId: string): Iterable<string> {
    return this.#routersOf.of(networkId);
  }

  portAt(networkId: string, ip: string): PortSpec | undefined {
    return this.#portAt.get(`${networkId} ${ip}`);
  }

  /** Changes all or nothing. Throws Conflict when two objects would need the same link. */
  change(changes: readonly FabricChange[]): void {
    const undo: FabricChange[] = [];
    try {
      for (const change of changes) {
        const [kind, id] = change.op === 'put' ? [change.object.kind, change.object.id] : [change.kind, change.id];
        const before = this.get(kind, id);
        undo.unshift(before ? { op: 'put', object: before } : { op: 'remove', kind, id });
        this.#remove(kind, id);
        if (change.op === 'put') this.#put(change.object);
      }
    } catch (error) {
      for (const step of undo) {
        if (step.op === 'remove') this.#remove(step.kind, step.id);
        else {
          this.#remove(step.object.kind, step.object.id);
          this.#put(step.object);
        }
      }
      throw error;
    }
  }

  /** Makes these the only objects. Gives those that cannot be had together with the others. */
  replace(objects: ReadonlyMap<string, FabricObject>): readonly FabricFlaw[] {
    for (const { kind, id } of this.#all.values()) if (!objects.has(objectKey(kind, id))) this.#remove(kind, id);
    const flaws: FabricFlaw[] = [];
    for (const object of objects.values()) {
      try {
        this.change([{ op: 'put', object }]);
      } catch (error) {
        if (!(error instanceof CairnError)) throw error;
        flaws.push({ kind: object.kind, id: object.id, message: error.message });
      }
    }
    return flaws;
  }

  get(kind: FabricObject['kind'], id: string): FabricObject | undefined {
    return this.#all.get(`${kind} ${id}`);
  }

  #put(object: FabricObject): void {
    for (const link of linksOf(object)) {
      const holder = this.#links.get(link);
      if (holder !== undefined) throw conflict(`The ${object.kind} ${object.id} cannot be built on this host: its link ${link} is that of ${holder}.`);
    }
    for (const link of linksOf(object)) this.#links.set(link, `${object.kind} ${object.id}`);
    this.#all.set(`${object.kind} ${object.id}`, object);
    if (object.kind === 'network') this.networks.set(object.id, object);
    else if (object.kind === 'securityGroup') this.groups.set(object.id, object);
    else if (object.kind === 'router') {
      this.routers.set(object.id, object);
      for (const networkId of networksOf(object)) this.#routersOf.add(networkId, object.id, object.id);
    } else {
      this.ports.set(object.id, object);
      if (object.attachment.kind !== 'none') this.guestPorts.set(object.id, object);
      this.#portsOf.add(object.networkId, object.id, object);
      for (const group of object.securityGroups) this.#membersOf.add(group, object.id, object);
      for (const { ip } of object.fixedIps) this.#portAt.set(`${object.networkId} ${canonicalIp(ip)}`, object);
    }
  }

  #remove(kind: FabricObject['kind'], id: string): void {
    const object = this.get(kind, id);
    if (!object) return;
    this.#all.delete(`${kind} ${id}`);
    for (const link of linksOf(object)) if (this.#links.get(link) === `${kind} ${id}`) this.#links.delete(link);
    if (object.kind === 'network') this.networks.delete(id);
    else if (object.kind === 'securityGroup') this.groups.delete(id);
    else if (object.kind === 'router') {
      this.routers.delete(id);
      for (const networkId of networksOf(object)) this.#routersOf.delete(networkId, id);
    } else {
      this.ports.delete(id);
      this.guestPorts.delete(id);
      this.#portsOf.delete(object.networkId, id);
      for (const group of object.securityGroups) this.#membersOf.delete(group, id);
      for (const { ip } of object.fixedIps) {
        const key = `${object.networkId} ${canonicalIp(ip)}`;
        if (this.#portAt.get(key)?.id === id) this.#portAt.delete(key);
      }
    }
  }
}

export const objectKey = (kind: FabricObject['kind'], id: string): string => `${kind} ${id}`;

/** The networks a router touches. */
const networksOf = (router: RouterSpec): ReadonlySet<string> => new Set([...gatewaysOf(router), ...router.interfaces].map((link) => link.networkId));

function linksOf(object: FabricObject): readonly string[] {
  if (object.kind === 'network') return [bridgeName(object.id)];
  if (object.kind === 'port') return object.attachment.kind !== 'none' ? [object.attachment.tap] : [];
  if (object.kind === 'router') {
    const further = gatewaysOf(object).slice(1);
    return [gatewayLinkName(object.id), ...new Set([...further.map(({ link }) => link), ...object.interfaces.map((link) => routerLinkName(link.portId))])];
  }
  return [];
}

class Index<T> {
  readonly #entries = new Map<string, Map<string, T>>();

  add(key: string, id: string, value: T): void {
    const entries = this.#entries.get(key);
    if (entries) entries.set(id, value);
    else this.#entries.set(key, new Map([[id, value]]));
  }

  delete(key: string, id: string): void {
    const entries = this.#entries.get(key);
    entries?.delete(id);
    if (entries?.size === 0) this.#entries.delete(key);
  }

  of(key: string): Iterable<T> {
    return this.#entries.get(key)?.values() ?? [];
  }
}
