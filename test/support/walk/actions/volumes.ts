import type { GroundAnswer } from '../ground.ts';
import { type Action, type Actions, type Call, call, type Json, mine, type Scene } from '../scene.ts';

const create = (scene: Scene, wish: object): Call =>
  scene.state.volumes.length < scene.cloud.limits.volumes
    ? call(scene, 'POST', '/volume/v3/volumes', { volume: { name: scene.name, size: 1, ...wish } })
    : undefined;

/** An action of a volume for which this holds. */
const volume =
  (fits: (volume: Json, scene: Scene) => boolean, body: (volume: Json, scene: Scene) => Json): Action =>
  (scene) => {
    const found = scene.pick(scene.state.volumes.filter((v) => fits(v, scene)));
    return found && call(scene, 'POST', `/volume/v3/volumes/${found.id}/action`, body(found, scene));
  };
const isFree = (v: Json): boolean => v.status === 'available';

const backup = (scene: Scene, wish: object, of: { readonly kind: 'volume' | 'snapshot'; readonly id: string }): Call => {
  if (scene.state.backups.length >= 5) return undefined;
  scene.makes('backup', of);
  return call(scene, 'POST', '/volume/v3/backups', { backup: { name: scene.name, force: true, ...wish } });
};

/** Offers a volume to whoever has the key, and takes it at once; a kill in between leaves it on offer. */
async function transfer(scene: Scene, volumeId: string): Promise<GroundAnswer> {
  const made = await call(scene, 'POST', '/volume/v3/os-volume-transfer', { transfer: { volume_id: volumeId, name: scene.name } });
  if (made.status >= 300) return made;
  const { id, auth_key: key } = made.body.transfer;
  return await call(scene, 'POST', `/volume/v3/os-volume-transfer/${id}/accept`, { accept: { auth_key: key } });
}

async function endTransfer(scene: Scene, volumeId: string): Promise<GroundAnswer> {
  const { transfers } = (await call(scene, 'GET', '/volume/v3/os-volume-transfer/detail')).body;
  const found = (transfers as Json[]).find((t) => t.volume_id === volumeId);
  return await call(scene, 'DELETE', `/volume/v3/os-volume-transfer/${found?.id ?? volumeId}`);
}

export const VOLUME_ACTIONS: Actions = {
  'volume create': [
    5,
    (scene) => {
      scene.makes('volume');
      return create(scene, { volume_type: scene.pick(['walk-1', 'walk-2', null]) });
    },
  ],
  'volume from image': [1, (scene) => create(scene, { imageRef: scene.imageId })],
  'volume from volume': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.volumes.filter((v) => isFree(v) || v.status === 'in-use'));
      if (!found) return undefined;
      scene.makes('volume', { kind: 'volume', id: found.id });
      return create(scene, { size: found.size, source_volid: found.id });
    },
  ],
  'volume from snapshot': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.snapshots);
      if (!found) return undefined;
      scene.makes('volume', { kind: 'snapshot', id: found.id });
      return create(scene, { size: found.size, snapshot_id: found.id });
    },
  ],
  'volume delete': [
    4,
    (scene) => {
      const found = scene.pick(scene.state.volumes);
      return found && call(scene, 'DELETE', `/volume/v3/volumes/${found.id}`);
    },
  ],
  'volume extend': [
    2,
    volume(
      (v) => v.size < 3,
      (v) => ({ 'os-extend': { new_size: v.size + 1 } }),
    ),
  ],
  'volume retype': [
    2,
    volume(
      () => true,
      (v, scene) => ({ 'os-retype': { new_type: v.volume_type === 'walk-1' ? 'walk-2' : 'walk-1', migration_policy: scene.pick(['never', 'on-demand']) } }),
    ),
  ],
  'volume migrate': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.volumes);
      const pool = found && scene.state.pools.find((p) => p.name !== found['os-vol-host-attr:host']);
      return pool && call(scene, 'POST', `/volume/v3/volumes/${found.id}/action`, { 'os-migrate_volume': { host: pool.name } });
    },
  ],
  'volume upload': [
    1,
    volume(
      (v, scene) => isFree(v) && scene.state.images.length < 12,
      (_, scene) => ({ 'os-volume_upload_image': { image_name: scene.name, disk_format: scene.pick(['raw', 'qcow2']), container_format: 'bare' } }),
    ),
  ],
  'volume transfer': [
    1,
    (scene) => {
      const found = scene.pick(scene.state.volumes.filter(isFree));
      return found && transfer(scene, found.id);
    },
  ],
  'volume attach': [
    6,
    (scene) => {
      const found = scene.pick(scene.state.volumes.filter(isFree));
      const to = scene.pick(scene.state.servers.filter((s) => ['ACTIVE', 'SHUTOFF', 'PAUSED', 'VERIFY_RESIZE', 'SHELVED_OFFLOADED'].includes(s.status)));
      return found && to
        ? call(scene, 'POST', `/compute/v2.1/servers/${to.id}/os-volume_attachments`, { volumeAttachment: { volumeId: found.id } })
        : undefined;
    },
  ],
  'volume detach': [
    5,
    (scene) => {
      const found = scene.pick(
        scene.state.servers.flatMap((s) => s['os-extended-volumes:volumes_attached'].map((v: Json) => ({ serverId: s.id, volumeId: v.id }))),
      );
      return found && call(scene, 'DELETE', `/compute/v2.1/servers/${found.serverId}/os-volume_attachments/${found.volumeId}`);
    },
  ],
  'snapshot create': [
    3,
    (scene) => {
      const found = scene.pick(scene.state.volumes);
      if (!found || scene.state.snapshots.length >= 6) return undefined;
      scene.makes('snapshot', { kind: 'volume', id: found.id });
      return call(scene, 'POST', '/volume/v3/snapshots', { snapshot: { name: scene.name, volume_id: found.id, force: true } });
    },
  ],
  'snapshot revert': [
    2,
    (scene) => {
      const newest = scene.state.snapshots
        .filter((s) => scene.state.volumes.some((v) => v.id === s.volume_id && isFree(v) && v.size === s.size))
        .filter((s) => !scene.state.snapshots.some((other) => other.volume_id === s.volume_id && other.created_at > s.created_at));
      const found = scene.pick(newest);
      if (!found) return undefined;
      scene.overwrites(found.volume_id, { kind: 'snapshot', id: found.id });
      return call(scene, 'POST', `/volume/v3/volumes/${found.volume_id}/action`, { revert: { snapshot_id: found.id } });
    },
  ],
  'snapshot delete': [
    3,
    (scene) => {
      const found = scene.pick(scene.state.snapshots);
      return found && call(scene, 'DELETE', `/volume/v3/snapshots/${found.id}`);
    },
  ],
  'backup create': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.volumes);
      return found && backup(scene, { volume_id: found.id }, { kind: 'volume', id: found.id });
    },
  ],
  'backup create incremental': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.volumes.filter((v) => scene.state.backups.some((b) => b.volume_id === v.id)));
      return found && backup(scene, { volume_id: found.id, incremental: true }, { kind: 'volume', id: found.id });
    },
  ],
  'backup create of snapshot': [
    1,
    (scene) => {
      const found = scene.pick(scene.state.snapshots);
      return found && backup(scene, { volume_id: found.volume_id, snapshot_id: found.id }, { kind: 'snapshot', id: found.id });
    },
  ],
  'backup restore': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.backups.filter(mine));
      if (!found || scene.state.volumes.length >= scene.cloud.limits.volumes) return undefined;
      scene.makes('volume', { kind: 'backup', id: found.id });
      return call(scene, 'POST', `/volume/v3/backups/${found.id}/restore`, { restore: { name: scene.name } });
    },
  ],
  'backup restore over a volume': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.backups.filter(mine));
      const to = found && scene.pick(scene.state.volumes.filter((v) => isFree(v) && v.size >= found.size));
      if (!to) return undefined;
      scene.overwrites(to.id, { kind: 'backup', id: found.id });
      return call(scene, 'POST', `/volume/v3/backups/${found.id}/restore`, { restore: { volume_id: to.id } });
    },
  ],
  'backup delete': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.backups);
      return found && call(scene, 'DELETE', `/volume/v3/backups/${found.id}`);
    },
  ],
  'image delete': [
    3,
    (scene) => {
      const found = scene.pick(scene.state.images.filter(mine));
      return found && call(scene, 'DELETE', `/image/v2/images/${found.id}`);
    },
  ],
  'transfer delete': [
    3,
    (scene) => {
      const found = scene.pick(scene.state.volumes.filter((v) => v.status === 'awaiting-transfer'));
      return found && endTransfer(scene, found.id);
    },
  ],
};
