import type { Resources } from '@cairn/placement/face';
import { isVolumeBacked } from '../app/server-create.ts';
import type { BlockDeviceRow } from '../store/block-device.ts';
import type { StoredFlavor, StoredImage } from '../store/server.ts';

/** What a server asks of a host. */
export interface HostRequest {
  readonly serverId: string;
  readonly projectId: string;
  readonly resources: Resources;
  readonly requiredTraits: readonly string[];
  readonly forbiddenTraits: readonly string[];
  readonly zone: string | undefined;
  readonly host: string | undefined;
  readonly node: string | undefined;
  /** Hosts that will not do: where the server comes from. */
  readonly ignoreHosts?: readonly string[];
  readonly sameHost: readonly string[];
  readonly differentHost: readonly string[];
  readonly group: { readonly id: string; readonly policy: string; readonly maxPerHost: number } | undefined;
  readonly image: StoredImage;
  /** Hosts that keep volumes or snapshots of the server. */
  readonly volumeHosts: readonly string[];
}

/** Placement's amounts for a flavor; `resources:CLASS` extra specs override and add (0 takes a class out). */
export function resourcesOf(flavor: StoredFlavor, devices: readonly Pick<BlockDeviceRow, 'boot_index' | 'destination_type'>[]): Resources {
  const resources: Record<string, number> = {
    VCPU: flavor.vcpus,
    MEMORY_MB: flavor.memoryMb,
    DISK_GB: (isVolumeBacked(devices) ? 0 : flavor.rootGb) + flavor.ephemeralGb + Math.ceil(flavor.swapMb / 1024),
  };
  for (const [key, value] of Object.entries(flavor.extraSpecs)) {
    const name = /^resources:([A-Z][A-Z0-9_]*)$/.exec(key)?.[1];
    if (name !== undefined && /^\d+$/.test(value)) resources[name] = Number(value);
  }
  return Object.fromEntries(Object.entries(resources).filter(([, amount]) => amount > 0));
}

/** `trait:NAME=required|forbidden` of flavor and image (an image may only require). */
export function traitsOf(flavor: StoredFlavor, image: StoredImage): { readonly required: readonly string[]; readonly forbidden: readonly string[] } {
  const named = (specs: Readonly<Record<string, string>>, wanted: string): string[] =>
    Object.entries(specs).flatMap(([key, value]) => (key.startsWith('trait:') && value === wanted ? [key.slice('trait:'.length)] : []));
  return {
    required: [...new Set([...named(flavor.extraSpecs, 'required'), ...named(image.properties, 'required')])],
    forbidden: named(flavor.extraSpecs, 'forbidden'),
  };
}

/** The server ids of a hint that is one text or a list. */
export const idsOfHint = (hint: unknown): readonly string[] =>
  typeof hint === 'string' ? (hint === '' ? [] : [hint]) : Array.isArray(hint) ? hint.filter((id): id is string => typeof id === 'string') : [];
