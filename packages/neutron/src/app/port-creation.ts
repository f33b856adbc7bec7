import type { Context } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { toBit, toJson } from '@cairn/kit/store/values';
import { isSet, NOT_SPECIFIED, type NotSpecified } from '../attributes/attribute.ts';
import { addressPairNeedsPortSecurity, invalidInput, macInUse } from '../errors.ts';
import { portKey } from '../fabric/keys.ts';
import { randomMac } from '../net/mac.ts';
import { type Allocation, insertAllocations } from '../store/ipam.ts';
import { insertPort, macIsUsed, updatePort } from '../store/ports.ts';
import { setGroupsOfPort } from '../store/security-groups.ts';
import { subnetsOfNetwork } from '../store/subnets.ts';
import type { NetworkRow, PortRow } from '../store/tables.ts';
import { indexTags } from '../store/tags.ts';
import { type Loaded, newRow, notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type FixedIpRequest, takeAddresses } from './port-addresses.ts';
import { groupsOfNewPort, portSecurityOf } from './port-security.ts';
import { portView } from './port-view.ts';
import { chosenPolicy } from './qos-policies.ts';
import { resourceRequests } from './resource-requests.ts';
import { segmentIdAt, vifTypeAt } from './subnet-segments.ts';

export interface AddressPair {
  readonly ip_address: string;
  readonly mac_address?: string;
}

export interface DhcpOption {
  readonly opt_name: string;
  readonly opt_value: string | null;
  readonly ip_version?: number;
}

/** A port that is to be made, whoever asked for it. What is absent takes its default. */
export interface NewPort {
  readonly id?: string;
  readonly projectId: string;
  readonly name?: string;
  readonly description?: string;
  readonly adminUp?: boolean;
  readonly status?: string;
  readonly mac?: string | null | NotSpecified;
  readonly fixedIps?: readonly FixedIpRequest[] | NotSpecified;
  readonly deviceId?: string;
  readonly deviceOwner?: string;
  readonly securityGroups?: readonly string[] | NotSpecified;
  readonly portSecurity?: boolean | NotSpecified;
  readonly addressPairs?: readonly AddressPair[] | NotSpecified;
  readonly dhcpOptions?: readonly DhcpOption[] | null;
  readonly dnsName?: string;
  readonly dnsDomain?: string;
  readonly propagateUplink?: boolean;
  readonly trusted?: boolean | NotSpecified;
  readonly host?: string;
  readonly vnicType?: string;
  readonly profile?: object;
  readonly tags?: readonly string[];
  readonly qosPolicyId?: string | null;
}

export interface MadePort {
  readonly row: PortRow;
  readonly addresses: readonly Allocation[];
  readonly loaded: Loaded;
}

const PROFILE_LENGTH = 4095;
const MAC_TRIES = 16;

/** Writes a new port with its addresses, groups and notification. Rules of the API (policy, quota) are the caller's. */
export async function makePort(app: NeutronApp, tx: Tx, ctx: Context, network: NetworkRow, port: NewPort): Promise<MadePort> {
  const deviceOwner = port.deviceOwner ?? '';
  const portSecurity = portSecurityOf(network, deviceOwner, port.portSecurity);
  const pairs = isSet(port.addressPairs) ? port.addressPairs : [];
  if (pairs.length > 0 && !portSecurity) throw addressPairNeedsPortSecurity();
  const groupIds = await groupsOfNewPort(app, tx, ctx, { projectId: port.projectId, deviceOwner, portSecurity }, port.securityGroups ?? NOT_SPECIFIED);
  const host = port.host ?? '';
  const fixedIps = isSet(port.fixedIps) ? port.fixedIps : undefined;
  const row: PortRow = {
    ...newRow(app, { project_id: port.projectId, description: port.description ?? '' }, port.id),
    name: port.name ?? '',
    network_id: network.id,
    network_project_id: network.project_id,
    mac_address: '',
    admin_state_up: toBit(port.adminUp ?? true),
    status: port.status ?? 'DOWN',
    device_id: port.deviceId ?? '',
    device_owner: deviceOwner,
    ip_allocation: fixedIps?.length === 0 ? 'none' : 'immediate',
    port_security_enabled: toBit(portSecurity),
    dns_name: port.dnsName ?? '',
    dns_domain: port.dnsDomain ?? '',
    propagate_uplink_status: toBit(port.propagateUplink ?? true),
    trusted: isSet(port.trusted) ? toBit(port.trusted) : null,
    binding_host: host,
    coming_host: '',
    binding_vnic_type: port.vnicType ?? 'normal',
    binding_vif_type: await vifTypeAt(app, tx, { network_id: network.id, device_owner: deviceOwner }, host),
    binding_profile_json: profileJson(port.profile ?? {}),
    allowed_address_pairs_json: '[]',
    extra_dhcp_opts_json: toJson(newDhcpOptions(port.dhcpOptions ?? [])),
    tags_json: toJson(port.tags ?? []),
    qos_policy_id: isSet(port.qosPolicyId) ? await chosenPolicy(tx, ctx, port.qosPolicyId, null) : null,
    network_qos_policy_id: network.qos_policy_id,
    trunk_id: null,
  };
  await insertWithMac(app, tx, row, isSet(port.mac) ? port.mac : undefined, pairs);
  const addresses = await takeAddresses(
    tx,
    { portId: row.id, networkId: network.id, deviceOwner, mac: row.mac_address, host, segment: () => segmentIdAt(app, tx, network.id, host) },
    fixedIps,
  );
  if (addresses.length === 0 && fixedIps === undefined && (await subnetsOfNetwork(tx, network.id)).length > 0) {
    row.ip_allocation = 'deferred';
    await updatePort(tx, row.id, { ip_allocation: 'deferred' });
  }
  await insertAllocations(tx, row.id, addresses);
  await setGroupsOfPort(tx, row.id, groupIds, true);
  await indexTags(tx, 'ports', row.id, port.tags ?? []);
  const view = portView(
    app,
    row,
    addresses.map((a) => ({ subnet_id: a.subnetId, ip_address: a.ipAddress })),
    groupIds,
  );
  view.resource_request = (await resourceRequests(tx, [row])).get(row.id) ?? null;
  const loaded = { view, parentProjectId: network.project_id };
  await notify(app, tx, ctx, 'port', 'create', loaded);
  app.pusher.touch(tx, [portKey(row.id)]);
  return { row, addresses, loaded };
}

async function insertWithMac(app: NeutronApp, tx: Tx, row: PortRow, mac: string | undefined, pairs: readonly AddressPair[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    row.mac_address = mac ?? randomMac(app.env.ids);
    row.allowed_address_pairs_json = pairsJson(pairs, row.mac_address);
    if (await insertPort(tx, row)) return;
    if (mac !== undefined || attempt >= MAC_TRIES) throw macInUse(row.network_id, row.mac_address);
    // by chance another's MAC, or (for an id that came from outside) a port that is there already
    if (!(await macIsUsed(tx, row.network_id, row.mac_address))) throw invalidInput(`A port with ID ${row.id} exists already`);
  }
}

/** A pair without a MAC has the port's own. */
export const pairsJson = (pairs: readonly AddressPair[], mac: string): string =>
  toJson(pairs.map((pair) => ({ mac_address: pair.mac_address ?? mac, ip_address: pair.ip_address })));

export function profileJson(profile: object): string {
  const json = toJson(profile);
  if (json.length > PROFILE_LENGTH) throw invalidInput('binding:profile value too large');
  return json;
}

/** Options may be blank only where that means something. */
export const isValidOption = (name: string, value: string | null): boolean =>
  name === 'router' || name === 'classless-static-route' ? value !== null : Boolean(value);

const newDhcpOptions = (options: readonly DhcpOption[]): object[] =>
  options
    .filter((option) => isValidOption(option.opt_name, option.opt_value))
    .map((option) => ({ opt_name: option.opt_name, opt_value: option.opt_value, ip_version: option.ip_version ?? 4 }));
