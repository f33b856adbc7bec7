import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { isAdmin } from '@cairn/kit/context/context';
import { type AnyBody, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import type { ListRequest } from '@cairn/kit/store/list';
import type { CinderApp } from '../app/app.ts';
import {
  ATTACHMENT_LIST as spec,
  completeAttachment,
  connectAttachment,
  connectionOf,
  getAttachment,
  listAttachments,
  removeAttachment,
  reserveVolume,
} from '../app/attachments.ts';
import { requesterOf, targetOf } from '../app/caller.ts';
import { getVolume } from '../app/volumes.ts';
import { projectScope } from '../app/lists.ts';
import type { AttachmentRow } from '../store/tables.ts';
import { AttachmentDetailList, AttachmentList, OneAttachment } from './answers/volumes.ts';
import { conditionsOf, pageWithOffset, readList, restrictFilters, sortFor } from './list.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';

const RENAME = { instance_id: 'instance_uuid', status: 'attach_status' };

const summary = (row: AttachmentRow): object => ({ id: row.id, status: row.attach_status, instance: row.server_id, volume_id: row.volume_id });
const detail = (row: AttachmentRow): object => ({
  ...summary(row),
  attached_at: row.attached_at_ms === null ? '' : isoNaiveMicros(row.attached_at_ms),
  detached_at: '',
  attach_mode: row.attach_mode,
  connection_info: connectionOf(row) ?? {},
});

async function list(app: CinderApp, request: Request): Promise<readonly AttachmentRow[]> {
  const { ctx } = request;
  const ask = readList(request, app.deps.options.maxLimit);
  const { filters } = ask;
  restrictFilters(request, filters, 'attachment', ['volume_id', 'status', 'instance_id', 'attach_status']);
  const everybody = isAdmin(ctx) && filters.has('all_tenants');
  filters.delete('all_tenants');
  const conditions = conditionsOf({ spec, rename: RENAME, like: request.version.atLeast('3.34') }, filters);
  if (!conditions) return [];
  const listed: ListRequest = {
    ...projectScope(ctx, everybody),
    filters: conditions.filters,
    sort: sortFor(spec, ask.sort, RENAME),
  };
  return pageWithOffset((page) => listAttachments(app.deps.env.store.read, page), listed, ask);
}

const createProperties = { instance_uuid: part.uuid, connector: { type: ['object', 'null'] }, volume_uuid: part.uuid };
const idOf = (request: Request): string => request.params['attachment_id'] ?? '';

export const attachmentOperations = [
  op({
    id: 'cinder.attachment.list',
    method: 'GET',
    path: '/v3/attachments',
    since: '3.27',
    summary: 'List attachments',
    policy: AUTHENTICATED,
    answer: AttachmentList,
    handle: async (app, request) => ({ attachments: (await list(app, request)).map(summary) }),
  }),
  op({
    id: 'cinder.attachment.list-detail',
    method: 'GET',
    path: '/v3/attachments/detail',
    since: '3.27',
    summary: 'List attachments with details',
    policy: AUTHENTICATED,
    answer: AttachmentDetailList,
    handle: async (app, request) => ({ attachments: (await list(app, request)).map(detail) }),
  }),
  op({
    id: 'cinder.attachment.show',
    method: 'GET',
    path: '/v3/attachments/{attachment_id}',
    since: '3.27',
    summary: 'Show an attachment',
    policy: AUTHENTICATED,
    answer: OneAttachment,
    handle: async (app, request) => ({ attachment: detail(await getAttachment(app.deps.env.store.read, request.ctx, idOf(request))) }),
  }),
  op({
    id: 'cinder.attachment.create',
    method: 'POST',
    path: '/v3/attachments',
    since: '3.27',
    summary: 'Create an attachment',
    policy: 'volume:attachment_create',
    answer: OneAttachment,
    body: [
      { from: '3.27', schema: schema(part.wrapped('attachment', createProperties, ['volume_uuid'])) },
      { from: '3.54', schema: schema(part.wrapped('attachment', { ...createProperties, mode: { type: 'string', enum: ['rw', 'ro'] } }, ['volume_uuid'])) },
    ],
    async handle(app, request) {
      const body = (request.body as AnyBody).attachment as Record<string, AnyBody>;
      const { deps } = app;
      const row = await deps.env.store.write(async (tx) => {
        const volume = await getVolume(tx, request, body['volume_uuid']);
        const id = deps.env.ids.uuid();
        const reserved = await reserveVolume(deps, tx, request, volume, {
          id,
          serverId: body['instance_uuid'] ?? null,
          mode: body['mode'] ?? 'null',
          byCompute: false,
        });
        return body['connector'] ? connectAttachment(deps, tx, requesterOf(request.ctx), id, body['connector']) : reserved;
      });
      return { attachment: detail(row) };
    },
  }),
  op({
    id: 'cinder.attachment.update',
    method: 'PUT',
    path: '/v3/attachments/{attachment_id}',
    since: '3.27',
    summary: 'Give an attachment its connector',
    policy: 'volume:attachment_update',
    answer: OneAttachment,
    body: schema(part.wrapped('attachment', { connector: { type: 'object', minProperties: 1 } }, ['connector'])),
    async handle(app, request) {
      const { connector } = (request.body as AnyBody).attachment as { connector: Record<string, unknown> };
      const row = await app.deps.env.store.write(async (tx) => {
        const found = await getAttachment(tx, request.ctx, idOf(request));
        request.authorize('volume:attachment_update', targetOf(found));
        return connectAttachment(app.deps, tx, requesterOf(request.ctx), found.id, connector);
      });
      return { attachment: detail(row) };
    },
  }),
  op({
    id: 'cinder.attachment.delete',
    method: 'DELETE',
    path: '/v3/attachments/{attachment_id}',
    since: '3.27',
    summary: 'Delete an attachment',
    policy: 'volume:attachment_delete',
    answer: AttachmentList,
    async handle(app, request) {
      return { attachments: (await removeAttachment(app.deps, request, idOf(request))).map(summary) };
    },
  }),
  op({
    id: 'cinder.attachment.os-complete',
    method: 'POST',
    path: '/v3/attachments/{attachment_id}/action',
    action: 'os-complete',
    since: '3.44',
    summary: 'Mark an attachment as attached',
    policy: 'volume:attachment_complete',
    answer: 'none',
    success: 204,
    body: schema(part.bare('os-complete')),
    async handle(app, request) {
      await app.deps.env.store.write(async (tx) => {
        const found = await getAttachment(tx, request.ctx, idOf(request));
        request.authorize('volume:attachment_complete', targetOf(found));
        await completeAttachment(app.deps, tx, requesterOf(request.ctx), found.id);
      });
      return new Reply();
    },
  }),
];
