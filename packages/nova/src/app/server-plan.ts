import { isAdmin } from '@cairn/kit/context/context';
import { forbidden, invalidInput } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import type { PlannedPort } from '@cairn/neutron/face';
import { type FlavorRow, findFlavor } from '../store/flavor.ts';
import { findKeypair } from '../store/keypair.ts';
import type { StoredFlavor, StoredKey } from '../store/server.ts';
import { findServerGroup, type ServerGroupRow } from '../store/server-group.ts';
import { type BlockDevice, isTrue, type MappingV1, type MappingV2, planBlockDevices } from './block-devices.ts';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { checkFastStart } from './fast-start.ts';
import { type BootSource, bootImage, bootSourceOf, checkFlavorFits, lookUp, snapshotOrThrow } from './server-image.ts';
import { checkHardware } from './server-hardware.ts';
import { type NetworkEntry, planServerPorts, readNetworks, securityGroupIds } from './server-networks.ts';
import { type Destination, destinationOf } from './server-placement.ts';
import { trustedCertificates } from './trusted-certificates.ts';

/** The body of POST /servers after its schema. */
export interface CreateServerBody {
  readonly server: {
    readonly name: string;
    readonly imageRef?: string;
    readonly flavorRef: string | number;
    readonly adminPass?: string;
    readonly metadata?: Readonly<Record<string, string>>;
    readonly networks?: readonly NetworkEntry[] | 'auto' | 'none';
    readonly 'OS-DCF:diskConfig'?: 'AUTO' | 'MANUAL';
    readonly accessIPv4?: string;
    readonly accessIPv6?: string;
    readonly personality?: readonly { readonly path: string; readonly contents: string }[];
    readonly availability_zone?: string;
    readonly block_device_mapping?: readonly MappingV1[];
    readonly block_device_mapping_v2?: readonly MappingV2[];
    readonly config_drive?: boolean | string;
    readonly key_name?: string;
    readonly min_count?: number | string;
    readonly max_count?: number | string;
    readonly return_reservation_id?: boolean | string;
    readonly security_groups?: readonly { readonly name?: string }[];
    readonly user_data?: string;
    readonly description?: string | null;
    readonly tags?: readonly string[];
    readonly trusted_image_certificates?: readonly string[] | null;
    readonly host?: string;
    readonly hypervisor_hostname?: string;
    readonly hostname?: string;
  };
  readonly 'os:scheduler_hints'?: Readonly<Record<string, unknown>>;
  readonly 'OS-SCH-HNT:scheduler_hints'?: Readonly<Record<string, unknown>>;
}

/** Everything that was looked up and checked before the transaction. */
export interface ServerPlan {
  readonly name: string;
  readonly description: string | null;
  readonly hostname: string | undefined;
  readonly minCount: number;
  readonly maxCount: number;
  readonly flavor: StoredFlavor;
  readonly imageId: string;
  readonly boot: BootSource;
  readonly devices: readonly BlockDevice[];
  readonly key: StoredKey | undefined;
  readonly ports: readonly PlannedPort[];
  readonly securityGroupIds: readonly string[] | undefined;
  readonly destination: Destination;
  readonly hints: Readonly<Record<string, unknown>>;
  readonly group: ServerGroupRow | undefined;
  readonly configDrive: boolean;
  readonly autoDiskConfig: boolean;
  /** Ids of certificates for the image's signature; null for none. */
  readonly trustedCertificates: readonly string[] | null;
}

/** Looks up and checks everything that a request names. Throws upstream's errors. */
export async function planServers(deps: NovaDeps, caller: Caller, body: CreateServerBody, version: Version): Promise<ServerPlan> {
  const { server } = body;
  const db = deps.env.store.read;
  const projectId = caller.ctx.projectId;
  if (projectId === undefined) throw forbidden('A server needs a project: use a token with project scope.');
  const target = { project_id: projectId, user_id: caller.ctx.userId };
  const name = server.name.trim();
  const minCount = Number(server.min_count ?? 1);
  const maxCount = Number(server.max_count ?? minCount);
  if (minCount > maxCount) throw invalidInput('min_count must be <= max_count');
  if (server.trusted_image_certificates?.length) caller.authorize('os_compute_api:servers:create:trusted_certs', target);
  const trusted = trustedCertificates(deps.options.imageSignatures, server.trusted_image_certificates);
  const destination = await destinationOf(deps, db, caller, {
    ...(server.availability_zone === undefined ? {} : { availabilityZone: server.availability_zone }),
    ...(server.host === undefined ? {} : { host: server.host }),
    ...(server.hypervisor_hostname === undefined ? {} : { node: server.hypervisor_hostname }),
  });
  const v1 = server.block_device_mapping ?? [];
  const v2 = server.block_device_mapping_v2 ?? [];
  if (v1.length > 0 && v2.length > 0) throw invalidInput('Using different block_device_mapping syntaxes is not allowed in the same request.');
  if (v1.length > 0 || v2.length > 0) caller.authorize('os_compute_api:servers:create:attach_volume', target);
  const imageId = server.imageRef ?? '';
  if (imageId === '' && v1.length === 0 && v2.length === 0) throw invalidInput('Missing imageRef attribute');
  if (imageId === '' && trusted !== null) throw invalidInput('Image certificate validation is not supported when booting from volume');
  const requested = readNetworks(server.networks, maxCount);
  if (requested !== undefined && requested !== 'none') caller.authorize('os_compute_api:servers:create:attach_network', target);
  if (server.hostname !== undefined && maxCount > 1) throw invalidInput('Unable to allocate a single hostname to multiple instances');

  const flavorId = idFromHref(String(server.flavorRef));
  const [flavorRow, boot] = await Promise.all([
    findFlavor(db, flavorId, { projectId, everything: isAdmin(caller.ctx) }),
    imageId === '' ? undefined : bootImage(deps, db, caller, imageId),
  ]);
  if (flavorRow === undefined || flavorRow.disabled === 1) throw invalidInput(`Flavor ${flavorId} could not be found.`);
  const flavor = storedFlavor(flavorRow);
  const devices = await sizedDevices(
    deps,
    caller,
    planBlockDevices({ imageId, imageProperties: boot?.image.properties ?? {}, v1, v2, flavor, maxCount }),
    version,
  );
  const source = boot ?? (await bootSourceOf(deps, db, caller, devices));
  const autoDiskConfig = diskConfig(server['OS-DCF:diskConfig'], source, imageId);
  checkFlavorFits(caller, flavor, source, devices);
  checkFastStart(source.image);
  checkHardware(flavor, source.image.properties);

  const hints = body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {};
  const groupNames = (server.security_groups ?? []).flatMap((group) => (group.name ? [group.name] : []));
  const [key, ports, groupIds, group, portsLeft] = await Promise.all([
    server.key_name === undefined ? undefined : keyOrThrow(deps, caller, server.key_name),
    planServerPorts(deps, db, caller, requested),
    securityGroupIds(deps, db, caller, groupNames),
    groupOf(deps, caller, hints['group']),
    deps.faces.neutron.portsLeft(db, projectId),
  ]);
  if (version.before('2.72')) await refusePortsThatAsk(deps, ports);
  return {
    name,
    description: version.atLeast('2.19') ? (server.description ?? null) : name,
    hostname: version.atLeast('2.90') ? server.hostname : undefined,
    minCount,
    maxCount: portQuota(ports, portsLeft, minCount, maxCount),
    flavor,
    imageId,
    boot: source,
    devices,
    key,
    ports,
    securityGroupIds: groupIds,
    destination,
    hints: Object.fromEntries(Object.entries(hints).filter(([hint]) => !hint.startsWith('_nova'))),
    group,
    configDrive: isTrue(server.config_drive) || source.image.properties['img_config_drive'] === 'mandatory',
    autoDiskConfig,
    trustedCertificates: trusted,
  };
}

/** The id at the end of a reference: `http://host/flavors/1?x` is 1. */
const idFromHref = (href: string): string => (href.split('?')[0] as string).split('/').at(-1) as string;

export const storedFlavor = (row: FlavorRow): StoredFlavor => ({
  id: row.flavor_id,
  name: row.name,
  vcpus: row.vcpus,
  memoryMb: row.memory_mb,
  rootGb: row.root_gb,
  ephemeralGb: row.ephemeral_gb,
  swapMb: row.swap_mb,
  rxtxFactor: row.rxtx_factor,
  extraSpecs: JSON.parse(row.extra_specs_json) as Record<string, string>,
});

function diskConfig(asked: 'AUTO' | 'MANUAL' | undefined, source: BootSource, imageId: string): boolean {
  const byImage = source.image.properties['auto_disk_config']?.trim().toLowerCase();
  if (byImage === 'disabled' && asked === 'AUTO') throw invalidInput(`Requested image ${imageId} has automatic disk resize disabled.`);
  return asked === undefined ? isTrue(byImage) : asked === 'AUTO';
}

/** Looks up the volumes and snapshots of a mapping: they must be there, and give their size. */
async function sizedDevices(deps: NovaDeps, caller: Caller, devices: readonly BlockDevice[], version: Version): Promise<readonly BlockDevice[]> {
  const db = deps.env.store.read;
  return await Promise.all(
    devices.map(async (device): Promise<BlockDevice> => {
      if (device.volumeId !== undefined) {
        const id = device.volumeId;
        const volume = await lookUp(deps.faces.cinder.volume(db, caller.ctx, id), () => invalidInput(`Volume ${id} could not be found.`));
        if (volume.multiattach && version.before('2.60')) throw invalidInput('Multiattach volumes are only supported starting with compute API version 2.60.');
        return { ...device, volumeSize: volume.sizeGb };
      }
      if (device.volumeType !== undefined) {
        const name = await deps.faces.cinder.volumeTypeName(db, caller.ctx, device.volumeType);
        if (name === undefined) throw invalidInput(`Volume type ${device.volumeType} could not be found.`);
      }
      if (device.snapshotId === undefined) return device;
      const snapshot = await snapshotOrThrow(deps, db, caller, device.snapshotId);
      return { ...device, volumeSize: device.volumeSize ?? snapshot.sizeGb };
    }),
  );
}

async function keyOrThrow(deps: NovaDeps, caller: Caller, name: string): Promise<StoredKey> {
  const row = await findKeypair(deps.env.store.read, caller.ctx.userId, name);
  if (row === undefined) throw invalidInput('Invalid key_name provided.');
  return { name: row.name, type: row.type, publicKey: row.public_key };
}

async function groupOf(deps: NovaDeps, caller: Caller, hint: unknown): Promise<ServerGroupRow | undefined> {
  const id = Array.isArray(hint) ? (hint[0] as unknown) : hint;
  if (typeof id !== 'string' || id === '') return undefined;
  const group = await findServerGroup(deps.env.store.read, id);
  if (group === undefined || (group.project_id !== caller.ctx.projectId && !isAdmin(caller.ctx)))
    throw invalidInput(`Instance group ${id} could not be found.`);
  return group;
}

/** Servers with such ports came with 2.72. */
async function refusePortsThatAsk(deps: NovaDeps, ports: readonly PlannedPort[]): Promise<void> {
  const given = ports.filter((port) => port.existing).map((port) => port.portId);
  if (given.length === 0 || (await deps.faces.neutron.resourceRequests(deps.env.store.read, given)).size === 0) return;
  throw invalidInput(
    'Creating servers with ports having resource requests, like a port with a QoS minimum bandwidth policy, is not supported until microversion 2.72.',
  );
}

/** How many servers the project's port quota allows. */
function portQuota(ports: readonly PlannedPort[], left: number, minCount: number, maxCount: number): number {
  const each = ports.filter((port) => !port.existing).length;
  if (each === 0 || left < 0) return maxCount;
  const fits = Math.min(maxCount, Math.floor(left / each));
  if (fits < minCount) throw forbidden('Maximum number of ports exceeded');
  return fits;
}
