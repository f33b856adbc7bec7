import type { AnyOperation } from '@cairn/kit/http/operation';
import type { AccessRule, ApplicationCredential } from '../app/application-credentials.ts';
import { withImplied } from '../app/effective-roles.ts';
import { accessRuleNotFound, invalid } from '../errors.ts';
import { accessRule as accessRuleAnswer, applicationCredential, newApplicationCredential } from './answers/delegation.ts';
import { many, one } from './answers/envelope.ts';
import { type AnyRequest, collection, equals, filtersOf, type KeystoneApp, naiveMicros, noTarget, op, param, targetOf, v3, who } from './common.ts';
import { refuseTrustToken, requireUnrestricted } from './delegation.ts';
import { roleView } from './roles.ts';
import { bodyOf, flagOrNull, id64, name255, object, queryOf, type Schema, text, textOrNull } from './schemas.ts';
import { parseExpiryUs } from './times.ts';
import { userView } from './users.ts';

interface CredentialBody {
  readonly name: string;
  readonly description?: string | null;
  readonly secret?: string | null;
  readonly expires_at?: string | null;
  readonly unrestricted?: boolean | null;
  readonly roles?: readonly { readonly id?: string; readonly name?: string }[];
  readonly access_rules?: readonly { readonly id?: string; readonly path?: string; readonly method?: string; readonly service?: string }[];
}

const methods: Schema = { type: 'string', enum: ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'] };
const accessRule = object({ id: id64, path: { type: 'string', maxLength: 128, pattern: '^/' }, method: methods, service: id64 });
const role: Schema = { ...object({ id: id64, name: name255 }, { closed: true, minProperties: 1 }), maxProperties: 1 };
const createBody = bodyOf<CredentialBody>()(
  'application_credential',
  {
    id: text,
    name: name255,
    description: textOrNull,
    secret: textOrNull,
    expires_at: textOrNull,
    project_id: text,
    unrestricted: flagOrNull,
    system: textOrNull,
    roles: { type: 'array', items: role },
    access_rules: { type: 'array', items: accessRule },
  },
  { required: ['name'], closed: true },
);

const SECRET_BYTES = 64;
const PATH = '/v3/users/{user_id}/application_credentials';
const RULES = '/v3/users/{user_id}/access_rules';

const ruleView = ({ id, path, method, service }: AccessRule) => ({ id, path, method, service });

const credentialView = (credential: ApplicationCredential) => ({
  id: credential.id,
  name: credential.name,
  description: credential.description,
  user_id: credential.userId,
  project_id: credential.projectId,
  system: null,
  expires_at: credential.expiresAtUs === null ? null : naiveMicros(credential.expiresAtUs),
  unrestricted: credential.unrestricted,
  roles: credential.roles.map(roleView),
  ...(credential.accessRules.length > 0 && { access_rules: credential.accessRules.map(ruleView) }),
});

const withLink = (req: AnyRequest, credential: ApplicationCredential) => ({
  ...credentialView(credential),
  links: { self: `${v3(req)}/application_credentials/${credential.id}` },
});

/** The rule asks about the credential's owner, whatever user the path names. */
async function ownerTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const credential = await app.applicationCredentials.find(param(req, 'application_credential_id'));
  return { ...req.params, ...(credential && { user_id: credential.userId }) };
}

/** What the credential grants: what was asked for with all that it implies, or else what the token has. */
async function rolesFor(app: KeystoneApp, req: AnyRequest, asked: CredentialBody['roles']): Promise<readonly string[]> {
  const held = req.ctx.roleIds ?? [];
  if (!asked?.length) return held;
  const ids: string[] = [];
  for (const each of asked) ids.push(each.id ?? (await app.roles.uniqueByName(each.name ?? '')).id);
  const wanted = withImplied(await app.effectiveRoles.book(), ids);
  if (wanted.some((id) => !held.includes(id)))
    throw invalid('Invalid application credential: Cannot create an application credential with unassigned role', 'roles');
  return wanted;
}

/** Rules of the request; one that names an earlier rule's id needs nothing else. */
async function rulesFor(app: KeystoneApp, req: AnyRequest, asked: NonNullable<CredentialBody['access_rules']>) {
  const rules: { id?: string; service: string; path: string; method: string }[] = [];
  for (const { id, service, path, method } of asked) {
    if (service !== undefined && path !== undefined && method !== undefined) {
      rules.push({ ...(id !== undefined && { id }), service, path, method });
      continue;
    }
    if (id === undefined) throw invalid("Invalid input for field/attribute access_rules: 'service', 'path' and 'method' are required", 'access_rules');
    const known = await app.applicationCredentials.getRule(id);
    if (known.userId !== req.ctx.userId) throw invalid(`Could not find Access Rule: ${id}.`, 'access_rules');
    rules.push({ id, service: known.service, path: known.path, method: known.method });
  }
  return rules;
}

async function userTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const user = await app.users.find(param(req, 'user_id'));
  return targetOf(req, user ? { user: userView(user) } : {});
}

/** A rule under a user's path is that user's. */
async function ruleOf(app: KeystoneApp, req: AnyRequest): Promise<AccessRule> {
  const rule = await app.applicationCredentials.getRule(param(req, 'access_rule_id'));
  if (rule.userId !== param(req, 'user_id')) throw accessRuleNotFound(rule.id);
  return rule;
}

const ruleWithLink = (req: AnyRequest, rule: AccessRule) => ({ ...ruleView(rule), links: { self: `${v3(req)}/access_rules/${rule.id}` } });

export const applicationCredentialOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.application_credential.list',
    method: 'GET',
    path: PATH,
    answer: many('application_credentials', applicationCredential),
    summary: "List a user's application credentials",
    policy: 'identity:list_application_credentials',
    target: noTarget,
    query: queryOf({ name: text }),
    handle: async (app, req) => {
      refuseTrustToken(req);
      const filters = [...filtersOf(req, ['name']), equals('user_id', param(req, 'user_id'))];
      return collection(req, 'application_credentials', (await app.applicationCredentials.list(filters)).map(credentialView));
    },
  }),
  op({
    id: 'keystone.application_credential.create',
    method: 'POST',
    path: PATH,
    answer: one('application_credential', newApplicationCredential),
    summary: 'Create an application credential for the project of the token',
    policy: 'identity:create_application_credential',
    target: noTarget,
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      refuseTrustToken(req);
      requireUnrestricted(req, 'additional application credentials');
      const body = req.body.application_credential;
      const { projectId, userId } = req.ctx;
      if (projectId === undefined) throw invalid('Invalid application credential: a project-scoped token is required to create one', 'project_id');
      const { clock, ids } = app.core.env;
      const secret = body.secret || ids.bytes(SECRET_BYTES).toString('base64url');
      const credential = await app.applicationCredentials.create(
        {
          userId,
          projectId,
          name: body.name,
          description: body.description ?? null,
          secret,
          expiresAtUs: body.expires_at ? parseExpiryUs(body.expires_at, clock.nowMs()) : null,
          unrestricted: body.unrestricted ?? false,
          roleIds: await rolesFor(app, req, body.roles),
          accessRules: await rulesFor(app, req, body.access_rules ?? []),
        },
        who(req),
      );
      return { application_credential: { ...withLink(req, credential), secret } };
    },
  }),
  op({
    id: 'keystone.application_credential.show',
    method: 'GET',
    path: `${PATH}/{application_credential_id}`,
    answer: one('application_credential', applicationCredential),
    summary: 'Show an application credential',
    policy: 'identity:get_application_credential',
    target: ownerTarget,
    handle: async (app, req) => {
      refuseTrustToken(req);
      return { application_credential: withLink(req, await app.applicationCredentials.get(param(req, 'application_credential_id'))) };
    },
  }),
  op({
    id: 'keystone.application_credential.delete',
    method: 'DELETE',
    path: `${PATH}/{application_credential_id}`,
    summary: 'Delete an application credential',
    policy: 'identity:delete_application_credential',
    target: ownerTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      refuseTrustToken(req);
      requireUnrestricted(req, 'additional application credentials');
      await app.applicationCredentials.remove(param(req, 'application_credential_id'), who(req));
    },
  }),
  op({
    id: 'keystone.access_rule.list',
    method: 'GET',
    path: RULES,
    answer: many('access_rules', accessRuleAnswer),
    summary: "List a user's access rules",
    policy: 'identity:list_access_rules',
    target: userTarget,
    query: queryOf({ service: text, path: text, method: text }),
    handle: async (app, req) => {
      refuseTrustToken(req);
      const filters = [...filtersOf(req, ['service', 'path', 'method']), equals('user_id', param(req, 'user_id'))];
      return collection(req, 'access_rules', (await app.applicationCredentials.listRules(filters)).map(ruleView));
    },
  }),
  op({
    id: 'keystone.access_rule.show',
    method: 'GET',
    path: `${RULES}/{access_rule_id}`,
    answer: one('access_rule', accessRuleAnswer),
    summary: 'Show an access rule',
    policy: 'identity:get_access_rule',
    target: userTarget,
    handle: async (app, req) => {
      refuseTrustToken(req);
      return { access_rule: ruleWithLink(req, await ruleOf(app, req)) };
    },
  }),
  op({
    id: 'keystone.access_rule.delete',
    method: 'DELETE',
    path: `${RULES}/{access_rule_id}`,
    summary: 'Delete an access rule that no application credential uses',
    policy: 'identity:delete_access_rule',
    target: userTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      refuseTrustToken(req);
      await app.applicationCredentials.removeRule((await ruleOf(app, req)).id, who(req));
    },
  }),
];
