import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { testAdmin, testContext } from '@cairn/kit/testing/world';
import type { NeutronFace, PlannedPort } from '../face.ts';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

const DEVICE = 'd0000000-0000-4000-8000-000000000001';
const NOBODY = 'b0b0b0b0-0000-4000-8000-000000000000';
const ctx = testContext();

describe('ports for servers', () => {
  let world: NetworkWorld;
  let face: NeutronFace;
  let networkId: string;
  let subnetId: string;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['h1'], quotas: { network: 1_000, subnet: 1_000 } });
    face = world.neutron.face;
    ({
      network: { id: networkId },
      subnet: { id: subnetId },
    } = await world.network());
  });
  after(() => world.close());

  const store = () => world.world.env.store;
  const plan = (requested: Parameters<NeutronFace['planPorts']>[2], who = ctx) =>
    face.planPorts(store().read, who, requested, () => world.world.env.ids.uuid());
  const make = async (plans: readonly PlannedPort[], deviceId = DEVICE, securityGroupIds?: readonly string[]) => {
    await store().write((tx) =>
      face.createPorts(
        tx,
        ctx,
        plans.map((one) => ({ plan: one, deviceId, deviceOwner: 'compute:nova', securityGroupIds, hostname: 'web' })),
      ),
    );
    await store().write((tx) =>
      face.bindPorts(
        tx,
        plans.map((one) => one.portId),
        { host: 'h1', deviceId, deviceOwner: 'compute:nova' },
      ),
    );
  };

  it('plans what is asked for', async () => {
    assert.deepEqual(await plan('none'), []);
    const [one] = await plan([{ networkId, fixedIp: '10.0.0.99', tag: 'nic' }]);
    assert.deepEqual({ ...one, portId: '' }, { portId: '', networkId, existing: false, fixedIp: '10.0.0.99', tag: 'nic' });
    const port = await world.create('member', 'port', { network_id: networkId });
    assert.deepEqual(await plan([{ portId: port.id }]), [{ portId: port.id, networkId, existing: true }]);
  });

  it('takes the only network where none is named', async () => {
    const other = testContext({ projectId: OTHER_PROJECT });
    assert.deepEqual(await plan(undefined, other), []);
    const { network } = await world.network('other', '10.1.0.0/24');
    assert.deepEqual(
      (await plan('auto', other)).map((one) => one.networkId),
      [network.id],
    );
    await world.network('other', '10.2.0.0/24');
    await assert.rejects(plan(undefined, other), { kind: 'Conflict', type: 'NetworkAmbiguous' });
  });

  it("refuses in nova's words", async () => {
    await assert.rejects(plan([{ networkId: NOBODY }]), { kind: 'NotFound', message: `Network ${NOBODY} could not be found.` });
    await assert.rejects(plan([{ portId: NOBODY }]), { kind: 'NotFound', message: `Port id ${NOBODY} could not be found.` });
    const { id: bare } = await world.create('member', 'network');
    await assert.rejects(plan([{ networkId: bare }]), { message: `Network ${bare} requires a subnet in order to boot instances on.` });
    const { network: theirs } = await world.network('other', '10.3.0.0/24');
    await assert.rejects(plan([{ networkId: theirs.id }]), { kind: 'NotFound' });
    const { network: outside } = await world.publicNetwork();
    await assert.rejects(plan([{ networkId: outside.id }]), {
      kind: 'Forbidden',
      message: `It is not allowed to create an interface on external network ${outside.id}`,
    });
    assert.equal((await plan([{ networkId: outside.id }], testAdmin())).length, 1);
    const used = await world.create('member', 'port', { network_id: networkId, device_id: 'somebody', fixed_ips: [{ ip_address: '10.0.0.50' }] });
    await assert.rejects(plan([{ portId: used.id }]), { kind: 'Conflict', message: `Port ${used.id} is still in use.` });
    await assert.rejects(plan([{ networkId, fixedIp: '10.0.0.50' }]), { message: 'Fixed IP address 10.0.0.50 is already in use on instance somebody.' });
    const none = await world.create('member', 'port', { network_id: networkId, fixed_ips: [] });
    assert.equal((await plan([{ portId: none.id }])).length, 1);
  });

  it("tells a port's addresses in the order in which the API shows them", async () => {
    const ips = ['10.0.0.62', '10.0.0.61'];
    const port = await world.create('member', 'port', { network_id: networkId, fixed_ips: ips.map((ip) => ({ subnet_id: subnetId, ip_address: ip })) });
    const told = await face.port(store().read, port.id);
    assert.deepEqual(
      told?.fixedIps.map(({ ip }) => ip),
      ips.toReversed(),
    );
  });

  it('makes ports once, and says all about them', async () => {
    const plans = await plan([{ networkId }]);
    await make(plans);
    await make(plans);
    const [port, ...more] = await face.portsOfDevice(store().read, DEVICE);
    assert.equal(more.length, 0);
    assert.ok(port);
    assert.deepEqual([port.host, port.deviceOwner, port.networkName, port.projectId, port.networkMtu], ['h1', 'compute:nova', 'net', DEMO_PROJECT, 1442]);
    assert.match(port.status, /^(DOWN|ACTIVE)$/, 'the host may have it already');
    const [address] = port.fixedIps;
    assert.ok(address);
    assert.deepEqual([address.cidr, address.gatewayIp, address.dhcp, address.subnetId], ['10.0.0.0/24', '10.0.0.1', true, subnetId]);
    assert.deepEqual(
      port.securityGroups.map((group) => group.name),
      ['default'],
    );
    await face.makeLive([port.id]);
    assert.equal((await face.port(store().read, port.id))?.status, 'ACTIVE');
    assert.deepEqual(await face.devicesByAddress(store().read, address.ip, undefined), [DEVICE]);
    assert.deepEqual(await face.devicesByAddress(store().read, address.ip, OTHER_PROJECT), []);
    const [group] = await face.securityGroupsOfDevice(store().read, DEVICE);
    assert.deepEqual([group?.name, group?.rules.length, group?.rules.filter((rule) => rule.remoteGroup?.name === 'default').length], ['default', 4, 2]);
    await store().write((tx) => face.releasePorts(tx, [port.id], { delete: true }));
    await store().write((tx) => face.releasePorts(tx, [port.id], { delete: true }));
    assert.equal(await face.port(store().read, port.id), undefined);
  });

  it('gives given ports back as they were', async () => {
    const port = await world.create('member', 'port', { network_id: networkId, name: 'mine' });
    const plans = await plan([{ portId: port.id }]);
    await make(plans, 'device-2');
    assert.equal((await world.show('member', 'port', port.id)).device_id, 'device-2');
    const again = { host: 'h1', deviceId: 'device-3', deviceOwner: 'compute:nova' };
    await assert.rejects(
      store().write((tx) => face.bindPorts(tx, [port.id], again)),
      { kind: 'Conflict', message: `Port ${port.id} is still in use.` },
    );
    await store().write((tx) => face.releasePorts(tx, [port.id], { delete: false, deviceId: 'device-3' }));
    assert.equal((await world.show('member', 'port', port.id)).device_id, 'device-2');
    await store().write((tx) => face.releasePorts(tx, [port.id], { delete: false }));
    const free = await world.show('admin', 'port', port.id);
    assert.deepEqual([free.device_id, free.device_owner, free['binding:host_id'], free['binding:vif_type'], free.status], ['', '', '', 'unbound', 'DOWN']);
  });

  it('resolves groups by name or id', async () => {
    const group = await world.create('member', 'security_group', { name: 'web' });
    const resolve = (...names: string[]) => face.resolveSecurityGroups(store().read, ctx, names);
    assert.deepEqual(await resolve('web'), [{ id: group.id, name: 'web' }]);
    assert.deepEqual(await resolve(group.id), [{ id: group.id, name: 'web' }]);
    assert.equal((await resolve('default'))[0]?.name, 'default');
    await assert.rejects(resolve('nothing'), { kind: 'InvalidInput', message: 'Security group nothing not found.' });
    await world.create('member', 'security_group', { name: 'web' });
    await assert.rejects(resolve('web'), { kind: 'Conflict', message: "Multiple security groups found matching 'web'. Use an ID to be more specific." });
    const fresh = testContext({ projectId: 'b0000000000000000000000000000009' });
    assert.equal((await face.resolveSecurityGroups(store().read, fresh, ['default'])).length, 1);
  });

  it("changes a server's groups", async () => {
    const group = await world.create('member', 'security_group', { name: 'extra' });
    const plans = await plan([{ networkId }]);
    await make(plans, 'device-4');
    const change = (name: string, what: 'add' | 'remove', device = 'device-4') =>
      store().write((tx) => face.changeDeviceSecurityGroup(tx, ctx, device, name, what));
    assert.deepEqual(await change('extra', 'add'), [plans[0]?.portId]);
    const names = async () => (await face.securityGroupsOfDevice(store().read, 'device-4')).map((one) => one.name).toSorted();
    assert.deepEqual(await names(), ['default', 'extra']);
    assert.deepEqual(await change(group.id, 'remove'), [plans[0]?.portId]);
    assert.deepEqual(await names(), ['default']);
    await assert.rejects(change('extra', 'remove'), { kind: 'NotFound', message: 'Security group extra not associated with the instance device-4' });
    await assert.rejects(change('nothing', 'add'), { kind: 'NotFound' });
    await assert.rejects(change('extra', 'add', 'device-none'), { kind: 'NotFound' });
  });

  it('keeps to the quota', async () => {
    await world.expect(200, 'admin', 'PUT', `/quotas/${OTHER_PROJECT}`, { quota: { port: 2, force: true } });
    const left = await face.portsLeft(store().read, OTHER_PROJECT);
    assert.ok(left >= 0 && left <= 2);
    await world.expect(200, 'admin', 'PUT', `/quotas/${OTHER_PROJECT}`, { quota: { port: -1 } });
    assert.equal(await face.portsLeft(store().read, OTHER_PROJECT), -1);
    const few = await NetworkWorld.start({ quotas: { port: 0 } });
    try {
      const { network } = await few.network('admin', '10.0.0.0/24', { shared: true, project_id: OTHER_PROJECT });
      const making = few.world.env.store.write((tx) =>
        few.neutron.face.createPorts(tx, ctx, [
          {
            plan: { portId: NOBODY, networkId: network.id, existing: false },
            deviceId: DEVICE,
            deviceOwner: 'compute:nova',
            securityGroupIds: undefined,
            hostname: 'x',
          },
        ]),
      );
      await assert.rejects(making, { kind: 'Forbidden', message: 'Maximum number of ports exceeded' });
    } finally {
      await few.close();
    }
  });
});
