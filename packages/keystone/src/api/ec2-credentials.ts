import type { AnyOperation } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import type { Credential } from '../app/credentials.ts';
import { ec2CredentialId } from '../app/ec2-tokens.ts';
import { expecting, unauthenticated } from '../errors.ts';
import { ec2Credential } from './answers/delegation.ts';
import { many, one } from './answers/envelope.ts';
import { type AnyRequest, equals, type KeystoneApp, listing, noTarget, op, param, targetOf, v3, who } from './common.ts';
import { reachesProject, requireOwnProject, requireUnrestricted } from './delegation.ts';
import { object, textOrNull } from './schemas.ts';

const WRONG_PROJECT = 'EC2 credential project does not match the project scope of the delegated token';
const createBody = Type.Unsafe<{ readonly tenant_id?: string | null }>(object({ tenant_id: textOrNull }));

/** An EC2 key pair in the old form of its own paths. */
function ec2View(req: AnyRequest, credential: Credential): Record<string, unknown> {
  const blob = JSON.parse(credential.blob) as { access?: string; secret?: string; trust_id?: string | null };
  return {
    user_id: credential.userId,
    tenant_id: credential.projectId,
    access: blob.access,
    secret: blob.secret,
    trust_id: blob.trust_id ?? null,
    links: { self: `${v3(req)}/users/${credential.userId}/credentials/OS-EC2/${blob.access}` },
  };
}

/** The credential of the path's access key. */
async function ec2Of(app: KeystoneApp, req: AnyRequest): Promise<Credential> {
  await app.users.get(param(req, 'user_id'));
  const credential = await app.credentials.get(ec2CredentialId(param(req, 'credential_id')));
  if (credential.type !== 'ec2') throw unauthenticated('EC2 access key not found');
  requireOwnProject(req, credential.projectId, WRONG_PROJECT);
  return credential;
}

async function ec2Target(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const credential = await app.credentials.get(ec2CredentialId(param(req, 'credential_id')));
  return targetOf(req, { credential: { user_id: credential.userId, project_id: credential.projectId } });
}

/** OS-EC2: access keys for the EC2 and S3 protocols. */
export const ec2CredentialOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.ec2_credential.list',
    method: 'GET',
    path: '/v3/users/{user_id}/credentials/OS-EC2',
    answer: many('credentials', ec2Credential),
    summary: "List a user's EC2 keys",
    policy: 'identity:ec2_list_credentials',
    target: noTarget,
    handle: async (app, req) => {
      await app.users.get(param(req, 'user_id'));
      const found = await app.credentials.list([equals('user_id', param(req, 'user_id')), equals('type', 'ec2')]);
      return listing(
        req,
        'credentials',
        found.filter((credential) => reachesProject(req, credential.projectId)).map((credential) => ec2View(req, credential)),
      );
    },
  }),
  op({
    id: 'keystone.ec2_credential.create',
    method: 'POST',
    path: '/v3/users/{user_id}/credentials/OS-EC2',
    answer: one('credential', ec2Credential),
    summary: 'Create an EC2 key pair',
    policy: 'identity:ec2_create_credential',
    target: (_app, req) => targetOf(req, { credential: { user_id: param(req, 'user_id') } }),
    success: 201,
    body: createBody,
    bodyOptional: true,
    handle: async (app, req) => {
      requireUnrestricted(req, 'additional application credentials');
      const userId = param(req, 'user_id');
      await app.users.get(userId);
      const projectId = req.body?.tenant_id;
      if (!projectId) throw expecting('tenant_id', 'request body');
      await app.projects.get(projectId);
      requireOwnProject(req, projectId, WRONG_PROJECT);
      const { ids } = app.core.env;
      const access = ids.bytes(16).toString('hex');
      const blob = {
        access,
        secret: ids.bytes(16).toString('hex'),
        trust_id: req.ctx.trustId ?? null,
        ...(req.ctx.applicationCredentialId !== undefined && { app_cred_id: req.ctx.applicationCredentialId }),
        ...(req.ctx.accessTokenId !== undefined && { access_token_id: req.ctx.accessTokenId }),
      };
      const credential = await app.credentials.create({ id: ec2CredentialId(access), userId, projectId, type: 'ec2', blob: JSON.stringify(blob) }, who(req));
      return { credential: ec2View(req, credential) };
    },
  }),
  op({
    id: 'keystone.ec2_credential.show',
    method: 'GET',
    path: '/v3/users/{user_id}/credentials/OS-EC2/{credential_id}',
    answer: one('credential', ec2Credential),
    summary: 'Show an EC2 key pair',
    policy: 'identity:ec2_get_credential',
    target: ec2Target,
    handle: async (app, req) => ({ credential: ec2View(req, await ec2Of(app, req)) }),
  }),
  op({
    id: 'keystone.ec2_credential.delete',
    method: 'DELETE',
    path: '/v3/users/{user_id}/credentials/OS-EC2/{credential_id}',
    summary: 'Delete an EC2 key pair',
    policy: 'identity:ec2_delete_credential',
    target: ec2Target,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      await app.credentials.remove((await ec2Of(app, req)).id, who(req));
    },
  }),
];
