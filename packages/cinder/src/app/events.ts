import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import type { Env } from '@cairn/kit/env';
import { fromJson } from '@cairn/kit/store/values';
import type { Tx } from '@cairn/kit/store/store';
import type { BackupRow, GroupRow, SnapshotRow, VolumeRow } from '../store/tables.ts';
import { poolName } from './backend.ts';
import type { Requester } from './caller.ts';

/** Writes `volume.<what>` (upstream's notification) with the transaction that makes the change. */
export async function emitVolume(env: Env, tx: Tx, who: Requester, what: string, row: VolumeRow, more: object = {}): Promise<void> {
  await env.events.emit(tx, {
    type: `volume.${what}`,
    projectId: row.project_id,
    userId: who.userId,
    requestId: who.requestId,
    resource: 'volume',
    resourceId: row.id,
    payload: {
      tenant_id: row.project_id,
      user_id: row.user_id,
      host: row.host === null ? null : poolName(row.host),
      availability_zone: row.availability_zone,
      volume_id: row.id,
      volume_type: row.type_id,
      display_name: row.name,
      created_at: isoNaiveMicros(row.created_at_ms),
      launched_at: row.launched_at_ms === null ? null : isoNaiveMicros(row.launched_at_ms),
      status: row.status,
      snapshot_id: row.snapshot_id,
      size: row.size_gb,
      metadata: fromJson(row.metadata),
      ...more,
    },
  });
}

/** Writes `snapshot.<what>`. */
export async function emitSnapshot(env: Env, tx: Tx, who: Requester, what: string, row: SnapshotRow): Promise<void> {
  await env.events.emit(tx, {
    type: `snapshot.${what}`,
    projectId: row.project_id,
    userId: who.userId,
    requestId: who.requestId,
    resource: 'snapshot',
    resourceId: row.id,
    payload: {
      tenant_id: row.project_id,
      user_id: row.user_id,
      availability_zone: row.availability_zone,
      volume_id: row.volume_id,
      volume_size: row.size_gb,
      snapshot_id: row.id,
      display_name: row.name,
      created_at: isoNaiveMicros(row.created_at_ms),
      status: row.status,
      metadata: fromJson(row.metadata),
    },
  });
}

/** Writes `backup.<what>`. */
export async function emitBackup(env: Env, tx: Tx, who: Requester, what: string, row: BackupRow, more: object = {}): Promise<void> {
  await env.events.emit(tx, {
    type: `backup.${what}`,
    projectId: row.project_id,
    userId: who.userId,
    requestId: who.requestId,
    resource: 'backup',
    resourceId: row.id,
    payload: {
      tenant_id: row.project_id,
      user_id: row.user_id,
      availability_zone: row.availability_zone,
      backup_id: row.id,
      host: row.host,
      display_name: row.name,
      created_at: isoNaiveMicros(row.created_at_ms),
      status: row.status,
      volume_id: row.volume_id,
      size: row.size_gb,
      service: row.service,
      fail_reason: row.fail_reason,
      parent_id: row.parent_id,
      snapshot_id: row.snapshot_id,
      ...more,
    },
  });
}

/** Writes `group.<what>`. */
export async function emitGroup(env: Env, tx: Tx, who: Requester, what: string, row: GroupRow): Promise<void> {
  await env.events.emit(tx, {
    type: `group.${what}`,
    projectId: row.project_id,
    userId: who.userId,
    requestId: who.requestId,
    resource: 'group',
    resourceId: row.id,
    payload: {
      tenant_id: row.project_id,
      user_id: row.user_id,
      availability_zone: row.availability_zone,
      group_id: row.id,
      group_type: row.group_type_id,
      name: row.name,
      created_at: isoNaiveMicros(row.created_at_ms),
      status: row.status,
    },
  });
}
