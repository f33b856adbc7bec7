import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { conflict } from '@cairn/kit/errors/errors';
import { admin, member, TestCloud } from '../testing/cloud.ts';

const uuid = (n: number): string => `${n}${n}${n}${n}${n}${n}${n}${n}-0000-4000-8000-000000000000`;
const [OLD, NEW, SMALL, BIG, SHARED, MISSING, MOVING] = [1, 2, 3, 4, 5, 6, 7].map(uuid) as [string, string, string, string, string, string, string];

let cloud: TestCloud;
let id = '';
/** What the host is asked for and what is to go wrong then. */
let fault: ((method: string, when: 'before' | 'after') => void) | undefined;

before(async () => {
  cloud = await TestCloud.open({ hosts: [{ name: 'h1' }], fault: async ({ method, when }) => fault?.(method, when) });
  id = await cloud.create(member());
  for (const [volume, more] of [
    [OLD, { sizeGb: 2 }],
    [NEW, { sizeGb: 2 }],
    [SMALL, { sizeGb: 1 }],
    [BIG, { sizeGb: 5 }],
    [SHARED, { sizeGb: 2, multiattach: true }],
    [MOVING, { sizeGb: 2, migrationStatus: 'migrating' }],
  ] as const)
    await cloud.cinder.addVolume({ id: volume, ...more });
  await cloud.ok(member(), 'POST', path(), { volumeAttachment: { volumeId: OLD, tag: 'data', delete_on_termination: true } });
  await cloud.settle();
});
after(() => cloud.close());

const path = (volumeId?: string): string => `/servers/${id}/os-volume_attachments${volumeId === undefined ? '' : `/${volumeId}`}`;
const swap = (from: string, to: string, ctx = admin(), more: object = {}, version?: string) =>
  cloud.request(ctx, 'PUT', path(from), { volumeAttachment: { volumeId: to, ...more } }, version);
const attached = async (): Promise<{ readonly volumeId: string }[]> => (await cloud.ok(member(), 'GET', path())).volumeAttachments;
const state = async (volumeId: string): Promise<string | undefined> => (await cloud.cinder.volumes.find(cloud.store.read, volumeId))?.status;
const guestDisks = (): readonly unknown[] | undefined =>
  cloud.world.machines
    .map((machine) => machine.guests.get(id))
    .find((guest) => guest !== undefined)
    ?.spec.disks.map(({ device, serial }) => [device, serial]);
const lastAction = async () => (await cloud.ok(admin(), 'GET', `/servers/${id}/os-instance-actions`)).instanceActions[0];

test('a swap that cannot be is refused, and nothing has changed', async () => {
  const answers: unknown[] = [];
  const refused = async (from: string, to: string, ctx = admin(), version?: string): Promise<void> => {
    const { status, body } = await swap(from, to, ctx, {}, version);
    answers.push([status, Object.values(body as Record<string, { message: string }>)[0]?.message.replaceAll(id, 'SERVER')]);
  };
  await refused(OLD, NEW, member());
  await refused(MISSING, NEW, admin(), '2.84');
  await refused(OLD, MISSING);
  await refused(OLD, OLD, admin(), '2.84');
  await refused(OLD, SMALL);
  await refused(OLD, BIG);
  await refused(OLD, SHARED);
  await refused(OLD, MOVING);
  await refused(NEW, OLD, admin(), '2.84');
  assert.deepEqual(answers, [
    [403, "Policy doesn't allow os_compute_api:os-volumes-attachments:swap to be performed."],
    [404, `Volume ${MISSING} could not be found.`],
    [400, `Volume ${MISSING} could not be found.`],
    [400, 'Invalid volume: New volume must be detached in order to swap.'],
    [400, 'Invalid volume: New volume must be the same size or larger.'],
    [400, 'Invalid volume: New volume must be the same size: it has 5 GiB, and the old one 2 GiB. Extend the old one before.'],
    [400, 'Invalid volume: Volumes that several servers may have at once (multiattach) cannot be swapped.'],
    [409, `Volume ${MOVING} is being migrated: swap it when its migration has ended.`],
    [400, 'Invalid volume: Old volume is attached to a different instance.'],
  ]);
  assert.deepEqual([await state(OLD), await state(NEW)], ['in-use', 'available']);
});

test('the guest copies one volume to another and has that from then on', async () => {
  const [before] = await attached();
  const disk = cloud.world.machines[0]?.disks.get(OLD);
  assert.ok(disk);
  disk.content = 'written';
  let during: unknown;
  fault = (method, when) => {
    if (method === 'guests.swapDisk' && when === 'after') during = cloud.world.machines[0]?.disks.get(NEW)?.content;
  };
  assert.equal((await swap(OLD, NEW, admin(), { delete_on_termination: false })).status, 202);
  assert.deepEqual(await Promise.all([state(OLD), state(NEW)]), ['detaching', 'reserved'], 'both are spoken for at once');
  await cloud.settle();
  fault = undefined;
  assert.equal(during, 'written');
  assert.deepEqual([await state(OLD), await state(NEW)], ['available', 'in-use']);
  const [{ attachment_id: oldAttachment, ...same }, [now]] = [before as unknown as Record<string, unknown>, await attached()];
  const { attachment_id: attachment, ...rest } = now as unknown as Record<string, unknown>;
  assert.deepEqual(rest, { ...same, volumeId: NEW, delete_on_termination: false });
  assert.notEqual(attachment, oldAttachment);
  assert.deepEqual(
    (await cloud.cinder.attachments.all(cloud.store.read)).map((one) => [one.id, one.volumeId, one.status, one.device]),
    [[attachment, NEW, 'attached', '/dev/vdb']],
  );
  assert.deepEqual(guestDisks(), [
    ['vda', undefined],
    ['vdb', NEW],
  ]);
  const { action, message } = await lastAction();
  assert.deepEqual([action, message], ['swap_volume', null]);
});

test('a copy that fails leaves the old volume with the server and the new one free', async () => {
  let failures = 0;
  fault = (method, when) => {
    if (method === 'guests.swapDisk' && when === 'before' && failures++ === 0) throw conflict('the disk cannot be moved');
  };
  assert.equal((await swap(NEW, OLD)).status, 202);
  await cloud.settle();
  fault = undefined;
  assert.equal(failures, 2, 'tried, and made sure that the guest has what it had');
  assert.deepEqual([await state(NEW), await state(OLD), (await attached())[0]?.volumeId], ['in-use', 'available', NEW]);
  assert.deepEqual((await lastAction()).message, 'Error');
});

test('a server whose guest is off has nobody who copies', async () => {
  await cloud.ok(member(), 'POST', `/servers/${id}/action`, { 'os-stop': null });
  await cloud.settle();
  const { status, body } = await swap(NEW, OLD);
  assert.deepEqual([status, body.conflictingRequest?.message], [409, `Cannot 'swap_volume' instance ${id} while it is in vm_state stopped`]);
});
