import type { Resources } from '@cairn/placement/face';
import { isVolumeBacked } from '../app/server-create.ts';
import type { BlockDeviceRow } from '../store/block-device.ts';
import type { ServerRow, StoredFlavor, StoredImage } from '../store/server.ts';
import type { ServerGroupRow } from '../store/server-group.ts';
import type { PortGroups } from '../topology/port-room.ts';
import { type TopologyWish, topologyWish } from '../topology/wish.ts';

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
  /** Hosts in this network alone: the hints `build_near_host_ip` and `cidr`. */
  readonly near: { readonly ip: string; readonly prefixLength: number } | undefined;
  readonly group: { readonly id: string; readonly policy: string; readonly maxPerHost: number } | undefined;
  readonly flavor: StoredFlavor;
  readonly image: StoredImage;
  /** '' without one. */
  readonly imageId: string;
  /** What it asks of a host's NUMA nodes, processors and pages; undefined where it does not care. */
  readonly topology: TopologyWish | undefined;
  /** What its ports ask of a host's network; undefined where they ask for nothing. */
  readonly portGroups: PortGroups | undefined;
  /** Where its networks let it go. */
  readonly networks: NetworkPlaces;
  /** Hosts that keep volumes or snapshots of the server. */
  readonly volumeHosts: readonly string[];
}

/** What the networks of a server's interfaces leave of the hosts. */
export interface NetworkPlaces {
  /** The hosts that have the physical networks; undefined: all. */
  readonly hosts: readonly string[] | undefined;
  /** For each interface on a routed network, the aggregates of its segments: the host is to be in one of them. */
  readonly aggregates: readonly (readonly string[])[];
}

/** The part of a request that follows from what the server is; `flavor` is its own, or the one that it is to have. */
export function requestOfServer(
  row: Pick<ServerRow, 'id' | 'project_id' | 'image_id' | 'hints_json'>,
  parts: {
    readonly flavor: StoredFlavor;
    readonly image: StoredImage;
    readonly devices: readonly Pick<BlockDeviceRow, 'boot_index' | 'destination_type'>[];
    readonly group: ServerGroupRow | undefined;
  },
): Omit<HostRequest, 'zone' | 'host' | 'node' | 'ignoreHosts' | 'volumeHosts' | 'portGroups' | 'networks'> {
  const { flavor, image, devices, group } = parts;
  const traits = traitsOf(flavor, image);
  const hints = JSON.parse(row.hints_json) as Readonly<Record<string, unknown>>;
  const topology = topologyWish(flavor, image.properties);
  return {
    serverId: row.id,
    projectId: row.project_id,
    resources: resourcesOf(flavor, devices, topology),
    requiredTraits: traits.required,
    forbiddenTraits: traits.forbidden,
    sameHost: idsOfHint(hints['same_host']),
    differentHost: idsOfHint(hints['different_host']),
    near: nearOf(hints['build_near_host_ip'], hints['cidr']),
    group: group === undefined ? undefined : { id: group.id, policy: group.policy, maxPerHost: maxPerHost(group.rules_json) },
    flavor,
    image,
    imageId: row.image_id,
    topology,
  };
}

const maxPerHost = (rules: string): number => (JSON.parse(rules) as { readonly max_server_per_host?: number }).max_server_per_host ?? 1;

function nearOf(ip: unknown, cidr: unknown): HostRequest['near'] {
  if (typeof ip !== 'string' || ip === '') return undefined;
  return { ip, prefixLength: typeof cidr === 'string' && /^\/\d{1,3}$/.test(cidr) ? Number(cidr.slice(1)) : 24 };
}

/** Placement's amounts for a flavor; `resources:CLASS` extra specs override and add (0 takes a class out). Pinned CPUs are PCPU. */
export function resourcesOf(
  flavor: StoredFlavor,
  devices: readonly Pick<BlockDeviceRow, 'boot_index' | 'destination_type'>[],
  topology: TopologyWish | undefined,
): Resources {
  const dedicated = topology?.dedicatedCpus ?? 0;
  const resources: Record<string, number> = {
    VCPU: flavor.vcpus - dedicated,
    PCPU: dedicated + (topology?.emulatorThreads === 'isolate' ? 1 : 0),
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
function traitsOf(flavor: StoredFlavor, image: StoredImage): { readonly required: readonly string[]; readonly forbidden: readonly string[] } {
  const named = (specs: Readonly<Record<string, string>>, wanted: string): string[] =>
    Object.entries(specs).flatMap(([key, value]) => (key.startsWith('trait:') && value === wanted ? [key.slice('trait:'.length)] : []));
  return {
    required: [...new Set([...named(flavor.extraSpecs, 'required'), ...named(image.properties, 'required'), ...hardwareTraits(flavor, image)])],
    forbidden: named(flavor.extraSpecs, 'forbidden'),
  };
}

/** What a host must be able to do for devices that a flavor or image asks for. */
function hardwareTraits(flavor: StoredFlavor, image: StoredImage): readonly string[] {
  const traits: string[] = [];
  const version = flavor.extraSpecs['hw:tpm_version'] ?? image.properties['hw_tpm_version'];
  const model = flavor.extraSpecs['hw:tpm_model'] ?? image.properties['hw_tpm_model'];
  if (version !== undefined) traits.push(`COMPUTE_SECURITY_TPM_${version.replace('.', '_')}`);
  if (model === 'tpm-crb') traits.push('COMPUTE_SECURITY_TPM_CRB');
  else if (version !== undefined) traits.push('COMPUTE_SECURITY_TPM_TIS');
  if ((flavor.extraSpecs['os:secure_boot'] ?? image.properties['os_secure_boot']) === 'required') traits.push('COMPUTE_SECURITY_UEFI_SECURE_BOOT');
  return traits;
}

/** The server ids of a hint that is one text or a list. */
const idsOfHint = (hint: unknown): readonly string[] =>
  typeof hint === 'string' ? (hint === '' ? [] : [hint]) : Array.isArray(hint) ? hint.filter((id): id is string => typeof id === 'string') : [];
