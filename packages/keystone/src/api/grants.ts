import type { AnyOperation, Method } from '@cairn/kit/http/operation';
import type { Grant } from '../app/assignments.ts';
import { roleView } from './roles.ts';
import { many } from './answers/envelope.ts';
import { role } from './answers/people.ts';
import { type AnyRequest, collection, type KeystoneApp, op, param, targetOf, who } from './common.ts';
import { projectView } from './projects.ts';
import { userView } from './users.ts';

type TargetKind = 'project' | 'domain' | 'system';
type ActorKind = 'user' | 'group';

/** One family of paths: a kind of target, a kind of actor, inherited or not. */
interface Family {
  readonly id: string;
  readonly target: TargetKind;
  readonly actor: ActorKind;
  readonly inherited: boolean;
  readonly list: `/${string}` | undefined;
  readonly one: `/${string}`;
  /** Rules of the four verbs and of the list. */
  readonly rules: Readonly<Record<'check' | 'create' | 'revoke' | 'list', string>>;
}

const GRANT_RULES = { check: 'identity:check_grant', create: 'identity:create_grant', revoke: 'identity:revoke_grant', list: 'identity:list_grants' };

function families(): Family[] {
  const found: Family[] = [];
  for (const actor of ['user', 'group'] as const) {
    for (const target of ['project', 'domain'] as const) {
      const at = `/v3/${target}s/{${target}_id}/${actor}s/{${actor}_id}/roles` as const;
      found.push({ id: `${target}_${actor}`, target, actor, inherited: false, list: at, one: `${at}/{role_id}`, rules: GRANT_RULES });
      const inherits = at.replace('/v3/', '/v3/OS-INHERIT/') as `/${string}`;
      found.push({
        id: `${target}_${actor}_inherited`,
        target,
        actor,
        inherited: true,
        list: target === 'domain' ? `${inherits}/inherited_to_projects` : undefined,
        one: `${inherits}/{role_id}/inherited_to_projects`,
        rules: GRANT_RULES,
      });
    }
    const at = `/v3/system/${actor}s/{${actor}_id}/roles` as const;
    const rule = (verb: string): string => `identity:${verb}_for_${actor}`;
    found.push({
      id: `system_${actor}`,
      target: 'system',
      actor,
      inherited: false,
      list: at,
      one: `${at}/{role_id}`,
      rules: { check: rule('check_system_grant'), create: rule('create_system_grant'), revoke: rule('revoke_system_grant'), list: rule('list_system_grants') },
    });
  }
  return found;
}

const grantOf = (family: Family, req: AnyRequest): Grant => ({
  actor: family.actor === 'user' ? { userId: param(req, 'user_id') } : { groupId: param(req, 'group_id') },
  target: family.target === 'system' ? 'system' : family.target === 'project' ? { projectId: param(req, 'project_id') } : { domainId: param(req, 'domain_id') },
  inherited: family.inherited,
});

/** Role, actor and target of a grant, which must be there; a grant to an actor that is gone can still be revoked. */
async function targetFor(app: KeystoneApp, req: AnyRequest, family: Family, actorMayBeGone: boolean): Promise<Readonly<Record<string, unknown>>> {
  const target: Record<string, unknown> = {};
  if (req.params.role_id !== undefined) target.role = roleView(await app.roles.get(req.params.role_id));
  if (family.actor === 'user') {
    const id = param(req, 'user_id');
    const user = actorMayBeGone ? await app.users.find(id) : await app.users.get(id);
    if (user) target.user = userView(user);
  } else {
    const id = param(req, 'group_id');
    const group = actorMayBeGone ? await app.groups.find(id) : await app.groups.get(id);
    if (group) target.group = { id: group.id, name: group.name, domain_id: group.domainId };
  }
  if (family.target === 'project') target.project = projectView(await app.projects.get(param(req, 'project_id')));
  if (family.target === 'domain') target.domain = projectView(await app.projects.getDomain(param(req, 'domain_id')));
  return targetOf(req, target);
}

function operationsOfFamily(family: Family): AnyOperation[] {
  const words = `${family.inherited ? 'inherited ' : ''}role of a ${family.actor} on a ${family.target}`.replace('a system', 'the system');
  const verb = (
    name: 'check' | 'create' | 'revoke',
    method: Method,
    summary: string,
    act: (app: KeystoneApp, req: AnyRequest) => Promise<void>,
  ): AnyOperation =>
    op({
      id: `keystone.grant.${family.id}.${name}`,
      method,
      path: family.one,
      summary: `${summary} ${words}`,
      policy: family.rules[name],
      target: (app, req) => targetFor(app, req, family, name === 'revoke'),
      success: 204,
      answer: 'none',
      handle: act,
    });
  const operations = [
    verb('check', 'GET', 'Check the', (app, req) => app.assignments.check(grantOf(family, req), param(req, 'role_id'))),
    verb('create', 'PUT', 'Assign a', (app, req) => app.assignments.create(grantOf(family, req), param(req, 'role_id'), who(req))),
    verb('revoke', 'DELETE', 'Revoke the', (app, req) => app.assignments.remove(grantOf(family, req), param(req, 'role_id'), who(req))),
  ];
  if (family.list) {
    operations.push(
      op({
        id: `keystone.grant.${family.id}.list`,
        method: 'GET',
        path: family.list,
        answer: many('roles', role),
        summary: `List the ${words.replace('role of', 'roles of')}`,
        policy: family.rules.list,
        target: (app, req) => targetFor(app, req, family, false),
        handle: async (app, req) => collection(req, 'roles', (await app.assignments.list(grantOf(family, req))).map(roleView)),
      }),
    );
  }
  return operations;
}

/** Grants on projects and domains, plain and inherited (OS-INHERIT), and on the system. */
export const grantOperations: readonly AnyOperation[] = families().flatMap(operationsOfFamily);
