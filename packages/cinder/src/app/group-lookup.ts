import { type CairnError, notFound } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { invalid } from '../errors.ts';
import { groupById, typesOfGroups } from '../store/groups.ts';
import type { GroupRow } from '../store/tables.ts';
import { type Caller, isVisible, targetOf } from './caller.ts';

export const groupNotFound = (id: string): CairnError => notFound(`Group ${id} could not be found.`, { type: 'GroupNotFound' });

/** The group if the caller may see it; NotFound otherwise. */
export async function getGroup(db: Db, caller: Caller, id: string): Promise<GroupRow> {
  const row = await groupById(db, id);
  if (!row || !isVisible(caller.ctx, row)) throw groupNotFound(id);
  caller.authorize('group:get', targetOf(row));
  return row;
}

/** The group that a new volume is to be in; its volumes have its types and its host. */
export async function groupForVolume(db: Db, caller: Caller, id: string, typeId: string): Promise<GroupRow> {
  const row = await getGroup(db, caller, id);
  const types = (await typesOfGroups(db, [id])).get(id) ?? [];
  if (!types.includes(typeId)) throw invalid(`Invalid volume type: ${typeId} (requested type must be supported by group).`, { field: 'volume_type' });
  return row;
}
