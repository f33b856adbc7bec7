import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { ListQuery, ListRequest } from '@cairn/kit/store/list';

/** Keeps the rows of a list that have every one of these pairs of metadata. */
export { havingPairs, type MetadataKind } from '../store/metadata.ts';

/**
 * The part of a list that the caller may see: what its project has, where other projects' rows are not even markers. Administrators who ask
 * for it get all projects' rows.
 */
export const projectScope = (ctx: Context, allProjects: boolean): Pick<ListRequest, 'scope'> =>
  allProjects && isAdmin(ctx) ? {} : { scope: (query: ListQuery): ListQuery => query.where('project_id', '=', ctx.projectId ?? '') };
