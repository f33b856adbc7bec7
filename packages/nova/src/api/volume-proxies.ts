import { invalidInput } from '@cairn/kit/errors/errors';
import { Reply, type Request } from '@cairn/kit/http/operation';
import type { CinderSnapshot, CinderVolume, NewOldSnapshot, NewOldVolume } from '../app/volume-proxies.ts';
import { OldSnapshots, OldVolumes, OneOldSnapshot, OneOldVolume } from './answers/others.ts';
import { op } from './op.ts';
import { booleanOf, openQuery, sliceOf } from './query.ts';
import { anyQuery, multi, nonNegativeInteger, object } from './schemas/types.ts';

const UNTIL = '2.35';
const VOLUMES = '/v2.1/os-volumes';
const SNAPSHOTS = '/v2.1/os-snapshots';
const policy = (name: string) => `os_compute_api:os-volumes:${name}` as const;
const pages = openQuery({ limit: multi(nonNegativeInteger), offset: multi(nonNegativeInteger) });
const text = { type: 'string' };
const newVolume = object(
  {
    volume: object(
      {
        volume_type: text,
        metadata: { type: 'object' },
        snapshot_id: text,
        size: { type: ['integer', 'string'], pattern: '^[0-9]+$', minimum: 1 },
        availability_zone: text,
        display_name: text,
        display_description: text,
      },
      ['size'],
    ),
  },
  ['volume'],
);
const newSnapshot = object(
  { snapshot: object({ volume_id: text, force: { type: ['boolean', 'string'] }, display_name: text, display_description: text }, ['volume_id']) },
  ['snapshot'],
);

function volumeView(volume: CinderVolume): object {
  const [attachment] = volume.attachments;
  return {
    id: volume.id,
    status: volume.status,
    size: volume.size,
    availabilityZone: volume.availability_zone,
    createdAt: volume.created_at,
    // an unattached volume has one attachment without anything in it
    attachments: [
      attachment === undefined
        ? {}
        : { id: volume.id, volumeId: volume.id, serverId: attachment.server_id, ...(attachment.device ? { device: attachment.device } : {}) },
    ],
    displayName: volume.name,
    displayDescription: volume.description,
    volumeType: volume.volume_type,
    snapshotId: volume.snapshot_id,
    metadata: volume.metadata,
  };
}

const snapshotView = (snapshot: CinderSnapshot): object => ({
  id: snapshot.id,
  status: snapshot.status,
  size: snapshot.size,
  createdAt: snapshot.created_at,
  displayName: snapshot.name,
  displayDescription: snapshot.description,
  volumeId: snapshot.volume_id,
});
const id = (request: Request): string => request.params['id'] as string;

const volumeList = (name: 'list' | 'detail', path: `/${string}`) =>
  op({
    id: `nova.old_volume.${name}`,
    method: 'GET',
    path,
    until: UNTIL,
    summary: 'List volumes',
    policy: policy(name),
    answer: OldVolumes,
    query: pages,
    async handle(app, request) {
      const { offset, limit } = sliceOf(app, request);
      return { volumes: (await app.volumeProxies.volumes(request.ctx)).slice(offset, offset + limit).map(volumeView) };
    },
  });

const snapshotList = (name: 'list' | 'detail', path: `/${string}`) =>
  op({
    id: `nova.old_snapshot.${name}`,
    method: 'GET',
    path,
    until: UNTIL,
    summary: 'List snapshots of volumes',
    policy: policy(`snapshots:${name}`),
    answer: OldSnapshots,
    query: pages,
    async handle(app, request) {
      const { offset, limit } = sliceOf(app, request);
      return { snapshots: (await app.volumeProxies.snapshots(request.ctx)).slice(offset, offset + limit).map(snapshotView) };
    },
  });

/** Cinder's volumes and snapshots in nova's old form (nova/api/openstack/compute/{volumes,snapshots}.py). */
export const volumeProxyOperations = [
  volumeList('list', VOLUMES),
  volumeList('detail', `${VOLUMES}/detail`),
  op({
    id: 'nova.old_volume.create',
    method: 'POST',
    path: VOLUMES,
    until: UNTIL,
    summary: 'Create a volume',
    policy: policy('create'),
    answer: OneOldVolume,
    body: newVolume,
    async handle(app, request) {
      const { volume } = request.body as unknown as { readonly volume: NewOldVolume };
      const made = await app.volumeProxies.createVolume(request.ctx, volume);
      return new Reply({ volume: volumeView(made) }, { headers: { location: `${request.baseUrl}${VOLUMES}/${made.id}` } });
    },
  }),
  op({
    id: 'nova.old_volume.show',
    method: 'GET',
    path: `${VOLUMES}/{id}`,
    until: UNTIL,
    summary: 'Show a volume',
    policy: policy('show'),
    answer: OneOldVolume,
    query: anyQuery,
    handle: async (app, request) => ({ volume: volumeView(await app.volumeProxies.volume(request.ctx, id(request))) }),
  }),
  op({
    id: 'nova.old_volume.delete',
    method: 'DELETE',
    path: `${VOLUMES}/{id}`,
    until: UNTIL,
    summary: 'Delete a volume',
    policy: policy('delete'),
    answer: 'none',
    success: 202,
    handle: (app, request) => app.volumeProxies.deleteVolume(request.ctx, id(request)),
  }),
  snapshotList('list', SNAPSHOTS),
  snapshotList('detail', `${SNAPSHOTS}/detail`),
  op({
    id: 'nova.old_snapshot.create',
    method: 'POST',
    path: SNAPSHOTS,
    until: UNTIL,
    summary: 'Make a snapshot of a volume',
    policy: policy('snapshots:create'),
    answer: OneOldSnapshot,
    body: newSnapshot,
    async handle(app, request) {
      const { snapshot } = request.body as unknown as { readonly snapshot: NewOldSnapshot };
      const force = booleanOf(snapshot.force ?? false);
      if (force === undefined) throw invalidInput(`Invalid value '${String(snapshot.force)}' for force.`, { field: 'snapshot/force' });
      return { snapshot: snapshotView(await app.volumeProxies.createSnapshot(request.ctx, snapshot, force)) };
    },
  }),
  op({
    id: 'nova.old_snapshot.show',
    method: 'GET',
    path: `${SNAPSHOTS}/{id}`,
    until: UNTIL,
    summary: 'Show a snapshot of a volume',
    policy: policy('snapshots:show'),
    answer: OneOldSnapshot,
    query: anyQuery,
    handle: async (app, request) => ({ snapshot: snapshotView(await app.volumeProxies.snapshot(request.ctx, id(request))) }),
  }),
  op({
    id: 'nova.old_snapshot.delete',
    method: 'DELETE',
    path: `${SNAPSHOTS}/{id}`,
    until: UNTIL,
    summary: 'Delete a snapshot of a volume',
    policy: policy('snapshots:delete'),
    answer: 'none',
    success: 202,
    handle: (app, request) => app.volumeProxies.deleteSnapshot(request.ctx, id(request)),
  }),
];
