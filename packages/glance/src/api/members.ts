import { invalidInput } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { op } from './op.ts';
import { memberView } from './view.ts';

const idOf = (req: Request<AnyBody>): string => req.params.image_id as string;
const memberOf = (req: Request<AnyBody>): string => req.params.member_id as string;

function textField(body: unknown, field: string): string {
  const value = body !== null && typeof body === 'object' ? (body as Record<string, unknown>)[field] : undefined;
  if (typeof value !== 'string' || value === '')
    throw invalidInput(`Provided object does not match schema 'member': '${field}' is a required property`, { field });
  return value;
}

export const memberOperations = [
  op({
    id: 'glance.member.list',
    method: 'GET',
    path: '/v2/images/{image_id}/members',
    summary: 'List the projects that an image is shared with',
    policy: 'get_members',
    handle: async (app, req) => ({ members: (await app.members.list(req.ctx, idOf(req))).map(memberView), schema: '/v2/schemas/members' }),
  }),
  op({
    id: 'glance.member.add',
    method: 'POST',
    path: '/v2/images/{image_id}/members',
    summary: 'Share an image with a project',
    policy: 'add_member',
    handle: async (app, req) => memberView(await app.members.add(req.ctx, idOf(req), textField(req.body, 'member'))),
  }),
  op({
    id: 'glance.member.get',
    method: 'GET',
    path: '/v2/images/{image_id}/members/{member_id}',
    summary: 'Show a member',
    policy: 'get_member',
    handle: async (app, req) => memberView(await app.members.get(req.ctx, idOf(req), memberOf(req))),
  }),
  op({
    id: 'glance.member.update',
    method: 'PUT',
    path: '/v2/images/{image_id}/members/{member_id}',
    summary: 'Accept or reject a shared image',
    policy: 'modify_member',
    async handle(app, req) {
      const status = textField(req.body, 'status');
      if (status !== 'pending' && status !== 'accepted' && status !== 'rejected')
        throw invalidInput(`Provided object does not match schema 'member': '${status}' is not one of ['pending', 'accepted', 'rejected']`, {
          field: 'status',
        });
      return memberView(await app.members.setStatus(req.ctx, idOf(req), memberOf(req), status));
    },
  }),
  op({
    id: 'glance.member.remove',
    method: 'DELETE',
    path: '/v2/images/{image_id}/members/{member_id}',
    summary: 'Stop sharing an image with a project',
    policy: 'delete_member',
    success: 204,
    handle: (app, req) => app.members.remove(req.ctx, idOf(req), memberOf(req)),
  }),
];
