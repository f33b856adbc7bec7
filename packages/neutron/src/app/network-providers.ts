import type { NetworkProvider } from '../face.ts';
import { uuid5Of } from '../net/uuid5.ts';
import type { Settings } from '../options.ts';
import { BANDWIDTH, PACKETS, traitText } from './resource-requests.ts';

const NAMESPACE = '87ee7d5c-73bb-11e8-9008-c4d987b2a692';
const AGENT = 'Open vSwitch agent';
const VNIC = `CUSTOM_VNIC_TYPE_${traitText('normal')}`;

/**
 * What a host's network offers in placement: a provider of the agent, which forwards packets, and below it one for each physical network and for
 * the tunnels, which carry bits (neutron/agent/common/placement_report.py). Nothing where the operator says nothing.
 */
export function networkProviders(settings: Pick<Settings, 'bandwidths' | 'packetRates'>, host: string): readonly NetworkProvider[] {
  const rates = Object.entries(settings.packetRates).filter((entry): entry is [string, number] => (entry[1] ?? 0) > 0);
  const networks = Object.entries(settings.bandwidths);
  if (rates.length === 0 && networks.length === 0) return [];
  const agent: NetworkProvider = {
    id: uuid5Of(NAMESPACE, host),
    name: `${host}:${AGENT}`,
    parentId: undefined,
    inventories: Object.fromEntries(rates.map(([direction, total]) => [PACKETS[direction] as string, { total }])),
    traits: [VNIC],
  };
  const devices = networks.map(([physicalNetwork, { egressKbps, ingressKbps }]): NetworkProvider => {
    const amounts = Object.entries({ egress: egressKbps, ingress: ingressKbps }).filter(([, total]) => total > 0);
    const device = physicalNetwork === '' ? 'rp_tunnelled' : physicalNetwork;
    return {
      id: uuid5Of(NAMESPACE, `${host}:${device}`),
      name: `${agent.name}:${device}`,
      parentId: agent.id,
      inventories: Object.fromEntries(amounts.map(([direction, total]) => [BANDWIDTH[direction] as string, { total }])),
      traits: [physicalNetwork === '' ? 'CUSTOM_NETWORK_TUNNEL_PROVIDER' : `CUSTOM_PHYSNET_${traitText(physicalNetwork)}`, VNIC],
    };
  });
  return [agent, ...devices];
}
