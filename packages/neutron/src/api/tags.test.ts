import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld } from '../testing/network-world.ts';

describe('tags', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start();
  });
  after(() => world.close());

  it('are added, listed, checked and removed', async () => {
    const { id } = await world.create('member', 'network', { name: 'tagged' });
    const tags = `/networks/${id}/tags`;
    await world.expect(201, 'member', 'PUT', `${tags}/red`);
    await world.expect(201, 'member', 'PUT', `${tags}/red`);
    await world.expect(201, 'member', 'PUT', `${tags}/blue`);
    assert.deepEqual(await world.expect(200, 'member', 'GET', tags), { tags: ['blue', 'red'] });
    await world.expect(204, 'member', 'GET', `${tags}/red`);
    const missing = await world.call('member', 'GET', `${tags}/green`);
    assert.equal(missing.status, 404);
    assert.deepEqual(missing.body.NeutronError, { type: 'TagNotFound', message: 'Tag green could not be found.', detail: '' });
    assert.deepEqual((await world.show('member', 'network', id)).tags, ['blue', 'red']);
    await world.expect(204, 'member', 'DELETE', `${tags}/red`);
    await world.expect(404, 'member', 'DELETE', `${tags}/red`);
    assert.deepEqual(await world.expect(200, 'member', 'PUT', tags, { tags: ['x', 'y'] }), { tags: ['x', 'y'] });
    await world.expect(200, 'member', 'POST', tags, { tags: ['y', 'z'] });
    assert.deepEqual((await world.expect(200, 'member', 'GET', tags)).tags, ['x', 'y', 'z']);
    await world.expect(204, 'member', 'DELETE', tags);
    assert.deepEqual((await world.expect(200, 'member', 'GET', tags)).tags, []);
    assert.ok((await world.show('member', 'network', id)).revision_number >= 5);
  });

  it('are refused when they make no sense', async () => {
    const { id } = await world.create('member', 'network');
    const put = async (body: unknown): Promise<string> => (await world.expect(400, 'member', 'PUT', `/networks/${id}/tags`, body)).NeutronError.message;
    assert.equal(await put({}), 'Invalid input for operation: Invalid tags body.');
    assert.equal(await put({ tags: 'red' }), "Invalid input for operation: 'red' is not a list.");
    assert.equal(await put({ tags: ['a', 'a'] }), "Invalid input for operation: Duplicate items in the list: 'a'.");
    assert.equal(
      await put({ tags: Array.from({ length: 51 }, (_, i) => `t${i}`) }),
      'Bad networks request: The number of tags exceed the per-resource limit of 50.',
    );
    await world.expect(404, 'other', 'GET', `/networks/${id}/tags`);
    await world.expect(403, 'reader', 'PUT', `/networks/${id}/tags/red`);
    const gone = await world.call('member', 'GET', '/networks/b0b0b0b0-0000-4000-8000-000000000000/tags');
    assert.equal(gone.body.NeutronError.type, 'TagResourceNotFound');
  });

  it('are on all kinds of resources', async () => {
    const { network, subnet } = await world.network();
    const port = await world.create('member', 'port', { network_id: network.id });
    const router = await world.create('member', 'router', { name: 'r' });
    const group = await world.create('member', 'security_group', { name: 'g' });
    const pool = await world.create('member', 'subnetpool', { name: 'p', prefixes: ['10.0.0.0/8'] });
    for (const path of [`subnets/${subnet.id}`, `ports/${port.id}`, `routers/${router.id}`, `security-groups/${group.id}`, `subnetpools/${pool.id}`]) {
      await world.expect(200, 'member', 'PUT', `/${path}/tags`, { tags: ['one'] });
      assert.deepEqual((await world.expect(200, 'member', 'GET', `/${path}/tags`)).tags, ['one'], path);
    }
    const early = await world.create('member', 'port', { network_id: network.id, tags: ['born'] });
    assert.deepEqual(early.tags, ['born']);
  });

  it('filter lists', async () => {
    const own = await NetworkWorld.start();
    try {
      for (const [name, tags] of Object.entries({ n1: ['red'], n2: ['red', 'blue'], n3: ['green'], n4: [] as string[] })) {
        const { id } = await own.create('member', 'network', { name });
        await own.expect(200, 'member', 'PUT', `/networks/${id}/tags`, { tags });
      }
      const names = async (query: string) =>
        (await own.expect(200, 'member', 'GET', `/networks?${query}`)).networks.map((n: { name: string }) => n.name).toSorted();
      assert.deepEqual(await names('tags=red'), ['n1', 'n2']);
      assert.deepEqual(await names('tags=red,blue'), ['n2']);
      assert.deepEqual(await names('tags-any=blue,green'), ['n2', 'n3']);
      assert.deepEqual(await names('not-tags=red,blue'), ['n1', 'n3', 'n4']);
      assert.deepEqual(await names('not-tags-any=red,blue'), ['n3', 'n4']);
      assert.deepEqual(await names('tags=red&not-tags=blue'), ['n1']);
    } finally {
      await own.close();
    }
  });
});
