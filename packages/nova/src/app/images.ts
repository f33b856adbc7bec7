import type { Context } from '@cairn/kit/context/context';
import { forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { NovaDeps } from './deps.ts';
import { handOn } from './inside.ts';
import { serverLimits } from './server-quota.ts';

/** An image as glance tells it: base attributes and properties side by side. */
export type GlanceImage = Readonly<Record<string, unknown>> & { readonly id: string };

/** Glance's own attributes (its image schema); anything else is a property. */
const BASE = new Set([
  ...[
    'id',
    'name',
    'status',
    'visibility',
    'protected',
    'checksum',
    'owner',
    'owner_specified',
    'size',
    'virtual_size',
    'container_format',
    'disk_format',
    'created_at',
    'updated_at',
  ],
  ...[
    'tags',
    'direct_url',
    'locations',
    'min_ram',
    'min_disk',
    'self',
    'file',
    'schema',
    'os_hidden',
    'os_hash_algo',
    'os_hash_value',
    'stores',
    'deleted',
    'deleted_at',
  ],
]);
const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const GLANCE_PAGE = 1_000;

/** What nova's old API calls metadata. */
export const propertiesOf = (image: GlanceImage): Record<string, unknown> => Object.fromEntries(Object.entries(image).filter(([key]) => !BASE.has(key)));

const missing = (status: number): Error | undefined => (status === 404 || status === 400 ? notFound('Image not found.') : undefined);

/** Glance's images for the old API (nova/image/glance.py). */
export class Images {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** Images that pass glance's filters; all of them without a limit. */
  async list(
    ctx: Context,
    filters: Readonly<Record<string, string>>,
    page: { readonly limit: number | undefined; readonly marker: string | undefined },
  ): Promise<readonly GlanceImage[]> {
    const glance = handOn(this.#deps, ctx, 'glance');
    const images: GlanceImage[] = [];
    let { marker } = page;
    for (;;) {
      const size = Math.min(GLANCE_PAGE, (page.limit ?? Number.POSITIVE_INFINITY) - images.length);
      const query = new URLSearchParams({ ...filters, limit: String(size), ...(marker !== undefined && { marker }) });
      const told = await glance('GET', `/v2/images?${query}`, undefined, (_status, message) => invalidInput(message));
      const found = told.images as readonly GlanceImage[];
      images.push(...found);
      marker = found.at(-1)?.id;
      if (found.length < size || images.length === page.limit || told.next === undefined) return images;
    }
  }

  async get(ctx: Context, id: string): Promise<GlanceImage> {
    return (await handOn(this.#deps, ctx, 'glance')('GET', `/v2/images/${encodeURIComponent(id)}`, undefined, missing)) as GlanceImage;
  }

  async delete(ctx: Context, id: string): Promise<void> {
    const refused = (status: number): Error | undefined => (status === 403 ? forbidden('You are not allowed to delete the image.') : missing(status));
    await handOn(this.#deps, ctx, 'glance')('DELETE', `/v2/images/${encodeURIComponent(id)}`, undefined, refused);
  }

  /** Changes properties; null removes one. `replace` removes all that are not named. Returns them as they are then. */
  async change(
    ctx: Context,
    id: string,
    changes: Readonly<Record<string, string | null>>,
    { replace }: { readonly replace: boolean },
  ): Promise<Record<string, unknown>> {
    const now = propertiesOf(await this.get(ctx, id));
    for (const key of Object.keys(changes)) if (BASE.has(key)) throw invalidInput(`${key} is an attribute of images, no metadata.`, { field: key });
    const gone = Object.keys(now).filter((key) => changes[key] === null || (replace && !(key in changes)));
    const set = Object.entries(changes).filter((entry): entry is [string, string] => entry[1] !== null);
    const after = new Set([...Object.keys(now), ...set.map(([key]) => key)].filter((key) => !gone.includes(key)));
    const limit = (await serverLimits(this.#deps, this.#deps.env.store.read, ctx.projectId ?? '', ctx.userId)).of('metadata_items');
    if (set.length > 0 && limit >= 0 && after.size > limit) throw forbidden('Image metadata limit exceeded');
    const patch = [
      ...gone.map((key) => ({ op: 'remove', path: `/${pointer(key)}` })),
      ...set.map(([key, value]) => ({ op: key in now ? 'replace' : 'add', path: `/${pointer(key)}`, value })),
    ];
    if (patch.length === 0) return now;
    const refused = (status: number): Error | undefined =>
      status === 403 ? forbidden(`Not authorized for image ${id}.`) : status === 404 ? notFound('Image not found.') : undefined;
    return propertiesOf((await handOn(this.#deps, ctx, 'glance', PATCH)('PATCH', `/v2/images/${encodeURIComponent(id)}`, patch, refused)) as GlanceImage);
  }
}

/** RFC 6901. */
const pointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');
