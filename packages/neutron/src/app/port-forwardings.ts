import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { isSet } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import {
  badRequest,
  floatingIpInUseByForwarding,
  floatingIpNotFound,
  portAlreadyAssociated,
  portForwardingNotFound,
  portHasFloatingIp,
  portNotFound,
} from '../errors.ts';
import { routerKey } from '../fabric/keys.ts';
import { canonicalIp } from '../net/ip.ts';
import { pyRepr } from '../net/python-text.ts';
import { PORT_FORWARDING } from '../resources/port-forwarding.ts';
import { findFloatingIp, floatingIpLists, floatingIpsOfPorts, updateFloatingIp } from '../store/floatingips.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { forwardingsOfFloatingIps, forwardingsToPorts, portForwardingLists } from '../store/port-forwardings.ts';
import { portLists } from '../store/ports.ts';
import { deleteRow } from '../store/rows.ts';
import { selectOne } from '../store/select.ts';
import type { FloatingIpRow, PortForwardingRow, PortRow } from '../store/tables.ts';
import { changed, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { servingRouterOf } from './floatingip-routers.ts';
import { type Kind, verbsOf, type Work } from './kinds.ts';
import { forwardingView } from './port-forwarding-view.ts';

const RESOURCE = 'port_forwarding';

async function requireFloatingIp(_app: NeutronApp, db: Db, ctx: Context, id: string): Promise<{ projectId: string }> {
  const row = await selectOne<FloatingIpRow>(db, floatingIpLists, id, scopeOf(ctx));
  if (!row) throw floatingIpNotFound(id);
  return { projectId: row.project_id };
}

/** What a request says of ports: number or range; undefined where it says nothing. */
function portsOf(values: Values, side: 'external' | 'internal'): { first: number; last: number } | undefined {
  const text = values[`${side}_port_range`] ?? values[`${side}_port`];
  if (text === null || text === undefined) return undefined;
  const [first, last] = String(text).split(':').map(Number) as [number, number?];
  return { first, last: last ?? first };
}

const KIND: Kind<PortForwardingRow> = {
  resource: PORT_FORWARDING,
  lists: portForwardingLists,
  notFound: portForwardingNotFound,
  views: (_app, _db, rows) => rows.map((row) => ({ view: forwardingView(row) })),
  parent: { param: 'floatingip_id', column: 'floatingip_id', require: requireFloatingIp },
  async create(work, values) {
    const external = portsOf(values, 'external');
    const internal = portsOf(values, 'internal');
    if (!external || !internal)
      throw badRequest(RESOURCE, 'Ports must be given on both sides: external_port or external_port_range, internal_port or internal_port_range');
    const row: PortForwardingRow = {
      id: work.app.env.ids.uuid(),
      floatingip_id: String(work.params.floatingip_id),
      internal_port_id: String(values.internal_port_id),
      internal_ip_address: values.internal_ip_address === null ? '' : canonicalIp(String(values.internal_ip_address)),
      protocol: String(values.protocol),
      external_first: external.first,
      external_last: external.last,
      internal_first: internal.first,
      internal_last: internal.last,
      description: String(values.description),
    };
    return checked(work, row);
  },
  async update(work, row, values) {
    const external = portsOf(values, 'external');
    const internal = portsOf(values, 'internal');
    const next: PortForwardingRow = {
      ...row,
      ...('description' in values && { description: String(values.description) }),
      ...('protocol' in values && { protocol: String(values.protocol) }),
      ...('internal_port_id' in values && { internal_port_id: String(values.internal_port_id) }),
      ...(isSet(values.internal_ip_address) && { internal_ip_address: canonicalIp(String(values.internal_ip_address)) }),
      ...(external && { external_first: external.first, external_last: external.last }),
      ...(internal && { internal_first: internal.first, internal_last: internal.last }),
    };
    // another port has other addresses
    if (next.internal_port_id !== row.internal_port_id && !values.internal_ip_address) next.internal_ip_address = '';
    return checked(work, next);
  },
  async settle({ app, tx, params }, after) {
    const floating = await findFloatingIp(tx, String(params.floatingip_id));
    if (!floating) return;
    const left = after ? 1 : (await forwardingsOfFloatingIps(tx, [floating.id])).length;
    if (left === 0) await updateFloatingIp(tx, floating.id, { router_id: null, status: 'DOWN', ...changed(app, floating) });
    if (floating.router_id !== null) app.pusher.touch(tx, [routerKey(floating.router_id)]);
  },
};

export const portForwardingVerbs = verbsOf(KIND);

/** neutron/services/portforwarding/pf_plugin.py. Gives the row with its address; the floating IP is put on the router that leads there. */
async function checked({ app, tx, ctx }: Work, row: PortForwardingRow): Promise<PortForwardingRow> {
  if (row.internal_last > row.internal_first && row.internal_last - row.internal_first !== row.external_last - row.external_first) {
    throw badRequest(RESOURCE, 'Invalid ranges of internal and/or external ports. The relation between internal and external ports must be N-N or 1-N');
  }
  const floating = (await findFloatingIp(tx, row.floatingip_id)) as FloatingIpRow;
  const port = await selectOne<PortRow>(tx, portLists, row.internal_port_id, scopeOf(ctx));
  if (!port) throw portNotFound(row.internal_port_id);
  const { ip, subnetId } = await insideAddress(tx, port, row.internal_ip_address);
  const next = { ...row, internal_ip_address: ip };
  await refuseCollisions(tx, next);
  const other = (await floatingIpsOfPorts(tx, [port.id]))[0];
  if (other) throw portHasFloatingIp(floating.floating_ip_address, floating.id, port.id, ip);
  if (floating.fixed_port_id !== null) throw portAlreadyAssociated(floating.floating_ip_address, floating.id, port.id, ip, floating.floating_network_id);
  const routerId = await servingRouterOf(tx, port, subnetId, floating.floating_network_id);
  if (routerId === undefined) {
    throw badRequest(
      RESOURCE,
      `External network ${floating.floating_network_id} is not reachable from subnet ${subnetId}. Cannot set Port forwarding for port ${port.id} with Floating IP ${floating.id}`,
    );
  }
  if (floating.router_id !== null && floating.router_id !== routerId) {
    throw badRequest(
      RESOURCE,
      `The Floating IP ${floating.id} had been set on router ${floating.router_id}, the internal Neutron port ${port.id} can not reach it`,
    );
  }
  if (floating.router_id === null) await updateFloatingIp(tx, floating.id, { router_id: routerId, ...changed(app, floating) });
  return next;
}

async function insideAddress(tx: Tx, port: PortRow, wanted: string): Promise<{ ip: string; subnetId: string }> {
  const v4 = (await allocationsOfPorts(tx, [port.id])).filter((address) => address.ip_key.length === 8);
  if (v4.length === 0) throw badRequest(RESOURCE, `Requested internal port ${port.id} must allocate an IPv4 address at least.`);
  const found = wanted === '' ? v4[0] : v4.find((address) => address.ip_address === wanted);
  if (found) return { ip: found.ip_address, subnetId: found.subnet_id };
  const fixed = v4.map((address) => ({ subnet_id: address.subnet_id, ip_address: address.ip_address }));
  throw badRequest(
    RESOURCE,
    `Requested internal IP address ${wanted} is not suitable for internal neutron port ${port.id}, as its fixed_ips are ${pyRepr(fixed)}`,
  );
}

/** A port of a floating IP leads to one place, and a port of a server is led to from one. */
async function refuseCollisions(tx: Tx, row: PortForwardingRow): Promise<void> {
  const meet = (key: 'external' | 'internal', other: PortForwardingRow): boolean =>
    row[`${key}_first`] <= other[`${key}_last`] && other[`${key}_first`] <= row[`${key}_last`];
  const refuse = (key: 'external' | 'internal', other: PortForwardingRow): Error =>
    badRequest(
      RESOURCE,
      `There is a port collision with the ${key}_port_range. The following ranges collide: ${other[`${key}_first`]}:${other[`${key}_last`]} and ${row[`${key}_first`]}:${row[`${key}_last`]}`,
    );
  for (const other of await forwardingsToPorts(tx, [row.internal_port_id])) {
    if (other.id !== row.id && other.protocol === row.protocol && other.internal_ip_address === row.internal_ip_address && meet('internal', other)) {
      throw refuse('internal', other);
    }
  }
  for (const other of await forwardingsOfFloatingIps(tx, [row.floatingip_id])) {
    if (other.id !== row.id && other.protocol === row.protocol && meet('external', other)) throw refuse('external', other);
  }
}

/** A floating IP that forwards ports is neither given to a port nor deleted. */
export async function requireNoForwarding(tx: Tx, floating: FloatingIpRow): Promise<void> {
  // one that forwards is on a router and leads to no port
  if (floating.router_id === null || floating.fixed_port_id !== null) return;
  if ((await forwardingsOfFloatingIps(tx, [floating.id])).length > 0) throw floatingIpInUseByForwarding(floating.id);
}

/** Forwardings go with the addresses that they lead to. */
export async function dropForwardings(app: NeutronApp, tx: Tx, portId: string, addresses: readonly string[]): Promise<void> {
  const gone = (await forwardingsToPorts(tx, [portId])).filter((row) => addresses.includes(row.internal_ip_address));
  for (const row of gone) {
    await deleteRow(tx, 'neutron_port_forwarding', row.id);
    const floating = await findFloatingIp(tx, row.floatingip_id);
    if (!floating) continue;
    if ((await forwardingsOfFloatingIps(tx, [floating.id])).length === 0)
      await updateFloatingIp(tx, floating.id, { router_id: null, status: 'DOWN', ...changed(app, floating) });
    if (floating.router_id !== null) app.pusher.touch(tx, [routerKey(floating.router_id)]);
  }
}
