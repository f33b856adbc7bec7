import type { Ids } from '@cairn/kit/ids/ids';
import { isSet } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { flatInUse, invalidInput, tunnelInUse, vlanInUse } from '../errors.ts';
import type { Settings } from '../options.ts';

/** How a network is carried. */
export interface Segment {
  readonly network_type: string;
  /** Empty where the type has none. */
  readonly physical_network: string;
  /** 0 where the type has none. */
  readonly segmentation_id: number;
}

const TUNNELS: Readonly<Record<string, { readonly maxId: number; readonly overheadBytes: number }>> = {
  geneve: { maxId: 0xffffff, overheadBytes: 58 },
  vxlan: { maxId: 0xffffff, overheadBytes: 50 },
};

/** The greatest packet that a segment carries, in bytes. */
export const mtuOf = (settings: Settings, networkType: string): number => settings.physicalMtu - (TUNNELS[networkType]?.overheadBytes ?? 0);

/**
 * What an admin asked of `provider:*`; undefined where nothing was asked. A field of 0 or '' is to be chosen by us.
 * Messages are those of neutron/plugins/ml2/drivers/type_*.py.
 */
export function requestedSegment(settings: Settings, values: Values): Segment | undefined {
  const type = values['provider:network_type'];
  const physical = values['provider:physical_network'];
  const id = values['provider:segmentation_id'];
  if (!isSet(type)) {
    if (isSet(physical) || isSet(id)) throw invalidInput('network_type required');
    return undefined;
  }
  const network_type = String(type);
  const physical_network = isSet(physical) ? String(physical) : '';
  const segmentation_id = isSet(id) ? Number(id) : 0;
  if (network_type === 'flat') checkFlat(settings, physical_network, isSet(id));
  else if (network_type === 'vlan') checkVlan(settings, physical_network, isSet(id) ? segmentation_id : undefined);
  else if (network_type === 'local') {
    if (isSet(physical)) throw invalidInput('physical_network prohibited for local provider network');
    if (isSet(id)) throw invalidInput('segmentation_id prohibited for local provider network');
  } else if (TUNNELS[network_type]) {
    if (physical_network !== '') throw invalidInput(`provider:physical_network specified for ${network_type} network`);
    if (isSet(id) && (segmentation_id < 1 || segmentation_id > (TUNNELS[network_type]?.maxId ?? 0))) {
      throw invalidInput(`segmentation_id out of range (1 through ${TUNNELS[network_type]?.maxId})`);
    }
  } else throw invalidInput(`network_type value '${network_type}' not supported`);
  return { network_type, physical_network, segmentation_id };
}

function checkFlat(settings: Settings, physical: string, hasId: boolean): void {
  if (physical === '') throw invalidInput('physical_network required for flat provider network');
  if (!Object.hasOwn(settings.physicalNetworks, physical)) throw invalidInput(`physical_network '${physical}' unknown for flat provider network`);
  if (hasId) throw invalidInput('segmentation_id prohibited for flat provider network');
}

function checkVlan(settings: Settings, physical: string, id: number | undefined): void {
  if (physical !== '') {
    if (!Object.hasOwn(settings.physicalNetworks, physical)) throw invalidInput(`physical_network '${physical}' unknown for VLAN provider network`);
    if (id !== undefined && (id < 1 || id > 4094)) throw invalidInput('segmentation_id out of range (1 through 4094)');
    if (id === undefined && !settings.physicalNetworks[physical]?.vlans) {
      throw invalidInput(`Physical network ${physical} requires segmentation_id to be specified when creating a provider network`);
    }
  } else if (id !== undefined) throw invalidInput('segmentation_id requires physical_network for VLAN provider network');
}

/** A segment with all that is left open chosen by chance. Taken ones are found out by the database; then ask again. */
export function chooseSegment(settings: Settings, ids: Ids, asked: Segment | undefined): Segment {
  const type = asked?.network_type ?? settings.tenantNetworkType;
  const tunnel = TUNNELS[type];
  if (tunnel) {
    const id = asked?.segmentation_id || 1 + (ids.bytes(4).readUInt32BE(0) % tunnel.maxId);
    return { network_type: type, physical_network: '', segmentation_id: id };
  }
  if (type !== 'vlan') return { network_type: type, physical_network: asked?.physical_network ?? '', segmentation_id: 0 };
  const physical = asked?.physical_network || Object.keys(settings.physicalNetworks).find((name) => settings.physicalNetworks[name]?.vlans) || '';
  const [first, last] = settings.physicalNetworks[physical]?.vlans ?? [1, 4094];
  return {
    network_type: type,
    physical_network: physical,
    segmentation_id: asked?.segmentation_id || first + (ids.bytes(4).readUInt32BE(0) % (last - first + 1)),
  };
}

/** May a taken segment be replaced by another choice? */
export const isOpen = (asked: Segment | undefined): boolean => asked === undefined || (asked.segmentation_id === 0 && asked.network_type !== 'flat');

export function segmentInUse(segment: Segment): Error {
  if (segment.network_type === 'flat') return flatInUse(segment.physical_network);
  if (segment.network_type === 'vlan') return vlanInUse(segment.segmentation_id, segment.physical_network);
  return tunnelInUse(segment.segmentation_id);
}
