import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SecurityLogRecord } from '@cairn/host/interface/fabric';
import { testContext, type TestAnswer } from '@cairn/kit/testing/world';
import { logKeeper } from '../app/log-keeper.ts';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

const LOGS = '/log/logs';

describe('logs of security groups', () => {
  let world: NetworkWorld;
  let group: Body;
  let port: Body;
  let other: Body;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
    world.front.as('manager', testContext({ roles: ['manager', 'member', 'reader'] }));
    const { network } = await world.network();
    group = await world.create('member', 'security_group', { name: 'web' });
    port = await world.create('member', 'port', { network_id: network.id, security_groups: [group.id] });
    other = await world.create('member', 'port', { network_id: network.id });
  });
  after(() => world.close());

  const make = (values: Body = {}, status = 201, who = 'manager'): Promise<Body> =>
    world.expect(status, who, 'POST', LOGS, { log: { resource_type: 'security_group', ...values } });
  const logsOf = async (id: string): Promise<Body> => (await world.onHost('port', id)).logs;
  const drop = (id: string): Promise<Body> => world.expect(204, 'manager', 'DELETE', `${LOGS}/${id}`);

  it('are made, shown, changed and deleted by managers', async () => {
    const { log } = await make({ name: 'all of it', description: 'text' });
    assert.deepEqual(log, {
      id: log.id,
      name: 'all of it',
      description: 'text',
      project_id: port.project_id,
      tenant_id: port.project_id,
      created_at: log.created_at,
      updated_at: log.updated_at,
      revision_number: 0,
      resource_type: 'security_group',
      resource_id: null,
      target_id: null,
      event: 'ALL',
      enabled: true,
    });
    assert.deepEqual((await world.expect(200, 'manager', 'GET', `${LOGS}?event=ALL`)).logs, [log]);
    assert.deepEqual((await world.expect(200, 'manager', 'GET', `${LOGS}?enabled=false`)).logs, []);
    assert.deepEqual((await world.expect(200, 'member', 'GET', LOGS)).logs, []);
    await make({}, 403, 'member');
    const changed = await world.expect(200, 'manager', 'PUT', `${LOGS}/${log.id}`, { log: { name: 'less', enabled: false } });
    assert.deepEqual([changed.log.name, changed.log.enabled, changed.log.revision_number], ['less', false, 1]);
    await world.expect(400, 'manager', 'PUT', `${LOGS}/${log.id}`, { log: { event: 'DROP' } });
    await drop(log.id);
    const { NeutronError: error } = await world.expect(404, 'manager', 'GET', `${LOGS}/${log.id}`);
    assert.deepEqual([error.type, error.message], ['LogResourceNotFound', `Log resource ${log.id} could not be found.`]);
    assert.deepEqual((await world.expect(200, 'admin', 'GET', '/log/loggable-resources')).loggable_resources, [{ type: 'security_group' }]);
  });

  it('are with the ports that they are about', async () => {
    const { log: all } = await make();
    const { log: web } = await make({ resource_id: group.id, event: 'ACCEPT' });
    const { log: one } = await make({ target_id: other.id, event: 'DROP' });
    const idsOf = async (id: string): Promise<string[]> => ((await logsOf(id)) ?? []).map((log: Body) => log.id).sort();
    assert.deepEqual(await idsOf(port.id), [all.id, web.id].sort());
    assert.deepEqual(await idsOf(other.id), [all.id, one.id].sort());
    assert.deepEqual(
      (await logsOf(port.id)).find((log: Body) => log.id === web.id),
      { id: web.id, projectId: port.project_id, event: 'ACCEPT', groupId: group.id },
    );
    await world.expect(200, 'manager', 'PUT', `${LOGS}/${all.id}`, { log: { enabled: false } });
    assert.deepEqual(await idsOf(port.id), [web.id]);
    await world.update('member', 'port', port.id, { security_groups: [] });
    assert.equal(await logsOf(port.id), undefined);
    await world.update('member', 'port', port.id, { security_groups: [group.id] });
    for (const { id } of [all, web, one]) await drop(id);
    assert.equal(await logsOf(other.id), undefined);
  });

  it('go with their group and with their port', async () => {
    const spare = await world.create('member', 'security_group', { name: 'spare' });
    const lonely = await world.create('member', 'port', { network_id: port.network_id });
    await make({ resource_id: spare.id });
    await make({ target_id: lonely.id });
    await world.expect(204, 'member', 'DELETE', `/security-groups/${spare.id}`);
    await world.expect(204, 'member', 'DELETE', `/ports/${lonely.id}`);
    assert.deepEqual((await world.expect(200, 'admin', 'GET', LOGS)).logs, []);
  });

  it('refuse what is not there, or does not belong together', async () => {
    const refused = async (values: Body, status: number, type: string): Promise<void> => assert.equal((await make(values, status)).NeutronError.type, type);
    await refused({ resource_type: 'snat' }, 400, 'InvalidLogResourceType');
    await refused({ resource_id: port.id }, 404, 'ResourceNotFound');
    await refused({ target_id: group.id }, 404, 'TargetResourceNotFound');
    await refused({ resource_id: group.id, target_id: other.id }, 400, 'InvalidResourceConstraint');
    await refused({ event: 'SOME' }, 400, 'HTTPBadRequest');
    await refused({ target_id: 'x' }, 400, 'HTTPBadRequest');
    await make({ resource_id: group.id, target_id: port.id }).then(({ log }) => drop(log.id));
  });

  it('are told as events of their projects, with all that a host tells at once', async () => {
    const { env } = world.world;
    const keeper = logKeeper(world.neutron.app);
    const record = (projectId: string, more: Partial<SecurityLogRecord> = {}): SecurityLogRecord => ({
      atMs: 1_700_000_000_000,
      action: 'DROP',
      direction: 'ingress',
      portId: port.id,
      projectId,
      logIds: ['l1'],
      packet: { version: 4, protocol: 6, source: '10.0.0.9', destination: '10.0.0.5', sourcePort: 4000, destinationPort: 22 },
      ...more,
    });
    keeper.take('host', { kind: 'securityLog', records: [record('p1'), record('p2'), record('p1', { action: 'ACCEPT', logIds: ['l1', 'l2'] })] });
    await keeper.stop();
    const told = (await env.events.since(env.store.read, 0, 10_000)).filter((event) => event.type === 'security_group_log.packets');
    assert.deepEqual(
      told.map((event) => [event.projectId, (event.payload as Body).packets.length]),
      [
        ['p1', 2],
        ['p2', 1],
      ],
    );
    assert.deepEqual((told.at(-1)?.payload as Body | undefined)?.packets, [
      {
        timestamp: '2023-11-14T22:13:20.000Z',
        action: 'DROP',
        direction: 'ingress',
        vm_port: port.id,
        log_resource_ids: ['l1'],
        ip_version: 4,
        protocol: 6,
        source_ip: '10.0.0.9',
        destination_ip: '10.0.0.5',
        source_port: 4000,
        destination_port: 22,
        icmp_type: null,
        icmp_code: null,
      },
    ]);
  });
});
