/*
 * The process that kill.test.ts kills: a glance over a database and a directory that outlive it. Arguments: the database, the directory of images, the port
 * that may be fetched from, and what to do (a JSON list of [image id, method, uri]). It writes `began` when the imports are acknowledged, and `idle` at the end.
 */
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { simulatedConverter } from '@cairn/host/simulated/converter';
import { eventMigrations } from '@cairn/kit/events/migrations';
import { sagaMigrations } from '@cairn/kit/saga/migrations';
import { openSqliteStore } from '@cairn/kit/store/sqlite/store';
import { testContext, testWorld } from '@cairn/kit/testing/world';
import { testOptions } from './cloud.fixture.ts';
import { createGlance } from './service.ts';
import { glanceMigrations } from './store/migrations/index.ts';

const [, , database = '', folder = '', port = '', work = '[]'] = process.argv;
const store = openSqliteStore({ path: database, durability: 'full' });
await store.migrate([sagaMigrations, eventMigrations, glanceMigrations]);
const world = await testWorld({ store });
const glance = createGlance({ env: world.env, options: testOptions(folder, { ports: [Number(port)] }), outside: { converter: simulatedConverter } });
world.sagas.register(glance.sagas, glance.sagaServices);
await glance.start();
await world.open();
const { app } = glance;
const ctx = testContext();
for (const [id, method, uri] of JSON.parse(work) as [string, 'web-download' | 'glance-direct', string][]) {
  await store.write((tx) => app.images.create(tx, ctx, { id, name: 'image', disk_format: 'raw', container_format: 'bare', properties: {}, tags: [] }));
  if (method === 'glance-direct') await app.data.stage(ctx, id, Readable.from([Buffer.alloc(3_000_000, 9)]));
  await app.imports.start(ctx, id, { method, uri, glanceInterface: 'public', allStores: true, mustSucceed: true, body: {} }, () => {});
}
writeSync(1, 'began\n');
await world.sagas.idle();
writeSync(1, 'idle\n');
await world.close();
await glance.stop();
await store.close();
