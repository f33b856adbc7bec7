import { conflict, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { GlanceApp } from '../app/app.ts';
import type { CacheRow } from '../store/data-tables.ts';
import type { ImageRow } from '../store/tables.ts';
import { cacheAnswer, prunedAnswer } from './answers/info.ts';
import { op } from './op.ts';

const idOf = (req: Request<AnyBody>): string => req.params.image_id as string;

async function imageOf(app: GlanceApp, req: Request<AnyBody>): Promise<ImageRow> {
  try {
    return await app.images.visible(app.env.store.read, req.ctx, idOf(req));
  } catch (error) {
    if (isCairnError(error, 'NotFound')) throw notFound(`Image ${idOf(req)} not found.`);
    throw error;
  }
}

/** Times as fractions of seconds, as upstream's cache has them. */
const view = (row: CacheRow): object => ({
  image_id: row.image_id,
  hits: row.hits,
  last_accessed: row.accessed_at_ms / 1000,
  last_modified: row.modified_at_ms / 1000,
  size: row.size_bytes,
});

export const cacheOperations = [
  op({
    id: 'glance.cache.list',
    method: 'GET',
    path: '/v2/cache',
    answer: cacheAnswer,
    summary: 'List what is cached and what is to be',
    policy: 'cache_list',
    async handle(app) {
      const { cached, queued } = await app.cache.state();
      return { cached_images: cached.map(view), queued_images: queued.map((row) => row.image_id) };
    },
  }),
  op({
    id: 'glance.cache.clear',
    method: 'DELETE',
    path: '/v2/cache',
    summary: 'Empty the cache, its queue, or both',
    policy: 'cache_delete',
    success: 204,
    answer: 'none',
    async handle(app, req) {
      const target = String(req.headers['x-image-cache-clear-target'] ?? '').toLowerCase();
      if (!['', 'cache', 'queue'].includes(target)) throw invalidInput("If provided 'x-image-cache-clear-target' must be 'cache', 'queue' or empty string.");
      if (target !== 'queue') await app.cache.clear('cached');
      if (target !== 'cache') await app.cache.clear('queued');
    },
  }),
  op({
    id: 'glance.cache.queue',
    method: 'PUT',
    path: '/v2/cache/{image_id}',
    answer: 'none',
    summary: 'Ask that an image be cached',
    policy: 'cache_image',
    input: 'none',
    success: 202,
    async handle(app, req) {
      const row = await imageOf(app, req);
      if (row.status !== 'active') throw invalidInput('Only images with status active can be targeted for queueing');
      await app.cache.queue(row.id);
    },
  }),
  op({
    id: 'glance.cache.delete',
    method: 'DELETE',
    path: '/v2/cache/{image_id}',
    summary: 'Remove an image from the cache and its queue',
    policy: 'cache_delete',
    success: 204,
    answer: 'none',
    async handle(app, req) {
      if (!isUuidLike(idOf(req)) || !(await app.cache.drop(idOf(req)))) await imageOf(app, req);
    },
  }),
  op({
    id: 'glance.cache.nodes',
    method: 'GET',
    path: '/v2/cache/nodes/{image_id}',
    answer: 'none',
    summary: 'List the nodes that have an image cached; one cloud has one cache',
    policy: 'list_cached_nodes',
    handle() {
      throw conflict('Centralized caching is not enabled');
    },
  }),
  op({
    id: 'glance.cache.clean',
    method: 'POST',
    path: '/v2/cache/clean',
    answer: 'none',
    summary: 'Remove what is broken in the cache',
    policy: 'cache_clean',
    input: 'none',
    async handle(app) {
      await app.cache.clean();
      return new Reply(undefined);
    },
  }),
  op({
    id: 'glance.cache.prune',
    method: 'POST',
    path: '/v2/cache/prune',
    answer: prunedAnswer,
    summary: 'Bring the cache down to its size',
    policy: 'cache_prune',
    input: 'none',
    async handle(app) {
      const { files, bytes } = await app.cache.prune();
      return { total_files_pruned: files, total_bytes_pruned: bytes };
    },
  }),
];
