import type { Context } from '@cairn/kit/context/context';
import { CairnError, forbidden, isCairnError } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { PlannedPort } from '@cairn/neutron/face';
import { insertActions } from '../store/action.ts';
import { insertBlockDevices, type NewBlockDevice } from '../store/block-device.ts';
import { insertServers, type NewServer } from '../store/server.ts';
import { addGroupMembers, groupMemberHosts } from '../store/server-group.ts';
import { insertServerPorts } from '../store/server-port.ts';
import { insertTags } from '../store/server-tag.ts';
import { changeUsage } from '../store/usage.ts';
import { tpmWish } from '../hosts/hardware.ts';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { shortIpv6 } from './ipv6.ts';
import { deviceRows } from './server-devices.ts';
import { serverEvent } from './server-events.ts';
import { hostnameFrom, newPassword, newReservationId } from './server-names.ts';
import { createTpms } from './tpm-secrets.ts';
import { type CreateServerBody, planServers, type ServerPlan } from './server-plan.ts';
import { checkFilesQuota, checkMetadataQuota, serverLimits } from './server-quota.ts';
import { POWER, TASK_DEADLINE_MS } from './server-states.ts';

/** What the create saga is started with. Ids of ports, attachments and disks are minted already; a new volume gets its mapping's. */
export interface CreateServerParams {
  readonly serverId: string;
  /** Who asked, without the token. */
  readonly ctx: Context;
  readonly ports: readonly PlannedPort[];
  /** It has volumes, given or to be made; most servers have none, and their saga asks for none. */
  readonly hasVolumes: boolean;
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

/** Accepts POST /servers: checks everything that can be, then writes servers, quota use, actions, events and sagas in one transaction. */
export async function acceptServers(
  deps: NovaDeps,
  createSaga: SagaDefinition<CreateServerParams>,
  caller: Caller,
  body: CreateServerBody,
  version: Version,
): Promise<AcceptedServers> {
  const { env } = deps;
  const plan = await planServers(deps, caller, body, version);
  const reservationId = newReservationId(env.ids);
  const adminPass = body.server.adminPass ?? newPassword(env.ids);
  const ids = Array.from({ length: plan.maxCount }, () => env.ids.uuid());
  const accepted = await env.store.write(async (tx) => write(deps, createSaga, caller, body, plan, { tx, ids, reservationId, adminPass }));
  return { ids: accepted, reservationId, adminPass, autoDiskConfig: plan.autoDiskConfig };
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
  plan: ServerPlan,
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
    const devices = deviceRows(plan.devices, {
      serverId: id,
      imageProperties: plan.boot.image.properties,
      configDrive: plan.configDrive,
      nowMs,
      mintId: () => env.ids.uuid(),
    });
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
  if (tpmWish(plan.flavor, plan.boot.image.properties) !== undefined) {
    await createTpms(
      deps,
      tx,
      made.map(({ row }) => row.id),
    );
  }
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
  for (const { row, devices, ports } of made) {
    await env.events.emit(tx, serverEvent('create.start', row, caller.requestId));
    await env.sagas.start<CreateServerParams>(
      tx,
      createSaga,
      {
        serverId: row.id,
        ctx,
        ports,
        hasVolumes: devices.some((device) => device.destination_type === 'volume'),
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
      if (isCairnError(error, 'Conflict') || isCairnError(error, 'InvalidInput'))
        throw new CairnError('InvalidInput', `Invalid volume: ${error.message}`, { cause: error });
      throw error;
    }
  }
}

function serverRow(
  caller: Caller,
  body: CreateServerBody,
  plan: ServerPlan,
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
    access_ip_v6: server.accessIPv6 === undefined ? null : shortIpv6(server.accessIPv6),
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
    soft_deleted_at_ms: null,
    shelved_at_ms: null,
    shelved_image_id: null,
    trusted_certs_json: plan.trustedCertificates === null ? null : JSON.stringify(plan.trustedCertificates),
    password: '',
    user_data: server.user_data ?? null,
    files_json: JSON.stringify(server.personality ?? []),
  };
}

/** True where the server boots from a volume. */
export const isVolumeBacked = (devices: readonly { readonly boot_index: number | null; readonly destination_type: string }[]): boolean =>
  devices.some((device) => device.boot_index === 0 && device.destination_type === 'volume');
