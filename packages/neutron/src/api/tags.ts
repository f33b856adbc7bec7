import { AUTHENTICATED, type Operation } from '@cairn/kit/http/operation';
import Type from 'typebox';
import type { NeutronApp } from '../app/deps.ts';
import { addTags, checkTag, listTags, removeTag, removeTags, replaceTags, requireTag, TAGGABLE, type Taggable, tagsOfBody } from '../app/tags.ts';
import { op } from './op.ts';

const tagsSchema = Type.Object({ tags: Type.Array(Type.String({ maxLength: 255 }), { maxItems: 50, uniqueItems: true }) });

const tagsAnswer = Type.Object({ tags: Type.Array(Type.String()) });

/** The tags of one kind of resource. */
function tagOperationsOf(kind: Taggable): Operation<NeutronApp>[] {
  const { name } = kind.resource;
  const path = kind.path ?? kind.resource.path;
  const common = { policy: AUTHENTICATED, path: `/v2.0/${path}/{id}/tags` } as const;
  const single = { policy: AUTHENTICATED, path: `/v2.0/${path}/{id}/tags/{tag}` } as const;
  const id = `neutron.${name.replaceAll('_', '-')}-tag`;
  const what = name.replaceAll('_', ' ');
  return [
    op({
      ...common,
      id: `${id}.list`,
      method: 'GET',
      summary: `List the tags of a ${what}`,
      asks: `get_${name}:tags`,
      answer: tagsAnswer,
      handle: async (app, req) => ({ tags: await listTags(app, req.ctx, kind, req.params.id as string) }),
    }),
    op({
      ...common,
      id: `${id}.create`,
      method: 'POST',
      summary: `Add tags to a ${what}`,
      asks: `create_${name}:tags`,
      body: tagsSchema,
      validation: 'handler',
      answer: tagsAnswer,
      async handle(app, req) {
        await addTags(app, req.ctx, kind, req.params.id as string, tagsOfBody(req.body), 'create');
        return req.body;
      },
    }),
    op({
      ...common,
      id: `${id}.replace`,
      method: 'PUT',
      summary: `Replace the tags of a ${what}`,
      asks: `update_${name}:tags`,
      body: tagsSchema,
      validation: 'handler',
      answer: tagsAnswer,
      async handle(app, req) {
        await replaceTags(app, req.ctx, kind, req.params.id as string, tagsOfBody(req.body));
        return req.body;
      },
    }),
    op({
      ...common,
      id: `${id}.clear`,
      method: 'DELETE',
      summary: `Remove all tags of a ${what}`,
      asks: `delete_${name}:tags`,
      success: 204,
      answer: 'none',
      handle: (app, req) => removeTags(app, req.ctx, kind, req.params.id as string),
    }),
    op({
      ...single,
      id: `${id}.show`,
      method: 'GET',
      summary: `Check for a tag of a ${what}`,
      asks: `get_${name}:tags`,
      success: 204,
      answer: 'none',
      handle: (app, req) => requireTag(app, req.ctx, kind, req.params.id as string, req.params.tag as string),
    }),
    op({
      ...single,
      id: `${id}.add`,
      method: 'PUT',
      summary: `Add a tag to a ${what}`,
      asks: `update_${name}:tags`,
      success: 201,
      answer: Type.Null(),
      async handle(app, req) {
        const tag = req.params.tag as string;
        checkTag(tag);
        await addTags(app, req.ctx, kind, req.params.id as string, [tag], 'update');
        return null;
      },
    }),
    op({
      ...single,
      id: `${id}.delete`,
      method: 'DELETE',
      summary: `Remove a tag of a ${what}`,
      asks: `delete_${name}:tags`,
      success: 204,
      answer: 'none',
      handle: (app, req) => removeTag(app, req.ctx, kind, req.params.id as string, req.params.tag as string),
    }),
  ];
}

export const tagOperations = TAGGABLE.flatMap(tagOperationsOf);
