import { isSet, NOT_SPECIFIED } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { duplicateSegments, flatInUse, invalidInput, segmentsAndProvider, tunnelInUse, vlanInUse } from '../errors.ts';
import type { Settings } from '../options.ts';

/** How a network is carried. */
export interface Segment {
  readonly network_type: string;
  /** Empty where the type has none. */
  readonly physical_network: string;
  /** 0 where the type has none. */
  readonly segmentation_id: number;
}

export const MAX_TUNNEL_ID = 0xffffff;

const TUNNELS: Readonly<Record<string, { readonly maxId: number; readonly overheadBytes: number }>> = {
  geneve: { maxId: MAX_TUNNEL_ID, overheadBytes: 58 },
  vxlan: { maxId: MAX_TUNNEL_ID, overheadBytes: 50 },
};

export const isTunnel = (networkType: string): boolean => Object.hasOwn(TUNNELS, networkType);

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
  // clients that leave a field empty mean what those mean that leave it out
  const [hasPhysical, hasId] = [isSet(physical) && physical !== '', isSet(id) && id !== 0];
  if (!isSet(type)) {
    if (isSet(physical) || isSet(id)) throw invalidInput('network_type required');
    return undefined;
  }
  const network_type = String(type);
  const physical_network = isSet(physical) ? String(physical) : '';
  const segmentation_id = isSet(id) ? Number(id) : 0;
  if (network_type === 'flat') checkFlat(settings, physical_network, hasId);
  else if (network_type === 'vlan') checkVlan(settings, physical_network, isSet(id) ? segmentation_id : undefined);
  else if (network_type === 'local') {
    if (hasPhysical) throw invalidInput('physical_network prohibited for local provider network');
    if (hasId) throw invalidInput('segmentation_id prohibited for local provider network');
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
  } else if (id !== undefined) throw invalidInput('segmentation_id requires physical_network for VLAN provider network');
}

export function segmentInUse(segment: Segment): Error {
  if (segment.network_type === 'flat') return flatInUse(segment.physical_network);
  if (segment.network_type === 'vlan') return vlanInUse(segment.segmentation_id, segment.physical_network);
  return tunnelInUse(segment.segmentation_id);
}

/** What an admin asked of `segments`; undefined where nothing was asked (ml2/managers.py _process_provider_create). */
export function requestedSegments(settings: Settings, values: Values): readonly (Segment | undefined)[] {
  const given = values.segments;
  if (!isSet(given)) return [requestedSegment(settings, values)];
  if (PROVIDER.some((name) => isSet(values[name]))) throw segmentsAndProvider();
  const asked = (given as readonly Values[]).map((each) => {
    const segment = requestedSegment(settings, { ...each, 'provider:segmentation_id': each['provider:segmentation_id'] || NOT_SPECIFIED });
    if (!segment) throw invalidInput('network_type required');
    return segment;
  });
  const whole = asked.filter((each) => each.segmentation_id !== 0 || each.network_type === 'flat').map((each) => JSON.stringify(each));
  if (new Set(whole).size < whole.length) throw duplicateSegments();
  return asked.length > 0 ? asked : [undefined];
}

const PROVIDER = ['provider:network_type', 'provider:physical_network', 'provider:segmentation_id'];
