import type { CrashHooks, CrashProcess, CrashWorld } from '@cairn/kit/saga/crash-suite';
import { on } from '@cairn/kit/store/store';
import type { NovaTables } from '../store/tables.ts';
import { FakeCinder } from './fake-cinder.ts';
import { FakeGlance } from './fake-glance.ts';
import { FakeNeutron } from './fake-neutron.ts';
import { type CloudOptions, IMAGE, type TestCloud, TestWorld } from './cloud.ts';
import { HostRegistry } from '@cairn/host/registry';

export interface CrashScene {
  /** What is there before the saga under test begins. */
  prepare?(cloud: TestCloud): Promise<void>;
  /** Begins it, as users do. Resolves when it was accepted; `subject` tells which saga to wait for. */
  begin(cloud: TestCloud): Promise<void>;
  /** The saga's name. */
  readonly saga: string;
  /** By default one host, h1. */
  readonly world?: CloudOptions;
  /** Done before it is looked what there is. */
  finally?(cloud: TestCloud): Promise<void>;
  /**
   * Power actions are not taken back: after a failure the server stands where its guest does. Lines then say whether the two agree instead of
   * what they are.
   */
  readonly agreement?: boolean;
  /** A failure cannot be undone, but repeated: done after one, before it is looked what there is. */
  repeat?(cloud: TestCloud): Promise<void>;
}

/** A cloud on simulated hosts for the generic crash suite: what survives a crash is the database and the machines. */
export async function crashWorld(scene: CrashScene): Promise<CrashWorld> {
  const world = await TestWorld.open(scene.world ?? { hosts: [{ name: 'h1' }] });
  let cloud: TestCloud | undefined;
  return {
    store: world.store,
    async boot(hooks: CrashHooks): Promise<CrashProcess> {
      if (cloud !== undefined) await cloud.nova.stop();
      const next = await world.boot(hooks);
      cloud = next;
      return {
        engine: next.engine,
        prepare: async () => {
          await scene.prepare?.(next);
          await next.settle();
        },
        start: async () => {
          await scene.begin(next);
          const row = await lastSaga(world, scene.saga);
          if (row === undefined) throw new Error(`no saga ${scene.saga} was started`);
          return row.id;
        },
        drop: () => next.outbox.drop(),
      };
    },
    async inspect() {
      if (cloud !== undefined) await scene.finally?.(cloud);
      const lines = await inspect(world);
      if (scene.agreement === true) return agreement(lines);
      if (scene.repeat === undefined || cloud === undefined || (await lastSaga(world, scene.saga))?.state !== 'failed') return lines;
      await scene.repeat(cloud);
      await cloud.settle();
      return [...(await inspect(world)), 'at the second try'];
    },
    async close() {
      await cloud?.nova.stop();
      await world.close();
    },
  };
}

async function lastSaga(world: TestWorld, name: string): Promise<{ readonly id: string; readonly state: string } | undefined> {
  const kit = on<{ kit_saga: { id: string; name: string; seq: number; state: string } }>(world.store.read);
  return await kit.selectFrom('kit_saga').select(['id', 'state']).where('name', '=', name).orderBy('seq', 'desc').executeTakeFirst();
}

/** What there is, physically and by rows. Chance (times, names of hosts' files) is left out; uuids are the suite's to mask. */
export async function inspect(world: TestWorld): Promise<readonly string[]> {
  const db = world.store.read;
  const nova = on<NovaTables>(db);
  const hosts = new HostRegistry();
  const [actions, migrations, servers, devices, ports, usage, allocations, networkPorts, volumes, attachments, images, snapshots, rooms] = await Promise.all([
    nova.selectFrom('nova_action').selectAll().orderBy('seq', 'desc').limit(1).execute(),
    nova.selectFrom('nova_migration').selectAll().execute(),
    nova.selectFrom('nova_server').selectAll().execute(),
    nova.selectFrom('nova_block_device').selectAll().execute(),
    nova.selectFrom('nova_server_port').selectAll().execute(),
    nova.selectFrom('nova_usage').selectAll().execute(),
    on<{ placement_allocation: { consumer_id: string; resource_class: string; used: number } }>(db).selectFrom('placement_allocation').selectAll().execute(),
    new FakeNeutron(world.store, hosts).ports.all(db),
    new FakeCinder(world.store, hosts).volumes.all(db),
    new FakeCinder(world.store, hosts).attachments.all(db),
    new FakeGlance(world.store).images.all(db),
    new FakeCinder(world.store, hosts).snapshots.all(db),
    nova.selectFrom('nova_port_room').selectAll().execute(),
  ]);
  return [
    ...world.machines.flatMap((machine) => machine.inspect()),
    ...actions.map((row) => `last action ${row.action} ${row.message ?? '-'}`),
    ...migrations.map(
      (row) => `migration ${row.type} ${row.status} at ${row.at_dest === 1 ? row.dest_host : row.source_host} disks=${JSON.parse(row.disks_json).length}`,
    ),
    ...servers.map((row) => `server ${row.vm_state} ${row.task_state ?? '-'} power=${row.power_state} host=${row.host ?? '-'} deleted=${row.deleted}`),
    ...devices.map(
      (row) =>
        `device ${row.source_type} ${row.destination_type} ${row.device_name} disk=${row.disk_id === null ? '-' : 'yes'} volume=${row.volume_id === null ? '-' : 'yes'}`,
    ),
    ...ports.map((row) => `interface owned=${row.owned} position=${row.position}`),
    ...usage.map((row) => `usage instances=${row.instances} cores=${row.cores} ram=${row.ram_mb}`),
    ...allocations.map((row) => `allocation ${row.resource_class}=${row.used}`),
    ...networkPorts.map(
      (port) =>
        `network port device=${port.deviceId === '' ? '-' : 'yes'} host=${port.host || '-'} ${port.status}${port.allocation === undefined ? '' : ' allocated'}`,
    ),
    ...volumes.map((volume) => `volume ${volume.status} ${volume.sizeGb}`),
    ...attachments.map((attachment) => `attachment ${attachment.status}`),
    ...images.filter((image) => image.id !== IMAGE).map((image) => `image ${image.status}`),
    ...snapshots.map(() => 'snapshot'),
    ...rooms.map((room) => `port room host=${room.host} of a ${servers.some((row) => row.id === room.consumer_id) ? 'server' : 'move'}`),
  ];
}

const POWER_OF: Readonly<Record<string, string>> = {
  running: 'active - power=1',
  paused: 'paused - power=3',
  shutdown: 'stopped - power=4',
  suspended: 'suspended - power=4',
};

/** One server, one guest: do they agree, and is no task left? */
export function agreement(lines: readonly string[]): readonly string[] {
  const guest = /^guest \S+ (\S+)/.exec(lines.find((line) => line.startsWith('guest ')) ?? '')?.[1] ?? 'none';
  const server = lines.find((line) => line.startsWith('server ')) ?? '';
  const agree = server.startsWith(`server ${POWER_OF[guest]} `);
  return [
    ...lines.filter((line) => !line.startsWith('guest ') && !line.startsWith('server ')),
    agree ? 'server and guest agree' : `guest is ${guest}, but ${server}`,
  ];
}

/** The definitions of nova's sagas, for their names and steps. */
export async function novaSagas(): Promise<Awaited<ReturnType<TestWorld['boot']>>['nova']['app']['sagas']> {
  const world = await TestWorld.open({ hosts: [] });
  const { nova } = await world.boot();
  await nova.stop();
  await world.close();
  return nova.app.sagas;
}

/** What is there when a scene is prepared and nothing more has happened. */
export async function prepared(scene: Pick<CrashScene, 'prepare' | 'world'>): Promise<readonly string[]> {
  const world = await TestWorld.open(scene.world ?? { hosts: [{ name: 'h1' }] });
  const cloud = await world.boot();
  try {
    await scene.prepare?.(cloud);
    await cloud.settle();
    return await inspect(world);
  } finally {
    await cloud.close();
  }
}
