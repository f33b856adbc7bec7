import { type CairnError, conflict, notFound } from '@cairn/kit/errors/errors';
import type { Context } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import type { Account, BackupDriver, BackupRef, VolumeFacts } from '../backups/driver.ts';
import { backupById, placeOf } from '../store/backups.ts';
import type { Pairs } from '../store/metadata.ts';
import type { BackupRow } from '../store/tables.ts';

/** Volume facts that travel with a backup. */
export interface BackupFacts {
  readonly bootable?: number;
  readonly imageMetadata?: Pairs;
  readonly name?: string | null;
  readonly metadata?: Pairs;
  /** Of an encrypted volume: what it is restored to has this type. */
  readonly typeId?: string;
}

export const backupNotFound = (id: string): CairnError => notFound(`Backup ${id} could not be found.`, { type: 'BackupNotFound' });

export const factsOf = (row: BackupRow): VolumeFacts => {
  const facts = fromJson<BackupFacts>(row.facts);
  return {
    name: facts.name ?? null,
    bootable: facts.bootable === 1,
    typeId: facts.typeId ?? null,
    metadata: facts.metadata ?? {},
    imageMetadata: facts.imageMetadata ?? {},
  };
};

/** In whose name a backup is worked on: that of who asks, within the limits of their token; for another project's it is whose the backup is. */
export const accountOf = (ctx: Context, row: Pick<BackupRow, 'project_id' | 'user_id'>): Account =>
  ctx.projectId !== row.project_id
    ? { userId: row.user_id, projectId: row.project_id }
    : {
        userId: ctx.userId,
        projectId: row.project_id,
        ...(ctx.trustId !== undefined && { trustId: ctx.trustId }),
        ...(ctx.applicationCredentialId !== undefined && { applicationCredentialId: ctx.applicationCredentialId }),
      };

export const refOf = (row: BackupRow, account: Account = { userId: row.user_id, projectId: row.project_id }): BackupRef => ({
  id: row.id,
  container: row.container,
  place: placeOf(row),
  account,
});

/** A backup with all that it builds on, the full one first, for drivers that have to read them. */
export async function chainOf(db: Db, row: BackupRow, driver: BackupDriver, account?: Account): Promise<readonly BackupRef[]> {
  const chain = [refOf(row, account)];
  if (!driver.hasContainers) return chain;
  const seen = new Set([row.id]);
  for (let { parent_id: next } = row; next !== null; ) {
    const parent = seen.has(next) ? undefined : await backupById(db, next);
    if (!parent || parent.project_id !== row.project_id || parent.service !== row.service)
      throw conflict(`Backup ${row.id} builds on backup ${next}, which is not there. Import that one first.`);
    seen.add(parent.id);
    chain.unshift(refOf(parent, account));
    next = parent.parent_id;
  }
  return chain;
}
