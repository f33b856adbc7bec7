import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { placementWorld } from '../testing/placement-world.ts';

const claim = (allocations: object, generation: number | null = null) => ({
  allocations,
  project_id: 'p',
  user_id: 'u',
  consumer_generation: generation,
  consumer_type: 'INSTANCE',
});

for (const engine of engines()) {
  test(`${engine}: of allocations that do not all fit none is made, and what the consumers had is left`, async (t) => {
    const { call, close } = await placementWorld(engine);
    t.after(close);
    const [a, b, first, second] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    for (const uuid of [a, b]) {
      await call('POST', '/resource_providers', { name: uuid, uuid });
      assert.equal(
        (
          await call('PUT', `/resource_providers/${uuid}/inventories`, {
            resource_provider_generation: 0,
            inventories: { VCPU: { total: 4 }, MEMORY_MB: { total: 100, step_size: 10 } },
          })
        ).status,
        200,
      );
    }
    assert.equal((await call('PUT', `/allocations/${first}`, claim({ [a]: { resources: { VCPU: 3, MEMORY_MB: 50 } } }))).status, 204);
    // moves the first consumer away and wants more than there is for the second
    const failed = await call('POST', '/allocations', {
      [first]: claim({ [b]: { resources: { VCPU: 1 } } }, 1),
      [second]: claim({ [b]: { resources: { VCPU: 4 } } }),
    });
    assert.equal(failed.status, 409);
    assert.match(failed.body.errors[0].detail, /exceed the capacity/);
    assert.deepEqual((await call('GET', `/resource_providers/${a}/usages`)).body.usages, { MEMORY_MB: 50, VCPU: 3 });
    assert.deepEqual((await call('GET', `/resource_providers/${b}/usages`)).body.usages, { MEMORY_MB: 0, VCPU: 0 });
    assert.equal((await call('GET', `/allocations/${first}`)).body.consumer_generation, 1);
    const stepped = await call('PUT', `/allocations/${second}`, claim({ [b]: { resources: { MEMORY_MB: 15 } } }));
    assert.match(stepped.body.errors[0].detail, /violate inventory constraints/);
    // both at once fit where the first makes room
    assert.equal(
      (await call('POST', '/allocations', { [first]: claim({ [b]: { resources: { VCPU: 1 } } }, 1), [second]: claim({ [a]: { resources: { VCPU: 4 } } }) }))
        .status,
      204,
    );
    assert.equal(
      (await call('PUT', `/allocations/${first}`, claim({ [b]: { resources: { VCPU: 1 } } }, 1))).body.errors[0].code,
      'placement.concurrent_update',
    );
  });

  test(`${engine}: an overfull provider takes what makes it no fuller`, async (t) => {
    const { call, close } = await placementWorld(engine);
    t.after(close);
    const [uuid, consumer] = [randomUUID(), randomUUID()];
    await call('POST', '/resource_providers', { name: uuid, uuid });
    const set = (generation: number, total: number) =>
      call('PUT', `/resource_providers/${uuid}/inventories`, { resource_provider_generation: generation, inventories: { VCPU: { total } } });
    await set(0, 8);
    assert.equal((await call('PUT', `/allocations/${consumer}`, claim({ [uuid]: { resources: { VCPU: 8 } } }))).status, 204);
    assert.equal((await set(2, 4)).status, 200);
    assert.equal((await call('PUT', `/allocations/${consumer}`, claim({ [uuid]: { resources: { VCPU: 7 } } }, 1))).status, 204);
    assert.equal((await call('PUT', `/allocations/${consumer}`, claim({ [uuid]: { resources: { VCPU: 8 } } }, 2))).status, 409);
    assert.equal((await call('PUT', `/allocations/${consumer}`, claim({}, 2))).status, 204);
    assert.deepEqual((await call('GET', `/resource_providers/${uuid}/usages`)).body.usages, { VCPU: 0 });
    assert.equal((await call('PUT', `/allocations/${consumer}`, claim({ [uuid]: { resources: { VCPU: 5 } } }))).status, 409);
  });

  test(`${engine}: many writers at once never take more than there is`, async (t) => {
    const { call, placement, close } = await placementWorld(engine);
    t.after(close);
    const uuid = randomUUID();
    await call('POST', '/resource_providers', { name: uuid, uuid });
    await call('PUT', `/resource_providers/${uuid}/inventories`, { resource_provider_generation: 0, inventories: { VCPU: { total: 10 } } });
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => call('PUT', `/allocations/${randomUUID()}`, claim({ [uuid]: { resources: { VCPU: 1 } } }))),
    );
    assert.equal(answers.filter((answer) => answer.status === 204).length, 10);
    assert.equal((await placement.face.usageOf(placement.app.env.store.read, uuid))['VCPU'], 10);
  });

  test(`${engine}: a reshape that fails at its end leaves everything`, async (t) => {
    const { call, close } = await placementWorld(engine);
    t.after(close);
    const [root, child, consumer] = [randomUUID(), randomUUID(), randomUUID()];
    await call('POST', '/resource_providers', { name: 'root', uuid: root });
    await call('POST', '/resource_providers', { name: 'child', uuid: child, parent_provider_uuid: root });
    await call('PUT', `/resource_providers/${root}/inventories`, { resource_provider_generation: 0, inventories: { VGPU: { total: 2 } } });
    await call('PUT', `/allocations/${consumer}`, claim({ [root]: { resources: { VGPU: 1 } } }));
    const inventories = {
      [root]: { resource_provider_generation: 2, inventories: {} },
      [child]: { resource_provider_generation: 0, inventories: { VGPU: { total: 2 } } },
    };
    const reshape = (allocations: object, who: string) => call('POST', '/reshaper', { inventories, allocations }, '1.39', who);
    assert.equal((await reshape({}, 'admin')).status, 403);
    const inUse = await reshape({}, 'service');
    assert.equal(inUse.body.errors[0].code, 'placement.inventory.inuse');
    assert.equal((await call('GET', `/resource_providers/${child}`)).body.generation, 0);
    assert.equal((await reshape({ [consumer]: claim({ [child]: { resources: { VGPU: 1 } } }, 1) }, 'service')).status, 204);
    assert.deepEqual(Object.keys((await call('GET', `/allocations/${consumer}`)).body.allocations), [child]);
    assert.deepEqual((await call('GET', `/resource_providers/${root}/inventories`)).body.inventories, {});
  });
}
