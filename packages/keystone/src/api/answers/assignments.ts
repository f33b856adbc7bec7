import Type from 'typebox';
import { named, text } from './envelope.ts';

/** Role assignments: who has which role where, with names where they were asked for. */

const name = Type.Optional(text);
const inDomain = { id: text, name, domain: Type.Optional(named) };
const actor = Type.Optional(Type.Object(inDomain));

export const roleAssignment = Type.Object(
  {
    role: Type.Object(inDomain),
    user: actor,
    group: actor,
    scope: Type.Object({
      project: actor,
      domain: Type.Optional(Type.Object({ id: text, name })),
      system: Type.Optional(Type.Object({ all: Type.Literal(true) })),
      'OS-INHERIT:inherited_to': Type.Optional(Type.Literal('projects')),
    }),
    links: Type.Object({ assignment: text, membership: Type.Optional(text), prior_role: Type.Optional(text) }),
  },
  { title: 'RoleAssignment' },
);
