import { type FabricChange, tapName } from '@cairn/host/interface/fabric';
import type { Hosts } from '@cairn/host/interface/hosts';
import { CairnError, conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Db, Store } from '@cairn/kit/store/store';
import type { NetworkProvider, NeutronFace, PlannedPort, PortFacts, ResourceRequest, RoutedSegment } from '@cairn/neutron/face';
import { FakeTable } from './fake-table.ts';

export interface FakeNetwork {
  readonly id: string;
  readonly name: string;
  /** `10.0.0.`: what its addresses begin with. */
  readonly prefix: string;
}

interface FakePort {
  readonly id: string;
  readonly networkId: string;
  readonly number: number;
  readonly projectId: string;
  readonly ip: string;
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly host: string;
  /** A second host that it is plugged on. */
  readonly coming?: string;
  readonly status: string;
  readonly groups: readonly string[];
  /** The providers of what it asks for. */
  readonly allocation?: Readonly<Record<string, string>>;
}

/** A network service of a few lines: enough rules for nova's tests, rows in the database, ports on simulated hosts. */
export class FakeNeutron implements NeutronFace {
  readonly networks = new FakeTable<FakeNetwork>('network');
  readonly ports = new FakeTable<FakePort>('port');
  readonly #store: Store;
  readonly #hosts: Hosts;
  /** Ports that a project may still have. */
  left = -1;
  /** What ports ask of placement, by the port's id. */
  readonly asking = new Map<string, ResourceRequest>();
  /** What every host's network offers. */
  offered: NeutronFace['networkProviders'] = () => [];
  /** Segments of routed networks; every network has all of them. */
  segments: readonly RoutedSegment[] = [];
  /** The hosts that have the networks that servers ask for; undefined: all. */
  reaching: readonly string[] | undefined;

  constructor(store: Store, hosts: Hosts) {
    this.#store = store;
    this.#hosts = hosts;
  }

  async addNetwork(network: FakeNetwork): Promise<void> {
    await this.#store.write((tx) => this.networks.put(tx, network));
  }

  /** A port that a user made. */
  async addPort(id: string, networkId: string, projectId: string): Promise<void> {
    const network = (await this.networks.find(this.#store.read, networkId)) as FakeNetwork;
    const number = 200 + (await this.ports.all(this.#store.read)).length;
    await this.#store.write((tx) =>
      this.ports.put(tx, {
        id,
        networkId,
        number,
        projectId,
        ip: `${network.prefix}${number}`,
        deviceId: '',
        deviceOwner: '',
        host: '',
        status: 'DOWN',
        groups: ['default'],
      }),
    );
  }

  async planPorts(db: Db, _ctx: unknown, requested: Parameters<NeutronFace['planPorts']>[2], mintId: () => string): Promise<readonly PlannedPort[]> {
    if (requested === 'none') return [];
    const networks = await this.networks.all(db);
    if (requested === undefined || requested === 'auto') {
      if (networks.length > 1)
        throw conflict('More than one possible network found. Specify network ID(s) to select which one(s) to connect to.', { type: 'NetworkAmbiguous' });
      return networks.map((network) => ({ portId: mintId(), networkId: network.id, existing: false }));
    }
    return await Promise.all(
      requested.map(async (one): Promise<PlannedPort> => {
        const tag = one.tag === undefined ? {} : { tag: one.tag };
        if (one.portId !== undefined) {
          const port = await this.ports.find(db, one.portId);
          if (port === undefined) throw notFound(`Port id ${one.portId} could not be found.`);
          if (port.deviceId !== '') throw conflict(`Port ${one.portId} is still in use.`);
          return { portId: port.id, networkId: port.networkId, existing: true, ...tag };
        }
        if (!networks.some((network) => network.id === one.networkId)) throw notFound(`Network ${one.networkId} could not be found.`);
        return {
          portId: mintId(),
          networkId: one.networkId as string,
          existing: false,
          ...(one.fixedIp === undefined ? {} : { fixedIp: one.fixedIp }),
          ...tag,
        };
      }),
    );
  }

  async portsLeft(): Promise<number> {
    return this.left;
  }

  async resolveSecurityGroups(_db: Db, _ctx: unknown, names: readonly string[]): Promise<readonly { id: string; name: string }[]> {
    for (const name of names)
      if (!['default', 'web'].includes(name)) throw invalidInput(`Security group ${name} not found.`, { type: 'SecurityGroupNotFound' });
    return names.map((name) => ({ id: name, name }));
  }

  async createPorts(...[tx, ctx, ports]: Parameters<NeutronFace['createPorts']>): Promise<void> {
    for (const { plan, deviceId, deviceOwner, securityGroupIds } of ports) {
      if ((await this.ports.find(tx, plan.portId)) !== undefined) continue;
      const network = await this.networks.find(tx, plan.networkId);
      if (network === undefined) throw notFound(`Network ${plan.networkId} could not be found.`);
      const taken = (await this.ports.all(tx)).filter((port) => port.networkId === plan.networkId);
      let number = 2;
      while (taken.some((port) => port.number === number)) number += 1;
      await this.ports.put(tx, {
        id: plan.portId,
        networkId: plan.networkId,
        number,
        projectId: ctx.projectId ?? '',
        ip: plan.fixedIp ?? `${network.prefix}${number}`,
        deviceId,
        deviceOwner,
        host: '',
        status: 'DOWN',
        groups: securityGroupIds ?? ['default'],
      });
    }
  }

  async bindPorts(...[tx, portIds, binding]: Parameters<NeutronFace['bindPorts']>): Promise<void> {
    for (const id of portIds) {
      const port = await this.ports.find(tx, id);
      if (port === undefined) throw notFound(`Port id ${id} could not be found.`);
      const { allocations, ...bound } = binding;
      const allocation = allocations?.get(id);
      await this.ports.put(tx, {
        ...unallocated(port),
        ...bound,
        ...(allocation && { allocation }),
        ...(port.host !== binding.host && { coming: '' }),
        status: 'ACTIVE',
      });
    }
  }

  async resourceRequests(_db: Db, portIds: readonly string[]): Promise<ReadonlyMap<string, ResourceRequest>> {
    return new Map([...this.asking].filter(([id]) => portIds.includes(id)));
  }

  async routedSegments(): Promise<readonly RoutedSegment[]> {
    return this.segments;
  }

  async segmentsAsked(_db: Db, nics: readonly { readonly networkId: string }[]): Promise<readonly (readonly string[])[]> {
    return nics.map(() => this.segments.map((segment) => segment.id));
  }

  async hostsReaching(): Promise<readonly string[] | undefined> {
    return this.reaching;
  }

  networkProviders(host: string): readonly NetworkProvider[] {
    return this.offered(host);
  }

  async makeLive(portIds: readonly string[]): Promise<void> {
    await this.makeGone(portIds);
    for (const id of portIds) {
      const port = await this.ports.find(this.#store.read, id);
      if (port === undefined || port.host === '') throw new CairnError('Conflict', `Port ${id} is bound to no host.`);
      const { host } = port;
      const network: FabricChange = { op: 'put', object: { kind: 'network', id: port.networkId, mtu: 1_500, segment: { type: 'local' }, subnets: [] } };
      const plugged: FabricChange = {
        op: 'put',
        object: {
          kind: 'port',
          id,
          networkId: port.networkId,
          mac: macOf(id),
          adminUp: true,
          fixedIps: [{ subnetId: port.networkId, ip: port.ip }],
          attachment: { kind: 'guest', tap: tapName(id) },
          extraDhcpOptions: [],
          portSecurity: true,
          securityGroups: [...port.groups],
          allowedAddressPairs: [],
        },
      };
      for (const place of new Set([host, port.coming ?? ''])) if (place !== '') await this.#hosts.get(place).fabric.patch([network, plugged]);
    }
  }

  async releasePorts(...[tx, portIds, options]: Parameters<NeutronFace['releasePorts']>): Promise<void> {
    for (const id of portIds) {
      const port = await this.ports.find(tx, id);
      if (port === undefined) continue;
      if (options.delete) await this.ports.remove(tx, id);
      else await this.ports.put(tx, { ...unallocated(port), deviceId: '', deviceOwner: '', host: '', status: 'DOWN' });
    }
  }

  async unbindPorts(...[tx, portIds]: Parameters<NeutronFace['unbindPorts']>): Promise<void> {
    for (const id of portIds) {
      const port = await this.ports.find(tx, id);
      if (port !== undefined) await this.ports.put(tx, { ...unallocated(port), host: '', status: 'DOWN' });
    }
  }

  async announcePorts(...[tx, portIds, host]: Parameters<NeutronFace['announcePorts']>): Promise<void> {
    for (const id of portIds) {
      const port = await this.ports.find(tx, id);
      if (port !== undefined) await this.ports.put(tx, { ...port, coming: host });
    }
  }

  async makeGone(portIds: readonly string[]): Promise<void> {
    for (const id of portIds) {
      const port = await this.ports.find(this.#store.read, id);
      for (const host of this.#hosts.names())
        if (port?.host !== host && port?.coming !== host) await this.#hosts.get(host).fabric.patch([{ op: 'remove', kind: 'port', id }]);
    }
    const used = new Set(
      (await this.ports.all(this.#store.read)).flatMap((port) => [`${port.host} ${port.networkId}`, `${port.coming ?? ''} ${port.networkId}`]),
    );
    for (const network of await this.networks.all(this.#store.read)) {
      for (const host of this.#hosts.names()) {
        if (!used.has(`${host} ${network.id}`)) await this.#hosts.get(host).fabric.patch([{ op: 'remove', kind: 'network', id: network.id }]);
      }
    }
  }

  async portsOfDevice(db: Db, deviceId: string): Promise<readonly PortFacts[]> {
    return (await this.portsOfDevices(db, [deviceId])).get(deviceId) ?? [];
  }

  async portsOfDevices(db: Db, deviceIds: readonly string[]): Promise<ReadonlyMap<string, readonly PortFacts[]>> {
    const [ports, networks] = await Promise.all([this.ports.all(db), this.networks.all(db)]);
    const facts = ports.filter((port) => deviceIds.includes(port.deviceId)).map((port) => factsOf(port, networks));
    return Map.groupBy(facts, (port) => port.deviceId);
  }

  async port(db: Db, portId: string): Promise<PortFacts | undefined> {
    const [port, networks] = await Promise.all([this.ports.find(db, portId), this.networks.all(db)]);
    return port === undefined ? undefined : factsOf(port, networks);
  }

  async devicesByAddress(db: Db, part: string, projectId: string | undefined): Promise<readonly string[]> {
    return (await this.ports.all(db))
      .filter((port) => port.ip.includes(part) && (projectId === undefined || port.projectId === projectId))
      .map((port) => port.deviceId);
  }

  async changeDeviceSecurityGroup(...[tx, , deviceId, group, change]: Parameters<NeutronFace['changeDeviceSecurityGroup']>): Promise<readonly string[]> {
    if (!['default', 'web'].includes(group)) throw notFound(`Security group ${group} is not found.`);
    const mine = (await this.ports.all(tx)).filter((port) => port.deviceId === deviceId);
    for (const port of mine) {
      const groups = change === 'add' ? [...new Set([...port.groups, group])] : port.groups.filter((one) => one !== group);
      await this.ports.put(tx, { ...port, groups });
    }
    return mine.map((port) => port.id);
  }

  async securityGroupsOfDevice(db: Db, deviceId: string) {
    const groups = new Set((await this.ports.all(db)).filter((port) => port.deviceId === deviceId).flatMap((port) => port.groups));
    return [...groups].map((name) => ({ id: name, name, description: '', projectId: 'p1', rules: [] }));
  }
}

const unallocated = ({ allocation: _before, ...port }: FakePort): FakePort => port;

const macOf = (portId: string): string => `fa:16:3e:${portId.slice(0, 2)}:${portId.slice(2, 4)}:${portId.slice(4, 6)}`;

function factsOf(port: FakePort, networks: readonly FakeNetwork[]): PortFacts {
  const network = networks.find((one) => one.id === port.networkId) as FakeNetwork;
  return {
    id: port.id,
    name: '',
    networkId: port.networkId,
    networkName: network.name,
    networkMtu: 1_500,
    projectId: port.projectId,
    mac: macOf(port.id),
    adminUp: true,
    status: port.status,
    deviceId: port.deviceId,
    deviceOwner: port.deviceOwner,
    host: port.host,
    fixedIps: [
      {
        ip: port.ip,
        subnetId: port.networkId,
        cidr: `${network.prefix}0/24`,
        ipVersion: 4,
        gatewayIp: `${network.prefix}1`,
        dhcp: true,
        ipv6AddressMode: null,
        dnsServers: ['9.9.9.9'],
        hostRoutes: [],
        floatingIps: [],
      },
    ],
    securityGroups: port.groups.map((name) => ({ id: name, name })),
  };
}
