import { conflict, forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { GlanceApp } from '../app/app.ts';
import type { ImageChange } from '../app/images.ts';
import { checkAttribute, checkTags, isBase, newImage, patchOf } from './attributes.ts';
import { listRequest, nextLinks } from './list.ts';
import { op } from './op.ts';
import { imageView } from './view.ts';

const idOf = (req: Request<AnyBody>): string => req.params.image_id as string;
const IMPORT_METHODS = 'web-download,glance-direct,copy-image';

async function mayChangeVisibility(req: Request<AnyBody>, change: ImageChange): Promise<void> {
  if (change.visibility === 'public') req.authorize('publicize_image');
  if (change.visibility === 'community') req.authorize('communitize_image');
}

const show = async (app: GlanceApp, req: Request<AnyBody>): Promise<object> => imageView(await app.images.get(app.env.store.read, req.ctx, idOf(req)));

/** Applies a patch: base attributes, tags and properties, each operation on the result of the one before. */
async function patch(app: GlanceApp, req: Request<AnyBody>): Promise<object> {
  const type = String(req.headers['content-type'] ?? '');
  if (!/^application\/openstack-images-v2\.[01]-json-patch\b/.test(type)) {
    throw invalidInput(`Unsupported Content-Type ${type}: application/openstack-images-v2.1-json-patch is expected.`, { status: 415 });
  }
  const operations = patchOf(req.body);
  await app.env.store.write(async (tx) => {
    const row = await app.images.own(tx, req.ctx, idOf(req), 'modify');
    const now = await app.images.get(tx, req.ctx, row.id);
    const have = new Set(Object.keys(now.properties));
    const change: Record<string, unknown> = {};
    const properties: Record<string, string | null> = {};
    let tags: string[] | undefined;
    for (const { op: verb, path, value } of operations) {
      if (path === 'tags') {
        if (verb === 'remove') throw forbidden('Property tags may not be removed.');
        tags = checkTags(value);
        continue;
      }
      if (path === 'locations') throw forbidden("It's not allowed to update locations if locations are invisible.", { field: path });
      if (verb === 'remove') {
        checkAttribute(path, isBase(path) ? null : '');
        if (isBase(path)) throw forbidden(`Property ${path} may not be removed.`, { field: path });
        if (!have.delete(path)) throw conflict(`Property ${path} does not exist.`, { field: path });
        properties[path] = null;
        continue;
      }
      checkAttribute(path, value);
      if (isBase(path)) {
        if (path === 'owner' && value !== row.owner && !req.allowed('context_is_admin'))
          throw forbidden("You are not permitted to modify 'owner' on this image.", { field: path });
        change[path] = value;
        continue;
      }
      if (verb === 'replace' && !have.has(path)) throw conflict(`Property ${path} does not exist.`, { field: path });
      have.add(path);
      properties[path] = value as string;
    }
    if (have.size > app.options.maxProperties)
      throw invalidInput(
        `The limit has been exceeded on the number of allowed image properties. Attempted: ${have.size}, Maximum: ${app.options.maxProperties}`,
        { status: 413 },
      );
    await mayChangeVisibility(req, change as ImageChange);
    await app.images.change(tx, req.ctx, row, change as ImageChange, properties, tags);
  });
  return show(app, req);
}

export const imageOperations = [
  op({
    id: 'glance.image.list',
    method: 'GET',
    path: '/v2/images',
    summary: 'List images',
    policy: 'get_images',
    async handle(app, req) {
      const { limit, request } = listRequest(req);
      const page = await app.images.list(request);
      return { images: page.images.map(imageView), ...nextLinks(req, '/v2/images', limit, page), schema: '/v2/schemas/images' };
    },
  }),
  op({
    id: 'glance.image.create',
    method: 'POST',
    path: '/v2/images',
    summary: 'Create an image',
    policy: 'add_image',
    success: 201,
    async handle(app, req) {
      const { id, change, properties, tags } = newImage(req.body);
      if (change.owner !== undefined && change.owner !== req.ctx.projectId && !req.allowed('context_is_admin'))
        throw forbidden(`You are not permitted to create images owned by '${change.owner}'.`, { field: 'owner' });
      await mayChangeVisibility(req, change);
      const image = await app.env.store.write((tx) => app.images.create(tx, req.ctx, { ...change, ...(id !== undefined && { id }), properties, tags }));
      return new Reply(imageView(image), {
        headers: { location: `${req.baseUrl}/v2/images/${image.row.id}`, 'openstack-image-import-methods': IMPORT_METHODS },
      });
    },
  }),
  op({ id: 'glance.image.get', method: 'GET', path: '/v2/images/{image_id}', summary: 'Show an image', policy: 'get_image', handle: show }),
  op({ id: 'glance.image.update', method: 'PATCH', path: '/v2/images/{image_id}', summary: 'Change an image', policy: 'modify_image', handle: patch }),
  op({
    id: 'glance.image.delete',
    method: 'DELETE',
    path: '/v2/images/{image_id}',
    summary: 'Delete an image',
    policy: 'delete_image',
    success: 204,
    handle: (app, req) => app.images.delete(req.ctx, idOf(req)),
  }),
  op({
    id: 'glance.tag.add',
    method: 'PUT',
    path: '/v2/images/{image_id}/tags/{tag}',
    summary: 'Tag an image',
    policy: 'modify_image',
    success: 204,
    async handle(app, req) {
      const tag = req.params.tag as string;
      checkTags([tag]);
      await app.env.store.write(async (tx) => {
        const row = await app.images.own(tx, req.ctx, idOf(req), 'modify');
        const { tags } = await app.images.get(tx, req.ctx, row.id);
        if (tags.length >= app.options.maxTags && !tags.includes(tag))
          throw invalidInput(
            `The limit has been exceeded on the number of allowed image tags. Attempted: ${tags.length + 1}, Maximum: ${app.options.maxTags}`,
            { status: 413 },
          );
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
    async handle(app, req) {
      const tag = req.params.tag as string;
      await app.env.store.write(async (tx) => {
        const row = await app.images.own(tx, req.ctx, idOf(req), 'modify');
        const { tags } = await app.images.get(tx, req.ctx, row.id);
        if (!tags.includes(tag)) throw notFound(`Tag ${tag} is not on image ${row.id}.`);
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
