import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, type Operation, Reply, type Request } from '@cairn/kit/http/operation';
import type { Tx } from '@cairn/kit/store/store';
import type { TSchema } from 'typebox';
import type { CinderApp } from '../app/app.ts';
import { attachDirectly, checkMayEndAll, detachDirectly } from '../app/attachments.ts';
import { VOLUME_DRIVER } from '../app/backend.ts';
import { capabilitiesOf } from '../app/capabilities.ts';
import { serviceCaller, targetOf } from '../app/caller.ts';
import { deleteVolume } from '../app/volume-delete.ts';
import { extendVolume } from '../app/volume-extend.ts';
import { frontEndQos } from '../app/qos.ts';
import { completeMigration, migrateVolume } from '../app/volume-migrate.ts';
import { reimage, uploadToImage } from '../app/volume-image.ts';
import { retypeVolume } from '../app/volume-retype.ts';
import { revertVolume } from '../app/volume-revert.ts';
import { beginDetaching, extendCompletion, reserve, resetStatus, rollDetaching, unreserve } from '../app/volume-status.ts';
import { getVolume, pairsOf, removeImageMetadata, setBootable, setReadonly, writeImageMetadata } from '../app/volumes.ts';
import { glanceMetadataNotFound } from '../errors.ts';
import type { VolumeRow } from '../store/tables.ts';
import { AllMetadata, Connection, SavedVolume, Uploaded } from './answers/volumes.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean } from './values.ts';
import { recordOfType } from './views/types.ts';

interface ActionSpec {
  readonly action: string;
  readonly summary: string;
  readonly policy: string;
  readonly since?: string;
  readonly success?: number;
  /** None unless it says so. */
  readonly answer?: TSchema;
  readonly body: Record<string, unknown> | readonly { readonly from: string; readonly schema: Record<string, unknown> }[];
  /** Runs in a transaction with the volume, which the caller may see. `args` is what stands under the action's key. */
  run(app: CinderApp, tx: Tx, request: Request, volume: VolumeRow, args: AnyBody): Promise<unknown>;
}

/** Declares `POST /v3/volumes/{volume_id}/action` with one key. */
function action(spec: ActionSpec): Operation<CinderApp> {
  const { action: name, summary, policy, since, success, answer, body } = spec;
  return op({
    id: `cinder.volume.${name}`,
    method: 'POST',
    path: '/v3/volumes/{volume_id}/action',
    action: name,
    summary,
    policy,
    answer: answer ?? 'none',
    success: success ?? 202,
    ...(since !== undefined && { since }),
    body: Array.isArray(body)
      ? body.map((one: { from: string; schema: Record<string, unknown> }) => ({ from: one.from, schema: schema(one.schema) }))
      : schema(body as Record<string, unknown>),
    async handle(app, request) {
      const result = await app.deps.env.store.write(async (tx) => {
        const volume = await getVolume(tx, request, request.params['volume_id'] ?? '');
        return spec.run(app, tx, request, volume, (request.body as AnyBody)[name]);
      });
      return result === undefined ? new Reply() : result;
    },
  });
}

const connector = (key: string, types: readonly string[]): Record<string, unknown> => part.wrapped(key, { connector: { type: types } }, ['connector']);
const uploadProperties = {
  image_name: { type: 'string', minLength: 1, maxLength: 255 },
  force: part.boolean,
  disk_format: { type: 'string', enum: ['raw', 'vmdk', 'vdi', 'qcow2', 'vhd', 'vhdx', 'ploop'] },
  container_format: part.description,
};

/** Actions that change what a volume is or holds. */
const contentActions = [
  action({
    action: 'os-extend',
    summary: 'Extend a volume',
    policy: 'volume:extend',
    body: part.wrapped('os-extend', { new_size: part.size }, ['new_size']),
    run: async (app, tx, request, volume, args) => extendVolume(app, tx, request, volume, Number(args.new_size), request.version.atLeast('3.42')),
  }),
  action({
    action: 'os-extend_volume_completion',
    summary: 'Complete an extension that waits for the guest',
    policy: 'volume_extension:volume_admin_actions:extend_volume_completion',
    body: part.wrapped('os-extend_volume_completion', { error: { type: ['string', 'null', 'boolean'] } }),
    run: async (_app, _tx, request, volume) => extendCompletion(request, volume),
  }),
  action({
    action: 'revert',
    summary: 'Put a volume back to its newest snapshot',
    policy: 'volume:revert_to_snapshot',
    since: '3.40',
    body: part.wrapped('revert', { snapshot_id: part.text }, [], { additionalProperties: true }),
    run: async (app, tx, request, volume, args) => revertVolume(app, tx, request, volume, args.snapshot_id ?? null),
  }),
  action({
    action: 'os-reimage',
    summary: 'Give a volume the content of an image',
    policy: 'volume:reimage',
    since: '3.68',
    body: part.wrapped('os-reimage', { image_id: part.uuid, reimage_reserved: part.boolean }, ['image_id']),
    run: async (app, tx, request, volume, args) => reimage(app, tx, request, volume, args.image_id, { reserved: asBoolean(args.reimage_reserved ?? false) }),
  }),
  action({
    action: 'os-volume_upload_image',
    summary: 'Copy a volume to an image',
    policy: 'volume_extension:volume_actions:upload_image',
    answer: Uploaded,
    body: [
      { from: '3.0', schema: part.wrapped('os-volume_upload_image', uploadProperties, ['image_name']) },
      {
        from: '3.1',
        schema: part.wrapped(
          'os-volume_upload_image',
          { ...uploadProperties, visibility: { type: 'string', enum: ['community', 'public', 'private', 'shared'] }, protected: part.boolean },
          ['image_name'],
        ),
      },
    ],
    async run(app, tx, request, volume, args) {
      const extended = request.version.atLeast('3.1');
      const ask = {
        imageName: args.image_name,
        diskFormat: args.disk_format ?? 'raw',
        containerFormat: args.container_format ?? 'bare',
        visibility: extended ? (args.visibility ?? 'private') : 'private',
        protected: extended && asBoolean(args.protected ?? false),
        force: asBoolean(args.force ?? false),
      };
      const { imageId, row, type } = await uploadToImage(app, tx, request, volume, ask);
      return {
        'os-volume_upload_image': {
          id: row.id,
          updated_at: row.updated_at_ms === null ? null : isoNaiveMicros(row.updated_at_ms),
          status: 'uploading',
          display_description: row.description,
          size: row.size_gb,
          volume_type: type === undefined ? null : recordOfType(request, type),
          image_id: imageId,
          container_format: ask.containerFormat,
          disk_format: ask.diskFormat,
          image_name: ask.imageName,
          ...(extended && { protected: ask.protected, visibility: ask.visibility }),
        },
      };
    },
  }),
  action({
    action: 'os-force_delete',
    summary: 'Delete a volume whatever its status',
    policy: 'volume_extension:volume_admin_actions:force_delete',
    body: part.bare('os-force_delete'),
    async run(app, tx, request, volume) {
      request.authorize('volume_extension:volume_admin_actions:force_delete', targetOf(volume));
      await deleteVolume(app, tx, request, volume, { force: true });
    },
  }),
];

/** Actions of those who attach volumes, the way it was before attachments were resources. */
const attachActions = [
  action({
    action: 'os-attach',
    summary: 'Record that a volume is attached',
    policy: 'volume_extension:volume_actions:attach',
    body: part.wrapped(
      'os-attach',
      {
        instance_uuid: part.uuid,
        mountpoint: { type: 'string', minLength: 1, maxLength: 255 },
        host_name: { type: 'string', maxLength: 255 },
        mode: { type: 'string', enum: ['rw', 'ro'] },
      },
      ['mountpoint'],
      { anyOf: [{ required: ['instance_uuid'] }, { required: ['host_name'] }] },
    ),
    run: async (app, tx, request, volume, args) =>
      attachDirectly(app.deps, tx, request, volume, {
        serverId: args.instance_uuid ?? null,
        hostName: args.host_name ?? null,
        mountpoint: args.mountpoint,
        mode: args.mode ?? 'rw',
      }),
  }),
  action({
    action: 'os-detach',
    summary: 'Record that a volume is detached',
    policy: 'volume_extension:volume_actions:detach',
    body: part.wrapped('os-detach', { attachment_id: part.optionalUuid }, [], { type: ['object', 'null'] }),
    run: async (app, tx, request, volume, args) => detachDirectly(app.deps, tx, request, volume, args?.attachment_id ?? null),
  }),
  action({
    action: 'os-force_detach',
    summary: 'Detach a volume by force',
    policy: 'volume_extension:volume_admin_actions:force_detach',
    body: part.wrapped('os-force_detach', { connector: { type: ['string', 'object', 'null'] }, attachment_id: part.text }),
    async run(app, tx, request, volume, args) {
      request.authorize('volume_extension:volume_admin_actions:force_detach', targetOf(volume));
      await detachDirectly(app.deps, tx, request, volume, args?.attachment_id ?? null);
    },
  }),
  action({
    action: 'os-reserve',
    summary: 'Reserve a volume',
    policy: 'volume_extension:volume_actions:reserve',
    body: part.bare('os-reserve'),
    run: async (app, tx, request, volume) => reserve(app, tx, request, volume),
  }),
  action({
    action: 'os-unreserve',
    summary: 'Give back a reserved volume',
    policy: 'volume_extension:volume_actions:unreserve',
    body: part.bare('os-unreserve'),
    run: async (app, tx, request, volume) => unreserve(app, tx, request, volume),
  }),
  action({
    action: 'os-begin_detaching',
    summary: 'Begin to detach a volume',
    policy: 'volume_extension:volume_actions:begin_detaching',
    body: part.bare('os-begin_detaching'),
    run: async (app, tx, request, volume) => beginDetaching(app, tx, request, volume),
  }),
  action({
    action: 'os-roll_detaching',
    summary: 'Take back the begin of a detachment',
    policy: 'volume_extension:volume_actions:roll_detaching',
    body: part.bare('os-roll_detaching'),
    run: async (app, tx, request, volume) => rollDetaching(app, tx, request, volume),
  }),
  action({
    action: 'os-initialize_connection',
    summary: 'Learn how to connect to a volume',
    policy: 'volume_extension:volume_actions:initialize_connection',
    answer: Connection,
    success: 200,
    body: connector('os-initialize_connection', ['object', 'string']),
    async run(_app, tx, request, volume, args) {
      request.authorize('volume_extension:volume_actions:initialize_connection', targetOf(volume));
      if (args.connector === null || typeof args.connector !== 'object')
        throw invalidInput('Invalid input received: the connector is no object.', { field: 'connector' });
      return {
        connection_info: {
          driver_volume_type: VOLUME_DRIVER,
          data: {
            disk_id: volume.disk_id,
            host: volume.host,
            volume_id: volume.id,
            access_mode: volume.readonly_flag === 'True' ? 'ro' : 'rw',
            encrypted: volume.encryption_key_id !== null,
            cacheable: false,
            qos_specs: await frontEndQos(tx, volume.type_id),
          },
          enforce_multipath: args.connector.enforce_multipath === true,
        },
      };
    },
  }),
  action({
    action: 'os-terminate_connection',
    summary: 'End a connection to a volume',
    policy: 'volume_extension:volume_actions:terminate_connection',
    body: connector('os-terminate_connection', ['string', 'object', 'null']),
    async run(app, tx, request, volume) {
      request.authorize('volume_extension:volume_actions:terminate_connection', targetOf(volume));
      await checkMayEndAll(tx, request.ctx, volume.id);
      await unreserve(app, tx, serviceCaller(request.ctx), volume);
    },
  }),
];

/** Actions on what is said about a volume. */
const flagActions = [
  action({
    action: 'os-reset_status',
    summary: "Set a volume's status",
    policy: 'volume_extension:volume_admin_actions:reset_status',
    body: part.wrapped('os-reset_status', { status: part.text, attach_status: part.text, migration_status: part.text }),
    run: async (app, tx, request, volume, args) =>
      resetStatus(app, tx, request, volume, { status: args.status, attachStatus: args.attach_status, migrationStatus: args.migration_status }),
  }),
];

const migration = {
  host: { type: ['string', 'null'], maxLength: 255 },
  force_host_copy: part.boolean,
  lock_volume: part.boolean,
  cluster: part.shortText,
};
const { cluster: _since316, ...hostAlone } = migration;

const migrationActions = [
  action({
    action: 'os-migrate_volume',
    summary: 'Move a volume to another host',
    policy: 'volume_extension:volume_admin_actions:migrate_volume',
    body: [
      { from: '3.0', schema: part.wrapped('os-migrate_volume', { ...hostAlone, host: { type: 'string', maxLength: 255 } }, ['host']) },
      { from: '3.16', schema: part.wrapped('os-migrate_volume', migration) },
    ],
    async run(app, tx, request, volume, args) {
      if (!args.host === !args.cluster) throw invalidInput('One and only one of cluster and host must be set.');
      await migrateVolume(app, tx, request, volume, args.host ?? args.cluster, asBoolean(args.lock_volume ?? false));
    },
  }),
  action({
    action: 'os-migrate_volume_completion',
    summary: 'Complete the migration of a volume',
    policy: 'volume_extension:volume_admin_actions:migrate_volume_completion',
    answer: SavedVolume,
    success: 200,
    body: part.wrapped('os-migrate_volume_completion', { new_volume: part.uuid, error: { type: ['string', 'null', 'boolean'] } }, ['new_volume']),
    run: async (_app, tx, request, volume, args) => ({ save_volume_id: completeMigration(request, volume, await getVolume(tx, request, args.new_volume)) }),
  }),
];

/** Actions with transactions of their own. */
const ownTransaction = (
  name: string,
  summary: string,
  policy: string,
  body: Record<string, unknown>,
  success: number,
  answer: TSchema | 'none',
  run: (app: CinderApp, request: Request, id: string, args: AnyBody) => Promise<unknown>,
) =>
  op({
    id: `cinder.volume.${name}`,
    method: 'POST',
    path: '/v3/volumes/{volume_id}/action',
    action: name,
    summary,
    policy,
    answer,
    success,
    body: schema(body),
    handle: async (app, request) => (await run(app, request, request.params['volume_id'] ?? '', (request.body as AnyBody)[name])) ?? new Reply(),
  });

const metadataActions = [
  ownTransaction(
    'os-update_readonly_flag',
    'Make a volume read-only, or writable again',
    'volume:update_readonly_flag',
    part.wrapped('os-update_readonly_flag', { readonly: part.boolean }, ['readonly']),
    202,
    'none',
    (app, request, id, args) => setReadonly(app, request, id, asBoolean(args.readonly)),
  ),
  ownTransaction(
    'os-set_bootable',
    'Say whether a volume can be booted from',
    'volume:update',
    part.wrapped('os-set_bootable', { bootable: part.boolean }, ['bootable']),
    200,
    'none',
    (app, request, id, args) => setBootable(app, request, id, asBoolean(args.bootable)),
  ),
  ownTransaction(
    'os-set_image_metadata',
    'Add image metadata to a volume',
    'volume_extension:volume_image_metadata:set',
    part.wrapped('os-set_image_metadata', { metadata: part.imageMetadata }, ['metadata']),
    200,
    AllMetadata,
    async (app, request, id, args) => ({ metadata: await writeImageMetadata(app, request, id, args.metadata) }),
  ),
  ownTransaction(
    'os-show_image_metadata',
    'Show the image metadata of a volume',
    'volume:get_volume_metadata',
    part.bare('os-show_image_metadata'),
    200,
    AllMetadata,
    async (app, request, id) => {
      const row = await getVolume(app.deps.env.store.read, request, id);
      request.authorize('volume:get_volume_metadata', targetOf(row));
      return { metadata: pairsOf(row.image_metadata) };
    },
  ),
  ownTransaction(
    'os-unset_image_metadata',
    'Remove image metadata from a volume',
    'volume_extension:volume_image_metadata:remove',
    part.wrapped('os-unset_image_metadata', { key: { type: 'string', minLength: 1, maxLength: 255 } }, ['key']),
    200,
    'none',
    (app, request, id, args) => removeImageMetadata(app, request, id, args.key, () => glanceMetadataNotFound(id)),
  ),
];

const retype = ownTransaction(
  'os-retype',
  'Give a volume another type',
  'volume:retype',
  part.wrapped('os-retype', { new_type: { type: 'string' }, migration_policy: { type: ['string', 'null'], enum: ['on-demand', 'never'] } }, ['new_type']),
  202,
  'none',
  async (app, request, id, args) => {
    const { deps, pools } = app;
    const all = await pools.list(deps.env.store.read);
    await deps.env.store.write(async (tx) => {
      const volume = await getVolume(tx, request, id);
      const pool = all.find((one) => one.key === volume.host);
      await retypeVolume(
        app,
        tx,
        request,
        volume,
        args.new_type,
        pool && capabilitiesOf(deps.options, pool, deps.env.clock.nowMs()),
        args.migration_policy === 'on-demand',
      );
    });
  },
);

export const volumeActionOperations = [...contentActions, ...attachActions, ...flagActions, ...migrationActions, ...metadataActions, retype];
