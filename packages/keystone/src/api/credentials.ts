import type { AnyOperation } from '@cairn/kit/http/operation';
import { extraOf } from '../app/core.ts';
import { ec2CredentialId } from '../app/ec2-tokens.ts';
import type { Credential } from '../app/credentials.ts';
import { expecting, invalid } from '../errors.ts';
import { credential } from './answers/delegation.ts';
import { many, one } from './answers/envelope.ts';
import { type AnyRequest, collection, equals, filtersOf, type KeystoneApp, member, op, param, requireSameId, targetOf, unchecked, who } from './common.ts';
import { reachesProject, requireOwnProject, requireUnrestricted } from './delegation.ts';
import { bodyOf, queryOf, shortText, text, textOrNull } from './schemas.ts';

interface CredentialBody {
  readonly id?: string;
  readonly blob?: string;
  readonly type?: string;
  readonly user_id?: string;
  readonly project_id?: string | null;
}

const KNOWN = ['id', 'blob', 'type', 'user_id', 'project_id', 'encrypted_blob', 'key_hash'];
const properties = { blob: text, type: shortText, user_id: { ...text, maxLength: 255, format: 'no-control' }, project_id: textOrNull };
const createBody = bodyOf<CredentialBody & { readonly blob: string; readonly type: string; readonly user_id: string }>()('credential', properties, {
  required: ['blob', 'type', 'user_id'],
  openRoot: true,
});
const updateBody = bodyOf<CredentialBody>()('credential', properties, { minProperties: 1, openRoot: true });

/** What ties an EC2 credential to the delegation that it was made under; no update may cut it. */
const BINDINGS = ['trust_id', 'app_cred_id', 'access_token_id', 'access_id'] as const;

const credentialView = (credential: Credential) => ({
  ...credential.extra,
  id: credential.id,
  user_id: credential.userId,
  project_id: credential.projectId,
  type: credential.type,
  blob: credential.blob,
});

const isEc2 = (type: string | undefined): boolean => type?.toLowerCase() === 'ec2';

function parseEc2(blob: string | undefined): Record<string, unknown> & { readonly access: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(blob ?? '');
  } catch {
    throw invalid('Invalid blob in credential', 'blob');
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) throw expecting('blob', 'credential');
  const { access } = parsed as { access?: unknown };
  if (typeof access !== 'string') throw expecting('access', 'credential');
  return { ...parsed, access };
}

async function credentialTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const credential = await app.credentials.find(param(req, 'credential_id'));
  return targetOf(req, credential ? { credential: targetView(credential) } : {});
}

/** The facts that rules may ask about; never the secret. */
const targetView = (credential: Credential) => ({ id: credential.id, user_id: credential.userId, project_id: credential.projectId, type: credential.type });

export const credentialOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.credential.list',
    method: 'GET',
    path: '/v3/credentials',
    answer: many('credentials', credential),
    summary: 'List credentials',
    policy: 'identity:list_credentials',
    target: (_app, req) => targetOf(req, req.ctx.systemScope ? {} : { credential: { user_id: req.ctx.userId } }),
    query: queryOf({ user_id: text, type: text }),
    handle: async (app, req) => {
      const filters = filtersOf(req, ['user_id', 'type']);
      // whoever may not read others' credentials is not shown them, and they are not read
      if (!req.allowed('identity:get_credential', { target: { credential: {} } })) filters.push(equals('user_id', req.ctx.userId));
      const found = await app.credentials.list(filters);
      const shown = found.filter(
        (credential) => req.allowed('identity:get_credential', { target: { credential: targetView(credential) } }) && reachesProject(req, credential.projectId),
      );
      return collection(req, 'credentials', shown.map(credentialView));
    },
  }),
  op({
    id: 'keystone.credential.create',
    method: 'POST',
    path: '/v3/credentials',
    answer: one('credential', credential),
    summary: 'Create a credential',
    policy: 'identity:create_credential',
    target: (_app, req) => targetOf(req, { credential: unchecked(req, 'credential') }),
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const body = req.body.credential;
      const common = { userId: body.user_id, projectId: body.project_id ?? null, type: body.type, extra: extraOf({ ...body }, KNOWN, true) };
      if (!isEc2(body.type)) {
        requireOwnProject(req, body.project_id);
        return member(req, 'credential', 'credentials', credentialView(await app.credentials.create({ ...common, blob: body.blob }, who(req))));
      }
      requireUnrestricted(req, 'additional credentials');
      if (body.project_id === undefined) throw invalid("Invalid input for field/attribute credential. 'project_id' is a required property", 'project_id');
      requireOwnProject(req, body.project_id);
      const blob = parseEc2(body.blob);
      const bound = {
        ...blob,
        ...(req.ctx.trustId !== undefined && { trust_id: req.ctx.trustId }),
        ...(req.ctx.applicationCredentialId !== undefined && { app_cred_id: req.ctx.applicationCredentialId }),
        ...(req.ctx.accessTokenId !== undefined && { access_token_id: req.ctx.accessTokenId }),
      };
      const text = Object.keys(bound).length === Object.keys(blob).length ? body.blob : JSON.stringify(bound);
      const credential = await app.credentials.create({ ...common, id: ec2CredentialId(blob.access), blob: text }, who(req));
      return member(req, 'credential', 'credentials', credentialView(credential));
    },
  }),
  op({
    id: 'keystone.credential.show',
    method: 'GET',
    path: '/v3/credentials/{credential_id}',
    answer: one('credential', credential),
    summary: 'Show a credential',
    policy: 'identity:get_credential',
    target: credentialTarget,
    handle: async (app, req) => {
      const credential = await app.credentials.get(param(req, 'credential_id'));
      requireOwnProject(req, credential.projectId);
      return member(req, 'credential', 'credentials', credentialView(credential));
    },
  }),
  op({
    id: 'keystone.credential.update',
    method: 'PATCH',
    path: '/v3/credentials/{credential_id}',
    answer: one('credential', credential),
    summary: 'Update a credential',
    policy: 'identity:update_credential',
    target: credentialTarget,
    body: updateBody,
    handle: async (app, req) => {
      const current = await app.credentials.get(param(req, 'credential_id'));
      const body = req.body.credential;
      requireOwnProject(req, current.projectId);
      requireSameId(req, 'credential_id', body);
      if (isEc2(current.type) && body.blob !== undefined) {
        const [before, after] = [parseEc2(current.blob), parseEc2(body.blob)];
        for (const key of BINDINGS) if ((before[key] ?? null) !== (after[key] ?? null)) throw invalid(`${key} can not be updated for credential`, 'blob');
      }
      // the credential as it would be is asked about too, so that nobody hands it to another user
      const after = {
        ...targetView(current),
        user_id: body.user_id ?? current.userId,
        project_id: body.project_id === undefined ? current.projectId : body.project_id,
      };
      req.authorize('identity:update_credential', targetOf(req, { credential: after }));
      requireOwnProject(req, after.project_id);
      const extra = extraOf({ ...body }, KNOWN);
      const credential = await app.credentials.update(current.id, {
        blob: body.blob,
        type: body.type,
        userId: body.user_id,
        projectId: body.project_id,
        extra,
      });
      return member(req, 'credential', 'credentials', credentialView(credential));
    },
  }),
  op({
    id: 'keystone.credential.delete',
    method: 'DELETE',
    path: '/v3/credentials/{credential_id}',
    summary: 'Delete a credential',
    policy: 'identity:delete_credential',
    target: credentialTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      const credential = await app.credentials.get(param(req, 'credential_id'));
      requireOwnProject(req, credential.projectId);
      await app.credentials.remove(credential.id, who(req));
    },
  }),
];
