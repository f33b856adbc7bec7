import type { Env } from '@cairn/kit/env';
import type { AnyOperation } from '@cairn/kit/http/operation';
import type { HttpService } from '@cairn/kit/http/service';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { MigrationSet } from '@cairn/kit/store/store';
import { cacheOperations } from './api/cache.ts';
import { discoveryOperations } from './api/discovery.ts';
import { imageDataOperations } from './api/image-data.ts';
import { imageOperations } from './api/images.ts';
import { importOperations } from './api/imports.ts';
import { locationOperations } from './api/locations.ts';
import { memberOperations } from './api/members.ts';
import { metadefOperations } from './api/metadefs/operations.ts';
import { storeOperations } from './api/stores.ts';
import { taskOperations } from './api/tasks.ts';
import { versionOperations } from './api/versions.ts';
import { createGlanceApp, type GlanceApp, type GlanceOutside } from './app/app.ts';
import { createFace } from './app/face.ts';
import { startData } from './app/start.ts';
import { loadCatalogue } from './app/metadef-catalogue.ts';
import type { GlanceFace } from './face.ts';
import { glanceFault } from './faults.ts';
import type { GlanceOptions } from './options.ts';
import { glancePolicies } from './policies.ts';
import { unfinishedUploads, updateImage } from './store/images.ts';
import { glanceMigrations } from './store/migrations/index.ts';

/** Glance, ready to be mounted. */
export interface GlanceService {
  readonly http: HttpService<GlanceApp>;
  readonly app: GlanceApp;
  readonly face: GlanceFace;
  readonly migrations: MigrationSet;
  readonly sagas: readonly SagaDefinition[];
  readonly sagaServices: object;
  /** After migrations: uploads that the last run left half-way are open again, and data that no image names is removed. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createGlance(deps: { readonly env: Env; readonly options: GlanceOptions; readonly outside?: GlanceOutside }): GlanceService {
  const { env } = deps;
  const app = createGlanceApp(env, deps.options, deps.outside);
  return {
    app,
    http: {
      name: 'glance',
      type: 'image',
      prefix: '/image',
      classicPort: 9292,
      app,
      operations: [
        ...versionOperations,
        ...imageOperations,
        ...imageDataOperations,
        ...importOperations,
        ...locationOperations,
        ...storeOperations,
        ...taskOperations,
        ...cacheOperations,
        ...memberOperations,
        ...discoveryOperations,
        ...metadefOperations,
      ] as readonly AnyOperation[],
      policies: glancePolicies,
      fault: glanceFault,
      strictSlashes: true,
    },
    face: createFace(app),
    migrations: glanceMigrations,
    sagas: Object.values(app.sagas) as SagaDefinition[],
    sagaServices: app,
    async start() {
      await loadCatalogue(app.metadefs);
      const nowMs = env.clock.nowMs();
      await env.store.write(async (tx) => {
        for (const row of await unfinishedUploads(tx)) await updateImage(tx, row.id, { status: 'queued', updated_at_ms: nowMs });
      });
      await startData(app);
    },
    stop: () => app.cache.stop(),
  };
}
