import { isAdmin } from '@cairn/kit/context/context';
import { CairnError, invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import type { NovaSagas } from '../sagas/index.ts';
import { type BlockDeviceRow, blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';
import { findKeypair } from '../store/keypair.ts';
import { flavorOf, imageOf, type ServerPatch } from '../store/server.ts';
import { isTrue } from './block-devices.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { shortIpv6 } from './ipv6.ts';
import { isVolumeBacked } from './server-create.ts';
import { checkHardware, checkRebuildTopology, refuseTpm } from './server-hardware.ts';
import { bootImage, checkFlavorFits } from './server-image.ts';
import { newPassword } from './server-names.ts';
import { checkFilesQuota, checkMetadataQuota, serverLimits } from './server-quota.ts';
import { ACTION_RULES, checkAction, POWER } from './server-states.ts';
import { trustedCertificates } from './trusted-certificates.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';

/** What a request to rebuild says after its schema. */
export interface RebuildBody {
  readonly imageRef: string;
  readonly name?: string;
  readonly adminPass?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly preserve_ephemeral?: boolean | string;
  readonly 'OS-DCF:diskConfig'?: 'AUTO' | 'MANUAL';
  readonly accessIPv4?: string;
  readonly accessIPv6?: string;
  readonly personality?: readonly { readonly path: string; readonly contents: string }[];
  readonly description?: string | null;
  readonly key_name?: string | null;
  readonly user_data?: string | null;
  readonly trusted_image_certificates?: readonly string[] | null;
  readonly hostname?: string;
}

export interface ServerRebuildApp {
  /** Accepts a rebuild; returns the administrator's password of the new guest. */
  rebuild(caller: Caller, serverId: string, body: RebuildBody, version: Version): Promise<string>;
}

export function createServerRebuildApp(deps: NovaDeps, sagas: NovaSagas): ServerRebuildApp {
  const { env } = deps;
  return {
    async rebuild(caller, serverId, body, version) {
      const db = env.store.read;
      const server = await visibleServer(db, caller, serverId);
      const target = targetOf(server);
      caller.authorize('os_compute_api:servers:rebuild', target);
      if (body.trusted_image_certificates !== undefined) caller.authorize('os_compute_api:servers:rebuild:trusted_certs', target);
      checkAction(server, ACTION_RULES.rebuild, isAdmin(caller.ctx));
      const trusted = trustedCertificates(deps.options.imageSignatures, body.trusted_image_certificates);
      const changes = await rowChanges(deps, caller, body);
      const { imageRef } = body;
      const boot = await bootImage(deps, db, caller, imageRef).catch((error: unknown) => {
        if (isCairnError(error, 'InvalidInput') && error.message === 'Can not find requested image') throw invalidInput('Cannot find image for rebuild');
        throw error;
      });
      if (boot.image.properties['auto_disk_config']?.trim().toLowerCase() === 'disabled' && body['OS-DCF:diskConfig'] === 'AUTO')
        throw invalidInput(`Requested image ${imageRef} has automatic disk resize disabled.`);
      const devices = await blockDevicesOf(db, server.id);
      const root = devices.find((device) => device.boot_index === 0);
      if (body.trusted_image_certificates !== undefined && trusted !== null && isVolumeBacked(devices))
        throw invalidInput('Image certificate validation is not supported for volume-backed servers.');
      const reimage = isVolumeBacked(devices) ? await rootVolumeChange(deps, caller, root as BlockDeviceRow, imageRef, version) : null;
      const limits = await serverLimits(deps, db, server.project_id, server.user_id);
      checkMetadataQuota(limits, body.metadata ?? {});
      checkFilesQuota(limits, body.personality ?? []);
      checkFlavorFits(caller, flavorOf(server), boot, [
        {
          sourceType: 'image',
          destinationType: isVolumeBacked(devices) ? 'volume' : 'local',
          deviceType: 'disk',
          bootIndex: 0,
          deleteOnTermination: false,
          ...(root?.volume_size_gb == null ? {} : { volumeSize: Number(root.volume_size_gb) }),
        },
      ]);
      refuseTpm(server, 'rebuild');
      checkHardware(flavorOf(server), boot.image.properties);
      if (!isVolumeBacked(devices) || reimage !== null) checkRebuildTopology(flavorOf(server), imageOf(server).properties, boot.image.properties);
      await checkVolumesAttached(deps, caller, devices);
      const adminPass = body.adminPass ?? newPassword(env.ids);
      const volumeBacked = isVolumeBacked(devices);
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:servers:rebuild',
        rule: ACTION_RULES.rebuild,
        action: 'rebuild',
        taskState: 'rebuilding',
        event: 'rebuild.start',
        patch: {
          ...changes,
          ...(body.trusted_image_certificates === undefined ? {} : { trusted_certs_json: trusted === null ? null : JSON.stringify(trusted) }),
          // a root volume's server shows no image, and keeps to that
          ...(volumeBacked ? {} : { image_id: imageRef }),
          ...(volumeBacked && reimage === null ? {} : { image_json: JSON.stringify(boot.image) }),
        },
        saga: sagas.rebuild,
        params: async (row, tx) => {
          const now = await blockDevicesOf(tx, row.id);
          const replaced = now.filter((device) => isReplaced(device, isTrue(body.preserve_ephemeral)));
          if (root !== undefined && !volumeBacked) await patchBlockDevice(tx, root.id, { image_id: imageRef });
          return {
            serverId: row.id,
            ctx: storedContext(caller),
            disks: Object.fromEntries(replaced.map((device) => [device.id, { oldId: device.disk_id as string, newId: env.ids.uuid() }])),
            before: { imageId: row.image_id, imageJson: row.image_json, rootImageId: root?.image_id ?? null },
            reimage,
            ran: row.power_state === POWER.running,
            starts: row.vm_state !== 'stopped',
            adminPass: row.config_drive === 1 ? adminPass : null,
          };
        },
      });
      return adminPass;
    },
  };
}

/** Local disks come anew, but ephemeral ones that are to be preserved. */
function isReplaced(device: BlockDeviceRow, preserveEphemeral: boolean): boolean {
  if (device.destination_type !== 'local' || device.disk_id === null || device.source_type === 'rescue') return false;
  return !(preserveEphemeral && device.source_type === 'blank' && device.guest_format !== 'swap');
}

/** The columns that the request sets at once. */
async function rowChanges(deps: NovaDeps, caller: Caller, body: RebuildBody): Promise<ServerPatch> {
  const given = <K extends keyof RebuildBody>(key: K, patch: (value: NonNullable<RebuildBody[K]>) => ServerPatch): ServerPatch =>
    body[key] === undefined || body[key] === null ? {} : patch(body[key] as NonNullable<RebuildBody[K]>);
  let key: ServerPatch = {};
  if (body.key_name === null) key = { key_name: null, key_json: null };
  else if (body.key_name !== undefined) {
    // the caller's own key, whosever the server is
    const row = await findKeypair(deps.env.store.read, caller.ctx.userId, body.key_name);
    if (row === undefined) throw invalidInput('Invalid key_name provided.');
    key = { key_name: row.name, key_json: JSON.stringify({ name: row.name, type: row.type, publicKey: row.public_key }) };
  }
  return {
    ...given('name', (name) => ({ name: name.trim() })),
    ...(body.description === undefined ? {} : { description: body.description }),
    ...given('metadata', (metadata) => ({ metadata_json: JSON.stringify(metadata) })),
    ...given('hostname', (hostname) => ({ hostname })),
    ...given('accessIPv4', (ip) => ({ access_ip_v4: ip })),
    ...given('accessIPv6', (ip) => ({ access_ip_v6: shortIpv6(ip) })),
    ...given('OS-DCF:diskConfig', (config) => ({ auto_disk_config: config === 'AUTO' ? 1 : 0 })),
    ...(body.user_data === undefined ? {} : { user_data: body.user_data }),
    ...given('personality', (files) => ({ files_json: JSON.stringify(files) })),
    ...key,
  };
}

/** What happens to a root volume: nothing before 2.93, and then another image is refused. */
async function rootVolumeChange(
  deps: NovaDeps,
  caller: Caller,
  root: BlockDeviceRow,
  imageId: string,
  version: Version,
): Promise<{ readonly deviceId: string; readonly volumeId: string; readonly imageId: string } | null> {
  const volume = await deps.faces.cinder.volume(deps.env.store.read, caller.ctx, root.volume_id as string);
  if (version.atLeast('2.93')) return { deviceId: root.id, volumeId: volume.id, imageId };
  if (volume.imageMetadata['image_id'] !== imageId)
    throw invalidInput(`Image ${imageId} is unacceptable: Unable to rebuild with a different image for a volume-backed server.`);
  return null;
}

/** Throws unless every volume of a server is in use; `kind` is the refusal's. */
export async function checkVolumesAttached(
  deps: NovaDeps,
  caller: Caller,
  devices: readonly BlockDeviceRow[],
  kind: 'InvalidInput' | 'Conflict' = 'InvalidInput',
): Promise<void> {
  for (const device of devices) {
    if (device.volume_id === null) continue;
    const volume = await deps.faces.cinder.volume(deps.env.store.read, caller.ctx, device.volume_id);
    if (volume.status !== 'in-use')
      throw new CairnError(kind, `Invalid volume: volume '${volume.id}' status must be 'in-use'. Currently in '${volume.status}' status`);
  }
}
