import { crashSuite } from '@cairn/kit/saga/crash-suite';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import { admin, IMAGE, member, NETWORK, type TestCloud, type TestWorld } from '../testing/cloud.ts';
import { type CrashScene, crashWorld, novaSagas, prepared } from '../testing/crash-world.ts';

const OTHER = '55555555-5555-4555-8555-555555555555';

const sagas = await novaSagas();

// suites run while others are prepared, so each world has its own
const servers = new WeakMap<TestWorld, string>();
const idOf = (cloud: TestCloud): string => servers.get(cloud.world) as string;
const act = (action: object) => async (cloud: TestCloud) => {
  await cloud.ok(member(), 'POST', `/servers/${idOf(cloud)}/action`, action);
};
const built = async (cloud: TestCloud): Promise<void> => {
  await cloud.glance.addImage({ id: OTHER, name: 'other' });
  servers.set(cloud.world, await cloud.create(member(), { name: 'one', networks: [{ uuid: NETWORK }], flavorRef: '2', config_drive: true }));
};
const backed = async (cloud: TestCloud): Promise<void> => {
  servers.set(
    cloud.world,
    await cloud.create(member(), {
      imageRef: '',
      networks: [{ uuid: NETWORK }],
      block_device_mapping_v2: [{ source_type: 'image', destination_type: 'volume', uuid: IMAGE, boot_index: 0, volume_size: 2, delete_on_termination: true }],
    }),
  );
};
const then =
  (first: (cloud: TestCloud) => Promise<void>, ...actions: readonly object[]) =>
  async (cloud: TestCloud): Promise<void> => {
    await first(cloud);
    for (const action of actions) {
      await cloud.settle();
      await act(action)(cloud);
    }
  };

/** Crashes of one saga: after a failure all is as it was before, but for the last action's record and what `server` says of the server's row. */
async function suite(
  saga: SagaDefinition,
  scene: Omit<CrashScene, 'saga'>,
  action: string,
  after: { readonly server?: string; readonly change?: (line: string) => string | undefined; readonly cancellable?: boolean } = {},
): Promise<void> {
  const lines = (await prepared(scene))
    .filter((line) => !line.startsWith('last action'))
    .map((line) => (after.server !== undefined && line.startsWith('server ') ? after.server : line))
    .map(after.change ?? ((line: string): string | undefined => line))
    .filter((line) => line !== undefined);
  crashSuite({
    saga,
    world: () => crashWorld({ ...scene, saga: saga.name }),
    afterFailure: [...lines, `last action ${action} Error`],
    ...(after.cancellable === undefined ? {} : { cancellable: after.cancellable }),
  });
}

const inError = 'server error - power=1 host=h1 deleted=0';
await suite(sagas.rebuild, { prepare: built, begin: act({ rebuild: { imageRef: OTHER } }) }, 'rebuild', { server: inError });
await suite(sagas.rescue, { prepare: built, begin: act({ rescue: null }) }, 'rescue', { server: inError });
await suite(sagas.unrescue, { prepare: then(built, { rescue: null }), begin: act({ unrescue: null }) }, 'unrescue');
await suite(sagas.shelve, { prepare: built, begin: act({ shelve: null }) }, 'shelve');
const stays = { hosts: [{ name: 'h1' }], options: { shelvedOffloadMs: -1 } };
const shelved = then(built, { shelve: null });
// its guest, which was off, is gone in any case
await suite(sagas.offload, { prepare: shelved, begin: offload, world: stays }, 'shelveOffload', {
  change: (line) => (line.startsWith('guest ') ? undefined : line),
});
await suite(sagas.unshelveHere, { prepare: shelved, begin: act({ unshelve: null }), world: stays }, 'unshelve');
await suite(sagas.unshelve, { prepare: then(built, { shelve: null }), begin: act({ unshelve: null }) }, 'unshelve');
// its volume is in use while it is on a host, and reserved while it is on none
const DATA = '33333333-3333-4333-8333-333333333333';
const withVolume = async (cloud: TestCloud): Promise<void> => {
  await built(cloud);
  await cloud.cinder.addVolume({ id: DATA, host: 'h1' });
  await attach(cloud);
  await cloud.settle();
};
await suite(sagas.offload, { prepare: then(withVolume, { shelve: null }), begin: offload, world: stays }, 'shelveOffload', {
  change: (line) => (line.startsWith('guest ') ? undefined : line),
});
const offloaded = then(withVolume, { shelve: null });
await suite(sagas.unshelve, { prepare: offloaded, begin: act({ unshelve: null }) }, 'unshelve');
await suite(sagas.volumeDetach, { prepare: offloaded, begin: detach }, 'detach_volume');
const free = async (cloud: TestCloud): Promise<void> => {
  await then(built, { shelve: null })(cloud);
  await cloud.cinder.addVolume({ id: DATA, host: 'h1' });
};
await suite(sagas.volumeAttach, { prepare: free, begin: attach }, 'attach_volume');
const kept = { hosts: [{ name: 'h1' }], options: { reclaimServerMs: 1_000_000 } };
const remove = async (cloud: TestCloud): Promise<void> => {
  await cloud.ok(member(), 'DELETE', `/servers/${idOf(cloud)}`);
};
await suite(sagas.softDelete, { prepare: built, begin: remove, world: kept }, 'delete');
const removed = async (cloud: TestCloud): Promise<void> => {
  await built(cloud);
  await remove(cloud);
};
await suite(sagas.restore, { prepare: removed, begin: act({ restore: null }), world: kept }, 'restore');
const noBackups = { hosts: [{ name: 'h1' }], inside: async () => ({ status: 200, headers: {}, body: { images: [] } }) };
await suite(sagas.backup, { world: noBackups, prepare: built, begin: act({ createBackup: { name: 'b', backup_type: 'daily', rotation: 2 } }) }, 'createBackup');

async function attach(cloud: TestCloud): Promise<void> {
  await cloud.ok(member(), 'POST', `/servers/${idOf(cloud)}/os-volume_attachments`, { volumeAttachment: { volumeId: DATA } });
}
async function detach(cloud: TestCloud): Promise<void> {
  await cloud.ok(member(), 'DELETE', `/servers/${idOf(cloud)}/os-volume_attachments/${DATA}`);
}
async function offload(cloud: TestCloud): Promise<void> {
  await cloud.ok(admin(), 'POST', `/servers/${idOf(cloud)}/action`, { shelveOffload: null });
}

// the root volume gets the image's content, and a failure before that leaves it as it was
await suite(sagas.rebuild, { prepare: backed, begin: act({ rebuild: { imageRef: IMAGE } }) }, 'rebuild', { server: inError });

// what is let go goes at the second try at the latest
const DISK = '77777777-7777-4777-8777-777777777777';
const withDisk = async (cloud: TestCloud): Promise<void> => {
  await cloud.agent('h1').disks.create({ diskId: DISK, sizeBytes: 1, source: { kind: 'blank' }, pool: 'ephemeral' });
};
const discard = async (cloud: TestCloud): Promise<void> => {
  await cloud.store.write((tx) =>
    cloud.engine.start(tx, cloud.nova.app.sagas.discard, { host: 'h1', diskIds: [DISK], portIds: [] }, { subject: 'server:x', requestId: 'req-x' }),
  );
};
crashSuite({
  saga: sagas.discard,
  world: () => crashWorld({ prepare: withDisk, begin: discard, repeat: (cloud) => cloud.nova.reconciler.syncHost('h1'), saga: sagas.discard.name }),
  afterFailure: ['at the second try'],
  cancellable: false,
});

// the password is in the memory of the process that took it: after a crash the change fails, and is asked for again
const withAgent = async (cloud: TestCloud): Promise<void> => {
  await cloud.glance.addImage({ id: OTHER, name: 'agent', properties: { hw_qemu_guest_agent: 'yes' } });
  servers.set(cloud.world, await cloud.create(member(), { imageRef: OTHER, networks: 'none' }));
};
const change = async (cloud: TestCloud): Promise<void> => {
  // the request waits for the saga, so it is not waited for here
  cloud.request(member(), 'POST', `/servers/${idOf(cloud)}/action`, { changePassword: { adminPass: 'x' } }).catch(() => undefined);
  await cloud.until(
    async () => (await cloud.ok(member(), 'GET', `/servers/${idOf(cloud)}/os-instance-actions`)).instanceActions[0].action === 'changePassword',
  );
};
crashSuite({
  saga: sagas.password,
  world: () => crashWorld({ prepare: withAgent, begin: change, saga: sagas.password.name }),
  afterFailure: [...(await prepared({ prepare: withAgent })).filter((line) => !line.startsWith('last action')), 'last action changePassword Error'],
  mayFailAfterCrash: ['change_password'],
});
