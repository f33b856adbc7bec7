import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { ListQuery } from '@cairn/kit/store/list';
import * as scopes from '../store/image-scopes.ts';

/** Conditions on an image's tag and on its own properties. */
export { hasProperty, hasTag, nothing, timeOutside } from '../store/image-scopes.ts';

/**
 * Which images a list shows to `ctx`.
 * @param visibility what was asked for; null when nothing was
 * @param memberStatus `pending`, `accepted`, `rejected` or `all`: how the project stands to images shared with it
 */
export function imageScope(ctx: Context, visibility: string | null, memberStatus: string): (query: ListQuery) => ListQuery {
  const project = ctx.projectId ?? '';
  if (visibility === 'public' || visibility === 'community') return scopes.visibilityIs(visibility);
  if (visibility === 'private') return isAdmin(ctx) ? scopes.visibilityIs('private') : scopes.ownedWith(project, 'private');
  if (visibility === 'shared') return isAdmin(ctx) ? scopes.visibilityIs('shared') : scopes.sharedWith(project, memberStatus);
  if (isAdmin(ctx)) return visibility === 'all' ? (q) => q : scopes.notForeignCommunity(project);
  return scopes.seenBy(project, memberStatus, visibility === 'all');
}
