import { crashSuite } from '@cairn/kit/saga/crash-suite';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import { patchServer } from '../store/server.ts';
import { admin, IMAGE, member, NETWORK, type TestCloud } from '../testing/cloud.ts';
import { agreement, type CrashScene, crashWorld, novaSagas, prepared } from '../testing/crash-world.ts';

const VOLUME = '33333333-3333-4333-8333-333333333333';
const PORT = '44444444-4444-4444-8444-444444444444';

const sagas = await novaSagas();

const suite = (
  saga: SagaDefinition,
  scene: Omit<CrashScene, 'saga'>,
  options: { afterFailure: readonly string[]; cancellable?: boolean; mayFailAfterCrash?: readonly string[] },
): void => {
  crashSuite({ saga, world: () => crashWorld({ ...scene, saga: saga.name }), ...options });
};

const post = async (cloud: TestCloud, path: string, body: object): Promise<void> => {
  await cloud.ok(member(), 'POST', path, body);
};
let serverId = '';
const oneServer = async (cloud: TestCloud): Promise<void> => {
  serverId = await cloud.create(member(), { name: 'one', networks: [{ uuid: NETWORK }] });
};
const act = (action: object) => (cloud: TestCloud) => post(cloud, `/servers/${serverId}/action`, action);

// a server with a disk, swap, ephemeral disk, config drive, a port of its own, a given port, a volume to be made and a given one
const bigScene = {
  prepare: async (cloud: TestCloud) => {
    await cloud.cinder.addVolume({ id: VOLUME });
    await cloud.neutron.addPort(PORT, NETWORK, 'p1');
  },
  begin: (cloud: TestCloud) =>
    post(cloud, '/servers', {
      server: {
        name: 'big',
        imageRef: IMAGE,
        flavorRef: '2',
        config_drive: true,
        networks: [{ uuid: NETWORK }, { port: PORT }],
        block_device_mapping_v2: [
          { source_type: 'image', destination_type: 'local', uuid: IMAGE, boot_index: 0, delete_on_termination: true },
          { source_type: 'blank', destination_type: 'volume', volume_size: 3, boot_index: -1 },
          { source_type: 'volume', destination_type: 'volume', uuid: VOLUME, boot_index: -1 },
        ],
      },
    }),
};
const devicesInError = [
  'device image local /dev/vda disk=yes volume=-',
  'device blank local /dev/vdb disk=yes volume=-',
  'device blank local /dev/vdc disk=yes volume=-',
  'device blank volume /dev/vdd disk=- volume=-',
  'device volume volume /dev/vde disk=- volume=yes',
  'device files local /dev/vdf disk=yes volume=-',
];
const bigBefore = await prepared(bigScene);
const bigUsage = 'usage instances=1 cores=2 ram=2048';
suite(sagas.create, bigScene, {
  afterFailure: [...bigBefore, 'last action create Error', 'server error - power=0 host=- deleted=0', bigUsage, ...devicesInError],
});

/** The same lines with the last action failed, and others where `change` says so. */
function failed(lines: readonly string[], action: string, change: (line: string) => string | undefined = (line) => line): readonly string[] {
  return [...lines.filter((line) => !line.startsWith('last action')), `last action ${action} Error`].map(change).filter((line) => line !== undefined);
}

// Every saga of a server that is there already: after a failure everything is as it was, but for the server's state where that says so.
const builtBig = {
  prepare: async (cloud: TestCloud) => {
    await bigScene.prepare(cloud);
    await bigScene.begin(cloud);
    await cloud.settle();
    serverId = (await cloud.ok(member(), 'GET', '/servers')).servers[0].id;
  },
};
const built = { prepare: oneServer };
const after = (action: object) => ({
  prepare: async (cloud: TestCloud) => {
    await oneServer(cloud);
    await act(action)(cloud);
  },
});

const powerSuite = async (saga: SagaDefinition, scene: Pick<CrashScene, 'prepare'>, action: object, name: string): Promise<void> => {
  suite(saga, { ...scene, begin: act(action), agreement: true }, { afterFailure: failed(agreement(await prepared(scene)), name) });
};
await powerSuite(sagas.power.pause, built, { pause: null }, 'pause');
await powerSuite(sagas.power.unpause, after({ pause: null }), { unpause: null }, 'unpause');
await powerSuite(sagas.power.suspend, built, { suspend: null }, 'suspend');
await powerSuite(sagas.power.resume, after({ suspend: null }), { resume: null }, 'resume');
await powerSuite(sagas.power.stop, built, { 'os-stop': null }, 'stop');
await powerSuite(sagas.power.start, after({ 'os-stop': null }), { 'os-start': null }, 'start');
await powerSuite(sagas.power.soft_reboot, built, { reboot: { type: 'SOFT' } }, 'reboot');
await powerSuite(sagas.power.hard_reboot, after({ 'os-stop': null }), { reboot: { type: 'HARD' } }, 'reboot');

suite(sagas.image, { ...built, begin: act({ createImage: { name: 'shot' } }) }, { afterFailure: failed(await prepared(built), 'createImage') });

const volumeBacked = {
  prepare: async (cloud: TestCloud) => {
    serverId = await cloud.create(member(), {
      imageRef: '',
      networks: 'none',
      block_device_mapping_v2: [{ source_type: 'image', destination_type: 'volume', uuid: IMAGE, boot_index: 0, volume_size: 2, delete_on_termination: true }],
    });
  },
};
suite(
  sagas.volumeImage,
  { ...volumeBacked, begin: act({ createImage: { name: 'shot' } }) },
  { afterFailure: failed(await prepared(volumeBacked), 'createImage') },
);

const withVolume = {
  prepare: async (cloud: TestCloud) => {
    await oneServer(cloud);
    await cloud.cinder.addVolume({ id: VOLUME });
  },
};
const attach = (cloud: TestCloud): Promise<void> => post(cloud, `/servers/${serverId}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUME } });
suite(sagas.volumeAttach, { ...withVolume, begin: attach }, { afterFailure: failed(await prepared(withVolume), 'attach_volume') });
const attached = {
  prepare: async (cloud: TestCloud) => {
    await withVolume.prepare(cloud);
    await attach(cloud);
    await cloud.settle();
  },
};
const detach = async (cloud: TestCloud): Promise<void> => {
  await cloud.ok(member(), 'DELETE', `/servers/${serverId}/os-volume_attachments/${VOLUME}`);
};
suite(sagas.volumeDetach, { ...attached, begin: detach }, { afterFailure: failed(await prepared(attached), 'detach_volume') });

// cinder asks for it by an event
const NEW_DISK = '55555555-5555-4555-8555-555555555555';
const move = async (cloud: TestCloud): Promise<void> => {
  await cloud.agents.get('h1')?.disks.create({ diskId: NEW_DISK, sizeBytes: 2 ** 30, source: { kind: 'blank' }, pool: 'volume' });
  const who = { userId: 'u1', projectId: 'p1', requestId: 'req-66666666-6666-4666-8666-666666666666' };
  const payload = { server_id: serverId, move: { volumeId: VOLUME, oldDiskId: VOLUME, newDiskId: NEW_DISK, storage: 'h1', who } };
  await cloud.store.write((tx) => cloud.outbox.emit(tx, { type: 'volume.move', resource: 'volume', resourceId: VOLUME, payload }));
  await cloud.until(async () => (await cloud.ok(member(), 'GET', `/servers/${serverId}/os-instance-actions`)).instanceActions[0].action === 'swap_volume');
};
suite(sagas.volumeMove, { ...attached, begin: move }, { afterFailure: failed(await prepared(attached), 'swap_volume') });

const OTHER_VOLUME = '77777777-7777-4777-8777-777777777777';
const withTwo = {
  prepare: async (cloud: TestCloud) => {
    await attached.prepare(cloud);
    await cloud.cinder.addVolume({ id: OTHER_VOLUME });
  },
};
const swap = async (cloud: TestCloud): Promise<void> => {
  await cloud.ok(admin(), 'PUT', `/servers/${serverId}/os-volume_attachments/${VOLUME}`, { volumeAttachment: { volumeId: OTHER_VOLUME } });
};
suite(sagas.volumeSwap, { ...withTwo, begin: swap }, { afterFailure: failed(await prepared(withTwo), 'swap_volume') });

// the request waits for the saga, so it is not waited for here
const plugIn = async (cloud: TestCloud): Promise<void> => {
  const sagaStarted = cloud.request(member(), 'POST', `/servers/${serverId}/os-interface`, { interfaceAttachment: { net_id: NETWORK } });
  sagaStarted.catch(() => undefined);
  await cloud.until(async () => (await cloud.ok(member(), 'GET', `/servers/${serverId}/os-instance-actions`)).instanceActions[0].action === 'attach_interface');
};
suite(sagas.interfaceAttach, { ...built, begin: plugIn }, { afterFailure: failed(await prepared(built), 'attach_interface') });
const plugged = {
  prepare: async (cloud: TestCloud) => {
    await oneServer(cloud);
    await cloud.neutron.addPort(PORT, NETWORK, 'p1');
    await cloud.ok(member(), 'POST', `/servers/${serverId}/os-interface`, { interfaceAttachment: { port_id: PORT } });
  },
};
const unplug = async (cloud: TestCloud): Promise<void> => {
  await cloud.ok(member(), 'DELETE', `/servers/${serverId}/os-interface/${PORT}`);
};
suite(sagas.interfaceDetach, { ...plugged, begin: unplug }, { afterFailure: failed(await prepared(plugged), 'detach_interface') });

const remove = async (cloud: TestCloud): Promise<void> => {
  await cloud.ok(member(), 'DELETE', `/servers/${serverId}`);
};
// a deletion that failed leaves the server in error, and everything of it goes when it is deleted again
suite(
  sagas.remove,
  { ...builtBig, begin: remove, repeat: remove },
  {
    afterFailure: [
      'server deleted - power=0 host=h1 deleted=1',
      'last action delete -',
      'usage instances=0 cores=0 ram=0',
      'volume available 1',
      'volume available 3',
      'network port device=- host=- DOWN',
      'at the second try',
    ],
    cancellable: false,
  },
);

// a task that lost its saga, past its deadline
const lost = {
  prepare: async (cloud: TestCloud) => {
    await oneServer(cloud);
    await cloud.store.write((tx) => patchServer(tx, serverId, { task_state: 'rebooting', task_deadline_at_ms: 1, updated_at_ms: 1 }));
  },
};
suite(sagas.settle, { ...lost, begin: (cloud) => cloud.nova.reconciler.settleOverdue() }, { afterFailure: await prepared(lost) });

const released = {
  prepare: async (cloud: TestCloud) => {
    await plugged.prepare(cloud);
    await cloud.store.write((tx) => cloud.neutron.releasePorts(tx, [PORT], { delete: true }));
  },
};
const unplugNow = async (cloud: TestCloud): Promise<void> => {
  await cloud.store.write((tx) => cloud.engine.start(tx, cloud.nova.app.sagas.unplug, { portIds: [PORT] }, { subject: `port:${PORT}`, requestId: 'req-x' }));
};
suite(
  sagas.unplug,
  { ...released, begin: unplugNow, repeat: unplugNow },
  { afterFailure: [...(await prepared(released)).filter((line) => !line.startsWith(`port ${PORT}`)), 'at the second try'], cancellable: false },
);
