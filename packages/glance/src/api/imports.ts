import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, AUTHENTICATED, type Request } from '@cairn/kit/http/operation';
import type { Json } from '@cairn/kit/saga/saga';
import type { GlanceApp } from '../app/app.ts';
import type { ImportRequest } from '../app/imports.ts';
import type { ImportMethod } from '../options.ts';
import { op } from './op.ts';

const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value);

/** The body of an import taken apart, in upstream's order (glance/api/v2/images.py, _validate_import_body). */
function importRequest(app: GlanceApp, req: Request<AnyBody>): ImportRequest {
  const body: unknown = req.body;
  if (!isRecord(body)) throw invalidInput(body === undefined ? 'Body expected in request.' : "Import request requires a 'method' field.");
  const { method, stores, all_stores: all = false, all_stores_must_succeed: must = true } = body;
  if (!isRecord(method)) throw invalidInput("Import request requires a 'method' field.", { field: 'method' });
  if (method.name === undefined) throw invalidInput("Import request requires a 'name' field.", { field: 'method/name' });
  const name = app.options.import.methods.find((m) => m === method.name);
  if (!name) throw invalidInput(`Unknown import method name '${String(method.name).slice(0, 80)}'.`, { field: 'method/name' });
  if (typeof must !== 'boolean') throw invalidInput("'all_stores_must_succeed' must be boolean value only");
  if (typeof all !== 'boolean') throw invalidInput("'all_stores' must be boolean value only");
  const header = req.headers['x-image-meta-store'];
  if (all && (stores !== undefined || header !== undefined))
    throw invalidInput("All_stores parameter can't be used with x-image-meta-store header or stores parameter");
  if (stores !== undefined && header !== undefined) throw invalidInput("Stores parameter and x-image-meta-store header can't be both specified");
  if (stores !== undefined && (!Array.isArray(stores) || !stores.every((s) => typeof s === 'string') || stores.length === 0))
    throw invalidInput("'stores' must be a list of store ids", { field: 'stores' });
  const text = (field: string): string | undefined => {
    const value = method[field];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw invalidInput(`'${field}' must be a string`, { field: `method/${field}` });
    return value;
  };
  return {
    method: name satisfies ImportMethod,
    uri: text('uri'),
    glanceRegion: text('glance_region'),
    glanceImageId: text('glance_image_id'),
    glanceInterface: text('glance_service_interface') ?? 'public',
    token: req.headers['x-auth-token'] as string | undefined,
    stores: stores !== undefined ? (stores as string[]) : header !== undefined ? [String(header)] : undefined,
    allStores: all,
    mustSucceed: must,
    body: body as unknown as Json,
  };
}

export const importOperations = [
  op({
    id: 'glance.image.import',
    method: 'POST',
    path: '/v2/images/{image_id}/import',
    answer: 'none',
    summary: "Import an image's data: staged, from the web, from another glance, or to more stores",
    policy: AUTHENTICATED,
    asks: 'modify_image',
    success: 202,
    async handle(app, req) {
      const request = importRequest(app, req);
      if (request.method !== 'copy-image') req.authorize('modify_image');
      await app.imports.start(req.ctx, req.params.image_id as string, request, () => req.authorize('copy_image'));
    },
  }),
];
