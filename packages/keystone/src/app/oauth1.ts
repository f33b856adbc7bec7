import { fromJson, toJson } from '@cairn/kit/store/values';
import type { Db } from '@cairn/kit/store/store';
import { type ChangeKey, accessTokenKey } from '../cache/changes.ts';
import { consumerNotFound, accessTokenNotFound, projectNotFound, requestTokenNotFound, unauthenticated } from '../errors.ts';
import { checkAccessForm, isKey, missingCallback, oauthHeader, oauthRequest, type OAuthRequest, VERIFIER_CHARS } from '../oauth1/request.ts';
import * as store from '../store/oauth1.ts';
import { findProject } from '../store/projects.ts';
import type { AccessTokenTable, ConsumerTable, RequestTokenTable } from '../store/tables.ts';
import type { AuthCall } from './auth-methods/method.ts';
import { type Core, type Extra, type Initiator, notify, touch } from './core.ts';
import type { EffectiveRoles } from './effective-roles.ts';

/** A program that may ask users for access. */
export interface Consumer {
  readonly id: string;
  readonly description: string | null;
  readonly extra: Extra;
}

/** What a user lets a consumer do. */
export interface AccessToken {
  readonly id: string;
  readonly userId: string;
  readonly projectId: string;
  readonly roleIds: readonly string[];
  readonly consumerId: string;
  readonly expiresAtMs: number | null;
}

/** A new token with its secret, which is shown once. */
interface Issued {
  readonly id: string;
  readonly secret: string;
  readonly expiresAtMs: number | null;
}

export type OAuth1 = ReturnType<typeof createOAuth1>;

const VERIFIER_LENGTH = 8;

const consumerModel = (row: ConsumerTable): Consumer => ({ id: row.id, description: row.description, extra: fromJson<Extra>(row.extra) });
const accessModel = (row: AccessTokenTable): AccessToken => ({
  id: row.id,
  userId: row.authorizing_user_id,
  projectId: row.project_id,
  roleIds: fromJson<string[]>(row.role_ids),
  consumerId: row.consumer_id,
  expiresAtMs: row.expires_at_ms,
});

const authorizationOf = (call: AuthCall): string | undefined => {
  const value = call.headers.authorization;
  return typeof value === 'string' ? value : value?.[0];
};

/** OAuth 1.0a: consumers, request tokens, what users grant (keystone/oauth1, keystone/api/os_oauth1.py). */
export function createOAuth1(core: Core, parts: { readonly effectiveRoles: EffectiveRoles }) {
  const { env, options } = core;
  const { read } = env.store;

  const endOf = (lifetimeSec: number): number | null => (lifetimeSec > 0 ? env.clock.nowMs() + lifetimeSec * 1000 : null);
  const requestOf = (call: AuthCall, url = call.url): OAuthRequest =>
    oauthRequest({ method: 'POST', url, authorization: authorizationOf(call) }, env.clock.nowMs());

  async function consumerRow(db: Db, id: string): Promise<ConsumerTable> {
    const row = await store.findConsumer(db, id);
    if (!row) throw consumerNotFound();
    return row;
  }

  /** A request token that has not expired. */
  async function requestRow(id: string): Promise<RequestTokenTable> {
    const row = await store.findRequestToken(read, id);
    if (!row) throw requestTokenNotFound();
    if (row.expires_at_ms !== null && env.clock.nowMs() > row.expires_at_ms) throw unauthenticated('Request token is expired');
    return row;
  }

  async function accessRow(db: Db, id: string): Promise<AccessTokenTable> {
    const row = await store.findAccessToken(db, id);
    if (!row) throw accessTokenNotFound();
    return row;
  }

  async function createConsumer(description: string | null, extra: Extra, who: Initiator): Promise<Consumer & { readonly secret: string }> {
    const row: ConsumerTable = { id: env.ids.hex(), description, secret: env.ids.hex(), extra: toJson(extra) };
    await env.store.write(async (tx) => {
      await store.insertConsumer(tx, row);
      await notify(core, tx, who, 'created', 'OS-OAUTH1:consumer', row.id);
    });
    return { ...consumerModel(row), secret: row.secret };
  }

  async function updateConsumer(id: string, change: { readonly description?: string | null; readonly extra: Extra }, who: Initiator): Promise<Consumer> {
    return await env.store.write(async (tx) => {
      const row = await consumerRow(tx, id);
      const next = {
        description: change.description === undefined ? row.description : change.description,
        extra: toJson({ ...fromJson<Extra>(row.extra), ...change.extra }),
      };
      await store.updateConsumer(tx, id, next);
      await notify(core, tx, who, 'updated', 'OS-OAUTH1:consumer', id);
      return consumerModel({ ...row, ...next });
    });
  }

  async function deleteConsumer(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      await consumerRow(tx, id);
      const tokens = await store.deleteConsumer(tx, id);
      await touch(core, tx, tokens.map(accessTokenKey));
      await notify(core, tx, who, 'deleted', 'OS-OAUTH1:consumer', id);
    });
  }

  /** POST /request_token: signed by the consumer alone. */
  async function createRequestToken(call: AuthCall, projectId: string, who: Initiator): Promise<Issued> {
    const consumerId = oauthHeader(authorizationOf(call)).get('oauth_consumer_key') ?? '';
    if (!(await findProject(read, projectId))) throw projectNotFound(projectId);
    const consumer = await consumerRow(read, consumerId);
    const request = requestOf(call);
    if (!request.callback) throw missingCallback();
    if (request.token !== undefined) throw accessTokenNotFound();
    if (!request.isSignedBy(consumer.secret)) throw unauthenticated('Invalid signature');
    const row: RequestTokenTable = {
      id: env.ids.hex(),
      secret: env.ids.hex(),
      verifier: null,
      authorizing_user_id: null,
      requested_project_id: projectId,
      role_ids: null,
      consumer_id: consumer.id,
      expires_at_ms: endOf(options.oauth1RequestLifetimeSec),
    };
    await env.store.write(async (tx) => {
      await store.deleteExpiredRequestTokens(tx, env.clock.nowMs());
      await store.insertRequestToken(tx, row);
      await notify(core, tx, who, 'created', 'OS-OAUTH1:request_token', row.id);
    });
    return { id: row.id, secret: row.secret, expiresAtMs: row.expires_at_ms };
  }

  /** PUT /authorize/{id}: the user lends roles that are really held; the verifier tells the consumer so. */
  async function authorize(id: string, userId: string, roleIds: readonly string[]): Promise<string> {
    const row = await requestRow(id);
    const project = await findProject(read, row.requested_project_id);
    if (!project) throw projectNotFound(row.requested_project_id);
    const held = (await parts.effectiveRoles.onProject(read, userId, project)).roleIds;
    if (!roleIds.every((roleId) => held.includes(roleId))) throw unauthenticated('authorizing user does not have role required');
    const verifier = randomText(VERIFIER_LENGTH);
    const change = { authorizing_user_id: userId, verifier, role_ids: toJson([...new Set(roleIds)]) };
    await env.store.write((tx) => store.authorizeRequestToken(tx, id, change));
    return verifier;
  }

  /** Characters of VERIFIER_CHARS, each once, all equally likely. */
  function randomText(length: number): string {
    const left = [...VERIFIER_CHARS];
    let text = '';
    while (text.length < length) {
      const byte = env.ids.bytes(1)[0] as number;
      // bytes beyond the last full round would favour the first characters
      if (byte < 256 - (256 % left.length)) text += left.splice(byte % left.length, 1)[0];
    }
    return text;
  }

  /** POST /access_token: signed by the consumer and the request token, which is used up. */
  async function createAccessToken(call: AuthCall, who: Initiator): Promise<Issued> {
    const requestId = oauthHeader(authorizationOf(call)).get('oauth_token') ?? '';
    const pending = await requestRow(requestId);
    const request = requestOf(call);
    checkAccessForm(request);
    const consumer = await store.findConsumer(read, request.consumerId);
    if (!consumer) throw unauthenticated('Provided consumer does not exist.');
    if (pending.consumer_id !== consumer.id || request.token !== pending.id) throw unauthenticated('Provided consumer key does not match stored consumer key.');
    if (!request.isSignedBy(consumer.secret, pending.secret)) throw unauthenticated('Invalid signature');
    if (pending.verifier === null || pending.verifier !== request.verifier) throw unauthenticated('Provided verifier does not match stored verifier');
    if (pending.authorizing_user_id === null) throw unauthenticated('Request Token does not have an authorizing user id.');
    const row: AccessTokenTable = {
      id: env.ids.hex(),
      secret: env.ids.hex(),
      authorizing_user_id: pending.authorizing_user_id,
      project_id: pending.requested_project_id,
      role_ids: pending.role_ids ?? '[]',
      consumer_id: pending.consumer_id,
      expires_at_ms: endOf(options.oauth1AccessLifetimeSec),
    };
    await env.store.write(async (tx) => {
      if (!(await store.takeRequestToken(tx, pending.id))) throw requestTokenNotFound();
      await store.insertAccessToken(tx, row);
      await notify(core, tx, who, 'created', 'OS-OAUTH1:access_token', row.id);
    });
    return { id: row.id, secret: row.secret, expiresAtMs: row.expires_at_ms };
  }

  /** The access that a login is signed with: by the consumer and the access token. */
  async function accessOf(call: AuthCall): Promise<AccessToken> {
    const id = oauthHeader(authorizationOf(call)).get('oauth_token') ?? '';
    const row = await accessRow(read, id);
    if (row.expires_at_ms !== null && env.clock.nowMs() > row.expires_at_ms) throw unauthenticated('Access token is expired');
    // upstream signs the address of a login without its query
    const request = requestOf(call, call.url.split('?')[0]);
    const consumer = isKey(request.token) ? await store.findConsumer(read, request.consumerId) : undefined;
    if (!consumer || consumer.id !== row.consumer_id || request.token !== row.id || !request.isSignedBy(consumer.secret, row.secret))
      throw unauthenticated('Could not validate the access token');
    return accessModel(row);
  }

  async function deleteAccessToken(userId: string, id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      const row = await accessRow(tx, id);
      if (row.authorizing_user_id !== userId) throw unauthenticated('User IDs do not match');
      await store.deleteAccessToken(tx, id);
      await touch(core, tx, [accessTokenKey(id)]);
      await notify(core, tx, who, 'deleted', 'OS-OAUTH1:access_token', id);
    });
  }

  return {
    createConsumer,
    updateConsumer,
    deleteConsumer,
    consumer: async (id: string): Promise<Consumer> => consumerModel(await consumerRow(read, id)),
    consumers: async (): Promise<Consumer[]> => (await store.listConsumers(read)).map(consumerModel),
    createRequestToken,
    /** Throws NotFound or Unauthorized for a request token that there is not (any more). */
    checkRequestToken: async (id: string): Promise<void> => void (await requestRow(id)),
    authorize,
    createAccessToken,
    accessOf,
    deleteAccessToken,
    /** Throws NotFound. */
    accessToken: async (id: string): Promise<AccessToken> => accessModel(await accessRow(read, id)),
    accessTokensOf: async (userId: string): Promise<AccessToken[]> => (await store.accessTokensOfUser(read, userId)).map(accessModel),
    /** What authorizations that rest on the token depend on. */
    keyOf: (id: string): ChangeKey => accessTokenKey(id),
  };
}
