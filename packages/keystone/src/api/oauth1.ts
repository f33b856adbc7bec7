import { isoMicros } from '@cairn/kit/clock/clock';
import type { AnyOperation } from '@cairn/kit/http/operation';
import { ANYONE, Reply } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import { extraOf, type Initiator } from '../app/core.ts';
import type { Consumer } from '../app/oauth1.ts';
import { expecting } from '../errors.ts';
import { consumer, newConsumer } from './answers/delegation.ts';
import { many, one } from './answers/envelope.ts';
import { type AnyRequest, callOf, collection, headerOf, noTarget, op, param, requireSameId, who, withSelf } from './common.ts';
import { requireUndelegated } from './delegation.ts';
import { id64, name255, object, type Schema, textOrNull } from './schemas.ts';

const PATH = '/v3/OS-OAUTH1';
const CONSUMERS = `${PATH}/consumers`;

type ConsumerBody = Readonly<Record<string, unknown>> & { readonly description?: string | null };
const createBody = Type.Unsafe<{ readonly consumer?: ConsumerBody }>(object({ consumer: object({ description: textOrNull }) }));
const updateBody = Type.Unsafe<{ readonly consumer: ConsumerBody }>(
  object({ consumer: { ...object({ description: textOrNull }, { minProperties: 1 }), not: { required: ['secret'] } } }, { required: ['consumer'] }),
);
const role: Schema = { ...object({ id: id64, name: name255 }, { closed: true, minProperties: 1 }), maxProperties: 1 };
const authorizeBody = Type.Unsafe<{ readonly roles?: readonly { readonly id?: string; readonly name?: string }[] }>(
  object({ roles: { type: 'array', items: role } }),
);

const KNOWN = ['id', 'description', 'secret'];
const consumerView = ({ id, description, extra }: Consumer) => ({ ...extra, id, description });
const member = (req: AnyRequest, view: Readonly<Record<string, unknown>> & { readonly id: string }) => ({
  consumer: withSelf(req, 'OS-OAUTH1/consumers', view),
});

/** Nobody is logged in where a consumer signs. */
const signer = (req: AnyRequest): Initiator => ({ requestId: req.requestId, remoteAddress: req.remoteAddress, userAgent: headerOf(req, 'user-agent') });

/** A form, as OAuth 1.0a answers. */
function formOf(issued: { readonly id: string; readonly secret: string; readonly expiresAtMs: number | null }): Reply {
  const expiry = issued.expiresAtMs === null ? '' : `&oauth_expires_at=${isoMicros(issued.expiresAtMs)}`;
  return new Reply(`oauth_token=${issued.id}&oauth_token_secret=${issued.secret}${expiry}`, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
}

export const oauth1Operations: readonly AnyOperation[] = [
  op({
    id: 'keystone.oauth1_consumer.list',
    method: 'GET',
    path: CONSUMERS,
    answer: many('consumers', consumer),
    summary: 'List the programs that may ask users for access',
    policy: 'identity:list_consumers',
    target: noTarget,
    handle: async (app, req) => collection(req, 'consumers', (await app.oauth1.consumers()).map(consumerView), { path: 'OS-OAUTH1/consumers' }),
  }),
  op({
    id: 'keystone.oauth1_consumer.create',
    method: 'POST',
    path: CONSUMERS,
    answer: one('consumer', newConsumer),
    summary: 'Register a program that may ask users for access',
    policy: 'identity:create_consumer',
    target: noTarget,
    success: 201,
    body: createBody,
    bodyOptional: true,
    handle: async (app, req) => {
      const { description, ...rest } = req.body?.consumer ?? {};
      const { secret, ...consumer } = await app.oauth1.createConsumer(description ?? null, extraOf(rest, KNOWN, true), who(req));
      return member(req, { ...consumerView(consumer), secret });
    },
  }),
  op({
    id: 'keystone.oauth1_consumer.show',
    method: 'GET',
    path: `${CONSUMERS}/{consumer_id}`,
    answer: one('consumer', consumer),
    summary: 'Show a consumer',
    policy: 'identity:get_consumer',
    target: noTarget,
    handle: async (app, req) => member(req, consumerView(await app.oauth1.consumer(param(req, 'consumer_id')))),
  }),
  op({
    id: 'keystone.oauth1_consumer.update',
    method: 'PATCH',
    path: `${CONSUMERS}/{consumer_id}`,
    answer: one('consumer', consumer),
    summary: 'Update a consumer',
    policy: 'identity:update_consumer',
    target: noTarget,
    body: updateBody,
    handle: async (app, req) => {
      const { description, ...rest } = req.body.consumer;
      requireSameId(req, 'consumer_id', rest);
      const change = { ...(description !== undefined && { description }), extra: extraOf(rest, KNOWN, true) };
      return member(req, consumerView(await app.oauth1.updateConsumer(param(req, 'consumer_id'), change, who(req))));
    },
  }),
  op({
    id: 'keystone.oauth1_consumer.delete',
    method: 'DELETE',
    path: `${CONSUMERS}/{consumer_id}`,
    summary: 'Delete a consumer with all the access that it was given',
    policy: 'identity:delete_consumer',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      await app.oauth1.deleteConsumer(param(req, 'consumer_id'), who(req));
    },
  }),
  op({
    id: 'keystone.oauth1_request_token.create',
    method: 'POST',
    path: `${PATH}/request_token`,
    answer: 'stream',
    summary: 'Ask for access to a project, signed by the consumer',
    policy: ANYONE,
    input: 'none',
    success: 201,
    handle: async (app, req) => {
      const projectId = headerOf(req, 'requested-project-id');
      // the header with the signature is missed first
      const call = callOf(req);
      if (call.headers.authorization !== undefined && !projectId) throw expecting('Requested-Project-Id', 'request');
      return formOf(await app.oauth1.createRequestToken(call, projectId ?? '', signer(req)));
    },
  }),
  op({
    id: 'keystone.oauth1_access_token.create',
    method: 'POST',
    path: `${PATH}/access_token`,
    answer: 'stream',
    summary: 'Turn a request token that a user authorised into an access token, signed by the consumer',
    policy: ANYONE,
    input: 'none',
    success: 201,
    handle: async (app, req) => formOf(await app.oauth1.createAccessToken(callOf(req), signer(req))),
  }),
  op({
    id: 'keystone.oauth1_request_token.authorize',
    method: 'PUT',
    path: `${PATH}/authorize/{request_token_id}`,
    answer: Type.Object({ token: Type.Object({ oauth_verifier: Type.String() }) }),
    summary: 'Give a consumer some of the own roles',
    policy: 'identity:authorize_request_token',
    target: noTarget,
    body: authorizeBody,
    bodyOptional: true,
    handle: async (app, req) => {
      requireUndelegated(req, 'a request token cannot be authorized');
      const id = param(req, 'request_token_id');
      await app.oauth1.checkRequestToken(id);
      const roleIds: string[] = [];
      for (const each of req.body?.roles ?? []) roleIds.push(each.id ?? (await app.roles.uniqueByName(each.name ?? '')).id);
      return { token: { oauth_verifier: await app.oauth1.authorize(id, req.ctx.userId, roleIds) } };
    },
  }),
];
