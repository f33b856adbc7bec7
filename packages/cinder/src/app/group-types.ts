import { alreadyExists, type CairnError, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import {
  deleteGroupTypeRow,
  GROUP_TYPES,
  groupTypeById,
  groupTypeByName,
  groupTypeIsUsed,
  insertGroupType,
  pageOfGroupTypes,
  updateGroupType,
} from '../store/groups.ts';
import type { GroupTypeRow } from '../store/tables.ts';
import type { CinderApp } from './app.ts';
import type { ExtraSpecs } from './types.ts';

/** Groups of this type are consistency groups, and belong to that older API alone. */
export const CONSISTENCY_TYPE = 'default_cgsnapshot_type';

export const groupTypeNotFound = (id: string): CairnError => notFound(`Group type ${id} could not be found.`, { type: 'GroupTypeNotFound' });
const exists = (name: string): CairnError => alreadyExists(`Group Type ${name} already exists.`, { type: 'GroupTypeExists' });

export const GROUP_TYPE_LIST: ListSpec<GroupTypeRow> = { ...GROUP_TYPES, unknownMarker: (marker) => groupTypeNotFound(String(marker)) };
export const listGroupTypes = (db: Db, request: ListRequest): Promise<ListPage<GroupTypeRow>> => pageOfGroupTypes(db, request, GROUP_TYPE_LIST);
export const groupSpecsOf = (row: GroupTypeRow): ExtraSpecs => fromJson<ExtraSpecs>(row.group_specs);

export async function getGroupType(db: Db, id: string): Promise<GroupTypeRow> {
  const row = await groupTypeById(db, id);
  if (!row) throw groupTypeNotFound(id);
  return row;
}

/** By id or else by name, as `group_type` of a request may be either. */
export async function groupTypeByNameOrId(db: Db, identity: string): Promise<GroupTypeRow> {
  if (isUuidLike(identity)) return getGroupType(db, identity);
  const row = await groupTypeByName(db, identity);
  if (!row) throw notFound(`Group type with name ${identity} could not be found.`, { type: 'GroupTypeNotFoundByName' });
  return row;
}

export async function consistencyType(db: Db): Promise<GroupTypeRow> {
  const row = await groupTypeByName(db, CONSISTENCY_TYPE);
  if (!row) throw invalidInput(`Group type ${CONSISTENCY_TYPE} not found. Rerun migration script to create the default cgsnapshot type.`);
  return row;
}

export async function createGroupType(
  app: CinderApp,
  ask: { readonly name: string; readonly description: string | null; readonly isPublic: boolean; readonly specs: ExtraSpecs },
): Promise<GroupTypeRow> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    if (await groupTypeByName(tx, ask.name)) throw exists(ask.name);
    const row: GroupTypeRow = {
      id: env.ids.uuid(),
      name: ask.name,
      description: ask.description,
      is_public: ask.isPublic ? 1 : 0,
      group_specs: toJson(ask.specs),
      created_at_ms: env.clock.nowMs(),
      updated_at_ms: null,
    };
    await insertGroupType(tx, row);
    return row;
  });
}

export async function changeGroupType(
  app: CinderApp,
  id: string,
  change: { readonly name?: string; readonly description?: string; readonly isPublic?: boolean },
): Promise<GroupTypeRow> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    const before = await getGroupType(tx, id);
    if (change.name !== undefined && change.name !== before.name && (await groupTypeByName(tx, change.name))) throw exists(change.name);
    await updateGroupType(
      tx,
      id,
      {
        ...(change.name !== undefined && { name: change.name }),
        ...(change.description !== undefined && { description: change.description }),
        ...(change.isPublic !== undefined && { is_public: change.isPublic ? 1 : 0 }),
      },
      env.clock.nowMs(),
    );
    return getGroupType(tx, id);
  });
}

export async function deleteGroupType(app: CinderApp, id: string): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    await getGroupType(tx, id);
    if (await groupTypeIsUsed(tx, id)) throw invalidInput('Target group type is still in use.', { type: 'GroupTypeInUse' });
    await deleteGroupTypeRow(tx, id);
  });
}

/** Sets group specs; others stay. */
export async function addGroupSpecs(app: CinderApp, id: string, specs: ExtraSpecs): Promise<void> {
  await app.deps.env.store.write((tx) => writeSpecs(app, tx, id, (old) => ({ ...old, ...specs })));
}

export async function removeGroupSpec(app: CinderApp, id: string, key: string): Promise<void> {
  await app.deps.env.store.write((tx) =>
    writeSpecs(app, tx, id, ({ [key]: gone, ...rest }) => {
      if (gone === undefined) throw notFound(`Group Type ${id} has no specs with key ${key}.`, { type: 'GroupTypeSpecsNotFound' });
      return rest;
    }),
  );
}

async function writeSpecs(app: CinderApp, tx: Tx, id: string, change: (specs: ExtraSpecs) => ExtraSpecs): Promise<void> {
  const row = await getGroupType(tx, id);
  await updateGroupType(tx, id, { group_specs: toJson(change(groupSpecsOf(row))) }, app.deps.env.clock.nowMs());
}
