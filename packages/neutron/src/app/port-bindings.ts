import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { isSet } from '../attributes/attribute.ts';
import { authorizeAction } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import { badRequest, bindingActive, bindingExists, bindingFailed, bindingNotFound, portNotFound } from '../errors.ts';
import { networkKey, portKey } from '../fabric/keys.ts';
import type { ListInput } from '../listing/query.ts';
import { bindingsOfPort, deleteBinding, insertBinding, updateBinding } from '../store/port-bindings.ts';
import { portLists, updatePort } from '../store/ports.ts';
import { selectOne } from '../store/select.ts';
import type { PortBindingRow, PortRow } from '../store/tables.ts';
import { changed, type Loaded, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import type { Params } from './kinds.ts';
import { profileJson } from './port-creation.ts';
import { portViews } from './port-view.ts';
import { vifTypeAt } from './subnet-segments.ts';
import { followParent } from './trunk-ports.ts';

/**
 * The hosts that a port is bound to: one where it is at work, others where it may be soon (neutron/plugins/ml2/plugin.py). To activate another one moves the
 * port there.
 */

/** What a binding is, wherever it is written. */
type Binding = Omit<PortBindingRow, 'port_id'>;

const activeOf = (port: PortRow): Binding | undefined =>
  port.binding_host === ''
    ? undefined
    : { host: port.binding_host, vnic_type: port.binding_vnic_type, vif_type: port.binding_vif_type, profile_json: port.binding_profile_json };

const view = (port: PortRow, binding: Binding, status: 'ACTIVE' | 'INACTIVE'): Loaded => ({
  view: {
    host: binding.host,
    vif_type: binding.vif_type,
    vif_details: binding.vif_type === 'tap' ? { port_filter: true, connectivity: 'l2' } : {},
    vnic_type: binding.vnic_type,
    profile: fromJson(binding.profile_json),
    status,
    project_id: port.project_id,
  },
});

async function load(db: Db, ctx: Context, params: Params): Promise<PortRow> {
  const id = params.port_id ?? '';
  const port = await selectOne<PortRow>(db, portLists, id, scopeOf(ctx));
  if (!port) throw portNotFound(id);
  if (!port.device_owner.startsWith('compute:')) throw badRequest('port', `Invalid port ${id}. Operation only valid on compute and shared filesystem ports`);
  return port;
}

async function allOf(db: Db, port: PortRow): Promise<Loaded[]> {
  const active = activeOf(port);
  const others: Binding[] = await bindingsOfPort(db, port.id);
  // a server that is on its way while it runs has its port plugged over there already
  const coming = port.coming_host !== '' && !others.some((other) => other.host === port.coming_host);
  const soon: Binding[] = coming ? [{ host: port.coming_host, vnic_type: port.binding_vnic_type, vif_type: 'tap', profile_json: '{}' }] : [];
  return [...(active ? [view(port, active, 'ACTIVE')] : []), ...[...others, ...soon].map((binding) => view(port, binding, 'INACTIVE'))];
}

export async function listBindings(app: NeutronApp, ctx: Context, input: ListInput, params: Params): Promise<Loaded[]> {
  const port = await load(app.env.store.read, ctx, params);
  const all = await allOf(app.env.store.read, port);
  return all.filter(({ view: shown }) => [...input.filters].every(([field, wanted]) => wanted.includes(shown[field])));
}

export async function getBinding(app: NeutronApp, ctx: Context, host: string, params: Params): Promise<Loaded> {
  const port = await load(app.env.store.read, ctx, params);
  return find(await allOf(app.env.store.read, port), port, host);
}

function find(all: readonly Loaded[], port: PortRow, host: string): Loaded {
  const found = all.find(({ view: shown }) => shown.host === host);
  if (!found) throw bindingNotFound(port.id, host);
  return found;
}

const target = (port: PortRow) => ({ project_id: port.project_id, tenant_id: port.project_id });
const profileOf = (values: Values): string => profileJson(isSet(values.profile) ? (values.profile as object) : {});

export function createBinding(app: NeutronApp, ctx: Context, values: Values, params: Params): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const port = await load(tx, ctx, params);
    authorizeAction(app.policy, ctx, 'create_port_binding', target(port));
    const host = String(values.host);
    if (port.binding_host === host || (await bindingsOfPort(tx, port.id)).some((binding) => binding.host === host)) throw bindingExists(port.id, host);
    const binding = { host, vnic_type: String(values.vnic_type), vif_type: await vifTypeAt(app, tx, port, host), profile_json: profileOf(values) };
    if (binding.vif_type !== 'tap') throw bindingFailed(port.id, host);
    if (port.binding_host === '') return activate(app, tx, ctx, port, binding);
    await insertBinding(tx, { port_id: port.id, ...binding });
    return view(port, binding, 'INACTIVE');
  });
}

export function updateBindingOf(app: NeutronApp, ctx: Context, host: string, values: Values, params: Params): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const port = await load(tx, ctx, params);
    authorizeAction(app.policy, ctx, 'create_port_binding', target(port));
    const all = await allOf(tx, port);
    find(all, port, host);
    const next = 'host' in values ? String(values.host) : host;
    if (next !== host && all.some(({ view: shown }) => shown.host === next)) throw bindingExists(port.id, next);
    if ((await vifTypeAt(app, tx, port, next)) !== 'tap') throw bindingFailed(port.id, next);
    const columns: Partial<PortBindingRow> = {
      host: next,
      ...('vnic_type' in values && { vnic_type: String(values.vnic_type) }),
      ...('profile' in values && { profile_json: profileOf(values) }),
    };
    const active = activeOf(port);
    if (active?.host === host) return activate(app, tx, ctx, port, { ...active, ...columns });
    const row = (await bindingsOfPort(tx, port.id)).find((binding) => binding.host === host);
    if (!row) throw bindingNotFound(port.id, host);
    await updateBinding(tx, port.id, host, columns);
    return view(port, { ...row, ...columns }, 'INACTIVE');
  });
}

export function activateBinding(app: NeutronApp, ctx: Context, host: string, params: Params): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const port = await load(tx, ctx, params);
    authorizeAction(app.policy, ctx, 'activate', target(port));
    if (port.binding_host === host) throw bindingActive(port.id, host);
    const next = (await bindingsOfPort(tx, port.id)).find((binding) => binding.host === host);
    if (!next) throw bindingNotFound(port.id, host);
    await deleteBinding(tx, port.id, host);
    const before = activeOf(port);
    if (before) await insertBinding(tx, { port_id: port.id, ...before });
    const { port_id: _port, ...binding } = next;
    return activate(app, tx, ctx, port, binding);
  });
}

/** Has a port at work where a binding says. */
async function activate(app: NeutronApp, tx: Tx, ctx: Context, port: PortRow, binding: Binding): Promise<Loaded> {
  const columns: Partial<PortRow> = {
    binding_host: binding.host,
    binding_vnic_type: binding.vnic_type,
    binding_profile_json: binding.profile_json,
    binding_vif_type: await vifTypeAt(app, tx, port, binding.host),
    status: 'DOWN',
    ...(port.coming_host === binding.host && { coming_host: '' }),
    ...changed(app, port),
  };
  const after = { ...port, ...columns };
  await updatePort(tx, port.id, columns);
  await followParent(app, tx, after);
  const [loaded] = await portViews(app, tx, [after]);
  if (loaded) await notify(app, tx, ctx, 'port', 'update', loaded);
  app.pusher.touch(tx, [portKey(port.id), networkKey(port.network_id)]);
  return view(after, { ...binding, vif_type: after.binding_vif_type }, 'ACTIVE');
}

/** Takes a binding away; the one that is at work leaves the port unbound. One that is not there is gone already. */
export function deleteBindingOf(app: NeutronApp, ctx: Context, host: string, params: Params): Promise<void> {
  return app.env.store.write(async (tx) => {
    const port = await load(tx, ctx, params);
    authorizeAction(app.policy, ctx, 'delete_port_binding', target(port));
    await deleteBinding(tx, port.id, host);
    if (port.binding_host === host)
      await activate(app, tx, ctx, port, { host: '', vnic_type: port.binding_vnic_type, vif_type: 'unbound', profile_json: '{}' });
  });
}
