import type { Db } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { noValidHost } from './explain.ts';
import type { NetworkPlaces } from './request.ts';

/** An interface that a server has or is to have; `portId` where its port is there. */
export interface WantedNic {
  readonly networkId: string;
  readonly portId?: string;
}

/**
 * Where the networks of these interfaces let a server go: to hosts that have their physical networks, and for routed ones to the aggregates that
 * placement knows their segments to be in (`query_placement_for_routed_network_aggregates`). Throws NoCapacity for a segment in no aggregate.
 */
export async function networkPlaces(deps: NovaDeps, db: Db, nics: readonly WantedNic[]): Promise<NetworkPlaces> {
  const { neutron, placement } = deps.faces;
  if (nics.length === 0) return { hosts: undefined, aggregates: [] };
  const hosts = await neutron.hostsReaching(db, [...new Set(nics.map((nic) => nic.networkId))]);
  if (!deps.options.scheduler.routedNetworks) return { hosts, aggregates: [] };
  const asked = (await neutron.segmentsAsked(db, nics)).filter((segments) => segments.length > 0);
  const aggregates = await Promise.all(
    asked.map(async (segments) => {
      const members = await Promise.all(segments.map((id) => placement.aggregatesOf(db, id)));
      const lost = segments.find((_, i) => members[i]?.length === 0);
      if (lost !== undefined)
        throw noValidHost(undefined, [{ name: 'routed_networks_filter', before: 0, after: 0, words: `placement knows no aggregate of the segment ${lost}` }]);
      return members.flat();
    }),
  );
  return { hosts, aggregates };
}
