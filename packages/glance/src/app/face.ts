import { systemContext } from '@cairn/kit/context/context';
import type { ImageFormat } from '@cairn/host/interface/disks';
import { conflict, notFound } from '@cairn/kit/errors/errors';
import type { GlanceFace, ImageFacts } from '../face.ts';
import * as store from '../store/images.ts';
import type { GlanceApp } from './app.ts';
import { imageScope } from './image-list.ts';
import type { Image } from './images.ts';

/** What other services ask of glance. */
export function createFace(app: GlanceApp): GlanceFace {
  const { images } = app;
  return {
    image: async (db, ctx, imageId) => factsOf(await images.get(db, ctx, imageId)),
    async named(db, ctx, name) {
      const { rows } = await store.listImages(db, { filters: [{ field: 'name', op: 'eq', value: name }], scope: imageScope(ctx, null, 'accepted'), limit: 2 });
      return Promise.all(rows.map(async (row) => factsOf(await images.get(db, ctx, row.id))));
    },
    async source(db, imageId) {
      const row = await store.imageById(db, imageId);
      if (!row) throw notFound(`Image ${imageId} could not be found.`);
      if (row.status !== 'active') throw conflict(`Image ${imageId} is not active: its status is ${row.status}.`);
      const path = await app.data.path(imageId);
      return {
        imageId,
        format: (row.disk_format ?? 'raw') as ImageFormat,
        sizeBytes: row.size_bytes ?? 0,
        ...(row.os_hash_value !== null && row.os_hash_algo === 'sha512' && { sha512: row.os_hash_value }),
        ...(path !== undefined && { path }),
      };
    },
    async open(imageId) {
      const row = await store.imageById(app.env.store.read, imageId);
      if (!row) throw notFound(`Image ${imageId} could not be found.`);
      return app.data.open(row);
    },
    async verifySignature(imageId, trusted, signal) {
      const row = await store.imageById(app.env.store.read, imageId);
      if (!row) throw notFound(`Image ${imageId} could not be found.`);
      await app.data.verify(row, trusted, signal);
    },
    async create(tx, ctx, image) {
      const found = await store.imageById(tx, image.id);
      if (found) return factsOf(await images.get(tx, systemContext(ctx.requestId), image.id));
      return factsOf(
        await images.create(tx, ctx, {
          id: image.id,
          name: image.name,
          disk_format: image.diskFormat,
          container_format: image.containerFormat,
          visibility: image.visibility ?? 'private',
          protected: image.protected ?? false,
          min_disk: image.minDiskGb ?? 0,
          min_ram: image.minRamMb ?? 0,
          tags: [],
          properties: image.properties,
        }),
      );
    },
    async upload(imageId, data, signal) {
      // a try that a crash cut short left the image saving: begin again
      await app.env.store.write((tx) => store.updateImage(tx, imageId, { status: 'queued' }, ['saving']));
      const row = await store.imageById(app.env.store.read, imageId);
      if (row?.status === 'active') {
        data.destroy();
        return;
      }
      await app.data.upload(undefined, imageId, data, signal ? { signal } : {});
    },
    setProperties: (tx, imageId, properties) => store.changeProperties(tx, imageId, properties),
    discard: (imageId) => images.discard(imageId),
  };
}

function factsOf({ row, properties, tags }: Image): ImageFacts {
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    visibility: row.visibility,
    owner: row.owner,
    protected: row.protected !== 0,
    diskFormat: row.disk_format,
    containerFormat: row.container_format,
    sizeBytes: row.size_bytes,
    virtualSizeBytes: row.virtual_size_bytes,
    minDiskGb: row.min_disk_gb,
    minRamMb: row.min_ram_mb,
    checksum: row.checksum,
    osHashAlgo: row.os_hash_algo,
    osHashValue: row.os_hash_value,
    tags,
    properties,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}
