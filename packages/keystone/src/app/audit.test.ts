import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { StoredEvent } from '@cairn/kit/events/events';
import { ADMIN_PASSWORD, TestCloud } from '../testing/cloud.ts';
import { cadfId } from './audit.ts';

let cloud: TestCloud;
let admin: string;
before(async () => {
  cloud = await TestCloud.start({ keystone: { notificationOptOut: [] } });
  admin = await cloud.admin();
});
after(() => cloud.close());

/** The events that `work` writes. */
async function eventsOf(work: () => Promise<unknown>): Promise<readonly StoredEvent[]> {
  const { events, store } = cloud.world.env;
  const seen = await events.since(store.read, 0, 100_000);
  const from = seen.at(-1)?.seq ?? 0;
  await work();
  return await events.since(store.read, from, 1000);
}
type Record_ = Readonly<Record<string, unknown>>;
const payloadOf = (events: readonly StoredEvent[], type: string): Record_ => events.find((event) => event.type === type)?.payload as Record_;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000$/;
const HEX = /^[0-9a-f]{32}$/;

describe('a change', () => {
  test('is recorded with who made it, from where, and what it was made to', async () => {
    let userId = '';
    const events = await eventsOf(async () => {
      userId = (await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: 'audited', password: 'x' } }, { 'user-agent': 'a-client/1' })).body.user.id;
    });
    const { id, eventTime, initiator, observer, ...rest } = payloadOf(events, 'identity.user.created') as Record_ & { initiator: Record_; observer: Record_ };
    assert.match(String(id), HEX);
    assert.match(String(eventTime), TIME);
    assert.deepEqual(rest, {
      typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
      eventType: 'activity',
      action: 'created.user',
      outcome: 'success',
      target: { typeURI: 'data/security/account/user', id: userId },
      resource_info: userId,
    });
    assert.equal(observer.typeURI, 'service/security');
    assert.match(String(observer.id), HEX);
    assert.deepEqual(initiator, {
      typeURI: 'service/security/account/user',
      id: cadfId(cloud.ids.adminUserId),
      host: { address: '127.0.0.1', agent: 'a-client/1' },
      user_id: cloud.ids.adminUserId,
      project_id: cloud.ids.adminProjectId,
      request_id: initiator.request_id,
      username: 'admin',
      name: 'admin',
    });
    assert.match(String(initiator.request_id), /^req-/);
  });

  test('of every kind of resource has its place in the taxonomy', async () => {
    const events = await eventsOf(async () => {
      const { userId, projectId } = await cloud.person(admin, 'audited-person');
      await cloud.expect(201, admin, 'POST', '/v3/credentials', { credential: { type: 'x', blob: 'y', user_id: userId } });
      await cloud.expect(200, admin, 'PATCH', `/v3/projects/${projectId}`, { project: { description: 'z' } });
      const { id } = (await cloud.expect(201, admin, 'POST', '/v3/OS-OAUTH1/consumers', { consumer: {} })).body.consumer;
      await cloud.expect(204, admin, 'DELETE', `/v3/OS-OAUTH1/consumers/${id}`);
    });
    const kinds = events
      .filter((event) => event.type !== 'identity.authenticate')
      .map((event) => [event.type, (event.payload as { target: Record_ }).target.typeURI]);
    assert.deepEqual(kinds, [
      ['identity.project.created', 'data/security/project'],
      ['identity.user.created', 'data/security/account/user'],
      ['identity.role_assignment.created', 'service/security/account/user'],
      ['identity.credential.created', 'unknown'],
      ['identity.project.updated', 'data/security/project'],
      ['identity.OS-OAUTH1:consumer.created', 'data/security/account'],
      ['identity.OS-OAUTH1:consumer.deleted', 'data/security/account'],
    ]);
    const grant = payloadOf(events, 'identity.role_assignment.created');
    assert.equal(grant.role, cloud.ids.roleIds.member);
    assert.equal(grant.inherited_to_projects, false);
    assert.ok(grant.user && grant.project);
  });

  test('that fails is not recorded', async () => {
    assert.deepEqual(await eventsOf(() => cloud.call(admin, 'POST', '/v3/users', { user: { name: 'audited' } })), []);
  });
});

describe('a login', () => {
  const admins = { name: 'admin', domain: { id: 'default' } };

  test('that succeeds', async () => {
    const events = await eventsOf(() => cloud.login({ ...admins, password: ADMIN_PASSWORD }));
    const record = payloadOf(events, 'identity.authenticate') as Record_ & { initiator: Record_ };
    assert.deepEqual([record.action, record.outcome, record.reason], ['authenticate', 'success', undefined]);
    assert.deepEqual([record.initiator.user_id, record.initiator.name], [cloud.ids.adminUserId, 'admin']);
    assert.equal((record.initiator.host as Record_).address, '127.0.0.1');
  });

  test('with a wrong password, and of nobody: the secret is in no record', async () => {
    const wrong = await eventsOf(() => cloud.login({ ...admins, password: 'guess-1' }));
    const ofAdmin = payloadOf(wrong, 'identity.authenticate') as Record_ & { initiator: Record_ };
    assert.deepEqual([ofAdmin.outcome, ofAdmin.initiator.user_id, ofAdmin.reason], ['failure', cloud.ids.adminUserId, undefined]);
    const nobody = await eventsOf(() => cloud.login({ name: 'nobody', domain: { name: 'Default' }, password: 'guess-2' }));
    const ofNobody = payloadOf(nobody, 'identity.authenticate') as Record_ & { initiator: Record_ };
    assert.deepEqual(ofNobody.reason, { reasonCode: '404', reasonType: 'Could not find user: nobody.' });
    assert.deepEqual([ofNobody.initiator.name, ofNobody.initiator.domain_id], ['nobody', 'default']);
    assert.ok(!JSON.stringify([...wrong, ...nobody]).includes('guess'));
  });

  test('by default only failures are recorded', async () => {
    const plain = await TestCloud.start();
    try {
      await plain.admin();
      await plain.login({ ...admins, password: 'wrong' });
      const { events, store } = plain.world.env;
      const outcomes = (await events.since(store.read, 0, 1000))
        .filter((event) => event.type === 'identity.authenticate')
        .map((event) => (event.payload as { outcome: string }).outcome);
      assert.deepEqual(outcomes, ['failure']);
    } finally {
      await plain.close();
    }
  });
});

test('an id that is no UUID gets one of version 5', () => {
  // uuid.uuid5(uuid.UUID('4332ecab-770b-4288-a680-b9aca3b1b153'), 'default').hex
  assert.equal(cadfId('default'), '0f9f541ff7c25fc79c390b74de3c7653');
  assert.equal(cadfId('0123456789ABCDEF0123456789abcdef'), '0123456789abcdef0123456789abcdef');
});
