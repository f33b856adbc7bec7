import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { ListRequest } from '@cairn/kit/store/list';
import type { CinderApp } from '../app/app.ts';
import { projectScope } from '../app/lists.ts';
import {
  countSnapshots,
  createSnapshot,
  deleteSnapshot,
  getSnapshot,
  listSnapshots,
  reportSnapshot,
  resetSnapshotStatus,
  SNAPSHOT_LIST as spec,
  updateSnapshotBy,
} from '../app/snapshots.ts';
import { getVolume, pairsOf } from '../app/volumes.ts';
import type { SnapshotRow } from '../store/tables.ts';
import { CreatedSnapshot, OneSnapshot, SnapshotDetailList, SnapshotList } from './answers/volumes.ts';
import { nextLink } from './links.ts';
import { conditionsOf, pageWithOffset, readList, restrictFilters, sortFor } from './list.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, cleanText, queryBoolean } from './values.ts';

const RENAME = { name: 'display_name', description: 'display_description', consumes_quota: 'use_quota', size: 'volume_size' };
const STATUSES = ['error', 'available', 'creating', 'deleting', 'deleted', 'updating', 'error_deleting', 'unmanaging', 'backing-up', 'restoring'];

export function snapshotView(request: Request, row: SnapshotRow, extended = true, detail = true): object {
  const { version } = request;
  return {
    id: row.id,
    created_at: isoNaiveMicros(row.created_at_ms),
    updated_at: row.updated_at_ms === null ? null : isoNaiveMicros(row.updated_at_ms),
    name: row.name,
    description: row.description,
    volume_id: row.volume_id,
    status: row.status,
    size: row.size_gb,
    metadata: pairsOf(row.metadata),
    ...(detail && version.atLeast('3.14') && { group_snapshot_id: row.group_snapshot_id }),
    ...(detail && version.atLeast('3.41') && { user_id: row.user_id }),
    ...(detail && version.atLeast('3.65') && { consumes_quota: row.use_quota === 1 }),
    ...(extended &&
      request.allowed('volume_extension:extended_snapshot_attributes') && {
        'os-extended-snapshot-attributes:project_id': row.project_id,
        'os-extended-snapshot-attributes:progress': row.progress,
      }),
  };
}

async function list(app: CinderApp, request: Request, detail: boolean): Promise<object> {
  const { ctx, version } = request;
  const db = app.deps.env.store.read;
  const ask = readList(request, app.deps.options.maxLimit);
  const { filters } = ask;
  const wantsCount = version.atLeast('3.45') && filters.has('with_count') && queryBoolean(filters, 'with_count');
  if (version.atLeast('3.45')) filters.delete('with_count');
  if (version.before('3.22')) filters.delete('metadata');
  restrictFilters(request, filters, 'snapshot', ['status', 'volume_id', 'name', 'metadata']);
  const everybody = isAdmin(ctx) && filters.has('all_tenants') && queryBoolean(filters, 'all_tenants');
  filters.delete('all_tenants');
  const conditions = conditionsOf(
    {
      spec,
      rename: RENAME,
      verbatim: ['display_name', 'status', 'volume_id'],
      metadata: [{ name: 'metadata', kind: 'snapshot' }],
      booleans: ['use_quota'],
      strictBooleans: true,
      like: version.atLeast('3.34'),
    },
    filters,
  );
  const collection = detail ? 'snapshots/detail' : 'snapshots';
  if (!conditions) return { snapshots: [], ...(wantsCount && { count: 0 }) };
  const listed: ListRequest = {
    ...projectScope(ctx, everybody),
    filters: conditions.filters,
    ...(conditions.where && { where: conditions.where }),
    sort: sortFor(spec, ask.sort, version.atLeast('3.30') ? RENAME : { ...RENAME, name: 'name' }),
  };
  const rows = await pageWithOffset((page) => listSnapshots(db, page), listed, ask);
  const count = wantsCount ? await countSnapshots(db, listed) : undefined;
  const last = rows.at(-1);
  return {
    snapshots: rows.map((row) => snapshotView(request, row, detail, detail)),
    ...(last && ask.limit <= (count || rows.length) && { snapshots_links: nextLink(request, collection, last.id) }),
    ...(count !== undefined && { count }),
  };
}

const IN_USE_FLAG =
  "Since microversion 3.66 the 'force' flag is invalid for this request.  For backward compatability, however, when the 'force' flag is passed with a value evaluating to True, it is silently ignored.";

const nameOf = (body: Record<string, unknown>): string | null | undefined =>
  cleanText(body['name'] === undefined ? body['display_name'] : body['name'], 'name');

const changeProperties = { name: part.shortText, description: part.description, display_name: part.shortText, display_description: part.description };

export const snapshotOperations = [
  op({
    id: 'cinder.snapshot.list',
    method: 'GET',
    path: '/v3/snapshots',
    summary: 'List snapshots',
    policy: 'volume:get_all_snapshots',
    answer: SnapshotList,
    handle: (app, request) => list(app, request, false),
  }),
  op({
    id: 'cinder.snapshot.list-detail',
    method: 'GET',
    path: '/v3/snapshots/detail',
    summary: 'List snapshots with details',
    policy: 'volume:get_all_snapshots',
    answer: SnapshotDetailList,
    handle: (app, request) => list(app, request, true),
  }),
  op({
    id: 'cinder.snapshot.show',
    method: 'GET',
    path: '/v3/snapshots/{snapshot_id}',
    summary: 'Show a snapshot',
    policy: 'volume:get_snapshot',
    answer: OneSnapshot,
    handle: async (app, request) => ({
      snapshot: snapshotView(request, await getSnapshot(app.deps.env.store.read, request, request.params['snapshot_id'] ?? ''), true),
    }),
  }),
  op({
    id: 'cinder.snapshot.create',
    method: 'POST',
    path: '/v3/snapshots',
    summary: 'Create a snapshot',
    policy: 'volume:create_snapshot',
    answer: CreatedSnapshot,
    success: 202,
    body: schema(
      part.wrapped(
        'snapshot',
        {
          name: part.shortText,
          display_name: part.shortText,
          description: part.description,
          volume_id: part.optionalUuid,
          force: part.boolean,
          metadata: part.metadataOrNull,
        },
        ['volume_id'],
      ),
    ),
    async handle(app, request) {
      const body = (request.body as AnyBody).snapshot as Record<string, AnyBody>;
      const since366 = request.version.atLeast('3.66');
      const force = body['force'] !== undefined && asBoolean(body['force']);
      if (since366 && body['force'] !== undefined && !force) throw invalidInput(IN_USE_FLAG, { field: 'force' });
      const row = await app.deps.env.store.write(async (tx) => {
        const volume = await getVolume(tx, request, body['volume_id'] ?? 'None');
        return createSnapshot(app, tx, request, volume, {
          name: nameOf(body) ?? null,
          description: cleanText(body['description'], 'description') ?? null,
          metadata: body['metadata'] ?? {},
          inUse: force || since366,
        });
      });
      return { snapshot: snapshotView(request, row, false) };
    },
  }),
  op({
    id: 'cinder.snapshot.update',
    method: 'PUT',
    path: '/v3/snapshots/{snapshot_id}',
    summary: 'Change a snapshot',
    policy: 'volume:update_snapshot',
    answer: CreatedSnapshot,
    body: schema(part.wrapped('snapshot', changeProperties, [], { anyOf: Object.keys(changeProperties).map((name) => ({ required: [name] })) })),
    async handle(app, request) {
      const body = (request.body as AnyBody).snapshot as Record<string, AnyBody>;
      const name = nameOf(body);
      const description = cleanText(body['description'] === undefined ? body['display_description'] : body['description'], 'description');
      const row = await updateSnapshotBy(app, request, request.params['snapshot_id'] ?? '', {
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
      });
      return { snapshot: snapshotView(request, row, false) };
    },
  }),
  op({
    id: 'cinder.snapshot.delete',
    method: 'DELETE',
    path: '/v3/snapshots/{snapshot_id}',
    summary: 'Delete a snapshot',
    policy: 'volume:delete_snapshot',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await app.deps.env.store.write(async (tx) => deleteSnapshot(app, tx, request, await getSnapshot(tx, request, request.params['snapshot_id'] ?? '')));
      return new Reply();
    },
  }),
  op({
    id: 'cinder.snapshot.os-force_delete',
    method: 'POST',
    path: '/v3/snapshots/{snapshot_id}/action',
    action: 'os-force_delete',
    summary: 'Delete a snapshot whatever its status',
    policy: 'volume_extension:snapshot_admin_actions:force_delete',
    answer: 'none',
    success: 202,
    body: schema(part.bare('os-force_delete')),
    async handle(app, request) {
      await app.deps.env.store.write(async (tx) =>
        deleteSnapshot(app, tx, request, await getSnapshot(tx, request, request.params['snapshot_id'] ?? ''), { force: true }),
      );
      return new Reply();
    },
  }),
  op({
    id: 'cinder.snapshot.os-reset_status',
    method: 'POST',
    path: '/v3/snapshots/{snapshot_id}/action',
    action: 'os-reset_status',
    summary: "Set a snapshot's status",
    policy: 'volume_extension:snapshot_admin_actions:reset_status',
    answer: 'none',
    success: 202,
    body: schema(part.wrapped('os-reset_status', { status: { type: 'string' } }, ['status'])),
    async handle(app, request) {
      const asked = (request.body as AnyBody)['os-reset_status'].status as string;
      const status = asked.toLowerCase();
      if (!STATUSES.includes(status))
        throw invalidInput(`Snapshot status: ${asked} is invalid, valid statuses are: (${STATUSES.map((one) => `'${one}'`).join(', ')}).`, { field: 'status' });
      await resetSnapshotStatus(app, request, request.params['snapshot_id'] ?? '', status);
      return new Reply();
    },
  }),
  op({
    id: 'cinder.snapshot.os-update_snapshot_status',
    method: 'POST',
    path: '/v3/snapshots/{snapshot_id}/action',
    action: 'os-update_snapshot_status',
    summary: 'Report the progress of a snapshot',
    policy: 'snapshot_extension:snapshot_actions:update_snapshot_status',
    answer: 'none',
    success: 202,
    body: schema(part.wrapped('os-update_snapshot_status', { status: { type: 'string' }, progress: {} }, ['status'])),
    async handle(app, request) {
      const { status, progress } = (request.body as AnyBody)['os-update_snapshot_status'] as { status: string; progress?: unknown };
      const given = progress === undefined || progress === null || progress === '' ? undefined : String(progress);
      if (given !== undefined && (!/^\d{1,3}%$/.test(given) || Number.parseInt(given, 10) > 100))
        throw invalidInput('Invalid input received: progress must be an integer percentage between 0 and 100', { field: 'progress' });
      await reportSnapshot(app, request, request.params['snapshot_id'] ?? '', status, given);
      return new Reply();
    },
  }),
];
