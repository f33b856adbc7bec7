import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { admin, IMAGE, member, TestCloud, TestWorld } from '../testing/cloud.ts';

const QUICK = '33333333-3333-4333-8333-333333333333';
const ODD = '44444444-4444-4444-8444-444444444444';
let cloud: TestCloud;

before(async () => {
  cloud = await TestCloud.open({ hosts: [{ name: 'h1' }] });
  await cloud.glance.addImage({ id: QUICK, name: 'quick', properties: { cairn_fast_start: 'true' } });
  await cloud.glance.addImage({ id: ODD, name: 'odd', properties: { cairn_fast_start: 'perhaps' } });
});
after(() => cloud.close());
beforeEach(() => {
  for (const agent of cloud.agents.values()) agent.templates.refuse = () => undefined;
});

const guestOf = (id: string) => [...cloud.agents.values()].map((agent) => agent.machine.guests.get(id)).find((guest) => guest !== undefined);
const templates = () => [...cloud.agents.values()].flatMap((agent) => [...agent.machine.templates.values()]);
const eventsOf = async (id: string) => {
  const { instanceActions } = await cloud.ok(admin(), 'GET', `/servers/${id}/os-instance-actions`);
  const { instanceAction } = await cloud.ok(admin(), 'GET', `/servers/${id}/os-instance-actions/${instanceActions.at(-1).request_id}`, undefined, '2.84');
  return (instanceAction.events as { event: string; result: string; details: string | null }[]).filter(({ event }) => event === 'compute_fast_start');
};

test('servers of an image that asks for it start from one template, and say so', async () => {
  const ids = [await cloud.create(member(), { imageRef: QUICK }), await cloud.create(member(), { imageRef: QUICK })];
  assert.equal(templates().length, 1);
  for (const id of ids) {
    assert.equal((await cloud.ok(member(), 'GET', `/servers/${id}`)).server.status, 'ACTIVE');
    assert.equal(guestOf(id)?.templateId, templates()[0]?.templateId);
    assert.deepEqual(
      (await eventsOf(id)).map(({ result, details }) => [result, details]),
      [
        ['Success', null],
        ['Success', null],
      ],
    );
  }
  // a hard reboot boots
  await cloud.ok(member(), 'POST', `/servers/${ids[0]}/action`, { reboot: { type: 'HARD' } });
  await cloud.settle();
  assert.equal(guestOf(ids[0] as string)?.templateId, undefined);
  for (const id of ids) await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
});

test('a flavor may ask for it, and decides where image and flavor differ', async () => {
  const flavor = async (id: string, value: string): Promise<string> => {
    await cloud.ok(admin(), 'POST', '/flavors', { flavor: { id, name: `f${id}`, ram: 128, vcpus: 1, disk: 1 } });
    await cloud.ok(admin(), 'POST', `/flavors/${id}/os-extra_specs`, { extra_specs: { 'cairn:fast_start': value } });
    return id;
  };
  const quick = await cloud.create(member(), { imageRef: IMAGE, flavorRef: await flavor('fast', 'true') });
  assert.notEqual(guestOf(quick)?.templateId, undefined);
  const plain = await cloud.create(member(), { imageRef: QUICK, flavorRef: await flavor('slow', 'False') });
  assert.equal(guestOf(plain)?.templateId, undefined);
  assert.deepEqual(await eventsOf(plain), []);
  const refused = await cloud.request(admin(), 'POST', '/flavors/fast/os-extra_specs', { extra_specs: { 'cairn:fast_start': 'maybe' } }, '2.86');
  assert.equal(refused.status, 400);
  const unknown = await cloud.request(admin(), 'POST', '/flavors/fast/os-extra_specs', { extra_specs: { 'cairn:quick': 'true' } }, '2.86');
  assert.equal(unknown.status, 400);
});

test('a server with a TPM or a place on NUMA nodes boots, and says why', async () => {
  const specs: readonly Record<string, string>[] = [{ 'hw:tpm_version': '2.0' }, { 'hw:numa_nodes': '1' }];
  for (const [at, extraSpecs] of specs.entries()) {
    await cloud.ok(admin(), 'POST', '/flavors', { flavor: { id: `own${at}`, name: `own${at}`, ram: 128, vcpus: 1, disk: 1 } });
    await cloud.ok(admin(), 'POST', `/flavors/own${at}/os-extra_specs`, { extra_specs: extraSpecs });
    const id = await cloud.create(member(), { imageRef: QUICK, flavorRef: `own${at}` });
    assert.equal((await cloud.ok(member(), 'GET', `/servers/${id}`)).server.status, 'ACTIVE');
    assert.equal(guestOf(id)?.templateId, undefined);
    assert.match((await eventsOf(id))[0]?.details ?? '', /virtual TPM/);
  }
});

test('an image with a value that says neither yes nor no is refused', async () => {
  const { status, body } = await cloud.request(member(), 'POST', '/servers', { server: { name: 'x', imageRef: ODD, flavorRef: '1', networks: 'auto' } });
  assert.equal(status, 400);
  assert.match(body.badRequest.message, /cairn_fast_start: 'perhaps'/);
});

test('where no template can be made the server boots, and its action says why', async () => {
  for (const agent of cloud.agents.values()) agent.templates.refuse = () => 'the image cannot be kept';
  const id = await cloud.create(member(), { imageRef: QUICK });
  const { server } = await cloud.ok(member(), 'GET', `/servers/${id}`);
  assert.equal(server.status, 'ACTIVE');
  assert.equal(guestOf(id)?.templateId, undefined);
  assert.deepEqual(
    (await eventsOf(id)).map(({ result, details }) => [result, details]),
    [['Error', 'the image cannot be kept']],
  );
});

test('a template that goes between disk and start leaves a server that boots', async () => {
  const world = await TestWorld.open();
  const other = await TestCloud.boot(
    world,
    {
      fault: ({ method, when }) => {
        if (method !== 'guests.start' || when !== 'before') return;
        for (const machine of world.machines) machine.templates.clear();
      },
    },
    {},
  );
  try {
    await other.glance.addImage({ id: QUICK, name: 'quick', properties: { cairn_fast_start: 'yes' } });
    const id = await other.create(member(), { imageRef: QUICK });
    assert.equal((await other.ok(member(), 'GET', `/servers/${id}`)).server.status, 'ACTIVE');
    assert.equal(world.machines.flatMap((machine) => [...machine.guests.values()]).find((guest) => guest.spec.guestId === id)?.templateId, undefined);
  } finally {
    await other.close();
  }
});

test('templates go with their image', async () => {
  await cloud.create(member(), { imageRef: QUICK });
  assert.ok(templates().some((template) => template.imageId === QUICK));
  await cloud.store.write((tx) => cloud.outbox.emit(tx, { type: 'image.delete', resource: 'image', resourceId: QUICK, payload: {} }));
  await cloud.until(() => templates().every((template) => template.imageId !== QUICK));
});
