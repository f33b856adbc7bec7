import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';
import { type GlanceImage, propertiesOf } from '../app/images.ts';
import { ImageDetails, ImageMetadata, ImageMetadataItem, Images, OneImage } from './answers/others.ts';
import { op } from './op.ts';
import { booleanOf, last, openQuery } from './query.ts';
import { json, metadata, multi, object, positiveInteger } from './schemas/types.ts';
import { linksOf, nextLinks } from './views/links.ts';

const UNTIL = '2.35';
const METADATA_UNTIL = '2.38';
const LIST = openQuery({ limit: multi(positiveInteger), page_size: multi(positiveInteger), offset: multi(positiveInteger) });
const METADATA = object({ metadata }, ['metadata']);
const META = object({ meta: json({ ...metadata, minProperties: 1, maxProperties: 1 }) }, ['meta']);

const STATUS: Readonly<Record<string, string>> = {
  active: 'ACTIVE',
  queued: 'SAVING',
  saving: 'SAVING',
  deleted: 'DELETED',
  pending_delete: 'DELETED',
  killed: 'ERROR',
};
const PROGRESS: Readonly<Record<string, number>> = { queued: 25, saving: 50, active: 100 };
/** Filters by nova's name and by glance's. */
const FILTERS: Readonly<Record<string, string>> = {
  name: 'name',
  status: 'status',
  server: 'instance_uuid',
  type: 'image_type',
  minRam: 'min_ram',
  minDisk: 'min_disk',
};

const imageId = (req: Request<AnyBody>): string => req.params.image_id as string;
const keyOf = (req: Request<AnyBody>): string => req.params.key as string;

function filtersOf(req: Request<AnyBody>): Record<string, string> {
  const filters: Record<string, string> = {};
  for (const [name, value] of req.query) {
    if (name === 'changes-since') filters.updated_at = `gte:${value}`;
    else if (name.startsWith('property-')) filters[name.slice('property-'.length)] = value;
    else if (name in FILTERS)
      filters[FILTERS[name] as string] = name === 'status' ? value.toLowerCase() : name === 'server' ? (value.split('/').at(-1) as string) : value;
  }
  return filters;
}

/** The image in glance's own API, which is beside nova's. */
const alternate = (req: Request<AnyBody>, id: string): object => ({
  rel: 'alternate',
  type: 'application/vnd.openstack.image',
  href: `${req.baseUrl.replace(/\/compute$/, '')}/image/images/${id}`,
});
const basic = (req: Request<AnyBody>, image: GlanceImage): object => ({
  id: image.id,
  name: image.name,
  links: [...linksOf(req, 'images', image.id), alternate(req, image.id)],
});

function full(req: Request<AnyBody>, image: GlanceImage): object {
  const properties = propertiesOf(image);
  const { instance_uuid: server, auto_disk_config: auto } = properties;
  return {
    ...basic(req, image),
    minRam: Number(image.min_ram ?? 0),
    minDisk: Number(image.min_disk ?? 0),
    metadata: properties,
    created: image.created_at,
    updated: image.updated_at,
    status: STATUS[String(image.status)] ?? 'UNKNOWN',
    progress: PROGRESS[String(image.status)] ?? 0,
    'OS-EXT-IMG-SIZE:size': image.size ?? 0,
    ...(typeof server === 'string' && { server: { id: server, links: linksOf(req, 'servers', server) } }),
    ...(auto !== undefined && auto !== null && { 'OS-DCF:diskConfig': booleanOf(auto) === true ? 'AUTO' : 'MANUAL' }),
  };
}

async function listed(app: NovaApp, req: Request<AnyBody>, path: string, view: (req: Request<AnyBody>, image: GlanceImage) => object): Promise<object> {
  const limit = last(req, 'limit');
  const images = await app.images.list(req.ctx, filtersOf(req), { limit: limit === undefined ? undefined : Number(limit), marker: last(req, 'marker') });
  const links = nextLinks(
    req,
    path,
    images.map(({ id }) => id),
    app.deps.options.maxLimit,
  );
  return { images: images.map((image) => view(req, image)), ...(links.length > 0 && { images_links: links }) };
}

/** Glance's own policy judges whoever calls: nova asks none of its own here, as upstream. */
export const imageOperations = [
  op({
    id: 'nova.image.list',
    method: 'GET',
    path: '/v2.1/images',
    summary: 'List images',
    until: UNTIL,
    policy: AUTHENTICATED,
    answer: Images,
    query: LIST,
    handle: (app, req) => listed(app, req, 'images', basic),
  }),
  op({
    id: 'nova.image.detail',
    method: 'GET',
    path: '/v2.1/images/detail',
    summary: 'List images with details',
    until: UNTIL,
    policy: AUTHENTICATED,
    answer: ImageDetails,
    query: LIST,
    handle: (app, req) => listed(app, req, 'images/detail', full),
  }),
  op({
    id: 'nova.image.show',
    method: 'GET',
    path: '/v2.1/images/{image_id}',
    summary: 'Show an image',
    until: UNTIL,
    policy: AUTHENTICATED,
    answer: OneImage,
    handle: async (app, req) => ({ image: full(req, await app.images.get(req.ctx, imageId(req))) }),
  }),
  op({
    id: 'nova.image.delete',
    method: 'DELETE',
    path: '/v2.1/images/{image_id}',
    summary: 'Delete an image',
    until: UNTIL,
    policy: AUTHENTICATED,
    answer: 'none',
    success: 204,
    async handle(app, req) {
      await app.images.delete(req.ctx, imageId(req));
      return new Reply(undefined);
    },
  }),
  op({
    id: 'nova.image-metadata.list',
    method: 'GET',
    path: '/v2.1/images/{image_id}/metadata',
    summary: "List an image's metadata",
    until: METADATA_UNTIL,
    policy: AUTHENTICATED,
    answer: ImageMetadata,
    handle: async (app, req) => ({ metadata: propertiesOf(await app.images.get(req.ctx, imageId(req))) }),
  }),
  op({
    id: 'nova.image-metadata.create',
    method: 'POST',
    path: '/v2.1/images/{image_id}/metadata',
    summary: "Add to an image's metadata",
    until: METADATA_UNTIL,
    policy: AUTHENTICATED,
    answer: ImageMetadata,
    body: METADATA,
    handle: async (app, req) => ({ metadata: await app.images.change(req.ctx, imageId(req), (req.body as AnyBody).metadata, { replace: false }) }),
  }),
  op({
    id: 'nova.image-metadata.replace',
    method: 'PUT',
    path: '/v2.1/images/{image_id}/metadata',
    summary: "Replace an image's metadata",
    until: METADATA_UNTIL,
    policy: AUTHENTICATED,
    answer: ImageMetadata,
    body: METADATA,
    async handle(app, req) {
      const { metadata: wanted } = req.body as { metadata: Record<string, string> };
      await app.images.change(req.ctx, imageId(req), wanted, { replace: true });
      return { metadata: wanted };
    },
  }),
  op({
    id: 'nova.image-metadata.show',
    method: 'GET',
    path: '/v2.1/images/{image_id}/metadata/{key}',
    summary: "Show an item of an image's metadata",
    until: METADATA_UNTIL,
    policy: AUTHENTICATED,
    answer: ImageMetadataItem,
    async handle(app, req) {
      const properties = propertiesOf(await app.images.get(req.ctx, imageId(req)));
      if (!Object.hasOwn(properties, keyOf(req))) throw notFound('The resource could not be found.');
      return { meta: { [keyOf(req)]: properties[keyOf(req)] } };
    },
  }),
  op({
    id: 'nova.image-metadata.update',
    method: 'PUT',
    path: '/v2.1/images/{image_id}/metadata/{key}',
    summary: "Change an item of an image's metadata",
    until: METADATA_UNTIL,
    policy: AUTHENTICATED,
    answer: ImageMetadataItem,
    body: META,
    async handle(app, req) {
      const { meta } = req.body as { meta: Record<string, string> };
      if (!Object.hasOwn(meta, keyOf(req))) throw invalidInput('Request body and URI mismatch');
      await app.images.change(req.ctx, imageId(req), meta, { replace: false });
      return { meta };
    },
  }),
  op({
    id: 'nova.image-metadata.delete',
    method: 'DELETE',
    path: '/v2.1/images/{image_id}/metadata/{key}',
    summary: "Delete an item of an image's metadata",
    until: METADATA_UNTIL,
    policy: AUTHENTICATED,
    answer: 'none',
    success: 204,
    async handle(app, req) {
      const properties = propertiesOf(await app.images.get(req.ctx, imageId(req)));
      if (!Object.hasOwn(properties, keyOf(req))) throw notFound('Invalid metadata key');
      await app.images.change(req.ctx, imageId(req), { [keyOf(req)]: null }, { replace: false });
      return new Reply(undefined);
    },
  }),
];
