import { inside, named } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { page, TextOrNull, Time } from './common.ts';

/** Groups of volumes, their snapshots, and the consistency groups of before. */

const summary = { id: Type.String(), name: TextOrNull };
const GroupSummary = named('VolumeGroupSummary', summary);
const described = { ...summary, status: Type.String(), created_at: Time, description: TextOrNull };
const Group = named('VolumeGroup', {
  ...described,
  availability_zone: TextOrNull,
  group_type: Type.String(),
  volume_types: Type.Array(Type.String()),
  group_snapshot_id: TextOrNull,
  source_group_id: TextOrNull,
  // where they were asked for
  volumes: Type.Optional(Type.Array(Type.String())),
  replication_status: TextOrNull,
  // for administrators
  project_id: Type.Optional(Type.String()),
});
export const GroupList = page('groups', GroupSummary, 'group_links');
export const GroupDetailList = page('groups', Group, 'group_links');
export const OneGroup = inside('group', Group);
export const CreatedGroup = inside('group', GroupSummary);
export const ReplicationTargets = inside('replication_targets', Type.Array(Type.Unknown()));

const GroupSnapshot = named('VolumeGroupSnapshot', {
  ...described,
  group_id: Type.String(),
  group_type_id: TextOrNull,
  project_id: Type.Optional(Type.String()),
});
export const GroupSnapshotList = page('group_snapshots', GroupSummary, 'group_snapshot_links');
export const GroupSnapshotDetailList = page('group_snapshots', GroupSnapshot, 'group_snapshot_links');
export const OneGroupSnapshot = inside('group_snapshot', GroupSnapshot);
export const CreatedGroupSnapshot = inside('group_snapshot', Type.Object({ ...summary, group_type_id: TextOrNull }));

const ConsistencyGroup = named('ConsistencyGroup', { ...described, availability_zone: TextOrNull, volume_types: Type.Array(Type.String()) });
export const ConsistencyGroupList = page('consistencygroups', GroupSummary, 'consistencygroup_links');
export const ConsistencyGroupDetailList = page('consistencygroups', ConsistencyGroup, 'consistencygroup_links');
export const OneConsistencyGroup = inside('consistencygroup', ConsistencyGroup);
export const CreatedConsistencyGroup = inside('consistencygroup', GroupSummary);
const ConsistencySnapshot = named('ConsistencySnapshot', { ...described, consistencygroup_id: Type.String() });
export const ConsistencySnapshotList = inside('cgsnapshots', Type.Array(GroupSummary));
export const ConsistencySnapshotDetailList = inside('cgsnapshots', Type.Array(ConsistencySnapshot));
export const OneConsistencySnapshot = inside('cgsnapshot', ConsistencySnapshot);
export const CreatedConsistencySnapshot = inside('cgsnapshot', GroupSummary);
