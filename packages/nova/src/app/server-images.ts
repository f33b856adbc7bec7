import { CairnError, forbidden, invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import type { Tx } from '@cairn/kit/store/store';
import type { NovaSagas } from '../sagas/index.ts';
import { type BlockDeviceRow, blockDevicesOf, isMapping } from '../store/block-device.ts';
import { imageOf, type ServerRow } from '../store/server.ts';
import { storedLimits } from '../store/quota.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { effectiveLimit } from './quota.ts';
import { isVolumeBacked } from './server-create.ts';
import { ACTION_RULES } from './server-states.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';

export interface CreateImage {
  readonly name: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ServerImagesApp {
  /** Starts an image of a server; returns the image's id. */
  create(caller: Caller, serverId: string, asked: CreateImage, version: Version): Promise<string>;
  /** Starts a backup, after which the oldest of its type go; returns the image's id. */
  backup(caller: Caller, serverId: string, asked: BackupBody, version: Version): Promise<string>;
}

/** Properties that say something of the old image alone (upstream's NON_INHERITABLE_IMAGE_PROPERTIES and the default of the option). */
const NOT_INHERITED = new Set([
  'cache_in_nova',
  'bittorrent',
  'img_signature_hash_method',
  'img_signature',
  'img_signature_key_type',
  'img_signature_certificate_uuid',
  'cinder_encryption_key_id',
  'cinder_encryption_key_deletion_policy',
  'owner_specified.openstack.md5',
  'owner_specified.openstack.sha256',
  'owner_specified.openstack.object',
  'block_device_mapping',
  'bdm_v2',
  'root_device_name',
  'mappings',
  'os_hash_algo',
  'os_hash_value',
  'stores',
  'direct_url',
  'locations',
]);

/** What an image is made as. */
export interface ImageForm {
  readonly diskFormat: string;
  readonly containerFormat: string;
  readonly minDiskGb: number;
  /** Properties of its own, `image_type` among them where it is no snapshot. */
  readonly extra: Readonly<Record<string, string>>;
}

export type MakeImage = (tx: Tx, caller: Caller, row: ServerRow, imageId: string, asked: CreateImage, form: ImageForm) => Promise<void>;

export interface BackupBody {
  readonly name: string;
  readonly backup_type: string;
  readonly rotation: number | string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export function createServerImagesApp(deps: NovaDeps, sagas: NovaSagas): ServerImagesApp {
  const { env, faces } = deps;
  const makeImage = imageMaker(deps);
  return {
    async create(caller, serverId, asked, version) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:servers:create_image', targetOf(server));
      if (version.before('2.39')) await checkImageMetadata(deps, caller, asked.metadata ?? {});
      const devices = await blockDevicesOf(env.store.read, server.id);
      const volumeBacked = isVolumeBacked(devices);
      if (volumeBacked) caller.authorize('os_compute_api:servers:create_image:allow_volume_backed', targetOf(server));
      const imageId = env.ids.uuid();
      const common = {
        serverId,
        policy: 'os_compute_api:servers:create_image',
        rule: ACTION_RULES.createImage,
        action: 'createImage',
        event: 'snapshot.start',
      } as const;
      if (!volumeBacked) {
        await beginAction(deps, caller, {
          ...common,
          taskState: 'image_snapshot_pending',
          saga: sagas.image,
          params: async (row, tx) => {
            await makeImage(tx, caller, row, imageId, asked, { diskFormat: 'qcow2', containerFormat: 'bare', minDiskGb: row.root_gb, extra: {} });
            return { serverId: row.id, ctx: storedContext(caller), imageId };
          },
        });
        return imageId;
      }
      await beginAction(deps, caller, {
        ...common,
        saga: sagas.volumeImage,
        params: async (row, tx) => {
          const snapshots = devices.flatMap((device) => (device.volume_id === null ? [] : [{ id: env.ids.uuid(), device }]));
          for (const { id, device } of snapshots) {
            await faces.cinder.createSnapshot(tx, caller.ctx, { id, volumeId: device.volume_id as string, name: `snapshot for ${asked.name}`, force: true });
          }
          const mapping = devices.filter(isMapping).map((device) => imageMapping(device, snapshots.find((snapshot) => snapshot.device === device)?.id));
          await makeImage(tx, caller, row, imageId, asked, {
            // glance activates no image without formats; there is no data that would have them
            diskFormat: 'raw',
            containerFormat: 'bare',
            minDiskGb: 0,
            extra: {
              block_device_mapping: JSON.stringify(mapping),
              bdm_v2: 'True',
              ...(row.root_device === null ? {} : { root_device_name: row.root_device }),
            },
          });
          return { serverId: row.id, ctx: storedContext(caller), imageId, snapshotIds: snapshots.map(({ id }) => id) };
        },
      });
      return imageId;
    },

    async backup(caller, serverId, asked, version) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:os-create-backup', targetOf(server));
      if (version.before('2.39')) await checkImageMetadata(deps, caller, asked.metadata ?? {});
      const imageId = env.ids.uuid();
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:os-create-backup',
        rule: ACTION_RULES.createBackup,
        action: 'createBackup',
        taskState: 'image_backup',
        event: 'snapshot.start',
        saga: sagas.backup,
        params: async (row, tx) => {
          if (isVolumeBacked(await blockDevicesOf(tx, row.id))) throw invalidInput('Backup is not supported for volume-backed instances.');
          const extra = { image_type: 'backup' };
          const metadata = { ...asked.metadata, backup_type: asked.backup_type };
          await makeImage(
            tx,
            caller,
            row,
            imageId,
            { name: asked.name, metadata },
            { diskFormat: 'qcow2', containerFormat: 'bare', minDiskGb: row.root_gb, extra },
          );
          return { serverId: row.id, ctx: storedContext(caller), imageId, backupType: asked.backup_type, rotation: Number(asked.rotation) };
        },
      });
      return imageId;
    },
  };
}

/** Makes the image's row, with what it inherits from the server's image and what it tells of the server. */
export const imageMaker =
  ({ faces }: NovaDeps): MakeImage =>
  async (tx, caller, row, imageId, asked, form) => {
    const image = imageOf(row);
    const inherited = Object.fromEntries(Object.entries(image.properties).filter(([key]) => !NOT_INHERITED.has(key) && !key.startsWith('os_glance')));
    const foreign = caller.ctx.projectId !== row.project_id;
    try {
      await faces.glance.create(tx, caller.ctx, {
        id: imageId,
        name: asked.name.trim(),
        diskFormat: form.diskFormat,
        containerFormat: form.containerFormat,
        minDiskGb: form.minDiskGb,
        minRamMb: image.minRamMb,
        visibility: foreign ? 'shared' : 'private',
        properties: {
          ...inherited,
          image_type: 'snapshot',
          ...form.extra,
          instance_uuid: row.id,
          user_id: caller.ctx.userId,
          base_image_ref: row.image_id === '' ? '' : (image.properties['base_image_ref'] ?? row.image_id),
          owner_user_name: caller.ctx.userName,
          owner_project_name: caller.ctx.projectName ?? '',
          boot_roles: caller.ctx.roles.join(','),
          ...asked.metadata,
          ...(foreign ? { instance_owner: row.project_id } : {}),
        },
      });
    } catch (error) {
      if (isCairnError(error, 'TooLarge') || isCairnError(error, 'QuotaExceeded')) throw new CairnError('Forbidden', error.message, { cause: error });
      throw error;
    }
  };

async function checkImageMetadata(deps: NovaDeps, caller: Caller, metadata: Readonly<Record<string, string>>): Promise<void> {
  const limits = await storedLimits(deps.env.store.read, caller.ctx.projectId ?? '', caller.ctx.userId);
  const allowed = effectiveLimit(limits, deps.options.quotaDefaults, 'metadata_items', 'user');
  if (allowed >= 0 && Object.keys(metadata).length > allowed) throw forbidden('Image metadata limit exceeded');
}

/** A mapping as an image carries it: a volume becomes its snapshot. */
function imageMapping(device: BlockDeviceRow, snapshotId: string | undefined): object {
  return {
    source_type: snapshotId === undefined ? device.source_type : 'snapshot',
    destination_type: device.destination_type,
    guest_format: snapshotId === undefined ? device.guest_format : null,
    device_type: device.device_type,
    disk_bus: device.disk_bus,
    boot_index: device.boot_index,
    device_name: device.device_name,
    delete_on_termination: device.delete_on_termination === 1,
    snapshot_id: snapshotId ?? null,
    volume_id: null,
    volume_size: device.volume_size_gb,
    image_id: snapshotId === undefined ? device.image_id : null,
    no_device: null,
    tag: device.tag,
    volume_type: device.volume_type,
  };
}
