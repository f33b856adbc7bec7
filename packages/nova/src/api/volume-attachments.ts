import { Reply, type Request } from '@cairn/kit/http/operation';
import type { AttachVolume, UpdateAttachment } from '../app/volume-attachments.ts';
import { limitOf } from '../app/server-list.ts';
import { isTrue } from '../app/block-devices.ts';
import type { BlockDeviceRow } from '../store/block-device.ts';
import { OneVolumeAttachment, VolumeAttachmentList } from './answers/server-parts.ts';
import { op } from './op.ts';
import { anyQuery, boolean, devicePath, json, multi, nonNegativeInteger, object, tag, uuid } from './schemas/types.ts';

const PATH = '/v2.1/servers/{server_id}/os-volume_attachments';
const ONE = `${PATH}/{volume_id}` as const;
const page = { limit: multi(nonNegativeInteger), offset: multi(nonNegativeInteger) };
const attach = (more: Readonly<Record<string, object>>) =>
  object({ volumeAttachment: object({ volumeId: uuid, device: devicePath, ...more }, ['volumeId']) }, ['volumeAttachment']);
const serverId = (request: Request): string => request.params['server_id'] as string;
const volumeId = (request: Request): string => request.params['volume_id'] as string;

/** One attachment as GET shows it; from 2.89 with nova's and cinder's own ids in place of the volume's twice. */
function view({ version }: Request, device: BlockDeviceRow): object {
  const newer = version.atLeast('2.89');
  return {
    ...(newer ? {} : { id: device.volume_id }),
    volumeId: device.volume_id,
    serverId: device.server_id,
    ...(device.device_name === null ? {} : { device: device.device_name }),
    ...(version.atLeast('2.70') ? { tag: device.tag } : {}),
    ...(version.atLeast('2.79') ? { delete_on_termination: device.delete_on_termination === 1 } : {}),
    ...(newer ? { attachment_id: device.attachment_id, bdm_uuid: device.id } : {}),
  };
}

export const volumeAttachmentOperations = [
  op({
    id: 'nova.volume_attachment.list',
    method: 'GET',
    path: PATH,
    summary: "List a server's volumes",
    policy: 'os_compute_api:os-volumes-attachments:index',
    answer: VolumeAttachmentList,
    query: [
      { from: '2.1', schema: json({ type: 'object', properties: page, additionalProperties: true }) },
      { from: '2.75', schema: object(page) },
    ],
    async handle(app, request) {
      const { maxLimit } = app.deps.options;
      const limit = Math.min(limitOf(request.query.get('limit')) || maxLimit, maxLimit);
      const rows = await app.volumeAttachments.list(request, serverId(request), { offset: limitOf(request.query.get('offset')) ?? 0, limit });
      return { volumeAttachments: rows.map((row) => view(request, row)) };
    },
  }),
  op({
    id: 'nova.volume_attachment.show',
    method: 'GET',
    path: ONE,
    summary: "Show a server's volume attachment",
    policy: 'os_compute_api:os-volumes-attachments:show',
    answer: OneVolumeAttachment,
    query: anyQuery,
    handle: async (app, request) => ({ volumeAttachment: view(request, await app.volumeAttachments.get(request, serverId(request), volumeId(request))) }),
  }),
  op({
    id: 'nova.volume_attachment.create',
    method: 'POST',
    path: PATH,
    summary: 'Attach a volume to a server',
    policy: 'os_compute_api:os-volumes-attachments:create',
    answer: 'none',
    body: [
      { from: '2.1', schema: attach({}) },
      { from: '2.49', schema: attach({ tag }) },
      { from: '2.79', schema: attach({ tag, delete_on_termination: boolean }) },
    ],
    async handle(app, request) {
      const asked = (request.body as { readonly volumeAttachment: AttachVolume }).volumeAttachment;
      const made = await app.volumeAttachments.attach(request, serverId(request), asked, request.version);
      if (request.version.atLeast('2.101')) return new Reply(undefined, { status: 202 });
      return {
        volumeAttachment: {
          id: made.volume_id,
          serverId: made.server_id,
          volumeId: made.volume_id,
          device: made.device_name,
          ...(request.version.atLeast('2.70') ? { tag: asked.tag ?? null } : {}),
          ...(request.version.atLeast('2.79') ? { delete_on_termination: isTrue(asked.delete_on_termination) } : {}),
        },
      };
    },
  }),
  op({
    id: 'nova.volume_attachment.update',
    method: 'PUT',
    path: ONE,
    summary: "Change a server's volume attachment",
    // which rule holds depends on the body: the app asks for `update` or `swap`
    policy: 'os_compute_api:os-volumes-attachments:update',
    answer: 'none',
    success: 202,
    body: [
      { from: '2.1', schema: object({ volumeAttachment: object({ volumeId: uuid }, ['volumeId']) }, ['volumeAttachment']) },
      { from: '2.85', schema: attach({ tag, delete_on_termination: boolean, serverId: uuid, id: uuid }) },
    ],
    handle: (app, request) =>
      app.volumeAttachments.update(
        request,
        serverId(request),
        volumeId(request),
        (request.body as { readonly volumeAttachment: UpdateAttachment }).volumeAttachment,
        request.version,
      ),
  }),
  op({
    id: 'nova.volume_attachment.delete',
    method: 'DELETE',
    path: ONE,
    summary: 'Detach a volume from a server',
    policy: 'os_compute_api:os-volumes-attachments:delete',
    answer: 'none',
    success: 202,
    handle: (app, request) => app.volumeAttachments.detach(request, serverId(request), volumeId(request)),
  }),
];
