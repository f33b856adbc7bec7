import { type Action, type Actions, type Call, call, type Json, type Scene } from '../scene.ts';

/** An action of a server that is in one of these states. */
const server =
  (statuses: readonly string[], body: Json, more: (server: Json, scene: Scene) => boolean = () => true): Action =>
  (scene) => {
    const found = scene.pick(scene.state.servers.filter((s) => statuses.includes(s.status) && more(s, scene)));
    return found && call(scene, 'POST', `/compute/v2.1/servers/${found.id}/action`, typeof body === 'function' ? body(scene, found) : body);
  };

const create = (scene: Scene, count: number, wish: object, hints: object = {}): Call =>
  scene.state.servers.length + count <= scene.cloud.limits.servers
    ? call(scene, 'POST', '/compute/v2.1/servers', {
        server: { name: scene.name, flavorRef: '42', networks: [{ uuid: scene.networkId }], min_count: count, max_count: count, ...wish },
        ...hints,
      })
    : undefined;

const fromImage = (s: Json): boolean => s.image !== '' && s.image !== null;
const GROUPS = ['soft-affinity', 'soft-anti-affinity'];

export const SERVER_ACTIONS: Actions = {
  'server create': [8, (scene) => create(scene, 1, { imageRef: scene.imageId })],
  'server create two': [2, (scene) => create(scene, 2, { imageRef: scene.imageId })],
  'server create with config drive': [1, (scene) => create(scene, 1, { imageRef: scene.imageId, config_drive: true })],
  'server create in group': [
    2,
    (scene) => {
      const group = scene.pick(scene.state.serverGroups);
      return group && create(scene, 1, { imageRef: scene.imageId }, { 'os:scheduler_hints': { group: group.id } });
    },
  ],
  'server create from new volume': [
    2,
    (scene) =>
      create(scene, 1, {
        block_device_mapping_v2: [
          { boot_index: 0, uuid: scene.imageId, source_type: 'image', destination_type: 'volume', volume_size: 1, delete_on_termination: true },
        ],
      }),
  ],
  'server create with volumes': [
    2,
    (scene) => {
      const snapshot = scene.pick(scene.state.snapshots);
      const data = snapshot ? { uuid: snapshot.id, source_type: 'snapshot', volume_size: snapshot.size } : { source_type: 'blank', volume_size: 1 };
      return create(scene, 1, {
        imageRef: scene.imageId,
        block_device_mapping_v2: [
          { boot_index: 0, uuid: scene.imageId, source_type: 'image', destination_type: 'local', delete_on_termination: true },
          { boot_index: -1, destination_type: 'volume', delete_on_termination: true, ...data },
        ],
      });
    },
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
  'server reboot': [3, server(['ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED', 'ERROR'], { reboot: { type: 'HARD' } })],
  'server reboot softly': [1, server(['ACTIVE'], { reboot: { type: 'SOFT' } })],
  'server pause': [2, server(['ACTIVE'], { pause: null })],
  'server unpause': [3, server(['PAUSED'], { unpause: null })],
  'server suspend': [2, server(['ACTIVE'], { suspend: null })],
  'server resume': [3, server(['SUSPENDED'], { resume: null })],
  'server rebuild': [2, server(['ACTIVE', 'SHUTOFF', 'ERROR'], (scene: Scene) => ({ rebuild: { imageRef: scene.imageId } }), fromImage)],
  'server rescue': [2, server(['ACTIVE', 'SHUTOFF'], { rescue: null }, fromImage)],
  'server unrescue': [3, server(['RESCUE'], { unrescue: null })],
  'server resize': [3, server(['ACTIVE', 'SHUTOFF'], (_: Scene, s: Json) => ({ resize: { flavorRef: s.flavor?.original_name === 'm1.nano' ? '84' : '42' } }))],
  'server migrate': [2, server(['ACTIVE', 'SHUTOFF'], { migrate: null }, (_, scene) => scene.cloud.limits.hosts > 1)],
  'server confirm resize': [3, server(['VERIFY_RESIZE'], { confirmResize: null })],
  'server revert resize': [2, server(['VERIFY_RESIZE'], { revertResize: null })],
  'server live-migrate': [
    2,
    server(['ACTIVE', 'PAUSED'], { 'os-migrateLive': { host: null, block_migration: 'auto' } }, (_, scene) => scene.cloud.limits.hosts > 1),
  ],
  'server shelve': [2, server(['ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED'], { shelve: null })],
  'server unshelve': [3, server(['SHELVED', 'SHELVED_OFFLOADED'], { unshelve: null })],
  'server image': [2, server(['ACTIVE', 'SHUTOFF', 'PAUSED', 'SUSPENDED'], (scene: Scene) => ({ createImage: { name: scene.name } }))],
  'server backup': [1, server(['ACTIVE', 'SHUTOFF'], (scene: Scene) => ({ createBackup: { name: scene.name, backup_type: 'daily', rotation: 1 } }), fromImage)],
  'server lock and unlock': [1, server(['ACTIVE'], (_: Scene, s: Json) => (s.locked ? { unlock: null } : { lock: null }))],
  'server group create': [
    1,
    (scene) =>
      scene.state.serverGroups.length < 3
        ? call(scene, 'POST', '/compute/v2.1/os-server-groups', { server_group: { name: scene.name, policy: scene.pick(GROUPS) } })
        : undefined,
  ],
  'server group delete': [
    1,
    (scene) => {
      const found = scene.pick(scene.state.serverGroups);
      return found && call(scene, 'DELETE', `/compute/v2.1/os-server-groups/${found.id}`);
    },
  ],
};
