import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SimulatedAgent } from '@cairn/host/simulated/agent';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { MeterKeeper } from '../app/meter-keeper.ts';
import { DEMO_PROJECT, NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

const LABELS = '/metering/metering-labels';
const RULES = '/metering/metering-label-rules';

describe('metering', () => {
  let world: NetworkWorld;
  let router: Body;
  let project: string;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
    const external = await world.publicNetwork();
    router = await world.create('member', 'router', { external_gateway_info: { network_id: external.network.id } });
    project = router.project_id;
  });
  after(() => world.close());

  const label = (values: Body = {}, who = 'admin'): Promise<Body> => world.create(who, 'metering_label', { project_id: project, ...values }, LABELS);
  const rule = (values: Body, status = 201): Promise<Body> => world.expect(status, 'admin', 'POST', RULES, { metering_label_rule: values });
  const metersOf = async (id = router.id): Promise<Body> => (await world.onHost('router', id))?.meters;
  const drop = (id: string): Promise<Body> => world.expect(204, 'admin', 'DELETE', `${LABELS}/${id}`);

  it('a label is shown to its project, and to no other; members make none', async () => {
    const made = await label({ name: 'traffic', description: 'all of it' });
    assert.deepEqual(made, { id: made.id, project_id: project, tenant_id: project, name: 'traffic', description: 'all of it', shared: false });
    assert.deepEqual((await world.expect(200, 'reader', 'GET', `${LABELS}/${made.id}`)).metering_label, made);
    assert.deepEqual((await world.expect(200, 'reader', 'GET', `${LABELS}?name=traffic`)).metering_labels, [made]);
    assert.deepEqual((await world.expect(200, 'other', 'GET', LABELS)).metering_labels, []);
    const { NeutronError: error } = await world.expect(404, 'other', 'GET', `${LABELS}/${made.id}`);
    assert.equal(error.message, `Metering label '${made.id}' does not exist.`);
    await world.expect(403, 'member', 'POST', LABELS, { metering_label: { name: 'mine' } });
    await drop(made.id);
  });

  it('rules say what a label counts, on the routers of its project or on all', async () => {
    const mine = await label();
    const { metering_label_rule: made } = await rule({ metering_label_id: mine.id, direction: 'egress', remote_ip_prefix: '10.0.0.0/24' });
    assert.deepEqual(made, {
      id: made.id,
      metering_label_id: mine.id,
      direction: 'egress',
      excluded: false,
      remote_ip_prefix: '10.0.0.0/24',
      source_ip_prefix: null,
      destination_ip_prefix: null,
    });
    await rule({ metering_label_id: mine.id, direction: 'ingress', remote_ip_prefix: '10.0.0.0/24' });
    await rule({ metering_label_id: mine.id, direction: 'egress', excluded: true, source_ip_prefix: '10.0.0.7', destination_ip_prefix: '192.0.2.0/24' });
    const { rules } = (await metersOf())[0];
    assert.deepEqual(
      [...rules].sort((a: Body, b: Body) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
      [
        { direction: 'egress', excluded: false, source: '10.0.0.0/24' },
        { direction: 'egress', excluded: true, source: '10.0.0.7/32', destination: '192.0.2.0/24' },
        { direction: 'ingress', excluded: false, destination: '10.0.0.0/24' },
      ],
    );
    const foreign = await world.create('other', 'router');
    assert.equal(await metersOf(foreign.id), undefined);
    const all = await label({ shared: true });
    assert.deepEqual(
      (await metersOf()).map((meter: Body) => meter.id),
      [mine.id, all.id],
    );
    // it leads nowhere
    assert.equal(await metersOf(foreign.id), undefined);
    await world.expect(204, 'admin', 'DELETE', `${RULES}/${made.id}`);
    assert.equal((await metersOf())[0].rules.length, 2);
    for (const { id } of [mine, all]) await drop(id);
    assert.equal(await metersOf(), undefined);
    assert.deepEqual((await world.expect(200, 'admin', 'GET', RULES)).metering_label_rules, []);
  });

  it('refuses rules without a network, with too many, and such as overlap', async () => {
    const mine = await label();
    const base = { metering_label_id: mine.id, direction: 'ingress' };
    const refused = async (values: Body, status = 400): Promise<Body> => (await rule({ ...base, ...values }, status)).NeutronError;
    assert.match((await refused({})).message, /^You must define at least one of/);
    assert.match((await refused({ remote_ip_prefix: '10.0.0.0/8', source_ip_prefix: '10.0.0.0/8' })).message, /^Cannot use 'remote-ip-prefix'/);
    assert.match((await refused({ source_ip_prefix: 'nonsense' })).message, /^source_ip_prefix: nonsense is invalid/);
    await refused({ source_ip_prefix: { a: 1 } });
    await refused({ direction: 'sideways', remote_ip_prefix: '10.0.0.0/8' });
    await rule({ ...base, remote_ip_prefix: '10.0.0.0/8' });
    const overlap = await refused({ remote_ip_prefix: '10.1.0.0/16' }, 409);
    assert.equal(overlap.type, 'MeteringLabelRuleOverlaps');
    await rule({ ...base, remote_ip_prefix: '10.1.0.0/16', excluded: true });
    const gone = await rule({ ...base, metering_label_id: router.id, remote_ip_prefix: '10.0.0.0/8' }, 404);
    assert.equal(gone.NeutronError.type, 'MeteringLabelNotFound');
    await drop(mine.id);
  });

  it('tells what a label has come to, and counts nothing twice when hosts or this program begin anew', async () => {
    const mine = await label();
    await rule({ metering_label_id: mine.id, direction: 'egress', remote_ip_prefix: '10.0.0.0/24' });
    await metersOf();
    const { app } = world.neutron;
    const { metered } = (world.hosts.get('host') as SimulatedAgent).machine;
    const shows = (packets: number, bytes: number): void => void metered.set(`${router.id} ${mine.id}`, { packets, bytes });
    const told = async (): Promise<Body[]> =>
      (await app.env.events.since(app.env.store.read, 0, 10_000)).filter((event) => event.type === 'l3.meter').map((event) => event.payload);
    shows(10, 1000);
    const keeper = new MeterKeeper(app);
    await keeper.measure();
    shows(15, 1600);
    await keeper.measure();
    await new MeterKeeper(app).report();
    const [first] = await told();
    assert.deepEqual(
      { ...first, time: 0, first_update: 0, last_update: 0 },
      { pkts: 15, bytes: 1600, time: 0, first_update: 0, last_update: 0, host: 'host', label_id: mine.id, project_id: project },
    );
    // the program begins anew, then the host does
    const later = new MeterKeeper(app);
    shows(17, 1800);
    await later.measure();
    shows(3, 300);
    await later.measure();
    await later.report();
    await later.report();
    assert.deepEqual(
      (await told()).map(({ pkts, bytes }) => [pkts, bytes]),
      [
        [15, 1600],
        [5, 500],
        [0, 0],
      ],
    );
    await drop(mine.id);
    await later.measure();
    await later.report();
    assert.equal((await told()).length, 3);
    assert.equal(project, DEMO_PROJECT);
  });
});
