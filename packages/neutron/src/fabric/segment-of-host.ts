import type { Settings } from '../options.ts';
import type { SegmentRow } from '../store/tables.ts';

/** May a host reach a physical network? Those that the configuration places nowhere are everywhere. */
export function reaches(settings: Settings, physicalNetwork: string, host: string): boolean {
  const hosts = settings.physicalNetworks[physicalNetwork]?.hosts;
  return physicalNetwork === '' || hosts === undefined || hosts.includes(host);
}

/** The segment of a network that a host sees: the first that it reaches (upstream's drivers bind in this order too). */
export function segmentAt<S extends Pick<SegmentRow, 'physical_network'>>(settings: Settings, segments: readonly S[], host: string): S | undefined {
  return segments.find((segment) => reaches(settings, segment.physical_network, host));
}

/** The hosts that reach a segment; undefined: all. */
export const hostsOfSegment = (settings: Settings, segment: Pick<SegmentRow, 'physical_network'>): readonly string[] | undefined =>
  segment.physical_network === '' ? undefined : settings.physicalNetworks[segment.physical_network]?.hosts;
