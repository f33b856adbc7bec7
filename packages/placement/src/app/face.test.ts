import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { engines } from '@cairn/kit/store/testing';
import { testWorld } from '@cairn/kit/testing/world';
import { placementMigrations } from '../store/migrations/index.ts';
import { createFace } from './face.ts';

for (const engine of engines()) {
  test(`${engine}: claims fill a provider to the last unit, and never beyond, and giving back restores all`, async () => {
    const world = await testWorld({ engine, migrations: [placementMigrations] });
    const { store, clock } = world.env;
    const face = createFace(clock);
    await store.write(async (tx) => {
      await face.ensureProvider(tx, {
        id: 'rp1',
        name: 'one',
        inventories: { VCPU: { total: 4, allocationRatio: 2, maxUnit: 4 }, MEMORY_MB: { total: 1_000, reserved: 100 } },
        traits: ['COMPUTE_NODE'],
      });
      await face.ensureProvider(tx, {
        id: 'rp2',
        name: 'two',
        inventories: { VCPU: { total: 2 }, MEMORY_MB: { total: 500 } },
        traits: [],
        aggregates: ['agg1'],
      });
    });
    const request = { resources: { MEMORY_MB: 300, VCPU: 2 }, limit: 10 };
    assert.deepEqual(
      (await face.candidates(store.read, request)).map((c) => c.providerName),
      ['one', 'two'],
    );
    assert.deepEqual(
      (await face.candidates(store.read, { ...request, requiredTraits: ['COMPUTE_NODE'] })).map((c) => c.providerName),
      ['one'],
    );
    assert.deepEqual(
      (await face.candidates(store.read, { ...request, forbiddenTraits: ['COMPUTE_NODE'] })).map((c) => c.providerName),
      ['two'],
    );
    assert.deepEqual(
      (await face.candidates(store.read, { ...request, memberOf: [['agg1', 'agg2']] })).map((c) => c.providerName),
      ['two'],
    );
    const claim = (consumerId: string, memory: number, provider = 'rp1') =>
      store.write((tx) => face.claim(tx, { consumerId, projectId: 'p', userId: 'u', allocations: { [provider]: { MEMORY_MB: memory, VCPU: 1 } } }));
    await claim('c1', 600);
    await claim('c1', 600);
    await claim('c2', 300);
    await assert.rejects(claim('c3', 1), (error) => isCairnError(error, 'NoCapacity'));
    assert.deepEqual(await face.allocationsOf(store.read, 'c3'), {});
    assert.deepEqual(await face.usageOf(store.read, 'rp1'), { MEMORY_MB: 900, VCPU: 2 });
    await assert.rejects(claim('c3', 501, 'rp2'), (error) => isCairnError(error, 'NoCapacity'));
    await store.write(async (tx) => {
      await face.release(tx, 'c1');
      await face.release(tx, 'c2');
      await face.release(tx, 'never-there');
    });
    assert.deepEqual(await face.usageOf(store.read, 'rp1'), { MEMORY_MB: 0, VCPU: 0 });
    await world.close();
  });
  test(`${engine}: a request that nobody can take is explained by its nearest miss`, async () => {
    const world = await testWorld({ engine, migrations: [placementMigrations] });
    const { store, clock } = world.env;
    const face = createFace(clock);
    await store.write(async (tx) => {
      await face.ensureProvider(tx, { id: 'rp1', name: 'one', inventories: { VCPU: { total: 8, maxUnit: 4 }, MEMORY_MB: { total: 6_144 } }, traits: [] });
      await face.ensureProvider(tx, { id: 'rp2', name: 'two', inventories: { VCPU: { total: 2 }, MEMORY_MB: { total: 500 } }, traits: [] });
    });
    const shortage = await face.explain(store.read, { resources: { VCPU: 5, MEMORY_MB: 8_192 }, limit: 1 });
    assert.equal(shortage.providersTotal, 2);
    assert.deepEqual(
      shortage.filters.map((f) => f.left),
      [0, 0],
    );
    assert.deepEqual(shortage.nearest, [
      { resourceClass: 'VCPU', needed: 5, bestFree: 4, bestProvider: 'one', reason: 'max_unit' },
      { resourceClass: 'MEMORY_MB', needed: 8_192, bestFree: 6_144, bestProvider: 'one', reason: 'free' },
    ]);
    await world.close();
  });
}
