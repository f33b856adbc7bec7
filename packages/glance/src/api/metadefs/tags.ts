import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { TAG_SORT } from '../../app/metadef-contents.ts';
import { op } from '../op.ts';
import { metadefTag, tagsAnswer } from '../answers/metadefs.ts';
import { limitOf, NAMESPACE, nameOf, namespaceTarget, sortOf, times, visibilityOf } from './common.ts';
import * as schemas from './schemas.ts';

const TAGS = `${NAMESPACE}/tags` as const;
const TAG = `${TAGS}/{tag_name}` as const;
const tagOf = (req: Request<AnyBody>): string => req.params.tag_name as string;
const view = (row: { readonly name: string; readonly created_at_ms: number; readonly updated_at_ms: number }): object => ({ name: row.name, ...times(row) });
/** oslo.utils' true values. */
const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

export const metadefTagOperations = [
  op({
    id: 'glance.metadef.tag.list',
    method: 'GET',
    path: TAGS,
    answer: tagsAnswer,
    summary: 'List the tags of a metadata definition namespace',
    policy: 'get_metadef_tags',
    target: namespaceTarget,
    async handle(app, req) {
      const limit = limitOf(req.query);
      const marker = req.query.get('marker');
      visibilityOf(req.query, ['public', 'private', 'shared']);
      const page = await app.metadefContents.listTags(req.ctx, nameOf(req), {
        sort: sortOf(req.query, TAG_SORT),
        ...(limit !== undefined && { limit }),
        ...(marker !== null && marker !== '' && { marker }),
      });
      return { tags: page.rows.map((row) => ({ name: row.name })) };
    },
  }),
  op({
    id: 'glance.metadef.tag.set',
    method: 'POST',
    path: TAGS,
    answer: tagsAnswer,
    summary: 'Set the tags of a metadata definition namespace, or add to them',
    policy: 'add_metadef_tags',
    target: namespaceTarget,
    body: schemas.bodyOf(schemas.TAGS_BODY),
    validation: 'handler',
    success: 201,
    async handle(app, req) {
      schemas.checkBody(schemas.TAGS_BODY, req.body);
      const tags = (req.body as { tags?: { name: string }[] }).tags ?? [];
      for (const tag of tags) schemas.checkAgainst(schemas.TAG, tag);
      const append = TRUE.has(
        String(req.headers['x-openstack-append'] ?? '')
          .trim()
          .toLowerCase(),
      );
      await app.metadefContents.setTags(
        req.ctx,
        nameOf(req),
        tags.map((tag) => tag.name),
        append,
      );
      return { tags };
    },
  }),
  op({
    id: 'glance.metadef.tag.get',
    method: 'GET',
    path: TAG,
    answer: metadefTag,
    summary: 'Show a tag of a metadata definition namespace',
    policy: 'get_metadef_tag',
    target: namespaceTarget,
    handle: async (app, req) => view(await app.metadefContents.get(app.env.store.read, req.ctx, nameOf(req), 'tag', tagOf(req))),
  }),
  op({
    id: 'glance.metadef.tag.create',
    method: 'POST',
    path: TAG,
    answer: metadefTag,
    summary: 'Add a tag to a metadata definition namespace',
    policy: 'add_metadef_tag',
    target: namespaceTarget,
    success: 201,
    async handle(app, req) {
      schemas.checkAgainst(schemas.TAG, { name: tagOf(req) });
      return view(await app.metadefContents.addTag(req.ctx, nameOf(req), tagOf(req)));
    },
  }),
  op({
    id: 'glance.metadef.tag.update',
    method: 'PUT',
    path: TAG,
    answer: metadefTag,
    summary: 'Rename a tag of a metadata definition namespace',
    policy: 'modify_metadef_tag',
    target: namespaceTarget,
    body: schemas.bodyOf(schemas.TAG),
    validation: 'handler',
    async handle(app, req) {
      schemas.checkBody(schemas.TAG, req.body);
      return view(await app.metadefContents.updateTag(req.ctx, nameOf(req), tagOf(req), (req.body as { name: string }).name));
    },
  }),
  op({
    id: 'glance.metadef.tag.delete',
    method: 'DELETE',
    path: TAG,
    summary: 'Delete a tag of a metadata definition namespace',
    policy: 'delete_metadef_tag',
    target: namespaceTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.metadefContents.remove(req.ctx, nameOf(req), 'tag', tagOf(req)),
  }),
];
