import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { toBit, toJson } from '@cairn/kit/store/values';
import { authorizeChange } from '../attributes/authorize.ts';
import type { Values } from '../attributes/resource.ts';
import {
  defaultExternalNetworkExists,
  externalNetworkInUse,
  invalidInput,
  invalidSharedSetting,
  mtuConflict,
  networkInUse,
  networkNotFound,
} from '../errors.ts';
import { networkKey } from '../fabric/keys.ts';
import type { ListInput } from '../listing/query.ts';
import { NETWORK } from '../resources/network.ts';
import { deleteRowsOf } from '../store/rows.ts';
import { deleteNetworkRow, findDefaultExternal, insertNetwork, networkLists, networkPages, updateNetwork } from '../store/networks.ts';
import { anyPortOf, projectsOnNetwork, portsBlockingNetwork } from '../store/ports.ts';
import { EXTERNAL, insertRbac, removeRbac, removeRbacOf, SHARED, targetsOf } from '../store/rbac.ts';
import { segmentsOfNetworks } from '../store/segments.ts';
import { selectOne, selectPage } from '../store/select.ts';
import { subnetsOfNetwork } from '../store/subnets.ts';
import type { NetworkRow } from '../store/tables.ts';
import { dropTags } from '../store/tags.ts';
import { authorizeDelete, authorizeUpdate, changed, checkRevision, type Loaded, newRow, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { requireZones } from './zones.ts';
import { removeDisassociatedFloatingIps } from './floatingips.ts';
import { listedNetworks, networkView, networkViews } from './network-view.ts';
import { removeAutoPorts } from './port-removal.ts';
import { applyNetworkPolicy, chosenPolicy, defaultPolicies } from './qos-policies.ts';
import { checkQuotas } from './quota.ts';
import { ensureDefaultGroup } from './security-groups.ts';
import { makeSegments, mirrorOf, mtuOfSegments, removeSegmentsOf } from './network-segments.ts';
import { requestedSegments, type Segment } from './segments.ts';
import { removeSubnetRow } from './subnet-removal.ts';

const MIN_MTU_V4 = 68;
const MIN_MTU_V6 = 1280;

export async function createNetworks(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  const asked = items.map((values) => {
    authorizeChange(app.policy, ctx, NETWORK, 'create', values, values);
    requireZones(app, values.availability_zone_hints as readonly string[]);
    return requestedSegments(app.settings, values);
  });
  return app.env.store.write(async (tx) => {
    const projects = items.map((values) => String(values.project_id));
    for (const projectId of new Set(projects)) await ensureDefaultGroup(app, tx, ctx, projectId);
    await checkQuotas(app, tx, 'network', projects);
    const made: Loaded[] = [];
    const defaults = await defaultPolicies(tx, new Set(items.flatMap((values) => (values.qos_policy_id === null ? [String(values.project_id)] : []))));
    for (const [i, values] of items.entries()) {
      const policyId = values.qos_policy_id === null ? (defaults.get(String(values.project_id)) ?? null) : String(values.qos_policy_id);
      made.push(await createNetwork(app, tx, ctx, { ...values, qos_policy_id: policyId }, asked[i] ?? [undefined]));
    }
    return made;
  });
}

async function createNetwork(app: NeutronApp, tx: Tx, ctx: Context, values: Values, asked: readonly (Segment | undefined)[]): Promise<Loaded> {
  const external = values['router:external'] === true;
  const row: NetworkRow = {
    ...newRow(app, values),
    name: String(values.name),
    admin_state_up: toBit(values.admin_state_up === true),
    status: 'ACTIVE',
    mtu: 0,
    external: toBit(external),
    is_default: toBit(external && values.is_default === true),
    port_security_enabled: toBit(values.port_security_enabled === true),
    dns_domain: String(values.dns_domain),
    network_type: '',
    physical_network: '',
    segmentation_id: 0,
    segment_count: 1,
    az_hints_json: toJson(values.availability_zone_hints),
    tags_json: '[]',
    dhcp_away: 0,
    qos_policy_id: values.qos_policy_id === null ? null : await chosenPolicy(tx, ctx, String(values.qos_policy_id), null),
  };
  if (row.is_default === 1) await requireOneDefault(tx, row.id);
  const segments = await makeSegments(app, tx, row, asked);
  Object.assign(row, mirrorOf(segments), { mtu: checkedMtu(mtuOfSegments(app, segments), Number(values.mtu)) });
  await insertNetwork(tx, row);
  if (values.shared === true) await share(app, tx, row, SHARED);
  if (external) await share(app, tx, row, EXTERNAL);
  const loaded = { view: networkView(app, row, [], values.shared === true, undefined, segments) };
  await notify(app, tx, ctx, 'network', 'create', loaded);
  return loaded;
}

function checkedMtu(greatest: number, mtu: number): number {
  if (mtu > greatest) throw invalidInput(`Requested MTU is too big, maximum is ${greatest}`);
  return mtu || greatest;
}

const share = (app: NeutronApp, tx: Tx, row: NetworkRow, action: string) =>
  insertRbac(tx, { id: app.env.ids.uuid(), project_id: row.project_id, object_type: 'network', object_id: row.id, action, target_project: '*' });

async function requireOneDefault(tx: Tx, networkId: string): Promise<void> {
  const other = await findDefaultExternal(tx);
  if (other && other.id !== networkId) throw defaultExternalNetworkExists(other.id);
}

export async function listNetworks(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  return listedNetworks(app, db, await selectPage(db, networkPages, input, scopeOf(ctx)), ctx.projectId);
}

export async function getNetwork(app: NeutronApp, ctx: Context, id: string): Promise<Loaded> {
  return (await loadNetwork(app, app.env.store.read, ctx, id)).loaded;
}

/** A network that the caller may see. */
export async function loadNetwork(app: NeutronApp, db: Db, ctx: Context, id: string): Promise<{ row: NetworkRow; loaded: Loaded }> {
  const row = await selectOne<NetworkRow>(db, networkLists, id, scopeOf(ctx));
  if (!row) throw networkNotFound(id);
  const [view] = await networkViews(app, db, [row], ctx.projectId);
  return { row, loaded: { view: view as Record<string, unknown> } };
}

export function updateNetworkById(app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadNetwork(app, tx, ctx, id);
    authorizeUpdate(app, ctx, NETWORK, loaded, values);
    checkRevision(row, ifMatch);
    checkProviderUpdate(row, values);
    if ('shared' in values) await updateShared(app, tx, row, values.shared === true);
    if ('router:external' in values) await updateExternal(app, tx, ctx, row, values['router:external'] === true);
    const external = 'router:external' in values ? values['router:external'] === true : row.external === 1;
    const isDefault = external && ('is_default' in values ? values.is_default === true : row.is_default === 1);
    if (isDefault) await requireOneDefault(tx, id);
    if ('mtu' in values) await checkMtuChange(tx, id, Number(values.mtu));
    const policyId = 'qos_policy_id' in values ? await chosenPolicy(tx, ctx, values.qos_policy_id as string | null, row.qos_policy_id) : row.qos_policy_id;
    if (policyId !== row.qos_policy_id) await applyNetworkPolicy(app, tx, id, policyId);
    await updateNetwork(tx, id, {
      ...changed(app, row),
      qos_policy_id: policyId,
      external: toBit(external),
      is_default: toBit(isDefault),
      ...('name' in values && { name: String(values.name) }),
      ...('description' in values && { description: String(values.description) }),
      ...('admin_state_up' in values && { admin_state_up: toBit(values.admin_state_up === true) }),
      ...('mtu' in values && { mtu: checkedMtu(mtuOfSegments(app, await segmentsOfNetworks(tx, [id])), Number(values.mtu)) }),
      ...('port_security_enabled' in values && { port_security_enabled: toBit(values.port_security_enabled === true) }),
      ...('dns_domain' in values && { dns_domain: String(values.dns_domain) }),
    });
    const after = await loadNetwork(app, tx, ctx, id);
    await notify(app, tx, ctx, 'network', 'update', after.loaded);
    app.pusher.touch(tx, [networkKey(id)]);
    return after.loaded;
  });
}

function checkProviderUpdate(row: NetworkRow, values: Values): void {
  const now: Values = {
    'provider:network_type': row.network_type,
    'provider:physical_network': row.physical_network,
    'provider:segmentation_id': row.segmentation_id,
  };
  const asked = Object.keys(now).filter((attribute) => attribute in values && values[attribute] !== now[attribute]);
  if (asked.length > 0) throw invalidInput(`Plugin does not support updating the following provider network attributes: ${asked.join(', ')}`);
}

async function updateShared(app: NeutronApp, tx: Tx, row: NetworkRow, shared: boolean): Promise<void> {
  const targets = await targetsOf(tx, row.id, SHARED);
  if (shared === targets.includes('*')) return;
  if (shared) {
    await share(app, tx, row, SHARED);
    return;
  }
  const others = (await projectsOnNetwork(tx, row.id)).filter((project) => project !== row.project_id && !targets.includes(project));
  if (others.length > 0) throw invalidSharedSetting(row.name);
  await removeRbac(tx, row.id, SHARED, '*');
}

async function updateExternal(app: NeutronApp, tx: Tx, ctx: Context, row: NetworkRow, external: boolean): Promise<void> {
  if (external === (row.external === 1)) return;
  if (external) {
    await share(app, tx, row, EXTERNAL);
    return;
  }
  if (await anyPortOf(tx, row.id, 'network:router_gateway')) throw externalNetworkInUse(row.id);
  await removeDisassociatedFloatingIps(app, tx, ctx, row.id);
  await removeRbac(tx, row.id, EXTERNAL);
}

async function checkMtuChange(tx: Tx, id: string, mtu: number): Promise<void> {
  if (mtu === 0 || mtu >= MIN_MTU_V6) return;
  const subnets = await subnetsOfNetwork(tx, id);
  if (subnets.length === 0) return;
  if (mtu < MIN_MTU_V4) throw mtuConflict(id, MIN_MTU_V4);
  if (subnets.some((subnet) => subnet.ip_version === 6)) throw mtuConflict(id, MIN_MTU_V6);
}

export function deleteNetworkById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadNetwork(app, tx, ctx, id);
    authorizeDelete(app, ctx, NETWORK, loaded);
    checkRevision(row, ifMatch);
    if (row.external === 1) await removeDisassociatedFloatingIps(app, tx, ctx, id);
    const blocking = await portsBlockingNetwork(tx, id);
    if (blocking.length > 0) throw networkInUse(id, blocking);
    await removeAutoPorts(app, tx, ctx, id);
    for (const subnet of await subnetsOfNetwork(tx, id)) await removeSubnetRow(app, tx, ctx, subnet);
    await removeSegmentsOf(tx, id);
    await deleteRowsOf(tx, 'neutron_dhcp_host', 'network_id', id);
    await deleteNetworkRow(tx, id);
    await removeRbacOf(tx, id);
    if (row.tags_json !== '[]') await dropTags(tx, id);
    await notify(app, tx, ctx, 'network', 'delete', loaded);
    app.pusher.touch(tx, [networkKey(id)]);
  });
}
