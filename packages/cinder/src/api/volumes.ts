import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { ListRequest } from '@cairn/kit/store/list';
import type { CinderApp } from '../app/app.ts';
import { projectScope } from '../app/lists.ts';
import { createVolume } from '../app/volume-create.ts';
import { deleteVolume } from '../app/volume-delete.ts';
import { countVolumes, getVolume, listVolumes, summarize, updateVolumeBy, VOLUME_LIST as spec, type VolumeDetails, withDetails } from '../app/volumes.ts';
import { targetOf } from '../app/caller.ts';
import type { VolumeRow } from '../store/tables.ts';
import { CreatedVolume, OneVolume, VolumeDetailList, VolumeList, VolumesSummary } from './answers/volumes.ts';
import { nextLink } from './links.ts';
import { conditionsOf, pageWithOffset, readList, RESOURCE_FILTERS, restrictFilters, sortFor } from './list.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, cleanText, queryBoolean } from './values.ts';
import { volumeDetails, volumeSummary, volumeView } from './views/volume.ts';

const RENAME = { name: 'display_name', description: 'display_description', consumes_quota: 'use_quota' };

/** The rows of a list request, and how many there are in all if asked. */
async function findVolumes(
  app: CinderApp,
  request: Request,
): Promise<{ readonly rows: readonly VolumeRow[]; readonly limit: number; readonly count: number | undefined }> {
  const { ctx, version } = request;
  const db = app.deps.env.store.read;
  const ask = readList(request, app.deps.options.maxLimit);
  const { filters } = ask;
  const wantsCount = version.atLeast('3.45') && filters.has('with_count') && queryBoolean(filters, 'with_count');
  if (version.atLeast('3.45')) filters.delete('with_count');
  for (const [since, name] of [
    ['3.4', 'glance_metadata'],
    ['3.10', 'group_id'],
    ['3.60', 'created_at'],
    ['3.60', 'updated_at'],
  ] as const) {
    if (version.before('3.31') && version.before(since)) filters.delete(name);
  }
  restrictFilters(request, filters, 'volume', RESOURCE_FILTERS['volume'] ?? []);
  const everybody = isAdmin(ctx) && filters.has('all_tenants') && queryBoolean(filters, 'all_tenants');
  filters.delete('all_tenants');
  const conditions = conditionsOf(
    {
      spec,
      rename: RENAME,
      verbatim: ['display_name'],
      metadata: [
        { name: 'metadata', kind: 'user' },
        { name: 'glance_metadata', kind: 'image' },
      ],
      times: ['created_at', 'updated_at'],
      booleans: ['bootable', 'multiattach', 'use_quota'],
      strictBooleans: version.atLeast('3.2'),
      like: version.atLeast('3.34'),
    },
    filters,
  );
  if (!conditions) return { rows: [], limit: ask.limit, count: wantsCount ? 0 : undefined };
  const listed: ListRequest = {
    ...projectScope(ctx, everybody),
    filters: conditions.filters,
    ...(conditions.where && { where: conditions.where }),
    sort: sortFor(spec, ask.sort, RENAME),
  };
  const rows = await pageWithOffset((page) => listVolumes(db, page), listed, ask);
  return { rows, limit: ask.limit, count: wantsCount ? await countVolumes(db, listed) : undefined };
}

const links = (request: Request, collection: string, rows: readonly VolumeRow[], limit: number, count: number | undefined): object => {
  const last = rows.at(-1);
  return last && limit <= (count || rows.length) ? { volumes_links: nextLink(request, collection, last.id) } : {};
};

const createProperties = {
  name: part.text,
  description: part.text,
  display_name: part.text,
  display_description: part.text,
  volume_type: part.shortText,
  metadata: part.metadataOrNull,
  snapshot_id: part.optionalUuid,
  source_volid: part.optionalUuid,
  consistencygroup_id: part.optionalUuid,
  size: part.sizeOrNull,
  availability_zone: part.zone,
  multiattach: part.optionalBoolean,
  image_id: part.shortText,
  imageRef: part.shortText,
};
const createSchema = (more: object, open: boolean) =>
  schema({
    type: 'object',
    properties: {
      volume: { type: 'object', properties: { ...createProperties, ...more }, additionalProperties: open },
      'OS-SCH-HNT:scheduler_hints': { type: ['object', 'null'] },
    },
    required: ['volume'],
    additionalProperties: false,
  });
const groupId = { group_id: part.shortText };
const backupId = { backup_id: part.optionalUuid };

const changeProperties = { name: part.text, description: part.text, display_name: part.text, display_description: part.text, metadata: part.metadata };
const changeSchema = (more: object) => schema(part.wrapped('volume', changeProperties, [], more));

/** `name` or the older `display_name`. */
const nameOf = (body: Record<string, unknown>): string | null | undefined =>
  cleanText(body['name'] === undefined ? body['display_name'] : body['name'], 'name');
const descriptionOf = (body: Record<string, unknown>): string | null | undefined =>
  cleanText(body['description'] === undefined ? body['display_description'] : body['description'], 'description');

export const volumeOperations = [
  op({
    id: 'cinder.volume.list',
    method: 'GET',
    path: '/v3/volumes',
    summary: 'List volumes',
    policy: 'volume:get_all',
    answer: VolumeList,
    async handle(app, request) {
      const { rows, limit, count } = await findVolumes(app, request);
      return {
        volumes: rows.map((row) => volumeSummary(request, row)),
        ...links(request, 'volumes', rows, limit, count),
        ...(count !== undefined && { count }),
      };
    },
  }),
  op({
    id: 'cinder.volume.list-detail',
    method: 'GET',
    path: '/v3/volumes/detail',
    summary: 'List volumes with details',
    policy: 'volume:get_all',
    answer: VolumeDetailList,
    async handle(app, request) {
      const { rows, limit, count } = await findVolumes(app, request);
      const all = await withDetails(app.deps.env.store.read, rows);
      return { volumes: all.map(volumeDetails(request)), ...links(request, 'volumes/detail', rows, limit, count), ...(count !== undefined && { count }) };
    },
  }),
  op({
    id: 'cinder.volume.summary',
    method: 'GET',
    path: '/v3/volumes/summary',
    since: '3.12',
    summary: 'Number and size of volumes',
    policy: 'volume:get_all',
    answer: VolumesSummary,
    async handle(app, request) {
      const { ctx, version } = request;
      const everybody = isAdmin(ctx) && queryBoolean(request.query, 'all_tenants');
      const withMetadata = version.atLeast('3.36');
      const summary = await summarize(app.deps.env.store.read, everybody ? undefined : (ctx.projectId ?? ''), withMetadata);
      return { 'volume-summary': { total_count: summary.count, total_size: summary.sizeGb, ...(withMetadata && { metadata: summary.metadata }) } };
    },
  }),
  op({
    id: 'cinder.volume.show',
    method: 'GET',
    path: '/v3/volumes/{volume_id}',
    summary: 'Show a volume',
    policy: 'volume:get',
    answer: OneVolume,
    async handle(app, request) {
      const db = app.deps.env.store.read;
      const row = await getVolume(db, request, request.params['volume_id'] ?? '');
      const [details] = await withDetails(db, [row]);
      return { volume: volumeDetails(request)(details as VolumeDetails) };
    },
  }),
  op({
    id: 'cinder.volume.create',
    method: 'POST',
    path: '/v3/volumes',
    summary: 'Create a volume',
    policy: 'volume:create',
    answer: CreatedVolume,
    success: 202,
    body: [
      { from: '3.0', schema: createSchema({}, true) },
      { from: '3.13', schema: createSchema(groupId, true) },
      { from: '3.47', schema: createSchema({ ...groupId, ...backupId }, true) },
      { from: '3.53', schema: createSchema({ ...groupId, ...backupId }, false) },
    ],
    async handle(app, request) {
      const body = (request.body as AnyBody).volume as Record<string, AnyBody>;
      if (body['multiattach'] !== undefined && body['multiattach'] !== null && asBoolean(body['multiattach'])) {
        throw invalidInput(
          'multiattach parameter has been removed. The default behavior is to use multiattach enabled volume types. Contact your administrator to create a multiattach enabled volume type and use it to create multiattach volumes.',
          { field: 'multiattach' },
        );
      }
      const row = await app.deps.env.store.write((tx) =>
        createVolume(app, tx, request, {
          size: body['size'] ?? null,
          name: nameOf(body) ?? null,
          description: descriptionOf(body) ?? null,
          volumeType: body['volume_type'] ?? null,
          snapshotId: body['snapshot_id'] ?? null,
          sourceVolumeId: body['source_volid'] ?? null,
          imageRef: body['image_id'] === undefined ? (body['imageRef'] ?? null) : body['image_id'],
          availabilityZone: body['availability_zone'] ?? null,
          metadata: body['metadata'] ?? null,
          groupId: (request.version.atLeast('3.13') ? body['group_id'] : undefined) || body['consistencygroup_id'] || null,
          backupId: (request.version.atLeast('3.47') ? body['backup_id'] : undefined) ?? null,
          followImageSnapshot: request.version.atLeast('3.46'),
        }),
      );
      const [details] = await withDetails(app.deps.env.store.read, [row]);
      return { volume: volumeView(request, details as VolumeDetails, false) };
    },
  }),
  op({
    id: 'cinder.volume.update',
    method: 'PUT',
    path: '/v3/volumes/{volume_id}',
    summary: 'Change a volume',
    policy: 'volume:update',
    answer: CreatedVolume,
    body: [
      { from: '3.0', schema: changeSchema({}) },
      { from: '3.53', schema: changeSchema({ anyOf: Object.keys(changeProperties).map((name) => ({ required: [name] })) }) },
    ],
    async handle(app, request) {
      const body = (request.body as AnyBody).volume as Record<string, AnyBody>;
      const [name, description] = [nameOf(body), descriptionOf(body)];
      const details = await updateVolumeBy(app, request, request.params['volume_id'] ?? '', {
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
        ...(body['metadata'] !== undefined && { metadata: body['metadata'] }),
      });
      return { volume: volumeView(request, details) };
    },
  }),
  op({
    id: 'cinder.volume.delete',
    method: 'DELETE',
    path: '/v3/volumes/{volume_id}',
    summary: 'Delete a volume',
    policy: 'volume:delete',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      const cascade = queryBoolean(request.query, 'cascade');
      const force = request.version.atLeast('3.23') && queryBoolean(request.query, 'force');
      await app.deps.env.store.write(async (tx) => {
        const row = await getVolume(tx, request, request.params['volume_id'] ?? '');
        if (force) request.authorize('volume:force_delete', targetOf(row));
        await deleteVolume(app, tx, request, row, { cascade, force });
      });
      return new Reply();
    },
  }),
];
