import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createHash } from 'node:crypto';
import { systemClock } from '@cairn/kit/clock/clock';
import type { Env } from '@cairn/kit/env';
import { eventMigrations } from '@cairn/kit/events/migrations';
import { Outbox } from '@cairn/kit/events/outbox';
import { systemIds } from '@cairn/kit/ids/ids';
import { silentLog } from '@cairn/kit/log/log';
import { type CrashWorld, crashSuite } from '@cairn/kit/saga/crash-suite';
import { SagaEngine } from '@cairn/kit/saga/engine';
import { sagaMigrations } from '@cairn/kit/saga/migrations';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import { on } from '@cairn/kit/store/store';
import { testStore } from '@cairn/kit/store/testing';
import { testAdmin, testContext } from '@cairn/kit/testing/world';
import { simulatedConverter } from '@cairn/host/simulated/converter';
import type { GlanceApp } from '../app/app.ts';
import { testOptions } from '../cloud.fixture.ts';
import { createGlance } from '../service.ts';
import type { DataTables } from '../store/data-tables.ts';
import { glanceMigrations } from '../store/migrations/index.ts';
import type { GlanceTables } from '../store/tables.ts';
import type { GlanceSagas } from './index.ts';

const ctx = testContext();
const IMAGE = 'e0000000-0000-4000-8000-000000000001';
const DATA = Buffer.alloc(70_000, 5);
const SHA512 = createHash('sha512').update(DATA).digest('hex');

// the data that imports fetch; it ends with the process
const web = createServer((request, response) => {
  if (request.url === '/image') response.writeHead(200, { 'content-length': DATA.length }).end(request.method === 'HEAD' ? undefined : DATA);
  else if (request.url?.startsWith('/v2/images/') && request.url.endsWith('/file')) response.end(DATA);
  else response.end(JSON.stringify({ status: 'active', size: DATA.length, disk_format: 'raw', container_format: 'bare', os_distro: 'cairn', secret: 'x' }));
});
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
web.unref();
const { port } = web.address() as AddressInfo;
const url = `http://127.0.0.1:${port}`;

interface Plan {
  readonly saga: keyof GlanceSagas;
  prepare?(app: GlanceApp): Promise<unknown>;
  start(app: GlanceApp): Promise<unknown>;
}

/** Glance over one store and one directory, which outlive its processes. */
async function world(plan: Plan): Promise<CrashWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-glance-crash-'));
  const store = await testStore();
  await store.migrate([sagaMigrations, eventMigrations, glanceMigrations]);
  return {
    store,
    async boot(hooks) {
      const engine = new SagaEngine({ store, clock: systemClock, ids: systemIds, log: silentLog, ...hooks });
      const events = new Outbox({ store, clock: systemClock, ids: systemIds, log: silentLog, exclusive: true });
      const env = { clock: systemClock, ids: systemIds, log: silentLog, store, sagas: engine, events } as unknown as Env;
      const options = testOptions(folder, { ports: [port], import: { convertTo: 'qcow2', decompress: true } });
      const glance = createGlance({ env, options, outside: { converter: simulatedConverter, imageEndpoint: async () => url } });
      engine.register(glance.sagas, glance.sagaServices);
      await glance.start();
      await engine.open();
      const { app } = glance;
      return {
        engine,
        async prepare() {
          await store.write((tx) =>
            app.images.create(tx, ctx, {
              id: IMAGE,
              name: 'image',
              disk_format: 'raw',
              container_format: 'bare',
              properties: { os_distro: 'before' },
              tags: [],
            }),
          );
          await plan.prepare?.(app);
        },
        async start() {
          await plan.start(app);
          const row = await on<{ kit_saga: { id: string; name: string; seq: number } }>(store.read)
            .selectFrom('kit_saga')
            .select('id')
            .where('name', '=', app.sagas[plan.saga].name)
            .orderBy('seq', 'desc')
            .executeTakeFirstOrThrow();
          return row.id;
        },
      };
    },
    async inspect() {
      const q = on<GlanceTables & DataTables>(store.read);
      const [images, properties, locations, staged, tasks] = await Promise.all([
        q.selectFrom('glance_image').selectAll().execute(),
        q.selectFrom('glance_image_property').selectAll().execute(),
        q.selectFrom('glance_image_location').selectAll().execute(),
        q.selectFrom('glance_staging').selectAll().execute(),
        q.selectFrom('glance_task').selectAll().execute(),
      ]);
      return [
        ...images.map((i) => `image ${i.name} ${i.status} ${i.disk_format} ${i.size_bytes} ${i.os_hash_value?.slice(0, 8)} ${i.checksum?.slice(0, 8)}`),
        ...properties.map((p) => `property ${p.name} ${p.value}`),
        ...locations.map((l) => `location ${l.store} ${l.data_key !== null} ${l.url}`),
        ...staged.map((s) => `staged ${s.size_bytes}`),
        ...tasks.map((t) => `task ${t.type} ${t.status} ends ${t.expires_at_ms !== null} ${t.result}`),
        ...readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((f) => f.isFile())
          .map((f) => `file ${join(f.parentPath, f.name).slice(folder.length)}`),
      ];
    },
    async close() {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// the names that the suite tells of; the sagas themselves are made for each process
const definitions = createGlance({
  env: { clock: systemClock, ids: systemIds, log: silentLog } as unknown as Env,
  options: testOptions('/nonexistent'),
}).app.sagas;
const suite = (_title: string, plan: Plan, more: Omit<Parameters<typeof crashSuite>[0], 'saga' | 'world'>): void => {
  const saga = definitions[plan.saga] as SagaDefinition;
  crashSuite({ saga: { ...saga, name: saga.name }, world: () => world(plan), ...more });
};

const common = { allStores: true, mustSucceed: true, glanceInterface: 'public', body: {} };
const no = (): void => {};
const EARLY = ['describe', 'fetch', 'prepare'];
/** The image is queued again and says which stores failed; nothing else is there. */
const queued = (step: string): string[] => [
  'image image queued raw null undefined undefined',
  'property os_distro before',
  'property os_glance_importing_to_stores ',
  `property os_glance_failed_import ${EARLY.includes(step) ? 'file,reserve' : ''}`,
  'task api_image_import failure ends true null',
];

const stage = (app: GlanceApp): Promise<unknown> => app.data.stage(ctx, IMAGE, Readable.from([DATA]));
suite(
  'staged',
  { saga: 'imageImport', prepare: stage, start: (app) => app.imports.start(ctx, IMAGE, { ...common, method: 'glance-direct' }, no) },
  { afterFailure: queued },
);
suite(
  'web',
  { saga: 'imageImport', start: (app) => app.imports.start(ctx, IMAGE, { ...common, method: 'web-download', uri: `${url}/image` }, no) },
  { afterFailure: queued },
);
suite(
  'some stores',
  { saga: 'imageImport', start: (app) => app.imports.start(ctx, IMAGE, { ...common, mustSucceed: false, method: 'web-download', uri: `${url}/image` }, no) },
  { afterFailure: queued },
);
suite(
  'copy',
  {
    saga: 'imageCopy',
    prepare: (app) => app.data.upload(ctx, IMAGE, Readable.from([DATA])),
    start: (app) => app.imports.start(testAdmin(), IMAGE, { ...common, method: 'copy-image' }, no),
  },
  {
    afterFailure: [
      `image image active raw ${DATA.length} ${SHA512.slice(0, 8)} ${createHash('md5').update(DATA).digest('hex').slice(0, 8)}`,
      'property os_distro before',
      'property os_glance_importing_to_stores ',
      'property os_glance_failed_import ',
      'location file true null',
      'file /<id>',
      'task api_image_import failure ends true null',
    ],
  },
);
suite(
  'location',
  { saga: 'locationImport', start: (app) => app.imports.addLocation(ctx, IMAGE, `${url}/image`, { algorithm: 'sha512', value: SHA512 }, {}) },
  {
    afterFailure: (step) => [
      // as upstream has it, a location of an http store stays on the image
      `image image queued raw ${step === 'add' ? null : DATA.length} undefined undefined`,
      'property os_distro before',
      ...(step === 'add' ? [] : [`location web false ${url}/image`]),
      'task location_import failure ends true null',
    ],
  },
);
suite(
  'task',
  {
    saga: 'taskImport',
    start: (app) =>
      app.imports.startTask(testAdmin(), {
        from: `${url}/image`,
        image: { change: { name: 'made', disk_format: 'raw', container_format: 'bare' }, properties: {}, tags: [] },
        input: {},
      }),
  },
  { afterFailure: ['image image queued raw null undefined undefined', 'property os_distro before', 'task import failure ends true null'] },
);
