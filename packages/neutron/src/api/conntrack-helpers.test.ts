import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

describe('conntrack helpers of routers', () => {
  let world: NetworkWorld;
  let router: Body;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
    const { network } = await world.publicNetwork();
    router = await world.create('member', 'router', { external_gateway_info: { network_id: network.id } });
  });
  after(() => world.close());

  const path = (id = ''): string => `/routers/${router.id}/conntrack_helpers${id && `/${id}`}`;
  const make = (values: Body, status = 201, who = 'member'): Promise<Body> => world.expect(status, who, 'POST', path(), { conntrack_helper: values });
  const refused = async (values: Body, type: string, text?: RegExp): Promise<void> => {
    const { NeutronError: error } = await make(values, 400);
    assert.equal(error.type, type, error.message);
    if (text) assert.match(error.message, text);
  };

  it('are made, shown, changed and deleted; the router shows them and its host has them', async () => {
    const { conntrack_helper: made } = await make({ protocol: 'UDP', port: '69', helper: 'tftp' });
    assert.deepEqual(made, { id: made.id, protocol: 'udp', port: 69, helper: 'tftp' });
    assert.deepEqual((await world.onHost('router', router.id)).conntrackHelpers, [{ id: made.id, helper: 'tftp', protocol: 'udp', port: 69 }]);
    const shown = await world.show('member', 'router', router.id);
    assert.deepEqual(shown.conntrack_helpers, [{ protocol: 'udp', port: 69, helper: 'tftp' }]);
    assert.equal(shown.revision_number, router.revision_number + 1);
    assert.deepEqual((await world.expect(200, 'reader', 'GET', `${path()}?port=69`)).conntrack_helpers, [made]);
    assert.deepEqual((await world.expect(200, 'reader', 'GET', `${path()}?helper=ftp`)).conntrack_helpers, []);
    const changed = await world.expect(200, 'member', 'PUT', path(made.id), { conntrack_helper: { port: 6969 } });
    assert.equal(changed.conntrack_helper.port, 6969);
    assert.equal((await world.onHost('router', router.id)).conntrackHelpers[0].port, 6969);
    await world.expect(404, 'other', 'GET', path(made.id));
    await world.expect(403, 'reader', 'POST', path(), { conntrack_helper: { protocol: 'tcp', port: 21, helper: 'ftp' } });
    await world.expect(204, 'member', 'DELETE', path(made.id));
    const { NeutronError: error } = await world.expect(404, 'member', 'GET', path(made.id));
    assert.deepEqual([error.type, error.message], ['ConntrackHelperNotFound', `Conntrack Helper ${made.id} could not be found.`]);
    assert.equal((await world.onHost('router', router.id)).conntrackHelpers, undefined);
  });

  it('are those that upstream allows, with their protocols, each once', async () => {
    await refused({ protocol: 'tcp', port: 1, helper: 'nosuch' }, 'ConntrackHelperNotAllowed', /^Conntrack Helper nosuch is not allowed\.$/);
    await refused(
      { protocol: 'tcp', port: 1, helper: 'tftp' },
      'InvalidProtocolForHelper',
      /^Conntrack Helper tftp does not support: tcp\. Supported protocols are: udp$/,
    );
    await refused({ protocol: 'tcp', port: 1, helper: 'constructor' }, 'ConntrackHelperNotAllowed');
    await refused({ protocol: 'gre', port: 1, helper: 'pptp' }, 'InvalidInput');
    await refused({ protocol: 'tcp', port: 0, helper: 'ftp' }, 'HTTPBadRequest');
    await refused({ protocol: 'tcp', port: 21 }, 'HTTPBadRequest', /Required attribute 'helper' not specified/);
    const { conntrack_helper: first } = await make({ protocol: 'tcp', port: 21, helper: 'ftp' });
    await refused({ protocol: 'tcp', port: 21, helper: 'ftp' }, 'BadRequest', /duplicate conntrack helper entry/);
    const { conntrack_helper: second } = await make({ protocol: 'tcp', port: 2121, helper: 'ftp' });
    const { NeutronError: twice } = await world.expect(400, 'member', 'PUT', path(second.id), { conntrack_helper: { port: 21 } });
    assert.equal(twice.type, 'BadRequest');
    for (const { id } of [first, second]) await world.expect(204, 'member', 'DELETE', path(id));
  });

  it('go with their router', async () => {
    const other = await world.create('member', 'router');
    const below = `/routers/${other.id}/conntrack_helpers`;
    await world.expect(201, 'member', 'POST', below, { conntrack_helper: { protocol: 'udp', port: 69, helper: 'tftp' } });
    await world.expect(204, 'member', 'DELETE', `/routers/${other.id}`);
    await world.expect(404, 'member', 'GET', below);
    const { store } = world.world.env;
    const { rows } = await sql`select * from neutron_conntrack_helper`.execute(store.read.kysely);
    assert.deepEqual(rows, []);
  });
});
