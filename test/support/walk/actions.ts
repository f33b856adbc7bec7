import type { Ground, GroundAnswer } from './ground.ts';
import { NEWEST, type State } from './state.ts';

/** What a walk's steps see: the cloud as it was at the last rest, and names for what they make. */
export interface Scene {
  readonly cloud: Ground;
  readonly state: State;
  readonly imageId: string;
  readonly networkId: string;
  readonly publicId: string;
  /** Chooses one; the same number chooses the same of the same list. */
  pick<T>(list: readonly T[]): T | undefined;
  readonly name: string;
}

type Call = Promise<GroundAnswer> | undefined;
/** One kind of step: undefined where the state has nothing to do it to. */
export type Action = (scene: Scene) => Call;

// biome-ignore lint: what the APIs answer
type Json = any;

const call = (scene: Scene, method: string, path: string, body?: unknown): Call => scene.cloud.call(method, path, body, { headers: NEWEST });
const mine = (row: Json): boolean => typeof row.name === 'string' && row.name.startsWith('walk-');

/** An action of a server that is in one of these states. */
const server =
  (statuses: readonly string[], body: Json, more: (server: Json) => boolean = () => true): Action =>
  (scene) => {
    const found = scene.pick(scene.state.servers.filter((s) => statuses.includes(s.status) && more(s)));
    return found && call(scene, 'POST', `/compute/v2.1/servers/${found.id}/action`, typeof body === 'function' ? body(scene, found) : body);
  };

const create = (scene: Scene, server: object): Call =>
  call(scene, 'POST', '/compute/v2.1/servers', { server: { name: scene.name, flavorRef: '42', networks: [{ uuid: scene.networkId }], ...server } });

const fromImage = (s: Json): boolean => s.image !== '' && s.image !== null;

/** Every kind of step with its weight. A step may be refused; it may not be forgotten or half done. */
export const ACTIONS: Readonly<Record<string, readonly [weight: number, action: Action]>> = {
  'server create': [8, (scene) => (scene.state.servers.length < 12 ? create(scene, { imageRef: scene.imageId }) : undefined)],
  'server create two': [2, (scene) => (scene.state.servers.length < 10 ? create(scene, { imageRef: scene.imageId, min_count: 2, max_count: 2 }) : undefined)],
  'server create from new volume': [
    2,
    (scene) =>
      scene.state.servers.length < 12
        ? create(scene, {
            block_device_mapping_v2: [
              { boot_index: 0, uuid: scene.imageId, source_type: 'image', destination_type: 'volume', volume_size: 1, delete_on_termination: true },
            ],
          })
        : undefined,
  ],
  'server delete': [
    6,
    (scene) => {
      const found = scene.pick(scene.state.servers);
      return found && call(scene, 'DELETE', `/compute/v2.1/servers/${found.id}`);
    },
  ],
  'server stop': [3, server(['ACTIVE'], { 'os-stop': null })],
  'server start': [4, server(['SHUTOFF'], { 'os-start': null })],
  'server reboot': [3, server(['ACTIVE', 'SHUTOFF'], { reboot: { type: 'HARD' } })],
  'server pause': [2, server(['ACTIVE'], { pause: null })],
  'server unpause': [3, server(['PAUSED'], { unpause: null })],
  'server suspend': [2, server(['ACTIVE'], { suspend: null })],
  'server resume': [3, server(['SUSPENDED'], { resume: null })],
  'server rebuild': [2, server(['ACTIVE', 'SHUTOFF'], (scene: Scene) => ({ rebuild: { imageRef: scene.imageId } }), fromImage)],
  'server rescue': [2, server(['ACTIVE', 'SHUTOFF'], { rescue: null }, fromImage)],
  'server unrescue': [3, server(['RESCUE'], { unrescue: null })],
  'server resize': [3, server(['ACTIVE', 'SHUTOFF'], (_: Scene, s: Json) => ({ resize: { flavorRef: s.flavor?.original_name === 'm1.nano' ? '84' : '42' } }))],
  'server migrate': [2, server(['ACTIVE', 'SHUTOFF'], { migrate: null })],
  'server confirm resize': [3, server(['VERIFY_RESIZE'], { confirmResize: null })],
  'server revert resize': [2, server(['VERIFY_RESIZE'], { revertResize: null })],
  'server live-migrate': [2, server(['ACTIVE'], { 'os-migrateLive': { host: null, block_migration: 'auto' } })],
  'server shelve': [2, server(['ACTIVE', 'SHUTOFF'], { shelve: null })],
  'server unshelve': [3, server(['SHELVED', 'SHELVED_OFFLOADED'], { unshelve: null })],
  'server image': [2, server(['ACTIVE', 'SHUTOFF'], (scene: Scene) => ({ createImage: { name: scene.name } }))],
  'server lock and unlock': [1, server(['ACTIVE'], (_: Scene, s: Json) => (s.locked ? { unlock: null } : { lock: null }))],
  'image delete': [
    3,
    (scene) => {
      const found = scene.pick(scene.state.images.filter(mine));
      return found && call(scene, 'DELETE', `/image/v2/images/${found.id}`);
    },
  ],
  'volume create': [
    5,
    (scene) => (scene.state.volumes.length < 9 ? call(scene, 'POST', '/volume/v3/volumes', { volume: { name: scene.name, size: 1 } }) : undefined),
  ],
  'volume from image': [
    1,
    (scene) =>
      scene.state.volumes.length < 9
        ? call(scene, 'POST', '/volume/v3/volumes', { volume: { name: scene.name, size: 1, imageRef: scene.imageId } })
        : undefined,
  ],
  'volume from volume': [
    1,
    (scene) => {
      const found = scene.pick(scene.state.volumes.filter((v) => v.status === 'available'));
      return found && scene.state.volumes.length < 9
        ? call(scene, 'POST', '/volume/v3/volumes', { volume: { name: scene.name, size: found.size, source_volid: found.id } })
        : undefined;
    },
  ],
  'volume from snapshot': [
    1,
    (scene) => {
      const found = scene.pick(scene.state.snapshots);
      return found && scene.state.volumes.length < 9
        ? call(scene, 'POST', '/volume/v3/volumes', { volume: { name: scene.name, size: found.size, snapshot_id: found.id } })
        : undefined;
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
    (scene) => {
      const found = scene.pick(scene.state.volumes.filter((v) => v.size < 3));
      return found && call(scene, 'POST', `/volume/v3/volumes/${found.id}/action`, { 'os-extend': { new_size: found.size + 1 } });
    },
  ],
  'volume attach': [
    6,
    (scene) => {
      const volume = scene.pick(scene.state.volumes.filter((v) => v.status === 'available'));
      const to = scene.pick(scene.state.servers.filter((s) => ['ACTIVE', 'SHUTOFF', 'PAUSED'].includes(s.status)));
      return volume && to
        ? call(scene, 'POST', `/compute/v2.1/servers/${to.id}/os-volume_attachments`, { volumeAttachment: { volumeId: volume.id } })
        : undefined;
    },
  ],
  'volume detach': [
    5,
    (scene) => {
      const volume = scene.pick(scene.state.volumes.filter((v) => v.attachments.length > 0));
      const { server_id: serverId } = volume?.attachments[0] ?? {};
      return volume && call(scene, 'DELETE', `/compute/v2.1/servers/${serverId}/os-volume_attachments/${volume.id}`);
    },
  ],
  'snapshot create': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.volumes);
      return found && scene.state.snapshots.length < 6
        ? call(scene, 'POST', '/volume/v3/snapshots', { snapshot: { name: scene.name, volume_id: found.id, force: true } })
        : undefined;
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
    1,
    (scene) => {
      const found = scene.pick(scene.state.volumes);
      return found && scene.state.backups.length < 4
        ? call(scene, 'POST', '/volume/v3/backups', { backup: { name: scene.name, volume_id: found.id, force: true } })
        : undefined;
    },
  ],
  'backup delete': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.backups);
      return found && call(scene, 'DELETE', `/volume/v3/backups/${found.id}`);
    },
  ],
  'port create': [
    2,
    (scene) =>
      scene.state.ports.filter(mine).length < 6
        ? call(scene, 'POST', '/network/v2.0/ports', { port: { name: scene.name, network_id: scene.networkId } })
        : undefined,
  ],
  'port delete': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.ports.filter((p) => mine(p) && !p.device_id));
      return found && call(scene, 'DELETE', `/network/v2.0/ports/${found.id}`);
    },
  ],
  'interface attach': [
    3,
    (scene) => {
      const to = scene.pick(scene.state.servers.filter((s) => ['ACTIVE', 'SHUTOFF'].includes(s.status)));
      const port = scene.pick([undefined, ...scene.state.ports.filter((p) => mine(p) && !p.device_id)]);
      return to && scene.state.ports.filter((p) => p.device_id === to.id).length < 4
        ? call(scene, 'POST', `/compute/v2.1/servers/${to.id}/os-interface`, {
            interfaceAttachment: port ? { port_id: port.id } : { net_id: scene.networkId },
          })
        : undefined;
    },
  ],
  'interface detach': [
    3,
    (scene) => {
      const port = scene.pick(scene.state.ports.filter((p) => p.device_owner.startsWith('compute:')));
      return port && call(scene, 'DELETE', `/compute/v2.1/servers/${port.device_id}/os-interface/${port.id}`);
    },
  ],
  'floating IP create': [
    2,
    (scene) => {
      const port = scene.pick(scene.state.ports.filter((p) => p.device_owner.startsWith('compute:')));
      return scene.state.floatingIps.length < 5
        ? call(scene, 'POST', '/network/v2.0/floatingips', { floatingip: { floating_network_id: scene.publicId, ...(port && { port_id: port.id }) } })
        : undefined;
    },
  ],
  'floating IP delete': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.floatingIps);
      return found && call(scene, 'DELETE', `/network/v2.0/floatingips/${found.id}`);
    },
  ],
};
