import type { PolicyRule } from '@cairn/kit/policy/policy';

const ADMIN = 'rule:metadef_admin';
const READER = "rule:context_is_admin or (role:reader and (project_id:%(project_id)s or 'public':%(visibility)s))";
const OWN_READER = 'rule:context_is_admin or (role:reader and project_id:%(project_id)s)';

const rule = (name: string, check: string, description: string): PolicyRule => ({ name, check, description });

/** The rules of metadata definitions, by upstream's names and present defaults (glance/policies/metadef.py): readers see, admins change. */
export const metadefPolicies: readonly PolicyRule[] = [
  rule('metadef_default', '', 'Old default of reading metadata definitions'),
  rule('metadef_admin', 'rule:context_is_admin', 'Who changes metadata definitions'),
  rule('get_metadef_namespace', READER, 'Show a metadata definition namespace'),
  rule('get_metadef_namespaces', OWN_READER, 'List metadata definition namespaces'),
  rule('modify_metadef_namespace', ADMIN, 'Change a metadata definition namespace'),
  rule('add_metadef_namespace', ADMIN, 'Create a metadata definition namespace'),
  rule('delete_metadef_namespace', ADMIN, 'Delete a metadata definition namespace'),
  rule('get_metadef_object', READER, 'Show a metadata definition object'),
  rule('get_metadef_objects', READER, 'List metadata definition objects'),
  rule('modify_metadef_object', ADMIN, 'Change a metadata definition object'),
  rule('add_metadef_object', ADMIN, 'Add a metadata definition object'),
  rule('delete_metadef_object', ADMIN, 'Delete a metadata definition object'),
  rule('list_metadef_resource_types', READER, 'List resource types of metadata definitions'),
  rule('get_metadef_resource_type', READER, 'Show a resource type of metadata definitions'),
  rule('add_metadef_resource_type_association', ADMIN, 'Associate a resource type with a metadata definition namespace'),
  rule('remove_metadef_resource_type_association', ADMIN, 'Dissociate a resource type from a metadata definition namespace'),
  rule('get_metadef_property', READER, 'Show a metadata definition property'),
  rule('get_metadef_properties', READER, 'List metadata definition properties'),
  rule('modify_metadef_property', ADMIN, 'Change a metadata definition property'),
  rule('add_metadef_property', ADMIN, 'Add a metadata definition property'),
  rule('remove_metadef_property', ADMIN, 'Delete a metadata definition property'),
  rule('get_metadef_tag', READER, 'Show a metadata definition tag'),
  rule('get_metadef_tags', READER, 'List metadata definition tags'),
  rule('modify_metadef_tag', ADMIN, 'Rename a metadata definition tag'),
  rule('add_metadef_tag', ADMIN, 'Add a metadata definition tag'),
  rule('add_metadef_tags', ADMIN, 'Set the tags of a metadata definition namespace'),
  rule('delete_metadef_tag', ADMIN, 'Delete a metadata definition tag'),
  rule('delete_metadef_tags', ADMIN, 'Delete all tags of a metadata definition namespace'),
];
