import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

const NAME = 'security_groups_default_statefulness';
const PATH = '/security-groups-default-statefulness';

describe('whether security groups begin stateful', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ quotas: { security_group: 100 } });
  });
  after(() => world.close());

  const group = async (who: string, values: object = {}): Promise<boolean> => (await world.create(who, 'security_group', { name: 'g', ...values })).stateful;
  const post = (who: string, values: object) => world.call(who, 'POST', PATH, { [NAME]: values });

  it("is the project's own setting, else that of all, else yes", async () => {
    assert.equal(await group('member'), true);
    const all = await post('admin', { project_id: null, stateful: false });
    assert.equal(all.status, 201);
    assert.deepEqual(all.body, { [NAME]: { id: all.body[NAME].id, project_id: null, tenant_id: null, stateful: false } });
    assert.equal(await group('member'), false);
    assert.equal(await group('member', { stateful: true }), true);
    const own = await post('admin', { project_id: DEMO_PROJECT, stateful: 'true' });
    assert.equal(own.body[NAME].stateful, true);
    assert.equal(await group('member'), true);
    assert.equal(await group('other'), false);
    const twice = await post('admin', { project_id: null });
    assert.deepEqual(
      [twice.status, twice.body.NeutronError.message],
      [409, "A security group default statefulness setting already exists for project 'system-wide'."],
    );

    // each project sees its own, admins all
    assert.deepEqual(
      (await world.expect(200, 'reader', 'GET', PATH))[NAME].map((each: { project_id: string }) => each.project_id),
      [DEMO_PROJECT],
    );
    assert.equal((await world.expect(200, 'admin', 'GET', PATH))[NAME].length, 2);
    await world.expect(404, 'other', 'GET', `${PATH}/${own.body[NAME].id}`);
    assert.equal((await world.expect(200, 'reader', 'GET', `${PATH}/${own.body[NAME].id}`))[NAME].stateful, true);

    const changed = await world.expect(200, 'admin', 'PUT', `${PATH}/${own.body[NAME].id}`, { [NAME]: { stateful: false } });
    assert.equal(changed[NAME].stateful, false);
    assert.equal(await group('member'), false);
    await world.expect(400, 'admin', 'PUT', `${PATH}/${own.body[NAME].id}`, { [NAME]: { project_id: OTHER_PROJECT } });
    await world.expect(204, 'admin', 'DELETE', `${PATH}/${all.body[NAME].id}`);
    assert.equal(await group('other'), true);
  });

  it('is for managers and admins to say', async () => {
    assert.equal((await post('member', { stateful: false })).status, 403);
    assert.equal((await post('member', { stateful: false, project_id: OTHER_PROJECT })).status, 400);
    assert.equal((await post('admin', { stateful: 'perhaps' })).status, 400);
  });
});
