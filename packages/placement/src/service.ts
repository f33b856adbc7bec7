import type { Env } from '@cairn/kit/env';
import type { HttpService } from '@cairn/kit/http/service';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { MigrationSet } from '@cairn/kit/store/store';
import { admit } from './api/op.ts';
import { placementOperations } from './api/operations.ts';
import { MAX_MICROVERSION, MIN_MICROVERSION } from './api/root.ts';
import { createPlacementApp, type PlacementApp } from './app/app.ts';
import { createFace } from './app/face.ts';
import type { PlacementFace } from './face.ts';
import { placementFault } from './faults.ts';
import { placementPolicies } from './policies.ts';
import { placementMigrations } from './store/migrations/index.ts';

/** Placement, ready to be mounted. */
export interface PlacementService {
  readonly http: HttpService<PlacementApp>;
  readonly app: PlacementApp;
  readonly face: PlacementFace;
  readonly migrations: MigrationSet;
  readonly sagas: readonly SagaDefinition[];
  readonly sagaServices: object;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createPlacement(deps: { readonly env: Env }): PlacementService {
  const app = createPlacementApp(deps.env);
  return {
    app,
    http: {
      name: 'placement',
      type: 'placement',
      prefix: '/placement',
      classicPort: 8778,
      app,
      operations: placementOperations,
      policies: placementPolicies,
      microversions: { serviceType: 'placement', min: MIN_MICROVERSION, max: MAX_MICROVERSION, fallback: MIN_MICROVERSION, format: /^\d{1,4}\.\d{1,4}$/ },
      fault: placementFault,
      admit,
      headers: (request) => (request.version ? { 'openstack-api-version': `placement ${request.version.text}`, vary: 'openstack-api-version' } : {}),
    },
    face: createFace(deps.env.clock),
    migrations: placementMigrations,
    sagas: [],
    sagaServices: app,
    start: async () => {},
    stop: async () => {},
  };
}
