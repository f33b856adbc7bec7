import { invalidInput } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { imageMember, membersAnswer } from './answers/images.ts';
import { op } from './op.ts';
import { memberView } from './view.ts';

const idOf = (req: Request<AnyBody>): string => req.params.image_id as string;
const memberOf = (req: Request<AnyBody>): string => req.params.member_id as string;

/** One field of a body, with upstream's words for each way in which it can be missing. */
function fieldOf(body: unknown, field: string, words: { readonly form: string; readonly missing: string }): unknown {
  if (body === undefined) throw invalidInput('Body expected in request.');
  if (body === null || typeof body !== 'object' || Array.isArray(body)) throw invalidInput(words.form);
  if (!Object.hasOwn(body, field)) throw invalidInput(words.missing, { field });
  return (body as Record<string, unknown>)[field];
}

function newMember(body: unknown): string {
  const form = 'Expected a member in the form: {"member": "image_id"}';
  const member = fieldOf(body, 'member', { form, missing: 'Member to be added not specified' });
  if (!member) throw invalidInput("Member can't be empty", { field: 'member' });
  if (typeof member !== 'string' || member.length > 255) throw invalidInput(form, { field: 'member' });
  return member;
}

export const memberOperations = [
  op({
    id: 'glance.member.list',
    method: 'GET',
    path: '/v2/images/{image_id}/members',
    answer: membersAnswer,
    summary: 'List the projects that an image is shared with',
    policy: 'get_members',
    handle: async (app, req) => ({ members: (await app.members.list(req.ctx, idOf(req))).map(memberView), schema: '/v2/schemas/members' }),
  }),
  op({
    id: 'glance.member.add',
    method: 'POST',
    path: '/v2/images/{image_id}/members',
    answer: imageMember,
    summary: 'Share an image with a project',
    policy: 'add_member',
    handle: async (app, req) => memberView(await app.members.add(req.ctx, idOf(req), newMember(req.body))),
  }),
  op({
    id: 'glance.member.get',
    method: 'GET',
    path: '/v2/images/{image_id}/members/{member_id}',
    answer: imageMember,
    summary: 'Show a member',
    policy: 'get_member',
    handle: async (app, req) => memberView(await app.members.get(req.ctx, idOf(req), memberOf(req))),
  }),
  op({
    id: 'glance.member.update',
    method: 'PUT',
    path: '/v2/images/{image_id}/members/{member_id}',
    answer: imageMember,
    summary: 'Accept or reject a shared image',
    policy: 'modify_member',
    async handle(app, req) {
      const form = 'Expected a status in the form: {"status": "status"}';
      const status = fieldOf(req.body, 'status', { form, missing: 'Status not specified' });
      if (status !== 'pending' && status !== 'accepted' && status !== 'rejected')
        throw invalidInput('Incorrect request: Status must be "pending", "accepted" or "rejected".', { field: 'status' });
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
    answer: 'none',
    handle: (app, req) => app.members.remove(req.ctx, idOf(req), memberOf(req)),
  }),
];
