import type { ListQuery } from '@cairn/kit/store/list';
import { sql } from 'kysely';

/** Conditions of image lists, as hooks of the list module. */
type Where = (query: ListQuery) => ListQuery;

export const visibilityIs =
  (visibility: string): Where =>
  (q) =>
    q.where(sql<boolean>`glance_image.visibility = ${visibility}`);

export const ownedWith =
  (project: string, visibility: string): Where =>
  (q) =>
    q.where(sql<boolean>`glance_image.owner = ${project} and glance_image.visibility = ${visibility}`);

const isMember = (project: string, status: string) =>
  status === 'all'
    ? sql<boolean>`exists (select 1 from glance_image_member m where m.image_id = glance_image.id and m.member_id = ${project})`
    : sql<boolean>`exists (select 1 from glance_image_member m where m.image_id = glance_image.id and m.member_id = ${project} and m.status = ${status})`;

/** Shared images of the project itself, and of others that it accepted. */
export const sharedWith =
  (project: string, memberStatus: string): Where =>
  (q) =>
    q.where(sql<boolean>`glance_image.visibility = 'shared' and (glance_image.owner = ${project} or ${isMember(project, memberStatus)})`);

/** What a project sees by default: public, its own, shared with it; community images only when asked for. */
export const seenBy =
  (project: string, memberStatus: string, community: boolean): Where =>
  (q) =>
    q.where(
      sql<boolean>`(glance_image.owner = ${project} or glance_image.visibility = 'public' ${community ? sql`or glance_image.visibility = 'community'` : sql``} or (glance_image.visibility = 'shared' and ${isMember(project, memberStatus)}))`,
    );

/** An admin sees all but other projects' community images. */
export const notForeignCommunity =
  (project: string): Where =>
  (q) =>
    q.where(sql<boolean>`(glance_image.visibility <> 'community' or glance_image.owner = ${project})`);

export const hasTag =
  (tag: string): Where =>
  (q) =>
    q.where(sql<boolean>`exists (select 1 from glance_image_tag t where t.image_id = glance_image.id and t.tag = ${tag})`);

export const hasProperty =
  (name: string, value: string): Where =>
  (q) =>
    q.where(sql<boolean>`exists (select 1 from glance_image_property p where p.image_id = glance_image.id and p.name = ${name} and p.value = ${value})`);

/** A time that is not within `fromMs` (inclusive) and `untilMs` (exclusive). */
export const timeOutside =
  (column: 'created_at_ms' | 'updated_at_ms', fromMs: number, untilMs: number): Where =>
  (q) =>
    q.where(sql<boolean>`(${sql.ref(`glance_image.${column}`)} < ${fromMs} or ${sql.ref(`glance_image.${column}`)} >= ${untilMs})`);

/** No image at all. */
export const nothing: Where = (q) => q.where(sql<boolean>`1 = 0`);
