import type { PolicyRule } from '@cairn/kit/policy/policy';

// The composite checks of glance/policies/base.py: whoever may see an image is settled by the app (visible or 404); these say who may act.
const ADMIN = 'rule:context_is_admin';
const MEMBER = 'role:member and project_id:%(project_id)s';
const READER = 'role:reader and project_id:%(project_id)s';
const memberRule = `${ADMIN} or (${MEMBER})`;
const readerRule = `${ADMIN} or (${READER})`;

const rule = (name: string, check: string, description: string): PolicyRule => ({ name, check, description });

/** Glance's rules, by upstream's names and present defaults (glance/policies/image.py, tasks.py, metadef.py). */
export const glancePolicies: readonly PolicyRule[] = [
  rule('context_is_admin', 'role:admin', 'Who counts as an admin'),
  rule('default', '', 'Where no other rule is'),
  rule('add_image', memberRule, 'Create an image'),
  rule('delete_image', memberRule, 'Delete an image'),
  rule('get_image', readerRule, 'Show an image'),
  rule('get_images', readerRule, 'List images'),
  rule('modify_image', memberRule, 'Change an image'),
  rule('publicize_image', ADMIN, 'Make an image public'),
  rule('communitize_image', memberRule, 'Make an image a community image'),
  rule('download_image', memberRule, "Read an image's data"),
  rule('upload_image', memberRule, "Write an image's data"),
  rule('add_member', memberRule, 'Share an image'),
  rule('delete_member', memberRule, 'Stop sharing an image'),
  rule('get_member', readerRule, 'Show a member of an image'),
  rule('get_members', readerRule, 'List the members of an image'),
  rule('modify_member', memberRule, 'Accept or reject a shared image'),
  rule('deactivate', memberRule, 'Deactivate an image'),
  rule('reactivate', memberRule, 'Reactivate an image'),
  rule('get_tasks', readerRule, 'List tasks'),
];
