import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { ListQuery } from '@cairn/kit/store/list';
import type { Db } from '@cairn/kit/store/store';
import type { TSchema } from 'typebox';
import type { CinderApp } from '../app/app.ts';
import { consistencyType, groupTypeByNameOrId } from '../app/group-types.ts';
import {
  changeGroup,
  createGroup,
  createGroupFrom,
  createGroupSnapshot,
  deleteGroup,
  deleteGroupSnapshot,
  getGroup,
  getGroupSnapshot,
  GROUP_LIST,
  GROUP_SNAPSHOT_LIST,
  listGroups,
  listGroupSnapshots,
  replicate,
  type ReplicationVerb,
  replicationTargets,
  resetGroupSnapshotStatus,
  resetGroupStatus,
  typesOfGroups,
  volumesOfGroup,
} from '../app/groups.ts';
import type { GroupRow, GroupSnapshotRow } from '../store/tables.ts';
import {
  CreatedGroup,
  CreatedGroupSnapshot,
  GroupDetailList,
  GroupList,
  GroupSnapshotDetailList,
  GroupSnapshotList,
  OneGroup,
  OneGroupSnapshot,
  ReplicationTargets,
} from './answers/groups.ts';
import { listCollection } from './collection.ts';
import { nextLink } from './links.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, queryBoolean } from './values.ts';

const idOf = (request: Request): string => request.params['group_id'] ?? request.params['group_snapshot_id'] ?? '';
const text = (value: unknown): string | null => (typeof value === 'string' ? value.trim() : null);

/** Consistency groups are reached by their own, older API alone. */
async function refuseConsistency(db: Db, typeId: string, what: string): Promise<void> {
  if ((await consistencyType(db)).id !== typeId) return;
  throw invalidInput(
    `Group_type ${typeId} is reserved for migrating CGs to groups. Migrated ${what} operated by ${what.startsWith('group snap') ? 'CG snapshot' : 'CG'} APIs.`,
  );
}
const GROUP_WORDS = 'group can only be';
const SNAPSHOT_WORDS = 'group snapshots can only be';

async function groupOf(app: CinderApp, request: Request): Promise<GroupRow> {
  const db = app.deps.env.store.read;
  const row = await getGroup(db, request, idOf(request));
  await refuseConsistency(db, row.group_type_id, GROUP_WORDS);
  return row;
}

async function groupDetails(app: CinderApp, request: Request, rows: readonly GroupRow[]): Promise<object[]> {
  const db = app.deps.env.store.read;
  const { version } = request;
  const types = await typesOfGroups(
    db,
    rows.map((row) => row.id),
  );
  const seesProject = version.atLeast('3.58') && request.allowed('group:group_project_attribute');
  const listVolume = version.atLeast('3.25') && queryBoolean(request.query, 'list_volume');
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      status: row.status,
      availability_zone: row.availability_zone,
      created_at: isoNaiveMicros(row.created_at_ms),
      name: row.name,
      description: row.description,
      group_type: row.group_type_id,
      volume_types: types.get(row.id) ?? [],
      ...(version.atLeast('3.14') && { group_snapshot_id: row.group_snapshot_id, source_group_id: row.source_group_id }),
      ...(listVolume && { volumes: (await volumesOfGroup(db, row.id)).map((volume) => volume.id) }),
      ...(version.atLeast('3.38') && { replication_status: row.replication_status }),
      ...(seesProject && { project_id: row.project_id }),
    })),
  );
}

const not =
  (typeId: string) =>
  (query: ListQuery): ListQuery =>
    query.where('group_type_id', '!=', typeId);

async function list(app: CinderApp, request: Request, detail: boolean): Promise<object> {
  const db = app.deps.env.store.read;
  const { rows, more } = await listCollection<GroupRow>(app, request, {
    resource: 'group',
    spec: GROUP_LIST,
    rules: { verbatim: ['name'] },
    before331: Object.keys(GROUP_LIST.columns),
    notFilters: ['list_volume'],
    page: (page) => listGroups(db, page),
    where: not((await consistencyType(db)).id),
  });
  return {
    groups: detail ? await groupDetails(app, request, rows) : rows.map((row) => ({ id: row.id, name: row.name })),
    ...(more && { group_links: nextLink(request, 'groups', rows.at(-1)?.id ?? '') }),
  };
}

const changeProperties = { description: part.description, name: part.shortText, add_volumes: part.description, remove_volumes: part.description };
/** `a,b,` */
const idsOf = (value: unknown): string[] =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')
    : [];

export const changeOf = (body: Record<string, AnyBody>) => ({
  ...(body['name'] != null && { name: text(body['name']) }),
  ...(body['description'] != null && { description: text(body['description']) }),
  addVolumes: idsOf(body['add_volumes']),
  removeVolumes: idsOf(body['remove_volumes']),
});

const groupResource = [
  op({
    id: 'cinder.group.list',
    method: 'GET',
    path: '/v3/groups',
    since: '3.13',
    summary: 'List groups',
    policy: 'group:get_all',
    answer: GroupList,
    handle: (app, request) => list(app, request, false),
  }),
  op({
    id: 'cinder.group.list-detail',
    method: 'GET',
    path: '/v3/groups/detail',
    since: '3.13',
    summary: 'List groups with details',
    policy: 'group:get_all',
    answer: GroupDetailList,
    handle: (app, request) => list(app, request, true),
  }),
  op({
    id: 'cinder.group.show',
    method: 'GET',
    path: '/v3/groups/{group_id}',
    since: '3.13',
    summary: 'Show a group',
    policy: 'group:get',
    answer: OneGroup,
    async handle(app, request) {
      const row = await groupOf(app, request);
      return { group: (await groupDetails(app, request, [row]))[0] };
    },
  }),
  op({
    id: 'cinder.group.create',
    method: 'POST',
    path: '/v3/groups',
    since: '3.13',
    summary: 'Create a group',
    policy: 'group:create',
    answer: CreatedGroup,
    success: 202,
    body: schema(
      part.wrapped(
        'group',
        {
          description: part.description,
          group_type: { type: 'string', minLength: 1, maxLength: 255 },
          name: part.shortText,
          volume_types: { type: 'array', minItems: 1, items: { type: 'string', maxLength: 255 }, uniqueItems: true },
          availability_zone: part.zone,
        },
        ['group_type', 'volume_types'],
      ),
    ),
    async handle(app, request) {
      const body = (request.body as AnyBody).group;
      const db = app.deps.env.store.read;
      const type = await groupTypeByNameOrId(db, body.group_type);
      await refuseConsistency(db, type.id, GROUP_WORDS);
      const row = await createGroup(app, request, {
        name: text(body.name),
        description: text(body.description),
        type,
        volumeTypes: body.volume_types,
        availabilityZone: body.availability_zone ?? null,
      });
      return { group: { id: row.id, name: row.name } };
    },
  }),
  op({
    id: 'cinder.group.update',
    method: 'PUT',
    path: '/v3/groups/{group_id}',
    since: '3.13',
    summary: 'Change a group',
    policy: 'group:update',
    answer: 'none',
    success: 202,
    body: schema(part.wrapped('group', changeProperties, [], { anyOf: Object.keys(changeProperties).map((name) => ({ required: [name] })) })),
    async handle(app, request) {
      await changeGroup(app, request, await groupOf(app, request), changeOf((request.body as AnyBody).group));
      return new Reply();
    },
  }),
];

/** Declares an action of a group, on a group and (as upstream's routes have it) on the collection. */
const action = (
  name: string,
  summary: string,
  policy: string,
  since: string,
  body: Record<string, unknown>,
  run: (app: CinderApp, request: Request, args: AnyBody) => Promise<unknown>,
  success = 202,
  answer: TSchema | 'none' = 'none',
) =>
  (['/v3/groups/{group_id}/action', '/v3/groups/action'] as const).map((path) =>
    op({
      id: `cinder.group.${name}${path === '/v3/groups/action' ? '.on-collection' : ''}`,
      method: 'POST',
      path,
      action: name,
      since,
      summary,
      policy,
      answer,
      success,
      body: schema(body),
      handle: async (app, request) => (await run(app, request, (request.body as AnyBody)[name])) ?? new Reply(),
    }),
  );

/** Whatever object is sent under the key is ignored. */
const anything = (key: string): Record<string, unknown> => part.wrapped(key, {}, [], { additionalProperties: true });

const replication = (verb: ReplicationVerb, summary: string) =>
  action(
    `${verb}_replication`,
    summary,
    `group:${verb}_replication`,
    '3.38',
    verb === 'failover'
      ? part.wrapped('failover_replication', { allow_attached_volume: part.boolean, secondary_backend_id: part.shortText })
      : anything(`${verb}_replication`),
    (app, request, args) => replicate(app, request, idOf(request), verb, asBoolean(args.allow_attached_volume ?? false)),
  );

const groupActions = [
  ...action('delete', 'Delete a group', 'group:delete', '3.13', part.wrapped('delete', { 'delete-volumes': part.boolean }), async (app, request, args) =>
    deleteGroup(app, request, await groupOf(app, request), asBoolean(args['delete-volumes'] ?? false)),
  ),
  ...action(
    'reset_status',
    "Set a group's status",
    'group:reset_status',
    '3.20',
    part.wrapped('reset_status', { status: { type: 'string' } }, ['status']),
    (app, request, args) => resetGroupStatus(app, request, idOf(request), String(args.status).toLowerCase()),
  ),
  ...action(
    'create-from-src',
    'Create a group from another one or a snapshot of one',
    'group:create',
    '3.14',
    part.wrapped('create-from-src', { description: part.description, name: part.shortText, source_group_id: part.uuid, group_snapshot_id: part.uuid }, [], {
      oneOf: [{ required: ['group_snapshot_id'] }, { required: ['source_group_id'] }],
    }),
    async (app, request, args) => {
      const db = app.deps.env.store.read;
      const typeId =
        args.group_snapshot_id === undefined
          ? (await getGroup(db, request, args.source_group_id)).group_type_id
          : (await getGroupSnapshot(db, request, args.group_snapshot_id)).group_type_id;
      await refuseConsistency(db, typeId, GROUP_WORDS);
      const row = await createGroupFrom(app, request, {
        name: text(args.name),
        description: text(args.description),
        groupSnapshotId: args.group_snapshot_id ?? null,
        sourceGroupId: args.source_group_id ?? null,
      });
      return { group: { id: row.id, name: row.name } };
    },
    202,
    CreatedGroup,
  ),
  ...replication('enable', 'Enable the replication of a group'),
  ...replication('disable', 'Disable the replication of a group'),
  ...replication('failover', 'Fail a group over to its replica'),
  ...action(
    'list_replication_targets',
    'List the replication targets of a group',
    'group:list_replication_targets',
    '3.38',
    anything('list_replication_targets'),
    (app, request) => replicationTargets(app, request, idOf(request)),
    200,
    ReplicationTargets,
  ),
];

const snapshotDetails = (request: Request, row: GroupSnapshotRow): object => ({
  id: row.id,
  group_id: row.group_id,
  group_type_id: row.group_type_id,
  status: row.status,
  created_at: isoNaiveMicros(row.created_at_ms),
  name: row.name,
  description: row.description,
  ...(request.version.atLeast('3.58') && request.allowed('group:group_snapshot_project_attribute') && { project_id: row.project_id }),
});

async function listSnapshots(app: CinderApp, request: Request, detail: boolean): Promise<object> {
  const db = app.deps.env.store.read;
  // before 3.29 there are neither pages nor filters
  const seen: Request = request.version.atLeast('3.29') ? request : { ...request, query: new URLSearchParams(pick(request.query, 'all_tenants')) };
  const { rows, more } = await listCollection<GroupSnapshotRow>(app, seen, {
    resource: 'group_snapshot',
    spec: GROUP_SNAPSHOT_LIST,
    rules: { verbatim: ['name', 'status', 'group_id'] },
    before331: Object.keys(GROUP_SNAPSHOT_LIST.columns),
    page: (page) => listGroupSnapshots(db, page),
    where: not((await consistencyType(db)).id),
  });
  return {
    group_snapshots: rows.map((row) => (detail ? snapshotDetails(request, row) : { id: row.id, name: row.name })),
    ...(more && { group_snapshot_links: nextLink(request, 'group_snapshots', rows.at(-1)?.id ?? '') }),
  };
}

const pick = (query: URLSearchParams, name: string): Record<string, string> => {
  const value = query.get(name);
  return value === null ? {} : { [name]: value };
};

async function snapshotOf(app: CinderApp, request: Request): Promise<GroupSnapshotRow> {
  const db = app.deps.env.store.read;
  const row = await getGroupSnapshot(db, request, idOf(request));
  await refuseConsistency(db, row.group_type_id, SNAPSHOT_WORDS);
  return row;
}

const groupSnapshots = [
  op({
    id: 'cinder.group-snapshot.list',
    method: 'GET',
    path: '/v3/group_snapshots',
    since: '3.14',
    summary: 'List snapshots of groups',
    policy: 'group:get_all_group_snapshots',
    answer: GroupSnapshotList,
    handle: (app, request) => listSnapshots(app, request, false),
  }),
  op({
    id: 'cinder.group-snapshot.list-detail',
    method: 'GET',
    path: '/v3/group_snapshots/detail',
    since: '3.14',
    summary: 'List snapshots of groups with details',
    policy: 'group:get_all_group_snapshots',
    answer: GroupSnapshotDetailList,
    handle: (app, request) => listSnapshots(app, request, true),
  }),
  op({
    id: 'cinder.group-snapshot.show',
    method: 'GET',
    path: '/v3/group_snapshots/{group_snapshot_id}',
    since: '3.14',
    summary: 'Show a snapshot of a group',
    policy: 'group:get_group_snapshot',
    answer: OneGroupSnapshot,
    handle: async (app, request) => ({ group_snapshot: snapshotDetails(request, await snapshotOf(app, request)) }),
  }),
  op({
    id: 'cinder.group-snapshot.create',
    method: 'POST',
    path: '/v3/group_snapshots',
    since: '3.14',
    summary: 'Create a snapshot of a group',
    policy: 'group:create_group_snapshot',
    answer: CreatedGroupSnapshot,
    success: 202,
    body: schema(part.wrapped('group_snapshot', { group_id: part.uuid, name: part.shortText, description: part.description }, ['group_id'])),
    async handle(app, request) {
      const body = (request.body as AnyBody).group_snapshot;
      const db = app.deps.env.store.read;
      const group = await getGroup(db, request, body.group_id);
      await refuseConsistency(db, group.group_type_id, SNAPSHOT_WORDS);
      const row = await createGroupSnapshot(app, request, group, { name: text(body.name), description: text(body.description) });
      return { group_snapshot: { id: row.id, name: row.name, group_type_id: row.group_type_id } };
    },
  }),
  op({
    id: 'cinder.group-snapshot.delete',
    method: 'DELETE',
    path: '/v3/group_snapshots/{group_snapshot_id}',
    since: '3.14',
    summary: 'Delete a snapshot of a group',
    policy: 'group:delete_group_snapshot',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await deleteGroupSnapshot(app, request, (await snapshotOf(app, request)).id);
      return new Reply();
    },
  }),
  op({
    id: 'cinder.group-snapshot.reset-status',
    method: 'POST',
    path: '/v3/group_snapshots/{group_snapshot_id}/action',
    action: 'reset_status',
    since: '3.19',
    summary: "Set the status of a group's snapshot",
    policy: 'group:reset_group_snapshot_status',
    answer: 'none',
    success: 202,
    body: schema(part.wrapped('reset_status', { status: { type: 'string' } }, ['status'])),
    async handle(app, request) {
      await resetGroupSnapshotStatus(app, request, idOf(request), String((request.body as AnyBody).reset_status.status).toLowerCase());
      return new Reply();
    },
  }),
];

export const groupOperations = [...groupResource, ...groupActions, ...groupSnapshots];
