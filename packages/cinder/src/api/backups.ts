import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { CinderApp } from '../app/app.ts';
import {
  BACKUP_LIST,
  changeBackup,
  countBackups,
  createBackup,
  deleteBackup,
  exportRecord,
  getBackup,
  listBackups,
  resetBackupStatus,
  restoreBackup,
  withDependents,
} from '../app/backups.ts';
import { importRecord } from '../app/backup-import.ts';
import { targetOf } from '../app/caller.ts';
import { pairsOf } from '../app/volumes.ts';
import type { BackupRow } from '../store/tables.ts';
import { BackupDetailList, BackupList, BackupRecord, CreatedBackup, OneBackup, Restored } from './answers/backups.ts';
import { type Collection, listCollection } from './collection.ts';
import { linksTo, nextLink } from './links.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, cleanText } from './values.ts';

const idOf = (request: Request): string => request.params['backup_id'] ?? '';
const summary = (request: Request, row: BackupRow): object => ({ id: row.id, name: row.name, links: linksTo(request, 'backups', row.id) });

function details(request: Request, row: BackupRow, hasDependents: boolean): object {
  const { version } = request;
  const seesOwner = version.atLeast('3.18') && request.allowed('backup:backup_project_attribute');
  return {
    id: row.id,
    status: row.status,
    size: row.size_gb,
    object_count: row.object_count,
    availability_zone: row.availability_zone,
    container: row.container,
    created_at: isoNaiveMicros(row.created_at_ms),
    updated_at: row.updated_at_ms === null ? null : isoNaiveMicros(row.updated_at_ms),
    name: row.name,
    description: row.description,
    fail_reason: row.fail_reason,
    volume_id: row.volume_id,
    links: linksTo(request, 'backups', row.id),
    is_incremental: row.parent_id !== null,
    has_dependent_backups: hasDependents,
    snapshot_id: row.snapshot_id,
    data_timestamp: row.data_timestamp_ms === null ? null : isoNaiveMicros(row.data_timestamp_ms),
    ...(version.atLeast('3.43') && { metadata: pairsOf(row.metadata) }),
    ...(version.atLeast('3.64') && row.encryption_key_id !== null && { encryption_key_id: row.encryption_key_id }),
    ...(seesOwner && { 'os-backup-project-attr:project_id': row.project_id }),
    ...(seesOwner && version.atLeast('3.56') && { user_id: row.user_id }),
  };
}

const RENAME = { name: 'display_name' };

async function list(app: CinderApp, request: Request, withDetails: boolean): Promise<object> {
  const db = app.deps.env.store.read;
  const collection: Collection<BackupRow> = {
    resource: 'backup',
    spec: BACKUP_LIST,
    rules: { rename: RENAME, verbatim: ['display_name', 'status', 'volume_id'], metadata: [{ name: 'metadata', kind: 'backup' }] },
    before331: ['name', 'status', 'volume_id'],
    sortNames: request.version.atLeast('3.37') ? RENAME : {},
    page: (page) => listBackups(db, page),
    count: (listed) => countBackups(db, listed),
  };
  const { rows, count, more } = await listCollection(app, request, collection);
  const parents = withDetails
    ? await withDependents(
        db,
        rows.map((row) => row.id),
      )
    : new Set<string>();
  return {
    backups: rows.map((row) => (withDetails ? details(request, row, parents.has(row.id)) : summary(request, row))),
    ...(more && { backups_links: nextLink(request, withDetails ? 'backups/detail' : 'backups', rows.at(-1)?.id ?? '') }),
    ...(count !== undefined && { count }),
  };
}

const createProperties = {
  volume_id: part.uuid,
  container: part.shortText,
  description: part.description,
  incremental: part.boolean,
  force: part.boolean,
  name: part.shortText,
  snapshot_id: part.optionalUuid,
};
const createSchema = (more: object) => schema(part.wrapped('backup', { ...createProperties, ...more }, ['volume_id']));
const metadata = { metadata: part.metadataOrNull };
const changeSchema = (more: object) => schema(part.wrapped('backup', { name: part.shortText, description: part.description, ...more }));

export const backupOperations = [
  op({
    id: 'cinder.backup.list',
    method: 'GET',
    path: '/v3/backups',
    summary: 'List backups',
    policy: 'backup:get_all',
    answer: BackupList,
    handle: (app, request) => list(app, request, false),
  }),
  op({
    id: 'cinder.backup.list-detail',
    method: 'GET',
    path: '/v3/backups/detail',
    summary: 'List backups with details',
    policy: 'backup:get_all',
    answer: BackupDetailList,
    handle: (app, request) => list(app, request, true),
  }),
  op({
    id: 'cinder.backup.show',
    method: 'GET',
    path: '/v3/backups/{backup_id}',
    summary: 'Show a backup',
    policy: 'backup:get',
    answer: OneBackup,
    async handle(app, request) {
      const db = app.deps.env.store.read;
      const row = await getBackup(db, request, idOf(request));
      return { backup: details(request, row, (await withDependents(db, [row.id])).size > 0) };
    },
  }),
  op({
    id: 'cinder.backup.create',
    method: 'POST',
    path: '/v3/backups',
    summary: 'Back a volume up',
    policy: 'backup:create',
    answer: CreatedBackup,
    success: 202,
    body: [
      { from: '3.0', schema: createSchema({}) },
      { from: '3.43', schema: createSchema(metadata) },
      { from: '3.51', schema: createSchema({ ...metadata, availability_zone: part.shortText }) },
    ],
    async handle(app, request) {
      const body = (request.body as AnyBody).backup as Record<string, AnyBody>;
      const row = await app.deps.env.store.write((tx) =>
        createBackup(app, tx, request, {
          name: cleanText(body['name'], 'name') ?? null,
          description: cleanText(body['description'], 'description') ?? null,
          volumeId: body['volume_id'],
          container: body['container'] ?? null,
          incremental: asBoolean(body['incremental'] ?? false),
          force: asBoolean(body['force'] ?? false),
          snapshotId: body['snapshot_id'] ?? null,
          metadata: body['metadata'] ?? {},
          availabilityZone: body['availability_zone'] ?? null,
        }),
      );
      return { backup: summary(request, row) };
    },
  }),
  op({
    id: 'cinder.backup.update',
    method: 'PUT',
    path: '/v3/backups/{backup_id}',
    since: '3.9',
    summary: 'Change a backup',
    policy: 'backup:update',
    answer: CreatedBackup,
    body: [
      { from: '3.9', schema: changeSchema({}) },
      { from: '3.43', schema: changeSchema({ metadata: part.metadata }) },
    ],
    async handle(app, request) {
      const body = (request.body as AnyBody).backup as Record<string, AnyBody>;
      const [name, description] = [cleanText(body['name'], 'name'), cleanText(body['description'], 'description')];
      const row = await changeBackup(app, request, idOf(request), {
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
        ...(body['metadata'] && { metadata: body['metadata'] }),
      });
      return { backup: summary(request, row) };
    },
  }),
  op({
    id: 'cinder.backup.delete',
    method: 'DELETE',
    path: '/v3/backups/{backup_id}',
    summary: 'Delete a backup',
    policy: 'backup:delete',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await app.deps.env.store.write((tx) => deleteBackup(app, tx, request, idOf(request), false));
      return new Reply();
    },
  }),
  op({
    id: 'cinder.backup.restore',
    method: 'POST',
    path: '/v3/backups/{backup_id}/restore',
    summary: 'Restore a backup',
    policy: 'backup:restore',
    answer: Restored,
    success: 202,
    body: schema(part.wrapped('restore', { name: part.shortText, volume_id: part.optionalUuid })),
    async handle(app, request) {
      const { volume_id: volumeId, name } = (request.body as AnyBody).restore;
      const done = await app.deps.env.store.write((tx) => restoreBackup(app, tx, request, idOf(request), { volumeId: volumeId ?? null, name: name ?? null }));
      return { restore: { backup_id: done.backupId, volume_id: done.volumeId, volume_name: done.volumeName } };
    },
  }),
  op({
    id: 'cinder.backup.export-record',
    method: 'GET',
    path: '/v3/backups/{backup_id}/export_record',
    summary: 'Export the record of a backup',
    policy: 'backup:export-import',
    answer: BackupRecord,
    async handle(app, request) {
      const { service, url } = await exportRecord(app, request, idOf(request));
      return { 'backup-record': { backup_service: service, backup_url: url } };
    },
  }),
  op({
    id: 'cinder.backup.import-record',
    method: 'POST',
    path: '/v3/backups/import_record',
    summary: 'Import the record of a backup',
    policy: 'backup:backup-import',
    answer: CreatedBackup,
    success: 201,
    body: schema(
      part.wrapped(
        'backup-record',
        {
          backup_service: { type: 'string', minLength: 0, maxLength: 255 },
          backup_url: { type: 'string', minLength: 1, format: 'base64' },
        },
        ['backup_service', 'backup_url'],
      ),
    ),
    async handle(app, request) {
      const record = (request.body as AnyBody)['backup-record'];
      return { backup: summary(request, await importRecord(app, request, record.backup_service, record.backup_url)) };
    },
  }),
  op({
    id: 'cinder.backup.reset-status',
    method: 'POST',
    path: '/v3/backups/{backup_id}/action',
    action: 'os-reset_status',
    summary: "Set a backup's status",
    policy: 'volume_extension:backup_admin_actions:reset_status',
    answer: 'none',
    success: 202,
    body: schema(part.wrapped('os-reset_status', { status: { type: 'string', enum: ['available', 'error'] } }, ['status'])),
    async handle(app, request) {
      await resetBackupStatus(app, request, idOf(request), (request.body as AnyBody)['os-reset_status'].status);
      return new Reply();
    },
  }),
  op({
    id: 'cinder.backup.force-delete',
    method: 'POST',
    path: '/v3/backups/{backup_id}/action',
    action: 'os-force_delete',
    summary: 'Delete a backup whatever its status',
    policy: 'volume_extension:backup_admin_actions:force_delete',
    answer: 'none',
    success: 202,
    body: schema(part.bare('os-force_delete')),
    async handle(app, request) {
      await app.deps.env.store.write(async (tx) => {
        const row = await getBackup(tx, request, idOf(request));
        request.authorize('volume_extension:backup_admin_actions:force_delete', targetOf(row));
        await deleteBackup(app, tx, request, row.id, true);
      });
      return new Reply();
    },
  }),
];
