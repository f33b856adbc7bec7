import type { Context } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { networkKey, portKey, routerKey } from '../fabric/keys.ts';
import { floatingIpsOfPorts, updateFloatingIp } from '../store/floatingips.ts';
import { allocationsOfPorts, removeAllocations } from '../store/ipam.ts';
import { dropLogsOf } from '../store/logs.ts';
import { AUTO_DELETE_OWNERS, deletePortRow, portsOfOwners } from '../store/ports.ts';
import { groupsOfPorts } from '../store/security-groups.ts';
import { subnetsByIds } from '../store/subnets.ts';
import type { FloatingIpRow, IpAllocationRow, PortRow } from '../store/tables.ts';
import { dropTags } from '../store/tags.ts';
import { changed, notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { floatingIpViews } from './floatingip-view.ts';
import { dropAssociationsOf } from './local-ip-ports.ts';
import { dropProxiesOf } from './ndp-state.ts';
import { poolsOf } from './port-addresses.ts';
import { dropForwardings } from './port-forwardings.ts';
import { dropTrunkOf } from './trunk-ports.ts';
import { portView } from './port-view.ts';

/** Deletes a port: its addresses go back to their pools, floating IPs let go of it, hosts and listeners hear of it. */
export async function removePort(app: NeutronApp, tx: Tx, ctx: Context, row: PortRow): Promise<void> {
  const [allocations, groups, floating] = [await allocationsOfPorts(tx, [row.id]), await groupsOfPorts(tx, [row.id]), await floatingIpsOfPorts(tx, [row.id])];
  await letGo(app, tx, ctx, floating);
  await dropForwardings(
    app,
    tx,
    row.id,
    allocations.map((allocation) => allocation.ip_address),
  );
  await returnAddresses(tx, allocations);
  await dropTrunkOf(app, tx, row);
  await dropProxiesOf(app, tx, row);
  await dropAssociationsOf(tx, row);
  await deletePortRow(tx, row.id);
  await dropLogsOf(tx, 'target_id', row.id);
  if (row.tags_json !== '[]') await dropTags(tx, row.id);
  const groupIds = groups.map((group) => group.security_group_id);
  await notify(app, tx, ctx, 'port', 'delete', { view: portView(app, row, allocations, groupIds) });
  app.pusher.touch(tx, [portKey(row.id), networkKey(row.network_id)]);
}

/** Gives addresses back to the pools that they are of. */
export async function returnAddresses(tx: Tx, allocations: readonly IpAllocationRow[]): Promise<void> {
  if (allocations.length === 0) return;
  const subnets = await subnetsByIds(tx, [...new Set(allocations.map((allocation) => allocation.subnet_id))]);
  const pools = new Map(subnets.map((subnet) => [subnet.id, poolsOf(subnet)]));
  await removeAllocations(tx, allocations, (subnetId) => pools.get(subnetId) ?? []);
}

/** Takes floating IPs off their ports. */
export async function letGo(app: NeutronApp, tx: Tx, ctx: Context, rows: readonly FloatingIpRow[]): Promise<void> {
  for (const row of rows) {
    const columns = { fixed_port_id: null, fixed_ip_address: null, router_id: null, status: 'DOWN', ...changed(app, row) };
    await updateFloatingIp(tx, row.id, columns);
    const [loaded] = await floatingIpViews(tx, [{ ...row, ...columns }]);
    if (loaded) await notify(app, tx, ctx, 'floatingip', 'update', loaded);
    if (row.router_id !== null) app.pusher.touch(tx, [routerKey(row.router_id)]);
  }
}

/** Deletes the ports that go with their network by themselves (DHCP). */
export async function removeAutoPorts(app: NeutronApp, tx: Tx, ctx: Context, networkId: string): Promise<void> {
  for (const row of await portsOfOwners(tx, [networkId], AUTO_DELETE_OWNERS)) await removePort(app, tx, ctx, row);
}
