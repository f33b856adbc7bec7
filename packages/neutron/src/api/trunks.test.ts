import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { tapName } from '@cairn/host/interface/fabric';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

describe('trunks', () => {
  let world: NetworkWorld;
  let plain: Body;
  let green: Body;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
    plain = (await world.network('member', '10.81.0.0/24')).network;
    green = (await world.network('member', '10.82.0.0/24')).network;
    // it serves neither of them
    world.addHost('other-host');
  });
  after(() => world.close());

  const port = (network: Body): Promise<Body> => world.create('member', 'port', { network_id: network.id });
  const trunk = (parent: Body, sub_ports: Body[] = []): Promise<Body> => world.create('member', 'trunk', { port_id: parent.id, sub_ports });
  const vlan = (sub: Body, segmentation_id: unknown = 100): Body => ({ port_id: sub.id, segmentation_type: 'vlan', segmentation_id });
  const refused = async (status: number, type: string, method: string, path: string, body: Body): Promise<void> => {
    const answer = await world.call('member', method, path, body);
    assert.deepEqual([answer.status, answer.body.NeutronError?.type], [status, type], JSON.stringify(answer.body));
  };

  it('keeps a parent and its sub-ports, and shows them on the port', async () => {
    const [parent, sub] = [await port(plain), await port(green)];
    const made = await trunk(parent, [vlan(sub, '100')]);
    assert.deepEqual(made.sub_ports, [{ port_id: sub.id, segmentation_id: 100, segmentation_type: 'vlan' }]);
    assert.deepEqual([made.status, made.admin_state_up, made.port_id, made.name, made.tags], ['DOWN', true, parent.id, '', []]);
    const shown = await world.show('member', 'port', parent.id);
    assert.deepEqual(shown.trunk_details, { trunk_id: made.id, sub_ports: [{ ...made.sub_ports[0], mac_address: sub.mac_address }] });
    assert.equal('trunk_details' in (await world.show('member', 'port', sub.id)), false);
    assert.equal((await world.show('member', 'port', sub.id)).device_owner, 'trunk:subport');
    await refused(409, 'PortInUseAsTrunkParent', 'DELETE', `/ports/${parent.id}`, undefined);
    await refused(409, 'PortInUseAsSubPort', 'DELETE', `/ports/${sub.id}`, undefined);
    await world.update('member', 'trunk', made.id, { name: 'named', admin_state_up: false });
    await refused(409, 'TrunkDisabled', 'DELETE', `/trunks/${made.id}`, undefined);
    await refused(409, 'TrunkDisabled', 'PUT', `/trunks/${made.id}/add_subports`, { sub_ports: [] });
    await world.update('member', 'trunk', made.id, { admin_state_up: true });
    assert.equal((await world.expect(200, 'member', 'GET', '/trunks?name=named')).trunks.length, 1);
    await world.expect(404, 'other', 'GET', `/trunks/${made.id}`);
    await world.expect(204, 'member', 'DELETE', `/trunks/${made.id}`);
    assert.equal((await world.show('member', 'port', sub.id)).device_owner, '');
    await world.expect(204, 'member', 'DELETE', `/ports/${parent.id}`);
    await world.expect(204, 'member', 'DELETE', `/ports/${sub.id}`);
  });

  it('adds and removes sub-ports, each VLAN once', async () => {
    const [parent, one, two] = [await port(plain), await port(green), await port(green)];
    const { id } = await trunk(parent);
    const change = (verb: string, ...subs: Body[]): Promise<Body> => world.expect(200, 'member', 'PUT', `/trunks/${id}/${verb}_subports`, { sub_ports: subs });
    assert.equal((await change('add', vlan(one), vlan(two, 200))).sub_ports.length, 2);
    assert.deepEqual((await world.expect(200, 'member', 'GET', `/trunks/${id}/get_subports`)).sub_ports.length, 2);
    const three = await port(green);
    const add = `/trunks/${id}/add_subports`;
    await refused(409, 'DuplicateSubPort', 'PUT', add, { sub_ports: [vlan(three, 200)] });
    await refused(409, 'TrunkPortInUse', 'PUT', add, { sub_ports: [vlan(one, 300)] });
    await refused(409, 'ParentPortInUse', 'PUT', add, { sub_ports: [vlan(parent, 300)] });
    for (const wrong of [
      undefined,
      'x',
      [{}],
      [{ port_id: 'x' }],
      [vlan(three, 4095)],
      [vlan(three, 0)],
      [vlan(three, 'x')],
      [{ ...vlan(three), segmentation_type: 'vxlan' }],
      [{ port_id: three.id }],
      [vlan(three), vlan(three)],
    ]) {
      await refused(400, 'InvalidInput', 'PUT', add, { sub_ports: wrong });
    }
    assert.deepEqual((await change('remove', { port_id: one.id })).sub_ports, [vlan(two, 200)]);
    await refused(404, 'SubPortNotFound', 'PUT', `/trunks/${id}/remove_subports`, { sub_ports: [{ port_id: one.id }] });
    assert.equal((await change('add', vlan(one))).sub_ports.length, 2);
    const second = await port(plain);
    await refused(409, 'ParentPortInUse', 'POST', '/trunks', { trunk: { port_id: parent.id } });
    await refused(409, 'TrunkPortInUse', 'POST', '/trunks', { trunk: { port_id: one.id } });
    await refused(409, 'ParentPortInUse', 'POST', '/trunks', { trunk: { port_id: second.id, sub_ports: [vlan(parent, 7)] } });
  });

  it('is at work where its parent is: sub-ports follow it from host to host, and go with it', async () => {
    const [parent, sub] = [await port(plain), await port(green)];
    const { id } = await trunk(parent, [vlan(sub, 77)]);
    const { face, app } = world.neutron;
    const { store } = app.env;
    const bind = async (host: string): Promise<void> => {
      await store.write((tx) => face.bindPorts(tx, [parent.id], { host, deviceId: 'd0000000-0000-4000-8000-000000000001', deviceOwner: 'compute:nova' }));
      await face.makeLive([parent.id]);
    };
    assert.deepEqual((await world.onHost('port', sub.id)).attachment, { kind: 'none' });
    await bind('other-host');
    const attachment = { kind: 'subport', tap: tapName(sub.id), parentTap: tapName(parent.id), vlan: 77 };
    assert.deepEqual((await world.onHost('port', sub.id, 'other-host')).attachment, attachment);
    assert.ok(await world.onHost('network', green.id, 'other-host'));
    const shown = await world.show('admin', 'port', sub.id);
    assert.deepEqual([shown['binding:host_id'], shown.status], ['other-host', 'ACTIVE']);
    assert.equal((await world.show('member', 'trunk', id)).status, 'ACTIVE');
    await bind('host');
    assert.deepEqual((await world.onHost('port', sub.id, 'host')).attachment, attachment);
    assert.equal(await world.onHost('port', sub.id, 'other-host'), undefined);
    await store.write((tx) => face.releasePorts(tx, [parent.id], { delete: true }));
    await world.neutron.app.pusher.idle();
    await world.expect(404, 'member', 'GET', `/trunks/${id}`);
    const left = await world.show('admin', 'port', sub.id);
    assert.deepEqual([left['binding:host_id'], left.status, left.device_owner], ['', 'DOWN', '']);
  });
});
