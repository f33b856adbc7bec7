import Type from 'typebox';
import { limitOfProject } from './limits.ts';
import { flag, nullable, options, resource, text, textOrNull } from './envelope.ts';

/** Domains, projects, users, groups and roles. Makers may give them attributes of their own. */

const tagged = { tags: Type.Array(text), options };
export const domain = resource('Domain', { id: text, name: text, description: textOrNull, enabled: flag, ...tagged }, true);

const projectProperties = {
  id: text,
  name: text,
  domain_id: textOrNull,
  description: textOrNull,
  enabled: flag,
  parent_id: textOrNull,
  is_domain: flag,
  ...tagged,
};
export const project = resource('Project', projectProperties, true);

/** A project above or below another, with the limits that were asked for. */
const relative = Type.Object({ project: resource('RelatedProject', { ...projectProperties, limits: Type.Optional(Type.Array(limitOfProject)) }, true) });
const ids = nullable(Type.Record(text, Type.Any()));
const relatives = Type.Optional(Type.Union([Type.Array(relative), ids], { description: 'A list, or a tree of ids, as the query asks.' }));
/** A project with what is above and below it. */
export const projectInTree = resource('ProjectInTree', { ...projectProperties, parents: relatives, subtree: relatives }, true);

export const user = resource(
  'User',
  {
    id: text,
    name: text,
    domain_id: text,
    enabled: flag,
    default_project_id: Type.Optional(text),
    password_expires_at: textOrNull,
    options,
    federated: Type.Optional(Type.Array(Type.Object({ idp_id: text, protocols: Type.Array(Type.Object({ protocol_id: text, unique_id: text })) }))),
  },
  true,
);

const groupProperties = { id: text, name: text, domain_id: text, description: textOrNull };
export const group = resource('Group', groupProperties, true);
/** A group of one user. */
export const membership = resource('GroupMembership', { ...groupProperties, membership_expires_at: textOrNull }, true);

const roleProperties = { id: text, name: text, domain_id: textOrNull, options };
export const role = resource('Role', { ...roleProperties, description: textOrNull }, true);
/** A role of an OAuth1 access, which upstream shows without its description. */
export const grantedRole = resource('GrantedRole', roleProperties, true);
/** A role as inference rules name it. */
export const roleLink = resource('RoleLink', { id: text, name: text });
