import type { Assignment } from './queries.ts';

/** Who gets a role. */
export interface Actor {
  readonly kind: 'user' | 'group';
  readonly id: string;
}
/** Where a role counts; the whole system has no id. */
export type Target = { readonly kind: 'project' | 'domain'; readonly id: string } | { readonly kind: 'system' };

const part = encodeURIComponent;

/** Path of the call that gives or takes a role. */
export function grantPath(actor: Actor, target: Target, roleId: string): string {
  const where = target.kind === 'system' ? '/system' : `/${target.kind}s/${part(target.id)}`;
  return `/v3${where}/${actor.kind}s/${part(actor.id)}/roles/${part(roleId)}`;
}

/** The path that takes an assignment back; one that projects inherit has a call of its own (OS-INHERIT). It tells assignments apart, too: they have no id. */
export function assignmentPath(assignment: Omit<Assignment, 'links'>): string {
  const { user, group, role, scope } = assignment;
  const actor: Actor = user === undefined ? { kind: 'group', id: group?.id ?? '' } : { kind: 'user', id: user.id };
  const target: Target =
    scope.project !== undefined
      ? { kind: 'project', id: scope.project.id }
      : scope.domain !== undefined
        ? { kind: 'domain', id: scope.domain.id }
        : { kind: 'system' };
  const path = grantPath(actor, target, role.id);
  return scope['OS-INHERIT:inherited_to'] === undefined ? path : `${path.replace(/^\/v3/, '/v3/OS-INHERIT')}/inherited_to_projects`;
}

/** `kind:id`, as a choice of a form says who or where. */
export const choiceOf = (kind: string, id: string): string => `${kind}:${id}`;
export const actorOf = (choice: string): Actor =>
  choice.startsWith('group:') ? { kind: 'group', id: choice.slice(6) } : { kind: 'user', id: choice.slice(5) };
export function targetOf(choice: string): Target {
  if (choice.startsWith('project:')) return { kind: 'project', id: choice.slice(8) };
  return choice.startsWith('domain:') ? { kind: 'domain', id: choice.slice(7) } : { kind: 'system' };
}
