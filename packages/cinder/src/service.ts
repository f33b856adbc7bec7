import type { Subscription } from '@cairn/kit/events/events';
import type { HttpService } from '@cairn/kit/http/service';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { MigrationSet } from '@cairn/kit/store/store';
import { cinderOperations } from './api/operations.ts';
import { MAX_MICROVERSION, MIN_MICROVERSION } from './api/versions.ts';
import { type CinderApp, createCinderApp } from './app/app.ts';
import type { CinderDeps } from './app/deps.ts';
import { createFace } from './app/face.ts';
import { registerHost, registerScheduler } from './app/hosts.ts';
import { deleteKey, resealKeys } from './app/keys.ts';
import { closeStaleWays } from './app/remote.ts';
import { MessageReaper } from './app/message-reaper.ts';
import type { CinderFace } from './face.ts';
import { cinderFault } from './faults.ts';
import { cinderPolicies } from './policies.ts';
import { cinderMigrations } from './store/migrations/index.ts';

/** Cinder, ready to be mounted. */
export interface CinderService {
  readonly http: HttpService<CinderApp>;
  readonly app: CinderApp;
  readonly face: CinderFace;
  readonly migrations: MigrationSet;
  readonly sagas: readonly SagaDefinition[];
  /** What saga steps find in `step.services`; cinder's carry what they need. */
  readonly sagaServices: object;
  /** Seals the keys of encrypted volumes anew: before and after the keys of credentials are rotated. Returns how many there are. */
  resealKeys(): Promise<number>;
  /** After migrations: records the services of the hosts that are there and of those that come, and begins to remove old messages. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createCinder(deps: CinderDeps): CinderService {
  const app = createCinderApp(deps);
  let unlisten: (() => void) | undefined;
  let images: Subscription | undefined;
  const reaper = new MessageReaper(deps.env);
  return {
    app,
    http: {
      name: 'cinder',
      type: 'block-storage',
      prefix: '/volume',
      classicPort: 8776,
      app,
      operations: cinderOperations,
      policies: cinderPolicies,
      microversions: { serviceType: 'volume', min: MIN_MICROVERSION, max: MAX_MICROVERSION, fallback: MIN_MICROVERSION },
      fault: cinderFault,
      headers: (request) => ({
        'x-compute-request-id': request.requestId,
        ...(request.version !== undefined && { 'openstack-api-version': `volume ${request.version.text}`, vary: 'OpenStack-API-Version' }),
      }),
    },
    face: createFace(app),
    migrations: cinderMigrations,
    sagas: Object.values(app.sagas) as readonly SagaDefinition[],
    sagaServices: {},
    resealKeys: () => resealKeys(deps),
    async start() {
      // an image's key goes with it; it has the image's id
      images = deps.env.events.subscribe('cinder.images', ['image.delete'], (event) => deps.env.store.write((tx) => deleteKey(tx, event.resourceId)));
      await registerScheduler(deps);
      for (const host of deps.hosts.names()) await registerHost(deps, host);
      reaper.start();
      unlisten = deps.hosts.onHost((agent) => {
        registerHost(deps, agent.host).catch((error: unknown) =>
          deps.env.log.error({ host: agent.host, err: error }, 'a host could not be recorded as a volume service'),
        );
        closeStaleWays(deps, agent.host).catch((error: unknown) =>
          deps.env.log.warn({ host: agent.host, err: error }, 'ways to disks of a host that nobody uses could not be closed'),
        );
      });
    },
    async stop() {
      unlisten?.();
      await images?.stop();
      await reaper.stop();
    },
  };
}
