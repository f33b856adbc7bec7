import { type Context, isAdmin } from '@cairn/kit/context/context';
import { CairnError, conflict, notFound } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { NeutronFace, PlannedPort, RequestedNetwork } from '../face.ts';
import { NO_FILTERS } from '../listing/query.ts';
import { canonicalIp, ipVersionOf, keyOfIp } from '../net/ip.ts';
import { allocationsOfPorts, findAllocation } from '../store/ipam.ts';
import { networkLists, subnetsOfNetworks } from '../store/networks.ts';
import { findPort, portLists } from '../store/ports.ts';
import { sharedAmong } from '../store/rbac.ts';
import { groupLists, groupsByName } from '../store/security-groups.ts';
import { selectOne, selectPage } from '../store/select.ts';
import type { NetworkRow, PortRow, SecurityGroupRow } from '../store/tables.ts';
import { ensureTopology, requirements } from './auto-topology.ts';
import { scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { quotaLeft } from './quota.ts';
import { ensureDefaultGroup } from './security-groups.ts';

/** What nova checks of a server's networks before anything is made (nova/network/neutron.py, its texts). */

const refused = (type: string, text: string): CairnError => new CairnError('InvalidInput', text, { type });

type ServerRequests = Pick<NeutronFace, 'planPorts' | 'portsLeft' | 'resolveSecurityGroups'>;

export const serverRequests = (app: NeutronApp): ServerRequests => ({
  async planPorts(db, ctx, requested, mintId) {
    if (requested === 'none') return [];
    if (requested === undefined || requested === 'auto') return planAny(app, db, ctx, requested === 'auto', mintId);
    const ports = await portsGiven(db, ctx, requested);
    const networks = await networksGiven(db, ctx, requested);
    const plan: PlannedPort[] = [];
    for (const entry of requested) {
      const tag = entry.tag === undefined ? {} : { tag: entry.tag };
      const port = entry.portId === undefined ? undefined : ports.get(entry.portId);
      if (port) {
        plan.push({ portId: port.id, networkId: port.network_id, existing: true, ...tag });
        continue;
      }
      const network = networks.get(entry.networkId ?? '');
      if (!network) throw notFound(`Network ${entry.networkId ?? ''} could not be found.`, { type: 'NetworkNotFound' });
      if (entry.fixedIp !== undefined) await requireFree(db, network.id, entry.fixedIp);
      plan.push({ portId: mintId(), networkId: network.id, existing: false, ...(entry.fixedIp !== undefined && { fixedIp: entry.fixedIp }), ...tag });
    }
    return plan;
  },

  portsLeft: (db, projectId) => quotaLeft(app, db, 'port', projectId),

  resolveSecurityGroups: async (db, ctx, namesOrIds) => {
    const found = [];
    for (const nameOrId of namesOrIds) {
      const group = await groupCalled(app, db, ctx, nameOrId);
      if (!group) throw refused('SecurityGroupNotFound', `Security group ${nameOrId} not found.`);
      found.push({ id: group.id, name: group.name });
    }
    return found;
  },
});

/** The group that a name or an id means: the project's own, else one that is shared with it. */
export async function groupCalled(app: NeutronApp, db: Db, ctx: Context, nameOrId: string): Promise<SecurityGroupRow | undefined> {
  const projectId = ctx.projectId ?? '';
  const byId = await selectOne<SecurityGroupRow>(db, groupLists, nameOrId, scopeOf(ctx));
  if (byId) return byId;
  const read = async (): Promise<SecurityGroupRow[]> => {
    const own = await groupsByName(db, projectId, nameOrId, 2);
    if (own.length > 0) return own;
    return selectPage<SecurityGroupRow>(
      db,
      groupLists,
      {
        ...NO_FILTERS,
        filters: new Map<string, unknown[]>([
          ['name', [nameOrId]],
          ['shared', [true]],
        ]),
        limit: 2,
      },
      { projectId },
    );
  };
  let found = await read();
  if (found.length === 0 && nameOrId === 'default' && projectId !== '') {
    await withTx(app, db, (tx) => ensureDefaultGroup(app, tx, ctx, projectId));
    found = await read();
  }
  if (found.length > 1) throw conflict(`Multiple security groups found matching '${nameOrId}'. Use an ID to be more specific.`, { type: 'NoUniqueMatch' });
  return found[0];
}

const withTx = <T>(app: NeutronApp, db: Db, work: (tx: Tx) => Promise<T>): Promise<T> => ('writable' in db ? work(db as Tx) : app.env.store.write(work));

/** Without a wish a server gets the one network that its project may use, if there is just one. */
async function planAny(app: NeutronApp, db: Db, ctx: Context, auto: boolean, mintId: () => string): Promise<PlannedPort[]> {
  const projectId = ctx.projectId ?? '';
  const filters = new Map<string, unknown[]>(auto ? [['admin_state_up', [true]]] : []);
  const own = await selectPage<NetworkRow>(
    db,
    networkLists,
    { ...NO_FILTERS, filters: new Map([...filters, ['project_id', [projectId]]]), limit: 2 },
    { projectId },
  );
  const shared = await selectPage<NetworkRow>(db, networkLists, { ...NO_FILTERS, filters: new Map([...filters, ['shared', [true]]]), limit: 2 }, { projectId });
  const networks = new Map([...own, ...shared].map((network) => [network.id, network]));
  if (networks.size > 1) throw conflict('Multiple possible networks found, use a Network ID to be more specific.', { type: 'NetworkAmbiguous' });
  const [network] = networks.values();
  if (!network) return auto ? [{ portId: mintId(), networkId: await autoNetwork(app, db, ctx), existing: false }] : [];
  await requireSubnets(db, [network]);
  await requireAttachable(db, ctx, [network]);
  return [{ portId: mintId(), networkId: network.id, existing: false }];
}

/** The network that is made for a project that has none (nova's networks: auto). */
async function autoNetwork(app: NeutronApp, db: Db, ctx: Context): Promise<string> {
  const projectId = ctx.projectId ?? '';
  await requirements(db).catch((error: unknown) => {
    throw new CairnError('InvalidInput', `Unable to automatically allocate a network for project ${projectId}`, {
      type: 'UnableToAutoAllocateNetwork',
      cause: error,
    });
  });
  return withTx(app, db, (tx) => ensureTopology(app, tx, ctx, projectId));
}

async function portsGiven(db: Db, ctx: Context, requested: readonly RequestedNetwork[]): Promise<Map<string, PortRow>> {
  const ports = new Map<string, PortRow>();
  for (const { portId } of requested) {
    if (portId === undefined) continue;
    const port = await selectOne<PortRow>(db, portLists, portId, scopeOf(ctx));
    if (!port) throw notFound(`Port id ${portId} could not be found.`, { type: 'PortNotFound' });
    if (port.device_id !== '' || ports.has(portId)) throw portTaken(portId);
    if (port.project_id !== ctx.projectId) throw refused('PortNotUsable', `Port ${portId} not usable for instance.`);
    if (port.ip_allocation !== 'none' && (await allocationsOfPorts(db, [portId])).length === 0) {
      throw refused('PortRequiresFixedIP', `Port ${portId} requires a FixedIP in order to be used.`);
    }
    ports.set(portId, port);
  }
  return ports;
}

export const portTaken = (portId: string): CairnError => conflict(`Port ${portId} is still in use.`, { type: 'PortInUse' });

async function networksGiven(db: Db, ctx: Context, requested: readonly RequestedNetwork[]): Promise<Map<string, NetworkRow>> {
  const ids = [...new Set(requested.flatMap((entry) => (entry.portId === undefined && entry.networkId !== undefined ? [entry.networkId] : [])))];
  if (ids.length === 0) return new Map();
  const networks = await selectPage<NetworkRow>(db, networkLists, { ...NO_FILTERS, filters: new Map([['id', ids]]) }, scopeOf(ctx));
  await requireSubnets(db, networks);
  const missing = ids.filter((id) => !networks.some((network) => network.id === id));
  if (missing.length > 0) throw notFound(`Network ${missing.join(', ')} could not be found.`, { type: 'NetworkNotFound' });
  await requireAttachable(db, ctx, networks);
  return new Map(networks.map((network) => [network.id, network]));
}

async function requireSubnets(db: Db, networks: readonly NetworkRow[]): Promise<void> {
  const ids = networks.map((network) => network.id);
  const having = new Set((await subnetsOfNetworks(db, ids)).map((subnet) => subnet.network_id));
  const without = ids.find((id) => !having.has(id));
  if (without !== undefined) throw refused('NetworkRequiresSubnet', `Network ${without} requires a subnet in order to boot instances on.`);
}

/** Only admins put servers on networks that lead outside and are not shared. */
async function requireAttachable(db: Db, ctx: Context, networks: readonly NetworkRow[]): Promise<void> {
  if (isAdmin(ctx)) return;
  const external = networks.filter((network) => network.external === 1).map((network) => network.id);
  const shared = await sharedAmong(db, external, ctx.projectId);
  const refusedId = external.find((id) => !shared.has(id));
  if (refusedId !== undefined) {
    throw new CairnError('Forbidden', `It is not allowed to create an interface on external network ${refusedId}`, { type: 'ExternalNetworkAttachForbidden' });
  }
}

async function requireFree(db: Db, networkId: string, ip: string): Promise<void> {
  if (ipVersionOf(ip) === undefined) throw refused('InvalidInput', `Fixed IP ${ip} is not a valid ip address for network ${networkId}.`);
  const taken = await findAllocation(db, networkId, keyOfIp(canonicalIp(ip)));
  const port = taken && (await findPort(db, taken.port_id));
  if (port) throw refused('FixedIpAlreadyInUse', `Fixed IP address ${ip} is already in use on instance ${port.device_id}.`);
}
