import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { CinderApp } from '../app/app.ts';
import { type Manageable, manageableSnapshots, manageableVolumes, manageSnapshot, manageVolume, unmanageSnapshot, unmanageVolume } from '../app/manage.ts';
import { type VolumeDetails, withDetails } from '../app/volumes.ts';
import { invalid } from '../errors.ts';
import {
  CreatedSnapshot,
  CreatedVolume,
  ManageableSnapshotDetails,
  ManageableSnapshots,
  ManageableVolumeDetails,
  ManageableVolumes,
} from './answers/volumes.ts';
import { readList } from './list.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { snapshotView } from './snapshots.ts';
import { asBoolean, cleanText } from './values.ts';
import { volumeView } from './views/volume.ts';

/** Where to look: exactly one of host and cluster; there are no clusters here. */
function placeOf(given: { readonly host?: string | null; readonly cluster?: string | null }): string {
  if (!given.host === !given.cluster) throw invalidInput('One and only one of cluster and host must be set.', { type: 'InvalidInput' });
  if (!given.host) throw invalidInput(`Cluster '${given.cluster}' not found`, { status: 503 });
  return given.host;
}

async function list(app: CinderApp, request: Request, detail: boolean, all: (app: CinderApp, place: string) => Promise<Manageable[]>): Promise<object[]> {
  const ask = readList(request, app.deps.options.maxLimit, [{ field: 'reference', direction: 'desc' }]);
  const [sort] = ask.sort;
  if (sort && sort.field !== 'reference' && sort.field !== 'size') throw invalidInput(`Invalid sort keys passed: ${sort.field}`, { field: 'sort' });
  const found = await all(app, placeOf({ host: request.query.get('host'), cluster: request.query.get('cluster') }));
  const nameOf = (one: Manageable): string => one.reference['source-name'];
  found.sort((a, b) => (sort?.field === 'size' ? a.sizeGb - b.sizeGb : 0) || (nameOf(a) < nameOf(b) ? -1 : 1));
  if (sort?.direction !== 'asc') found.reverse();
  const after = ask.marker === undefined ? 0 : 1 + found.findIndex((one) => nameOf(one) === markerName(ask.marker ?? ''));
  if (ask.marker !== undefined && after === 0) throw invalid(`Marker not found: ${ask.marker}`, { field: 'marker' });
  return found.slice(after + ask.offset, after + ask.offset + ask.limit).map((one) => ({
    reference: one.reference,
    size: one.sizeGb,
    safe_to_manage: one.safe,
    ...(one.source && { source_reference: one.source }),
    ...(detail && { reason_not_safe: one.reason, cinder_id: one.cinderId, extra_info: null }),
  }));
}

/** A marker is a reference as the list has shown it. */
const markerName = (marker: string): string => /source-name['"]?\s*:\s*u?['"]([^'"]+)/.exec(marker)?.[1] ?? marker;

const volumeProperties = {
  description: part.description,
  availability_zone: part.shortText,
  bootable: part.boolean,
  volume_type: part.shortText,
  name: part.shortText,
  host: part.cinderHost,
  ref: { type: ['object', 'string'] },
  metadata: part.metadataOrNull,
};
const clustered = { ...volumeProperties, cluster: part.shortText };

async function manage(app: CinderApp, request: Request): Promise<object> {
  const body = (request.body as AnyBody).volume;
  const row = await manageVolume(app, request, {
    place: placeOf(body),
    ref: body.ref,
    name: cleanText(body.name, 'name') ?? null,
    description: cleanText(body.description, 'description') ?? null,
    volumeType: body.volume_type || null,
    availabilityZone: body.availability_zone || null,
    metadata: body.metadata ?? {},
    bootable: asBoolean(body.bootable ?? false),
  });
  const [details] = await withDetails(app.deps.env.store.read, [row]);
  return { volume: volumeView(request, details as VolumeDetails) };
}

async function manageOneSnapshot(app: CinderApp, request: Request): Promise<object> {
  const body = (request.body as AnyBody).snapshot;
  const row = await manageSnapshot(app, request, {
    volumeId: body.volume_id,
    ref: body.ref,
    name: cleanText(body.name, 'name') ?? null,
    description: cleanText(body.description, 'description') ?? null,
    metadata: body.metadata ?? {},
  });
  return { snapshot: snapshotView(request, row, false) };
}

/** Each is served under an older name, and from microversion 3.8 under its own. */
const under = (path: string, since: string | undefined, id: string) => [
  op({
    id: `${id}.list`,
    method: 'GET',
    path: `/v3/${path}`,
    ...(since !== undefined && { since }),
    summary: path.includes('snapshot') ? 'List snapshots that could be managed' : 'List disks that could be volumes',
    policy: path.includes('snapshot') ? 'snapshot_extension:list_manageable' : 'volume_extension:list_manageable',
    answer: path.includes('snapshot') ? ManageableSnapshots : ManageableVolumes,
    handle: async (app, request) =>
      path.includes('snapshot')
        ? { 'manageable-snapshots': await list(app, request, false, manageableSnapshots) }
        : { 'manageable-volumes': await list(app, request, false, manageableVolumes) },
  }),
  op({
    id: `${id}.list-detail`,
    method: 'GET',
    path: `/v3/${path}/detail`,
    ...(since !== undefined && { since }),
    summary: path.includes('snapshot') ? 'List snapshots that could be managed, with details' : 'List disks that could be volumes, with details',
    policy: path.includes('snapshot') ? 'snapshot_extension:list_manageable' : 'volume_extension:list_manageable',
    answer: path.includes('snapshot') ? ManageableSnapshotDetails : ManageableVolumeDetails,
    handle: async (app, request) =>
      path.includes('snapshot')
        ? { 'manageable-snapshots': await list(app, request, true, manageableSnapshots) }
        : { 'manageable-volumes': await list(app, request, true, manageableVolumes) },
  }),
  path.includes('snapshot')
    ? op({
        id: `${id}.create`,
        method: 'POST',
        path: `/v3/${path}`,
        ...(since !== undefined && { since }),
        summary: 'Manage a snapshot that is there',
        policy: 'snapshot_extension:snapshot_manage',
        answer: CreatedSnapshot,
        success: 202,
        body: schema(
          part.wrapped(
            'snapshot',
            {
              description: part.description,
              metadata: part.metadataOrNull,
              name: part.shortText,
              volume_id: part.uuid,
              ref: { type: ['object', 'null', 'string'] },
            },
            ['ref', 'volume_id'],
          ),
        ),
        handle: manageOneSnapshot,
      })
    : op({
        id: `${id}.create`,
        method: 'POST',
        path: `/v3/${path}`,
        ...(since !== undefined && { since }),
        summary: 'Manage a disk that is there as a volume',
        policy: 'volume_extension:volume_manage',
        answer: CreatedVolume,
        success: 202,
        body: [
          { from: since ?? '3.0', schema: schema(part.wrapped('volume', volumeProperties, ['ref'])) },
          { from: '3.16', schema: schema(part.wrapped('volume', clustered, ['ref'])) },
        ],
        handle: manage,
      }),
];

const unmanage = (what: 'volume' | 'snapshot') =>
  op({
    id: `cinder.${what}.os-unmanage`,
    method: 'POST',
    path: what === 'volume' ? '/v3/volumes/{volume_id}/action' : '/v3/snapshots/{snapshot_id}/action',
    action: 'os-unmanage',
    summary: `Forget a ${what} without removing it`,
    policy: what === 'volume' ? 'volume_extension:volume_unmanage' : 'snapshot_extension:snapshot_unmanage',
    answer: 'none',
    success: 202,
    body: schema(part.bare('os-unmanage')),
    async handle(app, request) {
      const id = request.params['volume_id'] ?? request.params['snapshot_id'];
      if (id === undefined) throw notFound('The resource could not be found.');
      await (what === 'volume' ? unmanageVolume(app, request, id) : unmanageSnapshot(app, request, id));
      return new Reply();
    },
  });

export const manageableOperations = [
  ...under('os-volume-manage', undefined, 'cinder.volume-manage'),
  ...under('manageable_volumes', '3.8', 'cinder.manageable-volume'),
  ...under('os-snapshot-manage', undefined, 'cinder.snapshot-manage'),
  ...under('manageable_snapshots', '3.8', 'cinder.manageable-snapshot'),
  unmanage('volume'),
  unmanage('snapshot'),
];
