import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit } from '@cairn/kit/store/values';
import { pythonInt } from '../attributes/converters.ts';
import { standardView } from '../attributes/times.ts';
import {
  duplicateSubport,
  invalidInput,
  parentPortInUse,
  portInUse,
  portNotFound,
  subportMtuTooGreat,
  subportNotFound,
  trunkDisabled,
  trunkNotFound,
  trunkPortInUse,
} from '../errors.ts';
import { networkKey, portKey } from '../fabric/keys.ts';
import { pyRepr, pyStr } from '../net/python-text.ts';
import { type SubportRequest, subports as subportsValidator, TRUNK } from '../resources/trunk.ts';
import { findNetwork } from '../store/networks.ts';
import { findPort, portLists, updatePort } from '../store/ports.ts';
import { selectOne } from '../store/select.ts';
import type { NetworkRow, PortRow, SubportRow, TrunkRow } from '../store/tables.ts';
import { insertSubport, setTrunkStatus, subportsOfTrunks, tieSubports, trunkLists } from '../store/trunks.ts';
import { updateRow } from '../store/rows.ts';
import { authorizeDelete, changed, type Loaded, newRow, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, sameNamed, verbsOf } from './kinds.ts';
import { subportView } from './trunk-details.ts';
import { freeSubports, untie } from './trunk-ports.ts';

const MAX_VLAN = 4094;

function trunkView(row: TrunkRow, subports: readonly SubportRow[]): Record<string, unknown> {
  const view = standardView(row);
  view.name = row.name;
  view.admin_state_up = row.admin_state_up === 1;
  view.port_id = row.port_id;
  view.status = row.status;
  view.sub_ports = subports.map(subportView);
  view.tags = fromJson(row.tags_json);
  return view;
}

async function views(_app: NeutronApp, db: Db, rows: readonly TrunkRow[]): Promise<Loaded[]> {
  const subports = Map.groupBy(
    await subportsOfTrunks(
      db,
      rows.map((row) => row.id),
    ),
    (subport) => subport.trunk_id,
  );
  return rows.map((row) => ({ view: trunkView(row, subports.get(row.id) ?? []) }));
}

const KIND: Kind<TrunkRow> = {
  resource: TRUNK,
  lists: trunkLists,
  notFound: trunkNotFound,
  views,
  quota: 'trunk',
  async create({ app, tx, ctx }, values) {
    const parent = await requirePort(tx, ctx, String(values.port_id));
    if (parent.device_owner === 'trunk:subport') throw trunkPortInUse(parent.id);
    if (parent.trunk_id !== null || parent.device_owner.startsWith('network:')) throw parentPortInUse(parent.id);
    return {
      ...newRow(app, values),
      name: String(values.name),
      port_id: parent.id,
      admin_state_up: toBit(values.admin_state_up === true),
      status: 'DOWN',
      tags_json: '[]',
    };
  },
  update: (_work, _row, values) => sameNamed<TrunkRow>(values, ['name', 'description'], ['admin_state_up']),
  async remove({ app, tx }, row) {
    if (row.admin_state_up === 0) throw trunkDisabled(row.id);
    await untie(app, tx, row);
  },
  async settle({ app, tx, ctx }, after, before, values) {
    if (!after || before) return;
    await updatePort(tx, after.port_id, { trunk_id: after.id });
    await tie(app, tx, ctx, after, values.sub_ports as readonly SubportRequest[]);
    if ((await findPort(tx, after.port_id))?.status === 'ACTIVE' && (values.sub_ports as readonly unknown[]).length === 0)
      await setTrunkStatus(tx, after.id, 'ACTIVE');
  },
};

export const trunkVerbs = verbsOf(KIND);

async function requirePort(db: Db, ctx: Context, id: string): Promise<PortRow> {
  const port = await selectOne<PortRow>(db, portLists, id, scopeOf(ctx));
  if (!port) throw portNotFound(id);
  return port;
}

/** Makes ports sub-ports of a trunk (neutron/services/trunk/rules.py). */
async function tie(app: NeutronApp, tx: Tx, ctx: Context, trunk: TrunkRow, requests: readonly SubportRequest[]): Promise<void> {
  const parent = (await findPort(tx, trunk.port_id)) as PortRow;
  const parentMtu = (await findNetwork(tx, parent.network_id))?.mtu ?? 0;
  const taken = new Set((await subportsOfTrunks(tx, [trunk.id])).map((row) => `${row.segmentation_type} ${row.segmentation_id}`));
  for (const request of requests) {
    if (request.port_id === trunk.port_id) throw parentPortInUse(request.port_id);
    const port = await requirePort(tx, ctx, request.port_id);
    const network = (await findNetwork(tx, port.network_id)) as NetworkRow;
    if (network.mtu > parentMtu) throw subportMtuTooGreat(port.id, network.mtu, trunk.port_id, parentMtu);
    const { type, id } = segmentOf(request, network);
    if (port.device_owner === 'trunk:subport') throw trunkPortInUse(port.id);
    if (port.trunk_id !== null) throw parentPortInUse(port.id);
    if (port.device_id !== '') throw portInUse(port.id, port.network_id, port.device_id);
    if (taken.has(`${type} ${id}`)) throw duplicateSubport(type, id, trunk.id);
    taken.add(`${type} ${id}`);
    await insertSubport(tx, { port_id: port.id, trunk_id: trunk.id, parent_port_id: parent.id, segmentation_type: type, segmentation_id: id });
    app.pusher.touch(tx, [networkKey(port.network_id)]);
  }
  const ids = requests.map((request) => request.port_id);
  if (ids.length === 0) return;
  await tieSubports(tx, ids, parent);
  app.pusher.touch(tx, ids.map(portKey));
}

/** VLANs alone; `inherit` takes that of the sub-port's network. */
function segmentOf(request: SubportRequest, network: NetworkRow): { type: string; id: number } {
  const inherits = request.segmentation_type === 'inherit';
  const type = inherits ? network.network_type : request.segmentation_type;
  const given = inherits ? network.segmentation_id : request.segmentation_id;
  if (type === undefined || given === undefined) {
    throw invalidInput(
      `Invalid subport details '${pyRepr(request)}': missing segmentation information. Must specify both segmentation_id and segmentation_type`,
    );
  }
  const id = pythonInt(given);
  if (id === undefined) throw invalidInput(`Invalid subport details: segmentation_id '${pyStr(given)}' is not an integer`);
  if (type !== 'vlan') throw invalidInput(`Unknown segmentation_type '${pyStr(type)}'`);
  if (id < 1 || id > MAX_VLAN) throw invalidInput(`Segmentation ID '${id}' is not in range`);
  return { type, id };
}

export const getSubports = async (app: NeutronApp, ctx: Context, id: string): Promise<{ sub_ports: unknown }> => {
  const loaded = await trunkVerbs.get(app, ctx, id);
  authorizeDelete(app, ctx, TRUNK, loaded, 'get_subports');
  return { sub_ports: loaded.view.sub_ports };
};

/** add_subports and remove_subports: `{"sub_ports": [...]}` in, the trunk out. */
export function changeSubports(app: NeutronApp, ctx: Context, id: string, body: unknown, verb: 'add' | 'remove'): Promise<Loaded> {
  const requests = (body as { sub_ports?: unknown } | null | undefined)?.sub_ports;
  return app.env.store.write(async (tx) => {
    const row = await selectOne<TrunkRow>(tx, trunkLists, id, scopeOf(ctx));
    if (!row) throw trunkNotFound(id);
    const [before] = await views(app, tx, [row]);
    authorizeDelete(app, ctx, TRUNK, before as Loaded, `${verb}_subports`);
    const refusal = subportsValidator(requests ?? null);
    if (refusal !== undefined) throw invalidInput(refusal);
    if (row.admin_state_up === 0) throw trunkDisabled(id);
    const list = requests as readonly SubportRequest[];
    if (verb === 'add') await tie(app, tx, ctx, row, list);
    else {
      const known = new Map((await subportsOfTrunks(tx, [id])).map((subport) => [subport.port_id, subport]));
      const gone = list.map((request) => {
        const subport = known.get(request.port_id);
        if (!subport) throw subportNotFound(request.port_id, id);
        return subport;
      });
      await freeSubports(app, tx, gone);
    }
    const columns = { ...changed(app, row), ...(verb === 'add' && list.length > 0 && { status: 'DOWN' }) };
    await updateRow(tx, 'neutron_trunk', id, columns);
    const [after] = await views(app, tx, [{ ...row, ...columns }]);
    await notify(app, tx, ctx, 'trunk', 'update', after as Loaded);
    return after as Loaded;
  });
}
