import assert from 'node:assert/strict';
import { test } from 'node:test';
import { on } from '@cairn/kit/store/store';
import { engines, testStore } from '@cairn/kit/store/testing';
import { locationsOf } from '../locations.ts';
import { first } from './0001-first.ts';
import { glanceMigrations } from './index.ts';

for (const engine of engines())
  test(`${engine}: data of the first release is found again, each image's at its location`, async () => {
    const store = await testStore(engine);
    try {
      await store.migrate([{ service: 'glance', migrations: { '0001_first': first } }]);
      const image = (id: string, key: string | null) => ({
        id,
        name: 'old',
        status: key === null ? 'queued' : 'active',
        visibility: 'shared',
        owner: 'p',
        protected: 0,
        hidden: 0,
        disk_format: 'raw',
        container_format: 'bare',
        size_bytes: 5_000_000_000,
        min_disk_gb: 0,
        min_ram_mb: 0,
        data_key: key,
        created_at_ms: 1_700_000_000_000,
        updated_at_ms: 1_700_000_000_000,
      });
      await store.write((tx) =>
        on<{ glance_image: ReturnType<typeof image> }>(tx)
          .insertInto('glance_image')
          .values([image('one', 'key-1'), image('two', null)])
          .execute(),
      );
      await store.migrate([glanceMigrations]);
      const [location, ...others] = await locationsOf(store.read, 'one');
      assert.deepEqual([location?.store, location?.data_key, location?.url, location?.metadata], ['file', 'key-1', null, '{}']);
      assert.deepEqual([...others, ...(await locationsOf(store.read, 'two'))], []);
      const rows = await on<{ glance_image: { id: string; size_bytes: number } }>(store.read).selectFrom('glance_image').selectAll().orderBy('id').execute();
      assert.deepEqual(
        rows.map((r) => [r.id, Number(r.size_bytes), 'data_key' in r]),
        [
          ['one', 5_000_000_000, false],
          ['two', 5_000_000_000, false],
        ],
      );
    } finally {
      await store.close();
    }
  });
