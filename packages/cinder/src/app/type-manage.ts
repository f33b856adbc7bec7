import { alreadyExists, type CairnError, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { Tx } from '@cairn/kit/store/store';
import { toJson } from '@cairn/kit/store/values';
import { extraSpecNotFound } from '../errors.ts';
import { deleteLimitsOfType } from '../store/quotas.ts';
import type { TypeRow } from '../store/tables.ts';
import {
  addTypeAccess,
  deleteTypeRow,
  insertType,
  isDefaultOfProject,
  projectsOfType,
  removeTypeAccess,
  setSpecs,
  typeByName,
  updateType,
} from '../store/types.ts';
import { typeHasVolumes } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import type { Caller } from './caller.ts';
import { type ExtraSpecs, getType, isTrueSpec, specsOf } from './types.ts';

export interface NewType {
  readonly name: string;
  readonly description: string | null;
  readonly isPublic: boolean;
  readonly extraSpecs: ExtraSpecs;
}

const exists = (name: string): CairnError => alreadyExists(`Volume Type ${name} already exists.`, { type: 'VolumeTypeExists' });

export async function createType(app: CinderApp, caller: Caller, ask: NewType): Promise<TypeRow> {
  const { env } = app.deps;
  const row: TypeRow = {
    id: env.ids.uuid(),
    name: ask.name,
    description: ask.description,
    is_public: ask.isPublic ? 1 : 0,
    qos_specs_id: null,
    extra_specs: toJson(ask.extraSpecs),
    created_at_ms: env.clock.nowMs(),
    updated_at_ms: null,
  };
  try {
    await env.store.write(async (tx) => {
      if (await typeByName(tx, ask.name)) throw exists(ask.name);
      await insertType(tx, row, ask.extraSpecs);
      await emitType(app, tx, caller, 'create', row);
    });
  } catch (error) {
    throw isUniqueViolation(error, 'cinder_type') ? exists(ask.name) : error;
  }
  return row;
}

export interface TypeChange {
  readonly name?: string;
  readonly description?: string;
  readonly isPublic?: boolean;
}

export async function changeType(app: CinderApp, caller: Caller, id: string, change: TypeChange): Promise<TypeRow> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    const before = await getType(tx, caller.ctx, id);
    if (change.name !== undefined && change.name !== before.name && (await typeByName(tx, change.name))) throw exists(change.name);
    const set = {
      ...(change.name !== undefined && { name: change.name }),
      ...(change.description !== undefined && { description: change.description }),
      ...(change.isPublic !== undefined && { is_public: change.isPublic ? 1 : 0 }),
    };
    await updateType(tx, id, set, env.clock.nowMs());
    const after = { ...before, ...set };
    await emitType(app, tx, caller, 'update', after);
    return after;
  });
}

export async function deleteType(app: CinderApp, caller: Caller, id: string): Promise<void> {
  const { env, options } = app.deps;
  await env.store.write(async (tx) => {
    const type = await getType(tx, caller.ctx, id);
    if (type.name === options.defaultVolumeType || (await isDefaultOfProject(tx, id))) {
      throw invalidInput(`The volume type ${id} is a default volume type and cannot be deleted.`, { type: 'VolumeTypeDefaultDeletionError' });
    }
    if (await typeHasVolumes(tx, id)) throw invalidInput('Target volume type is still in use.', { type: 'VolumeTypeInUse' });
    await deleteLimitsOfType(tx, id);
    await deleteTypeRow(tx, id);
    await emitType(app, tx, caller, 'delete', type);
  });
}

/** Sets extra specs; others stay. */
export async function addExtraSpecs(app: CinderApp, caller: Caller, id: string, specs: ExtraSpecs): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const type = await unusedType(tx, caller, id);
    const all = { ...specsOf(type), ...specs };
    if (isTrueSpec(all['multiattach']) && isTrueSpec(all['cacheable'])) throw invalidInput('cacheable cannot be set with multiattach.');
    await setSpecs(tx, id, all, env.clock.nowMs());
    await emitType(app, tx, caller, 'extra_specs.create', type);
  });
}

export async function removeExtraSpec(app: CinderApp, caller: Caller, id: string, key: string): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const type = await unusedType(tx, caller, id);
    const { [key]: gone, ...rest } = specsOf(type);
    if (gone === undefined) throw extraSpecNotFound(id, key);
    await setSpecs(tx, id, rest, env.clock.nowMs());
    await emitType(app, tx, caller, 'extra_specs.delete', type);
  });
}

/** What volumes were made by must not change under them. */
async function unusedType(tx: Tx, caller: Caller, id: string): Promise<TypeRow> {
  const type = await getType(tx, caller.ctx, id);
  if (await typeHasVolumes(tx, id)) throw invalidInput('Volume Type is currently in use.');
  return type;
}

export async function listAccess(app: CinderApp, caller: Caller, id: string): Promise<readonly string[]> {
  const db = app.deps.env.store.read;
  const type = await getType(db, caller.ctx, id);
  if (type.is_public === 1) throw notFound('Access list not available for public volume types.', { type: 'VolumeTypeAccessNotFound' });
  return projectsOfType(db, id);
}

const PUBLIC = 'Invalid volume type: Type access modification is not applicable to public volume type.';

export async function addAccess(app: CinderApp, caller: Caller, id: string, projectId: string): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    const type = await getType(tx, caller.ctx, id);
    if (type.is_public === 1) throw invalidInput(PUBLIC, { type: 'InvalidVolumeType' });
    if (!(await addTypeAccess(tx, id, projectId)))
      throw alreadyExists(`Volume type access for ${id} / ${projectId} combination already exists.`, { type: 'VolumeTypeAccessExists' });
    await emitType(app, tx, caller, 'access.add', type, projectId);
  });
}

export async function removeAccess(app: CinderApp, caller: Caller, id: string, projectId: string): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    const type = await getType(tx, caller.ctx, id);
    if (type.is_public === 1) throw invalidInput(PUBLIC, { type: 'InvalidVolumeType' });
    if (!(await removeTypeAccess(tx, id, projectId)))
      throw notFound(`Volume type access not found for ${id} / ${projectId} combination.`, { type: 'VolumeTypeAccessNotFound' });
    await emitType(app, tx, caller, 'access.remove', type, projectId);
  });
}

async function emitType(app: CinderApp, tx: Tx, { ctx }: Caller, what: string, type: TypeRow, projectId?: string): Promise<void> {
  await app.deps.env.events.emit(tx, {
    type: `volume_type.${what}`,
    projectId: ctx.projectId,
    userId: ctx.userId,
    requestId: ctx.requestId,
    resource: 'volume_type',
    resourceId: type.id,
    payload: { id: type.id, name: type.name, is_public: type.is_public === 1, ...(projectId !== undefined && { project_id: projectId }) },
  });
}
