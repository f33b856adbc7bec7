import { CairnError, forbidden, invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { GlanceApp } from '../app/app.ts';
import { op } from './op.ts';
import { rangeOf } from './range.ts';

const idOf = (req: Request<AnyBody>): string => req.params.image_id as string;

/** Refuses what is not a plain stream of bytes, and a length that is none. */
function checkBody(req: Request<AnyBody>): void {
  const type = String(req.headers['content-type'] ?? '');
  if (!/^application\/octet-stream(?:;|$)/i.test(type)) throw new CairnError('UnsupportedMediaType', `Invalid content type ${type}`.trim());
  const size = req.headers['x-openstack-image-size'];
  if (size !== undefined && !/^\d+$/.test(String(size))) throw invalidInput('Invalid or missing image size in request headers.');
}

/** The length that the data says it has. */
function declaredOf(req: Request<AnyBody>): { declaredBytes?: number } {
  const length = req.headers['content-length'] ?? req.headers['x-openstack-image-size'];
  return length === undefined ? {} : { declaredBytes: Number(length) };
}

async function download(app: GlanceApp, req: Request<AnyBody>): Promise<Reply> {
  const row = await app.images.visible(app.env.store.read, req.ctx, idOf(req));
  if (row.status === 'deactivated' && !req.allowed('context_is_admin'))
    throw forbidden('The requested image has been deactivated. Image data download is forbidden.');
  const prefer = (req.query.get('prefer') ?? '')
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
  for (const id of prefer) if (!app.stores.get(id)) throw invalidInput(`Store '${id}' is not configured.`, { field: 'prefer' });
  if (row.status !== 'active' && row.status !== 'deactivated') return new Reply(undefined, { status: 204 });
  const size = row.size_bytes ?? 0;
  const range = rangeOf(req.headers, size);
  const stream = await app.data.open(row, range, prefer);
  return new Reply(stream, {
    status: range ? 206 : 200,
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(range ? range.end - range.start + 1 : size),
      ...(row.checksum !== null && { 'content-md5': row.checksum }),
      ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${size}` }),
    },
  });
}

export const imageDataOperations = [
  op({
    id: 'glance.image.upload',
    method: 'PUT',
    path: '/v2/images/{image_id}/file',
    summary: "Upload an image's data",
    policy: 'upload_image',
    input: 'stream',
    success: 204,
    answer: 'none',
    async handle(app, req) {
      checkBody(req);
      const store = req.headers['x-image-meta-store'];
      await app.data.upload(req.ctx, idOf(req), req.stream, { signal: req.signal, ...declaredOf(req), ...(store !== undefined && { store: String(store) }) });
    },
  }),
  op({
    id: 'glance.image.stage',
    method: 'PUT',
    path: '/v2/images/{image_id}/stage',
    summary: "Upload an image's data for an import that follows",
    policy: 'modify_image',
    input: 'stream',
    success: 204,
    answer: 'none',
    async handle(app, req) {
      checkBody(req);
      await app.data.stage(req.ctx, idOf(req), req.stream, { signal: req.signal, ...declaredOf(req) });
    },
  }),
  op({
    id: 'glance.image.download',
    method: 'GET',
    path: '/v2/images/{image_id}/file',
    answer: 'stream',
    summary: "Download an image's data",
    policy: 'download_image',
    handle: download,
  }),
  op({
    id: 'glance.store.delete_image',
    method: 'DELETE',
    path: '/v2/stores/{store_id}/{image_id}',
    summary: "Remove an image's data from one of several stores",
    policy: 'delete_image_location',
    success: 204,
    answer: 'none',
    handle: (app, req) => app.data.removeFrom(req.ctx, req.params.store_id as string, idOf(req)),
  }),
  op({
    id: 'glance.image.deactivate',
    method: 'POST',
    path: '/v2/images/{image_id}/actions/deactivate',
    summary: 'Deactivate an image',
    policy: 'deactivate',
    success: 204,
    answer: 'none',
    async handle(app, req) {
      await app.images.own(app.env.store.read, req.ctx, idOf(req), 'deactivate');
      await app.images.setStatus(req.ctx, idOf(req), 'deactivated');
    },
  }),
  op({
    id: 'glance.image.reactivate',
    method: 'POST',
    path: '/v2/images/{image_id}/actions/reactivate',
    summary: 'Reactivate an image',
    policy: 'reactivate',
    success: 204,
    answer: 'none',
    async handle(app, req) {
      await app.images.own(app.env.store.read, req.ctx, idOf(req), 'reactivate');
      await app.images.setStatus(req.ctx, idOf(req), 'active');
    },
  }),
];
