import { crashSuite } from '@cairn/kit/saga/crash-suite';
import { on } from '@cairn/kit/store/store';
import { admin, type CloudOptions, NETWORK, type TestCloud } from '../testing/cloud.ts';
import { crashWorld, novaSagas, prepared } from '../testing/crash-world.ts';
import type { NovaTables } from '../store/tables.ts';

// Moves between two hosts, each cut off at every step: afterwards the server is where and what it was, or where it was to go, and nothing else is left.
const world: CloudOptions = { hosts: [{ name: 'h1' }, { name: 'h2' }], options: { resizeToSameHost: false } };

const sagas = await novaSagas();

let serverId = '';
const act = (action: object) => async (cloud: TestCloud) => {
  await cloud.ok(admin(), 'POST', `/servers/${serverId}/action`, action);
};
const onH1 = async (cloud: TestCloud): Promise<void> => {
  serverId = await cloud.create(admin(), { flavorRef: '1', networks: [{ uuid: NETWORK }], host: 'h1', config_drive: true });
};
const resized = async (cloud: TestCloud): Promise<void> => {
  await onH1(cloud);
  await act({ resize: { flavorRef: '2' } })(cloud);
  await cloud.settle();
};
/** The host of the server does not answer any more, for nova; what is on it stays. */
const lost = async (cloud: TestCloud): Promise<void> => {
  await onH1(cloud);
  await cloud.store.write(async (tx) => {
    await on<NovaTables>(tx).updateTable('nova_service').set({ forced_down: 1 }).where('host', '=', 'h1').execute();
  });
};

const backAgain = (cloud: TestCloud): Promise<void> => cloud.nova.reconciler.syncHost('h1');

const before = (prepare: (cloud: TestCloud) => Promise<void>): Promise<readonly string[]> => prepared({ world, prepare });

/** The same lines with the last action and the migration failed. */
const failed = (lines: readonly string[], action: string, change: (line: string) => string = (line) => line): readonly string[] => [
  ...lines.filter((line) => !line.startsWith('last action')).map(change),
  `last action ${action} Error`,
];

const VOLUMES = { h1: '88888888-8888-4888-8888-888888888881', h2: '88888888-8888-4888-8888-888888888882' } as const;
const withVolumes = async (cloud: TestCloud): Promise<void> => {
  await onH1(cloud);
  for (const [host, id] of Object.entries(VOLUMES)) {
    await cloud.cinder.addVolume({ id, host, projectId: admin().projectId ?? '' });
    await cloud.ok(admin(), 'POST', `/servers/${serverId}/os-volume_attachments`, { volumeAttachment: { volumeId: id } });
    await cloud.settle();
  }
};
const lostWithVolume = async (cloud: TestCloud): Promise<void> => {
  await onH1(cloud);
  await cloud.cinder.addVolume({ id: VOLUMES.h2, host: 'h2', projectId: admin().projectId ?? '' });
  await cloud.ok(admin(), 'POST', `/servers/${serverId}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUMES.h2 } });
  await cloud.settle();
  await cloud.store.write(async (tx) => {
    await on<NovaTables>(tx).updateTable('nova_service').set({ forced_down: 1 }).where('host', '=', 'h1').execute();
  });
};
const [beforeResize, afterRemoval, beforeEvacuation] = [await before(onH1), await before(removed), await before(lost)];
const [beforeVolumes, beforeLoss] = [await before(withVolumes), await before(lostWithVolume)];

crashSuite({
  saga: sagas.resize,
  world: () => crashWorld({ saga: sagas.resize.name, world, prepare: onH1, begin: act({ resize: { flavorRef: '2' } }) }),
  afterFailure: [...failed(beforeResize, 'resize'), 'migration resize error at h1 disks=0'],
});
// what cannot be taken back leaves the server in error, and all of it goes when it is deleted
for (const [saga, action] of [
  [sagas.confirmResize, { confirmResize: null }],
  [sagas.revertResize, { revertResize: null }],
] as const) {
  crashSuite({
    saga,
    world: () => crashWorld({ saga: saga.name, world, prepare: resized, begin: act(action), repeat: removeServer }),
    afterFailure: (step) => ended(saga.name, step),
    cancellable: false,
  });
}
crashSuite({
  saga: sagas.evacuate,
  world: () => crashWorld({ saga: sagas.evacuate.name, world, prepare: lost, begin: act({ evacuate: {} }), finally: backAgain }),
  afterFailure: [
    ...failed(beforeEvacuation, 'evacuate', (line) => (line.startsWith('server ') ? line.replace('server active', 'server error') : line)),
    'migration evacuation error at h1 disks=0',
  ],
});

crashSuite({
  saga: sagas.live,
  world: () => crashWorld({ saga: sagas.live.name, world, prepare: onH1, begin: act({ 'os-migrateLive': { host: null, block_migration: 'auto' } }) }),
  afterFailure: [...failed(beforeResize, 'live-migration'), 'migration live-migration error at h1 disks=0'],
  cancellable: false,
});

// with two volumes, one kept by the host that the server leaves, one by the other: each is in the hands of one host at a time
crashSuite({
  saga: sagas.live,
  world: () => crashWorld({ saga: sagas.live.name, world, prepare: withVolumes, begin: act({ 'os-migrateLive': { host: null, block_migration: 'auto' } }) }),
  afterFailure: [...failed(beforeVolumes, 'live-migration'), 'migration live-migration error at h1 disks=0'],
  cancellable: false,
});
crashSuite({
  saga: sagas.resize,
  world: () => crashWorld({ saga: sagas.resize.name, world, prepare: withVolumes, begin: act({ resize: { flavorRef: '2' } }) }),
  afterFailure: [...failed(beforeVolumes, 'resize'), 'migration resize error at h1 disks=0'],
});
crashSuite({
  saga: sagas.evacuate,
  world: () => crashWorld({ saga: sagas.evacuate.name, world, prepare: lostWithVolume, begin: act({ evacuate: {} }), finally: backAgain }),
  // the lost host was cut off from the volume, which is what makes it safe to use it elsewhere
  afterFailure: [
    ...failed(beforeLoss, 'evacuate', (line) => (line.startsWith('server ') ? line.replace('server active', 'server error') : line)),
    'migration evacuation error at h1 disks=0',
  ],
});

/** A server that was deleted after its move failed: on the side where it was then. */
function ended(saga: string, step: string): readonly string[] {
  const isBack = saga.endsWith('revert_resize') && ['clean_up', 'start'].includes(step);
  return [
    ...afterRemoval.filter((line) => !line.startsWith('migration') && !line.startsWith('server ')),
    `server deleted - power=0 host=${isBack ? 'h1' : 'h2'} deleted=1`,
    `migration resize error at ${isBack ? 'h1' : 'h2'} disks=0`,
    'at the second try',
  ];
}

async function removeServer(cloud: TestCloud): Promise<void> {
  await cloud.ok(admin(), 'DELETE', `/servers/${serverId}`);
}
async function removed(cloud: TestCloud): Promise<void> {
  await resized(cloud);
  await removeServer(cloud);
}
