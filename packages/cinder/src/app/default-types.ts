import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { DefaultTypeRow } from '../store/tables.ts';
import { defaultTypeOf, setDefaultType as writeDefaultType, unsetDefaultType as dropDefaultType } from '../store/types.ts';
import type { CinderApp } from './app.ts';
import type { Caller } from './caller.ts';
import { getTypeByNameOrId } from './types.ts';

/** The default types of all projects that have one of their own. */
export { defaultTypes } from '../store/types.ts';

async function needProject(app: CinderApp, projectId: string): Promise<void> {
  if (!(await app.deps.faces.keystone.project(app.deps.env.store.read, projectId))) throw notFound(`Project with id ${projectId} not found.`);
}

/** A project's own default type; NotFound without one. */
export async function defaultTypeFor(app: CinderApp, projectId: string): Promise<DefaultTypeRow> {
  await needProject(app, projectId);
  const row = await defaultTypeOf(app.deps.env.store.read, projectId);
  if (!row) throw notFound(`Default type for project ${projectId} not found.`, { type: 'VolumeTypeProjectDefaultNotFound' });
  return row;
}

/** Sets a project's default type; `identity` is a type's id or name. */
export async function setDefaultType(app: CinderApp, caller: Caller, projectId: string, identity: string): Promise<DefaultTypeRow> {
  await needProject(app, projectId);
  return app.deps.env.store.write(async (tx) => {
    const type = await getTypeByNameOrId(tx, caller.ctx, identity).catch((error: Error) => {
      throw invalidInput(error.message, { field: 'volume_type' });
    });
    await writeDefaultType(tx, projectId, type.id);
    return { project_id: projectId, type_id: type.id };
  });
}

export async function unsetDefaultType(app: CinderApp, projectId: string): Promise<void> {
  await app.deps.env.store.write((tx) => dropDefaultType(tx, projectId));
}
