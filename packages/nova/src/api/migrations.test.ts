import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SimulatedFault } from '@cairn/host/simulated/faults';
import { unavailable } from '@cairn/kit/errors/errors';
import { on } from '@cairn/kit/store/store';
import type { NovaTables } from '../store/tables.ts';
import { admin, type CloudOptions, IMAGE, member, NETWORK, TestCloud } from '../testing/cloud.ts';

async function inCloud(options: CloudOptions, test: (cloud: TestCloud) => Promise<void>): Promise<void> {
  const cloud = await TestCloud.open(options);
  try {
    await test(cloud);
  } finally {
    await cloud.close();
  }
}

const show = async (cloud: TestCloud, id: string) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server;
const act = async (cloud: TestCloud, id: string, body: object, ctx = admin()): Promise<number> => {
  const { status } = await cloud.request(ctx, 'POST', `/servers/${id}/action`, body);
  await cloud.settle();
  return status;
};
const host = (server: Record<string, unknown>): unknown => server['OS-EXT-SRV-ATTR:host'];
const disksOn = async (cloud: TestCloud, name: string): Promise<number> => (await cloud.agent(name).disks.list()).length;
const guestsOn = async (cloud: TestCloud, name: string): Promise<string[]> => (await cloud.agent(name).guests.list()).map((guest) => guest.state);
/** What is claimed, by consumer. */
const claims = async (cloud: TestCloud): Promise<Record<string, Record<string, number>>> => {
  const rows = await on<{ placement_allocation: { consumer_id: string; resource_class: string; used: number } }>(cloud.store.read)
    .selectFrom('placement_allocation')
    .selectAll()
    .execute();
  const all: Record<string, Record<string, number>> = {};
  for (const row of rows) (all[row.consumer_id] ??= {})[row.resource_class] = row.used;
  return all;
};
const usage = async (cloud: TestCloud): Promise<number[]> => {
  const { limits } = await cloud.ok(member(), 'GET', '/limits');
  return [limits.absolute.totalInstancesUsed, limits.absolute.totalCoresUsed, limits.absolute.totalRAMUsed];
};
const migrations = async (cloud: TestCloud, query = ''): Promise<Record<string, unknown>[]> =>
  (await cloud.ok(admin(), 'GET', `/os-migrations${query}`)).migrations;

describe('a resize', () => {
  it('moves the server to the new flavor, waits to be confirmed, and leaves nothing behind', () =>
    inCloud({ options: { resizeToSameHost: false } }, async (cloud) => {
      const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
      const from = host(await show(cloud, id)) as string;
      const to = from === 'h1' ? 'h2' : 'h1';
      assert.equal(await act(cloud, id, { resize: { flavorRef: '2' } }, member()), 202);
      const resized = await show(cloud, id);
      assert.deepEqual([resized.status, resized.flavor.original_name, host(resized)], ['VERIFY_RESIZE', 'm1.more', to]);
      assert.deepEqual([await disksOn(cloud, from), await disksOn(cloud, to)], [1, 1]);
      assert.deepEqual([await guestsOn(cloud, from), await guestsOn(cloud, to)], [[], ['running']]);
      const [disk] = await cloud.agent(to).disks.list();
      assert.equal(disk?.sizeBytes, 20 * 2 ** 30);
      const [move] = await migrations(cloud);
      assert.ok(move);
      assert.deepEqual([move.status, move.migration_type, move.source_compute, move.dest_compute], ['finished', 'resize', from, to]);
      assert.notEqual(move.old_instance_type_id, move.new_instance_type_id);
      assert.deepEqual((await claims(cloud))[move.uuid as string], { VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 });
      assert.equal((await claims(cloud))[id]?.VCPU, 2);
      assert.deepEqual(await usage(cloud), [1, 2, 2_048]);
      assert.equal((await cloud.neutron.ports.all(cloud.store.read))[0]?.host, to);

      assert.equal(await act(cloud, id, { confirmResize: null }, member()), 204);
      assert.equal((await show(cloud, id)).status, 'ACTIVE');
      assert.deepEqual([await disksOn(cloud, from), await disksOn(cloud, to)], [0, 1]);
      assert.deepEqual(Object.keys(await claims(cloud)), [id]);
      assert.equal((await migrations(cloud))[0]?.status, 'confirmed');
      const { instanceActions } = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions`);
      assert.deepEqual(
        instanceActions.map((action: { action: string; message: unknown }) => [action.action, action.message]),
        [
          ['confirmResize', null],
          ['resize', null],
          ['create', null],
        ],
      );
    }));

  it('goes back to what it was', () =>
    inCloud({}, async (cloud) => {
      const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
      const from = host(await show(cloud, id)) as string;
      await act(cloud, id, { 'os-stop': null }, member());
      await act(cloud, id, { resize: { flavorRef: '2' } }, member());
      assert.equal((await show(cloud, id)).status, 'VERIFY_RESIZE');
      assert.equal(await act(cloud, id, { revertResize: null }, member()), 202);
      const server = await show(cloud, id);
      assert.deepEqual([server.status, server.flavor.original_name, host(server)], ['SHUTOFF', 'm1.tiny', from]);
      assert.deepEqual([(await disksOn(cloud, 'h1')) + (await disksOn(cloud, 'h2')), await disksOn(cloud, from)], [1, 1]);
      assert.deepEqual(await claims(cloud), { [id]: { VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 } });
      assert.deepEqual(await usage(cloud), [1, 1, 512]);
      assert.equal((await migrations(cloud))[0]?.status, 'reverted');
      assert.equal((await cloud.neutron.ports.all(cloud.store.read))[0]?.host, from);
      await act(cloud, id, { 'os-start': null }, member());
      assert.equal((await show(cloud, id)).status, 'ACTIVE');
    }));

  it('confirms itself in time, where the operator says so', () =>
    inCloud({ options: { resizeConfirmMs: 1 } }, async (cloud) => {
      const id = await cloud.create(member());
      await act(cloud, id, { resize: { flavorRef: '2' } }, member());
      await new Promise((resolve) => setTimeout(resolve, 5));
      await cloud.nova.reconciler.round();
      await cloud.settle();
      assert.equal((await show(cloud, id)).status, 'ACTIVE');
    }));

  it('is refused in words', () =>
    inCloud({ options: { quotaDefaults: { instances: 10, cores: 1, ram: 51_200, metadata_items: 128 } } }, async (cloud) => {
      const id = await cloud.create(member());
      const say = async (body: object): Promise<unknown[]> => {
        const { status, body: answer } = await cloud.request(member(), 'POST', `/servers/${id}/action`, body);
        return [status, Object.values(answer as Record<string, { message: string }>)[0]?.message];
      };
      assert.deepEqual(await say({ resize: { flavorRef: '1' } }), [400, 'When resizing, instances must change flavor!']);
      assert.deepEqual(await say({ resize: { flavorRef: '77' } }), [400, 'Flavor 77 could not be found.']);
      assert.deepEqual(await say({ resize: { flavorRef: '2' } }), [403, 'Quota exceeded for cores: Requested 1, but already used 1 of 1 cores']);
      assert.deepEqual(await say({ confirmResize: null }), [409, `Cannot 'confirmResize' instance ${id} while it is in vm_state active`]);
      assert.deepEqual(await say({ revertResize: null }), [409, `Cannot 'revertResize' instance ${id} while it is in vm_state active`]);
    }));

  it('that finds no room leaves the server as it was, with the reason in its action', () =>
    inCloud({}, async (cloud) => {
      const id = await cloud.create(member());
      await cloud.ok(admin(), 'PUT', '/os-quota-sets/p1', { quota_set: { ram: -1 } });
      assert.equal(await act(cloud, id, { resize: { flavorRef: '9' } }, member()), 202);
      const server = await show(cloud, id);
      assert.deepEqual([server.status, server.flavor.original_name], ['ACTIVE', 'm1.tiny']);
      const { instanceActions } = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions`);
      assert.deepEqual([instanceActions[0].action, instanceActions[0].message], ['resize', 'Error']);
      assert.deepEqual(await claims(cloud), { [id]: { VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 } });
    }));

  it('of a server that is deleted meanwhile leaves nothing', () =>
    inCloud({}, async (cloud) => {
      const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
      await act(cloud, id, { resize: { flavorRef: '2' } }, member());
      await cloud.ok(member(), 'DELETE', `/servers/${id}`);
      await cloud.settle();
      assert.deepEqual([await disksOn(cloud, 'h1'), await disksOn(cloud, 'h2'), await claims(cloud)], [0, 0, {}]);
      assert.deepEqual(await usage(cloud), [0, 0, 0]);
    }));
});

describe('a cold migration', () => {
  it('takes another host, or the one that is named', () =>
    inCloud({ hosts: [{ name: 'h1' }, { name: 'h2' }, { name: 'h3' }] }, async (cloud) => {
      const id = await cloud.create(member());
      const from = host(await show(cloud, id)) as string;
      const to = ['h3', 'h2'].find((name) => name !== from) as string;
      const same = await cloud.request(admin(), 'POST', `/servers/${id}/action`, { migrate: { host: from } });
      assert.deepEqual([same.status, same.body.badRequest.message], [400, 'Cannot migrate to the host where the server exists.']);
      const nowhere = await cloud.request(admin(), 'POST', `/servers/${id}/action`, { migrate: { host: 'mars' } });
      assert.deepEqual([nowhere.status, nowhere.body.badRequest.message], [400, 'Compute host mars could not be found.']);
      assert.equal(await act(cloud, id, { migrate: { host: to } }), 202);
      const server = await show(cloud, id);
      assert.deepEqual([server.status, host(server), server.flavor.original_name], ['VERIFY_RESIZE', to, 'm1.tiny']);
      assert.equal((await migrations(cloud))[0]?.migration_type, 'migration');
      assert.equal(await act(cloud, id, { confirmResize: null }), 204);
      assert.equal(await act(cloud, id, { migrate: null }), 202);
      assert.notEqual(host(await show(cloud, id)), to);
    }));

  it('is not for members, nor for a server whose host is down', () =>
    inCloud({}, async (cloud) => {
      const id = await cloud.create(member());
      assert.equal(await act(cloud, id, { migrate: null }, member()), 403);
      const service = (await cloud.ok(admin(), 'GET', '/os-services?binary=nova-compute')).services.find(
        (one: { host: string }) => one.host === 'h1' || one.host === 'h2',
      );
      for (const one of (await cloud.ok(admin(), 'GET', '/os-services?binary=nova-compute')).services)
        await cloud.ok(admin(), 'PUT', `/os-services/${one.id}`, { forced_down: true });
      assert.ok(service);
      const { status, body } = await cloud.request(admin(), 'POST', `/servers/${id}/action`, { migrate: null });
      assert.deepEqual([status, body.conflictingRequest.message], [409, 'Service is unavailable at this time.']);
    }));
});

describe('an evacuation', () => {
  const down = async (cloud: TestCloud, name: string, forced: boolean): Promise<void> => {
    const { services } = await cloud.ok(admin(), 'GET', `/os-services?binary=nova-compute&host=${name}`);
    await cloud.ok(admin(), 'PUT', `/os-services/${services[0].id}`, { forced_down: forced });
  };

  it('builds the server anew elsewhere; what the lost host has is removed when it is back', () =>
    inCloud({}, async (cloud) => {
      const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
      const from = host(await show(cloud, id)) as string;
      const to = from === 'h1' ? 'h2' : 'h1';
      const early = await cloud.request(admin(), 'POST', `/servers/${id}/action`, { evacuate: {} });
      assert.deepEqual([early.status, early.body.badRequest.message], [400, `Compute service of ${from} is still in use.`]);
      const agent = cloud.agent(from);
      cloud.hosts.remove(from);
      await down(cloud, from, true);
      cloud.version = '2.94';
      assert.equal(await act(cloud, id, { evacuate: {} }), 200);
      const server = await show(cloud, id);
      assert.deepEqual([server.status, host(server)], ['ACTIVE', to]);
      assert.deepEqual([await disksOn(cloud, to), await guestsOn(cloud, to)], [1, ['running']]);
      assert.equal((await migrations(cloud))[0]?.status, 'done');
      assert.equal((await cloud.neutron.ports.all(cloud.store.read))[0]?.host, to);
      assert.deepEqual([await disksOn(cloud, from), await guestsOn(cloud, from)], [1, ['running']]);

      await down(cloud, from, false);
      cloud.hosts.add(agent);
      await cloud.until(async () => (await disksOn(cloud, from)) === 0 && (await migrations(cloud))[0]?.status === 'completed');
      assert.deepEqual(await guestsOn(cloud, from), []);
      assert.deepEqual(await claims(cloud), { [id]: { VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 } });
      assert.equal((await show(cloud, id)).status, 'ACTIVE');
    }));

  it('leaves the server down from 2.95 on, and in error where no host takes it', () =>
    inCloud({ hosts: [{ name: 'h1' }, { name: 'h2' }] }, async (cloud) => {
      const id = await cloud.create(member());
      const from = host(await show(cloud, id)) as string;
      cloud.hosts.remove(from);
      await down(cloud, from, true);
      assert.equal(await act(cloud, id, { evacuate: {} }), 200);
      const server = await show(cloud, id);
      assert.equal(server.status, 'SHUTOFF');
      const now = host(server) as string;
      cloud.hosts.remove(now);
      await down(cloud, now, true);
      assert.equal(await act(cloud, id, { evacuate: {} }), 200);
      const lost = await show(cloud, id);
      assert.equal(lost.status, 'ERROR');
      assert.match(lost.fault.message, /No valid host was found/);
      assert.equal(host(lost), now);
    }));
});

describe('a live migration', () => {
  const live = { 'os-migrateLive': { host: null, block_migration: 'auto' } };

  it('takes the running server to another host, and leaves nothing on the first', () =>
    inCloud({}, async (cloud) => {
      const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }], config_drive: true });
      const from = host(await show(cloud, id)) as string;
      const to = from === 'h1' ? 'h2' : 'h1';
      assert.equal(await act(cloud, id, live), 202);
      const server = await show(cloud, id);
      assert.deepEqual([server.status, host(server)], ['ACTIVE', to]);
      assert.deepEqual([await disksOn(cloud, from), await disksOn(cloud, to)], [0, 2]);
      assert.deepEqual([await guestsOn(cloud, from), await guestsOn(cloud, to)], [[], ['running']]);
      const [move] = await migrations(cloud);
      assert.deepEqual([move?.status, move?.migration_type], ['completed', 'live-migration']);
      assert.deepEqual(Object.keys(await claims(cloud)), [id]);
      assert.equal((await cloud.neutron.ports.all(cloud.store.read))[0]?.host, to);
      assert.deepEqual(
        [from, to].map(
          (name) => [...(cloud.world.machines.find((one) => one.host === name)?.fabric.keys() ?? [])].filter((key) => key.startsWith('port')).length,
        ),
        [0, 1],
      );
    }));

  it('shows how far it is, and can be aborted or made to end', () =>
    inCloud({ delays: { liveMs: 4_000 } }, async (cloud) => {
      const id = await cloud.create(member());
      const from = host(await show(cloud, id)) as string;
      const path = `/servers/${id}/migrations`;
      const running = async (): Promise<Record<string, unknown>> => {
        assert.equal((await cloud.request(admin(), 'POST', `/servers/${id}/action`, live)).status, 202);
        let found: Record<string, unknown> | undefined;
        await cloud.until(async () => {
          [found] = (await cloud.ok(admin(), 'GET', path)).migrations;
          return found?.status === 'running' && found.memory_total_bytes !== null;
        });
        return found as Record<string, unknown>;
      };
      const first = await running();
      assert.equal((await show(cloud, id)).status, 'MIGRATING');
      assert.equal(first.memory_total_bytes, 512 * 2 ** 20);
      assert.equal((await cloud.ok(admin(), 'GET', `${path}/${first.id}`)).migration.uuid, first.uuid);
      assert.equal((await cloud.request(admin(), 'DELETE', `${path}/${first.id}`)).status, 202);
      await cloud.settle();
      const back = await show(cloud, id);
      assert.deepEqual([back.status, host(back)], ['ACTIVE', from]);
      assert.equal((await migrations(cloud))[0]?.status, 'cancelled');
      assert.equal((await disksOn(cloud, 'h1')) + (await disksOn(cloud, 'h2')), 1);
      assert.equal((await cloud.request(admin(), 'GET', `${path}/${first.id}`)).status, 404);

      const second = await running();
      assert.equal((await cloud.request(admin(), 'POST', `${path}/${second.id}/action`, { force_complete: null })).status, 202);
      await cloud.settle();
      assert.notEqual(host(await show(cloud, id)), from);
      assert.equal((await cloud.request(admin(), 'DELETE', `${path}/${second.id}`)).status, 409);
    }));

  const inHurry = async (cloud: TestCloud): Promise<{ readonly id: string; readonly from: string; readonly path: string }> => {
    const id = await cloud.create(member());
    const from = host(await show(cloud, id)) as string;
    const path = `/servers/${id}/migrations`;
    assert.equal((await cloud.request(admin(), 'POST', `/servers/${id}/action`, live)).status, 202);
    await cloud.until(async () => (await cloud.ok(admin(), 'GET', path)).migrations[0]?.memory_total_bytes != null);
    const [found] = (await cloud.ok(admin(), 'GET', path)).migrations;
    assert.equal((await cloud.request(admin(), 'POST', `${path}/${found.id}/action`, { force_complete: null })).status, 202);
    return { id, from, path: `${path}/${found.id}` };
  };

  it('goes on by post-copy where that is allowed, and cannot be aborted any more', async () => {
    const calls: string[] = [];
    let hold = (): void => {};
    const held = new Promise<void>((resolve) => (hold = resolve));
    const fault: SimulatedFault = async ({ method, when }) => {
      if (method.endsWith('Live') && when === 'after') calls.push(method.slice('guests.'.length));
      if (method === 'guests.sendLive' && when === 'before') await held;
    };
    await inCloud({ delays: { liveMs: 600_000 }, options: { livePostCopy: true }, fault }, async (cloud) => {
      const { id, from, path } = await inHurry(cloud);
      await cloud.until(async () => calls.includes('finishLive'));
      assert.deepEqual(
        calls.filter((call) => call !== 'resumeLive'),
        ['receiveLive', 'switchLive', 'finishLive'],
        'it runs over there before all of its memory has come',
      );
      assert.equal((await migrations(cloud))[0]?.status, 'running (post-copy)');
      const refused = await cloud.request(admin(), 'DELETE', path);
      assert.deepEqual([refused.status, /is running \(post-copy\)\. Cannot abort live migration/.test(JSON.stringify(refused.body))], [400, true]);
      hold();
      await cloud.settle();
      const there = await show(cloud, id);
      assert.deepEqual([there.status, host(there) === from], ['ACTIVE', false]);
      assert.equal((await migrations(cloud))[0]?.status, 'completed');
    });
  });

  it('stands still in its hurry where post-copy is not allowed', async () => {
    const calls: string[] = [];
    const fault: SimulatedFault = ({ method, when }) => {
      if (method.endsWith('Live') && when === 'after') calls.push(method.slice('guests.'.length));
    };
    await inCloud({ delays: { liveMs: 600_000 }, fault }, async (cloud) => {
      const { id, from } = await inHurry(cloud);
      await cloud.settle();
      assert.notEqual(host(await show(cloud, id)), from);
      assert.deepEqual(
        calls.filter((call) => call !== 'resumeLive'),
        ['receiveLive', 'sendLive', 'finishLive'],
      );
    });
  });

  it('sends the rest of the memory when the hosts lost each other in the middle of post-copy', async () => {
    // it has stopped here and does not run there yet; the other host does not listen again; the way breaks once more
    const losses = ['guests.finishLive', 'guests.reopenLive', 'guests.sendLive'];
    const fault: SimulatedFault = ({ method, when }) => {
      if (when !== 'before' || method !== losses[0]) return;
      losses.shift();
      throw unavailable('The way to the other host broke.');
    };
    await inCloud({ delays: { liveMs: 600_000 }, options: { livePostCopy: true }, fault }, async (cloud) => {
      const { id, from } = await inHurry(cloud);
      await cloud.settle();
      const there = await show(cloud, id);
      assert.deepEqual([there.status, host(there) === from, losses], ['ACTIVE', false, []]);
      assert.deepEqual([await guestsOn(cloud, from), await guestsOn(cloud, host(there) as string)], [[], ['running']]);
    });
  });

  it('ends in error, where its disks are the newest, when the rest of its memory never comes', async () => {
    const fault: SimulatedFault = ({ method, when }) => {
      if (method === 'guests.sendLive' && when === 'before') throw unavailable('The way to the other host broke.');
    };
    await inCloud({ delays: { liveMs: 600_000 }, options: { livePostCopy: true, livePartedMs: 0 }, fault }, async (cloud) => {
      const { id, from } = await inHurry(cloud);
      await cloud.settle();
      const there = await show(cloud, id);
      assert.deepEqual([there.status, host(there) === from], ['ERROR', false]);
      assert.match(there.fault.message, /the rest of its memory could not follow/);
      assert.equal((await migrations(cloud))[0]?.status, 'error');
      assert.deepEqual([await guestsOn(cloud, from), await disksOn(cloud, from)], [[], 0]);
      assert.equal(await disksOn(cloud, host(there) as string), 1);
    });
  });

  it('is refused where it cannot be', () =>
    inCloud({ hosts: [{ name: 'h1' }] }, async (cloud) => {
      const id = await cloud.create(member());
      const say = async (body: object, version?: string): Promise<unknown[]> => {
        const { status, body: answer } = await cloud.request(admin(), 'POST', `/servers/${id}/action`, body, version);
        return [status, Object.values(answer as Record<string, { message: string }>)[0]?.message];
      };
      assert.deepEqual(await say({ 'os-migrateLive': { host: 'mars', block_migration: 'auto' } }), [400, 'Compute host mars could not be found.']);
      assert.deepEqual(await say({ 'os-migrateLive': { host: 'h1', block_migration: 'auto' } }), [
        400,
        `Unable to migrate instance (${id}) to current host (h1).`,
      ]);
      const [status, words] = await say({ 'os-migrateLive': { host: null, block_migration: 'auto' } }, '2.30');
      assert.equal(status, 400);
      assert.match(String(words), /No valid host was found/);
      assert.equal((await cloud.request(admin(), 'POST', `/servers/${id}/action`, live)).status, 202);
      await cloud.settle();
      assert.equal((await show(cloud, id)).status, 'ACTIVE');
      assert.equal((await migrations(cloud))[0]?.status, 'error');
    }));
});

describe('os-migrations', () => {
  it('pages newest first, filters, and keeps hosts from managers', () =>
    inCloud({}, async (cloud) => {
      const one = await cloud.create(member());
      const two = await cloud.create(member(), { name: 'two', imageRef: IMAGE });
      await act(cloud, one, { migrate: null });
      await act(cloud, two, { resize: { flavorRef: '2' } }, member());
      const all = await migrations(cloud);
      assert.deepEqual(
        all.map((row) => row.instance_uuid),
        [two, one],
      );
      const first = await cloud.ok(admin(), 'GET', '/os-migrations?limit=1');
      assert.equal(first.migrations.length, 1);
      const next = new URL(first.migrations_links[0].href, 'http://x');
      const second = await cloud.ok(admin(), 'GET', `/os-migrations${next.search}`);
      assert.deepEqual(
        second.migrations.map((row: { instance_uuid: string }) => row.instance_uuid),
        [one],
      );
      assert.deepEqual(
        (await migrations(cloud, '?migration_type=resize')).map((row) => row.instance_uuid),
        [two],
      );
      assert.deepEqual(await migrations(cloud, '?status=error'), []);
      assert.equal((await cloud.request(admin(), 'GET', '/os-migrations?marker=nothing')).status, 400);
      assert.equal((await cloud.request(member(), 'GET', '/os-migrations')).status, 403);
      const old = await cloud.ok(admin(), 'GET', '/os-migrations', undefined, '2.1');
      assert.deepEqual(Object.keys(old.migrations[0]).sort(), [
        'created_at',
        'dest_compute',
        'dest_host',
        'dest_node',
        'id',
        'instance_uuid',
        'new_instance_type_id',
        'old_instance_type_id',
        'source_compute',
        'source_node',
        'status',
        'updated_at',
      ]);
    }));
});

describe('volumes of other hosts', () => {
  const VOLUME = '88888888-8888-4888-8888-888888888881';
  const ROOT = '88888888-8888-4888-8888-888888888882';
  const served = async (cloud: TestCloud, name: string): Promise<readonly string[]> =>
    (await cloud.agent(name).disks.served()).flatMap(({ diskId, exportIds }) => exportIds.map((one) => `${diskId} to ${one.slice(one.indexOf('.') + 1)}`));
  const lose = (cloud: TestCloud, name: string): Promise<void> =>
    cloud.store.write(async (tx) => {
      await on<NovaTables>(tx).updateTable('nova_service').set({ forced_down: 1 }).where('host', '=', name).execute();
    });
  const booted = async (cloud: TestCloud): Promise<string> => {
    await cloud.cinder.addVolume({ id: ROOT, host: 'h2', bootable: true, projectId: admin().projectId ?? '' });
    return await cloud.create(admin(), {
      imageRef: '',
      networks: 'none',
      host: 'h1',
      block_device_mapping_v2: [{ source_type: 'volume', destination_type: 'volume', uuid: ROOT, boot_index: 0 }],
    });
  };

  it('a server boots from one, and goes live, cold, onto a shelf and back with it', () =>
    inCloud({ options: { resizeToSameHost: false, shelvedOffloadMs: 0 } }, async (cloud) => {
      const id = await booted(cloud);
      assert.deepEqual([host(await show(cloud, id)), await served(cloud, 'h2'), await disksOn(cloud, 'h1')], ['h1', [`${ROOT} to h1`], 0]);
      assert.equal(await act(cloud, id, { 'os-migrateLive': { host: null, block_migration: 'auto' } }), 202);
      assert.deepEqual([host(await show(cloud, id)), await served(cloud, 'h2'), await guestsOn(cloud, 'h1')], ['h2', [], []]);
      assert.equal(await act(cloud, id, { migrate: null }), 202);
      assert.deepEqual([host(await show(cloud, id)), await served(cloud, 'h2')], ['h1', [`${ROOT} to h1`]]);
      assert.equal(await act(cloud, id, { revertResize: null }), 202);
      assert.deepEqual([host(await show(cloud, id)), await served(cloud, 'h2'), await guestsOn(cloud, 'h2')], ['h2', [], ['running']]);
      assert.equal(await act(cloud, id, { 'os-migrateLive': { host: null, block_migration: 'auto' } }), 202);
      assert.equal(await act(cloud, id, { shelve: null }), 202);
      assert.deepEqual([(await show(cloud, id)).status, await served(cloud, 'h2')], ['SHELVED_OFFLOADED', []]);
      assert.equal(await act(cloud, id, { unshelve: null }), 202);
      const back = await show(cloud, id);
      assert.deepEqual([back.status, host(back), await served(cloud, 'h2')], ['ACTIVE', 'h2', []], 'it comes up where its volume is');
      await cloud.ok(admin(), 'DELETE', `/servers/${id}`);
      await cloud.settle();
      assert.deepEqual([await served(cloud, 'h2'), (await cloud.agent('h2').disks.served()).length], [[], 0]);
    }));

  it('of a lost host its servers are built anew with them, and the lost host has them no more', () =>
    inCloud({ hosts: [{ name: 'h1' }, { name: 'h2' }, { name: 'h3' }] }, async (cloud) => {
      const id = await booted(cloud);
      await lose(cloud, 'h1');
      assert.equal(await act(cloud, id, { evacuate: { host: 'h3' } }), 200);
      const now = await show(cloud, id);
      assert.deepEqual([now.status, host(now), await served(cloud, 'h2')], ['SHUTOFF', 'h3', [`${ROOT} to h3`]]);
    }));

  it('that were kept by the lost host itself are missed in words', () =>
    inCloud({}, async (cloud) => {
      const id = await cloud.create(admin(), { networks: 'none', host: 'h1' });
      await cloud.cinder.addVolume({ id: VOLUME, host: 'h1', projectId: admin().projectId ?? '' });
      await cloud.ok(admin(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUME } });
      await cloud.settle();
      await lose(cloud, 'h1');
      const away = cloud.hosts.get('h1');
      cloud.hosts.remove('h1');
      assert.equal(await act(cloud, id, { evacuate: {} }), 200);
      const now = await show(cloud, id);
      assert.deepEqual([now.status, host(now)], ['ERROR', 'h1']);
      assert.match(now.fault.message, /h1/);
      cloud.hosts.add(away);
    }));
});
