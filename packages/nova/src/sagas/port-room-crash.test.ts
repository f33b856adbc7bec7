import { crashSuite } from '@cairn/kit/saga/crash-suite';
import { admin, type CloudOptions, NETWORK, type TestCloud } from '../testing/cloud.ts';
import { crashWorld, novaSagas, prepared } from '../testing/crash-world.ts';

// Room that a server's port has on a host's network, at every step of what takes it, moves it and gives it back.
const PORT = '99999999-9999-4999-8999-999999999999';
const EGRESS = 'NET_BW_EGR_KILOBIT_PER_SEC';
const world: CloudOptions = {
  hosts: [{ name: 'h1' }, { name: 'h2' }],
  options: { resizeToSameHost: false },
  network: (host) => [{ id: `agent-of-${host}`, name: `${host}:agent`, parentId: undefined, inventories: { [EGRESS]: { total: 1_000 } }, traits: [] }],
  asking: new Map([[PORT, { request_groups: [{ id: 'group', required: [], resources: { [EGRESS]: 700 } }], same_subtree: ['group'] }]]),
};

const sagas = await novaSagas();

let serverId = '';
const act = (action: object) => async (cloud: TestCloud) => {
  await cloud.ok(admin(), 'POST', `/servers/${serverId}/action`, action);
};
const withPort = async (cloud: TestCloud): Promise<void> => {
  await cloud.neutron.addPort(PORT, NETWORK, admin().projectId as string);
};
const alone = async (cloud: TestCloud): Promise<void> => {
  await withPort(cloud);
  serverId = await cloud.create(admin(), { networks: 'none', host: 'h1' });
};
const onH1 = async (cloud: TestCloud): Promise<void> => {
  await withPort(cloud);
  serverId = await cloud.create(admin(), { host: 'h1', networks: [{ port: PORT }] });
};
const before = (prepare: (cloud: TestCloud) => Promise<void>): Promise<readonly string[]> => prepared({ world, prepare });
/** The same lines with the last action failed. */
const failed = (lines: readonly string[], action: string): readonly string[] => [
  ...lines.filter((line) => !line.startsWith('last action')),
  `last action ${action} Error`,
];
const attach = async (cloud: TestCloud): Promise<void> => {
  const answered = cloud.request(admin(), 'POST', `/servers/${serverId}/os-interface`, { interfaceAttachment: { port_id: PORT } });
  answered.catch(() => undefined);
  await cloud.until(async () => (await cloud.ok(admin(), 'GET', `/servers/${serverId}/os-instance-actions`)).instanceActions[0].action === 'attach_interface');
};

crashSuite({
  saga: sagas.resize,
  world: () => crashWorld({ saga: sagas.resize.name, world, prepare: onH1, begin: act({ migrate: null }) }),
  afterFailure: [...failed(await before(onH1), 'migrate'), 'migration migration error at h1 disks=0'],
});
crashSuite({
  saga: sagas.interfaceAttach,
  world: () => crashWorld({ saga: sagas.interfaceAttach.name, world, prepare: alone, begin: attach }),
  afterFailure: failed(await before(alone), 'attach_interface'),
});
crashSuite({
  saga: sagas.interfaceDetach,
  world: () =>
    crashWorld({
      saga: sagas.interfaceDetach.name,
      world,
      prepare: onH1,
      begin: async (cloud) => {
        await cloud.ok(admin(), 'DELETE', `/servers/${serverId}/os-interface/${PORT}`);
      },
    }),
  afterFailure: failed(await before(onH1), 'detach_interface'),
});
