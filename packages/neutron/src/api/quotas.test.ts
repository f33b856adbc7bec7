import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

describe('quotas', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start();
  });
  after(() => world.close());

  const defaults = {
    network: 100,
    subnet: 100,
    subnetpool: -1,
    port: 500,
    router: 10,
    floatingip: 50,
    security_group: 10,
    security_group_rule: 100,
    rbac_policy: 10,
    trunk: -1,
  };

  it('shows limits', async () => {
    assert.deepEqual(await world.expect(200, 'member', 'GET', `/quotas/${DEMO_PROJECT}`), { quota: defaults });
    assert.deepEqual(await world.expect(200, 'member', 'GET', `/quotas/${DEMO_PROJECT}/default`), { quota: defaults });
    await world.expect(403, 'member', 'GET', `/quotas/${OTHER_PROJECT}`);
    await world.expect(200, 'admin', 'GET', `/quotas/${OTHER_PROJECT}`);
    assert.deepEqual(await world.expect(200, 'member', 'GET', '/quotas/project'), { project: { project_id: DEMO_PROJECT } });
    assert.deepEqual(await world.expect(200, 'member', 'GET', '/quotas/tenant'), { tenant: { tenant_id: DEMO_PROJECT } });
  });

  it('changes them, counts what is in use and forgets them again', async () => {
    await world.create('member', 'network');
    await world.create('member', 'network');
    const changed = await world.expect(200, 'admin', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { network: 2, port: '7' } });
    assert.deepEqual(changed, { quota: { ...defaults, network: 2, port: 7 } });
    const details = (await world.expect(200, 'member', 'GET', `/quotas/${DEMO_PROJECT}/details.json`)).quota;
    assert.deepEqual(details.network, { limit: 2, used: 2, reserved: 0 });
    const over = await world.call('member', 'POST', '/networks', { network: {} });
    assert.equal(over.status, 409);
    const low = await world.call('admin', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { network: 1 } });
    assert.equal(low.status, 400);
    assert.equal(low.body.NeutronError.message, 'Quota limit 1 for network must be greater than or equal to already used 2');
    await world.expect(200, 'admin', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { network: 1, force: true } });
    const { quotas } = await world.expect(200, 'admin', 'GET', '/quotas');
    assert.deepEqual(quotas, [{ ...defaults, network: 1, port: 7, project_id: DEMO_PROJECT, tenant_id: DEMO_PROJECT }]);
    await world.expect(204, 'admin', 'DELETE', `/quotas/${DEMO_PROJECT}`);
    const again = await world.call('admin', 'DELETE', `/quotas/${DEMO_PROJECT}`);
    assert.equal(again.status, 404);
    assert.equal(again.body.NeutronError.type, 'TenantQuotaNotFound');
    assert.deepEqual(await world.expect(200, 'member', 'GET', `/quotas/${DEMO_PROJECT}`), { quota: defaults });
  });

  it('is changed by admins alone, to numbers that make sense', async () => {
    await world.expect(403, 'member', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { network: 5 } });
    await world.expect(403, 'member', 'GET', '/quotas');
    await world.expect(400, 'admin', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { network: -2 } });
    await world.expect(400, 'admin', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { planet: 2 } });
    await world.expect(400, 'admin', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { network: 'many' } });
  });
});
