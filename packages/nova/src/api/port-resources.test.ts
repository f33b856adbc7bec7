import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { NetworkProvider, ResourceRequest } from '@cairn/neutron/face';
import { createFace } from '@cairn/placement/app/face';
import { systemClock } from '@cairn/kit/clock/clock';
import { admin, IMAGE, NETWORK, TestCloud } from '../testing/cloud.ts';

const EGRESS = 'NET_BW_EGR_KILOBIT_PER_SEC';
const INGRESS = 'NET_BW_IGR_KILOBIT_PER_SEC';
const PACKETS = 'NET_PACKET_RATE_KILOPACKET_PER_SEC';
const VNIC = 'CUSTOM_VNIC_TYPE_NORMAL';
const PHYSNET = 'CUSTOM_PHYSNET_PUBLIC';

/** Two cards of 1000 kbit/s in each direction, and 100 000 packets per second. */
const network = (host: string): readonly NetworkProvider[] => [
  { id: idOf(host, 'agent'), name: `${host}:agent`, parentId: undefined, inventories: { [PACKETS]: { total: 100 } }, traits: [VNIC] },
  ...['a', 'b'].map((card) => ({
    id: idOf(host, card),
    name: `${host}:agent:${card}`,
    parentId: idOf(host, 'agent'),
    inventories: { [EGRESS]: { total: 1_000 }, [INGRESS]: { total: 1_000 } },
    traits: [VNIC, PHYSNET],
  })),
];
const idOf = (host: string, what: string): string => `00000000-0000-4000-8000-${Buffer.from(`${host}${what}`.padEnd(6, '_').slice(0, 6)).toString('hex')}`;
const nic = (host: string): readonly string[] => [idOf(host, 'a'), idOf(host, 'b')];

let cloud: TestCloud;
const placement = createFace(systemClock);
let made = 0;
before(async () => {
  cloud = await TestCloud.open({ network });
});
beforeEach(() => cloud.neutron.asking.clear());
after(() => cloud.close());

/** A port that asks for so much outgoing bandwidth, and packets. */
async function asking(egress: number, packets = 0): Promise<{ readonly id: string; readonly group: string; readonly packets: string }> {
  made += 1;
  const uuid = (kind: string): string => `${kind}0000000-0000-4000-8000-${String(made).padStart(12, '0')}`;
  const [id, group, second] = [uuid('a'), uuid('b'), uuid('c')];
  await cloud.neutron.addPort(id, NETWORK, 'p1');
  const request: ResourceRequest = {
    request_groups: [
      { id: group, required: [PHYSNET, VNIC], resources: { [EGRESS]: egress } },
      ...(packets === 0 ? [] : [{ id: second, required: [VNIC], resources: { [PACKETS]: packets } }]),
    ],
    same_subtree: packets === 0 ? [group] : [group, second],
  };
  cloud.neutron.asking.set(id, request);
  return { id, group, packets: second };
}
const boot = async (ports: readonly { readonly id: string }[], more: object = {}, version = '2.72') =>
  await cloud.request(admin(), 'POST', '/servers', body(ports, more), version);
const body = (ports: readonly { readonly id: string }[], more: object) => ({
  server: { name: 's', flavorRef: '1', imageRef: IMAGE, networks: ports.map(({ id }) => ({ port: id })), ...more },
});
async function server(ports: readonly { readonly id: string }[], more: object = {}): Promise<string> {
  const answer = await boot(ports, more, '2.74');
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  await cloud.settle();
  return answer.body.server.id as string;
}
const show = async (id: string) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server;
const act = async (id: string, action: object) => {
  const answer = await cloud.request(admin(), 'POST', `/servers/${id}/action`, action);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  await cloud.settle();
};
/** What a consumer has of the network, by provider. */
const held = async (consumer: string): Promise<Record<string, object>> =>
  Object.fromEntries(Object.entries(await placement.allocationsOf(cloud.store.read, consumer)).filter(([id]) => id.startsWith('00000000-')));
const profile = async (portId: string) => (await cloud.neutron.ports.find(cloud.store.read, portId))?.allocation;
const usedOn = async (host: string): Promise<number> =>
  (await Promise.all(nic(host).map((card) => placement.usageOf(cloud.store.read, card)))).reduce((sum, use) => sum + (use[EGRESS] ?? 0), 0);
const gone = async (id: string) => {
  await cloud.ok(admin(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
};

test('a server is put where its ports have their bandwidth, and deleting it gives that back', async () => {
  const [one, two] = [await asking(700, 40), await asking(600)];
  const id = await server([one, two]);
  const { host, status } = await show(id).then((shown) => ({ host: shown['OS-EXT-SRV-ATTR:host'] as string, status: shown.status }));
  assert.equal(status, 'ACTIVE');
  const [first, second] = [await profile(one.id), await profile(two.id)];
  assert.ok(nic(host).includes(first?.[one.group] ?? '') && nic(host).includes(second?.[two.group] ?? ''), 'each has a card of the host');
  assert.notEqual(first?.[one.group], second?.[two.group], 'one card does not carry both');
  assert.equal(first?.[one.packets], idOf(host, 'agent'));
  assert.deepEqual(await held(id), {
    [first?.[one.group] as string]: { [EGRESS]: 700 },
    [second?.[two.group] as string]: { [EGRESS]: 600 },
    [idOf(host, 'agent')]: { [PACKETS]: 40 },
  });
  await gone(id);
  assert.deepEqual([await held(id), await profile(one.id)], [{}, undefined]);
});

test('where no network has room, the fault says what was asked and what there is', async () => {
  const port = await asking(1_200);
  const shown = await show(await server([port]));
  assert.equal(shown.status, 'ERROR');
  assert.match(shown.fault.message, /^No valid host was found\..*needs 1200 kbit\/s of outgoing bandwidth, best host has 1000 free/);
  const many = await Promise.all([600, 600, 600].map((amount) => asking(amount)));
  const crowded = await show(await server(many));
  assert.match(crowded.fault.message, /No valid host was found\..*bandwidth/);
});

test('ports that ask for something come with 2.72', async () => {
  const port = await asking(100);
  const answer = await boot([port], {}, '2.71');
  assert.deepEqual(
    [answer.status, answer.body.badRequest?.message],
    [400, 'Creating servers with ports having resource requests, like a port with a QoS minimum bandwidth policy, is not supported until microversion 2.72.'],
  );
});

test('a move claims at its destination, and a revert brings back what was', async () => {
  const port = await asking(500);
  const id = await server([port]);
  const host = (await show(id))['OS-EXT-SRV-ATTR:host'] as string;
  const before = await held(id);
  const there = (await profile(port.id)) as object;
  await act(id, { migrate: null });
  const moved = (await show(id))['OS-EXT-SRV-ATTR:host'] as string;
  assert.notEqual(moved, host);
  assert.ok(nic(moved).includes(((await profile(port.id)) ?? {})[port.group] ?? ''));
  assert.ok(Object.keys(await held(id)).every((provider) => nic(moved).includes(provider)));
  await act(id, { revertResize: null });
  assert.deepEqual([await held(id), await profile(port.id)], [before, there]);

  await act(id, { resize: { flavorRef: '2' } });
  const at = (await show(id))['OS-EXT-SRV-ATTR:host'] as string;
  await act(id, { confirmResize: null });
  assert.ok(nic(at).includes(((await profile(port.id)) ?? {})[port.group] ?? ''));
  assert.deepEqual(Object.values(await held(id)), [{ [EGRESS]: 500 }]);
  for (const other of ['h1', 'h2']) assert.equal(await usedOn(other), other === at ? 500 : 0, 'the old claim is gone');
  await act(id, { shelve: null });
  assert.deepEqual([await held(id), await profile(port.id)], [{}, undefined]);
  await act(id, { unshelve: null });
  assert.deepEqual(Object.values(await held(id)), [{ [EGRESS]: 500 }]);
  await gone(id);
});

test('a live migration and an evacuation take the room along', async () => {
  const port = await asking(500);
  const id = await server([port]);
  const hostOf = async (): Promise<string> => (await show(id))['OS-EXT-SRV-ATTR:host'];
  const from = await hostOf();
  await act(id, { 'os-migrateLive': { host: null, block_migration: 'auto' } });
  const to = await hostOf();
  assert.notEqual(to, from);
  const isOnly = async (host: string): Promise<void> => {
    assert.deepEqual(await held(id), { [(await profile(port.id))?.[port.group] as string]: { [EGRESS]: 500 } });
    assert.ok(nic(host).includes((await profile(port.id))?.[port.group] ?? ''));
  };
  await isOnly(to);
  assert.equal(await usedOn(from), 0);

  const agent = cloud.agent(to);
  const { services } = await cloud.ok(admin(), 'GET', `/os-services?binary=nova-compute&host=${to}`);
  const force = (down: boolean) => cloud.ok(admin(), 'PUT', `/os-services/${services[0].id}`, { forced_down: down });
  cloud.hosts.remove(to);
  await force(true);
  await act(id, { evacuate: {} });
  assert.equal(await hostOf(), from);
  assert.equal(Object.keys(await held(id)).length, 2, 'the lost host still has the server, too');
  await force(false);
  cloud.hosts.add(agent);
  await cloud.until(async () => Object.keys(await held(id)).length === 1, 60_000);
  await isOnly(from);
  assert.equal(await usedOn(to), 0);
  await gone(id);
});

test('an interface that is attached claims on the host, one that is detached gives it back', async () => {
  const id = await server([await asking(300)]);
  const [fits, tooMuch] = [await asking(400), await asking(1_100)];
  const attach = (portId: string) => cloud.request(admin(), 'POST', `/servers/${id}/os-interface`, { interfaceAttachment: { port_id: portId } });
  const sum = async (): Promise<number> =>
    Object.values(await held(id)).reduce((all, resources) => all + ((resources as Record<string, number>)[EGRESS] ?? 0), 0);
  assert.equal((await attach(fits.id)).status, 200);
  assert.deepEqual([await sum(), Object.keys((await profile(fits.id)) ?? {})], [700, [fits.group]]);
  const refused = await attach(tooMuch.id);
  assert.deepEqual([refused.status, refused.body.badRequest?.message], [400, `Failed to allocate additional resources to ${id} during interface attach`]);
  assert.equal(await sum(), 700);
  await cloud.ok(admin(), 'DELETE', `/servers/${id}/os-interface/${fits.id}`);
  await cloud.settle();
  assert.equal(await sum(), 300);
  await gone(id);
});

test('a port that is deleted under its server leaves the guest, and what it held is free', async () => {
  const [stays, goes] = [await asking(300), await asking(400)];
  const id = await server([stays, goes]);
  const cards = async () =>
    ['h1', 'h2'].flatMap(
      (host) =>
        cloud
          .agent(host)
          .machine.guests.get(id)
          ?.spec.nics.map((nic) => nic.portId) ?? [],
    );
  assert.deepEqual(await cards(), [stays.id, goes.id]);
  await cloud.store.write(async (tx) => {
    await cloud.neutron.ports.remove(tx, goes.id);
    await cloud.outbox.emit(tx, { type: 'port.delete.end', resource: 'port', resourceId: goes.id, payload: { port_id: goes.id } });
  });
  await cloud.until(async () => Object.values(await held(id)).reduce((sum, each) => sum + ((each as Record<string, number>)[EGRESS] ?? 0), 0) === 300);
  await cloud.until(async () => (await cards()).join() === stays.id);
  const { interfaceAttachments } = await cloud.ok(admin(), 'GET', `/servers/${id}/os-interface`);
  assert.deepEqual(
    interfaceAttachments.map((each: { port_id: string }) => each.port_id),
    [stays.id],
  );
  // a foreign neutron's word, of a port that is there, takes nothing away
  const event = { name: 'network-vif-deleted', server_uuid: id, tag: stays.id };
  assert.equal((await cloud.ok(admin(), 'POST', '/os-server-external-events', { events: [event] })).events[0].code, 200);
  await cloud.settle();
  assert.deepEqual(await cards(), [stays.id]);
  await gone(id);
});

test('a host that is forgotten takes the providers of its network along', async () => {
  await cloud.store.write(async (tx) => {
    await placement.ensureProvider(tx, { id: idOf('hx', 'root'), name: 'hx', inventories: {}, traits: [] });
    await placement.ensureProvider(tx, {
      id: idOf('hx', 'kid'),
      name: 'hx:kid',
      parentId: idOf('hx', 'root'),
      inventories: { [EGRESS]: { total: 9_999 } },
      traits: [],
    });
    await placement.removeProvider(tx, idOf('hx', 'root'));
  });
  const ask = { groups: [{ id: 'g', resources: { [EGRESS]: 5_000 }, required: [] }], sameSubtrees: [] };
  assert.equal((await placement.placeGroups(cloud.store.read, [idOf('hx', 'root')], ask)).size, 0);
});
