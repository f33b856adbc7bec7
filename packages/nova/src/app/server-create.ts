import type { Context } from '@cairn/kit/context/context';
import { isAdmin } from '@cairn/kit/context/context';
import { CairnError, forbidden, invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import type { Tx } from '@cairn/kit/store/store';
import type { PlannedPort } from '@cairn/neutron/face';
import { insertActions } from '../store/action.ts';
import { insertBlockDevices, type NewBlockDevice } from '../store/block-device.ts';
import { findFlavor, type FlavorRow } from '../store/flavor.ts';
import { findKeypair } from '../store/keypair.ts';
import { insertServers, type NewServer, type StoredFlavor, type StoredKey } from '../store/server.ts';
import { addGroupMembers, findServerGroup, groupMemberHosts, type ServerGroupRow } from '../store/server-group.ts';
import { insertServerPorts } from '../store/server-port.ts';
import { insertTags } from '../store/server-tag.ts';
import { changeUsage } from '../store/usage.ts';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import { type BlockDevice, isTrue, type MappingV1, type MappingV2, planBlockDevices } from './block-devices.ts';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { deviceRows } from './server-devices.ts';
import { serverEvent } from './server-events.ts';
import { bootImage, type BootSource, bootSourceOf, checkFlavorFits, lookUp, snapshotOrThrow } from './server-image.ts';
import { hostnameFrom, newPassword, newReservationId } from './server-names.ts';
import { type NetworkEntry, planServerPorts, readNetworks, securityGroupIds } from './server-networks.ts';
import { type Destination, destinationOf } from './server-placement.ts';
import { checkFilesQuota, checkMetadataQuota, serverLimits } from './server-quota.ts';
import { POWER, TASK_DEADLINE_MS } from './server-states.ts';

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

/** What the create saga is started with. Ids of ports, attachments and disks are minted already; a new volume gets its mapping's. */
export interface CreateServerParams {
  readonly serverId: string;
  /** Who asked, without the token. */
  readonly ctx: Context;
  readonly ports: readonly PlannedPort[];
  readonly securityGroupIds: readonly string[] | null;
  readonly zone: string | null;
  readonly forcedHost: string | null;
  readonly forcedNode: string | null;
  /** Only for a config drive, which carries it. */
  readonly adminPass: string | null;
}

/** What a request came to. */
export interface AcceptedServers {
  readonly ids: readonly string[];
  readonly reservationId: string;
  readonly adminPass: string;
  readonly autoDiskConfig: boolean;
}

/** Everything that was looked up and checked before the transaction. */
interface Plan {
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
  readonly portsLeft: number;
}

/** Accepts POST /servers: checks everything that can be, then writes servers, quota use, actions, events and sagas in one transaction. */
export async function acceptServers(
  deps: NovaDeps,
  createSaga: SagaDefinition<CreateServerParams>,
  caller: Caller,
  body: CreateServerBody,
  version: Version,
): Promise<AcceptedServers> {
  const { env } = deps;
  const plan = await planCreate(deps, caller, body, version);
  const reservationId = newReservationId(env.ids);
  const adminPass = body.server.adminPass ?? newPassword(env.ids);
  const ids = Array.from({ length: plan.maxCount }, () => env.ids.uuid());
  const accepted = await env.store.write(async (tx) => write(deps, createSaga, caller, body, plan, { tx, ids, reservationId, adminPass }));
  return { ids: accepted, reservationId, adminPass, autoDiskConfig: plan.autoDiskConfig };
}

async function planCreate(deps: NovaDeps, caller: Caller, body: CreateServerBody, version: Version): Promise<Plan> {
  const { server } = body;
  const db = deps.env.store.read;
  const projectId = caller.ctx.projectId;
  if (projectId === undefined) throw forbidden('A server needs a project: use a token with project scope.');
  const target = { project_id: projectId, user_id: caller.ctx.userId };
  const name = server.name.trim();
  const minCount = Number(server.min_count ?? 1);
  const maxCount = Number(server.max_count ?? minCount);
  if (minCount > maxCount) throw invalidInput('min_count must be <= max_count');
  if (server.trusted_image_certificates?.length) {
    caller.authorize('os_compute_api:servers:create:trusted_certs', target);
    throw invalidInput('Image signature certificate validation is not available in this cloud: create the server without trusted_image_certificates.');
  }
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
  const devices = await sizedDevices(deps, caller, planBlockDevices({ imageId, imageProperties: boot?.image.properties ?? {}, v1, v2, flavor, maxCount }), version);
  const source = boot ?? (await bootSourceOf(deps, db, caller, devices));
  const autoDiskConfig = diskConfig(server['OS-DCF:diskConfig'], source, imageId);
  checkFlavorFits(caller, flavor, source, devices);

  const hints = body['os:scheduler_hints'] ?? body['OS-SCH-HNT:scheduler_hints'] ?? {};
  const groupNames = (server.security_groups ?? []).flatMap((group) => (group.name ? [group.name] : []));
  const [key, ports, groupIds, group, portsLeft] = await Promise.all([
    server.key_name === undefined ? undefined : keyOrThrow(deps, caller, server.key_name),
    planServerPorts(deps, db, caller, requested),
    securityGroupIds(deps, db, caller, groupNames),
    groupOf(deps, caller, hints['group']),
    deps.faces.neutron.portsLeft(db, projectId),
  ]);
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
    portsLeft,
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
  if (group === undefined || (group.project_id !== caller.ctx.projectId && !isAdmin(caller.ctx))) throw invalidInput(`Instance group ${id} could not be found.`);
  return group;
}

/** How many servers the project's port quota allows. */
function portQuota(ports: readonly PlannedPort[], left: number, minCount: number, maxCount: number): number {
  const each = ports.filter((port) => !port.existing).length;
  if (each === 0 || left < 0) return maxCount;
  const fits = Math.min(maxCount, Math.floor(left / each));
  if (fits < minCount) throw forbidden('Maximum number of ports exceeded');
  return fits;
}

interface Writing {
  readonly tx: Tx;
  readonly ids: readonly string[];
  readonly reservationId: string;
  readonly adminPass: string;
}

async function write(
  deps: NovaDeps,
  createSaga: SagaDefinition<CreateServerParams>,
  caller: Caller,
  body: CreateServerBody,
  plan: Plan,
  { tx, ids, reservationId, adminPass }: Writing,
): Promise<readonly string[]> {
  const { env } = deps;
  const { server } = body;
  const projectId = caller.ctx.projectId as string;
  const { userId } = caller.ctx;
  const nowMs = env.clock.nowMs();
  const limits = await serverLimits(deps, tx, projectId, userId);
  checkMetadataQuota(limits, server.metadata ?? {});
  checkFilesQuota(limits, server.personality ?? []);
  let count = limits.fit(plan.flavor, plan.minCount, plan.maxCount);
  if (plan.group !== undefined) {
    const allowed = limits.of('server_group_members');
    const members = (await groupMemberHosts(tx, plan.group.id)).filter((member) => member.userId === userId).length;
    if (allowed >= 0) count = Math.min(count, allowed - members);
    if (count < plan.minCount) throw forbidden('Quota exceeded, too many servers in group');
  }
  const made = ids.slice(0, count).map((id, index) => {
    const row = serverRow(caller, body, plan, { id, index, count, nowMs, reservationId });
    const devices = deviceRows(plan.devices, { serverId: id, imageProperties: plan.boot.image.properties, configDrive: plan.configDrive, nowMs, mintId: () => env.ids.uuid() });
    row.root_device = devices.find((device) => device.boot_index === 0)?.device_name ?? null;
    // the ids of the first server's planned ports are its own; further servers get ports like them
    const ports = index === 0 ? plan.ports : plan.ports.map((port) => ({ ...port, portId: env.ids.uuid() }));
    return { row, devices, ports };
  });
  await changeUsage(tx, projectId, userId, { instances: count, cores: count * plan.flavor.vcpus, ramMb: count * plan.flavor.memoryMb });
  await insertServers(
    tx,
    made.map(({ row }) => row),
  );
  await insertBlockDevices(
    tx,
    made.flatMap(({ devices }) => devices),
  );
  await insertServerPorts(
    tx,
    made.flatMap(({ row, ports }) =>
      ports.map((port, position) => ({
        port_id: port.portId,
        server_id: row.id,
        network_id: port.networkId,
        position,
        owned: port.existing ? 0 : 1,
        tag: port.tag ?? null,
      })),
    ),
  );
  await insertTags(
    tx,
    made.flatMap(({ row }) => (server.tags ?? []).map((tag) => ({ server_id: row.id, tag }))),
  );
  if (plan.group !== undefined) {
    await addGroupMembers(
      tx,
      plan.group.id,
      made.map(({ row }) => row.id),
    );
  }
  for (const { row, devices } of made) await reserveVolumes(deps, tx, caller, row.id, devices);
  await insertActions(
    tx,
    made.map(({ row }) => ({ serverId: row.id, requestId: caller.requestId, action: 'create', userId, projectId, atMs: nowMs })),
  );
  const { token: _token, ...ctx } = caller.ctx;
  for (const { row, ports } of made) {
    await env.events.emit(tx, serverEvent('create.start', row, caller.requestId));
    await env.sagas.start<CreateServerParams>(
      tx,
      createSaga,
      {
        serverId: row.id,
        ctx,
        ports,
        securityGroupIds: plan.securityGroupIds ?? null,
        zone: plan.destination.zone ?? null,
        forcedHost: plan.destination.host ?? null,
        forcedNode: plan.destination.node ?? null,
        adminPass: plan.configDrive ? adminPass : null,
      },
      { subject: `server:${row.id}`, requestId: caller.requestId, userId, projectId },
    );
  }
  return made.map(({ row }) => row.id);
}

/** Existing volumes are taken at once, so that nobody else gets them while the server is built. */
async function reserveVolumes(deps: NovaDeps, tx: Tx, caller: Caller, serverId: string, devices: readonly NewBlockDevice[]): Promise<void> {
  for (const device of devices) {
    if (device.volume_id == null || device.create_volume === 1 || device.attachment_id == null) continue;
    try {
      await deps.faces.cinder.reserve(tx, caller.ctx, { id: device.attachment_id, volumeId: device.volume_id, serverId });
    } catch (error) {
      if (isCairnError(error, 'Conflict') || isCairnError(error, 'InvalidInput')) throw new CairnError('InvalidInput', `Invalid volume: ${error.message}`, { cause: error });
      throw error;
    }
  }
}

function serverRow(
  caller: Caller,
  body: CreateServerBody,
  plan: Plan,
  one: { readonly id: string; readonly index: number; readonly count: number; readonly nowMs: number; readonly reservationId: string },
): NewServer & Parameters<typeof serverEvent>[1] {
  const { server } = body;
  const { flavor } = plan;
  const several = one.count > 1;
  const base = plan.hostname ?? hostnameFrom(plan.name);
  return {
    id: one.id,
    project_id: caller.ctx.projectId as string,
    user_id: caller.ctx.userId,
    name: several ? `${plan.name}-${one.index + 1}` : plan.name,
    hostname: base === '' ? `server-${one.id}` : several && plan.hostname === undefined ? `${base}-${one.index + 1}` : base,
    description: plan.description,
    vm_state: 'building',
    task_state: 'scheduling',
    power_state: POWER.nostate,
    task_deadline_at_ms: one.nowMs + TASK_DEADLINE_MS.scheduling,
    host: null,
    node: null,
    launched_on: null,
    availability_zone: plan.destination.zone ?? null,
    pinned_az: plan.destination.zone ?? null,
    flavor_id: flavor.id,
    vcpus: flavor.vcpus,
    memory_mb: flavor.memoryMb,
    root_gb: flavor.rootGb,
    ephemeral_gb: flavor.ephemeralGb,
    flavor_json: JSON.stringify(flavor),
    image_id: plan.imageId,
    image_json: JSON.stringify(plan.boot.image),
    key_name: plan.key?.name ?? null,
    key_json: plan.key === undefined ? null : JSON.stringify(plan.key),
    config_drive: plan.configDrive ? 1 : 0,
    auto_disk_config: plan.autoDiskConfig ? 1 : 0,
    locked: 0,
    locked_by: null,
    locked_reason: null,
    access_ip_v4: server.accessIPv4 ?? null,
    access_ip_v6: server.accessIPv6 ?? null,
    metadata_json: JSON.stringify(server.metadata ?? {}),
    hints_json: JSON.stringify(plan.hints),
    root_device: null,
    launch_index: one.index,
    reservation_id: one.reservationId,
    fault_json: null,
    created_at_ms: one.nowMs,
    updated_at_ms: one.nowMs,
    launched_at_ms: null,
    terminated_at_ms: null,
    deleted: 0,
    deleted_at_ms: null,
    password: '',
    user_data: server.user_data ?? null,
    files_json: JSON.stringify(server.personality ?? []),
  };
}

/** True where the server boots from a volume. */
export const isVolumeBacked = (devices: readonly { readonly boot_index: number | null; readonly destination_type: string }[]): boolean =>
  devices.some((device) => device.boot_index === 0 && device.destination_type === 'volume');
