import type { Context } from '@cairn/kit/context/context';
import { systemContext } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { isSet, type NotSpecified } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { standardView } from '../attributes/times.ts';
import { badRequest, networkNotFound } from '../errors.ts';
import {
  localIpExists,
  localIpInUse,
  localIpNoAddress,
  localIpNoPort,
  localIpNotFound,
  localIpPortNotFound,
  localIpUnclear,
  localIpWrongAddress,
} from '../errors-data-plane.ts';
import { portKey } from '../fabric/keys.ts';
import { canonicalIp, ipVersionOf } from '../net/ip.ts';
import { LOCAL_IP, LOCAL_IP_PORT } from '../resources/local-ip.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { localIpLists, localIpPortLists, portsOfLocalIp } from '../store/local-ips.ts';
import { networkLists } from '../store/networks.ts';
import { findPort, portLists, portsByIds } from '../store/ports.ts';
import { selectOne } from '../store/select.ts';
import { subnetsOfNetwork } from '../store/subnets.ts';
import type { NetworkRow, PortRow } from '../store/tables.ts';
import type { LocalIpPortRow, LocalIpRow } from '../store/tables-data-plane.ts';
import { newRow, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, type KindVerbs, type Params, sameNamed, verbsOf, type Work } from './kinds.ts';
import { makePort } from './port-creation.ts';
import { removePort } from './port-removal.ts';

/** neutron/db/local_ip_db.py */
const OWNER = 'network:local_ip';

const IPS: Kind<LocalIpRow> = {
  resource: LOCAL_IP,
  lists: localIpLists,
  notFound: localIpNotFound,
  views: (_app, _db, rows) =>
    rows.map((row) => {
      const { name, local_port_id, network_id, local_ip_address, ip_mode } = row;
      return { view: { ...standardView(row), name, local_port_id, network_id, local_ip_address, ip_mode } };
    }),
  async create(work, values) {
    const standard = newRow(work.app, values);
    const { port, address } = await portOf(work, standard.id, values);
    return {
      ...standard,
      name: String(values.name),
      local_port_id: port.id,
      network_id: port.network_id,
      local_ip_address: address,
      ip_mode: String(values.ip_mode),
    };
  },
  update: (_work, _row, values) => sameNamed<LocalIpRow>(values, ['name', 'description']),
  async remove({ tx }, row) {
    if ((await portsOfLocalIp(tx, row.id)).length > 0) throw localIpInUse(row.id);
  },
  async settle({ app, tx, ctx }, after, before) {
    // a port that was made for it goes with it
    const port = after || !before ? undefined : await findPort(tx, before.local_port_id);
    if (port?.device_owner === OWNER) await removePort(app, tx, systemContext(ctx.requestId), port);
  },
};

export const localIpVerbs = verbsOf(IPS);

/** The port that has the address: one that is named, or a new one on a network. */
async function portOf({ app, tx, ctx }: Work, id: string, values: Values): Promise<{ port: PortRow; address: string }> {
  const wanted = isSet(values.local_ip_address as string | NotSpecified | null) ? canonicalIp(String(values.local_ip_address)) : undefined;
  if (isSet(values.local_port_id)) {
    const port = await selectOne<PortRow>(tx, portLists, String(values.local_port_id), scopeOf(ctx));
    if (!port) throw badRequest('local_ip', `Port ${String(values.local_port_id)} not found`);
    return { port, address: await chosenAddress(tx, port.id, wanted) };
  }
  if (!isSet(values.network_id)) throw localIpNoPort();
  const network = await selectOne<NetworkRow>(tx, networkLists, String(values.network_id), scopeOf(ctx));
  if (!network) throw networkNotFound(String(values.network_id));
  if (!(await subnetsOfNetwork(tx, network.id)).some((subnet) => subnet.ip_version === 4))
    throw badRequest('local_ip', `Network ${network.id} does not contain any IPv4 subnet`);
  const { row, addresses } = await makePort(app, tx, systemContext(ctx.requestId), network, {
    projectId: String(values.project_id),
    deviceId: id,
    deviceOwner: OWNER,
    status: 'N/A',
    ...(wanted !== undefined && { fixedIps: [{ ip_address: wanted }] }),
  });
  const all = addresses.map((one) => one.ipAddress);
  return { port: row, address: wanted ?? all.find((ip) => ipVersionOf(ip) === 4) ?? '' };
}

/** The address of a port that is asked for, or the only one. */
async function chosenAddress(db: Db, portId: string, wanted: string | undefined): Promise<string> {
  const held = (await allocationsOfPorts(db, [portId])).map((address) => address.ip_address);
  const [first] = held;
  if (first === undefined) throw localIpNoAddress(portId);
  if (wanted !== undefined) {
    if (!held.includes(wanted)) throw localIpWrongAddress(portId, wanted);
    return wanted;
  }
  if (held.length > 1) throw localIpUnclear(portId);
  return first;
}

async function requireLocalIp(_app: NeutronApp, db: Db, ctx: Context, id: string): Promise<{ projectId: string }> {
  const row = await selectOne<LocalIpRow>(db, localIpLists, id, scopeOf(ctx));
  if (!row) throw localIpNotFound(id);
  return { projectId: row.project_id };
}

const PORTS: Kind<LocalIpPortRow> = {
  resource: LOCAL_IP_PORT,
  lists: localIpPortLists,
  notFound: (id, params) => localIpPortNotFound(params.local_ip_id ?? '', id.split(' ')[1] ?? id),
  async views(_app, db, rows) {
    const ports = new Map(
      (
        await portsByIds(
          db,
          rows.map((row) => row.fixed_port_id),
        )
      ).map((port) => [port.id, port]),
    );
    return rows.map(({ local_ip_id, local_ip_address, fixed_port_id, fixed_ip }) => ({
      view: { local_ip_id, local_ip_address, fixed_port_id, fixed_ip, host: ports.get(fixed_port_id)?.binding_host ?? '' },
    }));
  },
  parent: { param: 'local_ip_id', column: 'local_ip_id', require: requireLocalIp },
  async create({ tx, ctx, params }, values) {
    const local = (await selectOne<LocalIpRow>(tx, localIpLists, String(params.local_ip_id), scopeOf(ctx))) as LocalIpRow;
    const portId = String(values.fixed_port_id);
    const port = await selectOne<PortRow>(tx, portLists, portId, scopeOf(ctx));
    if (!port) throw badRequest('local_ip_port_association', `Port ${portId} not found`);
    if ((await portsOfLocalIp(tx, local.id)).some((other) => other.fixed_port_id === portId)) throw localIpExists(local.id, portId);
    return {
      id: associationId(local.id, portId),
      local_ip_id: local.id,
      local_ip_address: local.local_ip_address,
      fixed_port_id: portId,
      fixed_ip: await chosenAddress(tx, portId, isSet(values.fixed_ip) ? canonicalIp(String(values.fixed_ip)) : undefined),
    };
  },
  settle({ app, tx }, after, before) {
    app.pusher.touch(tx, [portKey(String((after ?? before)?.fixed_port_id))]);
  },
};

const associationId = (localIpId: string, portId: string): string => `${localIpId} ${portId}`;

const byRow = verbsOf(PORTS);
const rowOf = (id: string, params: Params | undefined): string => associationId(params?.local_ip_id ?? '', id);

/** Associations are named by their port. */
export const localIpPortVerbs: KindVerbs = {
  ...byRow,
  get: (app, ctx, id, params) => byRow.get(app, ctx, rowOf(id, params), params),
  remove: (app, ctx, id, ifMatch, params) => byRow.remove(app, ctx, rowOf(id, params), ifMatch, params),
};
