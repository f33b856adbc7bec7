import { forbidden, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, JsonText, Reply, type Request } from '@cairn/kit/http/operation';
import type { GlanceApp } from '../app/app.ts';
import { sumUp } from '../app/image-patch.ts';
import type { Image, ImageChange } from '../app/images.ts';
import type { LocationChange, Probed } from '../app/locations.ts';
import { image as imageAnswer, imagesAnswer } from './answers/images.ts';
import { checkTags, draftOf, newImage, patchOf } from './attributes.ts';
import { isBaseProperty } from './image-schema.ts';
import { listRequest, nextLinks } from './list.ts';
import { locationChange } from './locations.ts';
import { op } from './op.ts';
import { imageView } from './view.ts';

const idOf = (req: Request<AnyBody>): string => req.params.image_id as string;

async function mayChangeVisibility(req: Request<AnyBody>, change: ImageChange): Promise<void> {
  if (change.visibility === 'public') req.authorize('publicize_image');
  if (change.visibility === 'community') req.authorize('communitize_image');
}

/** The image as the caller may see it: without properties that it may not read. */
function seen(app: GlanceApp, req: Request<AnyBody>, image: Image): Image {
  return app.protection.active ? { ...image, properties: app.protection.seen(req.ctx, image.properties, req.allowed) } : image;
}

const texts = new WeakMap<Image, string>();

/** The JSON of a listed image's view, which is the same for everybody. */
function keptText(app: GlanceApp, image: Image): string {
  let text = texts.get(image);
  if (text === undefined) texts.set(image, (text = JSON.stringify(imageView(app, image))));
  return text;
}

async function knownMarker(app: GlanceApp, req: Request<AnyBody>, id: string): Promise<void> {
  try {
    await app.images.visible(app.env.store.read, req.ctx, id);
  } catch (error) {
    throw isCairnError(error, 'NotFound') ? invalidInput(error.message, { field: 'marker' }) : error;
  }
}

const show = async (app: GlanceApp, req: Request<AnyBody>): Promise<object> =>
  imageView(app, seen(app, req, await app.images.get(app.env.store.read, req.ctx, idOf(req))));

/** May the caller change these locations, and what is behind them? Before the transaction, since it asks web servers. */
async function probeLocations(app: GlanceApp, req: Request<AnyBody>, moves: readonly LocationChange[]): Promise<Probed> {
  if (moves.length === 0) return new Map();
  const row = await app.images.own(app.env.store.read, req.ctx, idOf(req), 'modify');
  for (const move of moves) req.authorize(move.op === 'remove' ? 'delete_image_location' : 'set_image_location');
  app.locations.allow(moves);
  return app.locations.probe((await app.images.get(app.env.store.read, req.ctx, row.id)).locations, moves);
}

/** Applies a patch: attributes, tags and properties, each operation on the result of the one before. */
async function patch(app: GlanceApp, req: Request<AnyBody>): Promise<object> {
  const operations = patchOf(req.body, draftOf(req.headers['content-type'] as string | undefined));
  const moves = operations.filter((o) => o.path[0] === 'locations').map((o) => locationChange(o.op, o.path, o.value));
  const probed = await probeLocations(app, req, moves);
  await app.env.store.write(async (tx) => {
    const now = await app.images.get(tx, req.ctx, idOf(req));
    if (operations.length === 0) return;
    await app.images.own(tx, req.ctx, idOf(req), 'modify');
    const sum = sumUp(
      operations
        .filter(({ path }) => path[0] !== 'locations')
        .map(({ op: verb, path, value, draft }) => ({
          op: verb,
          name: path[0],
          value,
          addsOnce: draft === 4,
          base: isBaseProperty(path[0]),
        })),
      Object.keys(seen(app, req, now).properties),
      req.allowed('context_is_admin'),
      (name, action) => app.protection.check(req.ctx, name, action, req.allowed),
    );
    if (sum.grown) app.images.checkPropertyQuota(sum.names);
    await mayChangeVisibility(req, sum.change);
    await app.images.change(tx, req.ctx, now.row, sum.change, sum.properties, sum.tags);
    await app.locations.apply(tx, now.row, moves, probed);
  });
  return show(app, req);
}

export const imageOperations = [
  op({
    id: 'glance.image.list',
    method: 'GET',
    path: '/v2/images',
    answer: imagesAnswer,
    summary: 'List images',
    policy: 'get_images',
    async handle(app, req) {
      const { limit, request } = listRequest(req, (name) => app.protection.allows(req.ctx, name, 'read', req.allowed));
      // SECURITY: a marker must be an image that the caller sees, or lists would tell which ids exist
      if (request.marker !== undefined) await knownMarker(app, req, String(request.marker));
      const page = await app.images.list(request);
      const views = page.images.map((image) => (app.protection.active ? JSON.stringify(imageView(app, seen(app, req, image))) : keptText(app, image)));
      const rest = JSON.stringify({ ...nextLinks(req, '/v2/images', limit, page), schema: '/v2/schemas/images' });
      return new JsonText(['{"images":[', views.join(','), '],', rest.slice(1)]);
    },
  }),
  op({
    id: 'glance.image.create',
    method: 'POST',
    path: '/v2/images',
    answer: imageAnswer,
    summary: 'Create an image',
    policy: 'add_image',
    success: 201,
    async handle(app, req) {
      const { id, change, properties, tags } = newImage(req.body);
      if (change.owner !== undefined && change.owner !== req.ctx.projectId && !req.allowed('context_is_admin'))
        throw forbidden(`You are not permitted to create images owned by '${change.owner}'.`, { field: 'owner' });
      await mayChangeVisibility(req, change);
      for (const name of Object.keys(properties)) app.protection.check(req.ctx, name, 'create', req.allowed);
      const image = await app.env.store.write((tx) => app.images.create(tx, req.ctx, { ...change, ...(id !== undefined && { id }), properties, tags }));
      return new Reply(imageView(app, seen(app, req, image)), {
        headers: {
          location: `${req.baseUrl}/v2/images/${image.row.id}`,
          'openstack-image-import-methods': app.options.import.methods.join(','),
          'openstack-image-store-ids': app.stores.all.map((s) => s.id).join(','),
        },
      });
    },
  }),
  op({
    id: 'glance.image.get',
    method: 'GET',
    path: '/v2/images/{image_id}',
    summary: 'Show an image',
    policy: 'get_image',
    answer: imageAnswer,
    handle: show,
  }),
  op({
    id: 'glance.image.update',
    method: 'PATCH',
    path: '/v2/images/{image_id}',
    summary: 'Change an image',
    policy: 'modify_image',
    answer: imageAnswer,
    handle: patch,
  }),
  op({
    id: 'glance.image.delete',
    method: 'DELETE',
    path: '/v2/images/{image_id}',
    summary: 'Delete an image',
    policy: 'delete_image',
    success: 204,
    answer: 'none',
    handle: (app, req) => app.images.delete(req.ctx, idOf(req)),
  }),
  op({
    id: 'glance.tag.add',
    method: 'PUT',
    path: '/v2/images/{image_id}/tags/{tag}',
    summary: 'Tag an image',
    policy: 'modify_image',
    success: 204,
    answer: 'none',
    async handle(app, req) {
      const tag = req.params.tag as string;
      checkTags([tag]);
      await app.env.store.write(async (tx) => {
        const row = await app.images.own(tx, req.ctx, idOf(req), 'modify');
        const { tags } = await app.images.get(tx, req.ctx, row.id);
        await app.images.change(tx, req.ctx, row, {}, {}, [...tags, tag]);
      });
    },
  }),
  op({
    id: 'glance.tag.remove',
    method: 'DELETE',
    path: '/v2/images/{image_id}/tags/{tag}',
    summary: 'Untag an image',
    policy: 'modify_image',
    success: 204,
    answer: 'none',
    async handle(app, req) {
      const tag = req.params.tag as string;
      await app.env.store.write(async (tx) => {
        const row = await app.images.own(tx, req.ctx, idOf(req), 'modify');
        const { tags } = await app.images.get(tx, req.ctx, row.id);
        if (!tags.includes(tag)) throw notFound('The resource could not be found.');
        await app.images.change(
          tx,
          req.ctx,
          row,
          {},
          {},
          tags.filter((t) => t !== tag),
        );
      });
    },
  }),
];
