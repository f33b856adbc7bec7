import type { Settings } from '../options.ts';
import { zoneNotFound } from '../errors.ts';
import type { NeutronApp } from './deps.ts';

/** The availability zone of a host's agents. */
export const zoneOf = (settings: Settings, host: string): string =>
  Object.entries(settings.availabilityZones).find(([, hosts]) => hosts.includes(host))?.[0] ?? settings.availabilityZone;

/** The zones that there are, by name: the one of all hosts that are in no other, and those that the configuration names. */
export const zonesOf = (settings: Settings): readonly string[] =>
  [...new Set([settings.availabilityZone, ...Object.keys(settings.availabilityZones)])].toSorted();

/** Throws AvailabilityZoneNotFound for the first hint that is no zone. */
export function requireZones({ settings }: Pick<NeutronApp, 'settings'>, hints: readonly string[]): void {
  const known = zonesOf(settings);
  const unknown = hints.find((zone) => !known.includes(zone));
  if (unknown !== undefined) throw zoneNotFound(unknown);
}
