import type { Context } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { fromJson, toBit, toJson } from '@cairn/kit/store/values';
import { isSet } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import {
  addressPairNeedsPortSecurity,
  badRequest,
  groupsNeedPortSecurity,
  macInUse,
  portBound,
  portInUse,
  portSecurityHasGroups,
  unsupportedPortDeviceOwner,
} from '../errors.ts';
import { networkKey, portKey, routerKey } from '../fabric/keys.ts';
import { canonicalIp } from '../net/ip.ts';
import { randomMac } from '../net/mac.ts';
import { PORT } from '../resources/port.ts';
import { floatingIpsOfPorts } from '../store/floatingips.ts';
import { allocationsOfPorts, insertAllocations } from '../store/ipam.ts';
import { macIsUsed, ROUTER_INTERFACE_OWNERS, updatePort } from '../store/ports.ts';
import { sharedAmong } from '../store/rbac.ts';
import { groupsOfPorts, setGroupsOfPort } from '../store/security-groups.ts';
import type { IpAllocationRow, PortRow } from '../store/tables.ts';
import { authorizeUpdate, changed, checkRevision, type Loaded, notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type AddressPair, type DhcpOption, isValidOption, pairsJson, profileJson } from './port-creation.ts';
import { type FixedIpRequest, planAddressChange, takePlanned, type Wanted } from './port-addresses.ts';
import { dropForwardings } from './port-forwardings.ts';
import { returnAddresses } from './port-removal.ts';
import { followParent } from './trunk-ports.ts';
import { isTrusted, requireGroups } from './port-security.ts';
import { loadPort, requireOwnDevice } from './ports.ts';
import { settleOnHost, vifTypeAt } from './subnet-segments.ts';
import { chosenPolicy } from './qos-policies.ts';

export function updatePortById(app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadPort(app, tx, ctx, id);
    const shared = 'fixed_ips' in values && (await sharedAmong(tx, [row.network_id], row.project_id)).has(row.network_id);
    authorizeUpdate(app, ctx, PORT, { ...loaded, view: { ...loaded.view, shared } }, values);
    checkRevision(row, ifMatch);
    await changePort(app, tx, ctx, row, values);
    const after = await loadPort(app, tx, ctx, id);
    await notify(app, tx, ctx, 'port', 'update', after.loaded);
    return after.loaded;
  });
}

/** Changes a port as `values` (attributes of the API) say. Used by routers and floating IPs too. */
export async function changePort(app: NeutronApp, tx: Tx, ctx: Context, row: PortRow, values: Values): Promise<void> {
  await checkDevice(tx, ctx, row, values);
  checkVnicType(row, values);
  const mac = await newMac(app, tx, row, values);
  if ('fixed_ips' in values || mac !== undefined) await changeAddresses(app, tx, row, values, mac);
  const security = await changeSecurity(tx, ctx, row, values);
  const binding = await newBinding(app, tx, row, values);
  const policyId = 'qos_policy_id' in values ? await chosenPolicy(tx, ctx, values.qos_policy_id as string | null, row.qos_policy_id) : row.qos_policy_id;
  await updatePort(tx, row.id, {
    ...changed(app, row),
    ...('name' in values && { name: String(values.name) }),
    ...('description' in values && { description: String(values.description) }),
    ...('admin_state_up' in values && { admin_state_up: toBit(values.admin_state_up === true), ...(values.admin_state_up !== true && { status: 'DOWN' }) }),
    ...('device_id' in values && { device_id: String(values.device_id) }),
    ...('device_owner' in values && { device_owner: String(values.device_owner) }),
    ...('dns_name' in values && { dns_name: String(values.dns_name) }),
    ...('dns_domain' in values && { dns_domain: String(values.dns_domain) }),
    ...('trusted' in values && { trusted: toBit(values.trusted === true) }),
    ...('propagate_uplink_status' in values && { propagate_uplink_status: toBit(values.propagate_uplink_status === true) }),
    ...('extra_dhcp_opts' in values && { extra_dhcp_opts_json: toJson(mergedOptions(row, values.extra_dhcp_opts as readonly DhcpOption[] | null)) }),
    ...(mac !== undefined && { mac_address: mac }),
    qos_policy_id: policyId,
    ...security,
    ...binding,
  });
  if (binding.binding_host && binding.binding_host !== row.binding_host && !('fixed_ips' in values)) await settleOnHost(app, tx, row, binding.binding_host);
  if (row.trunk_id !== null && binding.binding_host !== undefined) await followParent(app, tx, { ...row, ...binding });
  const routers = row.device_id !== '' && isTrusted(row.device_owner) ? [routerKey(row.device_id)] : [];
  // who moves away may leave a host on which the network is no longer needed
  const left = row.binding_host !== '' && binding.binding_host !== undefined ? [networkKey(row.network_id)] : [];
  app.pusher.touch(tx, [portKey(row.id), ...left, ...routers]);
}

async function checkDevice(tx: Tx, ctx: Context, row: PortRow, values: Values): Promise<void> {
  const owner = String(values.device_owner || row.device_owner);
  const device = String(values.device_id || row.device_id);
  if ('device_owner' in values || (owner !== '' && values.device_id !== row.device_id)) await requireOwnDevice(tx, ctx, owner, device, row.project_id);
}

function checkVnicType(row: PortRow, values: Values): void {
  const type = values['binding:vnic_type'];
  if (type !== undefined && type !== row.binding_vnic_type && row.binding_vif_type !== 'unbound') throw portInUse(row.id, row.network_id, row.device_id);
}

/** The MAC that is to replace the port's; undefined where it stays. */
async function newMac(app: NeutronApp, tx: Tx, row: PortRow, values: Values): Promise<string | undefined> {
  if (!('mac_address' in values)) return undefined;
  const mac = (values.mac_address as string | null) ?? randomMac(app.env.ids);
  if (mac === row.mac_address) return undefined;
  const owner = String(values.device_owner || row.device_owner);
  if (isTrusted(owner)) throw unsupportedPortDeviceOwner('mac address update', owner, row.id);
  if (row.binding_vif_type === 'tap') throw portBound(row.id, row.binding_vif_type, row.mac_address, mac);
  if (await macIsUsed(tx, row.network_id, mac)) throw macInUse(row.network_id, mac);
  return mac;
}

async function changeAddresses(app: NeutronApp, tx: Tx, row: PortRow, values: Values, mac: string | undefined): Promise<void> {
  const current = await allocationsOfPorts(tx, [row.id]);
  const requested = (values.fixed_ips as readonly FixedIpRequest[] | undefined) ?? current.map((a) => ({ subnet_id: a.subnet_id, ip_address: a.ip_address }));
  if ('fixed_ips' in values) await keepFloatingAddress(tx, row, requested);
  const owner = {
    portId: row.id,
    networkId: row.network_id,
    deviceOwner: String(values.device_owner || row.device_owner),
    mac: mac ?? row.mac_address,
    host: row.binding_host,
  };
  const change = await planAddressChange(tx, owner, current, requested, mac !== undefined);
  if (ROUTER_INTERFACE_OWNERS.includes(row.device_owner) && row.device_id !== '' && touchesV4(change.remove, change.add)) {
    throw badRequest('ports', `IP updates for port ${row.id} are not allowed`);
  }
  if (change.remove.length > 0)
    await dropForwardings(
      app,
      tx,
      row.id,
      change.remove.map((allocation) => allocation.ip_address),
    );
  await returnAddresses(tx, change.remove);
  const added = await takePlanned(tx, owner, change.add);
  const firstPosition = Math.max(-1, ...change.keep.map((kept) => kept.position)) + 1;
  await insertAllocations(tx, row.id, added, firstPosition);
  if (change.remove.length + added.length > 0) {
    for (const routerId of await routersOfFloating(tx, row)) app.pusher.touch(tx, [routerKey(routerId)]);
  }
}

const touchesV4 = (remove: readonly IpAllocationRow[], add: readonly Wanted[]): boolean =>
  remove.some((row) => row.ip_key.length === 8) || add.some((wanted) => ('ip' in wanted ? wanted.subnet : wanted.anyOf[0])?.ip_version === 4);

/** The address that a floating IP leads to must stay. */
async function keepFloatingAddress(tx: Tx, row: PortRow, requested: readonly FixedIpRequest[]): Promise<void> {
  const fixed = (await floatingIpsOfPorts(tx, [row.id]))[0]?.fixed_ip_address;
  if (!fixed || requested.some((ip) => ip.ip_address !== undefined && canonicalIp(ip.ip_address) === fixed)) return;
  throw badRequest('port', `Cannot update the fixed_ips of the port ${row.id}, because its original fixed_ip has been associated to a floating ip`);
}

const routersOfFloating = async (tx: Tx, row: PortRow): Promise<string[]> =>
  (await floatingIpsOfPorts(tx, [row.id])).flatMap((fip) => (fip.router_id === null ? [] : [fip.router_id]));

/** Port security, address pairs and groups, which hang together (plugins/ml2/plugin.py _portsec_ext_port_update_processing). */
async function changeSecurity(tx: Tx, ctx: Context, row: PortRow, values: Values): Promise<Partial<PortRow>> {
  const pairs = values.allowed_address_pairs as readonly AddressPair[] | undefined;
  const asked = values.security_groups as readonly string[] | undefined;
  const portSecurity = 'port_security_enabled' in values ? values.port_security_enabled === true : row.port_security_enabled === 1;
  const before = asked !== undefined || !portSecurity ? (await groupsOfPorts(tx, [row.id])).map((group) => group.security_group_id) : [];
  if (!portSecurity) {
    if (pairs ? pairs.length > 0 : row.allowed_address_pairs_json !== '[]') throw addressPairNeedsPortSecurity();
    if (asked && asked.length > 0) throw groupsNeedPortSecurity();
    if (!asked && before.length > 0) throw portSecurityHasGroups();
  }
  const columns: Partial<PortRow> = {
    ...('port_security_enabled' in values && { port_security_enabled: toBit(portSecurity) }),
    ...(pairs && { allowed_address_pairs_json: pairsJson(pairs, row.mac_address) }),
  };
  const differs = asked && (asked.length !== before.length || asked.some((id) => !before.includes(id)));
  if (!differs) return columns;
  const groupIds = isTrusted(row.device_owner) ? [] : await requireGroups(tx, ctx, asked, row.project_id);
  await setGroupsOfPort(tx, row.id, groupIds, false);
  return columns;
}

/** A port that is told another host, card or profile is unplugged there and has to come up anew. */
async function newBinding(app: NeutronApp, tx: Tx, row: PortRow, values: Values): Promise<Partial<PortRow>> {
  const host = 'binding:host_id' in values ? (isSet(values['binding:host_id']) ? String(values['binding:host_id']) : '') : row.binding_host;
  const vnic = 'binding:vnic_type' in values ? String(values['binding:vnic_type']) : row.binding_vnic_type;
  const profile = 'binding:profile' in values ? profileJson((values['binding:profile'] as object | null) ?? {}) : row.binding_profile_json;
  if (host === row.binding_host && vnic === row.binding_vnic_type && profile === row.binding_profile_json) return {};
  return { binding_host: host, binding_vnic_type: vnic, binding_profile_json: profile, binding_vif_type: await vifTypeAt(app, tx, row, host), status: 'DOWN' };
}

/** Options are merged by name and IP version; a null value takes one away. */
function mergedOptions(row: PortRow, updates: readonly DhcpOption[] | null): object[] {
  const options = fromJson<{ opt_name: string; opt_value: string; ip_version: number }[]>(row.extra_dhcp_opts_json);
  for (const update of updates ?? []) {
    const version = update.ip_version ?? 4;
    const at = options.findIndex((option) => option.opt_name === update.opt_name && option.ip_version === version);
    const found = options[at];
    if (found && update.opt_value === null) options.splice(at, 1);
    else if (update.opt_value === null || !isValidOption(update.opt_name, update.opt_value)) continue;
    else if (found) found.opt_value = update.opt_value;
    else options.push({ opt_name: update.opt_name, opt_value: update.opt_value, ip_version: version });
  }
  return options;
}
