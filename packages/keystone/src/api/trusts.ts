import { type AnyOperation, AUTHENTICATED } from '@cairn/kit/http/operation';
import { isoMicros } from '@cairn/kit/clock/clock';
import { extraOf } from '../app/core.ts';
import type { Trust } from '../app/trusts.ts';
import { forbiddenAction, roleNotFound } from '../errors.ts';
import { rolesOfTrust, trust, trustWithRoles } from './answers/delegation.ts';
import { many, one } from './answers/envelope.ts';
import { role as roleAnswer } from './answers/people.ts';
import { type AnyRequest, collection, type KeystoneApp, noTarget, op, param, targetOf, unchecked, v3, who, withSelf } from './common.ts';
import { refuseApplicationCredential } from './delegation.ts';
import { roleView } from './roles.ts';
import { bodyOf, flagOrNull, flagValue, id64, name255, object, type Schema, text, textOrNull } from './schemas.ts';
import { parseExpiryUs } from './times.ts';

interface TrustBody {
  readonly trustor_user_id: string;
  readonly trustee_user_id: string;
  readonly impersonation: boolean;
  readonly project_id?: string | null;
  readonly remaining_uses?: number | null;
  readonly expires_at?: string | null;
  readonly allow_redelegation?: boolean | null;
  readonly redelegation_count?: number | null;
  readonly roles?: readonly { readonly id?: string; readonly name?: string }[];
}

const KNOWN = [
  'id',
  'trustor_user_id',
  'trustee_user_id',
  'impersonation',
  'project_id',
  'remaining_uses',
  'expires_at',
  'allow_redelegation',
  'redelegation_count',
  'redelegated_trust_id',
  'roles',
  'roles_links',
  'deleted_at',
];
const role: Schema = { ...object({ id: id64, name: name255 }, { closed: true, minProperties: 1 }), maxProperties: 1 };
const createBody = bodyOf<TrustBody>()(
  'trust',
  {
    trustor_user_id: text,
    trustee_user_id: text,
    impersonation: flagValue,
    project_id: textOrNull,
    remaining_uses: { type: ['integer', 'null'], minimum: 1, maximum: 2147483647 },
    expires_at: textOrNull,
    allow_redelegation: flagOrNull,
    redelegation_count: { type: ['integer', 'null'], minimum: 0, maximum: 2147483647 },
    redelegated_trust_id: textOrNull,
    roles: { type: 'array', items: role },
  },
  { required: ['trustor_user_id', 'trustee_user_id', 'impersonation'] },
);

const PATH = '/v3/OS-TRUST/trusts';

const trustView = (trust: Trust) => ({
  ...trust.extra,
  id: trust.id,
  trustor_user_id: trust.trustorUserId,
  trustee_user_id: trust.trusteeUserId,
  project_id: trust.projectId,
  impersonation: trust.impersonation,
  expires_at: trust.expiresAtMs === null ? null : isoMicros(Math.floor(trust.expiresAtMs / 1000) * 1000),
  remaining_uses: trust.remainingUses,
  deleted_at: null,
  redelegated_trust_id: trust.redelegatedTrustId,
  redelegation_count: trust.redelegationCount,
});

async function rolesView(app: KeystoneApp, req: AnyRequest, trust: Trust) {
  const roles = (await app.roles.byIds(trust.roleIds)).map((each) => withSelf(req, 'roles', roleView(each)));
  // the address is upstream's own
  return { roles, roles_links: { self: `${v3(req)}/${trust.id}/roles`, next: null, previous: null } };
}

const fullView = async (app: KeystoneApp, req: AnyRequest, trust: Trust) => ({
  trust: { ...withSelf(req, 'OS-TRUST/trusts', trustView(trust)), ...(await rolesView(app, req, trust)) },
});

async function trustTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  return targetOf(req, { trust: trustView(await app.trusts.get(param(req, 'trust_id'))) });
}

export const trustOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.trust.list',
    method: 'GET',
    path: PATH,
    answer: many('trusts', trust),
    summary: 'List trusts, or those of a trustor or trustee',
    policy: AUTHENTICATED,
    asks: 'identity:list_trusts',
    handle: async (app, req) => {
      const trustorId = req.query.get('trustor_user_id');
      const trusteeId = req.query.get('trustee_user_id');
      if (trustorId) req.authorize('identity:list_trusts_for_trustor', { target: { trust: { trustor_user_id: trustorId } } });
      else if (trusteeId) req.authorize('identity:list_trusts_for_trustee', { target: { trust: { trustee_user_id: trusteeId } } });
      else req.authorize('identity:list_trusts', noTarget(app, req));
      refuseApplicationCredential(req);
      const trusts = await app.trusts.list(trustorId ? { trustorId } : trusteeId ? { trusteeId } : {});
      return collection(req, 'trusts', trusts.map(trustView), { path: 'OS-TRUST/trusts' });
    },
  }),
  op({
    id: 'keystone.trust.create',
    method: 'POST',
    path: PATH,
    answer: one('trust', trustWithRoles),
    summary: 'Lend roles on a project to another user',
    policy: 'identity:create_trust',
    target: (_app, req) => targetOf(req, { trust: unchecked(req, 'trust') }),
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      refuseApplicationCredential(req);
      const body = req.body.trust;
      if (body.project_id && !body.roles?.length) throw forbiddenAction('At least one role should be specified');
      if (req.ctx.userId !== body.trustor_user_id) throw forbiddenAction('The authenticated user should match the trustor');
      await app.users.get(body.trustee_user_id);
      const roleIds: string[] = [];
      for (const each of body.roles ?? []) roleIds.push(each.id ?? (await app.roles.uniqueByName(each.name ?? '')).id);
      if (req.ctx.accessTokenId !== undefined) throw forbiddenAction('Redelegation allowed for delegated by trust only');
      const trust = await app.trusts.create(
        {
          trustorUserId: body.trustor_user_id,
          trusteeUserId: body.trustee_user_id,
          projectId: body.project_id || null,
          impersonation: body.impersonation,
          expiresAtMs: body.expires_at ? Math.floor(parseExpiryUs(body.expires_at, app.core.env.clock.nowMs()) / 1000) : null,
          remainingUses: body.remaining_uses ?? null,
          allowRedelegation: body.allow_redelegation ?? false,
          redelegationCount: body.redelegation_count,
          roleIds,
          extra: extraOf({ ...body }, KNOWN),
        },
        req.ctx.trustId,
        who(req),
      );
      return await fullView(app, req, trust);
    },
  }),
  op({
    id: 'keystone.trust.show',
    method: 'GET',
    path: `${PATH}/{trust_id}`,
    answer: one('trust', trustWithRoles),
    summary: 'Show a trust',
    policy: 'identity:get_trust',
    target: trustTarget,
    handle: async (app, req) => {
      refuseApplicationCredential(req);
      return await fullView(app, req, await app.trusts.get(param(req, 'trust_id')));
    },
  }),
  op({
    id: 'keystone.trust.delete',
    method: 'DELETE',
    path: `${PATH}/{trust_id}`,
    summary: 'Delete a trust and those that it was passed on as',
    policy: 'identity:delete_trust',
    target: trustTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      refuseApplicationCredential(req);
      await app.trusts.remove(param(req, 'trust_id'), who(req));
    },
  }),
  op({
    id: 'keystone.trust.roles',
    method: 'GET',
    path: `${PATH}/{trust_id}/roles`,
    answer: rolesOfTrust,
    summary: 'List the roles that a trust lends',
    policy: 'identity:list_roles_for_trust',
    target: trustTarget,
    handle: async (app, req) => {
      refuseApplicationCredential(req);
      const { roles, roles_links: links } = await rolesView(app, req, await app.trusts.get(param(req, 'trust_id')));
      return { roles, links };
    },
  }),
  op({
    id: 'keystone.trust.role',
    method: 'GET',
    path: `${PATH}/{trust_id}/roles/{role_id}`,
    answer: one('role', roleAnswer),
    summary: 'Show a role that a trust lends',
    policy: 'identity:get_role_for_trust',
    target: trustTarget,
    handle: async (app, req) => {
      refuseApplicationCredential(req);
      const id = param(req, 'role_id');
      const trust = await app.trusts.get(param(req, 'trust_id'));
      if (!trust.roleIds.includes(id)) throw roleNotFound(id);
      return { role: withSelf(req, 'roles', roleView(await app.roles.get(id))) };
    },
  }),
];
