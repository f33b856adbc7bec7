import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { CinderApp } from '../app/app.ts';
import { consistencyType } from '../app/group-types.ts';
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
  typesOfGroups,
} from '../app/groups.ts';
import type { GroupRow, GroupSnapshotRow } from '../store/tables.ts';
import {
  ConsistencyGroupDetailList,
  ConsistencyGroupList,
  ConsistencySnapshotDetailList,
  ConsistencySnapshotList,
  CreatedConsistencyGroup,
  CreatedConsistencySnapshot,
  OneConsistencyGroup,
  OneConsistencySnapshot,
} from './answers/groups.ts';
import { listCollection } from './collection.ts';
import { changeOf } from './groups.ts';
import { nextLink } from './links.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, cleanText } from './values.ts';

/*
 * The API before groups, of which it is a view (cinder/api/contrib/consistencygroups.py, cgsnapshots.py). Upstream deprecated it and serves it still.
 */
const idOf = (request: Request): string => request.params['cg_id'] ?? '';

async function details(app: CinderApp, rows: readonly GroupRow[]): Promise<object[]> {
  const types = await typesOfGroups(
    app.deps.env.store.read,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({
    id: row.id,
    status: row.status,
    availability_zone: row.availability_zone,
    created_at: isoNaiveMicros(row.created_at_ms),
    name: row.name,
    description: row.description,
    volume_types: types.get(row.id) ?? [],
  }));
}

async function list(app: CinderApp, request: Request, detail: boolean): Promise<object> {
  const { rows, more } = await listCollection<GroupRow>(app, request, {
    resource: 'group',
    spec: GROUP_LIST,
    rules: { verbatim: ['name'] },
    before331: Object.keys(GROUP_LIST.columns),
    page: (page) => listGroups(app.deps.env.store.read, page),
  });
  return {
    consistencygroups: detail ? await details(app, rows) : rows.map(({ id, name }) => ({ id, name })),
    ...(more && { consistencygroup_links: nextLink(request, 'consistencygroups', rows.at(-1)?.id ?? '') }),
  };
}

const summary = ({ id, name }: GroupRow): object => ({ consistencygroup: { id, name } });
const named = { name: part.shortText, description: part.description };
/** What is no id is found nowhere. */
const id = { type: 'string', format: 'no-control' };

const change = (path: `/${string}`, id: string) =>
  op({
    id: `cinder.consistency-group.${id}`,
    method: 'PUT',
    path,
    summary: 'Change a consistency group',
    policy: 'group:update',
    answer: 'none',
    success: 202,
    body: schema(part.openlyWrapped('consistencygroup', { ...named, add_volumes: part.text, remove_volumes: part.text })),
    async handle(app, request) {
      const body = (request.body as AnyBody).consistencygroup;
      if (!body.name && !body.description && !body.add_volumes && !body.remove_volumes)
        throw invalidInput('Name, description, add_volumes, and remove_volumes can not be all empty in the request body.');
      await changeGroup(app, request, await getGroup(app.deps.env.store.read, request, idOf(request)), changeOf(body));
      return new Reply();
    },
  });

const remove = (method: 'POST' | 'DELETE', path: `/${string}`) =>
  op({
    id: `cinder.consistency-group.${method === 'POST' ? 'delete-by-post' : 'delete'}`,
    method,
    path,
    summary: 'Delete a consistency group',
    policy: 'group:delete',
    answer: 'none',
    success: 202,
    bodyOptional: true,
    body: schema({
      type: 'object',
      properties: { consistencygroup: { type: 'object', properties: { force: part.boolean } } },
    }),
    async handle(app, request) {
      const force = asBoolean((request.body as AnyBody)?.consistencygroup?.force ?? false);
      await deleteGroup(app, request, await getGroup(app.deps.env.store.read, request, idOf(request)), force);
      return new Reply();
    },
  });

const groups = [
  op({
    id: 'cinder.consistency-group.list',
    method: 'GET',
    path: '/v3/consistencygroups',
    summary: 'List consistency groups',
    policy: 'group:get_all',
    answer: ConsistencyGroupList,
    handle: (app, request) => list(app, request, false),
  }),
  op({
    id: 'cinder.consistency-group.list-detail',
    method: 'GET',
    path: '/v3/consistencygroups/detail',
    summary: 'List consistency groups with details',
    policy: 'group:get_all',
    answer: ConsistencyGroupDetailList,
    handle: (app, request) => list(app, request, true),
  }),
  op({
    id: 'cinder.consistency-group.show',
    method: 'GET',
    path: '/v3/consistencygroups/{cg_id}',
    summary: 'Show a consistency group',
    policy: 'group:get',
    answer: OneConsistencyGroup,
    handle: async (app, request) => ({
      consistencygroup: (await details(app, [await getGroup(app.deps.env.store.read, request, idOf(request))]))[0],
    }),
  }),
  op({
    id: 'cinder.consistency-group.create',
    method: 'POST',
    path: '/v3/consistencygroups',
    summary: 'Create a consistency group',
    policy: 'group:create',
    answer: CreatedConsistencyGroup,
    success: 202,
    body: schema(part.openlyWrapped('consistencygroup', { ...named, volume_types: part.text, availability_zone: part.shortText }, ['volume_types'])),
    async handle(app, request) {
      const body = (request.body as AnyBody).consistencygroup;
      const name = cleanText(body.name, 'name') ?? null;
      if (!body.volume_types) throw invalidInput(`volume_types must be provided to create consistency group ${name ?? 'None'}.`, { field: 'volume_types' });
      const row = await createGroup(app, request, {
        name,
        description: cleanText(body.description, 'description') ?? null,
        type: await consistencyType(app.deps.env.store.read),
        volumeTypes: body.volume_types.replace(/,+$/, '').split(','),
        availabilityZone: body.availability_zone || null,
      });
      return summary(row);
    },
  }),
  op({
    id: 'cinder.consistency-group.create-from-src',
    method: 'POST',
    path: '/v3/consistencygroups/create_from_src',
    summary: 'Create a consistency group from another one or a snapshot of one',
    policy: 'group:create',
    answer: CreatedConsistencyGroup,
    success: 202,
    body: schema(part.openlyWrapped('consistencygroup-from-src', { ...named, cgsnapshot_id: id, source_cgid: id })),
    async handle(app, request) {
      const body = (request.body as AnyBody)['consistencygroup-from-src'];
      const name = cleanText(body.name, 'name') ?? null;
      const [snapshot, source] = [body.cgsnapshot_id ?? null, body.source_cgid ?? null];
      if (snapshot === null && source === null)
        throw invalidInput(`Either 'cgsnapshot_id' or 'source_cgid' must be provided to create consistency group ${name ?? 'None'} from source.`);
      if (snapshot !== null && source !== null)
        throw invalidInput(`Cannot provide both 'cgsnapshot_id' and 'source_cgid' to create consistency group ${name ?? 'None'} from source.`);
      const description = cleanText(body.description, 'description') ?? null;
      return summary(await createGroupFrom(app, request, { name, description, groupSnapshotId: snapshot, sourceGroupId: source }));
    },
  }),
  change('/v3/consistencygroups/{cg_id}/update', 'update'),
  change('/v3/consistencygroups/{cg_id}', 'update-by-put'),
  remove('POST', '/v3/consistencygroups/{cg_id}/delete'),
  remove('DELETE', '/v3/consistencygroups/{cg_id}'),
];

const snapshotDetails = (row: GroupSnapshotRow): object => ({
  id: row.id,
  consistencygroup_id: row.group_id,
  status: row.status,
  created_at: isoNaiveMicros(row.created_at_ms),
  name: row.name,
  description: row.description,
});

async function listSnapshots(app: CinderApp, request: Request, detail: boolean): Promise<object> {
  const { rows } = await listCollection<GroupSnapshotRow>(app, request, {
    resource: 'group_snapshot',
    spec: GROUP_SNAPSHOT_LIST,
    rules: { verbatim: ['name', 'status', 'group_id'] },
    before331: Object.keys(GROUP_SNAPSHOT_LIST.columns),
    page: (page) => listGroupSnapshots(app.deps.env.store.read, page),
  });
  return { cgsnapshots: rows.map((row) => (detail ? snapshotDetails(row) : { id: row.id, name: row.name })) };
}

const snapshots = [
  op({
    id: 'cinder.cgsnapshot.list',
    method: 'GET',
    path: '/v3/cgsnapshots',
    summary: 'List snapshots of consistency groups',
    policy: 'group:get_all_group_snapshots',
    answer: ConsistencySnapshotList,
    handle: (app, request) => listSnapshots(app, request, false),
  }),
  op({
    id: 'cinder.cgsnapshot.list-detail',
    method: 'GET',
    path: '/v3/cgsnapshots/detail',
    summary: 'List snapshots of consistency groups with details',
    policy: 'group:get_all_group_snapshots',
    answer: ConsistencySnapshotDetailList,
    handle: (app, request) => listSnapshots(app, request, true),
  }),
  op({
    id: 'cinder.cgsnapshot.show',
    method: 'GET',
    path: '/v3/cgsnapshots/{cg_id}',
    summary: 'Show a snapshot of a consistency group',
    policy: 'group:get_group_snapshot',
    answer: OneConsistencySnapshot,
    handle: async (app, request) => ({ cgsnapshot: snapshotDetails(await getGroupSnapshot(app.deps.env.store.read, request, idOf(request))) }),
  }),
  op({
    id: 'cinder.cgsnapshot.create',
    method: 'POST',
    path: '/v3/cgsnapshots',
    summary: 'Create a snapshot of a consistency group',
    policy: 'group:create_group_snapshot',
    answer: CreatedConsistencySnapshot,
    success: 202,
    body: schema(
      part.openlyWrapped('cgsnapshot', { name: { type: 'string' }, description: { type: 'string' }, consistencygroup_id: id }, ['consistencygroup_id']),
    ),
    async handle(app, request) {
      const body = (request.body as AnyBody).cgsnapshot;
      const group = await getGroup(app.deps.env.store.read, request, body.consistencygroup_id);
      const row = await createGroupSnapshot(app, request, group, {
        name: cleanText(body.name, 'name') ?? null,
        description: cleanText(body.description, 'description') ?? null,
      });
      return { cgsnapshot: { id: row.id, name: row.name } };
    },
  }),
  op({
    id: 'cinder.cgsnapshot.delete',
    method: 'DELETE',
    path: '/v3/cgsnapshots/{cg_id}',
    summary: 'Delete a snapshot of a consistency group',
    policy: 'group:delete_group_snapshot',
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await deleteGroupSnapshot(app, request, idOf(request));
      return new Reply();
    },
  }),
];

export const consistencyGroupOperations = [...groups, ...snapshots];
