import type { PolicyRule } from '@cairn/kit/policy/policy';
import { metadefPolicies } from './policies-metadefs.ts';

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
  rule('service_api', 'role:service or role:admin', 'Services among themselves'),
  rule('download_from_store', memberRule, 'Choose the stores that data is read from'),
  rule('delete_image_location', ADMIN, "Remove one of an image's locations"),
  rule('get_image_location', readerRule, "See an image's locations"),
  rule('set_image_location', memberRule, "Change an image's locations"),
  rule('add_image_location', `rule:service_api or (${MEMBER} and project_id:%(owner)s)`, 'Add a location to an image'),
  rule('fetch_image_location', 'rule:service_api', 'List the locations of an image'),
  rule('copy_image', ADMIN, 'Copy an image to other stores'),
  rule('manage_image_cache', ADMIN, 'Manage the image cache'),
  rule('cache_image', ADMIN, 'Queue an image for the cache'),
  rule('cache_list', ADMIN, 'List what is cached'),
  rule('cache_delete', ADMIN, 'Remove images from the cache'),
  rule('cache_clean', ADMIN, 'Remove what is broken in the cache'),
  rule('cache_prune', ADMIN, 'Bring the cache down to its size'),
  rule('list_cached_nodes', ADMIN, 'List the nodes that have an image cached'),
  rule('stores_info_detail', `${ADMIN} or rule:service_api`, 'Details of the stores'),
  rule('get_task', '', 'Show a task'),
  rule('get_tasks', '', 'List tasks'),
  rule('add_task', '', 'Create a task'),
  rule('modify_task', '', 'Delete a task; refused'),
  rule('tasks_api_access', ADMIN, 'Use the API of tasks'),
  ...metadefPolicies,
];
