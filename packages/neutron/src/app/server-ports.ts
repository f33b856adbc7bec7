import { type Context, systemContext } from '@cairn/kit/context/context';
import { CairnError, isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import { fromJson } from '@cairn/kit/store/values';
import type { NeutronFace } from '../face.ts';
import { networkKey, portKey } from '../fabric/keys.ts';
import { findNetwork, subnetsOfNetworks } from '../store/networks.ts';
import { portsByIds, portsOfDevices, updatePort } from '../store/ports.ts';
import { groupsOfPorts, setGroupsOfPort } from '../store/security-groups.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import type { NetworkRow, PortRow } from '../store/tables.ts';
import { changed, notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { makePort } from './port-creation.ts';
import { removePort } from './port-removal.ts';
import { followParent } from './trunk-ports.ts';
import { networkProviders } from './network-providers.ts';
import { resourceRequests } from './resource-requests.ts';
import { requireGroups } from './port-security.ts';
import { portViews } from './port-view.ts';
import { checkQuota } from './quota.ts';
import { routedSegments } from './routed-segments.ts';
import { isReached, settleOnHost } from './subnet-segments.ts';
import { serverFacts } from './server-facts.ts';
import { groupCalled, portTaken, serverRequests } from './server-requests.ts';

type WantedPort = Parameters<NeutronFace['createPorts']>[2][number];

/** Ports as nova uses them. Its saga steps may come twice: what is done already is left as it is. */
export function serverPorts(app: NeutronApp): NeutronFace {
  /** Whose work nobody asked for by name. */
  const self = (): Context => systemContext(`req-${app.env.ids.uuid()}`);

  return {
    ...serverRequests(app),
    ...serverFacts,
    ...routedSegments(app),

    resourceRequests: async (db, portIds) => (portIds.length === 0 ? new Map() : resourceRequests(db, await portsByIds(db, portIds))),
    networkProviders: (host) => networkProviders(app.settings, host),

    async createPorts(tx, ctx, ports) {
      const missing = ports.filter((port) => !port.plan.existing);
      const there = new Set(
        (
          await portsByIds(
            tx,
            missing.map((port) => port.plan.portId),
          )
        ).map((row) => row.id),
      );
      const wanted = missing.filter((port) => !there.has(port.plan.portId));
      if (wanted.length === 0) return;
      await checkQuota(app, tx, 'port', ctx.projectId ?? '', wanted.length).catch((error: unknown) => {
        throw new CairnError('Forbidden', 'Maximum number of ports exceeded', { type: 'PortLimitExceeded', cause: error });
      });
      const networks = new Map<string, NetworkRow>();
      for (const port of wanted) {
        const { networkId } = port.plan;
        const network = networks.get(networkId) ?? (await networkForServer(tx, port));
        networks.set(networkId, network);
        await createPort(app, tx, ctx, network, port);
      }
    },

    async bindPorts(tx, portIds, binding) {
      const rows = await portsByIds(tx, portIds);
      const missing = portIds.find((id) => !rows.some((row) => row.id === id));
      if (missing !== undefined) throw notFound(`Port id ${missing} could not be found.`, { type: 'PortNotFound' });
      for (const row of rows) {
        if (row.device_id !== '' && row.device_id !== binding.deviceId) throw portTaken(row.id);
        const profile = allocatedProfile(row, binding.allocations?.get(row.id));
        const same = row.device_id === binding.deviceId && row.device_owner === binding.deviceOwner && row.binding_host === binding.host;
        if (same && profile === row.binding_profile_json) continue;
        const moves = row.binding_host !== binding.host;
        if (moves && !(await isReached(app, tx, { ...row, device_owner: binding.deviceOwner }, binding.host))) throw bindingFailed(row.id, binding.host);
        if (moves) await settleOnHost(app, tx, { ...row, device_owner: binding.deviceOwner }, binding.host);
        await change(app, tx, self(), row, {
          device_id: binding.deviceId,
          device_owner: binding.deviceOwner,
          binding_profile_json: profile,
          // nova knows its hosts: one that is away at this moment plugs the port when it is back
          ...(moves && { binding_host: binding.host, coming_host: '', binding_vif_type: 'tap', status: 'DOWN' }),
        });
      }
    },

    async makeLive(portIds, signal) {
      if (portIds.length === 0) return;
      signal?.throwIfAborted();
      const rows = await portsByIds(app.env.store.read, portIds);
      if (rows.length < new Set(portIds).size)
        throw notFound(`Port id ${portIds.find((id) => !rows.some((row) => row.id === id))} could not be found.`, { type: 'PortNotFound' });
      for (const host of new Set(rows.map((row) => row.binding_host))) {
        if (host === '') throw new CairnError('Conflict', 'A port that is bound to no host cannot come up.', { type: 'PortBindingFailed' });
        app.hosts.get(host);
      }
      await unlessAborted(app.pusher.settled(portIds.map(portKey)), signal);
    },

    async releasePorts(tx, portIds, options) {
      for (const row of await portsByIds(tx, portIds)) {
        if (options.deviceId !== undefined && row.device_id !== options.deviceId) continue;
        if (options.delete) await removePort(app, tx, self(), row);
        else if (row.device_id !== '' || row.binding_host !== '') await unbind(app, tx, self(), row);
      }
    },

    async unbindPorts(tx, portIds) {
      for (const row of await portsByIds(tx, portIds)) {
        if (row.binding_host === '') continue;
        await change(app, tx, self(), row, { binding_host: '', coming_host: '', binding_vif_type: 'unbound', binding_profile_json: '{}', status: 'DOWN' });
      }
    },

    async announcePorts(tx, portIds, host) {
      for (const row of await portsByIds(tx, portIds)) {
        if (row.coming_host === host) continue;
        await updatePort(tx, row.id, { coming_host: host });
        await followParent(app, tx, { ...row, coming_host: host });
        app.pusher.touch(tx, [portKey(row.id), networkKey(row.network_id)]);
      }
    },

    makeGone: (portIds) => app.pusher.settled(portIds.map(portKey)),

    async changeDeviceSecurityGroup(tx, ctx, deviceId, group, change) {
      const found = await groupCalled(app, tx, ctx, group);
      if (!found) throw notFound(`Security group ${group} is not found for project ${ctx.projectId ?? ''}`, { type: 'SecurityGroupNotFound' });
      const ports = await portsOfDevices(tx, [deviceId]);
      if (ports.length === 0) throw notFound(`instance_id ${deviceId} could not be found as device id on any ports`, { type: 'SecurityGroupNotFound' });
      const changedIds = change === 'add' ? await addGroup(app, tx, ctx, ports, found.id) : await removeGroup(app, tx, ctx, ports, found.id);
      if (change === 'remove' && changedIds.length === 0) {
        throw notFound(`Security group ${group} not associated with the instance ${deviceId}`, { type: 'SecurityGroupNotFound' });
      }
      return changedIds;
    },
  };
}

const bindingFailed = (portId: string, host: string): CairnError =>
  new CairnError('Conflict', `Binding failed for port ${portId}: the host ${host} has none of the segments of its network.`, { type: 'PortBindingFailed' });

/** A port's profile with the providers of what it asks for, or without them (`allocation` of port-resource-request-groups). */
function allocatedProfile(row: PortRow, allocation: Readonly<Record<string, string>> | undefined): string {
  const profile = fromJson<Record<string, unknown>>(row.binding_profile_json);
  if (allocation === undefined && !('allocation' in profile)) return row.binding_profile_json;
  const { allocation: _before, ...rest } = profile;
  return JSON.stringify(allocation === undefined ? rest : { ...rest, allocation });
}

/** The network that a server's port is made on, as nova insists on it. */
async function networkForServer(tx: Tx, port: WantedPort): Promise<NetworkRow> {
  const { networkId } = port.plan;
  const network = await findNetwork(tx, networkId);
  if (!network) throw notFound(`Network ${networkId} could not be found.`, { type: 'NetworkNotFound' });
  const secure = network.port_security_enabled === 1;
  const fits = secure ? (await subnetsOfNetworks(tx, [networkId])).length > 0 : (port.securityGroupIds ?? []).length === 0;
  if (!fits) throw groupCannotBeApplied();
  return network;
}

const groupCannotBeApplied = (): CairnError =>
  new CairnError('InvalidInput', 'Network requires port_security_enabled and subnet associated in order to apply security groups.', {
    type: 'SecurityGroupCannotBeApplied',
  });

async function createPort(app: NeutronApp, tx: Tx, ctx: Context, network: NetworkRow, port: WantedPort): Promise<void> {
  const { portId, fixedIp } = port.plan;
  try {
    await makePort(app, tx, ctx, network, {
      id: portId,
      projectId: ctx.projectId ?? '',
      deviceId: port.deviceId,
      deviceOwner: port.deviceOwner,
      fixedIps: fixedIp === undefined ? NOT_SPECIFIED : [{ ip_address: fixedIp }],
      securityGroups: port.securityGroupIds === undefined || port.securityGroupIds.length === 0 ? NOT_SPECIFIED : port.securityGroupIds,
      dnsName: port.hostname,
    });
  } catch (error) {
    throw novaError(error, network.id, fixedIp);
  }
}

/** What nova makes of neutron's refusals. */
function novaError(error: unknown, networkId: string, fixedIp: string | undefined): unknown {
  if (!isCairnError(error)) return error;
  if (error.type === 'InvalidIpForNetwork') {
    return new CairnError('InvalidInput', `Fixed IP ${fixedIp} is not a valid ip address for network ${networkId}.`, { type: 'InvalidInput', cause: error });
  }
  if (error.type === 'IpAddressAlreadyAllocated')
    return new CairnError('InvalidInput', `Fixed IP ${fixedIp} is already in use.`, { type: 'FixedIpAlreadyInUse', cause: error });
  if (error.type === 'IpAddressGenerationFailure') {
    return new CairnError('InvalidInput', `No fixed IP addresses available for network: ${networkId}`, { type: 'NoMoreFixedIps', cause: error });
  }
  return error;
}

const unbind = (app: NeutronApp, tx: Tx, ctx: Context, row: PortRow): Promise<void> =>
  change(app, tx, ctx, row, {
    device_id: '',
    device_owner: '',
    dns_name: '',
    binding_host: '',
    coming_host: '',
    binding_vif_type: 'unbound',
    binding_profile_json: '{}',
    status: 'DOWN',
  });

/** Writes columns of a port; listeners and hosts hear of it. */
async function change(app: NeutronApp, tx: Tx, ctx: Context, row: PortRow, columns: Partial<PortRow>): Promise<void> {
  const all = { ...columns, ...changed(app, row) };
  await updatePort(tx, row.id, all);
  if (columns.binding_host !== undefined) await followParent(app, tx, { ...row, ...all });
  await notifyUpdated(app, tx, ctx, { ...row, ...all });
  const left = columns.binding_host !== undefined && row.binding_host !== '' ? [networkKey(row.network_id)] : [];
  app.pusher.touch(tx, [portKey(row.id), ...left]);
}

async function notifyUpdated(app: NeutronApp, tx: Tx, ctx: Context, row: PortRow): Promise<void> {
  const [loaded] = await portViews(app, tx, [row]);
  if (loaded) await notify(app, tx, ctx, 'port', 'update', loaded);
}

async function addGroup(app: NeutronApp, tx: Tx, ctx: Context, ports: readonly PortRow[], groupId: string): Promise<string[]> {
  const ids = ports.map((port) => port.id);
  const addressed = new Set((await allocationsOfPorts(tx, ids)).map((address) => address.port_id));
  if (ports.some((port) => port.port_security_enabled === 0 || !addressed.has(port.id))) throw groupCannotBeApplied();
  const groups = Map.groupBy(await groupsOfPorts(tx, ids), (member) => member.port_id);
  for (const port of ports) {
    const now = (groups.get(port.id) ?? []).map((member) => member.security_group_id);
    if (!now.includes(groupId)) await setGroups(app, tx, ctx, port, [...now, groupId]);
  }
  return ids;
}

async function removeGroup(app: NeutronApp, tx: Tx, ctx: Context, ports: readonly PortRow[], groupId: string): Promise<string[]> {
  const groups = Map.groupBy(
    await groupsOfPorts(
      tx,
      ports.map((port) => port.id),
    ),
    (member) => member.port_id,
  );
  const having = ports.filter((port) => groups.get(port.id)?.some((member) => member.security_group_id === groupId));
  for (const port of having) {
    const now = (groups.get(port.id) ?? []).map((member) => member.security_group_id);
    await setGroups(
      app,
      tx,
      ctx,
      port,
      now.filter((id) => id !== groupId),
    );
  }
  return having.map((port) => port.id);
}

async function setGroups(app: NeutronApp, tx: Tx, ctx: Context, port: PortRow, groupIds: readonly string[]): Promise<void> {
  await setGroupsOfPort(tx, port.id, await requireGroups(tx, ctx, groupIds, port.project_id), false);
  await change(app, tx, ctx, port, {});
}

/** Waits for a promise no longer than the signal allows. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop));
}
